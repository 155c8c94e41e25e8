//! Runs whose specs differ in `train_share` alone -> points with intervals, and a law.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::ReportError;
use super::super::check::check;
use super::super::paired::Difference;
use super::super::runs::Runs;
use super::super::scored::{self, Scored};
use crate::metrics::{Clustered, Estimate, Interval, LearningCurve, LearningPoint, Metric};
use crate::record::{Run, train_share, without_share};
use crate::vocab::SplitName;

/// How many times the largest training set the law is asked about.
pub(in crate::report) const TEN_TIMES: f64 = 10.0;

/// A learning curve.
pub(in crate::report) struct Curve<'a> {
    pub(in crate::report) metric: Metric,
    /// What is scored: `segment` or `example`.
    pub(in crate::report) per: &'static str,
    /// From the smallest share to the largest; at least two.
    pub(in crate::report) points: Vec<Point<'a>>,
    /// The law of 1 minus the metric, or why there is none.
    pub(in crate::report) law: Result<LearningCurve, String>,
    /// Number of test tracks of all seeds.
    pub(in crate::report) n_test_tracks: usize,
}

/// The runs with one share of the training tracks.
pub(in crate::report) struct Point<'a> {
    pub(in crate::report) share: f64,
    pub(in crate::report) runs: Runs<'a>,
    /// Training tracks of every run.
    pub(in crate::report) n_tracks: Vec<usize>,
    pub(in crate::report) score: Interval,
    /// Where tracks have several test examples.
    pub(in crate::report) by_track: Option<Interval>,
    /// How much better than the point before; none of the first.
    pub(in crate::report) gain: Option<Interval>,
}

impl Point<'_> {
    /// The mean number of training tracks.
    pub(in crate::report) fn n(&self) -> f64 {
        self.n_tracks.iter().sum::<usize>() as f64 / self.n_tracks.len() as f64
    }
}

impl<'a> Curve<'a> {
    /// The curves of some runs: of every experiment, those on the same data whose specs are the same but for the
    /// share. Runs with one share only are no curve.
    pub(in crate::report) fn all(
        runs: impl Iterator<Item = &'a Run>,
    ) -> Result<Vec<Self>, ReportError> {
        let mine: Vec<&Run> = runs.filter(|run| run.record.foreign.is_none()).collect();
        if mine.iter().all(|run| train_share(&run.record.spec) == 1.0) {
            return Ok(vec![]);
        }
        let mut families: Vec<(String, Vec<&Run>)> = vec![];
        for run in mine {
            let record = &run.record;
            let data = &record.data;
            let key = format!(
                "{}\n{}\n{}\n{:?}\n{}",
                record.experiment,
                data.dataset,
                data.features_hash,
                record.cut,
                without_share(&record.spec)
            );
            match families.iter_mut().find(|(known, _)| *known == key) {
                Some((_, family)) => family.push(run),
                None => families.push((key, vec![run])),
            }
        }
        let curves = families.into_iter().map(|(_, family)| by_share(family));
        curves.filter(|shares| shares.len() > 1).map(Self::new).collect()
    }

    fn new(shares: Vec<(f64, Runs<'a>)>) -> Result<Self, ReportError> {
        let runs: Vec<&Runs> = shares.iter().map(|(_, runs)| runs).collect();
        runs.iter().flat_map(|runs| &runs.runs).try_for_each(|run| check(run))?;
        let levels = scored::levels(&runs)?;
        let metric = runs[0].metric();
        let interval =
            |side: &[Scored]| metric.interval(&side.iter().map(Scored::main).collect::<Vec<_>>());
        let mut n_tracks = vec![];
        for runs in &runs {
            n_tracks.push(
                runs.runs.iter().map(|run| training_tracks(run)).collect::<Result<Vec<_>, _>>()?,
            );
        }
        let law = law(&levels[0].sides, &n_tracks);
        let sides = &levels[0].sides;
        let last: Vec<Clustered> = sides[sides.len() - 1].iter().map(Scored::main).collect();
        let n_test_tracks = Estimate::of(&last).n_tracks;
        let mut points = vec![];
        for (at, ((share, runs), n_tracks)) in shares.into_iter().zip(n_tracks).enumerate() {
            let gain = || Difference::of(&sides[at - 1], &sides[at]).estimate.interval();
            points.push(Point {
                share,
                runs,
                n_tracks,
                score: interval(&sides[at]),
                by_track: levels.get(1).map(|level| interval(&level.sides[at])),
                gain: (at > 0).then(gain),
            });
        }
        Ok(Self { metric, per: levels[0].item, points, law, n_test_tracks })
    }

    /// The runs with the largest share.
    pub(in crate::report) fn last(&self) -> &Point<'a> {
        &self.points[self.points.len() - 1]
    }

    /// The metric with `n` training tracks, by the law.
    pub(in crate::report) fn at(&self, n: f64) -> Option<Interval> {
        let Interval { mean, low, high } = self.law.as_ref().ok()?.at(n);
        Some(Interval { mean: 1.0 - mean, low: 1.0 - high, high: 1.0 - low })
    }

    /// The metric with ten times the training tracks, by the law, and how many those are.
    pub(in crate::report) fn forecast(&self) -> Option<(f64, Interval)> {
        let n = TEN_TIMES * self.last().n();
        Some((n, self.at(n)?))
    }
}

