//! Whether a record's numbers fit each other: a page must not show what can't be.

use std::path::PathBuf;

use super::ReportError;
use crate::record::Run;
use crate::vocab::Scores;

/// Refuses a record that contradicts itself, naming its file.
pub(super) fn check(run: &Run) -> Result<(), ReportError> {
    let broken = |message: String| ReportError::Broken { path: path(run), message };
    let record = &run.record;
    let n_classes = record.data.classes.len();
    for (set, of_set) in [("train", &record.train), ("valid", &record.valid)] {
        of_set.iter().try_for_each(|it| scores(set, it, n_classes)).map_err(broken)?;
    }
    scores("test", &record.test, n_classes).map_err(broken)?;
    let split = &record.split;
    if record.test.n == 0 || record.test.n != split.n_test {
        return Err(broken(format!(
            "test.n must be split.n_test, {}, and above 0, found {}",
            split.n_test, record.test.n
        )));
    }
    for (field, n) in [("n_test_tracks", split.n_test_tracks), ("n_leaking", split.n_leaking)] {
        if n > split.n_test {
            return Err(broken(format!(
                "split.{field} must be at most split.n_test, {}, found {n}",
                split.n_test
            )));
        }
    }
    Ok(())
}

/// The file that a message about a run's record names.
fn path(run: &Run) -> PathBuf {
    run.folder.join("record.json")
}

fn scores(set: &str, scores: &Scores, n_classes: usize) -> Result<(), String> {
    let square = scores.confusion.len() == n_classes
        && scores.confusion.iter().all(|row| row.len() == n_classes);
    if !square {
        return Err(format!("{set}.confusion must be {n_classes} by {n_classes}, as the classes"));
    }
    let n: usize = scores.confusion.iter().flatten().sum();
    if n != scores.n {
        return Err(format!("{set}.confusion must sum to {set}.n, {}, found {n}", scores.n));
    }
    for (name, value) in [("accuracy", scores.accuracy), ("macro_f1", scores.macro_f1)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(format!("{set}.{name} must be in [0, 1], found {value}"));
        }
    }
    let counted = crate::metrics::accuracy(&scores.confusion);
    if scores.n > 0 && (counted - scores.accuracy).abs() > 1e-6 {
        return Err(format!(
            "{set}.accuracy must be what {set}.confusion gives, {counted}, found {}",
            scores.accuracy
        ));
    }
    Ok(())
}
