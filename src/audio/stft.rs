//! Short-time Fourier transform: power spectra of a signal, all at once or frame by frame.
//!
//! # Source
//! `librosa.stft`, version 0.11.0.

use super::{
    AudioError, Window, Workspace,
    fft::{Transform, TransformBuffers},
};
use crate::vocab::LANES;

/// The treatment of frames that extend beyond the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Padding {
    /// Frames are centered on multiples of `hop_length`, with zeros outside (librosa's
    /// `center=True, pad_mode="constant"`).
    #[default]
    Zeros,
    /// Frames are centered; the signal is mirrored at its ends (`center=True, pad_mode="reflect"`).
    Reflect,
    /// The first frame starts at the first sample, and no frame extends beyond the signal
    /// (`center=False`).
    Off,
}

/// How samples are divided into frames and transformed.
///
/// The defaults are librosa's: at 22,050 Hz, frames of 93 ms every 23 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StftSettings {
    /// Number of samples in a frame, >= 2; the spectrum has `n_fft / 2 + 1` bins. A power of two is
    /// fastest.
    pub n_fft: usize,
    /// Number of samples under the window, in `[1, n_fft]`, centered in the frame; `None` means
    /// `n_fft`.
    pub win_length: Option<usize>,
    /// Number of samples from one frame to the next, >= 1.
    pub hop_length: usize,
    /// The weights of a frame's samples.
    pub window: Window,
    /// The values outside the signal, which also decide where frames are.
    pub padding: Padding,
}

impl Default for StftSettings {
    fn default() -> Self {
        Self {
            n_fft: 2048,
            win_length: None,
            hop_length: 512,
            window: Window::Hann,
            padding: Padding::Zeros,
        }
    }
}

/// A plan for spectra: window and transform, computed once and shared between threads.
///
/// The results equal librosa 0.11's `abs(stft(y, ...)).T ** 2`; the transform is in single
/// precision.
///
/// ```
/// use encore::audio::{Stft, StftSettings, Workspace};
///
/// let plan = Stft::new(&StftSettings::default())?;
/// let samples = vec![0.1; 22_050];
/// let mut power = vec![0.0; plan.n_frames(samples.len()) * plan.n_bins()];
/// plan.power(&mut Workspace::new(), &samples, &mut power);
/// assert_eq!(power.len(), 44 * 1025);
/// # Ok::<(), encore::audio::AudioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stft {
    settings: StftSettings,
    /// `[n_fft]`, zero outside `win_length`.
    window: Vec<f32>,
    transform: Transform,
}

/// Buffers for transforming one frame; they adapt to the plan that uses them.
#[derive(Debug, Clone, Default)]
pub(super) struct FrameBuffers {
    /// `[n_fft]`: the samples of a frame that extends beyond the signal.
    pub(super) edge: Vec<f32>,
    transform: TransformBuffers,
    /// `[n_bins + LANES]`: the last values stay zero, so that a row can be read in whole lanes.
    power: Vec<f32>,
}

impl Stft {
    /// Checks the settings and creates window and transform.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for the first setting outside its range.
    pub fn new(settings: &StftSettings) -> Result<Self, AudioError> {
        let StftSettings { n_fft, win_length, hop_length, .. } = *settings;
        if !(2..=1 << 20).contains(&n_fft) {
            return Err(AudioError::setting("stft.n_fft", "in [2, 1048576]", n_fft));
        }
        if hop_length == 0 {
            return Err(AudioError::setting("stft.hop_length", "at least 1", hop_length));
        }
        let win_length = win_length.unwrap_or(n_fft);
        if !(1..=n_fft).contains(&win_length) {
            let allowed = format!("in [1, n_fft = {n_fft}]");
            return Err(AudioError::setting("stft.win_length", allowed, win_length));
        }
        let mut window = vec![0.0; n_fft];
        let start = (n_fft - win_length) / 2;
        for (i, weight) in window[start..start + win_length].iter_mut().enumerate() {
            *weight = settings.window.weight(i, win_length) as f32;
        }
        Ok(Self { settings: *settings, window, transform: Transform::new(n_fft) })
    }

