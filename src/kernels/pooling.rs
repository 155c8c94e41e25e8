//! Max-pooling with 'same' padding, and the backward pass of a whole block after a convolution.

use std::ops::Range;

use crate::kernels::geometry::PoolGeometry;
use crate::kernels::isa::{Isa, Level, Work, fma};
use crate::kernels::product::lanes;

/// A pooling with precomputed windows. Its passes take one image at a time.
#[derive(Clone, Debug)]
pub struct Pooling {
    geometry: PoolGeometry,
    /// For each window, its positions on the image.
    windows: Taps,
    /// For each position, the windows that contain it.
    positions: Taps,
}

/// Lists of taps, one list per item.
#[derive(Clone, Debug, Default)]
struct Taps {
    ranges: Vec<Range<u32>>,
    taps: Vec<Tap>,
}

/// A position in a window.
#[derive(Clone, Copy, Debug)]
struct Tap {
    /// Offset of the first channel of the position, or of the window in the output.
    at: u32,
    /// The position's index in the window, row by row.
    place: u8,
}

impl Taps {
    fn add(&mut self, taps: impl Iterator<Item = Tap>) {
        let first = self.taps.len() as u32;
        self.taps.extend(taps);
        self.ranges.push(first..self.taps.len() as u32);
    }

    #[inline(always)]
    fn lists(&self) -> impl Iterator<Item = &[Tap]> {
        self.ranges.iter().map(|range| &self.taps[range.start as usize..range.end as usize])
    }
}

/// Returns pairs (other, step) along an axis: the steps of a window that are inside the image, with
/// their positions.
fn steps_of(
    window: usize,
    n_in: usize,
    size: usize,
    stride: usize,
    before: usize,
) -> Vec<(usize, usize)> {
    let steps = (0..size).map(|step| (window * stride + step, step));
    steps
        .filter(|(at, _)| (before..before + n_in).contains(at))
        .map(|(at, step)| (at - before, step))
        .collect()
}

/// Returns the same for a position: the windows that contain it, with its step in each.
fn windows_of(
    position: usize,
    n_out: usize,
    size: usize,
    stride: usize,
    before: usize,
) -> Vec<(usize, usize)> {
    let windows =
        (0..n_out).map(|window| (window, (position + before).wrapping_sub(window * stride)));
    windows.filter(|&(_, step)| step < size).collect()
}

impl Pooling {
    /// Computes the windows.
    ///
    /// # Panics
    /// If a window has no values or more than 255, or a stride is 0.
    #[must_use]
    pub fn new(geometry: PoolGeometry) -> Self {
        let PoolGeometry { height, width, channels, size, stride, .. } = geometry;
        let (out_height, out_width, before) =
            (geometry.out_height(), geometry.out_width(), geometry.before());
        assert!((1..=255).contains(&(size[0] * size[1])), "a window has 1 to 255 values");
        let product = |rows: &[(usize, usize)],
                       columns: &[(usize, usize)],
                       width: usize|
         -> Vec<Tap> {
            let tap = |&(row, ky): &(usize, usize), &(column, kx): &(usize, usize)| Tap {
                at: ((row * width + column) * channels) as u32,
                place: (ky * size[1] + kx) as u8,
            };
            rows.iter().flat_map(|row| columns.iter().map(move |column| tap(row, column))).collect()
        };
        let (mut windows, mut positions) = (Taps::default(), Taps::default());
        for row in 0..out_height {
            let rows = steps_of(row, height, size[0], stride[0], before[0]);
            for column in 0..out_width {
                let columns = steps_of(column, width, size[1], stride[1], before[1]);
                windows.add(product(&rows, &columns, width).into_iter());
            }
        }
        for row in 0..height {
            let rows = windows_of(row, out_height, size[0], stride[0], before[0]);
            for column in 0..width {
                let columns = windows_of(column, out_width, size[1], stride[1], before[1]);
                positions.add(product(&rows, &columns, out_width).into_iter());
            }
        }
        Self { geometry, windows, positions }
    }

    /// Returns the shapes.
    #[must_use]
    pub fn geometry(&self) -> &PoolGeometry {
        &self.geometry
    }

