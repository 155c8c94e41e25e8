//! The buffers that the plans compute in.

use super::{spectral::SpectralBuffers, stft::FrameBuffers, tempo::TempoBuffers, tuning::Peaks};

/// Buffers for computing features. Use one per thread and reuse it for all signals; it adapts to
/// the plan that uses it.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub(super) buffers: FrameBuffers,
    /// `[n_frames, n_mels]`, for plans that continue from there.
    pub(super) log_mel: Vec<f32>,
    /// A buffer of the cosine transform.
    pub(super) folded: Vec<f32>,
    /// `[n_frames, stride]` power, for features that need all frames before the first result.
    pub(super) spectrogram: Vec<f32>,
    pub(super) spectral: SpectralBuffers,
    pub(super) peaks: Peaks,
    /// The number of zero crossings up to each sample.
    pub(super) crossings: Vec<u32>,
    pub(super) tempo: TempoBuffers,
}

impl Workspace {
    /// Creates an empty workspace; the first use allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
