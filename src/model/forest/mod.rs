//! `[model.forest]`: a random forest.
//!
//! ```toml
//! [model.forest]
//! n_trees = 200
//! max_depth = 12          # no limit if left out
//! min_samples_leaf = 1
//! m = 4                   # columns tried at each split
//! ```
//!
//! Without `m`, the square root of the number of columns is tried, or all columns to learn a number, as
//! scikit-learn's forests do.
//!
//! To learn tags, one tree serves all of them: a split minimizes their mean Gini impurity, and a leaf holds
//! their rates. To learn a number, a split minimizes the variance, and a leaf holds the mean. Both are the
//! trees of `grow.rs`, as scikit-learn's `RandomForestClassifier` of several outputs and
//! `RandomForestRegressor` grow them.
//!
//! To learn a class, each tree is a smartcore forest of one tree with its own seed, so that trees can be grown in
//! parallel. Its bootstrap draws within each class. smartcore keeps its nodes private and reports
//! no votes, so the nodes are read from its serde form into [`Tree`]s, which vote and are saved.

mod grow;

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::files::{file_error, read_json, write_json};
use super::tree::Tree;
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver,
};
use crate::schema::{Fields, Int};
use crate::vocab::{Outputs, Task};
use grow::{MeanTree, Table};

const FILE: &str = "forest.json";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "forest",
    doc: "A random forest: trees on bootstrap samples, each split chosen among a few random \
          columns, one vote per tree.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(read),
};

/// The settings of a random forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// Number of trees, in [1, 10,000].
    pub n_trees: usize,
    /// Maximum depth of a tree; unlimited if absent.
    pub max_depth: Option<usize>,
    /// Minimum number of examples in a leaf, at least 1.
    pub min_samples_leaf: usize,
    /// Number of columns tried at each split. If absent, the square root of their number, rounded down,
    /// or all of them to learn a number.
    pub m: Option<usize>,
}

impl Default for Forest {
    fn default() -> Self {
        Self { n_trees: 100, max_depth: None, min_samples_leaf: 1, m: None }
    }
}

fn read(fields: &mut Fields, shape: Option<&[usize]>) -> Box<dyn Model> {
    let m = fields.optional("m", &Int::within(1..=1_000_000));
    if let (Some(m), Some(shape)) = (m, shape)
        && m > shape.iter().product()
    {
        let n_columns = shape.iter().product::<usize>();
        fields.fault_at("m", &format!("must be at most the {n_columns} columns, found {m}"));
    }
    Box::new(Forest {
        n_trees: fields.with_default("n_trees", &Int::within(1..=10_000), 100),
        max_depth: fields.optional("max_depth", &Int::within(1..=65_535)),
        min_samples_leaf: fields.with_default("min_samples_leaf", &Int::within(1..=1_000_000), 1),
        m,
    })
}

