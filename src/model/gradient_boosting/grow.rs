//! One regression tree, grown leaf by leaf, the leaf with the largest gain first.

use std::ops::Range;

use rayon::prelude::*;

use super::super::tree::Tree;
use super::bins::{Bins, MAX_BINS};

/// Below this many examples times columns, a histogram is computed on one thread.
const WORTH_THREADS: usize = 1 << 15;

/// Minimum sum of second derivatives on each side of a split.
const MIN_HESSIAN: f64 = 1e-3;

/// How the trees of gradient boosting grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeRules {
    /// Maximum number of leaves of a tree, at least 2.
    pub max_leaf_nodes: usize,
    /// Maximum depth of a tree; unlimited if absent.
    pub max_depth: Option<usize>,
    /// Minimum number of examples in a leaf, at least 1.
    pub min_samples_leaf: usize,
    /// Penalty on the squares of the leaves' values, at least 0.
    pub l2_regularization: f64,
    /// Factor applied to the values of every tree, above 0.
    pub learning_rate: f64,
}

impl Default for TreeRules {
    fn default() -> Self {
        Self {
            max_leaf_nodes: 31,
            max_depth: None,
            min_samples_leaf: 20,
            l2_regularization: 0.0,
            learning_rate: 0.1,
        }
    }
}

/// First and second derivatives of the loss, summed over some examples, and the number of examples.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Sums {
    gradient: f64,
    hessian: f64,
    n: u32,
}

impl Sums {
    fn add(&mut self, [gradient, hessian]: [f32; 2]) {
        self.gradient += f64::from(gradient);
        self.hessian += f64::from(hessian);
        self.n += 1;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            hessian: self.hessian + other.hessian,
            n: self.n + other.n,
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            hessian: self.hessian - other.hessian,
            n: self.n - other.n,
        }
    }
}

impl TreeRules {
    /// Returns the step that minimizes the quadratic approximation of the loss.
    fn value(&self, sums: Sums) -> f64 {
        // The small constant prevents a division by 0 in a leaf without curvature.
        -sums.gradient / (sums.hessian + self.l2_regularization + 1e-15)
    }

    /// Returns twice the gain of that step.
    fn gain(&self, sums: Sums) -> f64 {
        -sums.gradient * self.value(sums)
    }

    fn can_stand(&self, side: Sums) -> bool {
        side.n as usize >= self.min_samples_leaf && side.hessian >= MIN_HESSIAN
    }
}

/// The best split of a leaf.
#[derive(Debug, Clone, Copy)]
struct Split {
    column: usize,
    /// The last bin of the left side.
    bin: usize,
    gain: f64,
    left: Sums,
    right: Sums,
}

/// A leaf that can still be split.
struct Open {
    node: usize,
    depth: usize,
    /// Its range of the grower's rows.
    rows: Range<usize>,
    /// `[width][MAX_BINS]`.
    histogram: Vec<Sums>,
    split: Split,
}

/// Grows a tree on some examples; `derivatives` is `[bins.n]`, and `rows` are the examples to use.
pub(super) fn grow(
    bins: &Bins,
    derivatives: &[[f32; 2]],
    rows: Vec<u32>,
    rules: TreeRules,
) -> Tree<f64> {
    let mut grower = Grower {
        bins,
        derivatives,
        rules,
        spare: Vec::with_capacity(rows.len()),
        rows,
        tree: Tree { column: vec![], bound: vec![], children: vec![], answer: vec![] },
    };
    grower.run();
    grower.tree
}

struct Grower<'a> {
    bins: &'a Bins,
    derivatives: &'a [[f32; 2]],
    rules: TreeRules,
    /// The examples, grouped by leaf, each group in its original order.
    rows: Vec<u32>,
    spare: Vec<u32>,
    tree: Tree<f64>,
}

