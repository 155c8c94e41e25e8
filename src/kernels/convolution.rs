//! Convolution of channels-last images, forward and backward.
//!
//! Nothing is copied into columns: the rows of a window are read in place. The gradient of the input
//! is a convolution of the output's gradient with the rotated kernel. An image that is padded has
//! rows of zeros above and below, while columns beyond the edge are skipped, so that a narrow image
//! costs no products with zeros.

use crate::kernels::geometry::ConvGeometry;
use crate::kernels::isa::Isa;
use crate::kernels::outer::Outer;
use crate::kernels::product::{Activation, Place, Product, Segments, Start};

/// A convolution with precomputed windows. Its passes take one image at a time.
#[derive(Clone, Debug)]
pub struct Convolution {
    geometry: ConvGeometry,
    forward: Vec<Windows>,
    backward: Vec<Windows>,
    /// Zeros before and after an image: of the input, of the output's gradient.
    frames: [[usize; 2]; 2],
}

/// Windows that have the same columns of the kernel inside the image.
#[derive(Clone, Debug)]
struct Windows {
    places: Vec<Place>,
    segments: Segments,
}

/// One axis of the image that is read in a pass.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// Number of positions that are read.
    n_in: usize,
    /// Number of positions that are computed.
    n_out: usize,
    /// Positions of padding before the first.
    before: usize,
    /// Length of the kernel.
    kernel: usize,
    stride: usize,
    dilation: usize,
}

impl Axis {
    /// Returns the first and the last value of the kernel that is inside the image at a position of
    /// the output, and where the first one is.
    fn inside(&self, position: usize) -> Option<(usize, usize, usize)> {
        let at = |k: usize| (position * self.stride + k * self.dilation).checked_sub(self.before);
        let is_inside = |k: &usize| at(*k).is_some_and(|at| at < self.n_in);
        let first = (0..self.kernel).find(is_inside)?;
        let last = (0..self.kernel).rfind(is_inside)?;
        Some((first, last, at(first)?))
    }

    /// Returns the rows of zeros that are read after the image.
    fn after(&self) -> usize {
        let end = (self.n_out - 1) * self.stride + (self.kernel - 1) * self.dilation + 1;
        end.saturating_sub(self.before + self.n_in)
    }

    /// Returns this axis of the pass that goes back from the output's gradient.
    fn turned(&self) -> Self {
        Self {
            n_in: (self.n_out - 1) * self.stride + 1,
            n_out: self.n_in,
            before: (self.kernel - 1) * self.dilation - self.before,
            stride: 1,
            ..*self
        }
    }
}

/// The first and the last column of the kernel that are inside the image, and the columns of which
/// this is true: of the output, and where their first value is.
type Group = (Option<(usize, usize)>, Vec<(usize, usize)>);

/// Groups the windows of a pass; `c` and `stored` are the channels that are read, and the numbers of
/// a position that is read and of one that is written.
fn windows([rows, columns]: [Axis; 2], c: usize, stored: [usize; 2]) -> Vec<Windows> {
    let mut groups: Vec<Group> = vec![];
    for x in 0..columns.n_out {
        let inside = columns.inside(x);
        let taps = inside.map(|(first, last, _)| (first, last));
        let column = (x, inside.map_or(0, |(_, _, at)| at));
        match groups.iter_mut().find(|(of, _)| *of == taps) {
            Some((_, group)) => group.push(column),
            None => groups.push((taps, vec![column])),
        }
    }
    let row_step = columns.n_in * stored[0];
    let of_group = |(taps, group): Group| {
        let place = |y: usize, (x, at): (usize, usize)| Place {
            input: (y * rows.stride * row_step + at * stored[0]) as u32,
            output: ((y * columns.n_out + x) * stored[1]) as u32,
        };
        let places =
            (0..rows.n_out).flat_map(|y| group.iter().map(move |&column| place(y, column)));
        let n_taps = taps.map_or(0, |(first, last)| last - first + 1);
        let is_one_piece = columns.dilation == 1 && stored[0] == c;
        let (n, len) = if is_one_piece { (1, n_taps * c) } else { (n_taps, c) };
        let segments = Segments {
            n: [if n_taps == 0 { 0 } else { rows.kernel }, n],
            len,
            input_step: [rows.dilation * row_step, columns.dilation * stored[0]],
            first_weight: taps.map_or(0, |(first, _)| first) * c,
            weight_step: [columns.kernel * c, c],
        };
        Windows { places: places.collect(), segments }
    };
    groups.into_iter().map(of_group).collect()
}

