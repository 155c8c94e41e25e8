//! What a net has: its parameters, the optimizer's moments, its settings.

use std::ops::Range;
use std::time::Duration;

use crate::kernels::isa::Isa;
use crate::kernels::net::{Net, Plan};
use crate::kernels::optimizer::Optimizer;

impl Net {
    /// The layers laid out.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A parameter's values, by name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&[f32]> {
        self.range(name).map(|range| &self.state.values[range])
    }

    /// A parameter's values, to be set.
    pub fn parameter_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.range(name).map(|range| &mut self.state.values[range])
    }

    /// A parameter's gradient at the last step, the penalty's included, clipped if asked.
    #[must_use]
    pub fn gradient(&self, name: &str) -> Option<&[f32]> {
        self.range(name).map(|range| &self.state.gradients[range])
    }

    /// A parameter's moments, `first` and `second` of [`Parameters`](crate::kernels::optimizer::Parameters), for a
    /// checkpoint.
    #[must_use]
    pub fn moments(&self, name: &str) -> Option<[&[f32]; 2]> {
        self.range(name).map(|range| [&self.state.first[range.clone()], &self.state.second[range]])
    }

    /// A parameter's moments, to be restored.
    pub fn moments_mut(&mut self, name: &str) -> Option<[&mut [f32]; 2]> {
        let range = self.range(name)?;
        Some([&mut self.state.first[range.clone()], &mut self.state.second[range]])
    }

    /// Steps taken.
    #[must_use]
    pub fn n_steps(&self) -> u64 {
        self.state.n_steps
    }

    /// Restores the count of steps, which Adam's rate depends on.
    pub fn set_n_steps(&mut self, n_steps: u64) {
        self.state.n_steps = n_steps;
    }

    /// Changes the optimizer's constants, for a schedule.
    pub fn set_optimizer(&mut self, optimizer: Optimizer) {
        self.optimizer = optimizer;
    }

    /// Scales each step's gradients down to this norm where theirs is larger; the norm is that of all trainable
    /// parameters' gradients together, penalties' included. `None`, the start, clips nothing.
    ///
    /// # Source
    /// Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1, as in
    /// Keras 3's `global_clipnorm` and PyTorch's `clip_grad_norm_`.
    ///
    /// # Panics
    /// When the norm is not above 0.
    pub fn set_clip_norm(&mut self, max_norm: Option<f64>) {
        assert!(max_norm.is_none_or(|max_norm| max_norm > 0.0), "a norm to clip to is above 0");
        self.clip_norm = max_norm;
    }

    /// Sets the level of instructions, to compare levels; a fresh net has the best.
    pub fn set_isa(&mut self, isa: Isa) {
        self.isa = isa;
    }

    /// Where training spent its time, by part of the step.
    #[must_use]
    pub fn spent(&self) -> &[(String, Duration)] {
        &self.spent
    }

    fn range(&self, name: &str) -> Option<Range<usize>> {
        self.plan
            .tensors
            .iter()
            .find(|tensor| tensor.name == name)
            .map(|tensor| tensor.range.clone())
    }
}
