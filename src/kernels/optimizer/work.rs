//! Passes over parameters, each value once.

use super::formula::Formula;
use super::{Constants, Parameters, Rule};
use crate::kernels::isa::{Level, Work};

pub(super) struct Update<'a> {
    pub constants: &'a Constants,
    pub l2: f32,
    pub parameters: Parameters<'a>,
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

/// Smaller parameters, gradients and means are 0: beside what they are added to they are nothing, and their squares
/// would leave the normal range of `f32`, where processors compute a hundred times slower.
pub const TINY: f32 = 1e-18;

/// `x`, or 0 where it is nearer to 0 than `least`.
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

pub(super) struct AddPenalty<'a> {
    pub l2: f32,
    pub values: &'a [f32],
    pub gradients: &'a mut [f32],
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

/// Sums of squares in `f64`, one a lane, so that their order does not depend on the vectors' width.
pub(super) struct Squares<'a>(pub &'a [f32]);

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
