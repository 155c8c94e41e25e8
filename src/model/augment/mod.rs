//! Augmentations: random changes of training examples, drawn again every epoch, one file each.
//!
//! ```toml
//! [training]
//! augment = ["time_reversal", "roll", { eq = { sd = 5 } }, { mask = { bands = 16, frames = 20, n = 2 } }]
//! ```
//!
//! They change the features as they are (decibels of a log-mel spectrogram), before a net standardizes
//! them, in the order of the list. What an augmentation draws depends on the seed, its name, the epoch and
//! the example alone, so no thread and no stop changes it.
//!
//! To add an augmentation: write one file with an `ENTRY`, and add it to [`AUGMENTATIONS`].

mod cutmix;
mod eq;
mod gain;
mod mask;
mod noise;
mod roll;
mod shift_bands;
mod time_reversal;
mod time_stretch;

pub use cutmix::{Cut, CutMix};

use std::sync::Arc;

use crate::schema::{Fields, Real};
use crate::vocab::{Rng, Seed};

/// Every augmentation, in the order of the documentation.
pub static AUGMENTATIONS: &[Entry] = &[
    time_reversal::ENTRY,
    roll::ENTRY,
    time_stretch::ENTRY,
    eq::ENTRY,
    gain::ENTRY,
    shift_bands::ENTRY,
    mask::ENTRY,
    noise::ENTRY,
    cutmix::ENTRY,
];

/// The entry of an augmentation in the list: a name, or `{ NAME = { ... } }`, in `[training] augment`.
#[derive(Debug)]
pub struct Entry {
    /// The name in specs, lower case.
    pub name: &'static str,
    /// One-sentence description.
    pub doc: &'static str,
    /// What examples must have.
    pub needs: Needs,
    /// The probability of an example to be changed, if the spec does not say it.
    p: f64,
    /// Reads all fields but `p`; the axes are those of the examples, if they are known.
    read: fn(&mut Fields, Option<Axes>) -> Change,
}

/// What examples must have to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: any numbers.
    Numbers,
    /// A first axis of frames.
    Frames,
    /// A first axis of frames and a second one of frequency bands.
    Bands,
}

/// The shape of examples, and whether their second axis is frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes<'a> {
    /// The shape of one example, e.g. `[130, 128]`: frames, bands and perhaps channels; or `[21]`.
    pub shape: &'a [usize],
    /// Whether the second axis, if there is one, is frequency. That of cepstral coefficients is not.
    pub has_bands: bool,
}

impl Axes<'_> {
    /// Returns the number of frames; nothing if there is no axis of time.
    #[must_use]
    pub fn frames(&self) -> Option<usize> {
        (self.shape.len() > 1).then(|| self.shape[0])
    }

    /// Returns the number of bands; nothing if there is no axis of frequency.
    #[must_use]
    pub fn bands(&self) -> Option<usize> {
        (self.shape.len() > 1 && self.has_bands).then(|| self.shape[1])
    }

    /// Says what is missing.
    fn lack(&self, needs: Needs) -> Option<String> {
        let shape = self.shape;
        match needs {
            Needs::Frames if self.frames().is_none() => {
                Some(format!("needs a time axis: an example of shape {shape:?} has none"))
            }
            Needs::Bands if shape.len() < 2 => {
                Some(format!("needs frames and bands: an example of shape {shape:?} has none"))
            }
            Needs::Bands if !self.has_bands => Some(format!(
                "needs frequency bands: these features are coefficients, {shape:?}, and have none"
            )),
            _ => None,
        }
    }
}

/// One example, to be changed in place.
pub(super) struct Example<'a> {
    /// Row-major, `[frames, bands, channels]`.
    values: &'a mut [f32],
    frames: usize,
    bands: usize,
    channels: usize,
}

impl<'a> Example<'a> {
    /// Views an example as a spectrogram; one without axes is a single frame.
    fn new(values: &'a mut [f32], shape: &[usize]) -> Self {
        let (frames, bands) = match *shape {
            [frames, bands, ..] => (frames, bands),
            _ => (1, values.len()),
        };
        let channels = values.len() / (frames * bands).max(1);
        Self { values, frames, bands, channels }
    }

    /// Returns how many numbers a frame has.
    fn width(&self) -> usize {
        self.bands * self.channels
    }
}

/// Changes one example.
pub(super) trait Changes: std::fmt::Debug + Send + Sync {
    /// Changes it in place, by what the stream draws.
    fn change(&self, example: &mut Example, rng: &mut Rng);
}

/// What an augmentation does.
#[derive(Debug, Clone)]
enum Change {
    /// It changes every example by itself.
    Alone(Arc<dyn Changes>),
    /// It mixes pairs of examples of a batch.
    Pairs(CutMix),
}

/// A checked augmentation.
#[derive(Debug, Clone)]
pub struct Augment {
    entry: &'static Entry,
    p: f64,
    change: Change,
}

/// Two augmentations are equal if they have the same settings.
impl PartialEq for Augment {
    fn eq(&self, other: &Self) -> bool {
        let settings = |it: &Self| format!("{} {} {:?}", it.entry.name, it.p, it.change);
        settings(self) == settings(other)
    }
}

