//! Conversion of power to decibels, in place.
//!
//! # Source
//! `librosa.power_to_db`, version 0.11.0.

use super::AudioError;
use crate::vocab::LANES;

/// The power that corresponds to 0 dB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reference {
    /// A power of 1.
    #[default]
    One,
    /// The maximum, so that every value is <= 0.
    Max,
}

/// How power is converted to dB. The defaults are librosa's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecibelSettings {
    /// The power that corresponds to 0 dB.
    pub reference: Reference,
    /// The minimum power, in [1e-37, 1]; lower values count as this (1e-10 is -100 dB).
    pub amin: f32,
    /// The range below the maximum in dB, >= 0; lower values are raised to its end. `None` for no
    /// limit.
    pub top_db: Option<f32>,
}

impl Default for DecibelSettings {
    fn default() -> Self {
        Self { reference: Reference::One, amin: 1e-10, top_db: Some(80.0) }
    }
}

impl DecibelSettings {
    pub(super) fn check(&self) -> Result<(), AudioError> {
        if !(1e-37..=1.0).contains(&self.amin) {
            return Err(AudioError::setting("decibel.amin", "in [1e-37, 1]", self.amin));
        }
        match self.top_db {
            Some(top_db) if !(top_db >= 0.0 && top_db.is_finite()) => {
                Err(AudioError::setting("decibel.top_db", "finite and at least 0", top_db))
            }
            _ => Ok(()),
        }
    }
}

/// Converts power to dB in place: `10 log10(max(power, amin) / reference)`. Values more than
/// `top_db` below the maximum are then raised to that limit.
///
/// The maximum, for [`Reference::Max`] and `top_db`, is that of all `values`: pass the whole
/// spectrogram, not a frame. NaN counts as `amin`. The logarithm is exact to 5e-6 dB and 1e-7 of
/// the value.
///
/// # Errors
/// [`AudioError::InvalidParameter`] for `amin` or `top_db` out of range.
pub fn power_to_db(values: &mut [f32], settings: &DecibelSettings) -> Result<(), AudioError> {
    settings.check()?;
    to_db(values, settings);
    Ok(())
}

/// Converts like [`power_to_db`], with settings that are already checked.
pub(super) fn to_db(values: &mut [f32], settings: &DecibelSettings) {
    let amin = settings.amin;
    let mut peaks = [f32::NEG_INFINITY; LANES];
    let (lanes, rest) = values.as_chunks_mut::<LANES>();
    for chunk in lanes {
        for (value, peak) in chunk.iter_mut().zip(&mut peaks) {
            *value = decibel(value.max(amin));
            *peak = peak.max(*value);
        }
    }
    for value in rest {
        *value = decibel(value.max(amin));
        peaks[0] = peaks[0].max(*value);
    }
    let peak = peaks.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let zero_db = match settings.reference {
        Reference::One => 0.0,
        Reference::Max => peak,
    };
    let floor = settings.top_db.map_or(f32::NEG_INFINITY, |top_db| peak - zero_db - top_db);
    if zero_db != 0.0 || floor > f32::NEG_INFINITY {
        for value in values {
            *value = (*value - zero_db).max(floor);
        }
    }
}

/// Computes `10 log10(x)` for a positive normal number, without a branch or a table, so that the
/// compiler can vectorize a loop over it.
///
/// `x = 2^e * (1 + f)` with `1 + f` in `[sqrt(1/2), sqrt(2))`; `ln(1 + f)` by a polynomial.
///
/// # Source
/// The coefficients are those of Moshier's Cephes library, `logf.c` (relative error below 1e-7).
#[inline]
fn decibel(x: f32) -> f32 {
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    const DB_PER_OCTAVE: f32 = 3.010_3; // 10 log10(2)
    const DB_PER_NEPER: f32 = 4.342_944_6; // 10 log10(e), of power
    const POLYNOMIAL: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits = x.to_bits().cast_signed();
    let exponent = (bits - SQRT_HALF_BITS) >> 23;
    let f = f32::from_bits((bits - (exponent << 23)).cast_unsigned()) - 1.0;
    let tail = POLYNOMIAL.iter().fold(0.0, |sum, coefficient| sum * f + coefficient);
    let ln = f + f * f * (f * tail - 0.5);
    exponent as f32 * DB_PER_OCTAVE + ln * DB_PER_NEPER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db(values: &[f32], settings: DecibelSettings) -> Vec<f32> {
        let mut values = values.to_vec();
        power_to_db(&mut values, &settings).expect("the settings are in range");
        values
    }

    fn assert_close(got: &[f32], wanted: &[f32]) {
        assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{got:?}, {wanted:?}");
    }

    #[test]
    fn ten_decibel_are_a_factor_of_ten() {
        let settings = DecibelSettings { top_db: None, ..Default::default() };
        assert_close(&db(&[1.0, 10.0, 0.001, 0.0], settings), &[0.0, 10.0, -30.0, -100.0]);
        assert_close(&db(&[f32::NAN, -1.0], settings), &[-100.0, -100.0]);
    }

    #[test]
    fn quiet_values_are_lifted_to_top_db_under_the_largest() {
        assert_close(&db(&[100.0, 1e-7, 1e-5], DecibelSettings::default()), &[20.0, -60.0, -50.0]);
    }

    #[test]
    fn the_largest_is_zero_where_it_is_the_reference() {
        let settings = DecibelSettings { reference: Reference::Max, ..Default::default() };
        assert_close(&db(&[100.0, 1.0, 0.0], settings), &[0.0, -20.0, -80.0]);
        assert_close(&db(&[0.0, 0.0], settings), &[0.0, 0.0]);
    }

    #[test]
    fn the_fast_logarithm_stays_within_its_tolerance() {
        let mut x = 1e-37_f32;
        while x < 1e37 {
            let exact = 10.0 * f64::from(x).log10();
            let error = (f64::from(decibel(x)) - exact).abs();
            assert!(error < 5e-6 + 1e-7 * exact.abs(), "{x:e}: {error:e}");
            x *= 1.000_37;
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = DecibelSettings { amin: 0.0, ..Default::default() };
        let error = power_to_db(&mut [1.0], &bad).expect_err("amin is zero");
        assert_eq!(error.to_string(), "decibel.amin must be in [1e-37, 1], found 0");
        let bad = DecibelSettings { top_db: Some(-1.0), ..Default::default() };
        let error = power_to_db(&mut [1.0], &bad).expect_err("top_db is negative");
        assert_eq!(error.to_string(), "decibel.top_db must be finite and at least 0, found -1");
    }
}
