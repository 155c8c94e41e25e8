//! 'Valid' convolution with stride 1, bias and ReLU, forward and backward.
//!
//! Nothing is copied into columns: the rows of a window are read in place. The gradient of the
//! input is a convolution of the output's gradient with the rotated kernel. That gradient has rows
//! of zeros above and below, while columns beyond the edge are skipped, so that a narrow image
//! costs no products with zeros.

use crate::kernels::geometry::ConvGeometry;
use crate::kernels::isa::Isa;
use crate::kernels::outer::Outer;
use crate::kernels::product::{Activation, Place, Product, Segments, Start};

/// A convolution with precomputed windows. Its passes take one image at a time.
#[derive(Clone, Debug)]
pub struct Convolution {
    geometry: ConvGeometry,
    windows: (Vec<Place>, Segments),
    /// One entry per column of the image.
    backward: Vec<(Vec<Place>, Segments)>,
}

impl Convolution {
    /// Computes the windows.
    ///
    /// # Panics
    /// If the kernel is larger than the image or has no rows or columns.
    #[must_use]
    pub fn new(geometry: ConvGeometry) -> Self {
        let g = geometry;
        let [kh, kw] = g.kernel;
        assert!(kh >= 1 && kw >= 1, "a kernel has rows and columns");
        assert!(kh <= g.height && kw <= g.width, "a kernel is no larger than its image");
        let (oh, ow) = (g.out_height(), g.out_width());
        let row = kw * g.c_in;
        let place = |p: usize| Place {
            input: ((p / ow * g.width + p % ow) * g.c_in) as u32,
            output: (p * g.c_out) as u32,
        };
        let segments = Segments {
            n: kh,
            len: row,
            input_step: g.width * g.c_in,
            first_weight: 0,
            weight_step: row,
        };
        let backward = (0..g.width).map(|x| {
            let (first, last) = ((x + 1).saturating_sub(ow), x.min(kw - 1));
            let place = |y: usize| Place {
                input: ((y * ow + x - last) * g.c_out) as u32,
                output: ((y * g.width + x) * g.c_in) as u32,
            };
            let segments = Segments {
                n: kh,
                len: (last - first + 1) * g.c_out,
                input_step: ow * g.c_out,
                first_weight: (kw - 1 - last) * g.c_out,
                weight_step: kw * g.c_out,
            };
            ((0..g.height).map(place).collect(), segments)
        });
        Self {
            geometry,
            windows: ((0..oh * ow).map(place).collect(), segments),
            backward: backward.collect(),
        }
    }

    /// Returns the shapes.
    #[must_use]
    pub fn geometry(&self) -> &ConvGeometry {
        &self.geometry
    }

    /// Computes `output = relu(x * kernel + bias)`; `output` is `[out_height, out_width, c_out]`.
    pub fn forward(&self, isa: Isa, x: &[f32], kernel: &[f32], bias: &[f32], output: &mut [f32]) {
        Product {
            input: x,
            places: &self.windows.0,
            segments: self.windows.1,
            weights: kernel,
            start: Start::Bias(bias),
            n_out: self.geometry.c_out,
            activation: Activation::Relu,
            output,
        }
        .run(isa);
    }

    /// Adds to the kernel's gradient. `d_output` is the gradient before ReLU.
    pub fn kernel_gradient(&self, isa: Isa, x: &[f32], d_output: &[f32], d_kernel: &mut [f32]) {
        Outer {
            input: x,
            places: &self.windows.0,
            segments: self.windows.1,
            d_output,
            n_out: self.geometry.c_out,
            d_weights: d_kernel,
        }
        .run(isa);
    }

    /// Returns the length of a gradient with its zeros, as [`input_gradient`](Self::input_gradient)
    /// reads it.
    #[must_use]
    pub fn framed_len(&self) -> usize {
        self.geometry.output_len() + 2 * self.frame_len()
    }

    /// Returns the number of zeros before, and after, the gradient.
    #[must_use]
    pub fn frame_len(&self) -> usize {
        (self.geometry.kernel[0] - 1) * self.geometry.out_width() * self.geometry.c_out
    }

    /// Fills `d_x` from the rotated kernel ([`turn`](Self::turn)) and from `framed`: the gradient
    /// before ReLU with [`frame_len`](Self::frame_len) zeros at both ends.
    pub fn input_gradient(&self, isa: Isa, framed: &[f32], turned: &[f32], d_x: &mut [f32]) {
        for (places, segments) in &self.backward {
            Product {
                input: framed,
                places,
                segments: *segments,
                weights: turned,
                start: Start::Zero,
                n_out: self.geometry.c_in,
                activation: Activation::Linear,
                output: &mut *d_x,
            }
            .run(isa);
        }
    }

