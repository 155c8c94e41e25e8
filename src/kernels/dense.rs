//! Dense layers: a batch of rows times a matrix, forward and backward.

use rayon::prelude::*;

use crate::kernels::isa::{Isa, Level, Work};
use crate::kernels::outer::Outer;
use crate::kernels::product::{Activation, Place, Product, Segments, Start, dense_places};

/// Number of rows of weights whose gradient is one piece of work; it fits the first-level cache.
pub const PANEL: usize = 24;

/// Number of rows of weights that all rows of the batch are multiplied with before the next ones
/// follow. A column of so few rows needs little space in the caches and in address translation.
const DEPTH: usize = 128;

/// Number of products below which a pass stays on one thread.
const WORTH_A_THREAD: usize = 1 << 20;

/// A dense layer's shape with precomputed rows.
#[derive(Clone, Debug)]
pub struct Dense {
    n_in: usize,
    n_out: usize,
    forward: Vec<Place>,
    backward: Vec<Place>,
}

impl Dense {
    /// Creates a layer for batches of at most `max_batch` rows.
    #[must_use]
    pub fn new(max_batch: usize, n_in: usize, n_out: usize) -> Self {
        Self {
            n_in,
            n_out,
            forward: dense_places(max_batch, n_in, n_out),
            backward: dense_places(max_batch, n_out, n_in),
        }
    }

    /// Returns the number of inputs.
    #[must_use]
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Returns the number of outputs.
    #[must_use]
    pub fn n_out(&self) -> usize {
        self.n_out
    }

    /// Computes `output = activation(x * weights + bias)`; `x` `[n, n_in]`, `weights`
    /// `[n_in, n_out]`, `output` `[n, n_out]`.
    pub fn forward(
        &self,
        isa: Isa,
        x: &[f32],
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
        output: &mut [f32],
    ) {
        let (n_in, n_out) = (self.n_in, self.n_out);
        by_rows(x, output, n_in, n_out, |x, output| {
            let places = &self.forward[..output.len() / n_out];
            deep_product(
                isa,
                x,
                places,
                n_in,
                weights,
                Start::Bias(bias),
                n_out,
                activation,
                output,
            );
        });
    }

    /// Computes `d_x = d_output * transposed`; `transposed` is `[n_out, n_in]`.
    pub fn input_gradient(&self, isa: Isa, d_output: &[f32], transposed: &[f32], d_x: &mut [f32]) {
        let (n_in, n_out) = (self.n_in, self.n_out);
        by_rows(d_output, d_x, n_out, n_in, |d, d_x| {
            let places = &self.backward[..d_x.len() / n_in];
            let linear = Activation::Linear;
            deep_product(isa, d, places, n_out, transposed, Start::Zero, n_in, linear, d_x);
        });
    }

    /// Computes the weights' gradient for panel number `panel`: the [`PANEL`] rows (or fewer, at
    /// the end) in `d_weights`. The sum goes over the whole batch in order, on any thread.
    pub fn weight_gradient(
        &self,
        isa: Isa,
        panel: usize,
        x: &[f32],
        d_output: &[f32],
        d_weights: &mut [f32],
    ) {
        d_weights.fill(0.0);
        Outer {
            input: &x[panel * PANEL..],
            places: &self.forward[..d_output.len() / self.n_out],
            segments: Segments::one(d_weights.len() / self.n_out),
            d_output,
            n_out: self.n_out,
            d_weights,
        }
        .run(isa);
    }

    /// Computes the bias's gradient: the sum of each column.
    pub fn bias_gradient(&self, d_output: &[f32], d_bias: &mut [f32]) {
        d_bias.fill(0.0);
        for row in d_output.chunks_exact(self.n_out) {
            d_bias.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
        }
    }

    /// Transposes the weights to `[n_out, n_in]`.
    pub fn transpose(&self, weights: &[f32], transposed: &mut [f32]) {
        const SIDE: usize = 16;
        let (n_in, n_out) = (self.n_in, self.n_out);
        for top in (0..n_in).step_by(SIDE) {
            for left in (0..n_out).step_by(SIDE) {
                for column in left..n_out.min(left + SIDE) {
                    let bottom = n_in.min(top + SIDE);
                    for (row, value) in (top..bottom).zip(&mut transposed[column * n_in + top..]) {
                        *value = weights[row * n_out + column];
                    }
                }
            }
        }
    }
}

