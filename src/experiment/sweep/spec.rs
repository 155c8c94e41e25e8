//! `[sweep]`: what is searched, how, and what decides.

use super::super::protocol::Seeds;
use super::space::ParameterRule;
use crate::metrics::Metric;
use crate::schema::{Fields, Int, OneOf};
use crate::search::{Method, Parameter, Space};
use crate::vocab::{Scores, Task, quoted_list};

/// A checked `[sweep]` table.
pub struct Sweep {
    /// How settings are drawn.
    pub method: Method,
    /// Number of trials; of a grid without it, all points.
    pub n_trials: usize,
    /// What is searched.
    pub space: Space,
    /// The lines of the parameters in the spec, in their order.
    pub(super) lines: Vec<usize>,
    /// The score of the validation set that decides.
    pub metric: ValidMetric,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// Seeds that the winner is judged on, none of them a seed of trials.
    pub final_seeds: Vec<u64>,
    /// The seed of the search itself, and of the split that all of its runs share.
    pub seed: u64,
    /// Whether bad trials end early.
    pub halving: Option<Halving>,
    /// Number of folds of a nested cross-validation.
    pub nested: Option<usize>,
}

/// `[sweep.halving]`: bad trials end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halving {
    /// Epochs before the first comparison.
    pub min_epochs: usize,
    /// One trial in so many goes on.
    pub factor: usize,
}

/// A score of the validation set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidMetric {
    /// Its name in specs, `valid_accuracy`.
    pub name: &'static str,
    metric: Metric,
}

/// Names of the scores that can decide.
const METRICS: &[(&str, Metric)] = &[
    ("valid_accuracy", Metric::Accuracy),
    ("valid_macro_f1", Metric::MacroF1),
    ("valid_log_loss", Metric::LogLoss),
    ("valid_roc_auc", Metric::RocAuc),
    ("valid_average_precision", Metric::AveragePrecision),
    ("valid_r2", Metric::R2),
    ("valid_mae", Metric::Mae),
    ("valid_mse", Metric::Mse),
];

/// What training minimizes: log-loss, or the squared error of numbers.
const LOSS: &str = "valid_loss";

/// Seeds of a winner that the spec does not give.
const FINAL_SEEDS: std::ops::RangeInclusive<u64> = 101..=105;

/// Most trials of a study.
const MOST_TRIALS: i64 = 100_000;

