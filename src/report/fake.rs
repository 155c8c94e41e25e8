//! Made-up but plausible runs, for the tests of this room.

use std::path::Path;

use super::{Options, fake_data};
use crate::metrics::{accuracy, macro_f1};
use crate::record::{
    Audit, Claim, ClaimOutcome, CodeFacts, DataFacts, Epoch, Excluded, Leak, LeakKind, ModelFacts,
    Outputs, Prediction, Predictions, RECORD_FORMAT, Record, Run, RunWriter, SplitFacts, Store,
    Timings,
};
use crate::vocab::{ClassificationScores, ExampleId, Scores, Seed, Task};

pub(super) const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
pub(super) const SPOTIFY: [&str; 8] = [
    "adult_standards",
    "album_rock",
    "alternative_dance",
    "alternative_metal",
    "alternative_rock",
    "atl_hip_hop",
    "contemporary_country",
    "dance_pop",
];

/// What one fake run is like.
#[derive(Clone, Copy)]
pub(super) struct Fake {
    pub experiment: &'static str,
    pub dataset: &'static str,
    pub seed: u64,
    pub accuracy: f64,
    pub claim: Option<f64>,
    pub n_epochs: usize,
    pub cut: bool,
    pub leaks: bool,
}

/// A full, leaking, real run of `experiment` with a claim.
pub(super) fn gtzan(experiment: &'static str, seed: u64, accuracy: f64, claim: f64) -> Fake {
    let claim = Some(claim);
    Fake {
        experiment,
        dataset: "gtzan",
        seed,
        accuracy,
        claim,
        n_epochs: 250,
        cut: false,
        leaks: true,
    }
}

/// The options that go with [`report_like`].
pub(super) fn options() -> Options {
    let order = [
        "baseline",
        "dnn",
        "cnn-1",
        "cnn-2",
        "cnn-3",
        "honest/cnn-3",
        "spotify-logistic",
        "spotify-dense",
        "cnn-4",
    ];
    Options {
        title: "Music genres: does it hold?".to_owned(),
        order: order.map(str::to_owned).to_vec(),
        ..Options::default()
    }
}

/// Runs like the publication's, in a store under `root`.
pub(super) fn report_like(root: &Path) -> Vec<Run> {
    let mut fakes = vec![
        Fake { claim: None, n_epochs: 0, leaks: false, ..gtzan("baseline", 1, 0.1, 0.0) },
        gtzan("cnn-2", 1, 0.795, 0.801),
        Fake { dataset: "synth-genres", n_epochs: 3, cut: true, ..gtzan("cnn-2", 1, 0.41, 0.801) },
        Fake {
            dataset: "spotify",
            n_epochs: 0,
            leaks: false,
            ..gtzan("spotify-logistic", 1, 0.534, 0.532)
        },
    ];
    for seed in 1..=3 {
        let bit = [-0.008, 0.002, 0.006][seed as usize - 1];
        fakes.push(gtzan("dnn", seed, 0.66 + bit, 0.578));
        fakes.push(gtzan("cnn-1", seed, 0.69 + bit, 0.691));
        fakes.push(Fake { n_epochs: 400, ..gtzan("cnn-3", seed, 0.842 + bit, 0.838) });
        fakes.push(Fake {
            claim: None,
            leaks: false,
            n_epochs: 400,
            ..gtzan("honest/cnn-3", seed, 0.63 + 2.0 * bit, 0.0)
        });
        fakes.push(Fake {
            dataset: "synth-songs",
            leaks: false,
            n_epochs: 100 + 13 * seed as usize,
            ..gtzan("spotify-dense", seed, 0.52 + bit, 0.515)
        });
    }
    fakes.iter().map(|fake| run(root, fake)).collect()
}

/// Writes one fake run into a store.
pub(super) fn run(root: &Path, fake: &Fake) -> Run {
    write(root, fake, record(fake), &predictions(fake))
}

