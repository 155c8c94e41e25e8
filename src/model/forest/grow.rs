//! A tree of means: the leaves hold the mean tags or numbers of their examples.

use serde::{Deserialize, Serialize};

use super::super::Examples;
use super::super::tree::Tree;
use super::Forest;
use crate::vocab::Rng;

/// A tree and the means of its leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MeanTree {
    /// Its answers count leaves.
    tree: Tree<u32>,
    /// `[n_leaves][n_outputs]`.
    means: Vec<f32>,
}

impl MeanTree {
    /// Returns the means of the leaf that an example reaches.
    pub(super) fn means(&self, example: &[f32], n_outputs: usize) -> &[f32] {
        &self.means[self.tree.answer(example) as usize * n_outputs..][..n_outputs]
    }

    pub(super) fn n_nodes(&self) -> usize {
        self.tree.answer.len()
    }

    /// Returns whether every path ends in a leaf with finite means.
    pub(super) fn is_sound(&self, width: usize, n_outputs: usize) -> bool {
        let n_leaves = self.means.len() / n_outputs;
        self.means.len().is_multiple_of(n_outputs)
            && self.means.iter().all(|mean| mean.is_finite())
            && self.tree.is_sound(width, |leaf| (leaf as usize) < n_leaves)
    }
}

/// The training examples, column by column.
pub(super) struct Table {
    n: usize,
    n_outputs: usize,
    /// `[width][n]`.
    columns: Vec<Vec<f32>>,
    /// Tags, 0 or 1, or the number, `[n][n_outputs]`.
    values: Vec<f32>,
}

impl Table {
    pub(super) fn new(examples: &Examples) -> Self {
        let n = examples.len();
        let column = |column| (0..n).map(|index| examples.example(index)[column]).collect();
        Self {
            n,
            n_outputs: examples.n_outputs,
            columns: (0..examples.width()).map(column).collect(),
            values: examples.values(),
        }
    }

    /// Grows a tree on a bootstrap sample. A split minimizes the squared distances from the means of its
    /// two sides, summed over the outputs. Of tags, this is the mean Gini impurity.
    ///
    /// # Source
    /// Breiman, "Random forests", 2001; details as in scikit-learn 1.9: an example that is drawn twice
    /// counts twice in means and once for `min_samples_leaf`, and columns are drawn until one varies.
    pub(super) fn grow(&self, rules: &Forest, m: usize, mut rng: Rng) -> MeanTree {
        let mut weights = vec![0.0; self.n];
        (0..self.n).for_each(|_| weights[rng.below(self.n)] += 1.0);
        let rows = (0..self.n).filter(|row| weights[*row] > 0.0).collect();
        let grown = MeanTree { tree: Tree::default(), means: vec![] };
        let order = (0..self.columns.len()).collect();
        let mut grower = Grower { table: self, rules, m, rng, weights, order, grown };
        grower.run(rows);
        grower.grown
    }
}

struct Grower<'a> {
    table: &'a Table,
    rules: &'a Forest,
    m: usize,
    rng: Rng,
    /// How often each example was drawn.
    weights: Vec<f64>,
    /// All columns, in the order of the last draws.
    order: Vec<usize>,
    grown: MeanTree,
}

/// Some examples that became a node.
struct Node {
    number: usize,
    depth: usize,
    rows: Vec<usize>,
}

/// The best split of a node so far.
struct Split {
    column: usize,
    bound: f64,
    gain: f64,
}

/// The examples of a node with their values, less the means of the node.
struct Centered {
    /// Sum of the weights.
    weight: f64,
    means: Vec<f64>,
    /// `[n_rows][n_outputs]`, times the weight of the row.
    values: Vec<f64>,
    /// Mean square of the values.
    impurity: f64,
}

