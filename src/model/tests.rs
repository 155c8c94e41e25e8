//! Properties that every model in the list must have.

use super::*;
use crate::schema::{self, Tree};
use crate::vocab::Targets;

/// An observer that ignores everything.
pub(super) struct Silent;

impl TrainingObserver for Silent {
    fn epoch(&mut self, _: &Epoch) -> Flow {
        Flow::Continue
    }
}

/// Returns the input of a fit on the CPU, without a validation set.
pub(super) fn job(train: Examples) -> FitInput {
    let valid = Examples { rows: &[], ..train };
    FitInput {
        train,
        valid,
        seed: Seed(1),
        device: Device::Cpu,
        resume: None,
        fresh: None,
        until: None,
    }
}

const SHAPE: [usize; 2] = [6, 4];

/// Number of models that learn classes, tags and a number, without the program.
const N_MODELS: [usize; 3] = [8, 7, 7];

const TRAINING: &str = "[training]\noptimizer.adam = { learning_rate = 0.01 }\nbatch_size = 8\n\
                        epochs = 20\naugment = [\"time_reversal\"]\n";

/// Returns the minimal table of a model.
fn table(name: &str) -> &'static str {
    match name {
        "dense" => "layers = [{ units = 8, dropout = 0.1 }]\nstandardize = true",
        "cnn" => {
            "blocks = [{ filters = 4, kernel = [2, 2], pool = [2, 2], batch_norm = true }]\n\
             dense = [{ units = 8 }]"
        }
        "gradient_boosting" => "min_samples_leaf = 5\nsubsample = 0.9\nl2_regularization = 1.0",
        "knn" | "svm" => "standardize = true",
        "command" => "run = [\"true\"]",
        "ensemble" => "of = [\"a\", \"b\"]",
        _ => "",
    }
}

fn read(entry: &Entry) -> Box<dyn Model> {
    let text = match entry.read {
        Reader::AtOnce(_) => format!("[model.{}]\n{}\n", entry.name, table(entry.name)),
        Reader::Epochs(_) => format!("[model.{}]\n{}\n{TRAINING}", entry.name, table(entry.name)),
    };
    let tree = Tree::parse("x.toml", &text).unwrap();
    let made = schema::read(&tree, |fields| {
        let axes = Axes { shape: &SHAPE, has_bands: true };
        let training = fields.table("training", |fields| Training::read(fields, Some(axes)));
        fields.choice("model", &[entry.name], |_, fields| match entry.read {
            Reader::AtOnce(read) => read(fields, Some(&SHAPE)),
            Reader::Epochs(read) => read(fields, training.clone().unwrap(), Some(&SHAPE)),
        })
    });
    made.unwrap_or_else(|faults| panic!("{faults}")).0.unwrap()
}

#[test]
fn every_model_has_a_name_and_a_sentence() {
    let mut names: Vec<&str> = MODELS.iter().map(|entry| entry.name).collect();
    for entry in MODELS {
        let ok = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(!entry.name.is_empty() && entry.name.chars().all(ok), "{}", entry.name);
        assert!(entry.doc.ends_with('.') && entry.doc.len() > 40, "{}: {}", entry.name, entry.doc);
        assert!(!entry.doc.contains("  "), "{}: {}", entry.name, entry.doc);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names,
        [
            "cnn",
            "command",
            "dense",
            "ensemble",
            "forest",
            "gradient_boosting",
            "knn",
            "linear",
            "logistic",
            "majority",
            "svm"
        ]
    );
}

/// 60 examples of three groups in turn: group k has the mean k in every number.
struct World {
    matrix: Vec<f32>,
    targets: Targets,
    n_outputs: usize,
    rows: Vec<usize>,
}

impl World {
    /// Class 3 and tag 3 never occur.
    fn new(task: Task) -> Self {
        let groups: Vec<usize> = (0..60).map(|i| i % 3).collect();
        let mut rng = Seed(2).rng("test", &[]);
        let matrix = groups
            .iter()
            .flat_map(|group| [*group as f64; 24])
            .map(|mean| (mean + 0.7 * rng.normal()) as f32)
            .collect();
        let (targets, n_outputs) = match task {
            Task::Classes => (Targets::Classes(groups), 4),
            Task::Tags => {
                let tags = groups.iter().flat_map(|k| [*k == 0, *k >= 1, *k == 2, false]);
                (Targets::Tags(tags.collect()), 4)
            }
            Task::Number => {
                (Targets::Numbers(groups.iter().map(|k| 100.0 + 10.0 * *k as f32).collect()), 1)
            }
        };
        Self { matrix, targets, n_outputs, rows: (0..60).collect() }
    }

    fn outputs(&self) -> Outputs {
        Outputs { task: self.targets.task(), n: self.n_outputs }
    }

    /// Returns 45 training and 15 test examples.
    fn sets(&self) -> [Examples<'_>; 2] {
        let all = Examples {
            shape: &SHAPE,
            matrix: &self.matrix,
            targets: &self.targets,
            rows: &self.rows,
            n_outputs: self.n_outputs,
        };
        [Examples { rows: &self.rows[..45], ..all }, Examples { rows: &self.rows[45..], ..all }]
    }

    /// The same training examples, but all other rows and their targets are changed.
    fn with_other_tests(&self) -> Self {
        let matrix = self.matrix.iter().enumerate();
        let matrix = matrix.map(|(i, x)| if i < 45 * 24 { *x } else { 99.0 }).collect();
        let targets = match &self.targets {
            Targets::Classes(labels) => Targets::Classes(
                labels.iter().enumerate().map(|(i, l)| if i < 45 { *l } else { 3 }).collect(),
            ),
            Targets::Tags(tags) => {
                Targets::Tags(tags.iter().enumerate().map(|(i, t)| i >= 45 * 4 || *t).collect())
            }
            Targets::Numbers(numbers) => Targets::Numbers(
                numbers.iter().enumerate().map(|(i, x)| if i < 45 { *x } else { 1e9 }).collect(),
            ),
        };
        Self { matrix, targets, n_outputs: self.n_outputs, rows: self.rows.clone() }
    }