impl Convolution {
    /// Computes the windows.
    ///
    /// # Panics
    /// If the kernel is larger than the padded image or has no rows or columns, or the padding is as
    /// wide as the kernel.
    #[must_use]
    pub fn new(geometry: ConvGeometry) -> Self {
        let g = geometry;
        assert!(g.kernel.iter().all(|side| *side >= 1), "a kernel has rows and columns");
        assert!(g.fits(), "a kernel is no larger than its image");
        let axis = |n_in: usize, n_out: usize, axis: usize| Axis {
            n_in,
            n_out,
            before: g.padding[axis][0],
            kernel: g.kernel[axis],
            stride: g.stride[axis],
            dilation: g.dilation[axis],
        };
        let axes = [axis(g.height, g.out_height(), 0), axis(g.width, g.out_width(), 1)];
        let turned = axes.map(|axis| axis.turned());
        let frame = |[rows, columns]: [Axis; 2], stored: usize| {
            [rows.before, rows.after()].map(|n| n * columns.n_in * stored)
        };
        let [stored_in, stored_out] = g.stored;
        Self {
            geometry,
            forward: windows(axes, g.c_in, g.stored),
            backward: windows(turned, g.c_out, [stored_out, stored_in]),
            frames: [frame(axes, stored_in), frame(turned, stored_out)],
        }
    }

    /// Returns the shapes.
    #[must_use]
    pub fn geometry(&self) -> &ConvGeometry {
        &self.geometry
    }

    /// Returns the numbers of zeros before and after an image of the input.
    #[must_use]
    pub fn frame(&self) -> [usize; 2] {
        self.frames[0]
    }

    /// Computes `output = activation(x * kernel + bias)`. `x` has its [`frame`](Self::frame);
    /// `output` is `[out_height, out_width, c_out]`.
    pub fn forward(
        &self,
        isa: Isa,
        x: &[f32],
        (kernel, bias): (&[f32], &[f32]),
        activation: Activation,
        output: &mut [f32],
    ) {
        for Windows { places, segments } in &self.forward {
            Product {
                input: x,
                places,
                segments: *segments,
                weights: kernel,
                start: Start::Bias(bias),
                n_out: self.geometry.stored[1],
                activation,
                output: &mut *output,
            }
            .run(isa);
        }
    }

    /// Adds to the kernel's gradient. `x` has its [`frame`](Self::frame), and `d_output` is the
    /// gradient before the activation.
    pub fn kernel_gradient(&self, isa: Isa, x: &[f32], d_output: &[f32], d_kernel: &mut [f32]) {
        for Windows { places, segments } in &self.forward {
            Outer {
                input: x,
                places,
                segments: *segments,
                d_output,
                n_out: self.geometry.stored[1],
                d_weights: &mut *d_kernel,
            }
            .run(isa);
        }
    }

    /// Returns the length of a gradient with its zeros, as [`input_gradient`](Self::input_gradient)
    /// reads it.
    #[must_use]
    pub fn framed_len(&self) -> usize {
        self.frames[1][0] + self.spread_len() + self.frames[1][1]
    }

    /// Returns the number of zeros before the gradient.
    #[must_use]
    pub fn frame_len(&self) -> usize {
        self.frames[1][0]
    }

