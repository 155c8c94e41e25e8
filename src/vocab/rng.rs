//! All randomness: streams that depend on a seed, a purpose and indices. None of them is global.
//!
//! A stream depends on nothing but its key, so it does not matter what ran before or on how many
//! threads. A resumed run draws the same numbers as an uninterrupted one.

use super::hash::Sha256;

/// The number that makes a run repeatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// Returns the random stream for one purpose, e.g. `("dropout", &[epoch, step, layer])`.
    #[must_use]
    pub fn rng(self, purpose: &str, indices: &[u64]) -> Rng {
        let mut key = Sha256::new().piece(self.0.to_le_bytes()).piece(purpose);
        for index in indices {
            key = key.piece(index.to_le_bytes());
        }
        let digest = key.hex();
        Rng::new(u64::from_str_radix(&digest[..16], 16).expect("a digest is hexadecimal"))
    }
}

/// A counter-based generator: value `i` is a fixed mix of `key + i * golden ratio`.
///
/// # Source
/// `SplitMix64`: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub struct Rng {
    key: u64,
    counter: u64,
}

impl Rng {
    /// Creates the stream of a key.
    #[must_use]
    #[inline]
    pub const fn new(key: u64) -> Self {
        Self { key, counter: 0 }
    }

    /// Returns the `index`-th value of the stream, whatever was drawn before.
    #[must_use]
    #[expect(clippy::inline_always, reason = "the dropout kernel is vectorized by what it inlines")]
    #[inline(always)]
    pub const fn at(&self, index: u64) -> u64 {
        let mut z =
            self.key.wrapping_add((index.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns the next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let value = self.at(self.counter);
        self.counter += 1;
        value
    }

    /// Draws a number in `[0, 1)` with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Draws a number in `[low, high)`.
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Draws an integer in `[0, n)`, with negligible bias (below `n / 2^64`).
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "below(0) is impossible");
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Draws from the normal distribution with mean 0 and variance 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform()));
        radius * libm::cos(std::f64::consts::TAU * self.uniform())
    }

    /// Draws from the gamma distribution with a shape in `(0, inf)` and scale 1.
    ///
    /// # Source
    /// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; for shapes
    /// below 1 with the boost of their section 6.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = libm::pow(1.0 - self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let cube = 1.0 + c * x;
            if cube <= 0.0 {
                continue;
            }
            let v = cube * cube * cube;
            let u = 1.0 - self.uniform();
            if libm::log(u) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
                return d * v;
            }
        }
    }

    /// Draws from Beta(`a`, `a`), in `[0, 1]`; 0.5 if both gamma draws underflow to 0.
    pub fn beta(&mut self, a: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(a));
        if x + y > 0.0 { x / (x + y) } else { 0.5 }
    }

    /// Shuffles a slice (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_splitmix64_stream() {
        // The first values of SplitMix64 from seed 1234567, as in Vigna's reference test vector.
        let mut rng = Rng::new(1_234_567);
        let got: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(
            got,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn streams_depend_on_seed_purpose_and_indices() {
        let first = |seed, purpose, indices: &[u64]| Seed(seed).rng(purpose, indices).next_u64();
        let base = first(1, "dropout", &[0, 1]);
        assert_eq!(base, first(1, "dropout", &[0, 1]));
        for other in [
            first(2, "dropout", &[0, 1]),
            first(1, "shuffle", &[0, 1]),
            first(1, "dropout", &[1, 0]),
            first(1, "dropout", &[0]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn gamma_and_beta_have_their_moments() {
        for shape in [0.2, 0.7, 1.0, 3.5] {
            let mut rng = Seed(5).rng("test", &[]);
            let n = 100_000;
            let moments = |draws: &[f64]| {
                let mean = draws.iter().sum::<f64>() / f64::from(n);
                let square = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
                (mean, square)
            };
            let draws: Vec<f64> = (0..n).map(|_| rng.gamma(shape)).collect();
            let (mean, variance) = moments(&draws);
            assert!((mean - shape).abs() < 0.03 * shape.max(0.5), "{shape}: mean {mean}");
            assert!((variance - shape).abs() < 0.06 * shape.max(0.5), "{shape}: {variance}");
            let draws: Vec<f64> = (0..n).map(|_| rng.beta(shape)).collect();
            let (mean, variance) = moments(&draws);
            // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
            assert!((mean - 0.5).abs() < 0.01, "{shape}: {mean}");
            assert!((variance - 0.25 / (2.0 * shape + 1.0)).abs() < 0.005, "{shape}: {variance}");
        }
    }

    #[test]
    fn normal_has_mean_0_and_variance_1() {
        let mut rng = Seed(3).rng("test", &[]);
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.015, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<usize> = (0..50).collect();
        Seed(1).rng("test", &[]).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
