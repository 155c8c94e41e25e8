//! What stands behind accuracies of classes: how sure a model is and how often it is right, F1 of every class with its
//! interval, and the difference of two confusion matrices.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::compare::CompareError;
use super::compare::side::of_names;
use super::confused::Confused;
use super::facts::RangeFacts;
use super::figure::{draw_confusion_difference, draw_f1, draw_reliability};
use super::runs::Runs;
use super::scored::{Scored, levels};
use super::{ReportError, make};
use crate::metrics::{Clustered, Estimate, Interval, calibration_error};
use crate::record::Run;
use crate::vocab::Task;

/// Bins of a reliability diagram, of equal width.
const N_BINS: usize = 10;
/// Sides that are told apart in one figure.
const MAX_SIDES: usize = 4;

/// A bin of a reliability diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The mean of the highest probability of its examples.
    pub confidence: f64,
    /// The share of them that is right, with its 95 % interval; from 0 to 1 if all are of one track.
    pub right: RangeFacts,
    /// Number of test examples, summed over the runs.
    pub n: usize,
}

/// How sure the runs of a side are, and how often they are right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// The experiment or run.
    pub name: String,
    /// The bins that have examples, by confidence.
    pub bins: Vec<ReliabilityBin>,
    /// The expected calibration error (15 bins), mean over the runs.
    pub calibration_error: f64,
    /// Number of runs.
    pub n_runs: usize,
}

/// F1 of every class of a side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassF1 {
    /// The experiment or run.
    pub name: String,
    /// The classes that have test examples or are predicted, each with its F1 and its 95 % interval.
    pub classes: Vec<(String, RangeFacts)>,
}

/// How much the shares of a second side are above those of a first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfusionDifference {
    /// Both sides.
    pub names: [String; 2],
    /// The classes that are shown.
    pub classes: Vec<String>,
    /// Percent points of the row: actual class, then predicted class.
    pub points: Vec<Vec<f64>>,
}

/// A side: its name, its runs, and what they say of each test example.
struct Side<'a> {
    name: String,
    runs: Runs<'a>,
    scored: Vec<Scored>,
}

fn sides<'a>(runs: &'a [Run], names: &[String]) -> Result<Vec<Side<'a>>, CompareError> {
    if names.len() > MAX_SIDES {
        let message =
            format!("at most {MAX_SIDES} experiments fit into the figure, found {}", names.len());
        return Err(CompareError::Incompatible(message));
    }
    let side = |(name, runs): (String, Vec<&'a Run>)| {
        let record = &runs[0].record;
        if record.data.task != Task::Classes || record.test.is_none() {
            let why = if record.test.is_none() {
                "is a trial of a search, which has no test scores".to_owned()
            } else {
                format!("predicts {}, not classes", record.data.task.words())
            };
            return Err(CompareError::Incompatible(format!("{name} {why}")));
        }
        let runs = Runs::new(&runs);
        let scored = levels(&[&runs])?.swap_remove(0).sides.swap_remove(0);
        Ok(Side { name, runs, scored })
    };
    of_names(runs, names)?.into_iter().map(side).collect()
}

/// The reliability of experiments or runs, named as for [`super::compare`].
///
/// # Errors
/// If a name has no finished run, predicts no classes, or its predictions can't be read.
pub fn reliability(runs: &[Run], names: &[String]) -> Result<Vec<Reliability>, CompareError> {
    let of = |side: Side| {
        let bins = (0..N_BINS).filter_map(|bin| of_bin(&side.scored, bin)).collect();
        let errors = side
            .scored
            .iter()
            .map(|it| calibration_error(it.targets.classes(), &it.outputs, it.n_outputs));
        let n_runs = side.scored.len();
        let calibration_error = errors.sum::<f64>() / n_runs as f64;
        Reliability { name: side.name, bins, calibration_error, n_runs }
    };
    Ok(sides(runs, names)?.into_iter().map(of).collect())
}

/// One bin over the runs that have examples in it; its interval counts tracks, not examples.
fn of_bin(runs: &[Scored], bin: usize) -> Option<ReliabilityBin> {
    let (mut confidences, mut n_right, mut n) = (0.0, 0.0, 0);
    let mut clustered = vec![];
    for run in runs {
        let right = run.right();
        let mut sums: Vec<Option<(f64, f64)>> = vec![None; run.n_tracks];
        for (i, outputs) in run.outputs.chunks_exact(run.n_outputs).enumerate() {
            let confidence = f64::from(outputs.iter().copied().fold(0.0, f32::max));
            if ((confidence * N_BINS as f64) as usize).min(N_BINS - 1) != bin {
                continue;
            }
            let sum = sums[run.tracks[i]].get_or_insert((0.0, 0.0));
            let is_right = f64::from(u8::from(right[i]));
            sum.0 += is_right;
            sum.1 += 1.0;
            n_right += is_right;
            confidences += confidence;
            n += 1;
        }
        // One track says nothing about others.
        if sums.iter().flatten().count() > 1 {
            clustered.push(Clustered::of_sums(&sums));
        }
    }
    if n == 0 {
        return None;
    }
    let right = if clustered.is_empty() {
        Interval { mean: n_right / n as f64, low: 0.0, high: 1.0 }
    } else {
        Estimate::of(&clustered).fraction_interval()
    };
    Some(ReliabilityBin { confidence: confidences / n as f64, right: right.into(), n })
}

