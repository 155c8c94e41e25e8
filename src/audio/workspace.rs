//! The memory that the plans compute in.

use super::{spectral::SpectralBuffers, stft::FrameBuffers, tempo::TempoBuffers, tuning::Peaks};

/// The memory that computing needs: one a thread, reused from signal to signal. It fits itself to
/// the plan that uses it.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub(super) buffers: FrameBuffers,
    /// `[n_frames, n_mels]`, for plans that go on from there.
    pub(super) log_mel: Vec<f32>,
    /// What the cosine transform works in.
    pub(super) folded: Vec<f32>,
    /// `[n_frames, stride]` power, for what needs all frames before the first result.
    pub(super) spectrogram: Vec<f32>,
    pub(super) spectral: SpectralBuffers,
    pub(super) peaks: Peaks,
    /// Zero crossings up to each sample.
    pub(super) crossings: Vec<u32>,
    pub(super) tempo: TempoBuffers,
}

impl Workspace {
    /// An empty workspace; the first use allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
