use super::*;
use crate::model::tests::{Silent, job};
use crate::schema::{Tree as Text, read as read_text};
use crate::vocab::{Seed, Targets};

fn model(text: &str) -> Result<GradientBoosting, String> {
    read_text(&Text::parse("x.toml", text).unwrap(), GradientBoosting::read)
        .map(|(model, _)| model)
        .map_err(|faults| faults.to_string())
}

/// Three overlapping clouds in three columns: 60 rows for training and 30 for validation.
struct Clouds {
    matrix: Vec<f32>,
    targets: Targets,
    rows: Vec<usize>,
}

impl Clouds {
    fn new() -> Self {
        let mut rng = Seed(5).rng("test", &[]);
        let labels: Vec<usize> = (0..90).map(|i| i % 3).collect();
        let centres = labels.iter().flat_map(|label| [*label as f64, -2.0 * *label as f64, 0.0]);
        let matrix = centres.map(|centre| (centre + rng.normal()) as f32).collect();
        Self { matrix, targets: Targets::Classes(labels), rows: (0..90).collect() }
    }

    fn job(&self) -> FitInput<'_> {
        let all = Examples {
            shape: &[3],
            matrix: &self.matrix,
            targets: &self.targets,
            rows: &self.rows,
            n_outputs: 3,
        };
        let valid = Examples { rows: &self.rows[60..], ..all };
        FitInput { valid, ..job(Examples { rows: &self.rows[..60], ..all }) }
    }
}

/// Records epochs, and stops with a snapshot after a given round.
#[derive(Default)]
struct Stopper {
    stop_after: usize,
    epochs: Vec<Epoch>,
    kept: Vec<u8>,
}

impl TrainingObserver for Stopper {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.epochs.push(*epoch);
        Flow::Continue
    }

    fn next(&mut self) -> Next {
        if self.epochs.len() == self.stop_after { Next::SaveAndStop } else { Next::Go }
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Flow {
        self.kept = snapshot;
        Flow::Continue
    }
}

fn bytes(fitted: &Fitted) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fitted.model.save(folder.path()).unwrap();
    std::fs::read(folder.path().join(FILE)).unwrap()
}

#[test]
fn every_round_is_told_and_lowers_the_training_loss() {
    let clouds = Clouds::new();
    let model = model("n_estimators = 12\nmin_samples_leaf = 5").unwrap();
    let mut watch = Stopper::default();
    let fitted = model.fit(&clouds.job(), &mut watch).unwrap();
    assert_eq!((watch.epochs.len(), fitted.kept_epoch), (12, Some(12)));
    assert!(watch.epochs[0].train_loss < 3.0_f64.ln());
    assert!(watch.epochs.windows(2).all(|pair| pair[1].train_loss < pair[0].train_loss));
    // The report on the last round matches the model's predictions for the same examples.
    let valid = clouds.job().valid;
    let got = fitted.model.predict(&valid).unwrap();
    let loss = |(row, p): (usize, &[f32])| -f64::from(p[valid.label(row)]).ln();
    let loss = got.chunks(3).enumerate().map(loss).sum::<f64>() / valid.len() as f64;
    assert!((loss - watch.epochs[11].valid_loss).abs() < 1e-6, "{loss}");
    assert!(watch.epochs[11].valid_accuracy > 0.6);
}

#[test]
fn a_fit_that_was_cut_off_ends_with_the_same_bits() {
    let clouds = Clouds::new();
    let settings = "n_estimators = 60\nmin_samples_leaf = 5\nsubsample = 0.7\nn_iter_no_change = 8";
    let model = model(settings).unwrap();
    let mut whole = Stopper::default();
    let wanted = model.fit(&clouds.job(), &mut whole).unwrap();
    let mut first = Stopper { stop_after: 4, ..Stopper::default() };
    let stopped = model.fit(&clouds.job(), &mut first).map(|_| ()).unwrap_err();
    assert!(matches!(stopped, ModelError::Stopped { epoch: 4 }));
    let mut second = Stopper::default();
    let job = FitInput { resume: Some(&first.kept), ..clouds.job() };
    let got = model.fit(&job, &mut second).unwrap();
    assert_eq!(bytes(&got), bytes(&wanted));
    assert_eq!(got.notes, wanted.notes);
    let losses = |watch: &Stopper| -> Vec<[f64; 2]> {
        watch.epochs.iter().map(|epoch| [epoch.train_loss, epoch.valid_loss]).collect()
    };
    assert_eq!([losses(&first), losses(&second)].concat(), losses(&whole));

    let other = FitInput { resume: Some(b"{}"), ..clouds.job() };
    let said = model.fit(&other, &mut Silent).map(|_| ()).unwrap_err();
    assert!(matches!(said, ModelError::Snapshot(_)), "{said}");
}

#[test]
fn early_stopping_keeps_the_best_round() {
    let clouds = Clouds::new();
    let model = model(
        "n_estimators = 500\nlearning_rate = 0.5\nmin_samples_leaf = 2\nn_iter_no_change = 5",
    )
    .unwrap();
    let mut watch = Stopper::default();
    let fitted = model.fit(&clouds.job(), &mut watch).unwrap();
    let kept = fitted.kept_epoch.unwrap();
    assert_eq!(watch.epochs.len(), kept + 5);
    let least = watch.epochs.iter().map(|epoch| epoch.valid_loss).fold(f64::INFINITY, f64::min);
    assert!((watch.epochs[kept - 1].valid_loss - least).abs() <= 1e-7);
    assert!(fitted.notes[1].starts_with("stopped early after round"), "{:?}", fitted.notes);
    let alone = FitInput { valid: Examples { rows: &[], ..clouds.job().valid }, ..clouds.job() };
    assert_eq!(
        model.fit(&alone, &mut Silent).map(|_| ()).unwrap_err().to_string(),
        "n_iter_no_change watches the valid loss, but no example is in valid"
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_others_with_another_seed() {
    let mut clouds = Clouds::new();
    // Enough examples to count columns in parallel.
    let mut rng = Seed(6).rng("test", &[]);
    clouds.targets = Targets::Classes((0..12_000).map(|i| i % 3).collect());
    clouds.matrix = (0..36_000).map(|i| (f64::from((i / 3) % 3) + rng.normal()) as f32).collect();
    clouds.rows = (0..12_000).collect();
    let model = model("n_estimators = 2\nsubsample = 0.99").unwrap();
    let fit = |seed, n_threads| {
        let train = Examples { rows: &clouds.rows, ..clouds.job().train };
        let job = FitInput { seed: Seed(seed), ..job(train) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        bytes(&pool.install(|| model.fit(&job, &mut Silent)).unwrap())
    };
    let one = fit(1, 1);
    assert_eq!(one, fit(1, 3));
    assert_ne!(one, fit(2, 1));
}

#[test]
fn settings_without_effect_are_faults() {
    assert_eq!(
        model("tol = 0.1").unwrap_err(),
        "x.toml:1: tol has no effect without n_iter_no_change"
    );
    assert_eq!(
        model("subsample = 0.0").unwrap_err(),
        "x.toml:1: subsample must be above 0: a tree needs examples"
    );
}
