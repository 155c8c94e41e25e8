use std::sync::LazyLock;

use super::*;
use crate::model::golden::{Golden, Machine};
use crate::model::tests::{Silent, job};
use crate::schema::{Tree, read as read_text};
use crate::vocab::Targets;

fn model(text: &str) -> Result<Svm, String> {
    read_text(&Tree::parse("x.toml", text).unwrap(), Svm::read)
        .map(|(model, _)| model)
        .map_err(|faults| faults.to_string())
}

fn hold(golden: &Golden, text: &str, theirs: &Machine) {
    let matrix = golden.matrix();
    let rows: Vec<usize> = (0..golden.y.len()).collect();
    let (train, test) = rows.split_at(golden.n_train);
    let train = Examples {
        shape: &[4],
        matrix: &matrix,
        targets: &Targets::Classes(golden.y.clone()),
        rows: train,
        n_outputs: 3,
    };
    let test = Examples { rows: test, ..train };
    let fitted = model(text).unwrap().fit(&job(train), &mut Silent).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fitted.model.save(folder.path()).unwrap();
    let about: About = read_json(&folder.path().join(FILE)).unwrap();
    let n = about.pairs.iter().flat_map(|pair| &pair.support).max().unwrap() + 1;
    assert_eq!(n, theirs.n_support.iter().sum::<usize>(), "{text}: support vectors");
    let vectors = Rows::load(&folder.path().join(ROWS), n, 4, false).unwrap();
    let machines = Machines { about, vectors };
    let got = fitted.model.predict(&test).unwrap();
    for (index, (wanted, class)) in theirs.decision.iter().zip(&theirs.predicted).enumerate() {
        let ours = machines.decisions(test.example(index));
        for (ours, wanted) in ours.iter().zip(wanted) {
            assert!((ours - wanted).abs() < 1e-4, "{text}, row {index}: {ours} and {wanted}");
        }
        let shares = &got[3 * index..][..3];
        let first = (0..3).find(|a| (0..3).all(|b| shares[b] <= shares[*a]));
        assert_eq!(first, Some(*class), "{text}, row {index}: {shares:?}");
    }
}

#[test]
fn decisions_are_scikit_learns() {
    let golden = Golden::read();
    hold(&golden, "c = 2.0\ntolerance = 1e-6", &golden.svm_rbf);
    hold(&golden, "kernel = \"linear\"\nc = 0.5\ntolerance = 1e-6", &golden.svm_linear);
}

/// Returns a ring around a point.
fn ring() -> Examples<'static> {
    static TARGETS: LazyLock<Targets> = LazyLock::new(|| Targets::Classes(vec![0, 0, 1, 1, 1, 1]));
    Examples {
        shape: &[2],
        matrix: &[0.0, 0.0, 0.1, 0.0, 2.0, 0.0, -2.0, 0.0, 0.0, 2.0, 0.0, -2.0],
        targets: &TARGETS,
        rows: &[0, 1, 2, 3, 4, 5],
        n_outputs: 2,
    }
}

#[test]
fn a_ring_is_told_from_its_centre() {
    let fitted = model("c = 10").unwrap().fit(&job(ring()), &mut Silent).unwrap();
    let got = fitted.model.predict(&ring()).unwrap();
    assert_eq!(got, [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn what_takes_too_long_is_said() {
    let said = model("max_rows = 5").unwrap().fit(&job(ring()), &mut Silent).map(|_| ());
    assert_eq!(
        said.unwrap_err().to_string(),
        "6 training examples exceed max_rows (5): the time grows with their square\n\
         hint: raise max_rows if you accept the time"
    );
    let hurried = model("max_iterations = 1").unwrap();
    let notes = hurried.fit(&job(ring()), &mut Silent).unwrap().notes;
    assert!(notes[1].starts_with("did NOT converge: optimality is broken by"), "{notes:?}");
    assert_eq!(
        model("kernel = \"linear\"\ngamma = 1").unwrap_err(),
        "x.toml:2: gamma has no effect with kernel = \"linear\""
    );
}

#[test]
fn a_stop_is_heard_between_machines() {
    struct Stopper;
    impl TrainingObserver for Stopper {
        fn epoch(&mut self, _: &crate::vocab::Epoch) -> crate::model::Flow {
            crate::model::Flow::Continue
        }
        fn next(&mut self) -> Next {
            Next::SaveAndStop
        }
    }
    let said = model("").unwrap().fit(&job(ring()), &mut Stopper).map(|_| ()).unwrap_err();
    assert!(matches!(said, ModelError::Stopped { epoch: 0 }), "{said}");
}
