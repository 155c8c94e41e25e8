//! Mel bands: triangular filters over a power spectrum.
//!
//! # Source
//! `librosa.filters.mel` and `librosa.mel_frequencies`, version 0.11.0.

use super::AudioError;
use crate::vocab::{LANES, dot};

/// The formula that converts Hz to mel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MelScale {
    /// Linear below 1 kHz, logarithmic above (Slaney's Auditory Toolbox; librosa's `htk=False`).
    #[default]
    Slaney,
    /// `2595 log10(1 + f / 700)` (the HTK book; librosa's `htk=True`).
    Htk,
}

/// How the triangles are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MelNorm {
    /// All triangles have the same area, so that white noise gives equal bands (`norm="slaney"`).
    #[default]
    Slaney,
    /// All triangles have the peak 1 (`norm=None`).
    None,
}

/// How a spectrum is divided into mel bands. The defaults are librosa's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MelSettings {
    /// Sample rate of the signal, in Hz, >= 1.
    pub sample_rate_hz: u32,
    /// Number of bands, >= 1. If there are too many for `n_fft`, some of the lowest bands are
    /// empty.
    pub n_mels: usize,
    /// Lower edge of the lowest band, in Hz, >= 0.
    pub fmin_hz: f64,
    /// Upper edge of the highest band, in Hz, in (`fmin_hz`, `sample_rate_hz / 2`]; `None` means
    /// `sample_rate_hz / 2`.
    pub fmax_hz: Option<f64>,
    /// The mel formula.
    pub scale: MelScale,
    /// The scaling of the triangles.
    pub norm: MelNorm,
    /// Exponent of the magnitude spectrum, > 0: 2 for power, 1 for magnitude.
    pub power: f32,
}

impl Default for MelSettings {
    fn default() -> Self {
        Self {
            sample_rate_hz: 22_050,
            n_mels: 128,
            fmin_hz: 0.0,
            fmax_hz: None,
            scale: MelScale::Slaney,
            norm: MelNorm::Slaney,
            power: 2.0,
        }
    }
}