/// The runs by share, one a seed; of several with one seed the latest counts.
fn by_share(mut family: Vec<&Run>) -> Vec<(f64, Runs<'_>)> {
    family.sort_by_key(|run| {
        (run.record.seed, Reverse(&run.record.timings.started), Reverse(&run.id))
    });
    // The order of numbers above 0 is that of their bits.
    let mut shares: BTreeMap<u64, Vec<&Run>> = BTreeMap::new();
    for run in family {
        shares.entry(train_share(&run.record.spec).to_bits()).or_default().push(run);
    }
    shares.into_iter().map(|(share, runs)| (f64::from_bits(share), Runs::new(&runs))).collect()
}

fn training_tracks(run: &Run) -> Result<usize, ReportError> {
    let members = run.members()?;
    let train = members.iter().filter(|member| member.set == SplitName::Train);
    Ok(train.map(|member| member.example.track.as_str()).collect::<BTreeSet<_>>().len())
}

/// The law of the errors, over the seeds that all points have.
fn law(sides: &[Vec<Scored>], n_tracks: &[Vec<usize>]) -> Result<LearningCurve, String> {
    if sides.len() < LearningCurve::FEWEST_POINTS {
        let (least, found) = (LearningCurve::FEWEST_POINTS, sides.len());
        return Err(format!(
            "it takes at least {least} shares of the training tracks, found {found}"
        ));
    }
    let has = |side: &[Scored], seed: u64| side.iter().any(|run| run.seed == seed);
    let is_common = |seed: &u64| sides.iter().all(|side| has(side, *seed));
    let seeds: BTreeSet<u64> = sides[0].iter().map(|run| run.seed).filter(is_common).collect();
    if seeds.is_empty() {
        return Err("no seed was run with every share".to_owned());
    }
    let mut points = vec![];
    for (side, n_tracks) in sides.iter().zip(n_tracks) {
        let common = || side.iter().zip(n_tracks).filter(|(run, _)| seeds.contains(&run.seed));
        let n = common().map(|(_, n)| *n).sum::<usize>() as f64 / seeds.len() as f64;
        if n <= 0.0 {
            return Err("a run has no training track".to_owned());
        }
        let mut errors: Vec<(u64, Clustered)> =
            common().map(|(run, _)| (run.seed, error(&run.main()))).collect();
        errors.sort_by_key(|(seed, _)| *seed);
        let errors = errors.into_iter().map(|(_, error)| error).collect();
        points.push(LearningPoint { n, errors });
    }
    let few = || {
        let why = "the shares leave too few different numbers of training tracks, or all scores are the same";
        why.to_owned()
    };
    LearningCurve::fit(&points).ok_or_else(few)
}

/// 1 minus a score.
fn error(score: &Clustered) -> Clustered {
    let influences = score.influences.iter().map(|it| it.map(|it| -it)).collect();
    Clustered { value: 1.0 - score.value, influences }
}

#[cfg(test)]
mod tests {
    use super::super::{facts, sentences, text};
    use super::*;
    use crate::report::fake_studies;

    #[test]
    fn runs_on_a_law_give_that_law_and_what_ten_times_the_data_would_give() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = fake_studies::curve(folder.path());
        runs.reverse();
        let curves = Curve::all(runs.iter()).unwrap();
        let [curve] = curves.as_slice() else { panic!("one curve, found {}", curves.len()) };
        let shares: Vec<f64> = curve.points.iter().map(|point| point.share).collect();
        assert_eq!(shares, [0.1, 0.2, 0.5, 1.0]);
        assert_eq!(curve.points[1].n_tracks, [140, 140]);
        let (n, forecast) = curve.forecast().unwrap();
        assert!((n - 7_000.0).abs() < 1e-9);
        let truth = 0.8 - 2.6 * 7_000.0_f64.powf(-0.45);
        assert!(forecast.contains(truth) && forecast.high - forecast.low < 0.2, "{forecast:?}");
        let last = curve.last().score.mean;
        let said = sentences(curve);
        let words = format!(
            "against {last:.3} now. That is an extrapolation: no run has more than 700 training"
        );
        assert!(said[1].contains(&words), "{said:?}");
        let is_wide = said.iter().any(|sentence| sentence.contains("is wide"));
        assert_eq!(is_wide, forecast.high - forecast.low > 0.1);
        assert!(text(curve).lines().all(|line| line.chars().count() <= 100), "{}", text(curve));
        assert_eq!(facts(curve).points.len(), 4);
        let gain = curve.points[3].gain.unwrap();
        assert!((gain.mean - (last - curve.points[2].score.mean)).abs() < 1e-12);
    }

    #[test]
    fn a_law_takes_three_shares_and_the_same_seeds() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake_studies::curve(folder.path());
        let why = |runs: &[Run]| Curve::all(runs.iter()).unwrap()[0].law.clone().unwrap_err();
        assert!(why(&runs[..4]).contains("found 2"));
        assert!(Curve::all(runs[..2].iter()).unwrap().is_empty(), "one share is no curve");
        // A seed each, and none of them common.
        let mut apart: Vec<Run> = runs.iter().step_by(2).cloned().collect();
        apart[1] = runs[3].clone();
        assert_eq!(why(&apart), "no seed was run with every share");
        // Runs of another spec are no points of the curve.
        let mut other = runs.clone();
        other[0].record.spec = serde_json::json!({ "model": "tree", "train_share": 0.1 }).into();
        other[1].record.spec = other[0].record.spec.clone();
        assert_eq!(Curve::all(other.iter()).unwrap()[0].points.len(), 3);
    }
}
