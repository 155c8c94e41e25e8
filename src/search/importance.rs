//! How much of a score's variation each parameter explains, and the score over two parameters.

use std::ops::Range;

use rayon::prelude::*;

use super::forest::{Forest, Leaf, Tree};
use super::space::{Domain, Setting, Space, Tried};
use crate::vocab::Seed;

/// Returns the share of each parameter in the variation of the loss over the whole space, in `[0, 1]`; the shares sum to
/// 1.
///
/// A parameter has no share (`None`) if it was not active in some trial that has a loss, because then it is not known what the
/// loss would be with it: a search with conditions compares the parameters that all of its trials have. All are
/// `None` if fewer than two trials have a loss, or all losses are equal. A parameter with one value has 0. Failed trials are
/// left out.
///
/// # Source
/// Hutter, Hoos, Leyton-Brown, "An efficient approach for assessing hyperparameter importance" (functional ANOVA), ICML
/// 2014, as in Optuna's `FanovaImportanceEvaluator`: choices are one-hot columns, the whole space is spread evenly over the
/// values of a parameter, also of `Log`, and only main effects are counted. Four times as many trees make the shares
/// depend less on the seed.
#[must_use]
pub fn importance(space: &Space, tried: &[Tried], seed: Seed) -> Vec<Option<f64>> {
    let n = space.parameters().len();
    let (points, losses) = finished(tried);
    let is_known = |number: usize| points.iter().all(|point| point[number].is_some());
    let known: Vec<usize> = (0..n).filter(|number| is_known(*number)).collect();
    if losses.iter().all(|loss| *loss == losses[0]) {
        return vec![None; n];
    }
    // The columns of each parameter: none of a single value, several of choices.
    let (mut ends, mut columns) = (vec![], vec![]);
    for &number in &known {
        let more = column_ends(&space.parameters()[number].domain);
        columns.push(ends.len()..ends.len() + more.len());
        ends.extend(more);
    }
    let row = |settings: &&[Option<Setting>]| {
        let of = |number: &usize| {
            let domain = &space.parameters()[*number].domain;
            settings[*number].map_or(vec![], |setting| column_values(domain, setting))
        };
        known.iter().flat_map(of).collect()
    };
    let rows: Vec<Vec<f64>> = points.iter().map(row).collect();
    if ends.is_empty() {
        return vec![None; n];
    }
    let forest = Forest::fit(&rows, &losses, |tree| seed.rng("importance", &[tree]));
    // The shares of one tree; none of a tree that is a single leaf.
    let of_tree = |tree: &Tree| {
        let leaves = tree.leaves(&ends);
        let shape = Shape::new(&leaves, &ends);
        let all = shape.variance(|_| true);
        let share = |columns: &Range<usize>| {
            let is_told = all > 0.0 && !columns.is_empty();
            if is_told { shape.variance(|it| columns.contains(&it)).max(0.0) / all } else { 0.0 }
        };
        columns.iter().map(share).collect::<Vec<f64>>()
    };
    let of_trees: Vec<Vec<f64>> = forest.trees().par_iter().map(of_tree).collect();
    let share = |i: usize| of_trees.iter().map(|shares| shares[i]).sum::<f64>();
    let shares: Vec<f64> = (0..known.len()).map(share).collect();
    let total: f64 = shares.iter().sum();
    let mut all = vec![None; n];
    if total > 0.0 {
        known.iter().zip(shares).for_each(|(number, share)| all[*number] = Some(share / total));
    }
    all
}

/// The settings and the losses of the trials that have a loss.
fn finished(tried: &[Tried]) -> (Vec<&[Option<Setting>]>, Vec<f64>) {
    let finished = tried.iter().filter_map(|Tried { point, loss }| {
        Some((&point.0[..], loss.filter(|loss| loss.is_finite())?))
    });
    finished.unzip()
}

fn column_ends(domain: &Domain) -> Vec<[f64; 2]> {
    let [low, high] = match domain {
        Domain::Any(values) if values.len() > 1 => return vec![[0.0, 1.0]; values.len()],
        Domain::Any(_) => return vec![],
        Domain::Int { low, high } => [*low as f64, *high as f64],
        Domain::Linear { low, high } | Domain::Log { low, high } => [*low, *high],
    };
    if low < high { vec![[low, high]] } else { vec![] }
}