    /// Checks the range of predictions, and, unless the model ignores all features, that they are good.
    fn check(&self, test: &Examples, got: &[f32], name: &str, is_baseline: bool) {
        assert_eq!(got.len(), test.len() * self.n_outputs, "{name}");
        let in_range = |row: &[f32]| row.iter().all(|p| (0.0..=1.0).contains(p));
        let mut n_right = 0;
        for (index, row) in got.chunks(self.n_outputs).enumerate() {
            match self.targets.task() {
                Task::Classes => {
                    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {row:?}");
                    assert!(in_range(row), "{name}: {row:?}");
                    n_right += usize::from(row.iter().all(|p| *p <= row[test.label(index)]));
                }
                Task::Tags => {
                    assert!(in_range(row), "{name}: {row:?}");
                    let mut pairs = row.iter().zip(test.tags(index));
                    n_right += usize::from(pairs.all(|(p, has)| (*p > 0.5) == *has));
                }
                Task::Number => {
                    assert!(row[0].is_finite(), "{name}: {row:?}");
                    n_right += usize::from((row[0] - test.number(index)).abs() < 5.0);
                }
            }
        }
        // The baseline hits 5 of 15. All tags of an example, and a number within 5, are harder than a class.
        let wanted = if self.targets.task() == Task::Classes { 13 } else { 10 };
        assert!(is_baseline || n_right >= wanted, "{name}: {n_right} of 15");
    }
}

#[test]
fn every_model_fits_predicts_saves_and_comes_back_the_same() {
    let mut n_seen = [0; 3];
    for entry in MODELS {
        assert!(entry.tasks.contains(&Task::Classes) || entry.name == "linear", "{}", entry.name);
        for (number, task) in Task::ALL.into_iter().enumerate() {
            let world = World::new(task);
            let [train, test] = world.sets();
            let job = FitInput { valid: test, ..job(train) };
            let model = read(entry);
            let name = format!("{} of {task}", entry.name);
            let needs_run = model.command().is_some() || model.ensemble().is_some();
            if needs_run || !entry.tasks.contains(&task) {
                // A program or an ensemble is made by a run only: tests/commands/, tests/ensembles.rs.
                assert!(model.fit(&job, &mut Silent).is_err(), "{name}");
                continue;
            }
            keeps_the_contract(entry, model.as_ref(), &world, &job, &name);
            n_seen[number] += 1;
        }
    }
    // All but the program and the ensemble.
    assert_eq!(n_seen, N_MODELS);
}

fn keeps_the_contract(entry: &Entry, model: &dyn Model, world: &World, job: &FitInput, name: &str) {
    let (train, test, outputs) = (job.train, job.valid, world.outputs());
    let fitted = model.fit(job, &mut Silent).unwrap();
    let got = fitted.model.predict(&test).unwrap();
    world.check(&test, &got, name, entry.name == "majority");
    let has_epochs = matches!(entry.read, Reader::Epochs(_)) || entry.name == "gradient_boosting";
    assert_eq!(fitted.kept_epoch.is_some(), has_epochs, "{name}");
    assert_eq!(model.max_epochs().is_some(), entry.name == "gradient_boosting", "{name}");

    let folder = tempfile::tempdir().unwrap();
    fitted.model.save(folder.path()).unwrap();
    let load = |shape: &[usize], outputs| model.load(folder.path(), shape, outputs);
    let loaded = load(&SHAPE, outputs).unwrap();
    assert_eq!(loaded.predict(&test).unwrap(), got, "{name}");
    for n_threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let again = pool.install(|| model.fit(job, &mut Silent)).unwrap();
        assert_eq!(again.model.predict(&test).unwrap(), got, "{name}, {n_threads} threads");
    }

    // All rows except the training rows change, and there is no validation set to choose by.
    // The model stays the same, so no mean, deviation or class count depends on the other rows.
    let changed = world.with_other_tests();
    let blind = |train| {
        let job = FitInput { train, valid: Examples { rows: &[], ..train }, ..*job };
        model.fit(&job, &mut Silent).unwrap().model.predict(&test).unwrap()
    };
    assert_eq!(blind(changed.sets()[0]), blind(train), "{name} uses rows outside the training set");
    // Predictions do not read targets: there may be others, or none.
    let none = Targets::Classes(vec![]);
    let unlabeled = Examples { targets: &none, ..test };
    assert_eq!(fitted.model.predict(&unlabeled).unwrap(), got, "{name} reads targets");

    assert!(load(&[5, 4], outputs).is_err(), "{name} of another shape");
    let more = Outputs { n: outputs.n + 1, ..outputs };
    assert!(load(&SHAPE, more).is_err(), "{name} of more outputs");
    for task in Task::ALL.into_iter().filter(|task| *task != outputs.task) {
        assert!(load(&SHAPE, Outputs { task, ..outputs }).is_err(), "{name} as {task}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(model.load(empty.path(), &SHAPE, outputs).is_err(), "{name} from nothing");
    assert!(loaded.predict(&Examples { shape: &[4, 6], ..test }).is_err(), "{name}");
    let nothing = loaded.predict(&Examples { rows: &[], ..test }).unwrap();
    assert!(nothing.is_empty(), "{name}");
    let none = FitInput { train: Examples { rows: &[], ..train }, ..*job };
    assert!(model.fit(&none, &mut Silent).is_err(), "{name} on nothing");
}
