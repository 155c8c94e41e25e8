//! What the pages show of ablations.

use super::super::ReportError;
use super::super::words::{duration, interval, signed_interval};
use super::measured::{Ablation, Change};
use crate::record::Run;

/// What stands above the first figure.
pub(in crate::report) const ABOUT: &str = "Changes of a spec, each by itself, against the spec as it is: `encore ablate`. A difference is the score \
     with the change minus the score without, paired by seed and by test track, with its 95 % interval. p is that of \
     no difference, by Holm's correction for all changes of the spec. Where a change makes other examples, the \
     difference is one of tracks, for which the segments of each are pooled.";

/// What the columns of the table say.
pub(in crate::report) const HEAD: [&str; 6] =
    ["change", "score [95 %]", "difference [95 %]", "p", "seeds", "time per run"];

/// A line for the spec itself and for every change.
pub(in crate::report) fn lines(ablation: &Ablation) -> Vec<[String; 6]> {
    let dash = || "-".to_owned();
    let is_by_track = |change: &Change| change.per == "track" && ablation.per != "track";
    let line = |change: &Change| {
        let by_track = is_by_track(change);
        let score = change.by_track.filter(|_| by_track).unwrap_or(change.score);
        let star = if change.is_significant() { " *" } else { "" };
        let unpaired = if change.is_paired { "" } else { ", unpaired" };
        let per = if by_track { ", by track" } else { "" };
        [
            change.name.clone(),
            interval(&score),
            format!("{}{per}{unpaired}", signed_interval(&change.difference.interval())),
            format!("{}{star}", p_words(change.adjusted_p)),
            change.runs.seeds_words(),
            change.runs.seconds().map_or_else(dash, duration),
        ]
    };
    let base = |name: &str, score: String| {
        let time = ablation.base.seconds().map_or_else(dash, duration);
        [name.to_owned(), score, dash(), dash(), ablation.base.seeds_words(), time]
    };
    let mut lines = vec![base("the spec as it is", interval(&ablation.score))];
    if ablation.changes.iter().any(is_by_track) {
        let by_track = ablation.by_track.as_ref().map_or_else(dash, interval);
        lines.push(base("the spec as it is, by track", by_track));
    }
    lines.extend(ablation.changes.iter().map(line));
    lines
}

fn p_words(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// The ablations of a page: of the current versions of specs.
pub(in crate::report) fn ablations(runs: &[Run]) -> Result<Vec<Ablation<'_>>, ReportError> {
    let mut all = Ablation::all(runs)?;
    all.retain(|ablation| ablation.base.other_version().is_none());
    Ok(all)
}
