//! The mean of independent values, e.g. of the scores of several seeds on one set.

use super::Interval;
use super::estimate::ALPHA;
use super::seeds::quantile;

/// Returns the mean of independent values with its 95 % interval; of one value, that point.
///
/// # Panics
/// If there is no value.
///
/// # Source
/// Student, "The probable error of a mean", Biometrika 6, 1908.
#[must_use]
pub fn mean_interval(values: &[f64]) -> Interval {
    assert!(!values.is_empty(), "no value has no mean");
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return Interval { mean, low: mean, high: mean };
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let margin = quantile(ALPHA, n - 1.0) * (variance / n).sqrt();
    Interval { mean, low: mean - margin, high: mean + margin }
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_students() {
        // scipy.stats.t.interval(0.95, 4, loc=mean, scale=sem)
        let interval = mean_interval(&[0.70, 0.72, 0.69, 0.71, 0.73]);
        close(interval.mean, 0.71, 1e-12);
        close(interval.low, 0.690_367_568_385_224_4, 1e-9);
        close(interval.high, 0.729_632_431_614_775_5, 1e-9);
        assert_eq!(mean_interval(&[0.5]), Interval { mean: 0.5, low: 0.5, high: 0.5 });
    }
}
