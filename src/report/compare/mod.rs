//! Comparison of runs: metrics with intervals, differences of specs, paired tests.
//!
//! | file | what it makes |
//! |---|---|
//! | `side` | a name -> its runs |
//! | `pair` | two sides -> difference, interval, p-value, paired where test sets are equal |
//! | `sentence` | a pair -> the result as a sentence |
//! | `facts` | all of it -> plain data, for JSON |
//! | `text` | all of it -> the output of the command |

mod facts;
mod pair;
mod sentence;
pub(super) mod side;
#[cfg(test)]
mod tests;
mod text;

pub use self::facts::{Comparison, LevelFacts, ScoreFacts, SideFacts, TestFacts};
use self::pair::Pair;
use super::ReportError;
use super::check::check;
use super::runs::Runs;
use super::scored::{self, Level};
use crate::metrics::holm;
use crate::record::Run;

/// The reason why a comparison failed.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// No finished run has this id or belongs to an experiment of this name.
    #[error("no finished run of `{0}`")]
    NoRun(String),
    /// The names can't be compared.
    #[error("{0}")]
    Incompatible(String),
    /// A record can't be read or contradicts itself.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// Compares experiments or single runs, by their names or ids, as text of at most 100 columns.
///
/// An experiment stands for all finished runs of its current version on the data that all have in
/// common, one a seed, or of another version where the current one has none; `NAME@HASH` for those of
/// one version, by the start of its spec's hash.
/// The main metric of the task (accuracy, ROC-AUC or R2) is computed per example and, where tracks have
/// several, also per track, their segments pooled. Seeds are paired where their test sets are equal; with more than two names every pair is
/// tested, by Holm's correction.
///
/// # Errors
/// If a name has no run or is given twice, classes differ, or a run's files can't be read.
pub fn compare(runs: &[Run], names: &[String]) -> Result<String, CompareError> {
    Ok(comparison(runs, names)?.text)
}

/// Compares as [`compare`] does, and returns the numbers beside the text.
///
/// # Errors
/// As [`compare`].
pub fn comparison(runs: &[Run], names: &[String]) -> Result<Comparison, CompareError> {
    let sides = side::choose(runs, names)?;
    let runs: Vec<&Runs> = sides.iter().map(|side| &side.runs).collect();
    runs.iter().flat_map(|side| &side.runs).try_for_each(|run| check(run))?;
    let levels = scored::levels(&runs)?;
    let tests: Vec<Vec<Pair>> = levels.iter().map(pairs).collect();
    let text = text::text(&sides, &levels, &tests);
    Ok(Comparison::new(text, &sides, &levels, &tests))
}

/// Every pair of sides, tested on one level, with Holm's correction over them.
fn pairs(level: &Level) -> Vec<Pair> {
    let n = level.sides.len();
    let all = (0..n).flat_map(|first| (first + 1..n).map(move |second| (first, second)));
    let mut pairs: Vec<Pair> = all.map(|(first, second)| Pair::new(level, first, second)).collect();
    let adjusted = holm(&pairs.iter().map(|pair| pair.p).collect::<Vec<_>>());
    for (pair, adjusted) in pairs.iter_mut().zip(adjusted) {
        pair.adjusted_p = adjusted;
    }
    pairs
}
