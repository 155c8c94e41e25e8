//! Whether a record's numbers fit each other: a page must not show what can't be.

use std::path::PathBuf;

use super::ReportError;
use crate::record::{DataFacts, Run};
use crate::vocab::{ClassificationScores, RegressionScores, Scores, TagScores, TaggingScores};

/// Refuses a record that contradicts itself, naming its file.
pub(super) fn check(run: &Run) -> Result<(), ReportError> {
    let broken = |message: String| ReportError::Broken { path: path(run), message };
    let record = &run.record;
    for (set, of_set) in [("train", &record.train), ("valid", &record.valid)] {
        of_set.iter().try_for_each(|it| scores(set, it, &record.data)).map_err(broken)?;
    }
    if let Some(test) = &record.test {
        scores("test", test, &record.data).map_err(broken)?;
    }
    let (split, n) = (&record.split, record.scored().n());
    if record.test.is_some() && (n == 0 || n != split.n_test) {
        return Err(broken(format!(
            "test.n must be split.n_test, {}, and above 0, found {n}",
            split.n_test
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

fn scores(set: &str, scores: &Scores, data: &DataFacts) -> Result<(), String> {
    let n_outputs = data.classes.len();
    if scores.task() != data.task {
        let (is, wanted) = (scores.task(), data.task);
        return Err(format!("{set} must have the scores of {wanted}, as data.task, found {is}"));
    }
    match scores {
        Scores::Classes(scores) => of_classes(set, scores, n_outputs),
        Scores::Tags(scores) => of_tags(set, scores, n_outputs),
        Scores::Number(scores) => of_number(set, scores, n_outputs),
    }
}

fn of_classes(set: &str, scores: &ClassificationScores, n_classes: usize) -> Result<(), String> {
    let square = scores.confusion.len() == n_classes
        && scores.confusion.iter().all(|row| row.len() == n_classes);
    if !square {
        return Err(format!("{set}.confusion must be {n_classes} by {n_classes}, as the classes"));
    }
    let n: usize = scores.confusion.iter().flatten().sum();
    if n != scores.n {
        return Err(format!("{set}.confusion must sum to {set}.n, {}, found {n}", scores.n));
    }
    fraction(set, "accuracy", Some(scores.accuracy))?;
    fraction(set, "macro_f1", Some(scores.macro_f1))?;
    let counted = crate::metrics::accuracy(&scores.confusion);
    if scores.n > 0 && (counted - scores.accuracy).abs() > 1e-6 {
        return Err(format!(
            "{set}.accuracy must be what {set}.confusion gives, {counted}, found {}",
            scores.accuracy
        ));
    }
    Ok(())
}

fn of_tags(set: &str, scores: &TaggingScores, n_tags: usize) -> Result<(), String> {
    let TaggingScores { n, roc_auc, average_precision, tags, .. } = scores;
    if tags.len() != n_tags {
        return Err(format!("{set}.tags must be {n_tags}, as the tags, found {}", tags.len()));
    }
    for (i, tag) in tags.iter().enumerate() {
        if tag.n_positive > *n {
            let found = tag.n_positive;
            return Err(format!(
                "{set}.tags[{i}].n_positive must be at most {set}.n, {n}, found {found}"
            ));
        }
        let has_both = tag.n_positive > 0 && tag.n_positive < *n;
        for (name, value) in
            [("roc_auc", tag.roc_auc), ("average_precision", tag.average_precision)]
        {
            let name = format!("tags[{i}].{name}");
            fraction(set, &name, value)?;
            if value.is_some() != has_both {
                return Err(format!(
                    "{set}.{name} must be there exactly if some examples have the tag and others do \
                     not"
                ));
            }
        }
    }
    let mean = |of: fn(&TagScores) -> Option<f64>| {
        let scores: Vec<f64> = tags.iter().filter_map(of).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    };
    for (name, value, wanted) in [
        ("roc_auc", roc_auc, mean(|tag| tag.roc_auc)),
        ("average_precision", average_precision, mean(|tag| tag.average_precision)),
    ] {
        let is_mean = match (value, wanted) {
            (Some(value), Some(wanted)) => (value - wanted).abs() <= 1e-6,
            (None, None) => true,
            _ => false,
        };
        if !is_mean {
            return Err(format!(
                "{set}.{name} must be the mean of {set}.tags, {}, found {}",
                or_null(wanted),
                or_null(*value)
            ));
        }
    }
    Ok(())
}

fn of_number(set: &str, scores: &RegressionScores, n_outputs: usize) -> Result<(), String> {
    let RegressionScores { n, r2, mae, mse } = *scores;
    if n_outputs != 1 {
        return Err(format!("data.classes must be the name of one number, found {n_outputs}"));
    }
    if !(r2 <= 1.0 && r2.is_finite()) {
        return Err(format!("{set}.r2 must be at most 1, found {r2}"));
    }
    for (name, value) in [("mae", mae), ("mse", mse)] {
        if !(value >= 0.0 && value.is_finite()) {
            return Err(format!("{set}.{name} must be at least 0, found {value}"));
        }
    }
    // The mean of squares is at least the square of the mean.
    if n > 0 && mae * mae > mse * (1.0 + 1e-6) {
        return Err(format!("{set}.mse must be at least {set}.mae squared, found {mse} and {mae}"));
    }
    Ok(())
}

fn fraction(set: &str, name: &str, value: Option<f64>) -> Result<(), String> {
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(format!("{set}.{name} must be in [0, 1], found {value}"))
        }
        _ => Ok(()),
    }
}

fn or_null(value: Option<f64>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}