/// Computes a product in slices of [`DEPTH`] rows of weights: the same sums in the same order.
#[expect(clippy::too_many_arguments, reason = "a product's fields")]
fn deep_product(
    isa: Isa,
    input: &[f32],
    places: &[Place],
    depth: usize,
    weights: &[f32],
    start: Start<'_>,
    n_out: usize,
    activation: Activation,
    output: &mut [f32],
) {
    for first in (0..depth).step_by(DEPTH) {
        let last = depth.min(first + DEPTH);
        Product {
            input: &input[first..],
            places,
            segments: Segments::one(last - first),
            weights: &weights[first * n_out..last * n_out],
            start: if first == 0 { start } else { Start::Output },
            n_out,
            activation: if last == depth { activation } else { Activation::Linear },
            output: &mut *output,
        }
        .run(isa);
    }
}

/// Calls `work` on matching rows of both slices, on several threads if that is worthwhile. Rows are
/// independent.
fn by_rows(
    x: &[f32],
    output: &mut [f32],
    n_in: usize,
    n_out: usize,
    work: impl Fn(&[f32], &mut [f32]) + Sync,
) {
    let (n_rows, n_threads) = (output.len() / n_out, rayon::current_num_threads());
    if n_threads == 1 || n_rows * n_in * n_out < WORTH_A_THREAD {
        return work(x, output);
    }
    let rows = n_rows.div_ceil(n_threads).next_multiple_of(12);
    output
        .par_chunks_mut(rows * n_out)
        .zip(x.par_chunks(rows * n_in))
        .for_each(|(output, x)| work(x, output));
}

/// Computes the gradient before a ReLU followed by dropout, from their output:
/// `d = output > 0 ? d * scale : 0`. Dropped values and values blocked by ReLU are both zeros of the output, so no mask
/// is needed.
pub fn gate(isa: Isa, output: &[f32], scale: f32, d: &mut [f32]) {
    isa.run(Gate { output, scale, d });
}

struct Gate<'a> {
    output: &'a [f32],
    scale: f32,
    d: &'a mut [f32],
}

