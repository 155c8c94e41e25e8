//! All units but the convolutional blocks, on a few examples.

use super::super::layer::Summary;
use super::buffers::{Buffers, CHUNK, Pass, Read};
use super::image::{Image, copy_rows};
use super::plan::{Unit, Work};
use crate::kernels::batch_norm::{Line, Statistics, add_gradient_sums, add_sums, apply, propagate};
use crate::kernels::dropout::{Spots, dropout_pooled, dropout_pooled_backward};
use crate::kernels::isa::Isa;
use crate::kernels::pooling::{PooledGradient, Slopes};
use crate::kernels::product::Activation;
use crate::kernels::{activation, over_time};

pub(super) fn buffers(unit: &Unit, read: &Image) -> Buffers {
    let mut own = Buffers::default();
    match &unit.work {
        Work::Input(Some(norm)) | Work::Norm(norm) => own.sums = vec![0.0; 2 * norm.mean.len()],
        Work::MaxPool(_) => {
            own.argmax = vec![0; CHUNK * unit.image.len()];
            own.spare = vec![0.0; read.len()];
        }
        Work::Dropout { .. } => {
            own.argmax = vec![0; CHUNK * unit.image.len()];
            own.spare = vec![0.0; unit.image.len()];
        }
        Work::Summary { .. } => {
            own.winners = vec![0; CHUNK * read.stored];
            own.shares = vec![0.0; CHUNK * read.height * read.width];
            own.spare = vec![0.0; read.height * read.width];
        }
        _ => {}
    }
    own
}

/// Computes what the unit gives; of a normalization, the sums for it in training.
pub(super) fn forward(
    pass: &Pass<'_>,
    unit: &Unit,
    (first, n): (usize, usize),
    (read, other): (&Read<'_>, Option<&Read<'_>>),
    own: &mut Buffers,
) {
    let (isa, image) = (pass.isa, &unit.image);
    own.sums.fill(0.0);
    for example in 0..n {
        let x = &read.values[read.image.at(example)];
        let out = &mut own.out[image.at(example)];
        let marks = example * image.len()..(example + 1) * image.len();
        match &unit.work {
            Work::Input(None) => out.copy_from_slice(x),
            Work::Input(Some(_)) | Work::Norm(_) if pass.key.is_some() => {
                add_sums(isa, x, &mut own.sums);
            }
            Work::Input(_) | Work::Norm(_) | Work::Block(_) => {}
            Work::Depthwise { of, kernel, bias } => {
                let parameters = (&pass.values[kernel.clone()], &pass.values[bias.clone()]);
                of.forward(isa, x, parameters, out);
            }
            Work::Function(function) => activation::forward(isa, *function, x, out),
            Work::MaxPool(pooling) => {
                own.spare[..image.stored].fill(1.0);
                let direction = &own.spare[..image.stored];
                pooling.forward(isa, x, direction, out, &mut own.argmax[marks]);
            }
            Work::MeanPool(pooling) => pooling.means(isa, x, out),
            Work::Dropout { rate, key } => {
                out.copy_from_slice(x);
                if let Some(step) = pass.key {
                    let key = step.example(*key, first + example);
                    let spots = Spots { used: image.channels, stored: image.stored };
                    own.argmax[marks.clone()].fill(0);
                    dropout_pooled(isa, *rate, key, spots, out, &mut own.argmax[marks]);
                }
            }
            Work::Add => {
                out.copy_from_slice(x);
                if let Some(other) = other {
                    let more = &other.values[other.image.at(example)];
                    out.iter_mut().zip(more).for_each(|(out, more)| *out += more);
                }
            }
            Work::Fold => {
                let rows = x.chunks_exact(read.image.width * read.image.stored);
                for (row, out) in rows.zip(out.chunks_exact_mut(image.stored)) {
                    let (stored, channels) = (read.image.stored, read.image.channels);
                    copy_rows(row, stored, channels, &mut out[..image.channels]);
                }
            }
            Work::Summary { by, kernel } => {
                let (n_positions, stored) = (read.image.height * read.image.width, image.stored);
                let winners = &mut own.winners[example * stored..][..stored];
                match by {
                    Summary::Mean => over_time::mean(isa, x, out),
                    Summary::Max => over_time::max(x, out, winners),
                    Summary::MeanMax => {
                        let (means, largest) = out.split_at_mut(stored);
                        over_time::mean(isa, x, means);
                        over_time::max(x, largest, winners);
                    }
                    Summary::Attention => {
                        let shares = &mut own.shares[example * n_positions..][..n_positions];
                        over_time::shares(x, &pass.values[kernel.clone()], shares);
                        over_time::weighted(isa, x, shares, out);
                    }
                }
            }
        }
    }
}

/// Normalizes what is read.
pub(super) fn normalize(
    isa: Isa,
    unit: &Unit,
    n: usize,
    read: &Read<'_>,
    line: &Line,
    own: &mut Buffers,
) {
    for example in 0..n {
        let x = &read.values[read.image.at(example)];
        apply(isa, line, x, &mut own.out[unit.image.at(example)]);
    }
}

