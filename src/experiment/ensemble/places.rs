//! Which examples of a member answer for an example of its ensemble.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::RunError;
use super::super::fold::Fold;
use crate::metrics;
use crate::record::Run;
use crate::vocab::{ExampleId, Outputs, SplitName};

/// Tracks named in a message.
const MOST_NAMED: usize = 3;

/// What a member and its ensemble have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Their examples.
    Example,
    /// Their tracks: those of the ensemble are one example each, for which all segments of a member vote.
    Track,
}

impl Unit {
    /// What a run has in common with an ensemble.
    pub(super) fn of(run: &Run, fold: &Fold) -> Result<Self, RunError> {
        let segments = |spec: &serde_json::Value| spec.get("segments").cloned();
        if segments(&run.record.spec) == segments(&fold.plan.resolved) {
            return Ok(Self::Example);
        }
        let tracks: BTreeSet<&str> =
            fold.inputs.examples.ids.iter().map(|id| id.track.as_str()).collect();
        if tracks.len() == fold.inputs.examples.ids.len() {
            return Ok(Self::Track);
        }
        let said = |spec: &serde_json::Value| match segments(spec) {
            Some(segments) => segments.to_string(),
            None => "none".to_owned(),
        };
        Err(RunError::Incompatible(format!(
            "member {} has other segments: {} there, {} here\n\
             hint: an ensemble with one segment per track (per_track = 1) combines members of any segments",
            run.id,
            said(&run.record.spec),
            said(&fold.plan.resolved),
        )))
    }

    fn key(self, id: &ExampleId) -> (&str, u32) {
        (&id.track, if self == Self::Example { id.segment } else { 0 })
    }

    /// Checks that a run has every example of its ensemble, in the same set.
    pub(super) fn check(self, run: &Run, fold: &Fold) -> Result<(), RunError> {
        let members = run.members()?;
        let mut sets: BTreeMap<(&str, u32), BTreeSet<SplitName>> = BTreeMap::new();
        for member in &members {
            sets.entry(self.key(&member.example)).or_default().insert(member.set);
        }
        let split = &fold.audited.split;
        let (mut absent, mut elsewhere) = (vec![], vec![]);
        for (set, rows) in [
            (SplitName::Train, &split.train),
            (SplitName::Valid, &split.valid),
            (SplitName::Test, &split.test),
        ] {
            for &row in rows {
                let id = &fold.inputs.examples.ids[row];
                match sets.get(&self.key(id)) {
                    None => absent.push(id),
                    Some(found) if found.len() == 1 && found.contains(&set) => {}
                    Some(found) => elsewhere.push((id, set, found)),
                }
            }
        }
        let named = |ids: Vec<&ExampleId>| {
            let n = ids.len();
            let tracks: BTreeSet<&str> = ids.into_iter().map(|id| id.track.as_str()).collect();
            let some: Vec<&str> = tracks.into_iter().take(MOST_NAMED).collect();
            format!("{n} examples, e.g. of {}", some.join(", "))
        };
        if let Some((id, set, found)) = elsewhere.first() {
            let found: Vec<&str> = found.iter().map(|set| set.as_str()).collect();
            let all = named(elsewhere.iter().map(|(id, ..)| *id).collect());
            return Err(RunError::Incompatible(format!(
                "member {} has another split: {} is in its {} set and in the {set} set of the ensemble ({all}), so that \
                 the ensemble would be tested with examples that a member was trained on\n\
                 hint: only runs of one split can be combined",
                run.id,
                id.track,
                found.join(" and its "),
            )));
        }
        if !absent.is_empty() {
            return Err(RunError::Incompatible(format!(
                "member {} lacks {} of the ensemble",
                run.id,
                named(absent)
            )));
        }
        Ok(())
    }

    /// What a member says of some examples of the ensemble, row-major `[wanted, n_outputs]`, from what it says of
    /// its own. The segments of a track vote as everywhere: by the mean of log-probabilities, of tags and
    /// numbers by the mean.
    pub(super) fn said<'a>(
        self,
        own: impl Iterator<Item = &'a ExampleId>,
        said: &[f32],
        wanted: impl Iterator<Item = &'a ExampleId>,
        outputs: Outputs,
    ) -> Result<Vec<f32>, String> {
        let mut places: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
        for (place, id) in own.enumerate() {
            places.entry(self.key(id)).or_default().push(place);
        }
        let mut all = vec![];
        for id in wanted {
            let places = places.get(&self.key(id)).ok_or_else(|| {
                format!("has no prediction for segment {} of {}", id.segment, id.track)
            })?;
            let row = |place: &usize| &said[place * outputs.n..][..outputs.n];
            if let [place] = places.as_slice() {
                all.extend_from_slice(row(place));
                continue;
            }
            let rows: Vec<f32> = places.iter().flat_map(row).copied().collect();
            all.extend(metrics::pooled(&rows, outputs));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Task;

    #[test]
    fn segments_answer_for_their_track_or_for_themselves() {
        let id = |track: &str, segment| ExampleId { track: track.to_owned(), segment };
        let own = [id("a", 0), id("b", 0), id("a", 1)];
        let said = [0.9, 0.1, 0.5, 0.5, 0.6, 0.4];
        let outputs = Outputs { task: Task::Classes, n: 2 };
        let wanted = [id("b", 0), id("a", 0)];
        let of = |unit: Unit| unit.said(own.iter(), &said, wanted.iter(), outputs);
        assert_eq!(of(Unit::Example).unwrap(), [0.5, 0.5, 0.9, 0.1]);
        let by_track = of(Unit::Track).unwrap();
        assert_eq!(by_track[..2], [0.5, 0.5]);
        // sqrt(0.9 * 0.6) : sqrt(0.1 * 0.4)
        assert!((by_track[2] - 0.786_061).abs() < 1e-6, "{by_track:?}");
        let tags = Outputs { task: Task::Tags, n: 2 };
        let by_track = Unit::Track.said(own.iter(), &said, wanted.iter(), tags).unwrap();
        assert_eq!(by_track[2..], [0.75, 0.25]);
        let lacks = Unit::Example.said(own.iter(), &said, [id("b", 1)].iter(), outputs);
        assert_eq!(lacks.unwrap_err(), "has no prediction for segment 1 of b");
    }
}