impl Model for Forest {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        if job.train.outputs().task != Task::Classes {
            return self.fit_means(job);
        }
        job.train.classes_for_fit()?;
        let labels: Vec<u32> =
            (0..job.train.len()).map(|index| job.train.label(index) as u32).collect();
        let x = matrix(&job.train)?;
        let trees = (0..self.n_trees)
            .into_par_iter()
            .map(|tree| Ok(self.grow(&x, &labels, job, tree)?.1))
            .collect::<Result<Vec<Tree<u32>>, ModelError>>()?;
        let (shape, n_classes) = (job.train.shape.to_vec(), job.train.n_outputs);
        let n_nodes: usize = trees.iter().map(|tree| tree.answer.len()).sum();
        Ok(Fitted {
            model: Box::new(Grown { shape, n_classes, trees }),
            n_parameters: 0,
            kept_epoch: None,
            notes: vec![format!("{} trees with {n_nodes} nodes in total", self.n_trees)],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let n_classes = outputs.n;
        let path = folder.join(FILE);
        if outputs.task != Task::Classes {
            return load_means(&path, shape, outputs);
        }
        let grown: Grown = read_json(&path)?;
        let width = shape.iter().product();
        if grown.shape != shape
            || grown.n_classes != n_classes
            || !grown
                .trees
                .iter()
                .all(|tree| tree.is_sound(width, |class| (class as usize) < n_classes))
        {
            let said = format!("is not a forest of {n_classes} classes and shape {shape:?}");
            return Err(file_error(&path, said));
        }
        Ok(Box::new(grown))
    }
}

impl Forest {
    /// Grows trees of means, for tags or a number.
    fn fit_means(&self, job: &FitInput) -> Result<Fitted, ModelError> {
        job.train.check_for_fit()?;
        let (width, task) = (job.train.width(), job.train.outputs().task);
        let m = self.m.unwrap_or(match task {
            Task::Number => width,
            Task::Classes | Task::Tags => width.isqrt(),
        });
        let table = Table::new(&job.train);
        let trees: Vec<MeanTree> = (0..self.n_trees)
            .into_par_iter()
            .map(|tree| table.grow(self, m, job.seed.rng("forest", &[tree as u64])))
            .collect();
        let n_nodes: usize = trees.iter().map(MeanTree::n_nodes).sum();
        let (shape, n_outputs) = (job.train.shape.to_vec(), job.train.n_outputs);
        Ok(Fitted {
            model: Box::new(Means { task, shape, n_outputs, trees }),
            n_parameters: 0,
            kept_epoch: None,
            notes: vec![format!("{} trees with {n_nodes} nodes in total", self.n_trees)],
        })
    }
}

/// A fitted forest of tags or a number, as it is saved.
#[derive(Serialize, Deserialize)]
struct Means {
    task: Task,
    shape: Vec<usize>,
    n_outputs: usize,
    trees: Vec<MeanTree>,
}

fn load_means(
    path: &Path,
    shape: &[usize],
    outputs: Outputs,
) -> Result<Box<dyn FittedModel>, ModelError> {
    let saved: Means = read_json(path)?;
    let width = shape.iter().product();
    if saved.shape == shape
        && (Outputs { task: saved.task, n: saved.n_outputs }) == outputs
        && !saved.trees.is_empty()
        && saved.trees.iter().all(|tree| tree.is_sound(width, outputs.n))
    {
        return Ok(Box::new(saved));
    }
    Err(file_error(path, format!("is not a forest of {outputs} and shape {shape:?}")))
}

impl FittedModel for Means {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let mut predicted = Vec::with_capacity(examples.len() * self.n_outputs);
        let mut sums = vec![0.0_f64; self.n_outputs];
        for index in 0..examples.len() {
            let example = examples.example(index);
            sums.fill(0.0);
            for tree in &self.trees {
                let means = tree.means(example, self.n_outputs);
                sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += f64::from(*mean));
            }
            predicted.extend(sums.iter().map(|sum| (sum / self.trees.len() as f64) as f32));
        }
        Ok(predicted)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

type Single = RandomForestClassifier<f32, u32, DenseMatrix<f32>, Vec<u32>>;

impl Forest {
    /// Grows one smartcore tree and converts it to ours.
    fn grow(
        &self,
        x: &DenseMatrix<f32>,
        labels: &Vec<u32>,
        job: &FitInput,
        tree: usize,
    ) -> Result<(Single, Tree<u32>), ModelError> {
        let parameters = RandomForestClassifierParameters {
            max_depth: self.max_depth.map(|depth| depth as u16),
            min_samples_leaf: self.min_samples_leaf,
            n_trees: 1,
            m: self.m,
            seed: job.seed.rng("forest", &[tree as u64]).next_u64(),
            ..RandomForestClassifierParameters::default()
        };
        let single = Single::fit(x, labels, parameters)
            .map_err(|error| ModelError::Examples(error.to_string()))?;
        let tree = serde_json::to_value(&single)
            .and_then(serde_json::from_value::<Theirs>)
            .map_err(|error| ModelError::Examples(format!("a tree cannot be read: {error}")))?
            .into_tree();
        Ok((single, tree))
    }
}

fn matrix(examples: &Examples) -> Result<DenseMatrix<f32>, ModelError> {
    let values = (0..examples.len()).flat_map(|index| examples.example(index)).copied().collect();
    DenseMatrix::new(examples.len(), examples.width(), values, false)
        .map_err(|error| ModelError::Examples(error.to_string()))
}

/// The part of smartcore's serde form that is used here.
#[derive(Deserialize)]
struct Theirs {
    trees: Vec<TheirTree>,
}

#[derive(Deserialize)]
struct TheirTree {
    nodes: Vec<TheirNode>,
    classes: Vec<u32>,
}

#[derive(Deserialize)]
struct TheirNode {
    output: usize,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

impl Theirs {
    /// Returns the only tree of a forest of one.
    fn into_tree(self) -> Tree<u32> {
        let mut tree = Tree::default();
        for theirs in self.trees {
            for node in theirs.nodes {
                let children = node.true_child.zip(node.false_child);
                tree.column.push(node.split_feature as u32);
                tree.bound.push(node.split_value.unwrap_or(0.0));
                tree.children.push(children.map_or([0, 0], |(yes, no)| [yes as u32, no as u32]));
                tree.answer.push(theirs.classes[node.output]);
            }
        }
        tree
    }
}

/// The fitted forest, as it is saved.
#[derive(Serialize, Deserialize)]
struct Grown {
    shape: Vec<usize>,
    n_classes: usize,
    trees: Vec<Tree<u32>>,
}

impl FittedModel for Grown {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let n_trees = self.trees.len() as f32;
        let mut shares = vec![0.0; examples.len() * self.n_classes];
        for (index, row) in shares.chunks_exact_mut(self.n_classes).enumerate() {
            let example = examples.example(index);
            for tree in &self.trees {
                row[tree.answer(example) as usize] += 1.0;
            }
            for votes in row {
                *votes /= n_trees;
            }
        }
        Ok(shares)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::Silent;
    use crate::vocab::{Seed, Targets};