impl ValidMetric {
    /// The score of a set by this metric, if the examples define it.
    pub(super) fn of(self, scores: &Scores) -> Option<f64> {
        let name = self.metric.as_str();
        let found = scores.by_name().into_iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value).filter(|value| value.is_finite())
    }

    /// Returns whether a higher score is better.
    #[must_use]
    pub fn higher_is_better(self) -> bool {
        !self.metric.lower_is_better()
    }

    /// The score as a loss: lower is better.
    pub(super) fn loss(self, score: f64) -> f64 {
        if self.higher_is_better() { -score } else { score }
    }

    /// Returns the metric of the same score on any set.
    #[must_use]
    pub fn metric(self) -> Metric {
        self.metric
    }

    fn read(fields: &mut Fields, task: Task) -> Option<Self> {
        let all: Vec<(&'static str, Metric)> = METRICS
            .iter()
            .copied()
            .chain([(LOSS, if task == Task::Number { Metric::Mse } else { Metric::LogLoss })])
            .collect();
        let is_known = fields.is_given("metric");
        let named: Vec<(&'static str, Self)> =
            all.into_iter().map(|(name, metric)| (name, Self { name, metric })).collect();
        let chosen = fields.required("metric", &OneOf(&named));
        if fields.is_exploring() || !is_known {
            return Some(chosen);
        }
        if !chosen.metric.tasks().contains(&task) {
            let fitting = named.iter().filter(|(_, it)| it.metric.tasks().contains(&task));
            let fitting = quoted_list(fitting.map(|(name, _)| *name));
            let (name, words) = (chosen.name, task.words());
            let said = format!(
                "is `{name}`, which is no score of models that tell {words}; {fitting} are"
            );
            fields.fault_at("metric", &said);
            return None;
        }
        Some(chosen)
    }
}

/// What the rest of the spec says that a search depends on.
pub(in super::super) struct Surroundings {
    pub(in super::super) task: Task,
    /// The most epochs of a model that encore trains in epochs.
    pub(in super::super) epochs: Option<usize>,
    /// Why nothing can be chosen by the validation set.
    pub(in super::super) no_valid: Option<&'static str>,
    /// Whether the spec's seeds are folds.
    pub(in super::super) has_folds: bool,
    /// Whether the sets are published ones.
    pub(in super::super) is_listed: bool,
    pub(in super::super) is_ensemble: bool,
}

impl Sweep {
    /// Reads `[sweep]`, if there is one.
    pub(in super::super) fn read(fields: &mut Fields, around: &Surroundings) -> Option<Self> {
        fields.table("sweep", |inner| Self::read_inner(inner, around)).flatten()
    }

    fn read_inner(fields: &mut Fields, around: &Surroundings) -> Option<Self> {
        const METHODS: &[(&str, Method)] =
            &[("grid", Method::Grid), ("random", Method::Random), ("tpe", Method::Tpe)];
        let method = fields.required("search", &OneOf(METHODS));
        let trials = fields.optional("trials", &Int::within(1..=MOST_TRIALS));
        let metric = ValidMetric::read(fields, around.task);
        let seeds = fields.with_default("seeds", &Seeds::some(), vec![1]);
        let final_seeds = fields.with_default("final_seeds", &Seeds::some(), FINAL_SEEDS.collect());
        let seed = fields.with_default("seed", &Int::within(0..=i64::MAX), 1) as u64;
        let halving = fields.table("halving", |inner| Halving {
            min_epochs: inner.required("min_epochs", &Int::within(1..=1_000_000)),
            factor: inner.with_default("factor", &Int::within(2..=100), 3),
        });
        let nested =
            fields.table("nested", |inner| inner.required("folds", &Int::within(2..=1_000)));
        let parameters = fields.keyed("space", &ParameterRule);
        if fields.is_exploring() {
            return None;
        }
        for (key, seeds) in [("seeds", &seeds), ("final_seeds", &final_seeds)] {
            if let Some(n) = (1..seeds.len()).find(|&n| seeds[..n].contains(&seeds[n])) {
                fields.fault_at(key, &format!("has {} twice", seeds[n]));
            }
        }
        if let Some(seed) = final_seeds.iter().find(|seed| seeds.contains(seed)) {
            let said = format!(
                "must be fresh, but {seed} is also a seed of the trials, by which the winner is chosen"
            );
            fields.fault_at(
                if fields.is_given("final_seeds") { "final_seeds" } else { "seeds" },
                &said,
            );
        }
        around.check(fields, halving, nested);
        let lines: Vec<usize> = parameters.iter().map(|(_, it)| it.line).collect();
        if !fields.is_given("space") {
            fields
                .fault_at("space", "is missing; expected the keys to search, each with its values");
            return None;
        }
        let parameters: Vec<Parameter> = parameters
            .into_iter()
            .map(|(key, it)| Parameter { key, domain: it.domain, steps: it.steps, when: it.when })
            .collect();
        let space = match Space::new(parameters) {
            Ok(space) => space,
            Err(fault) => {
                fields.fault_at("space", &format!("of {} {}", fault.key, fault.message));
                return None;
            }
        };
        let n_points = space.n_points();
        if n_points == Some(1) {
            fields.fault_at("space", "has one point: there is nothing to choose from");
            return None;
        }
        let n_trials = match (method, trials, n_points) {
            (Method::Grid, _, None) => {
                let said = "is `grid`, but the space has a range without `steps`; give it some, or use \
                            `random` or `tpe`";
                fields.fault_at("search", said);
                return None;
            }
            (Method::Grid, Some(n), Some(points)) if n as u64 > points => {
                let said = format!("is {n}, but the grid has {points} points");
                fields.fault_at("trials", &said);
                return None;
            }
            (Method::Grid, None, Some(points)) if points > MOST_TRIALS as u64 => {
                let said = format!("is `grid`, which has {points} points, more than {MOST_TRIALS}");
                fields.fault_at("search", &said);
                return None;
            }
            (Method::Grid, None, Some(points)) => points as usize,
            (_, Some(n), _) => n,
            (_, None, _) => {
                let said = format!("is missing; expected an integer in [1, {MOST_TRIALS}]");
                fields.fault_at("trials", &said);
                return None;
            }
        };
        let metric = metric?;
        Some(Self {
            method,
            n_trials,
            space,
            lines,
            metric,
            seeds,
            final_seeds,
            seed,
            halving,
            nested,
        })
    }
}

impl Surroundings {
    /// Checks what the search needs of the rest of the spec.
    fn check(&self, fields: &Fields, halving: Option<Halving>, nested: Option<usize>) {
        if self.is_ensemble {
            fields.fault("is of an ensemble; search the settings of its members instead");
        }
        if let Some(why) = self.no_valid {
            fields.fault(&format!("chooses by the validation set, but {why}"));
        }
        match (halving, self.epochs) {
            (Some(_), None) => {
                fields.fault_at("halving", "needs a model that encore trains in epochs");
            }
            (Some(Halving { min_epochs, .. }), Some(epochs)) if min_epochs >= epochs => {
                let said =
                    format!("must be below the {epochs} epochs of the spec, found {min_epochs}");
                fields.fault_at("halving", &format!("min_epochs {said}"));
            }
            _ => {}
        }
        if self.has_folds && nested.is_none() {
            let said = "is missing: the spec's split has folds, and settings chosen by the validation \
                        examples of one fold would be tested on these in another";
            fields.fault_at("nested", said);
        }
        if self.is_listed && nested.is_some() {
            fields.fault_at(
                "nested",
                "draws folds of its own, but the spec's sets are published ones",
            );
        }
    }
}