impl Grower<'_> {
    fn run(&mut self) {
        let mut all = Sums::default();
        self.rows.iter().for_each(|row| all.add(self.derivatives[*row as usize]));
        let root = self.leaf(all);
        let histogram = self.histogram(0..self.rows.len());
        let mut open: Vec<Open> =
            self.open(root, 0, 0..self.rows.len(), histogram, all).into_iter().collect();
        for _ in 1..self.rules.max_leaf_nodes {
            // In a tie, the leaf that was created first wins.
            let mut best: Option<usize> = None;
            for (place, leaf) in open.iter().enumerate() {
                if best.is_none_or(|best| leaf.split.gain > open[best].split.gain) {
                    best = Some(place);
                }
            }
            let Some(best) = best else { break };
            let leaf = open.remove(best);
            open.extend(self.split(leaf));
        }
    }

    fn leaf(&mut self, sums: Sums) -> usize {
        let tree = &mut self.tree;
        tree.column.push(0);
        tree.bound.push(0.0);
        tree.children.push([0, 0]);
        tree.answer.push(self.rules.learning_rate * self.rules.value(sums));
        tree.answer.len() - 1
    }

    /// Splits a leaf and returns those of its two children that can be split further.
    fn split(&mut self, leaf: Open) -> impl Iterator<Item = Open> + use<> {
        let Open { node, depth, rows, mut histogram, split } = leaf;
        let Split { column, bin, left, right, .. } = split;
        let children = [self.leaf(left), self.leaf(right)];
        self.tree.column[node] = column as u32;
        self.tree.bound[node] = self.bins.bounds[column][bin];
        self.tree.children[node] = children.map(|child| child as u32);
        self.tree.answer[node] = 0.0;

        let middle = self.part(rows.clone(), column, bin);
        let sides = [rows.start..middle, middle..rows.end];
        let open = if self.is_done(depth + 1, left) && self.is_done(depth + 1, right) {
            [None, None]
        } else {
            // Only the smaller side is counted; the other one is the difference to the parent.
            let smaller = usize::from(left.n >= right.n);
            let counted = self.histogram(sides[smaller].clone());
            for (all, part) in histogram.iter_mut().zip(&counted) {
                *all = all.minus(*part);
            }
            let [left_rows, right_rows] = sides;
            let histograms = if smaller == 0 { [counted, histogram] } else { [histogram, counted] };
            let [left_histogram, right_histogram] = histograms;
            [
                self.open(children[0], depth + 1, left_rows, left_histogram, left),
                self.open(children[1], depth + 1, right_rows, right_histogram, right),
            ]
        };
        open.into_iter().flatten()
    }

    /// Moves the rows of the left side to the front, keeping the order on both sides. Returns where
    /// the right side begins.
    fn part(&mut self, rows: Range<usize>, column: usize, bin: usize) -> usize {
        let codes = self.bins.column(column);
        self.spare.clear();
        let mut middle = rows.start;
        for place in rows.clone() {
            let row = self.rows[place];
            if usize::from(codes[row as usize]) <= bin {
                self.rows[middle] = row;
                middle += 1;
            } else {
                self.spare.push(row);
            }
        }
        self.rows[middle..rows.end].copy_from_slice(&self.spare);
        middle
    }

    fn is_done(&self, depth: usize, sums: Sums) -> bool {
        self.rules.max_depth.is_some_and(|most| depth >= most)
            || (sums.n as usize) < 2 * self.rules.min_samples_leaf
    }

    fn open(
        &self,
        node: usize,
        depth: usize,
        rows: Range<usize>,
        histogram: Vec<Sums>,
        sums: Sums,
    ) -> Option<Open> {
        if self.is_done(depth, sums) {
            return None;
        }
        let split = self.best_split(&histogram, sums)?;
        Some(Open { node, depth, rows, histogram, split })
    }

    /// Sums by column and bin. Each column is summed in the order of the rows, so the bits do not
    /// depend on the thread.
    fn histogram(&self, rows: Range<usize>) -> Vec<Sums> {
        let width = self.bins.bounds.len();
        let rows = &self.rows[rows];
        let derivatives: Vec<[f32; 2]> =
            rows.iter().map(|row| self.derivatives[*row as usize]).collect();
        let mut histogram = vec![Sums::default(); width * MAX_BINS];
        let columns_a_task = if rows.len() * width < WORTH_THREADS { width } else { 1 };
        histogram.par_chunks_exact_mut(MAX_BINS).with_min_len(columns_a_task).enumerate().for_each(
            |(column, sums)| {
                let codes = self.bins.column(column);
                for (row, derivatives) in rows.iter().zip(&derivatives) {
                    sums[usize::from(codes[*row as usize])].add(*derivatives);
                }
            },
        );
        histogram
    }

    /// Returns the split with the largest gain; in a tie, the first one by column and bin.
    fn best_split(&self, histogram: &[Sums], all: Sums) -> Option<Split> {
        let mut best: Option<Split> = None;
        let unsplit = self.rules.gain(all);
        for (column, sums) in histogram.chunks_exact(MAX_BINS).enumerate() {
            let mut left = Sums::default();
            for (bin, sums) in sums[..self.bins.bounds[column].len()].iter().enumerate() {
                left = left.plus(*sums);
                let right = all.minus(left);
                if !self.rules.can_stand(left) {
                    continue;
                }
                if !self.rules.can_stand(right) {
                    break;
                }
                let gain = self.rules.gain(left) + self.rules.gain(right) - unsplit;
                if gain > best.map_or(0.0, |best| best.gain) {
                    best = Some(Split { column, bin, gain, left, right });
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Examples;
    use super::*;
    use crate::vocab::Targets;

    const RULES: TreeRules = TreeRules {
        max_leaf_nodes: 3,
        max_depth: None,
        min_samples_leaf: 1,
        l2_regularization: 0.0,
        learning_rate: 0.5,
    };

    /// Eight examples in two columns; the second column carries no information.
    fn bins() -> Bins {
        let matrix: Vec<f32> = (0_u8..8).flat_map(|x| [f32::from(x), 3.0]).collect();
        Bins::new(
            &Examples {
                shape: &[2],
                matrix: &matrix,
                targets: &Targets::Classes(vec![0; 8]),
                rows: &[0, 1, 2, 3, 4, 5, 6, 7],
                n_outputs: 1,
            },
            MAX_BINS,
        )
    }

    /// Two examples at -4, four at 1, two at 3. With curvature 1, the best step of a leaf is minus
    /// its mean.
    const DERIVATIVES: [[f32; 2]; 8] = [
        [-4.0, 1.0],
        [-4.0, 1.0],
        [1.0, 1.0],
        [1.0, 1.0],
        [1.0, 1.0],
        [1.0, 1.0],
        [3.0, 1.0],
        [3.0, 1.0],
    ];

    /// Removes the effect of the small constant in the divisor.
    fn rounded(x: f64) -> f64 {
        (x * 1e9).round() / 1e9
    }

    fn answers(rules: TreeRules) -> Vec<f64> {
        let tree = grow(&bins(), &DERIVATIVES, (0..8).collect(), rules);
        assert!(tree.is_sound(2, f64::is_finite));
        (0_u8..8).map(|x| rounded(tree.answer(&[f32::from(x), 3.0]))).collect()
    }

    #[test]
    fn leaves_take_the_step_to_their_own_minimum() {
        let wanted = [2.0, 2.0, -0.5, -0.5, -0.5, -0.5, -1.5, -1.5];
        assert_eq!(answers(RULES), wanted);
        // More leaves are allowed than there are useful splits.
        assert_eq!(answers(TreeRules { max_leaf_nodes: 31, ..RULES }), wanted);
    }

    #[test]
    fn the_rules_end_it() {
        let right = rounded(-5.0 / 6.0);
        let two = [2.0, 2.0, right, right, right, right, right, right];
        assert_eq!(answers(TreeRules { max_leaf_nodes: 2, ..RULES }), two);
        assert_eq!(answers(TreeRules { max_depth: Some(1), ..RULES }), two);
        // With at least three examples per leaf, the sums are -7 and 9, over 3 and 5 examples.
        let three = answers(TreeRules { min_samples_leaf: 3, max_leaf_nodes: 2, ..RULES });
        assert_eq!((three[2], three[3]), (rounded(0.5 * 7.0 / 3.0), -0.9));
        let damped = answers(TreeRules { l2_regularization: 2.0, ..RULES });
        assert_eq!(damped[0], 0.5 * 8.0 / 4.0);
    }

    #[test]
    fn only_the_named_rows_count() {
        let tree = grow(&bins(), &DERIVATIVES, vec![2, 3, 6], RULES);
        assert_eq!(rounded(tree.answer(&[0.0, 3.0])), -0.5);
        assert_eq!(rounded(tree.answer(&[6.0, 3.0])), -1.5);
    }
}
