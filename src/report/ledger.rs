//! The ledger: every published figure with its verdict, as text.

use super::claims::Judged;
use super::facts::not_run;
use super::group::{Group, Row};
use super::words::{list, wrapped};
use crate::record::Claim;

/// Every claim of every row, and what has no run yet, as text of at most 100 columns.
pub(super) fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    for group in rows.iter().filter_map(Row::group) {
        text.extend(group.judged.iter().map(|judged| entry(group, judged)));
    }
    if text.is_empty() {
        text += "no published result has been tested yet\n";
    }
    let not_run = not_run(rows);
    if !not_run.is_empty() {
        text += &wrapped("", "    ", &format!("not run: {}", list(&not_run)));
    }
    text
}

fn entry(group: &Group, judged: &Judged) -> String {
    let Claim { metric, source, .. } = judged.claim;
    let (experiment, dataset) = (group.name(), group.dataset_words());
    let head = format!("{experiment} on {dataset}: {metric} {} ({source})", judged.value_words());
    let said = format!(
        "{}: ours {} over {}; {}",
        judged.verdict.as_str(),
        judged.ours_words(),
        group.counted(),
        judged.why()
    );
    wrapped("", "    ", &head) + &wrapped("    ", "    ", &said)
}