/// A run of a model with the classes of [`vast`], right about every other test row.
pub(super) fn vast_run(root: &Path, seed: u64) -> Run {
    let fake = Fake { leaks: false, claim: None, ..gtzan("vast", seed, 0.5, 0.0) };
    let (classes, labels) = fake_data::vast_labels();
    let (n_classes, mut rng) = (classes.len(), Seed(seed).rng("vast", &[]));
    let prediction = |(row, &actual): (usize, &usize)| {
        let predicted = if rng.uniform() < 0.5 { actual } else { rng.below(n_classes) };
        let mut probabilities = vec![0.4 / (n_classes - 1) as f32; n_classes];
        probabilities[predicted] = 0.6;
        let example = ExampleId { track: format!("row {row}"), segment: 0 };
        Prediction { example, actual, predicted, probabilities }
    };
    let predictions: Vec<Prediction> = labels.iter().enumerate().map(prediction).collect();
    let mut record = record(&fake);
    let predicted: Vec<usize> = predictions.iter().map(|row| row.predicted).collect();
    let confusion = crate::metrics::confusion(&labels, &predicted, n_classes);
    let accuracy = accuracy(&confusion);
    record.test = Some(Scores::Classes(ClassificationScores {
        n: labels.len(),
        accuracy,
        confusion,
        ..of_classes(record.scored()).clone()
    }));
    (record.train, record.valid) = (record.test.clone(), None);
    record.data.classes = classes;
    record.split.n_test = labels.len();
    record.split.n_test_tracks = labels.len();
    record.split.n_leaking = 0;
    write(root, &fake, record, &predictions)
}

/// Writes a run with this record and these predictions.
pub(super) fn write(root: &Path, fake: &Fake, record: Record, predictions: &[Prediction]) -> Run {
    begin(root, fake, predictions, &record.data.classes).finish(record, &epochs(fake)).unwrap().0
}

/// The scores of a run that predicts classes.
pub(super) fn of_classes(scores: &Scores) -> &ClassificationScores {
    scores.classes().expect("the run predicts classes")
}

/// The same, to be changed.
pub(super) fn of_classes_mut(scores: &mut Scores) -> &mut ClassificationScores {
    let Scores::Classes(scores) = scores else { panic!("the run predicts classes") };
    scores
}

/// A run that is written but for its record.
pub(super) fn begin(
    root: &Path,
    fake: &Fake,
    predictions: &[Prediction],
    classes: &[String],
) -> RunWriter {
    begin_any(root, fake, &Predictions::Classes(predictions.to_vec()), classes)
}

/// The same for every task.
pub(super) fn begin_any(
    root: &Path,
    fake: &Fake,
    predictions: &Predictions,
    classes: &[String],
) -> RunWriter {
    let id = format!(
        "{}-{}-{}{}",
        fake.experiment.replace('/', "-"),
        fake.dataset,
        fake.seed,
        if fake.cut { "-cut" } else { "" }
    );
    let store = Store::new(root);
    let ClaimOutcome::Ours(claim) = store.claim(&id).unwrap() else {
        panic!("nobody else is at it")
    };
    let (mut writer, _, _) = RunWriter::begin(claim).unwrap();
    for epoch in &epochs(fake) {
        writer.epoch(epoch).unwrap();
    }
    writer.spec("").unwrap();
    writer.members(&[]).unwrap();
    writer.predictions(predictions, classes).unwrap();
    writer
}

