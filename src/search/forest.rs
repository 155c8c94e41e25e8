//! A small regression forest over a box of numbers, whose leaves are known as boxes.

use rayon::prelude::*;

use crate::vocab::Rng;

const N_TREES: usize = 256;
const MAX_DEPTH: usize = 64;

/// Trees, each grown on a bootstrap sample until every leaf has equal targets.
///
/// # Source
/// Breiman, "Random forests", 2001; all columns are tried at every split, and bounds lie halfway, as in scikit-learn's
/// `RandomForestRegressor`.
pub(super) struct Forest {
    trees: Vec<Tree>,
}

/// A tree; node 0 is its root.
pub(super) struct Tree {
    nodes: Vec<Node>,
}

enum Node {
    /// Rows whose column is at most `bound` go to the first child.
    Split {
        column: usize,
        bound: f64,
        children: [usize; 2],
    },
    Leaf(f64),
}

/// A leaf: its value, and the ends of its box in every column.
pub(super) struct Leaf {
    pub(super) value: f64,
    pub(super) ends: Vec<[f64; 2]>,
}

impl Forest {
    /// Fits a forest to rows, `[n][n_columns]`, and their targets; `rng` is the stream of a tree.
    pub(super) fn fit(rows: &[Vec<f64>], targets: &[f64], rng: impl Fn(u64) -> Rng + Sync) -> Self {
        let tree = |number| {
            let mut rng = rng(number);
            let mut weights = vec![0.0; rows.len()];
            rows.iter().for_each(|_| weights[rng.below(rows.len())] += 1.0);
            let drawn = (0..rows.len()).filter(|row| weights[*row] > 0.0).collect();
            let mut grower = Grower { rows, targets, weights, rng, nodes: vec![] };
            grower.grow(drawn, 0);
            Tree { nodes: grower.nodes }
        };
        Self { trees: (0..N_TREES as u64).into_par_iter().map(tree).collect() }
    }

    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Returns the mean prediction of the trees.
    pub(super) fn predict(&self, row: &[f64]) -> f64 {
        self.trees.iter().map(|tree| tree.predict(row)).sum::<f64>() / self.trees.len() as f64
    }
}

impl Tree {
    fn predict(&self, row: &[f64]) -> f64 {
        let mut number = 0;
        loop {
            match &self.nodes[number] {
                Node::Leaf(value) => return *value,
                Node::Split { column, bound, children } => {
                    number = children[usize::from(row[*column] > *bound)];
                }
            }
        }
    }

    /// Returns all leaves; they fill the box with these ends.
    pub(super) fn leaves(&self, ends: &[[f64; 2]]) -> Vec<Leaf> {
        let (mut leaves, mut open) = (vec![], vec![(0, ends.to_vec())]);
        while let Some((number, ends)) = open.pop() {
            match &self.nodes[number] {
                Node::Leaf(value) => leaves.push(Leaf { value: *value, ends }),
                Node::Split { column, bound, children } => {
                    for (side, child) in children.iter().enumerate() {
                        let mut ends = ends.clone();
                        ends[*column][1 - side] = *bound;
                        open.push((*child, ends));
                    }
                }
            }
        }
        leaves
    }
}

struct Grower<'a> {
    rows: &'a [Vec<f64>],
    targets: &'a [f64],
    /// How often each row was drawn.
    weights: Vec<f64>,
    rng: Rng,
    nodes: Vec<Node>,
}

impl Grower<'_> {
    /// Adds the node of some rows and all below it; returns its number.
    fn grow(&mut self, rows: Vec<usize>, depth: usize) -> usize {
        let weight: f64 = rows.iter().map(|row| self.weights[*row]).sum();
        let mean =
            rows.iter().map(|it| self.weights[*it] * self.targets[*it]).sum::<f64>() / weight;
        let number = self.nodes.len();
        self.nodes.push(Node::Leaf(mean));
        let first = self.targets[rows[0]];
        if depth < MAX_DEPTH
            && rows.iter().any(|row| self.targets[*row] != first)
            && let Some((column, bound)) = self.split(&rows, weight, mean)
        {
            let (yes, no) = rows.into_iter().partition(|row| self.rows[*row][column] <= bound);
            let children = [self.grow(yes, depth + 1), self.grow(no, depth + 1)];
            self.nodes[number] = Node::Split { column, bound, children };
        }
        number
    }

    /// The split that leaves the least variance. Columns are tried in random order; the first of equal ones is taken.
    fn split(&mut self, rows: &[usize], weight: f64, mean: f64) -> Option<(usize, f64)> {
        let mut columns: Vec<usize> = (0..self.rows[0].len()).collect();
        self.rng.shuffle(&mut columns);
        let mut best: Option<(f64, usize, f64)> = None;
        let mut sorted = rows.to_vec();
        for column in columns {
            let value = |row: usize| self.rows[row][column];
            sorted.sort_by(|a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
            let (mut left, mut sum) = (0.0, 0.0);
            for pair in sorted.windows(2) {
                left += self.weights[pair[0]];
                sum += self.weights[pair[0]] * (self.targets[pair[0]] - mean);
                let [low, high] = [value(pair[0]), value(pair[1])];
                if low == high {
                    continue;
                }
                // The sums of the two sides are opposite.
                let gain = sum * sum / left + sum * sum / (weight - left);
                if best.is_none_or(|(most, ..)| gain > most) {
                    // Halfway between neighboring numbers can be the higher one.
                    let middle = f64::midpoint(low, high);
                    best = Some((gain, column, if middle < high { middle } else { low }));
                }
            }
        }
        best.map(|(_, column, bound)| (column, bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn a_forest_finds_a_step_and_its_leaves_fill_the_box() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i) / 19.0, 0.5]).collect();
        let targets: Vec<f64> = (0..20).map(|i| if i < 10 { -1.0 } else { 3.0 }).collect();
        let forest = Forest::fit(&rows, &targets, |tree| Seed(1).rng("test", &[tree]));
        assert_eq!([forest.predict(&[0.1, 0.5]), forest.predict(&[0.9, 0.1])], [-1.0, 3.0]);
        assert!((-1.0..3.0).contains(&forest.predict(&[0.5, 0.5])));
        for tree in forest.trees() {
            let leaves = tree.leaves(&[[0.0, 1.0], [0.0, 2.0]]);
            let size = |leaf: &Leaf| leaf.ends.iter().map(|[a, b]| b - a).product::<f64>();
            assert_eq!(leaves.len(), 2);
            assert!((leaves.iter().map(size).sum::<f64>() - 2.0).abs() < 1e-12);
        }
    }

    #[test]
    fn leaves_are_as_small_as_the_targets_differ() {
        let rows: Vec<Vec<f64>> = (0..30).map(|i| vec![f64::from(i)]).collect();
        let targets: Vec<f64> = (0..30).map(|i| f64::from(i * i % 7)).collect();
        let forest = Forest::fit(&rows, &targets, |tree| Seed(1).rng("test", &[tree]));
        let error = |i: usize| (forest.predict(&rows[i]) - targets[i]).abs();
        let mean = (0..30).map(error).sum::<f64>() / 30.0;
        assert!(mean < 0.7, "{mean}");
        let constant = Forest::fit(&rows, &[2.0; 30], |tree| Seed(1).rng("test", &[tree]));
        assert_eq!(constant.predict(&[3.0]), 2.0);
    }
}