    /// Returns the number of bins, from 0 Hz to half the sample rate: the columns of the output.
    #[must_use]
    pub fn n_bins(&self) -> usize {
        self.settings.n_fft / 2 + 1
    }

    /// Returns the number of frames of a signal: the rows of the output; 0 if it is too short for
    /// one.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        let StftSettings { n_fft, hop_length, .. } = self.settings;
        let n_padded = n_samples + 2 * self.n_before();
        if n_samples == 0 || n_padded < n_fft { 0 } else { 1 + (n_padded - n_fft) / hop_length }
    }

    /// Computes the power spectrogram `|X|^2` of `samples` into `out`, `[n_frames, n_bins]`
    /// row-major.
    ///
    /// A sine of amplitude `a` on a bin has the power `(a * sum(window) / 2)^2`.
    ///
    /// # Panics
    /// If `out` does not have `n_frames(samples.len()) * n_bins()` elements.
    pub fn power(&self, workspace: &mut Workspace, samples: &[f32], out: &mut [f32]) {
        let n_bins = self.n_bins();
        let n_frames = self.n_frames(samples.len());
        assert_eq!(out.len(), n_frames * n_bins, "out must have n_frames * n_bins elements");
        for (frame_idx, row) in out.chunks_exact_mut(n_bins).enumerate() {
            let power = self.frame_power(&mut workspace.buffers, samples, frame_idx);
            row.copy_from_slice(&power[..n_bins]);
        }
    }

    /// Computes the magnitude spectrogram `|X|`, otherwise like [`Stft::power`].
    ///
    /// # Panics
    /// If `out` does not have `n_frames(samples.len()) * n_bins()` elements.
    pub fn magnitude(&self, workspace: &mut Workspace, samples: &[f32], out: &mut [f32]) {
        self.power(workspace, samples, out);
        for value in out {
            *value = value.sqrt();
        }
    }

    /// Returns the power spectrum `|X|^2` of one frame, `[n_bins]` followed by `LANES` zeros.
    pub(super) fn frame_power<'b>(
        &self,
        buffers: &'b mut FrameBuffers,
        samples: &[f32],
        frame_idx: usize,
    ) -> &'b mut [f32] {
        let FrameBuffers { edge, transform, power } = buffers;
        let frame = self.cut_frame(samples, frame_idx, edge);
        let n_bins = self.n_bins();
        power.resize(n_bins + LANES, 0.0);
        self.transform.power(transform, frame, &self.window, &mut power[..n_bins]);
        power[n_bins..].fill(0.0);
        power
    }

    /// Returns by how many samples the first frame starts before the signal.
    pub(super) fn n_before(&self) -> usize {
        match self.settings.padding {
            Padding::Zeros | Padding::Reflect => self.settings.n_fft / 2,
            Padding::Off => 0,
        }
    }

    /// Returns the samples of a frame: a part of the signal, or `edge` if it extends beyond the
    /// signal.
    pub(super) fn cut_frame<'a>(
        &self,
        samples: &'a [f32],
        frame_idx: usize,
        edge: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let StftSettings { n_fft, hop_length, padding, .. } = self.settings;
        let start = (frame_idx * hop_length).cast_signed() - self.n_before().cast_signed();
        let inside = usize::try_from(start).ok().and_then(|at| samples.get(at..at + n_fft));
        if let Some(inside) = inside {
            return inside;
        }
        let n_samples = samples.len().cast_signed();
        edge.clear();
        edge.extend((start..start + n_fft.cast_signed()).map(|position| {
            let position = match padding {
                Padding::Reflect => mirror(position, n_samples),
                Padding::Zeros | Padding::Off => position,
            };
            usize::try_from(position).ok().and_then(|at| samples.get(at)).copied().unwrap_or(0.0)
        }));
        edge
    }
}

