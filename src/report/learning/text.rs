//! The output of `encore curve`, at most 100 columns wide.

use super::super::words::{aligned, count, wrapped};
use super::measured::Curve;
use super::section;
use super::words::{sentences, title};

/// Everything.
pub(in crate::report) fn text(curve: &Curve) -> String {
    let head = format!(
        "{}: {} per {} by the share of the training tracks; every share has the same test tracks, {} over all seeds",
        title(curve),
        curve.metric.words(),
        curve.per,
        count(curve.n_test_tracks),
    );
    let mut rows = vec![section::head(curve)];
    rows.extend(section::lines(curve));
    let mut text = wrapped("", "  ", &head) + "\n" + &aligned(&rows) + "\n";
    text.extend(sentences(curve).iter().map(|sentence| wrapped("", "", sentence)));
    text
}
