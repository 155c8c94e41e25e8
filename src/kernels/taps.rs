//! The positions of an image that each window covers, and the windows that cover each position.

use std::ops::Range;

/// Windows over an image, by rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Sides of the image.
    pub(super) n_in: [usize; 2],
    /// Number of windows.
    pub(super) n_out: [usize; 2],
    /// Sides of a window.
    pub(super) size: [usize; 2],
    /// Steps between windows.
    pub(super) stride: [usize; 2],
    /// Steps between the values of a window.
    pub(super) dilation: [usize; 2],
    /// Padding before the image.
    pub(super) before: [usize; 2],
}

/// Lists of taps, one list per item.
#[derive(Clone, Debug, Default)]
pub(super) struct Taps {
    ranges: Vec<Range<u32>>,
    taps: Vec<Tap>,
}

/// A position in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    /// Offset of the first channel of the position, or of the window in the output.
    pub(super) at: u32,
    /// The position's index in the window, row by row.
    pub(super) place: u8,
}

impl Taps {
    fn add(&mut self, taps: impl Iterator<Item = Tap>) {
        let first = self.taps.len() as u32;
        self.taps.extend(taps);
        self.ranges.push(first..self.taps.len() as u32);
    }

    #[inline(always)]
    pub(super) fn lists(&self) -> impl Iterator<Item = &[Tap]> {
        self.ranges.iter().map(|range| &self.taps[range.start as usize..range.end as usize])
    }

    #[inline(always)]
    pub(super) fn list(&self, index: usize) -> &[Tap] {
        let range = &self.ranges[index];
        &self.taps[range.start as usize..range.end as usize]
    }
}

impl Grid {
    /// Returns, for each window, its positions that are inside the image of `channels` channels.
    pub(super) fn windows(&self, channels: usize) -> Taps {
        self.lists(self.n_out, self.n_in[1], channels, |axis, window| {
            self.positions_of(axis, window)
        })
    }

    /// Returns, for each position, the windows that contain it.
    pub(super) fn positions(&self, channels: usize) -> Taps {
        self.lists(self.n_in, self.n_out[1], channels, |axis, position| {
            self.windows_of(axis, position)
        })
    }

    fn lists(
        &self,
        n: [usize; 2],
        width: usize,
        channels: usize,
        of: impl Fn(usize, usize) -> Vec<(usize, usize)>,
    ) -> Taps {
        let mut found = Taps::default();
        for row in 0..n[0] {
            let rows = of(0, row);
            for column in 0..n[1] {
                let columns = of(1, column);
                let tap = |&(row, ky): &(usize, usize), &(column, kx): &(usize, usize)| Tap {
                    at: ((row * width + column) * channels) as u32,
                    place: (ky * self.size[1] + kx) as u8,
                };
                let taps = rows.iter().flat_map(|row| columns.iter().map(move |at| tap(row, at)));
                found.add(taps);
            }
        }
        found
    }

    /// Returns pairs (position, step) along an axis: the steps of a window that are inside the image,
    /// with their positions.
    fn positions_of(&self, axis: usize, window: usize) -> Vec<(usize, usize)> {
        let (first, before) = (window * self.stride[axis], self.before[axis]);
        let at = |step: usize| (first + step * self.dilation[axis]).checked_sub(before);
        let steps = (0..self.size[axis]).filter_map(|step| Some((at(step)?, step)));
        steps.filter(|(at, _)| *at < self.n_in[axis]).collect()
    }

    /// Returns the same for a position: the windows that contain it, with its step in each.
    fn windows_of(&self, axis: usize, position: usize) -> Vec<(usize, usize)> {
        let (dilation, padded) = (self.dilation[axis], position + self.before[axis]);
        let step = |window: usize| {
            let behind = padded.checked_sub(window * self.stride[axis])?;
            (behind % dilation == 0).then_some(behind / dilation)
        };
        let windows = (0..self.n_out[axis]).filter_map(|window| Some((window, step(window)?)));
        windows.filter(|(_, step)| *step < self.size[axis]).collect()
    }
}