    /// Rotates the kernel, `[kernel_height, kernel_width, c_out, c_in]`.
    pub fn turn(&self, kernel: &[f32], turned: &mut [f32]) {
        let (c_in, c_out) = (self.geometry.c_in, self.geometry.c_out);
        let taps = kernel.chunks_exact(c_in * c_out).rev();
        for (turned, tap) in turned.chunks_exact_mut(c_in * c_out).zip(taps) {
            for (i, value) in turned.iter_mut().enumerate() {
                *value = tap[i % c_in * c_out + i / c_in];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, convolution, dot, random, slope, wide};
    use proptest::prelude::*;

    struct Gradients {
        d_x: Vec<f32>,
        d_kernel: Vec<f32>,
        d_bias: Vec<f32>,
    }

    /// Computes `relu(x * kernel + bias)` for a batch.
    fn forward(g: &ConvGeometry, x: &[f32], kernel: &[f32], bias: &[f32]) -> Vec<f32> {
        let convolution = Convolution::new(*g);
        let mut output = vec![0.0; g.n * g.output_len()];
        let outputs = output.chunks_exact_mut(g.output_len());
        for (x, output) in x.chunks_exact(g.input_len()).zip(outputs) {
            convolution.forward(Isa::best(), x, kernel, bias, output);
        }
        output
    }

    /// Computes the backward pass, given the gradient before ReLU.
    fn backward(g: &ConvGeometry, x: &[f32], kernel: &[f32], d_output: &[f32]) -> Gradients {
        let (convolution, isa) = (Convolution::new(*g), Isa::best());
        let mut turned = vec![0.0; kernel.len()];
        convolution.turn(kernel, &mut turned);
        let (mut d_x, mut d_kernel) = (vec![0.0; x.len()], vec![0.0; kernel.len()]);
        let mut framed = vec![0.0; convolution.framed_len()];
        let images = x.chunks_exact(g.input_len()).zip(d_x.chunks_exact_mut(g.input_len()));
        for ((x, d_x), d) in images.zip(d_output.chunks_exact(g.output_len())) {
            framed[convolution.frame_len()..][..d.len()].copy_from_slice(d);
            convolution.kernel_gradient(isa, x, d, &mut d_kernel);
            convolution.input_gradient(isa, &framed, &turned, d_x);
        }
        let of_channel = |c: usize| d_output.iter().skip(c).step_by(g.c_out).sum();
        Gradients { d_x, d_kernel, d_bias: (0..g.c_out).map(of_channel).collect() }
    }

    fn gate(d_output: &[f32], output: &[f32]) -> Vec<f32> {
        d_output.iter().zip(output).map(|(&d, &y)| if y > 0.0 { d } else { 0.0 }).collect()
    }

    #[test]
    fn one_window_by_hand() {
        let g = ConvGeometry { n: 1, height: 2, width: 2, c_in: 1, c_out: 2, kernel: [2, 2] };
        let (x, kernel) = ([1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0]);
        let output = forward(&g, &x, &kernel, &[0.5, 0.5]);
        assert_eq!(output, [10.5, 0.0]);
        // ReLU blocks the gradient of the second channel.
        let d = backward(&g, &x, &kernel, &gate(&[2.0, 100.0], &output));
        assert_eq!(d.d_x, [2.0; 4]);
        assert_eq!(d.d_kernel, [2.0, 0.0, 4.0, 0.0, 6.0, 0.0, 8.0, 0.0]);
        assert_eq!(d.d_bias, [2.0, 0.0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn any_shape_is_the_plain_convolution(
            n in 1_usize..11, kh in 1_usize..4, kw in 1_usize..4, more in 0_usize..6, wider in 0_usize..5,
            c_in in prop_oneof![Just(1_usize), Just(3), Just(16), Just(33)], c_out in prop_oneof![Just(1_usize), Just(5), Just(32), Just(50)],
            key: u64,
        ) {
            let g = ConvGeometry { n, height: kh + more, width: kw + wider, c_in, c_out, kernel: [kh, kw] };
            let x = random(key, n * g.input_len());
            let (kernel, bias) = (random(key ^ 1, g.kernel_len()), random(key ^ 2, c_out));
            let output = forward(&g, &x, &kernel, &bias);
            let d = gate(&random(key ^ 3, output.len()), &output);
            let gated = wide(&d);
            let expected = convolution(&g, &wide(&x), &wide(&kernel), &wide(&bias), &gated);
            assert_close(&output, &expected.output.iter().map(|y| y.max(0.0)).collect::<Vec<_>>(), 1e-4);
            let actual = backward(&g, &x, &kernel, &d);
            assert_close(&actual.d_x, &expected.d_x, 1e-4);
            assert_close(&actual.d_kernel, &expected.d_kernel, 1e-4);
            assert_close(&actual.d_bias, &expected.d_bias, 1e-4);

            // A small step does not change which values pass ReLU.
            let (x, kernel, bias) = (wide(&x), wide(&kernel), wide(&bias));
            let loss = |x: &[f64], kernel: &[f64], bias: &[f64]| dot(&convolution(&g, x, kernel, bias, &gated).output, &gated);
            let at = |len: usize| key as usize % len;
            let (i, k, c) = (at(x.len()), at(kernel.len()), at(c_out));
            assert_close(&actual.d_x[i..=i], &[slope(&x, i, 0.5, &|x| loss(x, &kernel, &bias))], 1e-4);
            assert_close(&actual.d_kernel[k..=k], &[slope(&kernel, k, 0.5, &|kernel| loss(&x, kernel, &bias))], 1e-4);
            assert_close(&actual.d_bias[c..=c], &[slope(&bias, c, 0.5, &|bias| loss(&x, &kernel, bias))], 1e-4);
        }
    }
}
