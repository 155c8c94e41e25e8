//! The metrics that a claim can be about.

use super::{
    Clustered, DEFAULT_MARGIN, DEFAULT_RELATIVE_MARGIN, Estimate, Interval, MOST_LOG_LOSS, Scale,
    absolute_errors, average_precision, log_losses, most_likely, pool_tracks, r2_by_track, roc_auc,
    squared_errors, tag_log_losses, top_k,
};
use crate::vocab::{Targets, Task};

/// A metric with an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The fraction of test examples that are right.
    Accuracy,
    /// The fraction of test tracks that are right, with their segments voting.
    AccuracyByTrack,
    /// F1 averaged over the classes.
    MacroF1,
    /// The fraction of test examples whose class is among the two most likely.
    Top2Accuracy,
    /// The area under the ROC curve, of one class against the rest or of a tag, averaged over the classes
    /// or tags.
    RocAuc,
    /// The mean negative log-probability of the actual class; of tags, the mean binary cross-entropy.
    LogLoss,
    /// Average precision, of one class against the rest or of a tag, averaged over the classes or tags.
    AveragePrecision,
    /// As `RocAuc`, of tracks: with the mean of their segments' probabilities.
    RocAucByTrack,
    /// As `AveragePrecision`, of tracks.
    AveragePrecisionByTrack,
    /// The share of the numbers' variance that is explained.
    R2,
    /// As `R2`, of tracks: with the mean of their segments' numbers.
    R2ByTrack,
    /// The mean absolute error, in the number's unit.
    Mae,
    /// As `Mae`, of tracks.
    MaeByTrack,
    /// The mean squared error, in the number's unit squared.
    Mse,
    /// As `Mse`, of tracks.
    MseByTrack,
}

/// The predictions of a run for its test examples.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// What is true of each example.
    pub targets: &'a Targets,
    /// The predicted class of each example; empty if no classes were predicted.
    pub predicted: &'a [usize],
    /// What the model put out, row-major `[n_examples, n_outputs]`: probabilities of classes or tags, or
    /// numbers.
    pub outputs: &'a [f32],
    /// The number of classes or tags; 1 for a number.
    pub n_outputs: usize,
    /// The track of each example, below `n_tracks`.
    pub tracks: &'a [usize],
    /// The number of tracks.
    pub n_tracks: usize,
}

impl Metric {
    /// All of them, the most common of each task first.
    pub const ALL: [Self; 15] = [
        Self::Accuracy,
        Self::AccuracyByTrack,
        Self::MacroF1,
        Self::Top2Accuracy,
        Self::RocAuc,
        Self::LogLoss,
        Self::AveragePrecision,
        Self::RocAucByTrack,
        Self::AveragePrecisionByTrack,
        Self::R2,
        Self::R2ByTrack,
        Self::Mae,
        Self::MaeByTrack,
        Self::Mse,
        Self::MseByTrack,
    ];

