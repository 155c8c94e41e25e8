//! Functions of single values, as vectors: ReLU, GELU, SiLU.
//!
//! # Source
//! Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016; Elfwing, Uchibe, Doya, "Sigmoid-weighted linear units", 2017.
//! The error function is Abramowitz and Stegun's formula 7.1.26 (error below 1.5e-7); the exponential function has Cephes's
//! coefficients (`expf`). Both consist of sums and products alone, so that they have the same bits on all processors that fuse
//! them.

use crate::kernels::isa::{Isa, Level, Work, fma};

/// A function of single values, as in Keras and PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `max(x, 0)`.
    Relu,
    /// `x P(X <= x)` of a standard normal X: the exact form, not the approximation by tanh.
    Gelu,
    /// `x sigmoid(x)`, also called swish.
    Silu,
}

/// Computes `out = f(x)`.
pub fn forward(isa: Isa, function: Function, x: &[f32], out: &mut [f32]) {
    match function {
        Function::Relu => isa.run(Forward(|x| if x > 0.0 { x } else { 0.0 }, x, out)),
        Function::Gelu => isa.run(Gelu { x, d: None, out, adds: false }),
        Function::Silu => isa.run(Silu { x, d: None, out, adds: false }),
    }
}

/// Computes `d_x = f'(x) * d`, or adds it to `d_x` if `adds`.
pub fn backward(
    isa: Isa,
    function: Function,
    (x, d): (&[f32], &[f32]),
    adds: bool,
    d_x: &mut [f32],
) {
    match function {
        Function::Relu => isa.run(ReluBackward { x, d, out: d_x, adds }),
        Function::Gelu => isa.run(Gelu { x, d: Some(d), out: d_x, adds }),
        Function::Silu => isa.run(Silu { x, d: Some(d), out: d_x, adds }),
    }
}

struct Forward<'a, F: Fn(f32) -> f32>(F, &'a [f32], &'a mut [f32]);

impl<F: Fn(f32) -> f32> Work for Forward<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (out, &x) in self.2.iter_mut().zip(self.1) {
            *out = (self.0)(x);
        }
    }
}

struct ReluBackward<'a> {
    x: &'a [f32],
    d: &'a [f32],
    out: &'a mut [f32],
    adds: bool,
}

impl Work for ReluBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let d = self.x.iter().zip(self.d).map(|(&x, &d)| if x > 0.0 { d } else { 0.0 });
        put(self.adds, self.out, d);
    }
}

/// Writes values, or adds them to what is there.
#[inline(always)]
fn put(adds: bool, out: &mut [f32], values: impl Iterator<Item = f32>) {
    if adds {
        out.iter_mut().zip(values).for_each(|(out, value)| *out += value);
    } else {
        out.iter_mut().zip(values).for_each(|(out, value)| *out = value);
    }
}

/// GELU, or with a gradient its backward pass.
struct Gelu<'a> {
    x: &'a [f32],
    d: Option<&'a [f32]>,
    out: &'a mut [f32],
    adds: bool,
}

impl Work for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        match self.d {
            None => put(false, self.out, self.x.iter().map(|&x| x * normal::<L>(x).0)),
            Some(d) => {
                let slope = |(&x, &d): (&f32, &f32)| {
                    let (below, density) = normal::<L>(x);
                    d * fma::<L>(x, density, below)
                };
                put(self.adds, self.out, self.x.iter().zip(d).map(slope));
            }
        }
    }
}

struct Silu<'a> {
    x: &'a [f32],
    d: Option<&'a [f32]>,
    out: &'a mut [f32],
    adds: bool,
}

impl Work for Silu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        match self.d {
            None => put(false, self.out, self.x.iter().map(|&x| x * sigmoid::<L>(x))),
            Some(d) => {
                let slope = |(&x, &d): (&f32, &f32)| {
                    let share = sigmoid::<L>(x);
                    d * fma::<L>(x * share, 1.0 - share, share)
                };
                put(self.adds, self.out, self.x.iter().zip(d).map(slope));
            }
        }
    }
}

