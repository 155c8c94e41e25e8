//! The optimizers' formulas for one parameter, which [`Optimizer`](super::Optimizer) documents.

/// The constants of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    pub(super) rule: Rule,
    /// Fraction of a parameter that is subtracted before the step.
    pub(super) decay: f32,
}

impl Constants {
    /// Returns the same step, without weight decay for a parameter that does not decay.
    #[must_use]
    pub const fn decaying(self, decays: bool) -> Self {
        if decays { self } else { Self { decay: 0.0, ..self } }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    Adam(Adam),
    RmsProp(RmsProp),
    Sgd(Sgd),
    Nesterov(Nesterov),
}

/// The step of one parameter. Each formula is a type, so that each has its own vectorized loop.
pub(super) trait Formula: Copy {
    /// Updates the moments and returns the parameter's new value.
    fn step(self, value: f32, gradient: f32, first: &mut f32, second: &mut f32) -> f32;
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Adam {
    pub rate: f32,
    pub keep_first: f32,
    pub gain_first: f32,
    pub keep_second: f32,
    pub gain_second: f32,
    pub epsilon: f32,
}

impl Formula for Adam {
    #[inline(always)]
    fn step(self, value: f32, gradient: f32, first: &mut f32, second: &mut f32) -> f32 {
        *first = self.keep_first * *first + self.gain_first * gradient;
        *second = self.keep_second * *second + self.gain_second * gradient * gradient;
        value - self.rate * *first / (second.sqrt() + self.epsilon)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RmsProp {
    pub rate: f32,
    pub keep: f32,
    pub gain: f32,
    pub momentum: f32,
    pub epsilon: f32,
}

impl Formula for RmsProp {
    #[inline(always)]
    fn step(self, value: f32, gradient: f32, first: &mut f32, second: &mut f32) -> f32 {
        *second = self.keep * *second + self.gain * gradient * gradient;
        *first = self.momentum * *first + self.rate * gradient / (*second + self.epsilon).sqrt();
        value - *first
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sgd {
    pub rate: f32,
    pub momentum: f32,
}

impl Formula for Sgd {
    #[inline(always)]
    fn step(self, value: f32, gradient: f32, first: &mut f32, _second: &mut f32) -> f32 {
        *first = self.momentum * *first - self.rate * gradient;
        value + *first
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Nesterov(pub Sgd);

impl Formula for Nesterov {
    #[inline(always)]
    fn step(self, value: f32, gradient: f32, first: &mut f32, second: &mut f32) -> f32 {
        let Sgd { rate, momentum } = self.0;
        let _without_look_ahead = self.0.step(value, gradient, first, second);
        value + (momentum * *first - rate * gradient)
    }
}
