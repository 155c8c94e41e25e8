//! The optimizer's passes over parameters; each pass reads every value once.

use super::formula::{Constants, Formula, Rule};
use crate::kernels::isa::{Isa, Level, Work};

/// Parameters with their gradients and the optimizer's moments, all of the same length.
#[derive(Debug)]
pub struct Parameters<'a> {
    /// Values.
    pub values: &'a mut [f32],
    /// Gradients; that of the penalty is added to them.
    pub gradients: &'a mut [f32],
    /// Adam's decaying mean of gradients, or the previous step of RMSprop and SGD. 0 before the
    /// first step.
    pub first: &'a mut [f32],
    /// Decaying mean of squared gradients; SGD does not use it. 0 before the first step.
    pub second: &'a mut [f32],
}

/// Takes one step under a penalty of `l2 * sum(values^2)`; returns the penalty before the step.
#[must_use = "the penalty is part of the loss"]
pub fn update(isa: Isa, constants: &Constants, l2: f32, parameters: Parameters<'_>) -> f64 {
    isa.run(Update { constants, l2, parameters })
}

/// Adds the gradient of a penalty of `l2 * sum(values^2)` to `gradients`, and returns the penalty.
#[must_use = "the penalty is part of the loss"]
pub fn add_penalty(isa: Isa, l2: f32, values: &[f32], gradients: &mut [f32]) -> f64 {
    isa.run(AddPenalty { l2, values, gradients })
}

/// Returns the sum of squares, in `f64` and in the same order for every instruction set.
#[must_use]
pub fn sum_of_squares(isa: Isa, values: &[f32]) -> f64 {
    isa.run(Squares(values))
}

struct Update<'a> {
    constants: &'a Constants,
    l2: f32,
    parameters: Parameters<'a>,
}

impl Work for Update<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Level>(self) -> f64 {
        let Self { constants, l2, parameters: p } = self;
        let penalty = AddPenalty { l2, values: p.values, gradients: p.gradients }.run::<L>();
        match constants.rule {
            Rule::Adam(formula) => step_all(formula, constants.decay, p),
            Rule::RmsProp(formula) => step_all(formula, constants.decay, p),
            Rule::Sgd(formula) => step_all(formula, constants.decay, p),
            Rule::Nesterov(formula) => step_all(formula, constants.decay, p),
        }
        penalty
    }
}

/// Smaller parameters, gradients and means become 0. They are negligible in every sum, and their
/// squares would be denormal numbers, with which processors compute a hundred times slower.
pub const TINY: f32 = 1e-18;

/// Returns `x`, or 0 if its absolute value is below `least`.
#[must_use]
#[inline(always)]
pub fn flushed(x: f32, least: f32) -> f32 {
    if x.abs() < least { 0.0 } else { x }
}

#[inline(always)]
fn step_all(formula: impl Formula, decay: f32, p: Parameters<'_>) {
    let Parameters { values, gradients, first, second } = p;
    let n = values.len();
    let (gradients, first, second) = (&gradients[..n], &mut first[..n], &mut second[..n]);
    for i in 0..n {
        let value = values[i] - decay * values[i];
        let gradient = flushed(gradients[i], TINY);
        let (mut one, mut two) = (first[i], second[i]);
        values[i] = flushed(formula.step(value, gradient, &mut one, &mut two), TINY);
        first[i] = flushed(one, TINY);
        second[i] = flushed(two, TINY * TINY);
    }
}

struct AddPenalty<'a> {
    l2: f32,
    values: &'a [f32],
    gradients: &'a mut [f32],
}

impl Work for AddPenalty<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Level>(self) -> f64 {
        if self.l2 <= 0.0 {
            return 0.0;
        }
        let mut penalty = 0.0;
        for (values, gradients) in self.values.chunks(64).zip(self.gradients.chunks_mut(64)) {
            let mut squares = [0.0_f32; 64];
            for ((value, gradient), square) in values.iter().zip(gradients).zip(&mut squares) {
                *gradient += 2.0 * self.l2 * value;
                *square = value * value;
            }
            penalty += squares.iter().map(|&square| f64::from(square)).sum::<f64>();
        }
        f64::from(self.l2) * penalty
    }
}

/// A sum of squares in `f64`, one per lane, so that its order does not depend on the width of the
/// vectors.
struct Squares<'a>(&'a [f32]);

impl Work for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Level>(self) -> f64 {
        let mut sums = [0.0_f64; 16];
        let blocks = self.0.chunks_exact(16);
        let rest = blocks.remainder();
        for block in blocks {
            for lane in 0..16 {
                sums[lane] += f64::from(block[lane]) * f64::from(block[lane]);
            }
        }
        for (sum, &value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(value) * f64::from(value);
        }
        sums.iter().sum()
    }
}