    const FOREST: Forest = Forest { n_trees: 30, max_depth: None, min_samples_leaf: 1, m: Some(1) };

    /// Two overlapping clouds in two columns, and a third column of noise.
    fn clouds() -> (Vec<f32>, Vec<usize>) {
        let mut rng = Seed(5).rng("test", &[]);
        let labels: Vec<usize> = (0..80).map(|i| i % 2).collect();
        let matrix = labels
            .iter()
            .flat_map(|label| [*label as f64 * 2.0, *label as f64 * -2.0, 0.0])
            .map(|centre| (centre + rng.normal()) as f32)
            .collect();
        (matrix, labels)
    }

    fn fit<'a>(job: &'a FitInput<'a>) -> Fitted {
        FOREST.fit(job, &mut Silent).unwrap()
    }

    #[test]
    fn votes_are_smartcores_own_and_say_how_sure_the_forest_is() {
        let (matrix, labels) = clouds();
        let rows: Vec<usize> = (0..80).collect();
        let examples = Examples {
            shape: &[3],
            matrix: &matrix,
            targets: &Targets::Classes(labels.clone()),
            rows: &rows,
            n_outputs: 3,
        };
        let (train, test) = (
            Examples { rows: &rows[..40], ..examples },
            Examples { rows: &rows[40..], ..examples },
        );
        let job = FitInput {
            train,
            valid: test,
            seed: Seed(1),
            device: crate::model::Device::Cpu,
            resume: None,
            fresh: None,
            until: None,
        };
        let train_labels: Vec<u32> = labels[..40].iter().map(|label| *label as u32).collect();
        let (x, x_test) = (super::matrix(&train).unwrap(), super::matrix(&test).unwrap());
        for number in 0..5 {
            let (theirs, ours) = FOREST.grow(&x, &train_labels, &job, number).unwrap();
            let votes: Vec<u32> =
                (0..test.len()).map(|index| ours.answer(test.example(index))).collect();
            assert_eq!(votes, theirs.predict(&x_test).unwrap());
            assert!(ours.is_sound(3, |class| class < 3));
        }
        let shares = fit(&job).model.predict(&test).unwrap();
        let n_right = shares
            .chunks(3)
            .enumerate()
            .filter(|(index, row)| (row[1] > row[0]) == (test.label(*index) == 1))
            .count();
        assert!(n_right >= 34, "{n_right} of 40");
        assert!(shares.iter().any(|share| *share > 0.0 && *share < 1.0));
        assert!(shares.chunks(3).all(|row| row[2] == 0.0), "class 2 was never seen");
    }

    #[test]
    fn the_same_seed_grows_the_same_forest_on_any_number_of_threads() {
        let (matrix, labels) = clouds();
        let rows: Vec<usize> = (0..80).collect();
        let examples = Examples {
            shape: &[3],
            matrix: &matrix,
            targets: &Targets::Classes(labels.clone()),
            rows: &rows,
            n_outputs: 2,
        };
        let grown = |seed, n_threads| {
            let job = FitInput {
                train: examples,
                valid: examples,
                seed: Seed(seed),
                device: crate::model::Device::Cpu,
                resume: None,
                fresh: None,
                until: None,
            };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let folder = tempfile::tempdir().unwrap();
            pool.install(|| fit(&job)).model.save(folder.path()).unwrap();
            std::fs::read(folder.path().join(FILE)).unwrap()
        };
        assert_eq!(grown(1, 1), grown(1, 2));
        assert_ne!(grown(1, 1), grown(2, 1));
    }
}
