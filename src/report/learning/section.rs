//! What the pages show of learning curves.

use super::super::ReportError;
use super::super::words::{count, interval, signed_interval, span};
use super::measured::{Curve, Point};
use crate::record::Run;

/// What stands above the first figure.
pub(in crate::report) const ABOUT: &str = "Scores of models that were trained on a part of the training tracks, all on the same test tracks: \
     `encore curve`. The smaller parts are parts of the larger ones. A power law, error = c + a n^-b with n \
     training tracks, is fitted to the points, and its interval contains the uncertainty of the scores (test \
     tracks and seeds together) and of all three numbers of the law. Beyond the points it is an extrapolation.";

/// What the columns of the table say. Where no track has several test examples, there is no column for tracks.
pub(in crate::report) fn head(curve: &Curve) -> Vec<String> {
    let mut head = vec!["share", "training tracks", "score [95 % interval]"];
    head.extend(has_tracks(curve).then_some("by track"));
    head.extend(["from the share before", "seeds"]);
    head.into_iter().map(str::to_owned).collect()
}

/// The cells of every point, as text.
pub(in crate::report) fn lines(curve: &Curve) -> Vec<Vec<String>> {
    let dash = || "-".to_owned();
    let line = |point: &Point| {
        let tracks = if point.n_tracks.iter().min() == point.n_tracks.iter().max() {
            span(point.n_tracks.iter().copied())
        } else {
            format!("{} on average", count(point.n().round() as usize))
        };
        let share = format!("{} %", (point.share * 1e4).round() / 100.0);
        let mut line = vec![share, tracks, interval(&point.score)];
        let by_track = || point.by_track.as_ref().map_or_else(dash, interval);
        line.extend(has_tracks(curve).then(by_track));
        line.push(point.gain.as_ref().map_or_else(dash, signed_interval));
        line.push(point.runs.seeds_words());
        line
    };
    curve.points.iter().map(line).collect()
}

fn has_tracks(curve: &Curve) -> bool {
    curve.points.iter().any(|point| point.by_track.is_some())
}

/// The curves of a page: of the current versions of specs.
pub(in crate::report) fn curves(runs: &[Run]) -> Result<Vec<Curve<'_>>, ReportError> {
    let is_point = |run: &&Run| run.is_of_study || run.other_version.is_none();
    Curve::all(runs.iter().filter(is_point))
}
