//! The trials of a study as its figures need them.

use crate::record::{Study, StudyPart};
use crate::search::{Parameter, Point, Space, TrialPoint, Trials};

/// The trials of one part of a study, with the space that they are points of.
pub(in crate::report) struct PartTrials<'a> {
    study: &'a Study,
    space: Space,
    points: Vec<TrialPoint>,
    winner: Option<usize>,
}

impl<'a> PartTrials<'a> {
    /// Nothing if the study's space is not one of this version.
    pub(in crate::report) fn of(study: &'a Study, part: &StudyPart) -> Option<Self> {
        let parameters: Vec<Parameter> = serde_json::from_value(study.space.clone()).ok()?;
        let space = Space::new(parameters).ok()?;
        let last = study.rungs.last().copied();
        let points = part.trials.iter().map(|trial| {
            let point: Point = serde_json::from_value(trial.point.clone()).ok()?;
            Some(TrialPoint {
                number: trial.number,
                point,
                score: trial.score,
                n_epochs: trial.stopped_after.or(last),
                max_epochs: last,
            })
        });
        let points = points.collect::<Option<Vec<_>>>()?;
        let winner = part.winner.as_ref().map(|winner| winner.number);
        Some(Self { study, space, points, winner })
    }

    pub(in crate::report) fn trials(&self) -> Trials<'_> {
        Trials {
            space: &self.space,
            metric: &self.study.metric,
            higher_is_better: self.study.higher_is_better,
            trials: &self.points,
            winner: self.winner,
        }
    }
}