/// The filters without their zeros: 2,018 of the 131,200 default weights are not zero.
#[derive(Debug, Clone)]
pub(super) struct MelBank {
    /// The exponent of `|X|^2`, if it is not 1.
    exponent: Option<f32>,
    bands: Vec<Band>,
    /// The weights of all bands, each padded with zeros to whole lanes.
    weights: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Band {
    first_bin: usize,
    /// Index of the first weight, a multiple of `LANES`.
    first_weight: usize,
    n_weights: usize,
}

impl MelBank {
    /// # Errors
    /// [`AudioError::InvalidParameter`] for a setting outside its range.
    pub(super) fn new(settings: &MelSettings, n_fft: usize) -> Result<Self, AudioError> {
        let (fmin_hz, fmax_hz) = check(settings)?;
        let n_mels = settings.n_mels;
        let edges_hz = edges_hz(settings.scale, fmin_hz, fmax_hz, n_mels);
        let bin_hz = |bin: usize| bin as f64 * (f64::from(settings.sample_rate_hz) / n_fft as f64);
        let exponent = Some(settings.power / 2.0).filter(|&e| (e - 1.0).abs() > f32::EPSILON);
        let mut bank = Self { exponent, bands: Vec::new(), weights: Vec::new() };
        for edges in edges_hz.windows(3) {
            let &[low, centre, high] = edges else { unreachable!("windows(3) gives three") };
            // librosa rounds the triangle to f32 before and after scaling it.
            let weight = |bin: usize| {
                let rising = (bin_hz(bin) - low) / (centre - low);
                let falling = (high - bin_hz(bin)) / (high - centre);
                let triangle = rising.min(falling).max(0.0) as f32;
                match settings.norm {
                    MelNorm::Slaney => (f64::from(triangle) * (2.0 / (high - low))) as f32,
                    MelNorm::None => triangle,
                }
            };
            let n_bins = n_fft / 2 + 1;
            let first_bin = (0..n_bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let first_weight = bank.weights.len();
            bank.weights.extend((first_bin..n_bins).map(weight).take_while(|&w| w > 0.0));
            bank.weights.resize(bank.weights.len().next_multiple_of(LANES), 0.0);
            let n_weights = bank.weights.len() - first_weight;
            bank.bands.push(Band { first_bin, first_weight, n_weights });
        }
        Ok(bank)
    }

    /// Returns the number of bands.
    pub(super) fn n_mels(&self) -> usize {
        self.bands.len()
    }

    /// Number of bands whose filter lies between two bins: they are 0 for every signal.
    pub(super) fn n_empty(&self) -> usize {
        self.bands.iter().filter(|band| band.n_weights == 0).count()
    }

    /// `bands = filters * spectrum`, `[n_mels]`.
    ///
    /// `spectrum` is `|X|^2`, `[n_bins]`, followed by `LANES` zeros; the plan's exponent is applied
    /// to it in place.
    pub(super) fn apply(&self, spectrum: &mut [f32], bands: &mut [f32]) {
        if let Some(exponent) = self.exponent {
            for value in &mut *spectrum {
                *value = value.powf(exponent);
            }
        }
        for (value, band) in bands.iter_mut().zip(&self.bands) {
            let weights = &self.weights[band.first_weight..][..band.n_weights];
            *value = dot(weights, &spectrum[band.first_bin..][..band.n_weights]);
        }
    }
}

/// Returns the centers of the mel bands, `[n_mels]`, in Hz: the peak of each triangle.
///
/// # Errors
/// [`AudioError::InvalidParameter`] for a setting outside its range.
pub fn mel_frequencies(settings: &MelSettings) -> Result<Vec<f64>, AudioError> {
    let (fmin_hz, fmax_hz) = check(settings)?;
    let edges_hz = edges_hz(settings.scale, fmin_hz, fmax_hz, settings.n_mels);
    Ok(edges_hz[1..=settings.n_mels].to_vec())
}

fn check(settings: &MelSettings) -> Result<(f64, f64), AudioError> {
    let MelSettings { sample_rate_hz, n_mels, fmin_hz, fmax_hz, power, .. } = *settings;
    if sample_rate_hz == 0 {
        return Err(AudioError::setting("mel.sample_rate_hz", "at least 1", sample_rate_hz));
    }
    if !(1..=1 << 16).contains(&n_mels) {
        return Err(AudioError::setting("mel.n_mels", "in [1, 65536]", n_mels));
    }
    let nyquist_hz = f64::from(sample_rate_hz) / 2.0;
    if !(0.0..nyquist_hz).contains(&fmin_hz) {
        let allowed = format!("in [0, sample_rate_hz / 2 = {nyquist_hz})");
        return Err(AudioError::setting("mel.fmin_hz", allowed, fmin_hz));
    }
    let fmax_hz = fmax_hz.unwrap_or(nyquist_hz);
    if !(fmax_hz > fmin_hz && fmax_hz <= nyquist_hz) {
        let allowed = format!("in (fmin_hz = {fmin_hz}, sample_rate_hz / 2 = {nyquist_hz}]");
        return Err(AudioError::setting("mel.fmax_hz", allowed, fmax_hz));
    }
    if !(power > 0.0 && power.is_finite()) {
        return Err(AudioError::setting("mel.power", "finite and greater than 0", power));
    }
    Ok((fmin_hz, fmax_hz))
}

/// Returns `n_mels + 2` frequencies at equal distances in mel: the feet and peaks of the triangles.
fn edges_hz(scale: MelScale, fmin_hz: f64, fmax_hz: f64, n_mels: usize) -> Vec<f64> {
    let (low, high) = (hz_to_mel(scale, fmin_hz), hz_to_mel(scale, fmax_hz));
    let step = (high - low) / (n_mels + 1) as f64;
    let edge = |i: usize| if i == n_mels + 1 { high } else { low + i as f64 * step };
    (0..n_mels + 2).map(|i| mel_to_hz(scale, edge(i))).collect()
}

/// Slaney's scale: 3 mel per 200 Hz up to 1 kHz, then 27 mel per factor of 6.4.
const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
const SLANEY_KNEE_HZ: f64 = 1000.0;
const SLANEY_KNEE_MEL: f64 = SLANEY_KNEE_HZ / SLANEY_HZ_PER_MEL;

fn slaney_log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn hz_to_mel(scale: MelScale, hz: f64) -> f64 {
    match scale {
        MelScale::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
        MelScale::Slaney if hz >= SLANEY_KNEE_HZ => {
            SLANEY_KNEE_MEL + (hz / SLANEY_KNEE_HZ).ln() / slaney_log_step()
        }
        MelScale::Slaney => hz / SLANEY_HZ_PER_MEL,
    }
}

fn mel_to_hz(scale: MelScale, mel: f64) -> f64 {
    match scale {
        MelScale::Htk => 700.0 * (10.0_f64.powf(mel / 2595.0) - 1.0),
        MelScale::Slaney if mel >= SLANEY_KNEE_MEL => {
            SLANEY_KNEE_HZ * (slaney_log_step() * (mel - SLANEY_KNEE_MEL)).exp()
        }
        MelScale::Slaney => mel * SLANEY_HZ_PER_MEL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scales_have_their_published_values_and_invert() {
        assert!((hz_to_mel(MelScale::Slaney, 1000.0) - 15.0).abs() < 1e-12);
        assert!((hz_to_mel(MelScale::Slaney, 6400.0) - 42.0).abs() < 1e-12);
        assert!((hz_to_mel(MelScale::Htk, 1000.0) - 999.985_537).abs() < 1e-5);
        for scale in [MelScale::Slaney, MelScale::Htk] {
            for hz in [0.0, 60.0, 999.0, 1000.0, 11_025.0] {
                assert!((mel_to_hz(scale, hz_to_mel(scale, hz)) - hz).abs() < 1e-8, "{hz} Hz");
            }
        }
    }

    #[test]
    fn filters_between_two_bins_are_counted() {
        let n_empty = |n_fft: usize, n_mels: usize, fmin_hz: f64| {
            let settings = MelSettings { n_mels, fmin_hz, ..Default::default() };
            MelBank::new(&settings, n_fft).expect("valid").n_empty()
        };
        // Counted with librosa's formula in another program.
        assert_eq!(n_empty(2048, 128, 0.0), 0);
        assert_eq!(n_empty(512, 256, 0.0), 39);
        assert_eq!(n_empty(256, 64, 9000.0), 18);
    }

    #[test]
    fn the_default_bank_has_librosas_2018_weights() {
        let bank = MelBank::new(&MelSettings::default(), 2048).expect("defaults are in range");
        assert_eq!(bank.n_mels(), 128);
        assert_eq!(bank.weights.iter().filter(|&&weight| weight > 0.0).count(), 2018);
    }

    #[test]
    fn the_centres_lie_between_the_edges_of_their_scale() {
        // Three bands below 800 Hz, where Slaney's scale is linear.
        let settings = MelSettings { n_mels: 3, fmax_hz: Some(800.0), ..Default::default() };
        let centres = mel_frequencies(&settings).expect("the settings are in range");
        assert!(centres.iter().zip([200.0, 400.0, 600.0]).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn an_unscaled_triangle_peaks_at_its_centre() {
        // One HTK band over 0..4000 Hz of an 8-point spectrum: bins 0, 1000, ... 4000 Hz.
        let settings = MelSettings {
            sample_rate_hz: 8000,
            n_mels: 1,
            norm: MelNorm::None,
            scale: MelScale::Htk,
            ..Default::default()
        };
        let bank = MelBank::new(&settings, 8).expect("the settings are in range");
        let centre_hz = mel_to_hz(MelScale::Htk, hz_to_mel(MelScale::Htk, 4000.0) / 2.0);
        let wanted = [
            1000.0 / centre_hz,
            (4000.0 - 2000.0) / (4000.0 - centre_hz),
            (4000.0 - 3000.0) / (4000.0 - centre_hz),
        ];
        for (bin, wanted) in (1..).zip(wanted) {
            let mut spectrum = [0.0; 5 + LANES];
            spectrum[bin] = 1.0;
            let mut band = [0.0];
            bank.apply(&mut spectrum, &mut band);
            assert!((f64::from(band[0]) - wanted).abs() < 1e-6, "bin {bin}: {band:?}, {wanted}");
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |settings| MelBank::new(&settings, 2048).err().map(|e| e.to_string());
        let default = MelSettings::default();
        assert_eq!(
            message(MelSettings { fmax_hz: Some(12_000.0), ..default }).as_deref(),
            Some("mel.fmax_hz must be in (fmin_hz = 0, sample_rate_hz / 2 = 11025], found 12000")
        );
        assert_eq!(
            message(MelSettings { fmin_hz: -1.0, ..default }).as_deref(),
            Some("mel.fmin_hz must be in [0, sample_rate_hz / 2 = 11025), found -1")
        );
        assert_eq!(
            message(MelSettings { power: f32::NAN, ..default }).as_deref(),
            Some("mel.power must be finite and greater than 0, found NaN")
        );
        assert_eq!(
            message(MelSettings { n_mels: 0, ..default }).as_deref(),
            Some("mel.n_mels must be in [1, 65536], found 0")
        );
    }
}