/// A record whose numbers fit each other.
pub(super) fn record(fake: &Fake) -> Record {
    let table = is_table(fake);
    let classes: Vec<String> = if table {
        SPOTIFY.map(str::to_owned).to_vec()
    } else {
        GENRES.map(str::to_owned).to_vec()
    };
    let (n_test, n_test_tracks) = sizes(fake);
    let test = scores(fake, classes.len(), n_test, n_test_tracks);
    Record {
        format: RECORD_FORMAT,
        experiment: fake.experiment.to_owned(),
        title: "A net of convolutions with regularization".to_owned(),
        question: "Does it reach the published accuracy?".to_owned(),
        spec: serde_json::json!({}).into(),
        spec_hash: "5bec0123456789abcdef".to_owned(),
        overrides: vec![],
        options: serde_json::Value::Null.into(),
        seed: fake.seed,
        cut: if fake.cut { vec!["3 of 250 epochs".to_owned()] } else { vec![] },
        claims: fake.claim.iter().map(|value| claim(*value, table)).collect(),
        data: data(fake, table, classes).into(),
        split: SplitFacts {
            protocol: "random by segment, stratified, 30 % test, 30 % of the rest valid".to_owned(),
            n_train: 4893,
            n_valid: 2097,
            n_test,
            n_test_tracks,
            n_leaking: if fake.leaks { n_test - 4 } else { 0 },
            sources_hash: None,
        },
        audit: audit(fake, n_test),
        model: ModelFacts {
            name: "cnn".to_owned(),
            n_parameters: 160_202,
            n_epochs: (fake.n_epochs > 0).then_some(fake.n_epochs),
            max_epochs: (fake.n_epochs > 0).then_some(if fake.cut { 250 } else { fake.n_epochs }),
            kept_epoch: (fake.n_epochs > 0).then_some(fake.n_epochs),
            imported: None,
            notes: if table && fake.seed == 1 {
                vec!["the solver did not converge in 1000 iterations".to_owned()]
            } else {
                vec![]
            },
            command: None,
            members: vec![],
        },
        foreign: None,
        code: CodeFacts {
            version: "0.1.0".to_owned(),
            code_version: 1,
            device: "cpu (avx2)".to_owned(),
            git_commit: Some("0123456789abcdef0123".to_owned()),
            git_dirty: Some(true),
        },
        train: Some(Scores::Classes(scores(
            &Fake { accuracy: (fake.accuracy + 0.1).min(1.0), ..*fake },
            test.confusion.len(),
            4893,
            4893,
        ))),
        valid: Some(Scores::Classes(scores(fake, test.confusion.len(), 2097, 2097))),
        test: Some(Scores::Classes(test)),
        search: None,
        timings: Timings {
            started: "2026-01-02T03:04:05Z".to_owned(),
            n_resumed: 0,
            features_s: 11.5,
            fit_s: 3.5 * fake.n_epochs as f64,
            total_s: 3.5 * fake.n_epochs as f64 + 14.0,
        },
        outputs: Outputs::default(),
        files: std::collections::BTreeMap::new(),
        seal: String::new(),
    }
}

/// What is found in a fake split.
fn audit(fake: &Fake, n_test: usize) -> Audit {
    if !fake.leaks {
        return Audit::default();
    }
    let n_leaking = n_test - 4;
    let named = vec!["jazz.00012 segment 3 (test) and jazz.00012 segment 0 (train)".to_owned()];
    let leak = Leak { kind: LeakKind::SameTrack, n_test: n_leaking, n_valid: 900, named };
    Audit { n_leaking, leaks: vec![leak], unchecked: vec![] }
}

fn claim(value: f64, table: bool) -> Claim {
    Claim {
        metric: "accuracy".to_owned(),
        value,
        source: "report, table 1".to_owned(),
        dataset: if table { "spotify" } else { "gtzan" }.to_owned(),
        n_runs: None,
        n_test: None,
        seed_sd: None,
        within: None,
    }
}

fn data(fake: &Fake, table: bool, classes: Vec<String>) -> DataFacts {
    let n = if table { 8576 } else { 999 };
    DataFacts {
        dataset: fake.dataset.to_owned(),
        asked: fake.dataset.to_owned(),
        synthetic: fake.dataset.starts_with("synth"),
        hash: "da7a0123456789abcdef".to_owned(),
        features_hash: "fea70123456789abcdef".to_owned(),
        shape: if table { vec![21] } else { vec![130, 13] },
        task: Task::Classes,
        classes,
        n_tracks: n,
        n_examples: if table { n } else { 9986 },
        excluded: if table {
            vec![]
        } else {
            vec![Excluded { name: "jazz.00054".to_owned(), reason: "unreadable".to_owned() }]
        },
        notes: vec![],
    }
}

