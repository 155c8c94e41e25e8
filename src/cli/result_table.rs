//! The table of results, as text and as data, and the exit code that its verdicts give.

use super::common_arguments::Strict;
use super::{Done, Failure, json};
use crate::report;

/// Prints a table of results.
pub(super) fn say_table(table: &report::Table) {
    print!("{}", table.text);
    json::put("results", &table.results);
    json::put("not_run", &table.not_run);
    json::put("differing", &table.differing);
    json::put("inconclusive", &table.inconclusive);
}

/// Exit code 4 where a claim differs and `--strict` was given, or is inconclusive and
/// `--strict=conclusive` was.
pub(super) fn strict(table: &report::Table, how: Option<Strict>) -> Done {
    let Some(how) = how else { return Ok(()) };
    let mut found = vec![];
    if !table.differing.is_empty() {
        found.push(format!("claims that differ: {}", table.differing.join(", ")));
    }
    if how == Strict::Conclusive && !table.inconclusive.is_empty() {
        found.push(format!("inconclusive claims: {}", table.inconclusive.join(", ")));
    }
    if found.is_empty() { Ok(()) } else { Err(Failure::Differs(found.join("; "))) }
}
