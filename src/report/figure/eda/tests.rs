//! Which figures a dataset gets.

use super::*;
use crate::report::{DatasetSummary, fake_data};

#[test]
fn one_column_has_no_correlations_and_no_column_no_histogram() {
    let ends =
        |data: &Columns| -> Vec<&str> { figures(data).iter().map(|(end, _)| *end).collect() };
    let summaries = fake_data::summaries();
    let DatasetSummary::Columns(table) = &summaries[1] else { panic!("the second is a table") };
    assert_eq!(ends(table), ["counts", "histograms", "correlations"]);
    let mut table = table.clone();
    table.columns.truncate(1);
    assert_eq!(ends(&table), ["counts", "histograms"]);
    table.columns.clear();
    assert_eq!(ends(&table), ["counts"]);
}
