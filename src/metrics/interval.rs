//! Intervals: how far chance alone may have moved an accuracy.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the normal distribution, for two-sided 95 % intervals.
const Z_975: f64 = 1.959_963_984_540_054;

/// A measured fraction, or a difference of two, and the 95 % interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The measured value.
    pub mean: f64,
    /// Lower end, at most `mean`.
    pub low: f64,
    /// Upper end, at least `mean`.
    pub high: f64,
}

impl Interval {
    /// Returns the interval of the negated value: of a difference, the other way round.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { mean: -self.mean, low: -self.high, high: -self.low }
    }

    /// Returns whether a figure is within the interval, ends included.
    #[must_use]
    pub fn contains(&self, figure: f64) -> bool {
        (self.low..=self.high).contains(&figure)
    }
}

/// Returns the 95 % interval of a fraction right: `n_right` of `n` independent items.
///
/// # Panics
/// If `n` is 0 or below `n_right`.
///
/// # Source
/// Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
#[must_use]
pub fn wilson(n_right: usize, n: usize) -> Interval {
    assert!(n > 0 && n_right <= n, "{n_right} right of {n} is no fraction");
    let (p, n) = (n_right as f64 / n as f64, n as f64);
    let squared = Z_975 * Z_975;
    let centre = (p + squared / (2.0 * n)) / (1.0 + squared / n);
    let margin = Z_975 / (1.0 + squared / n) * (p * (1.0 - p) / n + squared / (4.0 * n * n)).sqrt();
    Interval {
        mean: p,
        low: (centre - margin).clamp(0.0, p),
        high: (centre + margin).clamp(p, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn wilson_agrees_with_statsmodels() {
        for (right, n, low, high) in [
            (8, 10, 0.490_162_471_536_641_83, 0.943_317_848_545_624_7),
            (0, 20, 0.0, 0.161_125_158_052_819_4),
            (20, 20, 0.838_874_841_947_180_4, 1.0),
            (838, 1000, 0.813_877_223_112_107_8, 0.859_535_888_151_656_9),
        ] {
            let interval = wilson(right, n);
            close(interval.low, low, 1e-12);
            close(interval.high, high, 1e-12);
        }
    }
}
