//! The basis of every voice: tables of one period, integer phases and fast noise.
//!
//! The output only depends on libm's tables and constants and on plain `+ - * /` with `f32`, which
//! IEEE 754 specifies to the last bit, so a corpus is the same on every machine.

use std::sync::OnceLock;

use super::SAMPLE_RATE_HZ;

/// Number of samples in one period of a table. One more at the end repeats the first, for
/// interpolation.
pub(super) const TABLE_LEN: usize = 1 << TABLE_BITS;
const TABLE_BITS: u32 = 11;
const FRACTION_BITS: u32 = 32 - TABLE_BITS;

/// One period of a wave, followed by its first sample.
pub(super) type Table = [f32; TABLE_LEN + 1];

/// The sample rate in Hz, as `f32` for formulas.
pub(super) const RATE: f32 = SAMPLE_RATE_HZ as f32;

/// A wave as a list of tables with fewer and fewer harmonics, so that high notes do not alias.
#[derive(Debug, Clone)]
pub(super) struct Wavetable {
    /// Number of harmonics and the table, most harmonics first.
    levels: Vec<(usize, Box<Table>)>,
}

impl Wavetable {
    /// Creates the wave with these amplitudes of harmonics 1, 2, 3, ..., scaled to unit RMS.
    #[must_use]
    pub(super) fn from_harmonics(amplitudes: &[f64]) -> Self {
        let power: f64 = amplitudes.iter().map(|a| a * a / 2.0).sum();
        let scale = if power > 0.0 { 1.0 / libm::sqrt(power) } else { 0.0 };
        let mut levels = Vec::new();
        let mut n_harmonics = amplitudes.len().max(1);
        loop {
            levels.push((
                n_harmonics,
                period(&amplitudes[..n_harmonics.min(amplitudes.len())], scale),
            ));
            if n_harmonics == 1 {
                return Self { levels };
            }
            n_harmonics = n_harmonics.div_ceil(2);
        }
    }

    /// Returns the table with the most harmonics that a fundamental of `hz` can play below 10 kHz.
    #[must_use]
    pub(super) fn table(&self, hz: f32) -> &Table {
        let last = self.levels.len() - 1;
        let fits = self.levels.iter().position(|(n, _)| *n as f32 * hz < 10_000.0);
        &self.levels[fits.unwrap_or(last)].1
    }
}

fn period(amplitudes: &[f64], scale: f64) -> Box<Table> {
    let sine = sine();
    let mut table = Box::new([0.0; TABLE_LEN + 1]);
    for (harmonic, amplitude) in (1usize..).zip(amplitudes) {
        let gain = (amplitude * scale) as f32;
        for (i, value) in table.iter_mut().enumerate() {
            *value += gain * sine[(i * harmonic) % TABLE_LEN];
        }
    }
    table
}

/// Returns one period of the sine.
pub(super) fn sine() -> &'static Table {
    static SINE: OnceLock<Box<Table>> = OnceLock::new();
    SINE.get_or_init(|| {
        let mut table = Box::new([0.0; TABLE_LEN + 1]);
        for (i, value) in table.iter_mut().enumerate().take(TABLE_LEN) {
            *value = libm::sin(std::f64::consts::TAU * i as f64 / TABLE_LEN as f64) as f32;
        }
        table
    })
}

/// Looks up the table at a phase, where 2^32 is one period; interpolates linearly.
#[inline]
pub(super) fn read(table: &Table, phase: u32) -> f32 {
    let index = (phase >> FRACTION_BITS) as usize;
    let fraction = (phase & ((1 << FRACTION_BITS) - 1)) as f32 / (1u32 << FRACTION_BITS) as f32;
    table[index] + fraction * (table[index + 1] - table[index])
}

/// Returns the increment of the phase per sample at a frequency in Hz.
#[inline]
pub(super) fn increment(hz: f32) -> u32 {
    (hz / RATE * 4_294_967_296.0) as u32
}

/// Returns the frequency in Hz of a MIDI note number (69 is 440 Hz).
pub(super) fn midi_hz(note: f64) -> f32 {
    (440.0 * libm::exp2((note - 69.0) / 12.0)) as f32
}

/// Returns the factor of a level in dB.
pub(super) fn db_gain(db: f64) -> f32 {
    libm::pow(10.0, db / 20.0) as f32
}

/// Converts seconds to a number of samples.
pub(super) fn samples(seconds: f64) -> usize {
    (seconds.max(0.0) * f64::from(SAMPLE_RATE_HZ)) as usize
}

/// White noise in [-1, 1): Marsaglia's xorshift with 32 bits of state (2003).
#[derive(Debug, Clone)]
pub(super) struct Noise(u32);

impl Noise {
    /// Creates the noise of a seed.
    pub(super) fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// Returns the next sample.
    #[inline]
    pub(super) fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.cast_signed() as f32 / 2_147_483_648.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_has_unit_rms_and_its_harmonics_fit_under_the_note() {
        let saw: Vec<f64> = (1..=40).map(|k| 1.0 / f64::from(k)).collect();
        let wave = Wavetable::from_harmonics(&saw);
        let low = wave.table(50.0);
        let mean_square = low[..TABLE_LEN].iter().map(|x| x * x).sum::<f32>() / TABLE_LEN as f32;
        assert!((mean_square - 1.0).abs() < 0.01, "{mean_square}");
        let counts: Vec<usize> = wave.levels.iter().map(|(n, _)| *n).collect();
        assert_eq!(counts, [40, 20, 10, 5, 3, 2, 1]);
    }

    #[test]
    fn a_quarter_of_a_period_reads_one() {
        assert!((read(sine(), 1 << 30) - 1.0).abs() < 1e-6);
        assert!(read(sine(), 0).abs() < 1e-6);
        assert_eq!(increment(RATE / 4.0), 1 << 30);
    }

    #[test]
    fn notes_and_levels_are_the_usual_ones() {
        assert!((midi_hz(57.0) - 220.0).abs() < 1e-3);
        assert!((db_gain(-20.0) - 0.1).abs() < 1e-6);
        assert_eq!(samples(0.5), 11_025);
    }

    #[test]
    fn noise_is_centered_and_bounded() {
        let mut noise = Noise::new(7);
        let draws: Vec<f32> = (0..20_000).map(|_| noise.next()).collect();
        assert!(draws.iter().all(|x| (-1.0..=1.0).contains(x)));
        assert!((draws.iter().sum::<f32>() / 20_000.0).abs() < 0.02);
    }
}