    /// Returns its name in specs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::AccuracyByTrack => "accuracy_by_track",
            Self::MacroF1 => "macro_f1",
            Self::Top2Accuracy => "top_2_accuracy",
            Self::RocAuc => "roc_auc",
            Self::LogLoss => "log_loss",
            Self::AveragePrecision => "average_precision",
            Self::RocAucByTrack => "roc_auc_by_track",
            Self::AveragePrecisionByTrack => "average_precision_by_track",
            Self::R2 => "r2",
            Self::R2ByTrack => "r2_by_track",
            Self::Mae => "mae",
            Self::MaeByTrack => "mae_by_track",
            Self::Mse => "mse",
            Self::MseByTrack => "mse_by_track",
        }
    }

    /// Returns its name in a sentence, e.g. `ROC-AUC`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::AccuracyByTrack => "accuracy by track",
            Self::MacroF1 => "macro F1",
            Self::Top2Accuracy => "top-2 accuracy",
            Self::RocAuc => "ROC-AUC",
            Self::LogLoss => "log-loss",
            Self::AveragePrecision => "average precision",
            Self::RocAucByTrack => "ROC-AUC by track",
            Self::AveragePrecisionByTrack => "average precision by track",
            Self::R2 => "R2",
            Self::R2ByTrack => "R2 by track",
            Self::Mae => "MAE",
            Self::MaeByTrack => "MAE by track",
            Self::Mse => "MSE",
            Self::MseByTrack => "MSE by track",
        }
    }

    /// Returns the metric with this name in specs.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name)
    }

    /// Returns the metric that a task's results are told by: accuracy, area under the ROC curve, R2.
    #[must_use]
    pub fn main(task: Task) -> Self {
        match task {
            Task::Classes => Self::Accuracy,
            Task::Tags => Self::RocAuc,
            Task::Number => Self::R2,
        }
    }

    /// Returns the same, of tracks.
    #[must_use]
    pub fn main_by_track(task: Task) -> Self {
        match task {
            Task::Classes => Self::AccuracyByTrack,
            Task::Tags => Self::RocAucByTrack,
            Task::Number => Self::R2ByTrack,
        }
    }

    /// Returns the tasks that it can score.
    #[must_use]
    pub fn tasks(self) -> &'static [Task] {
        match self {
            Self::Accuracy | Self::AccuracyByTrack | Self::MacroF1 | Self::Top2Accuracy => {
                &[Task::Classes]
            }
            Self::RocAuc | Self::LogLoss | Self::AveragePrecision => &[Task::Classes, Task::Tags],
            Self::RocAucByTrack | Self::AveragePrecisionByTrack => &[Task::Tags],
            Self::R2
            | Self::R2ByTrack
            | Self::Mae
            | Self::MaeByTrack
            | Self::Mse
            | Self::MseByTrack => &[Task::Number],
        }
    }

    /// Returns whether it scores tracks, each pooled from its segments, and not examples.
    #[must_use]
    pub fn is_by_track(self) -> bool {
        self.pooled().is_some()
    }

    /// The metric that it is of pooled tracks.
    fn pooled(self) -> Option<Self> {
        match self {
            Self::AccuracyByTrack => Some(Self::Accuracy),
            Self::RocAucByTrack => Some(Self::RocAuc),
            Self::AveragePrecisionByTrack => Some(Self::AveragePrecision),
            Self::R2ByTrack => Some(Self::R2),
            Self::MaeByTrack => Some(Self::Mae),
            Self::MseByTrack => Some(Self::Mse),
            _ => None,
        }
    }

    /// Returns the values that it can have.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::LogLoss | Self::Mae | Self::MaeByTrack | Self::Mse | Self::MseByTrack => {
                Scale::Positive
            }
            Self::R2 | Self::R2ByTrack => Scale::AtMostOne,
            _ => Scale::Fraction,
        }
    }

    /// Returns whether a model is better the lower it is.
    #[must_use]
    pub fn lower_is_better(self) -> bool {
        self.scale() == Scale::Positive
    }

    /// Returns whether it is in the unit of the number, or in that unit squared.
    #[must_use]
    pub fn has_unit(self) -> bool {
        self.scale() == Scale::Positive && self != Self::LogLoss
    }

    /// Returns the margin of a claim that gives none: [`DEFAULT_MARGIN`], or of an error in a unit
    /// [`DEFAULT_RELATIVE_MARGIN`] times the published figure.
    #[must_use]
    pub fn default_margin(self, published: f64) -> f64 {
        if self.has_unit() { DEFAULT_RELATIVE_MARGIN * published } else { DEFAULT_MARGIN }
    }

    /// Returns the mean over runs with its 95 % interval, which stays in the metric's range.
    ///
    /// # Panics
    /// Without a run.
    #[must_use]
    pub fn interval(self, runs: &[Clustered]) -> Interval {
        self.interval_of(&Estimate::of(runs))
    }

    /// Returns the 95 % interval of an estimate of it, which stays in the metric's range.
    #[must_use]
    pub fn interval_of(self, mean: &Estimate) -> Interval {
        match self.scale() {
            Scale::Fraction => mean.fraction_interval(),
            Scale::Positive if self.has_unit() => mean.loss_interval(f64::INFINITY),
            Scale::Positive => mean.loss_interval(MOST_LOG_LOSS),
            Scale::AtMostOne => mean.r2_interval(),
        }
    }

    /// Returns the score of a run, split by track; `None` if it can't score what was predicted, and for areas
    /// under curves if all examples are of one class, or no tag is on some examples only.
    ///
    /// # Panics
    /// If the lengths don't fit each other or fewer than two tracks are scored.
    #[must_use]
    pub fn score(self, answers: &Answers) -> Option<Clustered> {
        if !self.tasks().contains(&answers.targets.task()) {
            return None;
        }
        if let Some(metric) = self.pooled() {
            return metric.of_tracks(answers);
        }
        let Answers { targets, predicted, outputs, n_outputs, tracks, n_tracks } = *answers;
        let mean = |values: &[f64]| Some(Clustered::mean(values, tracks, n_tracks));
        let share = |right: Vec<bool>| {
            mean(&right.iter().map(|right| f64::from(u8::from(*right))).collect::<Vec<_>>())
        };
        match (self, targets) {
            (Self::Accuracy, Targets::Classes(actual)) => {
                share(actual.iter().zip(predicted).map(|(actual, said)| actual == said).collect())
            }
            (Self::MacroF1, Targets::Classes(actual)) => {
                Some(Clustered::macro_f1(actual, predicted, tracks, n_outputs, n_tracks))
            }
            (Self::Top2Accuracy, Targets::Classes(actual)) => {
                share(top_k(actual, outputs, n_outputs, 2))
            }
            (Self::RocAuc, _) => roc_auc(targets, outputs, n_outputs, tracks, n_tracks),
            (Self::AveragePrecision, _) => {
                average_precision(targets, outputs, n_outputs, tracks, n_tracks)
            }
            (Self::LogLoss, Targets::Classes(actual)) => {
                mean(&log_losses(actual, outputs, n_outputs))
            }
            (Self::LogLoss, Targets::Tags(actual)) => {
                mean(&tag_log_losses(actual, outputs, n_outputs))
            }
            (Self::R2, Targets::Numbers(actual)) => {
                Some(r2_by_track(actual, outputs, tracks, n_tracks))
            }
            (Self::Mae, Targets::Numbers(actual)) => mean(&absolute_errors(actual, outputs)),
            (Self::Mse, Targets::Numbers(actual)) => mean(&squared_errors(actual, outputs)),
            _ => None,
        }
    }

    /// Returns the score of pooled tracks.
    fn of_tracks(self, answers: &Answers) -> Option<Clustered> {
        let Answers { targets, outputs, n_outputs, tracks, n_tracks, .. } = *answers;
        let pooled = pool_tracks(targets, outputs, n_outputs, tracks);
        let predicted = match targets {
            Targets::Classes(_) => most_likely(&pooled.outputs, n_outputs),
            _ => vec![],
        };
        self.score(&Answers {
            targets: &pooled.targets,
            predicted: &predicted,
            outputs: &pooled.outputs,
            n_outputs,
            tracks: &pooled.tracks,
            n_tracks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{ACTUAL, PREDICTED, PROBABILITIES, close};
    use super::*;

    #[test]
    fn every_metric_of_classes_has_a_name_and_a_score_in_its_range() {
        let tracks = [0, 1, 2, 3, 4, 5, 6, 7, 7, 7];
        let answers = Answers {
            targets: &Targets::Classes(ACTUAL.to_vec()),
            predicted: &PREDICTED,
            outputs: &PROBABILITIES,
            n_outputs: 4,
            tracks: &tracks,
            n_tracks: 8,
        };
        let wanted = [0.7, 0.75, 0.694_444, 0.9, 0.8125, 2.175_931, 0.727_315];
        let (of_classes, others) = Metric::ALL.split_at(7);
        for (metric, wanted) in of_classes.iter().zip(wanted) {
            let score = metric.score(&answers).unwrap();
            close(score.value, wanted, 1e-5);
            assert!(score.variance() > 0.0 && score.n_tracks() == 8, "{metric:?}");
            close(score.influences.iter().flatten().sum::<f64>(), 0.0, 1e-6);
        }
        assert!(others.iter().all(|metric| metric.score(&answers).is_none()));
        assert!(Metric::ALL.iter().all(|metric| Metric::named(metric.as_str()) == Some(*metric)));
        assert_eq!(Metric::named("recall"), None);
    }

    /// What every metric of a task says of four examples on three tracks.
    fn of(targets: &Targets, outputs: &[f32], n_outputs: usize) -> Vec<(&'static str, f64)> {
        let answers = Answers {
            targets,
            predicted: &[],
            outputs,
            n_outputs,
            tracks: &[0, 0, 1, 2],
            n_tracks: 3,
        };
        let score = |metric: Metric| {
            let score = metric.score(&answers);
            assert_eq!(score.is_some(), metric.tasks().contains(&targets.task()), "{metric:?}");
            Some((metric.as_str(), score?.value))
        };
        Metric::ALL.into_iter().filter_map(score).collect()
    }

    #[test]
    fn tags_and_numbers_are_scored_by_example_and_by_track() {
        // Of the second tag the segments of the first track are ranked apart, and together right.
        let tags = Targets::Tags(vec![true, true, true, true, false, false, false, false]);
        let outputs = [0.9, 0.9, 0.9, 0.1, 0.2, 0.3, 0.1, 0.2];
        let loss = -[0.9, 0.9, 0.9, 0.1, 0.8, 0.7, 0.9, 0.8].map(f64::ln).iter().sum::<f64>() / 8.0;
        let wanted = [
            ("roc_auc", f64::midpoint(1.0, 0.5)),
            ("log_loss", loss),
            ("average_precision", f64::midpoint(1.0, 0.75)),
            ("roc_auc_by_track", 1.0),
            ("average_precision_by_track", 1.0),
        ];
        for ((name, value), wanted) in of(&tags, &outputs, 2).into_iter().zip(wanted) {
            assert_eq!(name, wanted.0);
            close(value, wanted.1, 1e-6);
        }
        // The first track's segments are off by 2 in opposite directions, the others by 1.
        let numbers = Targets::Numbers(vec![1.0, 1.0, 3.0, 5.0]);
        let wanted = [
            ("r2", 1.0 - 10.0 / 11.0),
            ("r2_by_track", 1.0 - 2.0 / 8.0),
            ("mae", 6.0 / 4.0),
            ("mae_by_track", 2.0 / 3.0),
            ("mse", 10.0 / 4.0),
            ("mse_by_track", 2.0 / 3.0),
        ];
        for ((name, value), wanted) in
            of(&numbers, &[3.0, -1.0, 4.0, 4.0], 1).into_iter().zip(wanted)
        {
            assert_eq!(name, wanted.0);
            close(value, wanted.1, 1e-12);
        }
    }

    #[test]
    fn margins_of_errors_are_shares_of_the_figure() {
        assert_eq!(Metric::Mae.default_margin(20.0), 2.0);
        assert_eq!(Metric::R2.default_margin(0.5), 0.05);
        assert_eq!(Metric::LogLoss.default_margin(2.0), 0.05);
        let mains = Task::ALL.map(|task| (Metric::main(task), Metric::main_by_track(task)));
        assert!(mains.iter().zip(Task::ALL).all(|((main, by_track), task)| {
            main.tasks().contains(&task)
                && by_track.is_by_track()
                && !main.is_by_track()
                && !main.lower_is_better()
        }));
    }
}
