//! The density of settings as a weighted sum of kernels, one at each setting that was seen.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use super::space::{Domain, Setting};
use crate::vocab::Rng;

/// A density of some parameters together.
///
/// # Source
/// Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization", 2011; details, such as the
/// widths of the kernels and the weights of old observations, as in Optuna 5.0.
pub(super) struct Parzen {
    /// Logarithms of the weights, and their running sums from 0 to 1.
    log_weights: Vec<f64>,
    sums: Vec<f64>,
    /// One a parameter.
    axes: Vec<Axis>,
}

/// The kernels of one parameter. The last kernel is the prior.
enum Axis {
    Normal {
        kernels: Vec<Normal>,
        scale: Scale,
    },
    /// `[n_kernels][n_choices]`.
    Choice {
        shares: Vec<Vec<f64>>,
    },
    /// A domain of one real number.
    Fixed(f64),
}

/// A normal distribution, cut to the range of its parameter.
struct Normal {
    mean: f64,
    spread: f64,
    /// Logarithm of the share of the whole normal distribution that lies in the range.
    log_share: f64,
}

#[derive(Clone, Copy)]
struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    /// The smallest and the largest value.
    ends: [f64; 2],
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Linear,
    Log,
    /// Each number takes the width of 1.
    Int,
}

impl Parzen {
    /// Fits the density of parameters with these domains to settings, `[n_seen][n_domains]`, the oldest first.
    pub(super) fn fit(domains: &[&Domain], seen: &[Vec<Setting>]) -> Self {
        let mut weights = weights(seen.len());
        weights.push(1.0);
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let add = |weight: &f64| {
            sum += weight / total;
            sum
        };
        let sums = weights.iter().map(add).collect();
        let log_weights = weights.iter().map(|weight| libm::log(weight / total)).collect();
        let axis = |(i, domain): (usize, &&Domain)| {
            Axis::fit(domain, &seen.iter().map(|settings| settings[i]).collect::<Vec<_>>())
        };
        Self { log_weights, sums, axes: domains.iter().enumerate().map(axis).collect() }
    }

    /// Draws one setting a parameter.
    pub(super) fn draw(&self, rng: &mut Rng) -> Vec<Setting> {
        let share = rng.uniform();
        let kernel = self.sums.iter().position(|sum| share < *sum).unwrap_or(self.sums.len() - 1);
        self.axes.iter().map(|axis| axis.draw(kernel, rng)).collect()
    }

    /// Returns the logarithm of the density, up to a constant that is the same for all densities of the same
    /// domains.
    pub(super) fn log_density(&self, settings: &[Setting]) -> f64 {
        let mut logs = self.log_weights.clone();
        for (axis, setting) in self.axes.iter().zip(settings) {
            axis.add_logs(*setting, &mut logs);
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + libm::log(logs.iter().map(|log| libm::exp(log - most)).sum())
    }
}

/// The weights of observations, the oldest first: 1 for the last 25, the others rise evenly from `1 / n` to 1.
fn weights(n: usize) -> Vec<f64> {
    let n_old = n.saturating_sub(25);
    let least = 1.0 / n.max(1) as f64;
    let old = |i: usize| least + (1.0 - least) * i as f64 / (n_old.max(2) - 1) as f64;
    (0..n).map(|i| if i < n_old { old(i) } else { 1.0 }).collect()
}

impl Axis {
    fn fit(domain: &Domain, seen: &[Setting]) -> Self {
        let n_kernels = seen.len() + 1;
        let scale = match domain {
            Domain::Any(values) => {
                let prior = 1.0 / n_kernels as f64;
                let kernel = |seen: Option<usize>| {
                    let total = prior * values.len() as f64 + f64::from(u8::from(seen.is_some()));
                    let share = |choice| prior + f64::from(u8::from(seen == Some(choice)));
                    (0..values.len()).map(|choice| share(choice) / total).collect()
                };
                let choices = seen.iter().map(|setting| match setting {
                    Setting::Choice(choice) => Some(*choice),
                    other => panic!("{other:?} is no choice"),
                });
                return Self::Choice { shares: choices.chain([None]).map(kernel).collect() };
            }
            Domain::Linear { low, high } | Domain::Log { low, high } if low == high => {
                return Self::Fixed(*low);
            }
            Domain::Linear { low, high } => Scale::new(Kind::Linear, [*low, *high]),
            Domain::Log { low, high } => Scale::new(Kind::Log, [*low, *high]),
            Domain::Int { low, high } => Scale::new(Kind::Int, [*low as f64, *high as f64]),
        };
        let means: Vec<f64> = seen.iter().map(|setting| scale.place(*setting)).collect();
        let spreads = scale.spreads(&means);
        let prior = (f64::midpoint(scale.low, scale.high), scale.high - scale.low);
        let kernels = means.into_iter().zip(spreads).chain([prior]);
        let normal = |(mean, spread): (f64, f64)| {
            let share = share((scale.low - mean) / spread, (scale.high - mean) / spread);
            Normal { mean, spread, log_share: libm::log(share) }
        };
        Self::Normal { kernels: kernels.map(normal).collect(), scale }
    }

