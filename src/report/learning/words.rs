//! What a learning curve says of more data, in sentences.

use super::super::words::{count, fraction, interval, signed};
use super::measured::Curve;

/// A forecast whose interval is longer than this says little.
const WIDE: f64 = 0.1;

/// `cnn-3 on gtzan`.
pub(in crate::report) fn title(curve: &Curve) -> String {
    let runs = &curve.last().runs;
    format!("{} on {}", runs.name(), runs.dataset_short())
}

/// Whether the forecast says little.
pub(super) fn is_wide(curve: &Curve) -> bool {
    curve.forecast().is_some_and(|(_, it)| it.high - it.low > WIDE)
}

/// The law, the forecast, and what to know of it; one sentence or two each.
pub(in crate::report) fn sentences(curve: &Curve) -> Vec<String> {
    let metric = curve.metric.words();
    let law = match &curve.law {
        Err(why) => return vec![format!("No law can be fitted: {why}.")],
        Ok(law) => law,
    };
    let numbers = law.law();
    let mut all = vec![format!(
        "The law: error = {} + {} n^-{}, where n is the number of training tracks, and the error is 1 minus \
         the {metric}.",
        fraction(numbers.floor),
        rounded(numbers.scale),
        rounded(numbers.exponent),
    )];
    let Some((n, forecast)) = curve.forecast() else { return all };
    let now = &curve.last().score;
    let gain = forecast.mean - now.mean;
    all.push(format!(
        "With ten times the training tracks ({}), the law gives {} {metric} of {}, {} against {} now. That is an \
         extrapolation: no run has more than {} training tracks.",
        count(n.round() as usize),
        if metric.starts_with(['a', 'R']) { "an" } else { "a" },
        interval(&forecast),
        signed(gain),
        fraction(now.mean),
        count(curve.last().n().round() as usize),
    ));
    if is_wide(curve) {
        all.push(
            "The interval is wide: these runs leave open how much more data would help.".to_owned(),
        );
    }
    if !law.is_lawful() {
        all.push(
            "The points do not follow such a law, so the interval is longer than chance alone makes it."
                .to_owned(),
        );
    }
    if !law.knows_seeds() {
        all.push("With one seed, intervals are about these models only.".to_owned());
    }
    all
}

/// Three digits.
fn rounded(value: f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    let decimals = (2.0 - value.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}")
}
