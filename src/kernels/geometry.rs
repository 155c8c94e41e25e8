//! Shapes of images before and after a convolution or a pooling.

/// A convolution with stride 1 and no padding ('valid').
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Images.
    pub n: usize,
    /// Height of an image.
    pub height: usize,
    /// Width of an image.
    pub width: usize,
    /// Channels of an image.
    pub c_in: usize,
    /// Channels of the result.
    pub c_out: usize,
    /// Height and width of the kernel; no larger than the image.
    pub kernel: [usize; 2],
}

impl ConvGeometry {
    /// Height of the result: `height - kernel_height + 1`.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        self.height + 1 - self.kernel[0]
    }

    /// Width of the result: `width - kernel_width + 1`.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        self.width + 1 - self.kernel[1]
    }

    /// Values of one image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.c_in
    }

    /// Values of one result.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.c_out
    }

    /// Values of the kernel.
    #[must_use]
    pub const fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.c_in * self.c_out
    }
}

/// A max-pooling with as much padding as gives `ceil(height / stride)` rows ('same').
///
/// # Source
/// TensorFlow, "Notes on padding": the padding of an axis is `max((n_out - 1) * stride + size - n_in, 0)`, the
/// smaller half before. Padding never wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// Images.
    pub n: usize,
    /// Height of an image.
    pub height: usize,
    /// Width of an image.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width of a window; at most 255 values.
    pub size: [usize; 2],
    /// Steps between windows; each at least 1.
    pub stride: [usize; 2],
}

impl PoolGeometry {
    /// Height of the result: `ceil(height / stride)`.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        self.height.div_ceil(self.stride[0])
    }

    /// Width of the result: `ceil(width / stride)`.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        self.width.div_ceil(self.stride[1])
    }

    /// Values of one image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Values of one result.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    /// Padding before the first row and before the first column.
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
        // One row is missing at 128 (it goes behind), two columns at 11 (one each side).
        assert_eq!(pool.before(), [0, 1]);
    }

    #[test]
    fn windows_smaller_than_the_stride_pad_nothing() {
        let pool =
            PoolGeometry { n: 1, height: 7, width: 6, channels: 1, size: [1, 2], stride: [3, 3] };
        assert_eq!((pool.out_height(), pool.out_width(), pool.before()), (3, 2, [0, 0]));
    }
}