    fn draw(&self, kernel: usize, rng: &mut Rng) -> Setting {
        match self {
            Self::Fixed(value) => Setting::Real(*value),
            Self::Choice { shares } => {
                let (mut left, shares) = (rng.uniform(), &shares[kernel]);
                let is_drawn = |share: &f64| {
                    left -= share;
                    left < 0.0
                };
                Setting::Choice(shares.iter().position(is_drawn).unwrap_or(shares.len() - 1))
            }
            Self::Normal { kernels, scale } => {
                let Normal { mean, spread, .. } = kernels[kernel];
                // A kernel lies in the range and is at most as wide, so that a third of the draws does.
                loop {
                    let place = mean + spread * rng.normal();
                    if (scale.low..=scale.high).contains(&place) {
                        return scale.setting(place);
                    }
                }
            }
        }
    }

    /// Adds the logarithm of every kernel's density at a setting.
    fn add_logs(&self, setting: Setting, logs: &mut [f64]) {
        match (self, setting) {
            (Self::Fixed(_), _) => {}
            (Self::Choice { shares }, Setting::Choice(choice)) => {
                let pairs = logs.iter_mut().zip(shares);
                pairs.for_each(|(log, shares)| *log += libm::log(shares[choice]));
            }
            (Self::Choice { .. }, other) => panic!("{other:?} is no choice"),
            (Self::Normal { kernels, scale }, setting) => {
                let place = scale.place(setting);
                for (log, Normal { mean, spread, log_share }) in logs.iter_mut().zip(kernels) {
                    let z = (place - mean) / spread;
                    *log += if scale.kind == Kind::Int {
                        let half = 0.5 / spread;
                        libm::log(share(z - half, z + half)) - log_share
                    } else {
                        -0.5 * z * z - libm::log(spread * libm::sqrt(TAU)) - log_share
                    };
                }
            }
        }
    }
}

impl Scale {
    fn new(kind: Kind, ends: [f64; 2]) -> Self {
        let [low, high] = match kind {
            Kind::Linear => ends,
            Kind::Log => ends.map(libm::log),
            Kind::Int => [ends[0] - 0.5, ends[1] + 0.5],
        };
        Self { kind, low, high, ends }
    }

    fn place(self, setting: Setting) -> f64 {
        match (self.kind, setting) {
            (Kind::Linear, Setting::Real(value)) => value,
            (Kind::Log, Setting::Real(value)) => libm::log(value),
            (Kind::Int, Setting::Int(value)) => value as f64,
            (_, other) => panic!("{other:?} belongs to another domain"),
        }
    }

    fn setting(self, place: f64) -> Setting {
        let [low, high] = self.ends;
        match self.kind {
            Kind::Linear => Setting::Real(place.clamp(low, high)),
            Kind::Log => Setting::Real(libm::exp(place).clamp(low, high)),
            Kind::Int => Setting::Int(place.round().clamp(low, high) as i64),
        }
    }

    /// The standard deviation of every kernel: the distance to the farther one of its two neighbors, within
    /// bounds.
    fn spreads(self, means: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..means.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        let range = self.high - self.low;
        let least = range / (means.len() as f64 + 2.0).min(100.0);
        let mut spreads = vec![0.0; means.len()];
        for (place, &number) in order.iter().enumerate() {
            let before = place.checked_sub(1).map(|before| means[number] - means[order[before]]);
            let after = order.get(place + 1).map(|after| means[*after] - means[number]);
            let widest = match (before, after) {
                (Some(before), Some(after)) => before.max(after),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => (means[number] - self.low).max(self.high - means[number]),
            };
            spreads[number] = widest.clamp(least, range);
        }
        spreads
    }
}

/// The share of the standard normal distribution between two numbers, exact in both tails.
fn share(from: f64, to: f64) -> f64 {
    let above = |z: f64| 0.5 * libm::erfc(z * FRAC_1_SQRT_2);
    if from > 0.0 { above(from) - above(to) } else { above(-to) - above(-from) }
}