    /// Pools one image. `pooled[o]` is the value of `x` in the window for which
    /// `x * direction[channel]` is largest, and `argmax[o]` its index in the window, row by row; the
    /// first one wins a tie.
    ///
    /// A direction of 1 is max-pooling. A batch normalization between `x` and the pooling rises
    /// with `x` if its gamma is positive, falls if it is negative and is constant if it is 0. With
    /// the sign of gamma as the direction, the same values win before the normalization as would
    /// win after it.
    pub fn forward(
        &self,
        isa: Isa,
        x: &[f32],
        direction: &[f32],
        pooled: &mut [f32],
        argmax: &mut [u8],
    ) {
        isa.run(Forward { pooling: self, x, direction, pooled, argmax });
    }

    /// Propagates one image's gradients through the pooling, a batch normalization before it and
    /// ReLU, in one pass: `d_x[i] = x[i] > 0 ? a * sum d_pooled[o] + b + c * x[i] : 0`. The sum is
    /// over the windows that `i` won, and `a`, `b`, `c` are the [`Slopes`] of the channel. Each
    /// channel's sum of `d_x` is added to `d_bias`. `x` is the output of ReLU.
    pub fn backward_through(
        &self,
        isa: Isa,
        gradient: PooledGradient<'_>,
        slopes: &Slopes,
        x: &[f32],
        d_x: &mut [f32],
        d_bias: &mut [f32],
    ) {
        isa.run(Through { pooling: self, gradient, slopes, x, d_x, d_bias });
    }
}

/// Returns the gradient for `LANES` channels of a position that is part of some windows.
#[inline(always)]
fn gather<const LANES: usize>(
    gradient: PooledGradient<'_>,
    taps: &[Tap],
    channel: usize,
) -> [f32; LANES] {
    let mut sum = [0.0; LANES];
    for tap in taps {
        let at = tap.at as usize + channel;
        let winner: [u8; LANES] =
            *gradient.argmax[at..].first_chunk().expect("channels lie within a window");
        let value: [f32; LANES] = lanes(gradient.d_pooled, at);
        for lane in 0..LANES {
            sum[lane] += if winner[lane] == tap.place { value[lane] } else { 0.0 };
        }
    }
    sum
}

/// One image's gradients after a pooling.
#[derive(Clone, Copy, Debug)]
pub struct PooledGradient<'a> {
    /// `[out_height, out_width, channels]`.
    pub d_pooled: &'a [f32],
    /// Each window's maximum; [`DROPPED`](super::dropout::DROPPED) if its gradient is dropped.
    pub argmax: &'a [u8],
}

/// Each channel's linear function from a gathered gradient and an activation to the activation's
/// gradient.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slopes {
    /// Factor of the gradient.
    pub a: Vec<f32>,
    /// Constant.
    pub b: Vec<f32>,
    /// Factor of the activation.
    pub c: Vec<f32>,
}

struct Forward<'a> {
    pooling: &'a Pooling,
    x: &'a [f32],
    direction: &'a [f32],
    pooled: &'a mut [f32],
    argmax: &'a mut [u8],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        channel_blocks!(self.pooling.geometry.channels, |channel, LANES| self
            .block::<LANES>(channel));
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn block<const LANES: usize>(&mut self, channel: usize) {
        let n = self.pooling.geometry.channels;
        let direction: [f32; LANES] = lanes(self.direction, channel);
        let rows = self.pooled.chunks_exact_mut(n).zip(self.argmax.chunks_exact_mut(n));
        for ((pooled, argmax), taps) in rows.zip(self.pooling.windows.lists()) {
            let first: [f32; LANES] = lanes(self.x, taps[0].at as usize + channel);
            let mut best = [0.0; LANES];
            for lane in 0..LANES {
                best[lane] = first[lane] * direction[lane];
            }
            let mut winner = [u32::from(taps[0].place); LANES];
            for tap in &taps[1..] {
                let candidate: [f32; LANES] = lanes(self.x, tap.at as usize + channel);
                for lane in 0..LANES {
                    let directed = candidate[lane] * direction[lane];
                    // The choice uses bits: between floats it may become a branch, and the loop
                    // scalar.
                    let mask = u32::from(directed > best[lane]).wrapping_neg();
                    winner[lane] = (u32::from(tap.place) & mask) | (winner[lane] & !mask);
                    best[lane] = if best[lane] > directed { best[lane] } else { directed };
                }
            }
            // A direction of 0 makes all values equal, and the first one wins.
            let mut value = first;
            for lane in 0..LANES {
                if direction[lane] != 0.0 {
                    value[lane] = best[lane] * direction[lane];
                }
            }
            pooled[channel..][..LANES].copy_from_slice(&value);
            let mut marks = [0; LANES];
            for lane in 0..LANES {
                marks[lane] = winner[lane] as u8;
            }
            argmax[channel..][..LANES].copy_from_slice(&marks);
        }
    }
}

