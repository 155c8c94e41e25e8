//! `[model.forest]`: a random forest of smartcore's trees.
//!
//! smartcore's forest hands out its verdict only, not its trees' votes. So each tree is a forest of
//! one with a seed of its own, and a class's probability is its share of the votes.
//!
//! # Source
//! Breiman, "Random forests", Machine Learning 45, 2001.

use std::path::Path;

use rayon::prelude::*;
use smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::file::{check_width, read_json, write_json};
use super::{Classifier, Entry, Examples, Fitted, Job, Model, ModelError, Reader, Watch};
use crate::schema::{Fields, Int};

pub(super) const ENTRY: Entry = Entry {
    name: "forest",
    doc: "a random forest; every tree sees a bootstrap sample and some features at every node",
    read: Reader::AtOnce(|fields, _| Box::new(Forest::read(fields))),
};

const FILE: &str = "forest.json";

type Tree = RandomForestClassifier<f32, u32, DenseMatrix<f32>, Vec<u32>>;

struct Forest {
    n_trees: usize,
    max_depth: Option<usize>,
    min_samples_leaf: usize,
    max_features: Option<usize>,
}

struct Trees {
    trees: Vec<Tree>,
    width: usize,
    n_classes: usize,
}

impl Forest {
    fn read(fields: &mut Fields) -> Self {
        Self {
            n_trees: fields.or("n_trees", &Int::within(1..=10_000), 100),
            max_depth: fields.optional("max_depth", &Int::within(1..=65_535)),
            min_samples_leaf: fields.or("min_samples_leaf", &Int::within(1..=1_000_000), 1),
            // Left out: the square root of the number of features, rounded down.
            max_features: fields.optional("max_features", &Int::within(1..=1_000_000)),
        }
    }
}

impl Model for Forest {
    fn fit(&self, job: &Job, _watch: &mut dyn Watch) -> Result<Fitted, ModelError> {
        check(&job.train)?;
        let (x, y) = (matrix(&job.train)?, labels(&job.train));
        let rng = job.seed.rng("forest", &[]);
        let grow = |number: usize| {
            let parameters = RandomForestClassifierParameters {
                max_depth: self.max_depth.map(|depth| depth as u16),
                min_samples_leaf: self.min_samples_leaf,
                m: self.max_features,
                n_trees: 1,
                seed: rng.at(number as u64),
                ..RandomForestClassifierParameters::default()
            };
            Tree::fit(&x, &y, parameters).map_err(|error| ModelError::Examples(error.to_string()))
        };
        let trees: Result<Vec<Tree>, ModelError> =
            (0..self.n_trees).into_par_iter().map(grow).collect();
        let (width, n_classes) = (job.train.width(), job.train.n_classes);
        Ok(Fitted {
            classifier: Box::new(Trees { trees: trees?, width, n_classes }),
            n_parameters: 0,
            kept_epoch: None,
            notes: vec![format!("{} trees", self.n_trees)],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        n_classes: usize,
    ) -> Result<Box<dyn Classifier>, ModelError> {
        let (trees, width): (Vec<Tree>, usize) = read_json(folder, FILE)?;
        check_width(width, shape.iter().product())?;
        Ok(Box::new(Trees { trees, width, n_classes }))
    }
}

impl Classifier for Trees {
    fn predict_proba(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        check_width(self.width, examples.width())?;
        let mut votes = vec![0.0; examples.len() * self.n_classes];
        if examples.is_empty() {
            return Ok(votes);
        }
        let x = matrix(examples)?;
        let said = |tree: &Tree| tree.predict(&x).map_err(|e| ModelError::Examples(e.to_string()));
        let said: Result<Vec<Vec<u32>>, ModelError> = self.trees.par_iter().map(said).collect();
        for classes in said? {
            for (index, class) in classes.into_iter().enumerate() {
                votes[index * self.n_classes + class as usize] += 1.0;
            }
        }
        votes.iter_mut().for_each(|vote| *vote /= self.trees.len() as f32);
        Ok(votes)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(folder, FILE, &(&self.trees, self.width))
    }
}

/// smartcore takes what is no number without a word and refuses a single class: say it before.
fn check(train: &Examples) -> Result<(), ModelError> {
    if train.is_empty() {
        return Err(ModelError::Examples("there are no training examples".to_owned()));
    }
    let is_odd = |&index: &usize| train.example(index).iter().any(|x| !x.is_finite());
    if let Some(index) = (0..train.len()).find(is_odd) {
        let message = format!("training example {index} has a number that is not finite");
        return Err(ModelError::Examples(message));
    }
    if (1..train.len()).all(|index| train.label(index) == train.label(0)) {
        let message = "all training examples are of one class, a forest needs two".to_owned();
        return Err(ModelError::Examples(message));
    }
    Ok(())
}

fn matrix(examples: &Examples) -> Result<DenseMatrix<f32>, ModelError> {
    let width = examples.width();
    let numbers = (0..examples.len()).flat_map(|index| examples.example(index).iter().copied());
    DenseMatrix::new(examples.len(), width, numbers.collect(), false)
        .map_err(|error| ModelError::Examples(error.to_string()))
}

fn labels(examples: &Examples) -> Vec<u32> {
    (0..examples.len()).map(|index| examples.label(index) as u32).collect()
}
