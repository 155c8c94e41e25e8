//! Degradations of a waveform: bad recordings, narrow channels, coarse codecs.
//!
//! All are pure functions of samples, settings and a seed: the same input gives the same bits. The
//! output has the sample rate of the input, and its length unless the speed changes. Each degradation
//! has an [`Entry`]; names, ranges, messages and contract tests follow from [`DEGRADATIONS`].
//!
//! The real codecs are `mp3`, with the pure-Rust encoder and decoder of `rusty_mp3`, and `mu_law`.
//! Among other encoders in pure Rust, shine-rs (mp3) is LGPL, and opus-pure and opus-rs (opus) are
//! larger, for a codec in which these datasets were never stored.
//!
//! ```
//! use encore::audio::{Degradation, Waveform};
//! use encore::vocab::Seed;
//!
//! let noisy: Degradation = "white_noise snr_db=20".parse()?;
//! let waveform = Waveform { samples: vec![0.5; 1000], sample_rate_hz: 22_050 };
//! let degraded = noisy.apply(&waveform, Seed(1));
//! assert_eq!(degraded.samples.len(), 1000);
//! assert_eq!(noisy.to_string(), "white_noise snr_db=20");
//! # Ok::<(), encore::audio::AudioError>(())
//! ```

mod bandwidth;
mod convolve;
mod drawn;
mod level;
mod mp3;
mod noise;
mod pitch;
mod quantise;
mod reverb;
mod speed;

use std::{fmt, str::FromStr};

use super::{AudioError, Waveform};
use crate::vocab::{Rng, Seed, nearest, quoted_list};

/// Every degradation, by name.
pub const DEGRADATIONS: &[Entry] = &[
    noise::WHITE,
    noise::PINK,
    bandwidth::LOW_PASS,
    bandwidth::DOWN_UP,
    quantise::QUANTISE,
    quantise::MU_LAW,
    mp3::MP3,
    level::CLIP,
    level::CLIP_SHARE,
    level::GAIN,
    reverb::REVERB,
    pitch::PITCH,
    speed::SPEED,
];

/// A kind of degradation.
#[derive(Debug)]
pub struct Entry {
    /// The name, e.g. `white_noise`.
    pub name: &'static str,
    /// One-sentence description.
    pub doc: &'static str,
    /// Its parameters in order.
    pub parameters: &'static [Parameter],
    /// Computes the output, given a value for each parameter. It is as long as the input, except that of `speed`.
    run: fn(&[f64], &Waveform, &mut Rng) -> Vec<f32>,
}

/// A parameter of a degradation.
#[derive(Debug)]
pub struct Parameter {
    /// The name with its unit, e.g. `snr_db`.
    pub name: &'static str,
    /// Short description.
    pub doc: &'static str,
    /// The minimum.
    pub low: f64,
    /// The maximum.
    pub high: f64,
    /// The kind of numbers.
    pub numbers: Numbers,
    /// The default; `None` if the parameter is required.
    pub default: Option<f64>,
}

/// The kind of numbers that a parameter allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Any number in the range.
    Real,
    /// Integers only.
    Whole,
}

impl Parameter {
    fn check(&self, value: f64) -> Result<f64, AudioError> {
        let is_allowed = (self.low..=self.high).contains(&value)
            && (self.numbers == Numbers::Real || value.fract() == 0.0);
        if is_allowed { Ok(value) } else { Err(self.fault(value)) }
    }

    fn fault(&self, got: impl fmt::Display) -> AudioError {
        let kind = match self.numbers {
            Numbers::Real => "a number",
            Numbers::Whole => "a whole number",
        };
        AudioError::setting(self.name, format!("{kind} in [{}, {}]", self.low, self.high), got)
    }
}

/// A degradation with checked parameters.
///
/// Its text form is `name parameter=value ...`.
#[derive(Debug, Clone)]
pub struct Degradation {
    entry: &'static Entry,
    values: Vec<f64>,
}

