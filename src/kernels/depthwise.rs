//! Convolution of each channel with a kernel of its own, forward and backward.

use crate::kernels::geometry::ConvGeometry;
use crate::kernels::isa::{Isa, Level, Work, fma};
use crate::kernels::product::lanes;
use crate::kernels::taps::{Grid, Taps};

/// A depthwise convolution with precomputed windows. Its passes take one image at a time, whose
/// positions hold as many numbers before as after it.
#[derive(Clone, Debug)]
pub struct Depthwise {
    geometry: ConvGeometry,
    windows: Taps,
    positions: Taps,
}

impl Depthwise {
    /// Computes the windows; the kernel is `[kernel_height, kernel_width, channels]`.
    ///
    /// # Panics
    /// If the kernel is larger than the padded image, or has no values or more than 255.
    #[must_use]
    pub fn new(geometry: ConvGeometry) -> Self {
        let g = geometry;
        assert!((1..=255).contains(&(g.kernel[0] * g.kernel[1])), "a kernel has 1 to 255 values");
        assert!(g.fits(), "a kernel is no larger than its image");
        assert!(g.c_in == g.c_out && g.stored[0] == g.stored[1], "channels stay what they are");
        let grid = Grid {
            n_in: [g.height, g.width],
            n_out: [g.out_height(), g.out_width()],
            size: g.kernel,
            stride: g.stride,
            dilation: g.dilation,
            before: g.padding.map(|[before, _]| before),
        };
        let stored = g.stored[0];
        Self { geometry, windows: grid.windows(stored), positions: grid.positions(stored) }
    }

    /// Returns the shapes.
    #[must_use]
    pub fn geometry(&self) -> &ConvGeometry {
        &self.geometry
    }

    /// Computes `output = x * kernel + bias`.
    pub fn forward(&self, isa: Isa, x: &[f32], (kernel, bias): (&[f32], &[f32]), out: &mut [f32]) {
        isa.run(Forward { of: self, x, kernel, bias, out });
    }

    /// Computes the input's gradient; it is added to `d_x` if `adds`, otherwise it replaces what is
    /// there.
    pub fn input_gradient(&self, isa: Isa, d: &[f32], kernel: &[f32], adds: bool, d_x: &mut [f32]) {
        isa.run(InputGradient { of: self, d, kernel, adds, d_x });
    }

    /// Adds to the gradients of kernel and bias.
    pub fn gradients(
        &self,
        isa: Isa,
        (x, d): (&[f32], &[f32]),
        (d_kernel, d_bias): (&mut [f32], &mut [f32]),
    ) {
        isa.run(Gradients { of: self, x, d, d_kernel, d_bias });
    }
}

struct Forward<'a> {
    of: &'a Depthwise,
    x: &'a [f32],
    kernel: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.of.geometry.stored[0];
        channel_blocks!(n, |channel, LANES| {
            let bias: [f32; LANES] = lanes(self.bias, channel);
            for (out, taps) in self.out.chunks_exact_mut(n).zip(self.of.windows.lists()) {
                let mut sum = bias;
                for tap in taps {
                    let x: [f32; LANES] = lanes(self.x, tap.at as usize + channel);
                    let w: [f32; LANES] = lanes(self.kernel, usize::from(tap.place) * n + channel);
                    for lane in 0..LANES {
                        sum[lane] = fma::<L>(x[lane], w[lane], sum[lane]);
                    }
                }
                out[channel..][..LANES].copy_from_slice(&sum);
            }
        });
    }
}

struct InputGradient<'a> {
    of: &'a Depthwise,
    d: &'a [f32],
    kernel: &'a [f32],
    adds: bool,
    d_x: &'a mut [f32],
}