fn column_values(domain: &Domain, setting: Setting) -> Vec<f64> {
    let ends = column_ends(domain);
    let value = match setting {
        Setting::Choice(choice) => {
            return (0..ends.len()).map(|other| f64::from(u8::from(other == choice))).collect();
        }
        Setting::Int(value) => value as f64,
        Setting::Real(value) => value,
    };
    vec![value; ends.len()]
}

/// The leaves of a tree, in shares of the whole box.
struct Shape<'a> {
    leaves: &'a [Leaf],
    ends: &'a [[f64; 2]],
    mean: f64,
}

impl<'a> Shape<'a> {
    fn new(leaves: &'a [Leaf], ends: &'a [[f64; 2]]) -> Self {
        let mut shape = Self { leaves, ends, mean: 0.0 };
        let part = |leaf: &Leaf| {
            (0..ends.len()).map(|column| shape.share(leaf.ends[column], column)).product::<f64>()
        };
        shape.mean = leaves.iter().map(|leaf| leaf.value * part(leaf)).sum();
        shape
    }

    /// The share of a column's range that an interval takes.
    fn share(&self, [low, high]: [f64; 2], column: usize) -> f64 {
        let [all_low, all_high] = self.ends[column];
        (high - low) / (all_high - all_low)
    }

    /// The variance of the tree's mean over all other columns, as a function of some columns.
    ///
    /// The mean at a place is the sum over the leaves that are there, each with its share of the other columns. Its
    /// square is a sum over pairs of leaves, of which every pair counts where both are.
    fn variance(&self, is_free: impl Fn(usize) -> bool) -> f64 {
        let (free, fixed): (Vec<usize>, Vec<usize>) =
            (0..self.ends.len()).partition(|column| is_free(*column));
        let part = |leaf: &Leaf| {
            fixed.iter().map(|column| self.share(leaf.ends[*column], *column)).product::<f64>()
        };
        let parts: Vec<f64> =
            self.leaves.iter().map(|leaf| (leaf.value - self.mean) * part(leaf)).collect();
        let both = |a: &Leaf, b: &Leaf| {
            let mut share = 1.0;
            for &column in &free {
                let ([a_low, a_high], [b_low, b_high]) = (a.ends[column], b.ends[column]);
                let (low, high) = (a_low.max(b_low), a_high.min(b_high));
                if low >= high {
                    return 0.0;
                }
                share *= self.share([low, high], column);
            }
            share
        };
        let mut sum = 0.0;
        for (i, a) in self.leaves.iter().enumerate() {
            sum += parts[i] * parts[i] * both(a, a);
            if fixed.is_empty() {
                continue;
            }
            for (j, b) in self.leaves[..i].iter().enumerate() {
                sum += 2.0 * parts[i] * parts[j] * both(a, b);
            }
        }
        sum
    }
}

/// Returns a smooth estimate of the loss over two parameters, at places in `[0, 1]` as of [`Space::place`],
/// `[up.len()][across.len()]`: the mean prediction of a forest that knows these two only. `None` if no trial in which
/// both are active has a loss.
#[must_use]
pub fn surface(
    space: &Space,
    tried: &[Tried],
    seed: Seed,
    [across, up]: [usize; 2],
    places: [&[f64]; 2],
) -> Option<Vec<f64>> {
    let (points, losses) = finished(tried);
    let place = |point: &[Option<Setting>], number: usize| {
        point[number].map(|setting| space.place(number, &setting))
    };
    let both = points
        .iter()
        .zip(losses)
        .filter_map(|(point, loss)| Some((vec![place(point, across)?, place(point, up)?], loss)));
    let (rows, losses): (Vec<Vec<f64>>, Vec<f64>) = both.unzip();
    if rows.is_empty() {
        return None;
    }
    let forest = Forest::fit(&rows, &losses, |tree| seed.rng("surface", &[tree]));
    let at = |y: &f64| places[0].iter().map(|x| forest.predict(&[*x, *y])).collect::<Vec<_>>();
    Some(places[1].iter().flat_map(at).collect())
}
