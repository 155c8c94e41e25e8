//! The work of the units on a few examples, in buffers that are reused during the whole training.
//!
//! All chunks of a batch must synchronize between the sums for a normalization and its result, and
//! between the sums of that normalization's gradients and its backward pass. Each method here does
//! the work between two such points.

use super::buffers::{Buffers, CHUNK, Pass, Read, Shared};
use super::plan::{Plan, Source, Unit, Work};
use super::{block, simple};

/// Up to [`CHUNK`] examples.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// Index of the chunk in the batch.
    index: usize,
    pub(super) n: usize,
    pub(super) units: Vec<Buffers>,
}

impl Chunk {
    pub(super) fn new(plan: &Plan, index: usize) -> Self {
        Self { index, n: 0, units: plan.units.iter().map(|unit| buffers(plan, unit)).collect() }
    }

    /// Computes a unit up to its normalization; in training also the sums for that.
    pub(super) fn forward(&mut self, pass: &Pass<'_>, index: usize, shared: &Shared) {
        let (n, first, unit) = (self.n, self.index * CHUNK, &pass.plan.units[index]);
        let (before, rest) = self.units.split_at_mut(index);
        let own = &mut rest[0];
        let read = |source: Source| read(pass, source, before, first);
        match &unit.work {
            Work::Block(block) => block::forward(pass, block, n, &read(unit.source), shared, own),
            _ => {
                let other = unit.other.map(read);
                simple::forward(pass, unit, (first, n), (&read(unit.source), other.as_ref()), own);
            }
        }
    }

    /// Normalizes, and in training applies dropout.
    pub(super) fn finish(&mut self, pass: &Pass<'_>, index: usize, shared: &Shared) {
        let (n, first, unit) = (self.n, self.index * CHUNK, &pass.plan.units[index]);
        let (before, rest) = self.units.split_at_mut(index);
        match &unit.work {
            Work::Block(block) => {
                block::finish(pass, (block, &unit.image), (first, n), shared, &mut rest[0]);
            }
            Work::Input(Some(_)) | Work::Norm(_) => {
                let read = read(pass, unit.source, before, first);
                simple::normalize(pass.isa, unit, n, &read, &shared.line, &mut rest[0]);
            }
            _ => {}
        }
    }

    /// Runs dropout backward and computes the sums that the backward pass of normalization needs.
    pub(super) fn backward_sums(&mut self, pass: &Pass<'_>, index: usize, shared: &Shared) {
        let (n, first, unit) = (self.n, self.index * CHUNK, &pass.plan.units[index]);
        let (before, rest) = self.units.split_at_mut(index);
        match &unit.work {
            Work::Block(block) => {
                block::backward_sums(pass.isa, (block, &unit.image), n, shared, &mut rest[0]);
            }
            Work::Norm(_) => {
                let read = read(pass, unit.source, before, first);
                simple::norm_sums(pass.isa, unit, n, &read, &shared.statistics, &mut rest[0]);
            }
            _ => {}
        }
    }

    /// Runs backward through the rest of a unit, to those that it reads.
    pub(super) fn backward(&mut self, pass: &Pass<'_>, index: usize, shared: &Shared) {
        let (n, first, unit) = (self.n, self.index * CHUNK, &pass.plan.units[index]);
        let (before, rest) = self.units.split_at_mut(index);
        let own = &mut rest[0];
        if let Some(other) = unit.other.filter(|other| other.wants_gradient)
            && let Some(read) = other.unit
        {
            let image = pass.plan.image(other);
            let gradients = Some(&mut before[read].d_out[..]);
            simple::pass_on(unit, n, Read { image, values: &[], gradients, adds: other.adds }, own);
        }
        let image = pass.plan.image(unit.source);
        let (values, gradients) = match unit.source.unit {
            Some(read) => {
                let Buffers { out, d_out, .. } = &mut before[read];
                (&out[..], unit.source.wants_gradient.then_some(&mut d_out[..]))
            }
            None => (&pass.inputs[first * image.len()..], None),
        };
        let read = Read { image, values, gradients, adds: unit.source.adds };
        match &unit.work {
            Work::Block(block) => {
                block::backward(pass, (block, &unit.image), n, read, shared, own);
            }
            _ => simple::backward(pass, unit, n, read, &shared.slopes, own),
        }
    }
}

/// Returns the images of a source: of an earlier unit, or of the batch from its `first` example on.
fn read<'a>(pass: &Pass<'a>, source: Source, before: &'a [Buffers], first: usize) -> Read<'a> {
    let image = pass.plan.image(source);
    let values = match source.unit {
        Some(unit) => &before[unit].out[..],
        None => &pass.inputs[first * image.len()..],
    };
    Read { image, values, gradients: None, adds: false }
}

fn buffers(plan: &Plan, unit: &Unit) -> Buffers {
    let mut own = match &unit.work {
        Work::Block(block) => block::buffers(block),
        _ => simple::buffers(unit, plan.image(unit.source)),
    };
    own.out = vec![0.0; CHUNK * unit.image.framed_len()];
    own.d_out = own.out.clone();
    own.gradients = unit.work.summed().iter().map(|range| vec![0.0; range.len()]).collect();
    own
}
