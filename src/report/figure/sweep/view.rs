//! What the figures of a search share: the trials with axes, names and colors.

use plotters::style::RGBColor;

use super::super::axis::Axis;
use super::super::canvas::{BLUE, Figure, Point, RAMP, Text, VERMILION, WHITE};
use crate::search::{Domain, Setting, TrialPoint, Trials, Tried, importance};
use crate::vocab::Seed;

pub(super) const WIDTH: u32 = 860;

/// The trials of a search, and what is computed once for all figures.
pub(super) struct View<'a> {
    pub(super) trials: &'a Trials<'a>,
    /// The trials that have a finite score, the worst first.
    pub(super) scored: Vec<(&'a TrialPoint, f64)>,
    /// One a parameter, in the order of the space.
    pub(super) importance: Vec<Option<f64>>,
    /// The end of each parameter's key that tells it from the others.
    pub(super) names: Vec<String>,
    /// The ends of the axis of scores.
    range: [f64; 2],
}

/// The direction of an axis and its length in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    Across(f64),
    Upwards(f64),
}

impl<'a> View<'a> {
    pub(super) fn new(trials: &'a Trials<'a>) -> Self {
        let scored = trials.trials.iter().filter_map(|trial| Some((trial, trial.finite_score()?)));
        let mut scored: Vec<_> = scored.collect();
        scored.sort_by(
            |(_, a), (_, b)| {
                if trials.higher_is_better { a.total_cmp(b) } else { b.total_cmp(a) }
            },
        );
        // The seed only decides about ties: the same trials always give the same figure.
        let importance = importance(trials.space, &trials.tried(), Seed(0));
        let range = score_range(&scored);
        Self { trials, scored, importance, names: names(trials), range }
    }

    /// The parameters that have more than one value, those that matter most first.
    pub(super) fn by_importance(&self) -> Vec<usize> {
        let varies = |number: &usize| match &self.trials.space.parameters()[*number].domain {
            Domain::Linear { low, high } | Domain::Log { low, high } => low < high,
            Domain::Int { low, high } => low < high,
            Domain::Any(values) => values.len() > 1,
        };
        let mut numbers: Vec<usize> = (0..self.names.len()).filter(varies).collect();
        let share = |number: usize| self.importance[number].unwrap_or(-1.0);
        numbers.sort_by(|a, b| share(*b).total_cmp(&share(*a)).then(a.cmp(b)));
        numbers
    }

    /// Where a trial's setting lies in its domain, `[0, 1]`.
    pub(super) fn place(&self, trial: &TrialPoint, parameter: usize) -> Option<f64> {
        trial.point.0[parameter].map(|setting| self.trials.space.place(parameter, &setting))
    }

    /// The axis of scores.
    pub(super) fn score_axis(&self, label: &str, n_steps: usize) -> Axis {
        Axis::nice(label, self.range[0], self.range[1], n_steps)
    }

    /// A score, or the end of the axis that it lies beyond.
    pub(super) fn shown(&self, score: f64) -> f64 {
        score.clamp(self.range[0], self.range[1])
    }

    /// How many scores lie beyond the axis, in words.
    pub(super) fn beyond(&self) -> String {
        let is_beyond = |score: f64| self.shown(score) != score;
        match self.scored.iter().filter(|(_, score)| is_beyond(*score)).count() {
            0 => String::new(),
            n => format!("; {n} far worse, drawn at the edge"),
        }
    }

    /// The trials, with scores that lie beyond the axis at its end.
    pub(super) fn tried_as_shown(&self) -> Vec<Tried> {
        let shown = |trial: &TrialPoint| TrialPoint {
            score: trial.finite_score().map(|score| self.shown(score)),
            ..trial.clone()
        };
        let trials: Vec<TrialPoint> = self.trials.trials.iter().map(shown).collect();
        Trials { trials: &trials, ..*self.trials }.tried()
    }

    pub(super) fn is_winner(&self, trial: &TrialPoint) -> bool {
        self.trials.winner == Some(trial.number)
    }

    /// A trial as a dot: hollow if it was stopped early, a diamond if it was chosen.
    pub(super) fn dot(&self, figure: &mut Figure, at: Point, trial: &TrialPoint) {
        let radius = if self.trials.trials.len() > 300 { 2.0 } else { 3.2 };
        if self.is_winner(trial) {
            figure.diamond(at, 7.0, VERMILION, WHITE);
            return;
        }
        figure.dot(at, radius, BLUE);
        if trial.is_stopped() {
            figure.dot(at, radius - 1.0, WHITE);
        }
    }