#[inline(always)]
fn sigmoid<L: Level>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<L>(-x))
}

/// Returns the standard normal distribution's probability below `x`, and its density there.
#[inline(always)]
fn normal<L: Level>(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let decay = exp::<L>(-z * z);
    let t = 1.0 / fma::<L>(0.327_591_1, z, 1.0);
    let mut sum = 1.061_405_4;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        sum = fma::<L>(sum, t, coefficient);
    }
    let above = 0.5 * sum * t * decay;
    let below = if x > 0.0 { 1.0 - above } else { above };
    // 1 / sqrt(2 pi)
    (below, 0.398_942_3 * decay)
}

/// Returns `e^x`; an `x` beyond +-87 counts as that.
#[inline(always)]
pub(super) fn exp<L: Level>(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number.
    let magic = 12_582_912.0;
    let n = fma::<L>(x, std::f32::consts::LOG2_E, magic) - magic;
    let r = fma::<L>(n, -0.693_359_4, x);
    let r = fma::<L>(n, 2.121_944_4e-4, r);
    let mut sum = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        sum = fma::<L>(sum, r, coefficient);
    }
    let power = fma::<L>(sum * r, r, r) + 1.0;
    power * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, random, wide};

    fn plain(function: Function, x: f64) -> f64 {
        match function {
            Function::Relu => x.max(0.0),
            Function::Gelu => x * 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2),
            Function::Silu => x / (1.0 + (-x).exp()),
        }
    }

    #[test]
    fn values_and_slopes_are_the_plain_ones_at_every_level() {
        let mut x: Vec<f32> = random(3, 400).iter().map(|x| 12.0 * x).collect();
        x.extend([0.25, -0.25, 100.0, -100.0, 1e-6, -1e-6, 30.0, -30.0]);
        let d = random(4, x.len());
        for function in [Function::Relu, Function::Gelu, Function::Silu] {
            let expected: Vec<f64> = wide(&x).iter().map(|x| plain(function, *x)).collect();
            let slope = |x: f64| (plain(function, x + 1e-6) - plain(function, x - 1e-6)) / 2e-6;
            let slopes: Vec<f64> =
                wide(&x).iter().zip(&d).map(|(x, d)| slope(*x) * f64::from(*d)).collect();
            let more: Vec<f64> = slopes.iter().map(|slope| slope + 0.5).collect();
            for isa in Isa::available() {
                let (mut out, mut d_x, mut sum) =
                    (vec![0.0; x.len()], vec![9.0; x.len()], vec![0.5; x.len()]);
                forward(isa, function, &x, &mut out);
                backward(isa, function, (&x, &d), false, &mut d_x);
                backward(isa, function, (&x, &d), true, &mut sum);
                assert_close(&out, &expected, 2e-6);
                // The slope of ReLU is not defined at the kink, and the difference is coarse near it.
                let is_smooth = |i: &usize| function != Function::Relu || x[*i].abs() > 1e-5;
                for i in (0..x.len()).filter(is_smooth) {
                    assert_close(&d_x[i..=i], &slopes[i..=i], 1e-5);
                    assert_close(&sum[i..=i], &more[i..=i], 1e-5);
                }
            }
        }
    }

    #[test]
    fn the_exponential_function_is_exact_to_the_last_bits() {
        struct All(Vec<f32>);
        impl Work for All {
            type Output = Vec<f32>;
            #[inline(always)]
            fn run<L: Level>(self) -> Vec<f32> {
                self.0.iter().map(|x| exp::<L>(*x)).collect()
            }
        }
        let x: Vec<f32> = (-8700..8700).map(|i| i as f32 / 100.0).collect();
        for isa in Isa::available() {
            for (x, found) in x.iter().zip(isa.run(All(x.clone()))) {
                let expected = f64::from(*x).exp();
                assert!((f64::from(found) / expected - 1.0).abs() < 3e-7, "e^{x}: {found}");
            }
        }
    }
}
