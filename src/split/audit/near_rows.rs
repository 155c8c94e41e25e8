//! Finds rows of a table with nearly the same numbers as one of another track.
//!
//! They are compared by the root mean square of their differences, in deviations of the columns. Up to
//! [`MAX_DISTANCE`], most pairs in a real table of songs have the same name; beyond it, fewer do.

use std::cmp::{Ordering, Reverse};

use rayon::prelude::*;

use super::{Numbers, Pair, Sets};

/// Distance, in deviations, up to which two rows count as one song.
const MAX_DISTANCE: f32 = 0.02;
/// Maximum number of comparisons of whole rows. Beyond it the search is skipped, and the record
/// says so.
const MAX_COMPARISONS: usize = 20_000_000_000;

/// Finds targets that are near a seen row of another track; `scale` is one over the deviation of every column.
/// The error is the reason why the search was skipped.
pub(super) fn pairs(sets: &Sets, numbers: Numbers, scale: &[f32]) -> Result<Vec<Pair>, String> {
    let radius = MAX_DISTANCE * (numbers.width() as f32).sqrt();
    let cells = Cells::new(sets, numbers, scale, radius);
    // Neighbors one after the other need the same part of the memory.
    let mut targets: Vec<(usize, Placed)> =
        sets.targets.iter().map(|&row| cells.placed(row, numbers)).enumerate().collect();
    targets.par_sort_unstable_by(|(_, a), (_, b)| a.cells.cmp(&b.cells).then_with(|| a.order(b)));
    let n_near =
        |(_, target): &(usize, Placed)| cells.near(target).map(<[Placed]>::len).sum::<usize>();
    let n_comparisons: usize = targets.par_iter().map(n_near).sum();
    if n_comparisons > MAX_COMPARISONS {
        return Err(format!(
            "nearly equal rows were not searched: {n_comparisons} comparisons exceed the limit of {MAX_COMPARISONS}"
        ));
    }
    let nearest = |(number, target): &(usize, Placed)| {
        let own = numbers.row(target.row);
        let (mut least, mut nearest): (f32, Option<&Placed>) = (radius * radius, None);
        for seen in cells.near(target).flatten() {
            let mut squares = 0.0;
            for ((a, b), scale) in own.iter().zip(numbers.row(seen.row)).zip(scale) {
                squares += match (a - b) * scale {
                    missing if missing.is_nan() && a.is_nan() && b.is_nan() => 0.0,
                    missing if missing.is_nan() => f32::INFINITY,
                    difference => difference.powi(2),
                };
                if squares > least {
                    break;
                }
            }
            // Of rows that are equally near, the one with the largest number in the first column counts.
            let is_nearer = squares < least
                || squares == least && nearest.is_none_or(|other| seen.order(other).is_gt());
            if is_nearer && sets.track(seen.row) != sets.track(target.row) {
                (least, nearest) = (squares, Some(seen));
            }
        }
        nearest.map(|seen| (*number, (target.row, seen.row)))
    };
    let mut found: Vec<(usize, Pair)> = targets.par_iter().filter_map(nearest).collect();
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, pair)| pair).collect())
}

/// A row, and where it is.
struct Placed {
    /// Its cells in two columns.
    cells: [i64; 2],
    /// Its number in the first column, in deviations.
    place: f32,
    row: usize,
}

impl Placed {
    fn order(&self, other: &Self) -> Ordering {
        self.place.total_cmp(&other.place).then(self.row.cmp(&other.row))
    }
}

/// The seen rows by their cells. Rows that are near each other are near in every column, and the columns with
/// the most distinct values narrow the search most: the first by its numbers, two more by cells that are as
/// wide as near rows may be apart. With one column alone, the search would take the square of the number of rows.
struct Cells {
    /// By cells, then by place.
    all: Vec<Placed>,
    radius: f32,
    /// The first column, and those of the cells, with the factors of their numbers.
    first: (usize, f32),
    others: Vec<(usize, f64)>,
}

/// Numbers that are missing have a cell of their own, without neighbors.
const MISSING: i64 = i64::MIN;

impl Cells {
    fn new(sets: &Sets, numbers: Numbers, scale: &[f32], radius: f32) -> Self {
        let mut columns: Vec<usize> = (0..numbers.width()).collect();
        let n_distinct: Vec<usize> =
            columns.iter().map(|&column| n_distinct(sets, numbers, column)).collect();
        columns.sort_by_key(|&column| (Reverse(n_distinct[column]), Reverse(column)));
        // A little wider, which allows for rounding errors.
        let per_width = |column: usize| f64::from(scale[column]) / (f64::from(radius) * 1.0001);
        let mut cells = Self {
            all: vec![],
            radius,
            first: (columns[0], scale[columns[0]]),
            others: columns[1..]
                .iter()
                .take(2)
                .map(|&column| (column, per_width(column)))
                .collect(),
        };
        let mut seen: Vec<Placed> =
            sets.seen.iter().map(|&row| cells.placed(row, numbers)).collect();
        seen.par_sort_unstable_by(|a, b| a.cells.cmp(&b.cells).then_with(|| a.order(b)));
        cells.all = seen;
        cells
    }

