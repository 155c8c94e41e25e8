//! `results.csv`: one line per run that the page counts, numbers unrounded.

use super::group::Row;
use crate::record::Run;

const HEAD: &str = "experiment,dataset,seed,accuracy,macro_f1,log_loss,n_test,epochs,seconds,\
                    spec_hash,data_hash,synthetic,cut,run\n";

/// The file's text, in the order of the page.
pub(super) fn results(rows: &[Row]) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        if let Row::Ran(group) = row {
            text.extend(group.runs.iter().map(|run| line(run)));
        }
    }
    text
}

fn line(run: &Run) -> String {
    let record = &run.record;
    let cells = [
        record.experiment.clone(),
        record.data.dataset.clone(),
        record.seed.to_string(),
        record.test.accuracy.to_string(),
        record.test.macro_f1.to_string(),
        record.test.log_loss.to_string(),
        record.test.n.to_string(),
        record.model.n_epochs.map_or(String::new(), |n| n.to_string()),
        record.timings.total_s.to_string(),
        record.spec_hash.clone(),
        record.data.hash.clone(),
        record.data.synthetic.to_string(),
        record.cut.join("; "),
        run.id.clone(),
    ];
    cells.map(|cell| quoted(&cell)).join(",") + "\n"
}

/// A cell, quoted where it must be (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_or_a_quote_stays_in_its_cell() {
        assert_eq!(quoted("3 of 250 epochs, \"small\""), "\"3 of 250 epochs, \"\"small\"\"\"");
        assert_eq!(quoted("cnn-3"), "cnn-3");
    }
}