    /// The axis of a parameter, from 0 to 1 as `place` has it, with labels that fit an axis of so many pixels.
    pub(super) fn axis(&self, parameter: usize, way: Way) -> Axis {
        let (length, least) = match way {
            Way::Across(length) => (length, 40.0),
            Way::Upwards(length) => (length, 20.0),
        };
        let least_gap = least / length;
        let space = self.trials.space;
        let domain = &space.parameters()[parameter].domain;
        let real = |value: f64| space.place(parameter, &Setting::Real(value));
        let ticks: Vec<(f64, String)> = match domain {
            Domain::Any(values) => {
                let n = values.len();
                let word = |i: usize| {
                    let word = values[i].as_str().map(str::to_owned);
                    Text::new(word.unwrap_or_else(|| values[i].to_string()), (0.0, 0.0), 13.0)
                };
                // Not all of many names have room.
                let (room, least) = match way {
                    Way::Across(_) => {
                        let longest = (0..n).map(|i| word(i).width()).fold(0.0, f64::max);
                        (None, longest.min(56.0) + 8.0)
                    }
                    Way::Upwards(_) => (Some(84.0), least),
                };
                let every = (least * n as f64 / length).ceil().max(1.0) as usize;
                let room = room.unwrap_or(length * every as f64 / n as f64 - 8.0);
                let tick = |i: usize| {
                    (space.place(parameter, &Setting::Choice(i)), word(i).fit(room).words)
                };
                (0..n).step_by(every).map(tick).collect()
            }
            Domain::Int { low, high } if low == high => vec![(0.5, low.to_string())],
            Domain::Int { low, high } => {
                let axis = Axis::whole("", *low as f64, *high as f64, 4);
                let tick = |(at, words)| {
                    let at: f64 = at;
                    (space.place(parameter, &Setting::Int(at.round() as i64)), words)
                };
                axis.ticks.into_iter().map(tick).collect()
            }
            Domain::Linear { low, high } | Domain::Log { low, high } if low == high => {
                vec![(0.5, short_number(*low))]
            }
            Domain::Linear { low, high } => {
                let axis = Axis::within("", *low, *high, 4);
                axis.ticks.into_iter().map(|(at, words)| (real(at), words)).collect()
            }
            Domain::Log { low, high } => {
                let powers = |factors: &[f64]| -> Vec<f64> {
                    let (from, to) = (low.log10().floor() as i32, high.log10().ceil() as i32);
                    let all = (from..=to).flat_map(|power| {
                        factors.iter().map(move |factor| format!("{factor}e{power}").parse())
                    });
                    all.flatten().filter(|value| (*low..=*high).contains(value)).collect()
                };
                let values = [powers(&[1.0]), powers(&[1.0, 2.0, 5.0]), vec![*low, *high]];
                let values = values.into_iter().find(|values| values.len() > 1).unwrap_or_default();
                values.into_iter().map(|value| (real(value), short_number(value))).collect()
            }
        };
        let axis = Axis { label: String::new(), low: 0.0, high: 1.0, ticks };
        if matches!(domain, Domain::Any(_)) { axis } else { axis.thinned(least_gap) }
    }
}

/// The color of rank `i` of `n`, the worst first.
pub(super) fn rank_color(i: usize, n: usize) -> RGBColor {
    RAMP[(i * RAMP.len() / n.max(1)).min(RAMP.len() - 1)]
}

/// A number in at most about six letters.
pub(super) fn short_number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e5).contains(&size) {
        // Three digits, without zeros at the end.
        let decimals = (2 - size.max(1e-3).log10().floor() as i32).max(0) as usize;
        let text = format!("{value:.decimals$}");
        return if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
    }
    let text = format!("{value:.1e}");
    text.replace(".0e", "e")
}

/// The ends of the axis of scores. Where some scores are far worse than most, as losses that diverged are, the axis
/// ends at three times the distance from the best score to the worse quarter.
fn score_range(scored: &[(&TrialPoint, f64)]) -> [f64; 2] {
    let Some(((_, worst), (_, best))) = scored.first().zip(scored.last()) else {
        return [0.0, 1.0];
    };
    let quarter = scored[scored.len() / 4].1;
    let limit = best + 3.0 * (quarter - best);
    let is_far = (worst - best).abs() > 2.0 * (limit - best).abs() && limit != *best;
    let end = if is_far { limit } else { *worst };
    let [low, high] = [end.min(*best), end.max(*best)];
    if low < high { [low, high] } else { [low - 0.5, high + 0.5] }
}

/// The last part of each key, with the one before it where two keys end alike.
fn names(trials: &Trials) -> Vec<String> {
    let keys: Vec<Vec<&str>> =
        trials.space.parameters().iter().map(|it| it.key.split('.').collect()).collect();
    let tail = |key: &[&str], n: usize| key[key.len().saturating_sub(n)..].join(".");
    let name = |key: &Vec<&str>| {
        let is_own =
            |n: &usize| keys.iter().filter(|it| tail(it, *n) == tail(key, *n)).count() == 1;
        let n = (1..=key.len()).find(is_own).unwrap_or(key.len());
        tail(key, n)
    };
    keys.iter().map(name).collect()
}
