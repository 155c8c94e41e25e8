//! Shapes of images before and after a convolution or a pooling.

/// A convolution of a batch of images `[n, height, width, c_in]` with a kernel
/// `[kernel_height, kernel_width, c_in, c_out]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Number of images.
    pub n: usize,
    /// Rows (time).
    pub height: usize,
    /// Columns (coefficient).
    pub width: usize,
    /// Channels of the input.
    pub c_in: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Rows of zeros before and after the image, then columns.
    pub padding: [[usize; 2]; 2],
    /// Rows and columns between two windows.
    pub stride: [usize; 2],
    /// Rows and columns between two values of a window.
    pub dilation: [usize; 2],
    /// Numbers that a position of the input, and one of the output, holds: its channels, then zeros.
    pub stored: [usize; 2],
}

impl ConvGeometry {
    /// Creates a convolution of the windows that are wholly inside the image, each next to the one
    /// before.
    #[must_use]
    pub const fn valid(
        [height, width, c_in]: [usize; 3],
        c_out: usize,
        kernel: [usize; 2],
    ) -> Self {
        Self {
            n: 1,
            height,
            width,
            c_in,
            c_out,
            kernel,
            padding: [[0; 2]; 2],
            stride: [1; 2],
            dilation: [1; 2],
            stored: [c_in, c_out],
        }
    }

    /// Returns the number of rows (axis 0) or columns (axis 1) that a window spans.
    #[must_use]
    pub const fn span(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// Returns whether a window fits into the padded image.
    #[must_use]
    pub const fn fits(&self) -> bool {
        let [rows, columns] = self.padding;
        self.span(0) <= self.height + rows[0] + rows[1]
            && self.span(1) <= self.width + columns[0] + columns[1]
    }

    /// Returns the rows of the output.
    #[must_use]
    pub const fn out_height(&self) -> usize {
        let [before, after] = self.padding[0];
        (self.height + before + after - self.span(0)) / self.stride[0] + 1
    }

    /// Returns the columns of the output.
    #[must_use]
    pub const fn out_width(&self) -> usize {
        let [before, after] = self.padding[1];
        (self.width + before + after - self.span(1)) / self.stride[1] + 1
    }

    /// Returns the numbers of an image of the input.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.height * self.width * self.stored[0]
    }

    /// Returns the numbers of an image of the output.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.out_height() * self.out_width() * self.stored[1]
    }

    /// Returns the numbers of the kernel, whose rows are as long as a position of the output.
    #[must_use]
    pub const fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.c_in * self.stored[1]
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