    /// Returns whether the windows lie next to each other, so that the gradient is read as it is,
    /// without zeros between its rows and columns.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.geometry.stride == [1; 2]
    }

    fn spread_len(&self) -> usize {
        let (g, [sh, sw]) = (&self.geometry, self.geometry.stride);
        ((g.out_height() - 1) * sh + 1) * ((g.out_width() - 1) * sw + 1) * g.stored[1]
    }

    /// Writes a gradient of the output into `framed`, with zeros between its rows and columns if the
    /// windows do not lie next to each other. The other numbers of `framed` are 0 and stay so.
    pub fn spread(&self, d_output: &[f32], framed: &mut [f32]) {
        let (g, [sh, sw], stored) = (&self.geometry, self.geometry.stride, self.geometry.stored[1]);
        let width = (g.out_width() - 1) * sw + 1;
        for (position, d) in d_output.chunks_exact(stored).enumerate() {
            let (y, x) = (position / g.out_width(), position % g.out_width());
            let at = self.frames[1][0] + (y * sh * width + x * sw) * stored;
            framed[at..at + stored].copy_from_slice(d);
        }
    }

    /// Computes the input's gradient from the rotated kernel ([`turn`](Self::turn)) and from
    /// `framed`: the gradient before the activation, [spread](Self::spread), with
    /// [`frame_len`](Self::frame_len) zeros before and as many as are left after it. It is added to
    /// `d_x` if `adds`; otherwise it replaces what is there.
    pub fn input_gradient(
        &self,
        isa: Isa,
        framed: &[f32],
        turned: &[f32],
        adds: bool,
        d_x: &mut [f32],
    ) {
        for Windows { places, segments } in &self.backward {
            Product {
                input: framed,
                places,
                segments: *segments,
                weights: turned,
                start: if adds { Start::Output } else { Start::Zero },
                n_out: self.geometry.stored[0],
                activation: Activation::Linear,
                output: &mut *d_x,
            }
            .run(isa);
        }
    }

    /// Returns the length of a rotated kernel.
    #[must_use]
    pub fn turned_len(&self) -> usize {
        let g = &self.geometry;
        g.kernel[0] * g.kernel[1] * g.c_out * g.stored[0]
    }

    /// Rotates the kernel, `[kernel_height, kernel_width, c_out, c_in]`.
    pub fn turn(&self, kernel: &[f32], turned: &mut [f32]) {
        let (c_in, [stored_in, stored_out]) = (self.geometry.c_in, self.geometry.stored);
        let taps = kernel.chunks_exact(c_in * stored_out).rev();
        for (turned, tap) in turned.chunks_exact_mut(self.geometry.c_out * stored_in).zip(taps) {
            for (out, row) in turned.chunks_exact_mut(stored_in).enumerate() {
                for (value, of_input) in row.iter_mut().zip(tap.chunks_exact(stored_out)) {
                    *value = of_input[out];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{
        any_geometry, assert_close, convolution, dot, random, slope, wide,
    };
    use proptest::prelude::*;

    struct Gradients {
        d_x: Vec<f32>,
        d_kernel: Vec<f32>,
        d_bias: Vec<f32>,
    }

    /// Stores positions of `channels` numbers as `stored` numbers, the rest 0.
    fn store(values: &[f32], channels: usize, stored: usize) -> Vec<f32> {
        let zeros = vec![0.0; stored - channels];
        values.chunks_exact(channels).flat_map(|row| [row, &zeros].concat()).collect()
    }

    fn take(values: &[f32], channels: usize, stored: usize) -> Vec<f32> {
        values.chunks_exact(stored).flat_map(|row| row[..channels].to_vec()).collect()
    }

    /// Puts the zeros of a frame around an image.
    fn framed(image: &[f32], [before, after]: [usize; 2]) -> Vec<f32> {
        [&vec![0.0; before], image, &vec![0.0; after]].concat()
    }

    /// Computes `relu(x * kernel + bias)` for a batch.
    fn forward(g: &ConvGeometry, x: &[f32], kernel: &[f32], bias: &[f32]) -> Vec<f32> {
        let convolution = Convolution::new(*g);
        let [stored_in, stored_out] = g.stored;
        let parameters = (store(kernel, g.c_out, stored_out), store(bias, g.c_out, stored_out));
        let x = store(x, g.c_in, stored_in);
        let of_one = |x: &[f32]| {
            let mut output = vec![f32::NAN; g.output_len()];
            let (x, (kernel, bias)) = (framed(x, convolution.frame()), &parameters);
            let relu = Activation::Relu;
            convolution.forward(Isa::best(), &x, (kernel, bias), relu, &mut output);
            output
        };
        let outputs: Vec<f32> = x.chunks_exact(g.input_len()).flat_map(of_one).collect();
        take(&outputs, g.c_out, stored_out)
    }

    /// Computes the backward pass, given the gradient before ReLU.
    fn backward(g: &ConvGeometry, x: &[f32], kernel: &[f32], d_output: &[f32]) -> Gradients {
        let (convolution, isa, [stored_in, stored_out]) =
            (Convolution::new(*g), Isa::best(), g.stored);
        let (x, d) = (store(x, g.c_in, stored_in), store(d_output, g.c_out, stored_out));
        let kernel = store(kernel, g.c_out, stored_out);
        let mut turned = vec![0.0; convolution.turned_len()];
        convolution.turn(&kernel, &mut turned);
        let (mut d_x, mut d_kernel) = (vec![f32::NAN; x.len()], vec![0.0; kernel.len()]);
        let mut d_framed = vec![0.0; convolution.framed_len()];
        let images = x.chunks_exact(g.input_len()).zip(d_x.chunks_exact_mut(g.input_len()));
        for ((x, d_x), d) in images.zip(d.chunks_exact(g.output_len())) {
            convolution.spread(d, &mut d_framed);
            if convolution.is_dense() {
                assert_eq!(&d_framed[convolution.frame_len()..][..d.len()], d);
            }
            convolution.kernel_gradient(isa, &framed(x, convolution.frame()), d, &mut d_kernel);
            convolution.input_gradient(isa, &d_framed, &turned, false, d_x);
            let once = d_x.to_vec();
            convolution.input_gradient(isa, &d_framed, &turned, true, d_x);
            d_x.iter_mut().zip(once).for_each(|(twice, once)| *twice -= once);
        }
        let of_channel = |c: usize| d_output.iter().skip(c).step_by(g.c_out).sum();
        Gradients {
            d_x: take(&d_x, g.c_in, stored_in),
            d_kernel: take(&d_kernel, g.c_out, stored_out),
            d_bias: (0..g.c_out).map(of_channel).collect(),
        }
    }

    fn gate(d_output: &[f32], output: &[f32]) -> Vec<f32> {
        d_output.iter().zip(output).map(|(&d, &y)| if y > 0.0 { d } else { 0.0 }).collect()
    }

    #[test]
    fn one_window_by_hand() {
        let g = ConvGeometry::valid([2, 2, 1], 2, [2, 2]);
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
        #![proptest_config(ProptestConfig::with_cases(120))]
        #[test]
        fn any_shape_is_the_plain_convolution(
            n in 1_usize..6, kernel in (1_usize..4, 1_usize..4), more in (1_usize..7, 1_usize..7),
            steps in prop_oneof![Just((1_usize, 1_usize, 1_usize, 1_usize)), (1_usize..4, 1_usize..4, 1_usize..3, 1_usize..3)],
            channels in (prop_oneof![Just(1_usize), Just(3), Just(16), Just(33)], prop_oneof![Just(1_usize), Just(5), Just(32), Just(50)]),
            same: bool, spare in (0_usize..4, 0_usize..4), key: u64,
        ) {
            let g = any_geometry(more, kernel, steps, same, channels);
            let g = ConvGeometry { n, stored: [g.c_in + spare.0, g.c_out + spare.1], ..g };
            let c_out = g.c_out;
            let x = random(key, n * g.height * g.width * g.c_in);
            let (kernel, bias) = (random(key ^ 1, g.kernel[0] * g.kernel[1] * g.c_in * c_out), random(key ^ 2, c_out));
            let output = forward(&g, &x, &kernel, &bias);
            let d = gate(&random(key ^ 3, output.len()), &output);
            let gated = wide(&d);
            let plain = ConvGeometry { stored: [g.c_in, c_out], ..g };
            let expected = convolution(&plain, &wide(&x), &wide(&kernel), &wide(&bias), &gated);
            assert_close(&output, &expected.output.iter().map(|y| y.max(0.0)).collect::<Vec<_>>(), 1e-4);
            let actual = backward(&g, &x, &kernel, &d);
            assert_close(&actual.d_x, &expected.d_x, 1e-4);
            assert_close(&actual.d_kernel, &expected.d_kernel, 1e-4);
            assert_close(&actual.d_bias, &expected.d_bias, 1e-4);

            // A small step does not change which values pass ReLU.
            let (x, kernel, bias) = (wide(&x), wide(&kernel), wide(&bias));
            let loss = |x: &[f64], kernel: &[f64], bias: &[f64]| dot(&convolution(&plain, x, kernel, bias, &gated).output, &gated);
            let at = |len: usize| key as usize % len;
            let (i, k, c) = (at(x.len()), at(kernel.len()), at(c_out));
            assert_close(&actual.d_x[i..=i], &[slope(&x, i, 0.5, &|x| loss(x, &kernel, &bias))], 1e-4);
            assert_close(&actual.d_kernel[k..=k], &[slope(&kernel, k, 0.5, &|kernel| loss(&x, kernel, &bias))], 1e-4);
            assert_close(&actual.d_bias[c..=c], &[slope(&bias, c, 0.5, &|bias| loss(&x, &kernel, bias))], 1e-4);
        }
    }
}
