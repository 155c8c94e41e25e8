//! Values of parameters that are drawn at random, for augmentation.

use super::{Numbers, Parameter};
use crate::vocab::Rng;

impl Parameter {
    /// Whether values are drawn on a logarithmic scale: frequencies and bit rates.
    #[must_use]
    pub fn is_logarithmic(&self) -> bool {
        ["_hz", "_kbps"].iter().any(|unit| self.name.ends_with(unit))
    }

    /// Draws a value from `[low, high]`, a part of the parameter's range: evenly, or evenly on a
    /// logarithmic scale.
    #[must_use]
    pub fn draw(&self, [low, high]: [f64; 2], rng: &mut Rng) -> f64 {
        if low >= high {
            return low;
        }
        let share = rng.uniform();
        match (self.is_logarithmic(), self.numbers) {
            (false, Numbers::Real) => low + share * (high - low),
            // Every whole number is equally likely, both ends included.
            (false, Numbers::Whole) => (low + (share * (high - low + 1.0)).floor()).min(high),
            (true, numbers) => {
                let drawn = low * libm::pow(high / low, share);
                let drawn = if numbers == Numbers::Whole { drawn.round() } else { drawn };
                drawn.clamp(low, high)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEGRADATIONS;
    use crate::vocab::Seed;

    fn draws(degradation: &str, range: [f64; 2]) -> Vec<f64> {
        let entry = DEGRADATIONS.iter().find(|entry| entry.name == degradation).unwrap();
        let mut rng = Seed(1).rng("test", &[]);
        (0..4000).map(|_| entry.parameters[0].draw(range, &mut rng)).collect()
    }

    #[test]
    fn values_are_drawn_from_their_range_evenly_or_on_a_logarithmic_scale() {
        let noise = draws("white_noise", [10.0, 40.0]);
        let mean = noise.iter().sum::<f64>() / 4000.0;
        assert!((mean - 25.0).abs() < 0.5, "{mean}");
        assert!(noise.iter().all(|db| (10.0..=40.0).contains(db)));
        let bits = draws("quantise", [4.0, 7.0]);
        for n in [4.0, 5.0, 6.0, 7.0] {
            let count = bits.iter().filter(|bits| **bits == n).count();
            assert!((900..1100).contains(&count), "{n}: {count}");
        }
        // As many below the geometric mean as above.
        let cutoffs = draws("low_pass", [500.0, 8000.0]);
        let n_low = cutoffs.iter().filter(|hz| **hz < 2000.0).count();
        assert!((1900..2100).contains(&n_low), "{n_low}");
        let rates = draws("mp3", [16.0, 128.0]);
        assert!(rates.iter().all(|rate| rate.fract() == 0.0 && (16.0..=128.0).contains(rate)));
        assert!(draws("mp3", [64.0, 64.0]).iter().all(|rate| *rate == 64.0));
    }
}
