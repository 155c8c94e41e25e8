//! Simple reference versions of the kernels in `f64`, for tests.

use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::vocab::Rng;

/// Returns `n` values in [-1, 1) that only depend on the key.
#[must_use]
pub fn random(key: u64, n: usize) -> Vec<f32> {
    let rng = Rng::new(key.wrapping_sub(0x9E37_79B9_7F4A_7C15));
    (0..n as u64).map(|i| (rng.at(i) >> 40) as f32 / 8_388_608.0 - 1.0).collect()
}

/// Converts the values to `f64`.
#[must_use]
pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Panics if values differ by more than `tolerance * (1 + |expected|)`.
pub fn assert_close(actual: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (i, (&a, &e)) in actual.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(a) - e).abs() <= tolerance * (1.0 + e.abs()),
            "value {i}: got {a}, expected {e}"
        );
    }
}

/// Returns the slope of `f` along the `index`-th of `values`, by the central difference over
/// `+-by`.
#[must_use]
pub fn slope(values: &[f64], index: usize, by: f64, f: &dyn Fn(&[f64]) -> f64) -> f64 {
    let moved = |by: f64| {
        let mut values = values.to_vec();
        values[index] += by;
        f(&values)
    };
    (moved(by) - moved(-by)) / (2.0 * by)
}

/// Returns `sum a[i] b[i]`: a loss whose gradient is `b`.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Returns a geometry whose kernel fits into its image: sides that are larger than the kernel's span
/// by those given, or padded to `ceil(side / stride)` windows.
#[must_use]
pub fn any_geometry(
    more: (usize, usize),
    kernel: (usize, usize),
    steps: (usize, usize, usize, usize),
    same: bool,
    channels: (usize, usize),
) -> ConvGeometry {
    let (kernel, stride, dilation) = ([kernel.0, kernel.1], [steps.0, steps.1], [steps.2, steps.3]);
    let span = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
    let least = |axis: usize| if same { 1 } else { span[axis] };
    let sides = [more.0 - 1 + least(0), more.1 - 1 + least(1)];
    let padding = [0, 1].map(|axis| {
        let steps = (sides[axis].div_ceil(stride[axis]) - 1) * stride[axis];
        let total = if same { (steps + span[axis]).saturating_sub(sides[axis]) } else { 0 };
        [total / 2, total - total / 2]
    });
    let image = [sides[0], sides[1], channels.0];
    ConvGeometry { padding, stride, dilation, ..ConvGeometry::valid(image, channels.1, kernel) }
}

/// A convolution with bias, and its gradients for a given gradient of the output.
pub struct ConvReference {
    /// `[n, out_height, out_width, c_out]`.
    pub output: Vec<f64>,
    /// Same shape as `x`.
    pub d_x: Vec<f64>,
    /// Same shape as `kernel`.
    pub d_kernel: Vec<f64>,
    /// `[c_out]`.
    pub d_bias: Vec<f64>,
}

/// Computes a convolution product by product.
#[must_use]
pub fn convolution(
    g: &ConvGeometry,
    x: &[f64],
    kernel: &[f64],
    bias: &[f64],
    d_output: &[f64],
) -> ConvReference {
    let [kh, kw] = g.kernel;
    let (oh, ow) = (g.out_height(), g.out_width());
    let mut r = ConvReference {
        output: vec![0.0; g.n * g.output_len()],
        d_x: vec![0.0; x.len()],
        d_kernel: vec![0.0; kernel.len()],
        d_bias: vec![0.0; g.c_out],
    };
    for p in 0..g.n * oh * ow {
        let (s, oy, ox) = (p / (oh * ow), p / ow % oh, p % ow);
        for co in 0..g.c_out {
            let o = p * g.c_out + co;
            r.output[o] = bias[co];
            r.d_bias[co] += d_output[o];
            for t in 0..kh * kw * g.c_in {
                let (ky, kx, ci) = (t / (kw * g.c_in), t / g.c_in % kw, t % g.c_in);
                let y = (oy * g.stride[0] + ky * g.dilation[0]).checked_sub(g.padding[0][0]);
                let x_ = (ox * g.stride[1] + kx * g.dilation[1]).checked_sub(g.padding[1][0]);
                let (Some(y), Some(x_)) = (y, x_) else { continue };
                if y >= g.height || x_ >= g.width {
                    continue;
                }
                let i = ((s * g.height + y) * g.width + x_) * g.c_in + ci;
                r.output[o] += x[i] * kernel[t * g.c_out + co];
                r.d_x[i] += d_output[o] * kernel[t * g.c_out + co];
                r.d_kernel[t * g.c_out + co] += d_output[o] * x[i];
            }
        }
    }
    r
}

/// Computes max-pooling: the output, and for each value of it the index of the input (the first
/// maximum).
#[must_use]
pub fn max_pool(g: &PoolGeometry, x: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let (oh, ow) = (g.out_height(), g.out_width());
    let [top, left] = g.before();
    let mut result = (Vec::new(), Vec::new());
    for o in 0..g.n * oh * ow * g.channels {
        let (c, px, py, s) = (
            o % g.channels,
            o / g.channels % ow,
            o / g.channels / ow % oh,
            o / g.channels / ow / oh,
        );
        let mut best = (f64::NEG_INFINITY, usize::MAX);
        for t in 0..g.size[0] * g.size[1] {
            let (y, x_) = (py * g.stride[0] + t / g.size[1], px * g.stride[1] + t % g.size[1]);
            if y < top || x_ < left || y - top >= g.height || x_ - left >= g.width {
                continue;
            }
            let i = ((s * g.height + y - top) * g.width + x_ - left) * g.channels + c;
            if x[i] > best.0 {
                best = (x[i], i);
            }
        }
        result.0.push(best.0);
        result.1.push(best.1);
    }
    result
}
