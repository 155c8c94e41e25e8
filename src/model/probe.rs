//! Settings and results of a learning-rate range test.

/// The range of learning rates and the number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTest {
    /// The first learning rate, `(0, high)`.
    pub low: f64,
    /// The last learning rate, if the loss does not diverge earlier.
    pub high: f64,
    /// Number of steps, evenly spaced on a logarithmic scale, at least 2.
    pub n_steps: usize,
}

/// One step of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Learning rate of the step.
    pub learning_rate: f64,
    /// The batch's mean loss before the step, penalties included.
    pub loss: f64,
    /// The running mean of the loss, from which the suggestion is computed.
    pub smoothed: f64,
}

/// Suggests the learning rate at which the smoothed loss falls most steeply over the logarithm of
/// the rate, before its minimum; nothing if it never falls.
///
/// The first tenth of the steps is ignored because the running mean still settles there.
#[must_use]
pub fn suggestion(probes: &[Probe]) -> Option<f64> {
    let first = probes.len() / 10;
    let least =
        (first..probes.len()).min_by(|&a, &b| probes[a].smoothed.total_cmp(&probes[b].smoothed))?;
    // Slopes are taken over a few steps, because single steps are noisy.
    let span = (probes.len() / 20).max(1);
    let slope = |at: usize| probes[at + span].smoothed - probes[at].smoothed;
    let steepest = (first..(least + 1).saturating_sub(span))
        .min_by(|&a, &b| slope(a).total_cmp(&slope(b)))
        .filter(|&at| slope(at) < 0.0)?;
    let (from, to) = (probes[steepest].learning_rate, probes[steepest + span].learning_rate);
    Some(libm::sqrt(from * to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steepest_fall_is_found_and_a_rising_loss_suggests_nothing() {
        let probe = |i: usize, smoothed: f64| {
            let learning_rate = libm::pow(10.0, i as f64 / 10.0 - 6.0);
            Probe { learning_rate, loss: smoothed, smoothed }
        };
        // A loss that falls like a logistic curve, steepest at step 40 (rate 1e-2), and then rises.
        let slide = |i: usize| {
            2.0 / (1.0 + ((i as f64 - 40.0) / 4.0).exp())
                + 0.3
                + if i > 55 { 0.2 * (i - 55) as f64 } else { 0.0 }
        };
        let probes: Vec<Probe> = (0..70).map(|i| probe(i, slide(i))).collect();
        let found = suggestion(&probes).unwrap();
        assert!((0.007..0.014).contains(&found), "{found}");
        let rising: Vec<Probe> = (0..70).map(|i| probe(i, i as f64)).collect();
        assert_eq!(suggestion(&rising), None);
        assert_eq!(suggestion(&[]), None);
    }
}
