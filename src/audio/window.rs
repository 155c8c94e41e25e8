//! Window functions.

use std::f64::consts::TAU;

/// The weights of a frame's samples, in scipy's periodic form.
///
/// # Source
/// `scipy.signal.get_window(name, n, fftbins=True)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Window {
    /// Raised cosine that falls to 0.
    #[default]
    Hann,
    /// Raised cosine that falls to 0.08.
    Hamming,
    /// Sum of two cosines: lower side lobes, a wider peak.
    Blackman,
    /// All ones.
    Boxcar,
}

impl Window {
    /// Returns weight `i` of `n`.
    pub(super) fn weight(self, i: usize, n: usize) -> f64 {
        if n == 1 {
            return 1.0;
        }
        let angle = TAU * i as f64 / n as f64;
        match self {
            Self::Hann => 0.5 - 0.5 * angle.cos(),
            Self::Hamming => 0.54 - 0.46 * angle.cos(),
            Self::Blackman => 0.42 - 0.5 * angle.cos() + 0.08 * (2.0 * angle).cos(),
            Self::Boxcar => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_weights_are_scipys() {
        let weights =
            |window: Window| -> Vec<f64> { (0..4).map(|i| window.weight(i, 4)).collect() };
        for (window, wanted) in [
            (Window::Hann, [0.0, 0.5, 1.0, 0.5]),
            (Window::Hamming, [0.08, 0.54, 1.0, 0.54]),
            (Window::Blackman, [0.0, 0.34, 1.0, 0.34]),
            (Window::Boxcar, [1.0; 4]),
        ] {
            for (got, wanted) in weights(window).iter().zip(wanted) {
                assert!((got - wanted).abs() < 1e-12, "{window:?}: {got}, {wanted}");
            }
        }
        assert_eq!(Window::Hann.weight(0, 1), 1.0);
    }
}