struct Through<'a> {
    pooling: &'a Pooling,
    gradient: PooledGradient<'a>,
    slopes: &'a Slopes,
    x: &'a [f32],
    d_x: &'a mut [f32],
    d_bias: &'a mut [f32],
}

impl Work for Through<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let g = &self.pooling.geometry;
        channel_blocks!(g.channels, |channel, LANES| {
            let a: [f32; LANES] = lanes(&self.slopes.a, channel);
            let b: [f32; LANES] = lanes(&self.slopes.b, channel);
            let c: [f32; LANES] = lanes(&self.slopes.c, channel);
            let mut total = [0.0; LANES];
            let rows = self.d_x.chunks_exact_mut(g.channels).zip(self.x.chunks_exact(g.channels));
            for ((d_x, x), taps) in rows.zip(self.pooling.positions.lists()) {
                let sum: [f32; LANES] = gather(self.gradient, taps, channel);
                let x: [f32; LANES] = lanes(x, channel);
                let mut d = [0.0; LANES];
                for lane in 0..LANES {
                    let dense = fma::<L>(c[lane], x[lane], b[lane]);
                    let full = fma::<L>(a[lane], sum[lane], dense);
                    d[lane] = if x[lane] > 0.0 { full } else { 0.0 };
                    total[lane] += d[lane];
                }
                d_x[channel..][..LANES].copy_from_slice(&d);
            }
            for lane in 0..LANES {
                self.d_bias[channel + lane] += total[lane];
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, dot, max_pool, random, slope, wide};
    use proptest::prelude::*;

    fn pooling(
        height: usize,
        width: usize,
        channels: usize,
        size: [usize; 2],
        stride: [usize; 2],
    ) -> Pooling {
        Pooling::new(PoolGeometry { n: 1, height, width, channels, size, stride })
    }

    /// Runs the backward pass of the pooling alone.
    fn backward(pool: &Pooling, isa: Isa, d_pooled: &[f32], argmax: &[u8], d_x: &mut [f32]) {
        let n = pool.geometry().channels;
        let slopes = Slopes { a: vec![1.0; n], b: vec![0.0; n], c: vec![0.0; n] };
        let (gradient, open) = (PooledGradient { d_pooled, argmax }, vec![1.0; d_x.len()]);
        pool.backward_through(isa, gradient, &slopes, &open, d_x, &mut vec![0.0; n]);
    }

    #[test]
    fn of_equal_values_the_first_wins() {
        let pool = pooling(2, 2, 1, [2, 2], [2, 2]);
        let (mut pooled, mut argmax, mut d_x) = ([0.0], [9], [0.0; 4]);
        pool.forward(Isa::best(), &[1.0, 5.0, 5.0, 5.0], &[1.0], &mut pooled, &mut argmax);
        assert_eq!((pooled, argmax), ([5.0], [1]));
        backward(&pool, Isa::best(), &[2.0], &argmax, &mut d_x);
        assert_eq!(d_x, [0.0, 2.0, 0.0, 0.0]);
    }

    #[test]
    fn a_flat_direction_takes_the_first_and_a_falling_one_the_least() {
        let pool = pooling(2, 2, 2, [2, 2], [2, 2]);
        let x = [3.0, 3.0, 1.0, 1.0, 7.0, 7.0, 1.0, 1.0];
        let (mut pooled, mut argmax) = ([0.0; 2], [9; 2]);
        pool.forward(Isa::best(), &x, &[0.0, -1.0], &mut pooled, &mut argmax);
        assert_eq!((pooled, argmax), ([3.0, 1.0], [0, 1]));
    }

    proptest! {
        #[test]
        fn a_gradient_is_the_slope(
            height in 1_usize..8, width in 1_usize..8, channels in 1_usize..6, kh in 1_usize..10, kw in 1_usize..5,
            sh in 1_usize..4, sw in 1_usize..4, key: u64,
        ) {
            let pool = pooling(height, width, channels, [kh, kw], [sh, sw]);
            let g = *pool.geometry();
            // All values are distinct, because 10007 is a prime larger than the image.
            let x: Vec<f32> = (0..g.input_len()).map(|i| ((key as usize % 10_007 + i * 7919) % 10_007) as f32 / 10_007.0).collect();
            let d = random(key, g.output_len());
            let (mut pooled, mut argmax, mut d_x) = (vec![0.0; d.len()], vec![0; d.len()], vec![f32::NAN; x.len()]);
            pool.forward(Isa::best(), &x, &vec![1.0; channels], &mut pooled, &mut argmax);
            backward(&pool, Isa::best(), &d, &argmax, &mut d_x);
            let (x, d) = (wide(&x), wide(&d));
            let slopes: Vec<f64> = (0..x.len()).map(|i| slope(&x, i, 1e-5, &|x| dot(&max_pool(&g, x).0, &d))).collect();
            assert_close(&d_x, &slopes, 1e-5);
        }

        #[test]
        fn any_shape_is_the_plain_pooling(
            height in 1_usize..9, width in 1_usize..7, channels in 1_usize..38, kh in 1_usize..4, kw in 1_usize..4,
            sh in 1_usize..4, sw in 1_usize..4, key: u64, ties: bool,
        ) {
            let pool = pooling(height, width, channels, [kh, kw], [sh, sw]);
            let g = *pool.geometry();
            let mut x = random(key, g.input_len());
            if ties {
                x.iter_mut().for_each(|v| *v = (*v * 2.0).round());
            }
            let d = random(key ^ 1, g.output_len());
            let (values, winners) = max_pool(&g, &wide(&x));
            let mut expected = vec![0.0; x.len()];
            for (&i, &gradient) in winners.iter().zip(&d) {
                expected[i] += f64::from(gradient);
            }
            for isa in Isa::available() {
                let (mut pooled, mut argmax, mut d_x) = (vec![0.0; d.len()], vec![0; d.len()], vec![f32::NAN; x.len()]);
                pool.forward(isa, &x, &vec![1.0; channels], &mut pooled, &mut argmax);
                prop_assert_eq!(&wide(&pooled), &values);
                backward(&pool, isa, &d, &argmax, &mut d_x);
                assert_close(&d_x, &expected, 1e-5);
                // The same through a linear function and ReLU.
                let slope = |k: u64| random(key ^ k, channels);
                let slopes = Slopes { a: slope(2), b: slope(3), c: slope(4) };
                let mut d_bias = vec![0.5; channels];
                let mut through = vec![f32::NAN; x.len()];
                pool.backward_through(isa, PooledGradient { d_pooled: &d, argmax: &argmax }, &slopes, &x, &mut through, &mut d_bias);
                let line: Vec<f64> = (0..x.len()).map(|i| {
                    let (k, v) = (i % channels, f64::from(x[i]));
                    if v > 0.0 { f64::from(slopes.a[k]) * expected[i] + f64::from(slopes.b[k]) + f64::from(slopes.c[k]) * v } else { 0.0 }
                }).collect();
                assert_close(&through, &line, 1e-5);
                let of_channel = |k: usize| 0.5 + line.iter().skip(k).step_by(channels).sum::<f64>();
                assert_close(&d_bias, &(0..channels).map(of_channel).collect::<Vec<_>>(), 1e-4);
            }
        }
    }
}
