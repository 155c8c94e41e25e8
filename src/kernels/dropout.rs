//! Inverted dropout with masks from a counter-based generator: a mask depends on nothing but its
//! key.

use crate::kernels::isa::{Isa, Level, Work};
use crate::vocab::Rng;

/// Replaces a pooling's argmax where dropout dropped the value.
pub const DROPPED: u8 = 255;

/// Returns the `index`-th key under `key`, for a layer under a step's key or an example under a
/// layer's.
#[must_use]
pub fn key_of(key: u64, index: usize) -> u64 {
    Rng::new(key).at(index as u64)
}

/// Returns the `index`-th draw under `key`. Draws start one before the key's stream, which existing
/// runs depend on.
#[inline(always)]
fn draw(key: u64, index: u64) -> u64 {
    Rng::new(key).at(index.wrapping_sub(1))
}

/// The share of values to drop, in [0, 1).
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rate(f32);

impl Rate {
    /// Creates a rate from a share in [0, 1); `None` for anything else.
    #[must_use]
    pub fn new(share: f32) -> Option<Self> {
        (0.0..1.0).contains(&share).then_some(Self(share))
    }

    /// Returns whether nothing is dropped.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }

    /// Returns the factor of kept values: `1 / (1 - share)`.
    #[must_use]
    pub fn scale(self) -> f32 {
        1.0 / (1.0 - self.0)
    }

    /// Returns the threshold: values whose 16 random bits are below it are dropped.
    fn threshold(self) -> u32 {
        (self.0 * 65_536.0).round() as u32
    }
}

/// Drops values in place: `values[i] = kept(key, i) ? values[i] * scale : 0`.
///
/// One draw of 64 bits decides four values: in a block of 64 values, draw `j` of 16 decides values
/// `j`, `16 + j`, `32 + j` and `48 + j` by its four quarters. Applied to a gradient with the same
/// key, this is the backward pass.
pub fn dropout(isa: Isa, rate: Rate, key: u64, values: &mut [f32]) {
    if !rate.is_zero() {
        isa.run(Drop { rate, key, values, argmax: &mut [] });
    }
}

/// How many numbers a position of an image holds, and how many of them are values; the rest are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spots {
    /// Values.
    pub used: usize,
    /// Numbers.
    pub stored: usize,
}

/// Applies [`dropout`] to pooled values and marks the dropped ones in their `argmax` ([`DROPPED`]),
/// so that the pooling's backward pass skips them and no mask is drawn twice. There is a draw for
/// each value, so that it does not matter how they are stored.
pub fn dropout_pooled(
    isa: Isa,
    rate: Rate,
    key: u64,
    spots: Spots,
    values: &mut [f32],
    argmax: &mut [u8],
) {
    assert_eq!(values.len(), argmax.len(), "an argmax for each value");
    if rate.is_zero() {
        return;
    }
    let Spots { used, stored } = spots;
    if used == stored {
        isa.run(Drop { rate, key, values, argmax });
        return;
    }
    let mut factors = vec![1.0; values.len() / stored * used];
    dropout(isa, rate, key, &mut factors);
    let rows = values.chunks_exact_mut(stored).zip(argmax.chunks_exact_mut(stored));
    for ((values, argmax), factors) in rows.zip(factors.chunks_exact(used)) {
        for ((value, mark), &factor) in values.iter_mut().zip(argmax).zip(factors) {
            *value *= factor;
            *mark = if factor == 0.0 { DROPPED } else { *mark };
        }
    }
}

/// Runs the backward pass of [`dropout_pooled`]: `d[i] = argmax[i] is DROPPED ? 0 : d[i] * scale`.
pub fn dropout_pooled_backward(isa: Isa, rate: Rate, argmax: &[u8], d: &mut [f32]) {
    if !rate.is_zero() {
        isa.run(Undrop { scale: rate.scale(), argmax, d });
    }
}

struct Undrop<'a> {
    scale: f32,
    argmax: &'a [u8],
    d: &'a mut [f32],
}

impl Work for Undrop<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (d, &mark) in self.d.iter_mut().zip(self.argmax) {
            *d = if mark == DROPPED { 0.0 } else { *d * self.scale };
        }
    }
}

struct Drop<'a> {
    rate: Rate,
    key: u64,
    values: &'a mut [f32],
    argmax: &'a mut [u8],
}