impl Grower<'_> {
    fn run(&mut self, rows: Vec<usize>) {
        let mut open = vec![Node { number: self.node(), depth: 0, rows }];
        while let Some(Node { number, depth, rows }) = open.pop() {
            let centered = self.center(&rows);
            let Some(Split { column, bound, .. }) = self.split(depth, &rows, &centered) else {
                self.leaf(number, &centered);
                continue;
            };
            let values = &self.table.columns[column];
            let (yes, no) = rows.into_iter().partition(|&row| f64::from(values[row]) <= bound);
            let children = [self.node(), self.node()];
            self.grown.tree.column[number] = column as u32;
            self.grown.tree.bound[number] = bound;
            self.grown.tree.children[number] = children.map(|child| child as u32);
            for (number, rows) in children.into_iter().zip([yes, no]) {
                open.push(Node { number, depth: depth + 1, rows });
            }
        }
    }

    /// Adds a node.
    fn node(&mut self) -> usize {
        let tree = &mut self.grown.tree;
        tree.column.push(0);
        tree.bound.push(0.0);
        tree.children.push([0, 0]);
        tree.answer.push(0);
        tree.answer.len() - 1
    }

    fn leaf(&mut self, number: usize, centered: &Centered) {
        let MeanTree { tree, means } = &mut self.grown;
        tree.answer[number] = (means.len() / self.table.n_outputs) as u32;
        means.extend(centered.means.iter().map(|mean| *mean as f32));
    }

    fn center(&self, rows: &[usize]) -> Centered {
        let n_outputs = self.table.n_outputs;
        let of = |row: usize| &self.table.values[row * n_outputs..][..n_outputs];
        let (mut weight, mut means) = (0.0, vec![0.0; n_outputs]);
        for &row in rows {
            weight += self.weights[row];
            let pairs = means.iter_mut().zip(of(row));
            pairs.for_each(|(sum, x)| *sum += self.weights[row] * f64::from(*x));
        }
        means.iter_mut().for_each(|sum| *sum /= weight);
        let (mut values, mut squares) = (Vec::with_capacity(rows.len() * n_outputs), 0.0);
        for &row in rows {
            for (x, mean) in of(row).iter().zip(&means) {
                let apart = f64::from(*x) - mean;
                squares += self.weights[row] * apart * apart;
                values.push(self.weights[row] * apart);
            }
        }
        Centered { impurity: squares / (weight * n_outputs as f64), weight, means, values }
    }

    /// Returns the best split of a node, unless it is a leaf.
    fn split(&mut self, depth: usize, rows: &[usize], centered: &Centered) -> Option<Split> {
        let Forest { max_depth, min_samples_leaf, .. } = *self.rules;
        if max_depth.is_some_and(|most| depth >= most)
            || rows.len() < (2 * min_samples_leaf).max(2)
            || centered.impurity <= f64::EPSILON
        {
            return None;
        }
        let mut best = None;
        let mut has_varied = false;
        let mut sorted: Vec<(f32, u32)> = Vec::with_capacity(rows.len());
        for n_drawn in 0..self.order.len() {
            if n_drawn >= self.m && has_varied {
                break;
            }
            let drawn = n_drawn + self.rng.below(self.order.len() - n_drawn);
            self.order.swap(n_drawn, drawn);
            let column = self.order[n_drawn];
            let values = &self.table.columns[column];
            sorted.clear();
            sorted.extend(rows.iter().enumerate().map(|(place, &row)| (values[row], place as u32)));
            sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            if sorted[0].0 == sorted[sorted.len() - 1].0 {
                continue;
            }
            has_varied = true;
            self.best_of(column, &sorted, rows, centered, &mut best);
        }
        best
    }

    /// Compares every split of one column with the best one.
    fn best_of(
        &self,
        column: usize,
        sorted: &[(f32, u32)],
        rows: &[usize],
        centered: &Centered,
        best: &mut Option<Split>,
    ) {
        let (n_outputs, least) = (self.table.n_outputs, self.rules.min_samples_leaf);
        let (mut left, mut sums) = (0.0, vec![0.0; n_outputs]);
        for (n_left, pair) in (1..).zip(sorted.windows(2)) {
            let ((value, place), (next, _)) = (pair[0], pair[1]);
            left += self.weights[rows[place as usize]];
            let values = &centered.values[place as usize * n_outputs..][..n_outputs];
            sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
            if value == next || n_left < least || sorted.len() - n_left < least {
                continue;
            }
            // The sums of the two sides are opposite, since the mean of the node is 0.
            let square: f64 = sums.iter().map(|sum| sum * sum).sum();
            let gain = square / left + square / (centered.weight - left);
            if gain > best.as_ref().map_or(0.0, |best| best.gain) {
                let bound = f64::midpoint(f64::from(value), f64::from(next));
                *best = Some(Split { column, bound, gain });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::{Seed, Targets};

    fn grown(matrix: &[f32], numbers: &[f32], rules: &Forest) -> MeanTree {
        let rows: Vec<usize> = (0..numbers.len()).collect();
        let targets = Targets::Numbers(numbers.to_vec());
        let shape = [matrix.len() / numbers.len()];
        let examples =
            Examples { shape: &shape, matrix, targets: &targets, rows: &rows, n_outputs: 1 };
        Table::new(&examples).grow(rules, 1, Seed(1).rng("test", &[]))
    }

    #[test]
    fn a_tree_finds_a_step_and_its_leaves_hold_the_means() {
        // The first column is constant and is passed over, the second has a step between 9 and 10.
        let matrix: Vec<f32> = (0..20_u8).flat_map(|x| [7.0, f32::from(x)]).collect();
        let numbers: Vec<f32> = (0..20).map(|x| if x < 10 { -1.0 } else { 3.0 }).collect();
        let tree = grown(&matrix, &numbers, &Forest::default());
        assert_eq!(tree.n_nodes(), 3);
        let mut means = tree.means.clone();
        means.sort_unstable_by(f32::total_cmp);
        assert_eq!((tree.tree.column[0], &means[..]), (1, &[-1.0, 3.0][..]));
        // The sample lacks some examples, so that the bound lies near.
        assert!((6.0..13.0).contains(&tree.tree.bound[0]), "{}", tree.tree.bound[0]);
        assert_eq!([tree.means(&[7.0, 0.0], 1), tree.means(&[7.0, 19.0], 1)], [[-1.0], [3.0]]);
        assert!(tree.is_sound(2, 1) && !tree.is_sound(1, 1));
    }

    #[test]
    fn leaves_are_as_large_and_trees_as_deep_as_allowed() {
        let matrix: Vec<f32> = (0..50_u8).map(f32::from).collect();
        let rules = Forest { min_samples_leaf: 10, ..Forest::default() };
        let tree = grown(&matrix, &matrix, &rules);
        // About 32 different examples are drawn.
        assert!((3..=5).contains(&tree.n_nodes()), "{}", tree.n_nodes());
        let rules = Forest { max_depth: Some(2), ..Forest::default() };
        assert_eq!(grown(&matrix, &matrix, &rules).n_nodes(), 7);
        // Nothing to learn.
        assert_eq!(grown(&matrix, &[5.0; 50], &Forest::default()).n_nodes(), 1);
        assert_eq!(grown(&[1.0; 50], &matrix, &Forest::default()).n_nodes(), 1);
    }
}
