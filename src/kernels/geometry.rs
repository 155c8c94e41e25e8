//! Shapes of images before and after a convolution or a pooling.

/// A convolution with stride 1 and no padding ('valid').
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Number of images.
    pub n: usize,
    /// Height of an image.
    pub height: usize,
    /// Width of an image.
    pub width: usize,
    /// Channels of an image.
    pub c_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Height and width of the kernel, at most those of the image.
    pub kernel: [usize; 2],
}

impl ConvGeometry {
    /// Returns the height of the output: `height - kernel_height + 1`.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        self.height + 1 - self.kernel[0]
    }

    /// Returns the width of the output: `width - kernel_width + 1`.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        self.width + 1 - self.kernel[1]
    }

    /// Returns the number of values of one image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.c_in
    }

    /// Returns the number of values of one output.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.c_out
    }

    /// Returns the number of values of the kernel.
    #[must_use]
    pub const fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.c_in * self.c_out
    }
}

/// A max-pooling, padded so that it gives `ceil(height / stride)` rows ('same').
///
/// # Source
/// TensorFlow, "Notes on padding": the padding of an axis is
/// `max((n_out - 1) * stride + size - n_in, 0)`, with the smaller half before. Padding never wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// Number of images.
    pub n: usize,
    /// Height of an image.
    pub height: usize,
    /// Width of an image.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width of a window, which has at most 255 values.
    pub size: [usize; 2],
    /// Steps between windows; each at least 1.
    pub stride: [usize; 2],
}

impl PoolGeometry {
    /// Returns the height of the output: `ceil(height / stride)`.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        self.height.div_ceil(self.stride[0])
    }

    /// Returns the width of the output: `ceil(width / stride)`.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        self.width.div_ceil(self.stride[1])
    }

    /// Returns the number of values of one image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Returns the number of values of one output.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    /// Returns the padding before the first row and before the first column.
    #[must_use]
    pub const fn before(&self) -> [usize; 2] {
        let rows = (self.out_height() - 1) * self.stride[0] + self.size[0];
        let columns = (self.out_width() - 1) * self.stride[1] + self.size[1];
        [rows.saturating_sub(self.height) / 2, columns.saturating_sub(self.width) / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_asymmetric_as_in_tensorflow() {
        let pool = PoolGeometry {
            n: 1,
            height: 128,
            width: 11,
            channels: 1,
            size: [3, 3],
            stride: [2, 2],
        };
        assert_eq!((pool.out_height(), pool.out_width()), (64, 6));
        // A height of 128 needs one padding row (at the end), a width of 11 two columns (one on
        // each side).
        assert_eq!(pool.before(), [0, 1]);
    }

    #[test]
    fn windows_smaller_than_the_stride_pad_nothing() {
        let pool =
            PoolGeometry { n: 1, height: 7, width: 6, channels: 1, size: [1, 2], stride: [3, 3] };
        assert_eq!((pool.out_height(), pool.out_width(), pool.before()), (3, 2, [0, 0]));
    }
}