    /// Where a row is.
    fn placed(&self, row: usize, numbers: Numbers) -> Placed {
        let own = numbers.row(row);
        Placed { cells: self.of(own), place: self.place(own), row }
    }

    fn place(&self, row: &[f32]) -> f32 {
        match row[self.first.0] {
            // Rows that lack this number are only near each other.
            missing if missing.is_nan() => f32::NEG_INFINITY,
            number => number * self.first.1,
        }
    }

    fn of(&self, row: &[f32]) -> [i64; 2] {
        let mut cells = [0; 2];
        for (cell, &(column, per_width)) in cells.iter_mut().zip(&self.others) {
            let number = row[column];
            let is_missing = number.is_nan();
            *cell =
                if is_missing { MISSING } else { (f64::from(number) * per_width).floor() as i64 };
        }
        cells
    }

    /// The seen rows that may be near a row: a run of them for each cell around its own.
    fn near(&self, target: &Placed) -> impl Iterator<Item = &[Placed]> {
        let (own, at) = (target.cells, target.place);
        let (low, high) = (at - self.radius, at + self.radius);
        let around = move |axis: usize| {
            let has_neighbors = own[axis] != MISSING && axis < self.others.len();
            let reach = i64::from(has_neighbors);
            (-reach..=reach).map(move |by| own[axis].saturating_add(by))
        };
        let cells = around(0).flat_map(move |one| around(1).map(move |two| [one, two]));
        cells.map(move |cells| {
            let first = self.all.partition_point(|it| (it.cells, it.place) < (cells, low));
            let rest = &self.all[first..];
            &rest[..rest.partition_point(|it| (it.cells, it.place) <= (cells, high))]
        })
    }
}

/// Counts the distinct values of a column in some of the seen rows.
fn n_distinct(sets: &Sets, numbers: Numbers, column: usize) -> usize {
    const N_LOOKED_AT: usize = 10_000;
    let rows = sets.seen.iter().step_by(sets.seen.len().div_ceil(N_LOOKED_AT));
    let mut values: Vec<u32> = rows.map(|&row| numbers.row(row)[column].to_bits()).collect();
    values.sort_unstable();
    values.dedup();
    values.len()
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{Owned, examples};
    use super::*;
    use crate::vocab::Seed;

    /// Every seen row is compared with every target: the least squares of every target that is near one.
    fn all_compared(sets: &Sets, numbers: Numbers, scale: &[f32]) -> Vec<Pair> {
        let limit = (MAX_DISTANCE * (numbers.width() as f32).sqrt()).powi(2);
        let squares = |a: usize, b: usize| -> f32 {
            let each = numbers.row(a).iter().zip(numbers.row(b)).zip(scale);
            let square = |((a, b), scale): ((&f32, &f32), &f32)| match ((a - b) * scale).powi(2) {
                missing if missing.is_nan() && a.is_nan() && b.is_nan() => 0.0,
                missing if missing.is_nan() => f32::INFINITY,
                square => square,
            };
            each.map(square).fold(0.0, |sum, square| sum + square)
        };
        let nearest = |&target: &usize| {
            let others = sets.seen.iter().filter(|seen| sets.track(**seen) != sets.track(target));
            let near = others.map(|&seen| (squares(target, seen), seen));
            let near = near.filter(|(squares, _)| *squares <= limit);
            near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(least, _)| (target, least))
        };
        let least = |(target, least): (usize, f32)| (target, least.to_bits() as usize);
        sets.targets.iter().filter_map(nearest).map(least).collect()
    }

    #[test]
    fn the_nearest_row_is_found_in_tables_of_any_width() {
        let owned: Owned = examples(2, 400, 1);
        let n = owned.ids.len();
        for (n_columns, most) in [(1, 270.0), (2, 9.0), (3, 3.0), (5, 1.3)] {
            let mut rng = Seed(7).rng("test", &[n_columns as u64]);
            // Crowded, with some numbers that are missing and a column with few values.
            let number = |_| match rng.uniform() {
                x if x < 0.05 => f32::NAN,
                x => (x * most) as f32,
            };
            let mut values: Vec<f32> = (0..n * n_columns).map(number).collect();
            if n_columns > 2 {
                values.iter_mut().skip(1).step_by(n_columns).for_each(|x| *x = x.round());
            }
            let numbers = Numbers { values: &values, shape: &[n_columns] };
            let (seen, targets) = (0..n).partition(|row| row % 2 == 0);
            let sets = Sets { items: owned.items(), groups: None, targets, seen };
            let scale = vec![0.2; n_columns];
            let found = pairs(&sets, numbers, &scale).unwrap();
            let distance = |&(target, seen): &Pair| {
                let each = numbers.row(target).iter().zip(numbers.row(seen)).zip(&scale);
                let square = |((a, b), scale): ((&f32, &f32), &f32)| {
                    if a.is_nan() { 0.0 } else { ((a - b) * scale).powi(2) }
                };
                let sum = each.map(square).fold(0.0, |sum: f32, square| sum + square);
                (target, sum.to_bits() as usize)
            };
            let found: Vec<Pair> = found.iter().map(distance).collect();
            assert_eq!(found, all_compared(&sets, numbers, &scale), "{n_columns} columns");
            assert!(found.len() > 20 && found.len() < n / 2, "{} of {n}", found.len());
        }
    }
}
