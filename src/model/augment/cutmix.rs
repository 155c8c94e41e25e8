//! `cutmix`: a part of every example from another one.
//!
//! # Source
//! Yun et al., "`CutMix`: regularization strategy to train strong classifiers with localizable features",
//! ICCV 2019: as in its published code, the box is clipped at the edges and the share of the targets is
//! that of the area.

use std::ops::Range;

use super::{Axes, Change, Entry, Needs};
use crate::schema::{Fields, OneOf, Real};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "cutmix",
    doc: "Replaces a random box of every example by that of a partner, and mixes their targets by area.",
    needs: Needs::Frames,
    p: 1.0,
    read: |fields, axes| Change::Pairs(CutMix::read(fields, axes)),
};

/// Mixes the examples of a batch in pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutMix {
    /// Parameter of the Beta distribution of the share that is kept.
    alpha: f64,
    side: Side,
}

/// The axes along which boxes are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Frames,
    Bands,
}

const SIDES: &[(&str, Side)] =
    &[("both", Side::Both), ("frames", Side::Frames), ("bands", Side::Bands)];

/// The part of all examples of a batch that is another's.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The frames that are replaced.
    pub frames: Range<usize>,
    /// The bands that are replaced in these frames.
    pub bands: Range<usize>,
    /// The share of an example that is kept, `[0, 1]`.
    pub share: f64,
}

impl CutMix {
    fn read(fields: &mut Fields, axes: Option<Axes>) -> Self {
        let alpha = fields.with_default("alpha", &Real::between(0.0, 100.0), 1.0);
        let side = fields.with_default("axes", &OneOf(SIDES), Side::Both);
        if let Some(axes) = axes
            && axes.frames().is_some()
            && axes.bands().is_none()
            && side != Side::Frames
        {
            let said = "must be \"frames\": these features are coefficients and have no bands";
            fields.fault_at("axes", said);
        }
        Self { alpha, side }
    }

    /// Draws what is cut from examples of a shape.
    pub(super) fn draw(&self, shape: &[usize], rng: &mut Rng) -> Cut {
        let [frames, bands] = [0, 1].map(|axis| shape.get(axis).copied().unwrap_or(1));
        let removed = 1.0 - rng.beta(self.alpha);
        let center = [rng.below(frames), rng.below(bands)];
        self.cut([frames, bands], removed, center)
    }

    /// Returns the box of a relative area around a center, clipped at the edges.
    pub(super) fn cut(&self, size: [usize; 2], removed: f64, center: [usize; 2]) -> Cut {
        let part = if self.side == Side::Both { removed.sqrt() } else { removed };
        let whole = [self.side == Side::Bands, self.side == Side::Frames];
        let [frames, bands] = [0, 1].map(|axis| {
            if whole[axis] {
                return 0..size[axis];
            }
            let half = (size[axis] as f64 * part) as usize / 2;
            center[axis].saturating_sub(half)..(center[axis] + half).min(size[axis])
        });
        let area = (frames.len() * bands.len()) as f64;
        Cut { frames, bands, share: 1.0 - area / (size[0] * size[1]) as f64 }
    }
}

impl Cut {
    /// Copies the box from one example, `[frames, bands, channels]`, to another.
    pub(in super::super) fn copy(&self, from: &[f32], to: &mut [f32], shape: &[usize]) {
        let channels: usize = shape.iter().skip(2).product();
        let width: usize = shape.iter().skip(1).product();
        let bands = self.bands.start * channels..self.bands.end * channels;
        for frame in self.frames.clone() {
            let row = frame * width;
            to[row..][bands.clone()].copy_from_slice(&from[row..][bands.clone()]);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::vocab::Seed;

    pub(in super::super) fn both(alpha: f64) -> CutMix {
        CutMix { alpha, side: Side::Both }
    }

    #[test]
    fn a_box_along_one_axis_spans_the_other() {
        for seed in 0..200 {
            let mut rng = Seed(seed).rng("test", &[]);
            let of = |side, rng: &mut Rng| CutMix { side, ..both(1.0) }.draw(&[24, 16, 2], rng);
            let cut = of(Side::Frames, &mut rng);
            assert_eq!(cut.bands, 0..16);
            assert!((1.0 - cut.share - cut.frames.len() as f64 / 24.0).abs() < 1e-12);
            let cut = of(Side::Bands, &mut rng);
            assert_eq!(cut.frames, 0..24);
            assert!((1.0 - cut.share - cut.bands.len() as f64 / 16.0).abs() < 1e-12);
            let cut = of(Side::Both, &mut rng);
            assert!(
                (0.0..=1.0).contains(&cut.share) && cut.frames.end <= 24 && cut.bands.end <= 16
            );
        }
    }

    #[test]
    fn a_box_is_copied_with_all_channels() {
        let from: Vec<f32> = (0..24).map(|x| x as f32).collect();
        let mut to = vec![-1.0; 24];
        Cut { frames: 1..3, bands: 0..1, share: 0.0 }.copy(&from, &mut to, &[4, 3, 2]);
        let copied: Vec<usize> = (0..24).filter(|i| to[*i] >= 0.0).collect();
        assert_eq!(copied, [6, 7, 12, 13]);
        assert!(copied.iter().all(|i| to[*i] == from[*i]));
    }
}
