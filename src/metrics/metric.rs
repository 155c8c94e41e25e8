//! The metrics that a claim can be about.

use super::{
    Clustered, Estimate, Interval, MOST_LOG_LOSS, Scale, average_precision, log_losses,
    most_likely, roc_auc, top_k, track_votes,
};

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
    /// The area under the ROC curve, one class against the rest, averaged over the classes.
    RocAuc,
    /// The mean negative log-probability of the actual class.
    LogLoss,
    /// Average precision, one class against the rest, averaged over the classes.
    AveragePrecision,
}

/// The predictions of a run for its test examples.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// The class of each example.
    pub actual: &'a [usize],
    /// The predicted class of each example.
    pub predicted: &'a [usize],
    /// Row-major `[n_examples, n_classes]`.
    pub probabilities: &'a [f32],
    /// The number of classes.
    pub n_classes: usize,
    /// The track of each example, below `n_tracks`.
    pub tracks: &'a [usize],
    /// The number of tracks.
    pub n_tracks: usize,
}

impl Metric {
    /// All of them, the most common first.
    pub const ALL: [Self; 7] = [
        Self::Accuracy,
        Self::AccuracyByTrack,
        Self::MacroF1,
        Self::Top2Accuracy,
        Self::RocAuc,
        Self::LogLoss,
        Self::AveragePrecision,
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
        }
    }

    /// Returns the metric with this name in specs.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name)
    }

    /// Returns the values that it can have.
    #[must_use]
    pub fn scale(self) -> Scale {
        if self == Self::LogLoss { Scale::Positive } else { Scale::Fraction }
    }

    /// Returns the mean over runs with its 95 % interval, which stays in the metric's range.
    ///
    /// # Panics
    /// Without a run.
    #[must_use]
    pub fn interval(self, runs: &[Clustered]) -> Interval {
        let mean = Estimate::of(runs);
        match self.scale() {
            Scale::Fraction => mean.fraction_interval(),
            Scale::Positive => mean.loss_interval(MOST_LOG_LOSS),
        }
    }

    /// Returns the score of a run, split by track; `None` for areas under curves if all examples are of
    /// one class.
    ///
    /// # Panics
    /// If the lengths don't fit each other or fewer than two tracks are scored.
    #[must_use]
    pub fn score(self, answers: &Answers) -> Option<Clustered> {
        let Answers { actual, predicted, probabilities, n_classes, tracks, n_tracks } = *answers;
        let mean = |values: &[f64]| Some(Clustered::mean(values, tracks, n_tracks));
        let share = |right: Vec<bool>| {
            mean(&right.iter().map(|right| f64::from(u8::from(*right))).collect::<Vec<_>>())
        };
        match self {
            Self::Accuracy => {
                share(actual.iter().zip(predicted).map(|(actual, said)| actual == said).collect())
            }
            Self::AccuracyByTrack => Some(by_track(answers)),
            Self::MacroF1 => {
                Some(Clustered::macro_f1(actual, predicted, tracks, n_classes, n_tracks))
            }
            Self::Top2Accuracy => share(top_k(actual, probabilities, n_classes, 2)),
            Self::RocAuc => roc_auc(actual, probabilities, n_classes, tracks, n_tracks),
            Self::LogLoss => mean(&log_losses(actual, probabilities, n_classes)),
            Self::AveragePrecision => {
                average_precision(actual, probabilities, n_classes, tracks, n_tracks)
            }
        }
    }
}

/// Returns the accuracy of the tracks' votes. The class of a track is that of its first example.
fn by_track(answers: &Answers) -> Clustered {
    let Answers { actual, probabilities, n_classes, tracks, n_tracks, .. } = *answers;
    let votes = track_votes(tracks, probabilities, n_classes);
    let said = most_likely(&votes.probabilities, n_classes);
    let mut of_track = vec![None; n_tracks];
    for (&track, &actual) in tracks.iter().zip(actual) {
        of_track[track].get_or_insert(actual);
    }
    let right =
        |(track, said): (&usize, &usize)| f64::from(u8::from(of_track[*track] == Some(*said)));
    let right: Vec<f64> = votes.tracks.iter().zip(&said).map(right).collect();
    Clustered::mean(&right, &votes.tracks, n_tracks)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{ACTUAL, PREDICTED, PROBABILITIES, close};
    use super::*;

    #[test]
    fn every_metric_has_a_name_and_a_score_in_its_range() {
        let tracks = [0, 1, 2, 3, 4, 5, 6, 7, 7, 7];
        let answers = Answers {
            actual: &ACTUAL,
            predicted: &PREDICTED,
            probabilities: &PROBABILITIES,
            n_classes: 4,
            tracks: &tracks,
            n_tracks: 8,
        };
        let wanted = [0.7, 0.75, 0.694_444, 0.9, 0.8125, 2.175_931, 0.727_315];
        for (metric, wanted) in Metric::ALL.into_iter().zip(wanted) {
            assert_eq!(Metric::named(metric.as_str()), Some(metric));
            let score = metric.score(&answers).unwrap();
            close(score.value, wanted, 1e-5);
            assert!(score.variance() > 0.0 && score.n_tracks() == 8, "{metric:?}");
            close(score.influences.iter().flatten().sum::<f64>(), 0.0, 1e-6);
        }
        assert_eq!(Metric::named("recall"), None);
    }
}
