//! `[training.crop]`: a net that sees windows of examples: a random one of each in training, all of them
//! in evaluation.

use super::augment::Axes;
use crate::schema::{Fields, Int};
use crate::vocab::Rng;

/// How examples are cut along their first axis, time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// Number of frames of a window, at least 1: what the net sees.
    pub frames: usize,
    /// Frames from one window to the next in evaluation, at least 1 and at most `frames`.
    pub hop: usize,
}

impl Crop {
    /// Reads the table; `axes` are those of one example, if they are known.
    pub(super) fn read(fields: &mut Fields, axes: Option<Axes>) -> Self {
        let frames = fields.required("frames", &Int::within(1..=10_000_000));
        let hop = fields.optional("hop", &Int::within(1..=10_000_000)).unwrap_or(frames);
        if hop > frames {
            let said = format!(
                "is {hop}, but must be at most `frames`, {frames}: no window would see what is between"
            );
            fields.fault_at("hop", &said);
        }
        match axes.map(|axes| (axes.shape, axes.frames())) {
            Some((shape, None)) => {
                fields.fault(&format!("needs a time axis: an example of shape {shape:?} has none"));
            }
            Some((_, Some(there))) if frames > there => {
                fields.fault_at(
                    "frames",
                    &format!("is {frames}, but an example has only {there} frames"),
                );
            }
            _ => {}
        }
        Self { frames, hop }
    }

    /// Returns the shape of a window of examples of a shape.
    #[must_use]
    pub fn shape(self, example: &[usize]) -> Vec<usize> {
        let mut shape = example.to_vec();
        if let Some(frames) = shape.first_mut() {
            *frames = self.frames;
        }
        shape
    }

    /// Returns the first frame of the window of an example in training, by the stream of its epoch.
    pub(super) fn start(self, frames: usize, epoch: &Rng, index: usize) -> usize {
        Rng::new(epoch.at(index as u64)).below(frames - self.frames + 1)
    }

    /// Returns the first frames of all windows of an example: every `hop` frames, and the last one ends with
    /// the example.
    #[must_use]
    pub fn starts(self, frames: usize) -> Vec<usize> {
        let last = frames.saturating_sub(self.frames);
        (0..last).step_by(self.hop).chain([last]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn read_text(text: &str, shape: &[usize]) -> Result<Crop, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let axes = Axes { shape, has_bands: true };
        read(&tree, |fields| Crop::read(fields, Some(axes)))
            .map(|(made, _)| made)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn windows_cover_every_frame_and_end_with_the_example() {
        let starts = |frames, hop, n| Crop { frames, hop }.starts(n);
        assert_eq!(starts(130, 130, 387), [0, 130, 257]);
        assert_eq!(starts(130, 65, 390), [0, 65, 130, 195, 260]);
        assert_eq!(starts(130, 1, 131), [0, 1]);
        assert_eq!(starts(130, 130, 130), [0]);
        assert_eq!(Crop { frames: 130, hop: 65 }.shape(&[387, 128, 2]), [130, 128, 2]);
    }

    #[test]
    fn impossible_windows_are_faults() {
        let shape = [387, 128];
        assert_eq!(read_text("frames = 130", &shape), Ok(Crop { frames: 130, hop: 130 }));
        assert_eq!(read_text("frames = 387\nhop = 1", &shape), Ok(Crop { frames: 387, hop: 1 }));
        assert_eq!(
            read_text("frames = 388\nhop = 389", &shape).unwrap_err(),
            "x.toml:1: frames is 388, but an example has only 387 frames\n\
             x.toml:2: hop is 389, but must be at most `frames`, 388: no window would see what is between"
        );
        assert_eq!(
            read_text("frames = 3", &[21]).unwrap_err(),
            "x.toml:1: the file needs a time axis: an example of shape [21] has none"
        );
    }
}