impl Augment {
    /// Reads a list of augmentations; `axes` are those of the examples, if they are known.
    ///
    /// Unknown names, and what such examples can't be changed by, become faults.
    pub fn read_list(fields: &mut Fields, key: &str, axes: Option<Axes>) -> Vec<Self> {
        let names: Vec<&str> = AUGMENTATIONS.iter().map(|entry| entry.name).collect();
        let read = fields.each_choice(key, &names, |name, inner| {
            let entry = AUGMENTATIONS.iter().find(|entry| entry.name == name)?;
            Some(Self::read(entry, inner, axes))
        });
        read.into_iter().flatten().collect()
    }

    fn read(entry: &'static Entry, fields: &mut Fields, axes: Option<Axes>) -> Self {
        // A probability that is not said is not kept either: `"time_reversal"` alone stays what it is.
        let p = fields.optional("p", &Real::from_to(0.0, 1.0)).unwrap_or(entry.p);
        if let Some(said) = axes.and_then(|axes| axes.lack(entry.needs)) {
            fields.fault(&said);
        }
        Self { entry, p, change: (entry.read)(fields, axes) }
    }

    /// Returns the kind of augmentation.
    #[must_use]
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// Returns whether it mixes pairs of examples and their targets.
    #[must_use]
    pub fn mixes_targets(&self) -> bool {
        matches!(self.change, Change::Pairs(_))
    }

    /// Changes one example of a shape in place, as for an example that is drawn, whatever `p` is. Nothing
    /// happens if it mixes pairs.
    pub fn change(&self, values: &mut [f32], shape: &[usize], rng: &mut Rng) {
        if let Change::Alone(change) = &self.change {
            change.change(&mut Example::new(values, shape), rng);
        }
    }
}

/// Some augmentations with the random streams of one epoch.
#[derive(Debug, Clone)]
pub(super) struct Draws<'a> {
    items: Vec<(&'a Augment, Rng)>,
}

impl<'a> Draws<'a> {
    /// Keys the streams by seed and epoch. Two augmentations of one name draw different numbers.
    pub(super) fn of_epoch(augment: &'a [Augment], seed: Seed, epoch: usize) -> Self {
        let stream = |(place, item): (usize, &'a Augment)| {
            let name = item.entry.name;
            let nth = augment[..place].iter().filter(|other| other.entry.name == name).count();
            let rng = match nth {
                0 => seed.rng(name, &[epoch as u64]),
                nth => seed.rng(name, &[epoch as u64, nth as u64]),
            };
            (item, rng)
        };
        Self { items: augment.iter().enumerate().map(stream).collect() }
    }

    /// Changes the example of an index in place.
    pub(super) fn change(&self, index: usize, values: &mut [f32], shape: &[usize]) {
        for (item, rng) in &self.items {
            if let Some(mut rng) = item.drawn(rng, index) {
                item.change(values, shape, &mut rng);
            }
        }
    }

    /// Returns what is cut from the partners in one batch of examples of a shape, for each augmentation
    /// that mixes pairs, with the stream that draws the partners.
    pub(super) fn cuts(
        &self,
        step: usize,
        shape: &'a [usize],
    ) -> impl Iterator<Item = (Cut, Rng)> + '_ {
        self.items.iter().filter_map(move |(item, rng)| {
            let Change::Pairs(cutmix) = &item.change else { return None };
            let mut rng = item.drawn(rng, step)?;
            Some((cutmix.draw(shape, &mut rng), rng))
        })
    }
}

/// Returns some examples of a shape after each augmentation, whatever its probability; then others after
/// all of them as in the first epoch, where they have the given indices.
pub(super) fn preview(
    augment: &[Augment],
    indices: &[usize],
    [examples, others]: [&[Vec<f32>]; 2],
    shape: &[usize],
    seed: Seed,
) -> Vec<Vec<Vec<f32>>> {
    let alone = |item: &Augment| {
        let mut changed = examples.to_vec();
        for (index, values) in indices.iter().zip(&mut changed) {
            item.change(values, shape, &mut seed.rng(item.entry.name, &[0, *index as u64]));
        }
        if let Change::Pairs(cutmix) = &item.change {
            let mut rng = seed.rng(item.entry.name, &[0]);
            // A box that can be seen, and leaves something to be seen.
            let mut cuts = (0..100).map(|_| cutmix.draw(shape, &mut rng));
            let cut = cuts.find(|cut| (0.4..0.8).contains(&cut.share));
            for (place, values) in changed.iter_mut().enumerate() {
                let partner = &examples[(place + 1) % examples.len()];
                cut.iter().for_each(|cut| cut.copy(partner, values, shape));
            }
        }
        changed
    };
    let draws = Draws::of_epoch(augment, seed, 1);
    let mut all = others.to_vec();
    let pairs = indices.iter().zip(&mut all);
    pairs.for_each(|(index, values)| draws.change(*index, values, shape));
    augment.iter().map(alone).chain([all]).collect()
}

impl Augment {
    /// Returns the stream of one example, or of one batch; nothing if the probability leaves it out.
    fn drawn(&self, epoch: &Rng, index: usize) -> Option<Rng> {
        let bits = epoch.at(index as u64);
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        (share >= 1.0 - self.p).then(|| Rng::new(bits))
    }
}

#[cfg(test)]
pub(super) mod tests;