impl Work for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.of.geometry.stored[0];
        channel_blocks!(n, |channel, LANES| {
            for (d_x, taps) in self.d_x.chunks_exact_mut(n).zip(self.of.positions.lists()) {
                let mut sum: [f32; LANES] =
                    if self.adds { lanes(d_x, channel) } else { [0.0; LANES] };
                for tap in taps {
                    let d: [f32; LANES] = lanes(self.d, tap.at as usize + channel);
                    let w: [f32; LANES] = lanes(self.kernel, usize::from(tap.place) * n + channel);
                    for lane in 0..LANES {
                        sum[lane] = fma::<L>(d[lane], w[lane], sum[lane]);
                    }
                }
                d_x[channel..][..LANES].copy_from_slice(&sum);
            }
        });
    }
}

struct Gradients<'a> {
    of: &'a Depthwise,
    x: &'a [f32],
    d: &'a [f32],
    d_kernel: &'a mut [f32],
    d_bias: &'a mut [f32],
}

impl Work for Gradients<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.of.geometry.stored[0];
        channel_blocks!(n, |channel, LANES| {
            let mut bias: [f32; LANES] = lanes(self.d_bias, channel);
            for (d, taps) in self.d.chunks_exact(n).zip(self.of.windows.lists()) {
                let d: [f32; LANES] = lanes(d, channel);
                for lane in 0..LANES {
                    bias[lane] += d[lane];
                }
                for tap in taps {
                    let x: [f32; LANES] = lanes(self.x, tap.at as usize + channel);
                    let at = usize::from(tap.place) * n + channel;
                    let mut w: [f32; LANES] = lanes(self.d_kernel, at);
                    for lane in 0..LANES {
                        w[lane] = fma::<L>(x[lane], d[lane], w[lane]);
                    }
                    self.d_kernel[at..][..LANES].copy_from_slice(&w);
                }
            }
            self.d_bias[channel..][..LANES].copy_from_slice(&bias);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{any_geometry, assert_close, convolution, random, wide};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_channel_is_a_plain_convolution_of_one_channel(
            sides in (1_usize..9, 1_usize..9), kernel in (1_usize..4, 1_usize..4), steps in (1_usize..3, 1_usize..3, 1_usize..3, 1_usize..3),
            channels in prop_oneof![Just(1_usize), Just(5), Just(16), Just(35)], same: bool, adds: bool, key: u64,
        ) {
            let one = any_geometry(sides, kernel, steps, same, (1, 1));
            let g = ConvGeometry { c_in: channels, c_out: channels, stored: [channels; 2], ..one };
            let of = Depthwise::new(g);
            let (x, d) = (random(key, g.input_len()), random(key ^ 1, g.output_len()));
            let (kernel, bias) = (random(key ^ 2, g.kernel[0] * g.kernel[1] * channels), random(key ^ 3, channels));
            let before = if adds { 0.5 } else { 0.0 };
            for isa in Isa::available() {
                let (mut out, mut d_x) = (vec![0.0; d.len()], vec![if adds { 0.5 } else { 9.0 }; x.len()]);
                let (mut d_kernel, mut d_bias) = (vec![0.25; kernel.len()], vec![0.25; channels]);
                of.forward(isa, &x, (&kernel, &bias), &mut out);
                of.input_gradient(isa, &d, &kernel, adds, &mut d_x);
                of.gradients(isa, (&x, &d), (&mut d_kernel, &mut d_bias));
                for c in 0..channels {
                    let part = |values: &[f32]| values.iter().skip(c).step_by(channels).copied().collect::<Vec<f32>>();
                    let expected = convolution(&one, &wide(&part(&x)), &wide(&part(&kernel)), &[f64::from(bias[c])], &wide(&part(&d)));
                    let plus = |values: &[f64], more: f64| values.iter().map(|v| v + more).collect::<Vec<f64>>();
                    assert_close(&part(&out), &expected.output, 1e-4);
                    assert_close(&part(&d_x), &plus(&expected.d_x, before), 1e-4);
                    assert_close(&part(&d_kernel), &plus(&expected.d_kernel, 0.25), 1e-4);
                    assert_close(&part(&d_bias), &plus(&expected.d_bias, 0.25), 1e-4);
                }
            }
        }
    }
}
