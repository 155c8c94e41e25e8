//! One line per run that the page counts, numbers unrounded: `results.csv` and `results.parquet`.

use super::claims::Judged;
use super::group::{Group, Row};
use crate::metrics::macro_f1;
use crate::record::{Record, Run};
use crate::table::Values;
use crate::vocab::Task;

/// The columns of both files, in the order of the page.
pub(super) fn columns(rows: &[Row]) -> Vec<(&'static str, Values)> {
    let runs = || rows.iter().filter_map(Row::group).flat_map(|group: &Group| group.runs.iter());
    let texts =
        |of: &dyn Fn(&Record) -> String| Values::Texts(runs().map(|run| of(&run.record)).collect());
    let numbers =
        |of: &dyn Fn(&Record) -> f64| Values::Numbers(runs().map(|run| of(&run.record)).collect());
    let counts = |of: &dyn Fn(&Record) -> Option<usize>| {
        Values::Counts(runs().map(|run| of(&run.record).map(|n| n as u64)).collect())
    };
    // The claim and the verdict are those of all runs of a row together.
    let of_claims = |of: &dyn Fn(&Judged) -> String| {
        let groups = rows.iter().filter_map(Row::group);
        let texts = groups.flat_map(|group| {
            let text = group.main_claim().map_or(String::new(), of);
            std::iter::repeat_n(text, group.runs.len())
        });
        texts.collect::<Vec<_>>()
    };
    let by_name = |name: &'static str| {
        numbers(&|record| {
            let scores = record.scored().by_name();
            scores.iter().find(|(it, _)| *it == name).map_or(f64::NAN, |(_, value)| *value)
        })
    };
    let mut columns = vec![
        ("experiment", texts(&|record| record.experiment.clone())),
        ("dataset", texts(&|record| record.data.dataset.clone())),
        ("seed", Values::Counts(runs().map(|run| Some(run.record.seed)).collect())),
        ("accuracy", by_name("accuracy")),
        (
            "macro_f1",
            numbers(&|record| {
                record.scored().classes().map_or(f64::NAN, |it| macro_f1(&it.confusion))
            }),
        ),
        ("log_loss", by_name("log_loss")),
        ("n_test", counts(&|record| Some(record.scored().n()))),
        ("epochs", counts(&|record| record.model.n_epochs)),
        ("seconds", numbers(&|record| record.seconds().unwrap_or(f64::NAN))),
        ("spec_hash", texts(&|record| record.spec_hash.clone())),
        ("data_hash", texts(&|record| record.data.hash.clone())),
        ("synthetic", Values::Flags(runs().map(|run| run.record.data.synthetic).collect())),
        ("foreign", Values::Flags(runs().map(|run| run.record.foreign.is_some()).collect())),
        ("cut", Values::Texts(runs().map(|run| cut(run)).collect())),
        ("claim", Values::Texts(of_claims(&|judged| judged.published_words()))),
        ("verdict", Values::Texts(of_claims(&|judged| judged.verdict.as_str().to_owned()))),
        ("run", Values::Texts(runs().map(|run| run.id.clone()).collect())),
    ];
    // Columns of other tasks are there only if there are such runs.
    if rows.iter().filter_map(Row::group).any(|group| group.task() != Task::Classes) {
        columns.push(("task", texts(&|record| record.data.task.to_string())));
        let names = ["roc_auc", "average_precision", "r2", "mae", "mse"];
        columns.extend(names.map(|name| (name, by_name(name))));
    }
    columns
}

/// Why a run is not a full run of the current spec; empty for a full run.
fn cut(run: &Run) -> String {
    let reasons: Vec<&str> =
        run.other_version.iter().chain(&run.record.cut).map(String::as_str).collect();
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::csv_bytes;

    #[test]
    fn a_comma_or_a_quote_stays_in_its_cell() {
        let columns = [
            ("cut", Values::Texts(vec!["3 of 250 epochs, \"small\"".to_owned()])),
            ("epochs", Values::Counts(vec![None])),
            ("accuracy", Values::Numbers(vec![0.5])),
        ];
        let wanted = "cut,epochs,accuracy\n\"3 of 250 epochs, \"\"small\"\"\",,0.5\n";
        assert_eq!(String::from_utf8(csv_bytes(&columns)).unwrap(), wanted);
    }
}