impl Work for Drop<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let (threshold, scale) = (self.rate.threshold(), self.rate.scale());
        let mut marks = self.argmax.chunks_mut(64);
        for (block, values) in self.values.chunks_mut(64).enumerate() {
            let mut draws = [0_u64; 16];
            for j in 0..16 {
                draws[j] = draw(self.key, (block * 16 + j) as u64);
            }
            let mut quarters = [0_u32; 64];
            for quarter in 0..4 {
                for j in 0..16 {
                    quarters[quarter * 16 + j] = (draws[j] >> (16 * quarter)) as u32 & 0xFFFF;
                }
            }
            for (value, &quarter) in values.iter_mut().zip(&quarters) {
                *value = if quarter >= threshold { *value * scale } else { 0.0 };
            }
            if let Some(marks) = marks.next() {
                for (mark, &quarter) in marks.iter_mut().zip(&quarters) {
                    *mark = if quarter >= threshold { *mark } else { DROPPED };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::random;
    use proptest::prelude::*;

    /// Every number is a value.
    const WHOLE: Spots = Spots { used: 1, stored: 1 };

    #[test]
    fn a_value_is_dropped_however_it_is_stored() {
        let (rate, isa) = (Rate::new(0.4).unwrap(), Isa::best());
        let (mut plain, mut wide) = (vec![1.0; 50 * 3], vec![0.0; 50 * 8]);
        wide.chunks_exact_mut(8).for_each(|row| row[..3].fill(1.0));
        let (mut marks, mut wide_marks) = (vec![2; plain.len()], vec![2; wide.len()]);
        dropout_pooled(isa, rate, 9, WHOLE, &mut plain, &mut marks);
        let spots = Spots { used: 3, stored: 8 };
        dropout_pooled(isa, rate, 9, spots, &mut wide, &mut wide_marks);
        let cut = |rows: std::slice::ChunksExact<'_, f32>| {
            rows.flat_map(|r| r[..3].to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(cut(wide.chunks_exact(8)), plain);
        assert!(wide.chunks_exact(8).all(|row| row[3..].iter().all(|x| *x == 0.0)));
        for (row, wide) in marks.chunks_exact(3).zip(wide_marks.chunks_exact(8)) {
            assert_eq!((row, &wide[3..]), (&wide[..3], &[2; 5][..]));
        }
    }

    #[test]
    fn drops_the_asked_share_and_keeps_the_mean() {
        for share in [0.1, 0.2, 0.5] {
            let mut values = vec![1.0; 100_003];
            dropout(Isa::best(), Rate::new(share).unwrap(), 7, &mut values);
            let n = values.len() as f32;
            let dropped = values.iter().filter(|&&v| v == 0.0).count() as f32 / n;
            assert!((dropped - share).abs() < 0.006, "dropped {dropped}, asked {share}");
            assert!((values.iter().sum::<f32>() / n - 1.0).abs() < 0.02);
        }
    }

    #[test]
    fn a_key_gives_the_same_mask_at_every_level_and_marks_it() {
        let rate = Rate::new(0.3).unwrap();
        let masks: Vec<Vec<f32>> = Isa::available()
            .into_iter()
            .map(|isa| {
                let (mut values, mut argmax) = (vec![1.0; 150], vec![3_u8; 150]);
                dropout_pooled(isa, rate, 42, WHOLE, &mut values, &mut argmax);
                assert!(values.iter().zip(&argmax).all(|(v, a)| (*v == 0.0) == (*a == DROPPED)));
                values
            })
            .collect();
        assert!(masks.iter().all(|mask| *mask == masks[0]));
        let mut other = vec![1.0; 150];
        dropout(Isa::best(), rate, 43, &mut other);
        assert_ne!(other, masks[0]);
    }

    proptest! {
        #[test]
        fn any_length_is_the_plain_mask_forward_and_back(n in 1_usize..200, key: u64, share in 0.0_f32..0.95) {
            let rate = Rate::new(share).unwrap();
            // In a block of 64 values, the quarters of draw j decide j, 16 + j, 32 + j and 48 + j.
            let draw = |i: usize| draw(key, (i / 64 * 16 + i % 16) as u64) >> (16 * (i % 64 / 16)) & 0xFFFF;
            let is_kept = |i: usize| draw(i) as f64 >= (f64::from(share) * 65_536.0).round();
            let plain = |values: &[f32]| -> Vec<f32> {
                values.iter().enumerate().map(|(i, v)| if is_kept(i) { v / (1.0 - share) } else { 0.0 }).collect()
            };
            let (x, d) = (random(key, n), random(key ^ 1, n));
            for isa in Isa::available() {
                let (mut out, mut argmax, mut back, mut same) = (x.clone(), vec![7_u8; n], d.clone(), d.clone());
                dropout_pooled(isa, rate, key, WHOLE, &mut out, &mut argmax);
                dropout_pooled_backward(isa, rate, &argmax, &mut back);
                dropout(isa, rate, key, &mut same);
                for (actual, expected) in [(&out, plain(&x)), (&back, plain(&d)), (&same, plain(&d))] {
                    for (a, e) in actual.iter().zip(&expected) {
                        prop_assert!((a - e).abs() <= 1e-5 * e.abs(), "{} for {}", a, e);
                    }
                }
                prop_assert!(argmax.iter().enumerate().all(|(i, mark)| (*mark == 7) == is_kept(i)));
            }
        }
    }

    #[test]
    fn no_share_outside_the_unit_interval() {
        assert!(
            Rate::new(1.0).is_none() && Rate::new(-0.1).is_none() && Rate::new(f32::NAN).is_none()
        );
    }
}
