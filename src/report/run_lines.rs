//! Every run of a row in numbers: scores, epochs, time; and their means.

use std::path::Path;

use super::group::Group;
use super::link::link;
use super::scores::Probabilities;
use super::words::{count, decimals, duration, number, plain, table};
use crate::metrics::{Metric, macro_f1};
use crate::record::Record;
use crate::vocab::{Scores, Task};

/// Every run's numbers, as text under a head; what comes last names the record. With several runs the
/// last line has their means, and no record.
pub(super) fn lines(group: &Group) -> Vec<Vec<String>> {
    let columns = columns(group);
    let mut head = vec!["seed".to_owned()];
    head.extend(columns.iter().map(|column| column.name.to_owned()));
    head.extend(["epochs", "time", "record"].map(str::to_owned));
    let dash = || "-".to_owned();
    let mut all = vec![head];
    for (i, run) in group.runs.iter().enumerate() {
        let record = &run.record;
        let mut line = vec![record.seed.to_string()];
        line.extend(columns.iter().map(|column| column.cell(column.values[i])));
        line.push(record.model.n_epochs.map_or_else(dash, count));
        line.push(record.seconds().map_or_else(dash, duration));
        line.push(run.id.clone());
        all.push(line);
    }
    if group.runs.len() > 1 {
        let mut line = vec!["mean".to_owned()];
        line.extend(columns.iter().map(|column| column.cell(column.mean())));
        let time = group.seconds().map_or_else(dash, duration);
        line.extend([dash(), time, dash()]);
        all.push(line);
    }
    all
}

/// A score of every run; absent where a run has no such set.
struct Column {
    name: &'static str,
    values: Vec<Option<f64>>,
    decimals: usize,
}

impl Column {
    fn mean(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.values.iter().copied().collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    fn cell(&self, value: Option<f64>) -> String {
        value.map_or("-".to_owned(), |value| number(value, self.decimals))
    }
}

fn columns(group: &Group) -> Vec<Column> {
    let column = |name, value: &dyn Fn(&Record) -> Option<f64>| Column {
        name,
        values: group.records().map(value).collect(),
        decimals: 3,
    };
    let main = |scores: &Scores| Some(scores.main()).filter(|score| score.is_finite());
    let mut columns = vec![
        column("test", &|record| main(record.scored())),
        column("valid", &|record| record.valid.as_ref().and_then(main)),
        column("train", &|record| record.train.as_ref().and_then(main)),
    ];
    let of_probabilities = |name, value: fn(&Probabilities) -> f64| Column {
        name,
        values: group.probabilities.iter().map(|run| Some(value(run))).collect(),
        decimals: 3,
    };
    match group.task() {
        Task::Classes => columns.extend([
            column("macro F1", &|record| Some(macro_f1(&record.scored().classes()?.confusion))),
            of_probabilities("log-loss", |run| run.log_loss),
            of_probabilities("top-2", |run| run.top_2),
            of_probabilities("calibration error", |run| run.calibration_error),
        ]),
        Task::Tags => columns.extend([
            column("average precision", &|record| record.scored().tags()?.average_precision),
            column("log-loss", &|record| Some(record.scored().tags()?.log_loss)),
        ]),
        Task::Number => {
            let mae = column("MAE", &|record| Some(record.scored().number()?.mae));
            let mse = column("MSE", &|record| Some(record.scored().number()?.mse));
            for (metric, column) in [(Metric::Mae, mae), (Metric::Mse, mse)] {
                let decimals = decimals(metric, column.mean().unwrap_or(0.0));
                columns.push(Column { decimals, ..column });
            }
        }
    }
    columns
}

/// `Accuracy of each run`, by the main metric.
pub(super) fn title(group: &Group) -> String {
    match group.task() {
        Task::Classes => "Accuracy of each run".to_owned(),
        Task::Tags | Task::Number => format!("{} of each run", group.metric().words()),
    }
}

/// The lines as a table in Markdown. `folder` is where the page lies.
pub(super) fn text(group: &Group, folder: &Path) -> String {
    let mut cells = lines(group);
    let last = cells[0].len() - 1;
    for (cells, run) in cells.iter_mut().skip(1).zip(&group.runs) {
        cells[last] = format!("[{}]({})", plain(&run.id), link(&run.folder, folder));
    }
    let numbers: Vec<usize> = (0..last).collect();
    format!("{}:\n\n{}", title(group), table(&cells, &numbers))
}
