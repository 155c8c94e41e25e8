//! Fused kernels for the CPU, on plain `f32` slices. `model/net/fused/` builds nets from them.
//!
//! Images are stored channels-last, `[n, height, width, channels]`; convolution kernels as
//! `[kernel_height, kernel_width, c_in, c_out]`; dense kernels as `[n_in, n_out]`, as in Keras.
//! Every kernel is safe Rust that the compiler vectorizes ([`isa`] selects the best instructions at
//! run time).
//!
//! This room must never know specs, files or features. The only numerical library that it uses is
//! libm, whose functions have the same bits on every platform.

#![expect(
    clippy::inline_always,
    reason = "a kernel is vectorised for the level of the function that it is inlined into"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "loops over lanes of several arrays are what the compiler makes vectors of"
)]

/// Runs a body for blocks of channels of constant sizes, the largest first.
macro_rules! channel_blocks {
    ($n_channels:expr, |$channel:ident, $LANES:ident| $body:expr) => {{
        let n_channels: usize = $n_channels;
        let mut $channel = 0;
        while $channel + 32 <= n_channels {
            const $LANES: usize = 32;
            $body;
            $channel += $LANES;
        }
        while $channel + 16 <= n_channels {
            const $LANES: usize = 16;
            $body;
            $channel += $LANES;
        }
        while $channel + 4 <= n_channels {
            const $LANES: usize = 4;
            $body;
            $channel += $LANES;
        }
        while $channel < n_channels {
            const $LANES: usize = 1;
            $body;
            $channel += $LANES;
        }
    }};
}

pub mod activation;
pub mod batch_norm;
pub mod convolution;
pub mod dense;
pub mod depthwise;
pub mod dropout;
pub mod geometry;
pub mod isa;
pub mod loss;
pub mod optimizer;
pub mod outer;
pub mod over_time;
pub mod pooling;
pub mod product;
mod taps;

#[cfg(test)]
pub mod reference;
