//! Pooling with 'same' padding by the largest value or the mean, and the backward pass of a whole block
//! after a convolution.

use crate::kernels::geometry::PoolGeometry;
use crate::kernels::isa::{Isa, Level, Work, fma};
use crate::kernels::product::{Activation, lanes};
use crate::kernels::taps::{Grid, Tap, Taps};

/// A pooling with precomputed windows. Its passes take one image at a time.
#[derive(Clone, Debug)]
pub struct Pooling {
    geometry: PoolGeometry,
    /// For each window, its positions on the image.
    windows: Taps,
    /// For each position, the windows that contain it.
    positions: Taps,
}

impl Pooling {
    /// Computes the windows.
    ///
    /// # Panics
    /// If a window has no values or more than 255, or a stride is 0.
    #[must_use]
    pub fn new(geometry: PoolGeometry) -> Self {
        let g = geometry;
        assert!((1..=255).contains(&(g.size[0] * g.size[1])), "a window has 1 to 255 values");
        let grid = Grid {
            n_in: [g.height, g.width],
            n_out: [g.out_height(), g.out_width()],
            size: g.size,
            stride: g.stride,
            dilation: [1; 2],
            before: g.before(),
        };
        let (windows, positions) = (grid.windows(g.channels), grid.positions(g.channels));
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
    /// what was before that, in one pass: `d_x[i] = a * sum d_pooled[o] + b + c * x[i]`, or 0 if
    /// `before` is ReLU and `x[i]`, its output, is 0. The sum is over the windows that `i` won, and
    /// `a`, `b`, `c` are the [`Slopes`] of the channel. Each channel's sum of `d_x` is added to
    /// `d_bias`.
    pub fn backward_through(
        &self,
        isa: Isa,
        gradient: PooledGradient<'_>,
        slopes: &Slopes,
        (before, x): (Activation, &[f32]),
        d_x: &mut [f32],
        d_bias: &mut [f32],
    ) {
        let through = Through { pooling: self, gradient, slopes, x, d_x, d_bias };
        match before {
            Activation::Relu => isa.run(through),
            Activation::Linear => isa.run(Ungated(through)),
        }
    }

    /// Computes the means of one image's windows, of the values that are inside the image.
    pub fn means(&self, isa: Isa, x: &[f32], pooled: &mut [f32]) {
        isa.run(Means { pooling: self, x, pooled });
    }

    /// Runs the backward pass of [`means`](Self::means); the gradient is added to `d_x` if `adds`,
    /// otherwise it replaces what is there.
    pub fn means_backward(&self, isa: Isa, d_pooled: &[f32], adds: bool, d_x: &mut [f32]) {
        isa.run(MeansBackward { pooling: self, d_pooled, adds, d_x });
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

impl Slopes {
    /// Sets them to those of a gradient that stays what it is.
    pub fn set_to_one(&mut self, n_channels: usize) {
        for (slope, value) in [(&mut self.a, 1.0), (&mut self.b, 0.0), (&mut self.c, 0.0)] {
            slope.clear();
            slope.resize(n_channels, value);
        }
    }
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
        self.pass::<L, true>();
    }
}

/// [`Through`] a pooling with no ReLU before it.
struct Ungated<'a>(Through<'a>);

impl Work for Ungated<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let g = &self.0.pooling.geometry;
        if g.size == g.stride { self.0.by_window::<L>() } else { self.0.pass::<L, false>() }
    }
}

impl Through<'_> {
    #[inline(always)]
    fn pass<L: Level, const GATED: bool>(self) {
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
                    d[lane] = if !GATED || x[lane] > 0.0 { full } else { 0.0 };
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

impl Through<'_> {
    /// Goes by windows that do not overlap: what a window gives back is read once.
    #[inline(always)]
    fn by_window<L: Level>(self) {
        let n = self.pooling.geometry.channels;
        channel_blocks!(n, |channel, LANES| {
            let a: [f32; LANES] = lanes(&self.slopes.a, channel);
            let b: [f32; LANES] = lanes(&self.slopes.b, channel);
            let c: [f32; LANES] = lanes(&self.slopes.c, channel);
            let mut total = [0.0; LANES];
            let PooledGradient { d_pooled, argmax } = self.gradient;
            let windows = d_pooled.chunks_exact(n).zip(argmax.chunks_exact(n));
            for ((d_pooled, argmax), taps) in windows.zip(self.pooling.windows.lists()) {
                let d_pooled: [f32; LANES] = lanes(d_pooled, channel);
                let winner: [u8; LANES] =
                    *argmax[channel..].first_chunk().expect("channels lie within a window");
                let (mut from_winner, mut place) = ([0.0; LANES], [0_u32; LANES]);
                for lane in 0..LANES {
                    from_winner[lane] = a[lane] * d_pooled[lane];
                    place[lane] = u32::from(winner[lane]);
                }
                for tap in taps {
                    let at = tap.at as usize + channel;
                    let x: [f32; LANES] = lanes(self.x, at);
                    let mut d = [0.0; LANES];
                    for lane in 0..LANES {
                        let dense = fma::<L>(c[lane], x[lane], b[lane]);
                        let won = place[lane] == u32::from(tap.place);
                        d[lane] = dense + if won { from_winner[lane] } else { 0.0 };
                        total[lane] += d[lane];
                    }
                    self.d_x[at..][..LANES].copy_from_slice(&d);
                }
            }
            for lane in 0..LANES {
                self.d_bias[channel + lane] += total[lane];
            }
        });
    }
}

struct Means<'a> {
    pooling: &'a Pooling,
    x: &'a [f32],
    pooled: &'a mut [f32],
}

impl Work for Means<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.pooling.geometry.channels;
        channel_blocks!(n, |channel, LANES| {
            let windows = self.pooling.windows.lists();
            for (pooled, taps) in self.pooled.chunks_exact_mut(n).zip(windows) {
                let mut sum = [0.0; LANES];
                for tap in taps {
                    let x: [f32; LANES] = lanes(self.x, tap.at as usize + channel);
                    for lane in 0..LANES {
                        sum[lane] += x[lane];
                    }
                }
                let share = 1.0 / taps.len() as f32;
                for lane in 0..LANES {
                    pooled[channel + lane] = sum[lane] * share;
                }
            }
        });
    }
}

struct MeansBackward<'a> {
    pooling: &'a Pooling,
    d_pooled: &'a [f32],
    adds: bool,
    d_x: &'a mut [f32],
}

impl Work for MeansBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let Pooling { geometry, windows, positions } = self.pooling;
        let n = geometry.channels;
        channel_blocks!(n, |channel, LANES| {
            for (d_x, taps) in self.d_x.chunks_exact_mut(n).zip(positions.lists()) {
                let mut sum: [f32; LANES] =
                    if self.adds { lanes(d_x, channel) } else { [0.0; LANES] };
                for tap in taps {
                    let share = 1.0 / windows.list(tap.at as usize / n).len() as f32;
                    let d: [f32; LANES] = lanes(self.d_pooled, tap.at as usize + channel);
                    for lane in 0..LANES {
                        sum[lane] = fma::<L>(d[lane], share, sum[lane]);
                    }
                }
                d_x[channel..][..LANES].copy_from_slice(&sum);
            }
        });
    }
}

#[cfg(test)]
mod tests;
