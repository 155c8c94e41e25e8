//! Every run of a row in numbers: scores, epochs, time; and their means.

use std::path::Path;

use super::group::Group;
use super::link::link;
use super::scores::Probabilities;
use super::words::{count, duration, fraction, plain, table};
use crate::metrics::macro_f1;
use crate::record::{Record, Run};
use crate::vocab::Scores;

/// Every run's numbers, as text under a head; what comes last names the record. With several runs the
/// last line has their means, and no record.
pub(super) fn lines(group: &Group) -> Vec<[String; 11]> {
    let head = [
        "seed",
        "test",
        "valid",
        "train",
        "macro F1",
        "log-loss",
        "top-2",
        "calibration error",
        "epochs",
        "time",
        "record",
    ];
    let line = |(run, said): (&&Run, &Probabilities)| {
        let record = &run.record;
        [
            record.seed.to_string(),
            fraction(record.test.accuracy),
            record.valid.as_ref().map_or("-".to_owned(), |valid| fraction(valid.accuracy)),
            record.train.as_ref().map_or("-".to_owned(), |train| fraction(train.accuracy)),
            fraction(macro_f1(&record.test.confusion)),
            fraction(said.log_loss),
            fraction(said.top_2),
            fraction(said.calibration_error),
            record.model.n_epochs.map_or("-".to_owned(), count),
            record.seconds().map_or("-".to_owned(), duration),
            run.id.clone(),
        ]
    };
    let mut all = vec![head.map(str::to_owned)];
    all.extend(group.runs.iter().zip(&group.probabilities).map(line));
    all.extend((group.runs.len() > 1).then(|| mean_line(group)));
    all
}

fn mean_line(group: &Group) -> [String; 11] {
    let n = group.runs.len() as f64;
    let said = |of: fn(&Probabilities) -> f64| {
        fraction(group.probabilities.iter().map(of).sum::<f64>() / n)
    };
    let mean = |scores: fn(&Record) -> Option<&Scores>| {
        let all: Option<Vec<f64>> =
            group.records().map(|record| Some(scores(record)?.accuracy)).collect();
        all.map_or("-".to_owned(), |all| fraction(all.iter().sum::<f64>() / n))
    };
    [
        "mean".to_owned(),
        fraction(group.mean(|record| record.test.accuracy)),
        mean(|record| record.valid.as_ref()),
        mean(|record| record.train.as_ref()),
        fraction(group.mean(|record| macro_f1(&record.test.confusion))),
        said(|run| run.log_loss),
        said(|run| run.top_2),
        said(|run| run.calibration_error),
        "-".to_owned(),
        group.seconds().map_or("-".to_owned(), duration),
        "-".to_owned(),
    ]
}

/// The lines as a table in Markdown. `folder` is where the page lies.
pub(super) fn text(group: &Group, folder: &Path) -> String {
    let mut cells = lines(group);
    for (cells, run) in cells.iter_mut().skip(1).zip(&group.runs) {
        cells[10] = format!("[{}]({})", plain(&run.id), link(&run.folder, folder));
    }
    let cells: Vec<Vec<String>> = cells.into_iter().map(Vec::from).collect();
    format!("Accuracy of each run:\n\n{}", table(&cells, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
}
