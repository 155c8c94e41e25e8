//! The memory that the plans compute in.

use super::stft::FrameBuffers;

/// The memory that computing needs: one a thread, reused from signal to signal. It fits itself to
/// the plan that uses it.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub(super) buffers: FrameBuffers,
    /// `[n_frames, n_mels]`, for plans that go on from there.
    pub(super) log_mel: Vec<f32>,
    /// What the cosine transform works in.
    pub(super) folded: Vec<f32>,
}

impl Workspace {
    /// An empty workspace; the first use allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