/// Maps a position outside the signal to one inside by mirroring at the first and last sample, as
/// often as needed (numpy's `reflect`).
fn mirror(position: isize, n_samples: isize) -> isize {
    if n_samples < 2 {
        return 0;
    }
    let period = 2 * (n_samples - 1);
    let position = position.rem_euclid(period);
    position.min(period - position)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn stft(n_fft: usize, hop_length: usize, padding: Padding) -> Stft {
        Stft::new(&StftSettings { n_fft, hop_length, padding, ..Default::default() })
            .expect("the settings are in range")
    }

    #[test]
    fn frames_are_counted_as_librosa_counts_them() {
        let default = Stft::new(&StftSettings::default()).expect("defaults are in range");
        assert_eq!(default.n_frames(66_150), 130);
        assert_eq!(default.n_frames(1), 1);
        assert_eq!(default.n_frames(0), 0);
        let off = stft(2048, 512, Padding::Off);
        assert_eq!([2047, 2048, 2559, 2560].map(|n| off.n_frames(n)), [0, 1, 1, 2]);
    }

    #[test]
    fn a_cosine_on_a_bin_has_the_power_of_a_quarter_of_the_frame_squared() {
        // Hann halves the amplitude n/2 of a bin-centered cosine: (8 / 4)^2 = 4, neighbors (8/8)^2.
        let samples: Vec<f32> = (0..8).map(|i| (TAU * f64::from(i) / 4.0).cos() as f32).collect();
        let mut buffers = FrameBuffers::default();
        let power = stft(8, 8, Padding::Off).frame_power(&mut buffers, &samples, 0).to_vec();
        for (got, wanted) in power.iter().zip([0.0, 1.0, 4.0, 1.0, 0.0]) {
            assert!((got - wanted).abs() < 1e-5, "{power:?}");
        }
    }

    #[test]
    fn a_spectrogram_has_a_row_a_frame_and_the_magnitude_is_its_root() {
        let samples: Vec<f32> = (0..20).map(|i| (TAU * f64::from(i) / 4.0).cos() as f32).collect();
        let plan = stft(8, 4, Padding::Off);
        let mut workspace = Workspace::new();
        let (mut power, mut magnitude) = ([0.0; 4 * 5], [0.0; 4 * 5]);
        plan.power(&mut workspace, &samples, &mut power);
        plan.magnitude(&mut workspace, &samples, &mut magnitude);
        for frame in 0..4 {
            let row = &power[frame * 5..][..5];
            assert!((row[2] - 4.0).abs() < 1e-5 && row[4] < 1e-5, "{row:?}");
            assert!((magnitude[frame * 5 + 2] - 2.0).abs() < 1e-5, "{magnitude:?}");
        }
    }

    #[test]
    fn mirroring_repeats_and_leaves_the_edge_sample_single() {
        let mirrored: Vec<isize> = (-5..8).map(|position| mirror(position, 4)).collect();
        assert_eq!(mirrored, [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]);
        assert_eq!(mirror(-7, 1), 0);
    }

    #[test]
    fn a_short_window_is_centered_in_the_frame() {
        let settings = StftSettings { n_fft: 8, win_length: Some(4), ..Default::default() };
        let window = Stft::new(&settings).expect("the settings are in range").window;
        assert_eq!(window, [0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |settings| Stft::new(&settings).err().map(|error| error.to_string());
        let default = StftSettings::default();
        assert_eq!(
            message(StftSettings { n_fft: 1, ..default }).as_deref(),
            Some("stft.n_fft must be in [2, 1048576], found 1")
        );
        assert_eq!(
            message(StftSettings { win_length: Some(4096), ..default }).as_deref(),
            Some("stft.win_length must be in [1, n_fft = 2048], found 4096")
        );
        assert_eq!(
            message(StftSettings { hop_length: 0, ..default }).as_deref(),
            Some("stft.hop_length must be at least 1, found 0")
        );
    }
}