/// F1 of every class of experiments or runs.
///
/// # Errors
/// As [`reliability`].
pub fn class_f1(runs: &[Run], names: &[String]) -> Result<Vec<ClassF1>, CompareError> {
    let of = |side: Side| {
        let names = &side.runs.record().data.classes;
        let class = |(class, name): (usize, &String)| {
            let runs: Vec<Clustered> =
                side.scored.iter().filter_map(|run| f1_of(run, class)).collect();
            let f1 = (!runs.is_empty()).then(|| Estimate::of(&runs).fraction_interval())?;
            Some((name.clone(), f1.into()))
        };
        ClassF1 { classes: names.iter().enumerate().filter_map(class).collect(), name: side.name }
    };
    Ok(sides(runs, names)?.into_iter().map(of).collect())
}

/// F1 of a class as a ratio of sums over tracks: 2 TP / (2 TP + FP + FN).
fn f1_of(run: &Scored, class: usize) -> Option<Clustered> {
    let mut sums: Vec<Option<(f64, f64)>> = vec![None; run.n_tracks];
    for ((actual, said), track) in run.targets.classes().iter().zip(&run.predicted).zip(&run.tracks)
    {
        let sum = sums[*track].get_or_insert((0.0, 0.0));
        let (is, is_said) = (*actual == class, *said == class);
        sum.0 += if is && is_said { 2.0 } else { 0.0 };
        sum.1 += f64::from(u8::from(is)) + f64::from(u8::from(is_said));
    }
    let all: f64 = sums.iter().flatten().map(|(_, n)| n).sum();
    (all > 0.0 && sums.iter().flatten().count() > 1).then(|| Clustered::of_sums(&sums))
}

/// The confusion matrix of a second experiment or run minus that of a first one.
///
/// # Errors
/// As [`reliability`], and if there are not two names or the classes differ.
pub fn confusion_difference(
    runs: &[Run],
    names: &[String],
) -> Result<ConfusionDifference, CompareError> {
    let found = sides(runs, names)?;
    let [first, second] = found.as_slice() else {
        let message = format!("a difference is of two experiments, found {}", names.len());
        return Err(CompareError::Incompatible(message));
    };
    let [a, b] = [first, second].map(|side| Confused::of_runs(&side.runs));
    if a.classes != b.classes {
        let message = format!("{} and {} show different classes", first.name, second.name);
        return Err(CompareError::Incompatible(message));
    }
    let shares = |row: &[usize]| -> Vec<f64> {
        let all = row.iter().sum::<usize>().max(1) as f64;
        row.iter().map(|n| 100.0 * *n as f64 / all).collect()
    };
    let row = |(a, b): (&Vec<usize>, &Vec<usize>)| {
        shares(a).iter().zip(shares(b)).map(|(a, b)| b - a).collect()
    };
    Ok(ConfusionDifference {
        names: [first.name.clone(), second.name.clone()],
        points: a.counts.iter().zip(&b.counts).map(row).collect(),
        classes: a.classes,
    })
}

/// Draws a reliability diagram into a folder, which is created if needed. Returns the path of the SVG; the PNG is next to
/// it.
///
/// # Errors
/// Where a file can't be written.
pub fn plot_reliability(sides: &[Reliability], folder: &Path) -> Result<PathBuf, ReportError> {
    make(folder)?;
    draw_reliability(sides, folder)
}

/// Draws F1 of every class into a folder as [`plot_reliability`] does.
///
/// # Errors
/// Where a file can't be written.
pub fn plot_f1(sides: &[ClassF1], folder: &Path) -> Result<PathBuf, ReportError> {
    make(folder)?;
    draw_f1(sides, folder)
}

/// Draws the difference of two confusion matrices into a folder as [`plot_reliability`] does.
///
/// # Errors
/// Where a file can't be written.
pub fn plot_confusion_difference(
    difference: &ConfusionDifference,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    draw_confusion_difference(difference, folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Targets;

    /// Two tracks of two examples each; the last one is wrong.
    fn scored() -> Scored {
        Scored {
            seed: 1,
            tracks: vec![0, 0, 1, 1],
            segments: vec![0, 1, 0, 1],
            n_tracks: 2,
            targets: Targets::Classes(vec![0, 0, 1, 1]),
            predicted: vec![0, 0, 1, 0],
            outputs: vec![0.95, 0.05, 0.92, 0.08, 0.35, 0.65, 0.98, 0.02],
            n_outputs: 2,
        }
    }

    #[test]
    fn a_bin_has_the_share_that_is_right_of_its_examples() {
        let bins: Vec<ReliabilityBin> =
            (0..N_BINS).filter_map(|bin| of_bin(&[scored()], bin)).collect();
        assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [1, 3]);
        assert!((bins[0].confidence - 0.65).abs() < 1e-6 && bins[0].right.mean == 1.0);
        assert_eq!(
            (bins[0].right.low, bins[0].right.high),
            (0.0, 1.0),
            "one track says nothing of others"
        );
        assert!((bins[1].right.mean - 2.0 / 3.0).abs() < 1e-12);
        assert!((bins[1].confidence - 0.95).abs() < 1e-6);
    }

    #[test]
    fn f1_of_a_class_is_that_of_its_counts() {
        // Class 0: 2 right, 1 said too often. Class 1: 1 right, 1 missed.
        assert!((f1_of(&scored(), 0).unwrap().value - 4.0 / 5.0).abs() < 1e-12);
        assert!((f1_of(&scored(), 1).unwrap().value - 2.0 / 3.0).abs() < 1e-12);
        assert!(f1_of(&scored(), 2).is_none(), "a class that nobody has or says has no F1");
    }
}