/// Test examples, and the tracks that they come from.
fn sizes(fake: &Fake) -> (usize, usize) {
    if is_table(fake) { (2573, 2573) } else { (2996, 967) }
}

fn is_table(fake: &Fake) -> bool {
    fake.dataset == "spotify" || fake.dataset == "synth-songs"
}

/// Predictions for the test examples: 0.6 for the predicted class, the rest shared by the others.
pub(super) fn predictions(fake: &Fake) -> Vec<Prediction> {
    let n_classes = if is_table(fake) { SPOTIFY.len() } else { GENRES.len() };
    let (n, n_tracks) = sizes(fake);
    let prediction = |(i, (actual, predicted)): (usize, (usize, usize))| {
        let example =
            ExampleId { track: format!("t{}", i % n_tracks), segment: (i / n_tracks) as u32 };
        let mut probabilities = vec![0.4 / (n_classes - 1) as f32; n_classes];
        probabilities[predicted] = 0.6;
        Prediction { example, actual, predicted, probabilities }
    };
    answers(fake, n_classes, n, n_tracks).into_iter().enumerate().map(prediction).collect()
}

fn scores(fake: &Fake, n_classes: usize, n: usize, n_tracks: usize) -> ClassificationScores {
    let mut confusion = vec![vec![0; n_classes]; n_classes];
    for (actual, predicted) in answers(fake, n_classes, n, n_tracks) {
        confusion[actual][predicted] += 1;
    }
    ClassificationScores {
        n,
        accuracy: accuracy(&confusion),
        macro_f1: macro_f1(&confusion),
        log_loss: 1.3 - fake.accuracy,
        confusion,
    }
}

/// Actual and predicted classes with about this accuracy; mistakes fall on some classes more than on
/// others.
fn answers(fake: &Fake, n_classes: usize, n: usize, n_tracks: usize) -> Vec<(usize, usize)> {
    let mut rng = Seed(fake.seed).rng(fake.experiment, &[n as u64]);
    let answer = |i: usize| {
        let actual = i % n_tracks % n_classes;
        let friend = (actual * 3 + 4) % n_classes;
        let chance = (fake.accuracy + 0.12 * ((actual % 3) as f64 - 1.0)).clamp(0.0, 1.0);
        let predicted = match rng.uniform() {
            luck if luck < chance => actual,
            luck if luck < chance + (1.0 - chance) * 0.4 => friend,
            _ => rng.below(n_classes),
        };
        (actual, predicted)
    };
    (0..n).map(answer).collect()
}

pub(super) fn epochs(fake: &Fake) -> Vec<Epoch> {
    let mut rng = Seed(fake.seed).rng("curves", &[fake.n_epochs as u64]);
    let mut epoch = |i: usize| {
        let t = i as f64 / 60.0;
        let grown = 1.0 - (-2.0 * t).exp();
        let mut noise = |size: f64| size * rng.normal();
        Epoch {
            epoch: i,
            train_loss: 25.0 * (-1.2 * i as f64).exp() + 2.3 - 1.7 * grown + noise(0.01),
            train_accuracy: (0.1 + (fake.accuracy + 0.02) * grown + noise(0.004)).clamp(0.0, 1.0),
            valid_loss: 9.0 * (-1.1 * i as f64).exp() + 2.3 - 1.6 * grown + 0.05 * t + noise(0.03),
            valid_accuracy: (0.1 + (fake.accuracy - 0.1) * grown + noise(0.012)).clamp(0.0, 1.0),
            learning_rate: 1e-4,
            seconds: 3.5,
        }
    };
    (1..=fake.n_epochs).map(&mut epoch).collect()
}