impl Degradation {
    /// Creates a degradation by name; missing parameters have their defaults.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for an unknown name or parameter, a required parameter that
    /// is missing, one that is given twice, or a value outside its range.
    pub fn new(name: &str, given: &[(&str, f64)]) -> Result<Self, AudioError> {
        let names = || DEGRADATIONS.iter().map(|entry| entry.name);
        let entry = DEGRADATIONS
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| unknown("degradation", name, &names().collect::<Vec<_>>()))?;
        let mut values: Vec<Option<f64>> = vec![None; entry.parameters.len()];
        for &(key, value) in given {
            let names = || entry.parameters.iter().map(|parameter| parameter.name);
            let idx = names()
                .position(|known| known == key)
                .ok_or_else(|| unknown(entry.name, key, &names().collect::<Vec<_>>()))?;
            let parameter = &entry.parameters[idx];
            if values[idx].replace(parameter.check(value)?).is_some() {
                return Err(AudioError::setting(parameter.name, "given once", "two values"));
            }
        }
        let or_default = |(value, parameter): (Option<f64>, &Parameter)| {
            value.or(parameter.default).ok_or_else(|| parameter.fault("nothing"))
        };
        let values =
            values.into_iter().zip(entry.parameters).map(or_default).collect::<Result<_, _>>()?;
        Ok(Self { entry, values })
    }

    /// Returns the kind of degradation.
    #[must_use]
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// Returns whether the output is as long as the input: all but that of `speed` is.
    #[must_use]
    pub fn keeps_length(&self) -> bool {
        self.entry.name != speed::SPEED.name
    }

    /// Degrades a waveform; the output has the same rate, and the same length unless [`Self::keeps_length`]
    /// says otherwise.
    ///
    /// Random numbers depend on the seed and the degradation's name alone. Two waveforms with the
    /// same seed get the same noise, so use different seeds. Samples may exceed [-1, 1] (noise,
    /// gain, reverberation).
    #[must_use]
    pub fn apply(&self, waveform: &Waveform, seed: Seed) -> Waveform {
        let mut rng = seed.rng(self.entry.name, &[]);
        let samples = (self.entry.run)(&self.values, waveform, &mut rng);
        debug_assert!(!self.keeps_length() || samples.len() == waveform.samples.len());
        Waveform { samples, sample_rate_hz: waveform.sample_rate_hz }
    }
}

fn unknown(parameter: &'static str, got: &str, known: &[&str]) -> AudioError {
    let meant = nearest(got, known.iter().copied());
    let hint = meant.map_or(String::new(), |name| format!(", did you mean `{name}`?"));
    let allowed = match known {
        [] => "written without parameters".to_owned(),
        _ => quoted_list(known.iter().copied()),
    };
    AudioError::setting(parameter, allowed, format!("`{got}`{hint}"))
}

impl PartialEq for Degradation {
    fn eq(&self, other: &Self) -> bool {
        self.entry.name == other.entry.name && self.values == other.values
    }
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry.name)?;
        for (parameter, value) in self.entry.parameters.iter().zip(&self.values) {
            write!(f, " {}={value}", parameter.name)?;
        }
        Ok(())
    }
}

impl FromStr for Degradation {
    type Err = AudioError;

    /// Reads `name parameter=value ...`.
    fn from_str(text: &str) -> Result<Self, AudioError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let read = |word| {
            let form = || {
                AudioError::setting(
                    "degradation",
                    "`name parameter=value ...`",
                    format!("`{word}`"),
                )
            };
            let (key, value) = str::split_once(word, '=').ok_or_else(form)?;
            let value = value.parse::<f64>().map_err(|_| {
                AudioError::setting(
                    "degradation",
                    format!("given a number for `{key}`"),
                    format!("`{value}`"),
                )
            })?;
            Ok((key, value))
        };
        let given = words.map(read).collect::<Result<Vec<_>, AudioError>>()?;
        Self::new(name, &given)
    }
}

/// Returns the mean of the squared samples; 0 without samples.
fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    sum / samples.len().max(1) as f64
}

/// Converts dB to a factor of amplitudes.
fn amplitude(db: f64) -> f64 {
    libm::pow(10.0, db / 20.0)
}

#[cfg(test)]
mod tests;