/// Computes the sums that the backward pass of a normalization needs.
pub(super) fn norm_sums(
    isa: Isa,
    unit: &Unit,
    n: usize,
    read: &Read<'_>,
    statistics: &Statistics,
    own: &mut Buffers,
) {
    own.sums.fill(0.0);
    for example in 0..n {
        let x = &read.values[read.image.at(example)];
        add_gradient_sums(isa, &own.d_out[unit.image.at(example)], x, statistics, &mut own.sums);
    }
}

/// Gives the gradient as it is to what was added.
pub(super) fn pass_on(unit: &Unit, n: usize, read: Read<'_>, own: &Buffers) {
    let Some(gradients) = read.gradients else { return };
    for example in 0..n {
        let d = &own.d_out[unit.image.at(example)];
        put(read.adds, d, &mut gradients[read.image.at(example)]);
    }
}

fn put(adds: bool, d: &[f32], d_x: &mut [f32]) {
    if adds {
        d_x.iter_mut().zip(d).for_each(|(d_x, d)| *d_x += d);
    } else {
        d_x.copy_from_slice(d);
    }
}

/// Runs backward: the gradients of the unit's parameters, and of the images read if they are wanted.
pub(super) fn backward(
    pass: &Pass<'_>,
    unit: &Unit,
    n: usize,
    mut read: Read<'_>,
    slopes: &Slopes,
    own: &mut Buffers,
) {
    let (isa, image) = (pass.isa, &unit.image);
    own.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
    for example in 0..n {
        let d = &own.d_out[image.at(example)];
        let x = &read.values[read.image.at(example)];
        if let (Work::Depthwise { of, .. }, [d_kernel, d_bias]) =
            (&unit.work, &mut own.gradients[..])
        {
            of.gradients(isa, (x, d), (d_kernel, d_bias));
        }
        let adds = read.adds;
        let mut unwanted = vec![];
        let d_x = match &mut read.gradients {
            Some(gradients) => &mut gradients[read.image.at(example)],
            // The kernel of attention has a gradient also where nothing before it is trained.
            None if own.gradients.len() == 1 => {
                unwanted.resize(read.image.len(), 0.0);
                &mut unwanted[..]
            }
            None => continue,
        };
        let marks = example * image.len()..(example + 1) * image.len();
        match &unit.work {
            Work::Input(_) | Work::Block(_) => {}
            Work::Depthwise { of, kernel, .. } => {
                of.input_gradient(isa, d, &pass.values[kernel.clone()], adds, d_x);
            }
            Work::Norm(_) => propagate(isa, slopes, (x, d), adds, d_x),
            Work::Function(function) => activation::backward(isa, *function, (x, d), adds, d_x),
            Work::MaxPool(pooling) => {
                let gradient = PooledGradient { d_pooled: d, argmax: &own.argmax[marks] };
                let (linear, no_bias) = (Activation::Linear, &mut vec![0.0; image.stored]);
                let of = (linear, x);
                pooling.backward_through(isa, gradient, slopes, of, &mut own.spare, no_bias);
                put(adds, &own.spare, d_x);
            }
            Work::MeanPool(pooling) => pooling.means_backward(isa, d, adds, d_x),
            Work::Dropout { rate, .. } => {
                own.spare.copy_from_slice(d);
                dropout_pooled_backward(isa, *rate, &own.argmax[marks], &mut own.spare);
                put(adds, &own.spare, d_x);
            }
            Work::Add => put(adds, d, d_x),
            Work::Fold => {
                if !adds {
                    d_x.fill(0.0);
                }
                let (stored, channels) = (read.image.stored, read.image.channels);
                let rows = d_x.chunks_exact_mut(read.image.width * stored);
                for (row, d) in rows.zip(d.chunks_exact(image.stored)) {
                    for (d_x, d) in row.chunks_exact_mut(stored).zip(d.chunks_exact(channels)) {
                        d_x.iter_mut().zip(d).for_each(|(d_x, d)| *d_x += d);
                    }
                }
            }
            Work::Summary { by, kernel } => {
                if !adds {
                    d_x.fill(0.0);
                }
                let (n_positions, stored) = (read.image.height * read.image.width, image.stored);
                let winners = &own.winners[example * stored..][..stored];
                let share = 1.0 / n_positions as f32;
                let (means, largest) = match by {
                    Summary::Mean => (Some(d), None),
                    Summary::Max => (None, Some(d)),
                    Summary::MeanMax => (Some(&d[..stored]), Some(&d[stored..])),
                    Summary::Attention => (None, None),
                };
                if let Some(d) = means {
                    over_time::spread(isa, d, |_| share, d_x);
                }
                if let Some(d) = largest {
                    over_time::max_backward(d, winners, d_x);
                }
                if let [d_kernel] = &mut own.gradients[..] {
                    let shares = &own.shares[example * n_positions..][..n_positions];
                    let of = (x, &pass.values[kernel.clone()], shares);
                    over_time::attention_backward(isa, of, d, &mut own.spare, (d_x, d_kernel));
                }
            }
        }
    }
}