impl Work for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (d, &output) in self.d.iter_mut().zip(self.output) {
            *d = if output > 0.0 { *d * self.scale } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, dot, random, slope, wide};
    use proptest::prelude::*;

    #[test]
    fn gate_closes_where_the_result_is_zero() {
        let mut d = [1.0, 1.0, 1.0];
        gate(Isa::best(), &[0.0, 2.0, -0.0], 2.0, &mut d);
        assert_eq!(d, [0.0, 2.0, 0.0]);
    }

    /// Computes `x * weights + bias`.
    fn plain(x: &[f64], weights: &[f64], bias: &[f64]) -> Vec<f64> {
        let (n_out, n_in) = (bias.len(), weights.len() / bias.len());
        let output = |i: usize| {
            let row = &x[i / n_out * n_in..][..n_in];
            let products = row.iter().enumerate().map(|(k, x)| x * weights[k * n_out + i % n_out]);
            bias[i % n_out] + products.sum::<f64>()
        };
        (0..x.len() / n_in * n_out).map(output).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn gate_is_relus_and_dropouts_slope(n in 1_usize..100, key: u64, share in 0.0_f32..0.9) {
            let rate = crate::kernels::dropout::Rate::new(share).unwrap();
            let (before, d) = (random(key, n), random(key ^ 1, n));
            let mut mask = vec![1.0; n];
            crate::kernels::dropout::dropout(Isa::best(), rate, key, &mut mask);
            let output: Vec<f32> = before.iter().zip(&mask).map(|(v, m)| v.max(0.0) * m).collect();
            let expected: Vec<f64> =
                (0..n).map(|i| if before[i] > 0.0 { f64::from(d[i] * mask[i]) } else { 0.0 }).collect();
            for isa in Isa::available() {
                let mut gated = d.clone();
                gate(isa, &output, rate.scale(), &mut gated);
                assert_close(&gated, &expected, 1e-6);
            }
        }

        #[test]
        fn a_deep_layer_is_the_plain_one_and_its_gradients_are_slopes(
            n in 1_usize..15, n_in in 1_usize..300, n_out in 1_usize..40, relu: bool, key: u64,
        ) {
            let (dense, isa) = (Dense::new(15, n_in, n_out), Isa::best());
            let (x, w, b) = (random(key, n * n_in), random(key ^ 1, n_in * n_out), random(key ^ 2, n_out));
            let activation = if relu { Activation::Relu } else { Activation::Linear };
            let mut output = vec![f32::NAN; n * n_out];
            dense.forward(isa, &x, &w, &b, activation, &mut output);
            let (x64, w64, b64) = (wide(&x), wide(&w), wide(&b));
            let expected = plain(&x64, &w64, &b64);
            let activated: Vec<f64> = expected.iter().map(|y| if relu { y.max(0.0) } else { *y }).collect();
            assert_close(&output, &activated, 1e-5);

            let mut d = random(key ^ 3, n * n_out);
            if relu {
                gate(isa, &output, 1.0, &mut d);
            }
            let d64 = wide(&d);
            let (mut transposed, mut d_x) = (vec![0.0; w.len()], vec![0.0; x.len()]);
            dense.transpose(&w, &mut transposed);
            dense.input_gradient(isa, &d, &transposed, &mut d_x);
            let (mut d_w, mut d_b) = (vec![0.0; w.len()], vec![0.0; n_out]);
            for (panel, d_w) in d_w.chunks_mut(PANEL * n_out).enumerate() {
                dense.weight_gradient(isa, panel, &x, &d, d_w);
            }
            dense.bias_gradient(&d, &mut d_b);
            // A small step does not change which values pass ReLU; the rest is linear.
            let at = |len: usize| key as usize % len;
            let (i, k, c) = (at(x.len()), at(w.len()), at(n_out));
            assert_close(&d_x[i..=i], &[slope(&x64, i, 0.5, &|x| dot(&plain(x, &w64, &b64), &d64))], 1e-4);
            assert_close(&d_w[k..=k], &[slope(&w64, k, 0.5, &|w| dot(&plain(&x64, w, &b64), &d64))], 1e-4);
            assert_close(&d_b[c..=c], &[slope(&b64, c, 0.5, &|b| dot(&plain(&x64, &w64, b), &d64))], 1e-4);
        }

        #[test]
        fn gradients_are_the_plain_ones(n in 1_usize..20, n_in in 1_usize..60, n_out in 1_usize..40, key: u64) {
            let (dense, isa) = (Dense::new(20, n_in, n_out), Isa::best());
            let (x, w, d) = (random(key, n * n_in), random(key ^ 1, n_in * n_out), random(key ^ 2, n * n_out));
            let (mut transposed, mut d_x) = (vec![0.0; w.len()], vec![0.0; x.len()]);
            dense.transpose(&w, &mut transposed);
            dense.input_gradient(isa, &d, &transposed, &mut d_x);
            let f = |v: f32| f64::from(v);
            let expected: Vec<f64> = (0..n * n_in)
                .map(|i| (0..n_out).map(|o| f(d[i / n_in * n_out + o]) * f(w[i % n_in * n_out + o])).sum()).collect();
            assert_close(&d_x, &expected, 1e-4);

            let (mut d_w, mut d_b) = (vec![0.0; w.len()], vec![0.0; n_out]);
            for (panel, d_w) in d_w.chunks_mut(PANEL * n_out).enumerate() {
                dense.weight_gradient(isa, panel, &x, &d, d_w);
            }
            dense.bias_gradient(&d, &mut d_b);
            let expected: Vec<f64> = (0..n_in * n_out)
                .map(|i| (0..n).map(|s| f(x[s * n_in + i / n_out]) * f(d[s * n_out + i % n_out])).sum()).collect();
            assert_close(&d_w, &expected, 1e-4);
            let expected: Vec<f64> = (0..n_out).map(|o| (0..n).map(|s| f(d[s * n_out + o])).sum()).collect();
            assert_close(&d_b, &expected, 1e-4);
        }
    }
}
