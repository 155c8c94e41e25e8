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
    FitInput { train, valid, seed: Seed(1), device: Device::Cpu, resume: None }
}

const SHAPE: [usize; 2] = [6, 4];

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
        let training = fields.table("training", |fields| Training::read(fields, Some(&SHAPE)));
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
            "forest",
            "gradient_boosting",
            "knn",
            "logistic",
            "majority",
            "svm"
        ]
    );
}

#[test]
fn every_model_fits_predicts_saves_and_comes_back_the_same() {
    // Class k has the mean k in every number; class 3 never occurs.
    let labels: Vec<usize> = (0..60).map(|i| i % 3).collect();
    let mut rng = Seed(2).rng("test", &[]);
    let matrix: Vec<f32> = labels
        .iter()
        .flat_map(|label| [*label as f64; 24])
        .map(|mean| (mean + 0.7 * rng.normal()) as f32)
        .collect();
    let rows: Vec<usize> = (0..60).collect();
    let all = Examples {
        shape: &SHAPE,
        matrix: &matrix,
        targets: &Targets::Classes(labels.clone()),
        rows: &rows,
        n_outputs: 4,
    };
    let (train, test) =
        (Examples { rows: &rows[..45], ..all }, Examples { rows: &rows[45..], ..all });
    let job = FitInput { train, valid: test, seed: Seed(1), device: Device::Cpu, resume: None };

    let mut n_seen = 0;
    for entry in MODELS {
        let name = entry.name;
        let model = read(entry);
        if model.command().is_some() {
            // A program is fitted by a run only: tests/commands/.
            assert!(model.fit(&job, &mut Silent).is_err(), "{name}");
            continue;
        }
        let fitted = model.fit(&job, &mut Silent).unwrap();
        let got = fitted.model.predict(&test).unwrap();
        assert_eq!(got.len(), test.len() * 4, "{name}");
        let mut n_right = 0;
        for (index, row) in got.chunks(4).enumerate() {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {row:?}");
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{name}: {row:?}");
            n_right += usize::from(row.iter().all(|p| *p <= row[test.label(index)]));
        }
        if name != "majority" {
            assert!(n_right >= 13, "{name}: {n_right} of 15");
        }
        let has_epochs = matches!(entry.read, Reader::Epochs(_)) || name == "gradient_boosting";
        assert_eq!(fitted.kept_epoch.is_some(), has_epochs, "{name}");
        assert_eq!(model.max_epochs().is_some(), name == "gradient_boosting", "{name}");

        let folder = tempfile::tempdir().unwrap();
        fitted.model.save(folder.path()).unwrap();
        let loaded = model.load(folder.path(), &SHAPE, Outputs::classes(4)).unwrap();
        assert_eq!(loaded.predict(&test).unwrap(), got, "{name}");
        let again = model.fit(&job, &mut Silent).unwrap();
        assert_eq!(again.model.predict(&test).unwrap(), got, "{name}");

        // All rows except the training rows change, and there is no validation set to choose by.
        // The model stays the same, so no mean, deviation or class count depends on the other rows.
        let changed: Vec<f32> =
            matrix.iter().enumerate().map(|(i, x)| if i < 45 * 24 { *x } else { 99.0 }).collect();
        let relabeled: Vec<usize> =
            labels.iter().enumerate().map(|(i, l)| if i < 45 { *l } else { 3 }).collect();
        let other =
            Examples { matrix: &changed, targets: &Targets::Classes(relabeled.clone()), ..train };
        let blind = |train| {
            let job = FitInput { train, valid: Examples { rows: &[], ..train }, ..job };
            model.fit(&job, &mut Silent).unwrap().model.predict(&test).unwrap()
        };
        assert_eq!(blind(other), blind(train), "{name} uses rows outside the training set");

        assert!(
            model.load(folder.path(), &[5, 4], Outputs::classes(4)).is_err(),
            "{name} of another shape"
        );
        assert!(
            model.load(folder.path(), &SHAPE, Outputs::classes(5)).is_err(),
            "{name} of more classes"
        );
        let empty = tempfile::tempdir().unwrap();
        assert!(
            model.load(empty.path(), &SHAPE, Outputs::classes(4)).is_err(),
            "{name} from nothing"
        );
        assert!(loaded.predict(&Examples { shape: &[4, 6], ..test }).is_err(), "{name}");
        let nothing = loaded.predict(&Examples { rows: &[], ..test }).unwrap();
        assert!(nothing.is_empty(), "{name}");
        let none = FitInput { train: Examples { rows: &[], ..train }, ..job };
        assert!(model.fit(&none, &mut Silent).is_err(), "{name} on nothing");
        n_seen += 1;
    }
    // All but the program.
    assert_eq!(n_seen, MODELS.len() - 1);
}
