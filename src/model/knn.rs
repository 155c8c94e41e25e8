//! `[model.knn]`: the k nearest neighbors.
//!
//! ```toml
//! [model.knn]
//! n_neighbors = 15
//! weights = "distance"    # "uniform" is the default: every neighbor counts the same
//! metric = "manhattan"    # "euclidean" is the default
//! standardize = true      # columns to mean 0 and deviation 1; false is the default
//! ```
//!
//! Names, meanings and defaults are those of scikit-learn's `KNeighborsClassifier` and
//! `KNeighborsRegressor`. A probability, of a class or a tag, is a share of the neighbors' weights, and a
//! number is their weighted mean. Among equally distant rows, the first one in the training
//! set counts as the nearest.
//!
//! Every row is compared with every other. This is exact, its sums are always in the same order,
//! and on 24,805 rows of 12 columns and one thread it predicts ten times as many examples per
//! second as smartcore 0.7.0's cover tree. The time grows with the square of the number of rows, so
//! the number is limited.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{Metric, Rows};
use super::files::{file_error, read_json, write_json};
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver,
};
use crate::schema::{Fields, Flag, Int, OneOf};
use crate::vocab::{Outputs, Task};

const FILE: &str = "knn.json";
const ROWS: &str = "knn.safetensors";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "knn",
    doc: "The k nearest neighbors by exact search: each votes for its class, tags or number, evenly \
          or by the inverse of its distance.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(read),
};

/// The weight of a neighbor's vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeighborWeights {
    /// All neighbors count the same.
    Uniform,
    /// The inverse of the distance; if some neighbors are at distance 0, only those count.
    Distance,
}

/// The settings of a k-nearest-neighbors model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knn {
    /// Number of neighbors that vote, at least 1.
    pub n_neighbors: usize,
    /// The weight of a vote.
    pub weights: NeighborWeights,
    /// The distance between two examples.
    pub metric: Metric,
    /// Whether columns are scaled to mean 0 and standard deviation 1 before distances are computed.
    pub standardize: bool,
    /// Maximum number of training examples, since time grows with their square; a fit on more is an
    /// error.
    pub max_rows: usize,
}

impl Default for Knn {
    fn default() -> Self {
        Self {
            n_neighbors: 5,
            weights: NeighborWeights::Uniform,
            metric: Metric::SquaredEuclidean,
            standardize: false,
            max_rows: 100_000,
        }
    }
}

fn read(fields: &mut Fields, _: Option<&[usize]>) -> Box<dyn Model> {
    let weights =
        OneOf(&[("uniform", NeighborWeights::Uniform), ("distance", NeighborWeights::Distance)]);
    let metric =
        OneOf(&[("euclidean", Metric::SquaredEuclidean), ("manhattan", Metric::Manhattan)]);
    Box::new(Knn {
        n_neighbors: fields.with_default("n_neighbors", &Int::within(1..=1_000_000), 5),
        weights: fields.with_default("weights", &weights, NeighborWeights::Uniform),
        metric: fields.with_default("metric", &metric, Metric::SquaredEuclidean),
        standardize: fields.with_default("standardize", &Flag, false),
        max_rows: fields.with_default("max_rows", &Int::within(1..=1_000_000_000), 100_000),
    })
}

impl Model for Knn {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        let task = job.train.outputs().task;
        if task == Task::Classes {
            job.train.classes_for_fit()?;
        }
        job.train.check_for_fit()?;
        let n = job.train.len();
        if self.n_neighbors > n {
            let said = format!(
                "n_neighbors must be at most the {n} training examples, found {}",
                self.n_neighbors
            );
            return Err(ModelError::Examples(said));
        }
        job.train.check_max_rows(self.max_rows, "every example is compared with all of them")?;
        let rows = Rows::new(&job.train, self.standardize);
        let about = About {
            shape: job.train.shape.to_vec(),
            n_classes: job.train.n_outputs,
            task,
            labels: match task {
                Task::Classes => (0..n).map(|index| job.train.label(index)).collect(),
                Task::Tags | Task::Number => vec![],
            },
            values: match task {
                Task::Classes => vec![],
                Task::Tags | Task::Number => job.train.values(),
            },
        };
        Ok(Fitted {
            model: Box::new(Remembered { model: *self, about, rows }),
            n_parameters: 0,
            kept_epoch: None,
            notes: vec![],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let path = folder.join(FILE);
        let about: About = read_json(&path)?;
        if about.shape != shape
            || (Outputs { task: about.task, n: about.n_classes }) != outputs
            || about.n_rows() < self.n_neighbors
            || about.labels.iter().any(|label| *label >= outputs.n)
            || !about.values.len().is_multiple_of(outputs.n)
        {
            let said = format!(
                "does not contain {} or more rows of {outputs} and shape {shape:?}",
                self.n_neighbors
            );
            return Err(file_error(&path, said));
        }
        let width: usize = shape.iter().product();
        let rows = Rows::load(&folder.join(ROWS), about.n_rows(), width, self.standardize)?;
        Ok(Box::new(Remembered { model: *self, about, rows }))
    }
}

/// The part of the saved model that is not an array.
#[derive(Serialize, Deserialize)]
struct About {
    shape: Vec<usize>,
    /// The number of classes or tags; 1 for a number.
    n_classes: usize,
    #[serde(default, skip_serializing_if = "Task::is_classes")]
    task: Task,
    /// The class of every row; empty if there are no classes.
    labels: Vec<usize>,
    /// The tags, 0 or 1, or the number of every row, `[n][n_outputs]`; empty if there are classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<f32>,
}

impl About {
    fn n_rows(&self) -> usize {
        match self.task {
            Task::Classes => self.labels.len(),
            Task::Tags | Task::Number => self.values.len() / self.n_classes.max(1),
        }
    }
}

/// The training examples.
struct Remembered {
    model: Knn,
    about: About,
    rows: Rows,
}

impl Remembered {
    /// Returns the nearest rows and their distances, the nearest first.
    fn neighbors(&self, query: &[f32]) -> Vec<(f64, usize)> {
        let Knn { n_neighbors, metric, .. } = self.model;
        let mut nearest: Vec<(f64, usize)> = Vec::with_capacity(n_neighbors + 1);
        self.rows.columns.each(query, metric, |row, distance| {
            if nearest.len() == n_neighbors {
                if distance >= nearest[n_neighbors - 1].0 {
                    return;
                }
                nearest.pop();
            }
            let place = nearest.partition_point(|(known, _)| *known <= distance);
            nearest.insert(place, (distance, row));
        });
        if metric == Metric::SquaredEuclidean {
            nearest.iter_mut().for_each(|(distance, _)| *distance = distance.sqrt());
        }
        nearest
    }

    /// Computes the share of each class in the neighbors' weights, or the weighted mean of their tags or
    /// numbers.
    fn vote(&self, neighbors: &[(f64, usize)], shares: &mut [f32]) {
        let is_met = neighbors[0].0 == 0.0;
        let weight = |distance: f64| match self.model.weights {
            NeighborWeights::Distance if is_met => f64::from(u8::from(distance == 0.0)),
            NeighborWeights::Distance => 1.0 / distance,
            NeighborWeights::Uniform => 1.0,
        };
        let About { n_classes, task, labels, values, .. } = &self.about;
        let mut votes = vec![0.0; *n_classes];
        let mut sum = 0.0;
        for (distance, row) in neighbors {
            let weight = weight(*distance);
            sum += weight;
            match task {
                Task::Classes => votes[labels[*row]] += weight,
                Task::Tags | Task::Number => {
                    let values = &values[row * n_classes..][..*n_classes];
                    let pairs = votes.iter_mut().zip(values);
                    pairs.for_each(|(vote, value)| *vote += weight * f64::from(*value));
                }
            }
        }
        if *task == Task::Classes {
            sum = votes.iter().sum();
        }
        shares.iter_mut().zip(votes).for_each(|(share, votes)| *share = (votes / sum) as f32);
    }
}

impl FittedModel for Remembered {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.about.shape)?;
        let queries = self.rows.queries(examples);
        let mut shares = vec![0.0; examples.len() * self.about.n_classes];
        shares
            .par_chunks_exact_mut(self.about.n_classes)
            .zip(queries.par_chunks_exact(examples.width()))
            .for_each(|(shares, query)| self.vote(&self.neighbors(query), shares));
        Ok(shares)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), &self.about)?;
        self.rows.save(&folder.join(ROWS), self.about.shape.iter().product())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::model::tests::{Silent, job};
    use crate::vocab::Targets;

    const KNN: Knn = Knn {
        n_neighbors: 3,
        weights: NeighborWeights::Uniform,
        metric: Metric::SquaredEuclidean,
        standardize: false,
        max_rows: 100,
    };

    /// Points on a line: 0, 1 of class 0; 3, 7 of class 1; 7 again of class 2.
    fn line() -> Examples<'static> {
        static TARGETS: LazyLock<Targets> = LazyLock::new(|| Targets::Classes(vec![0, 0, 1, 1, 2]));
        Examples {
            shape: &[1],
            matrix: &[0.0, 1.0, 3.0, 7.0, 7.0],
            targets: &TARGETS,
            rows: &[0, 1, 2, 3, 4],
            n_outputs: 4,
        }
    }

    fn shares(knn: Knn, at: f32) -> Vec<f32> {
        let fitted = knn.fit(&job(line()), &mut Silent).unwrap();
        let query =
            Examples { matrix: &[at], targets: &Targets::Classes(vec![0]), rows: &[0], ..line() };
        fitted.model.predict(&query).unwrap()
    }

    #[test]
    fn shares_are_those_of_the_weights() {
        // The rows nearest to 2 are at distances 2, 1, 1.
        assert_eq!(shares(KNN, 2.0), [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0]);
        let weighed = Knn { weights: NeighborWeights::Distance, ..KNN };
        assert_eq!(shares(weighed, 2.0), [0.6, 0.4, 0.0, 0.0]);
        // Two rows lie exactly at 7, so only they count.
        assert_eq!(shares(weighed, 7.0), [0.0, 0.5, 0.5, 0.0]);
        // Of two rows at the same place, the first one counts as the nearer.
        assert_eq!(shares(Knn { n_neighbors: 1, ..KNN }, 7.0), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn columns_count_alike_once_they_are_standardized() {
        // The first column separates the classes. The second is noise, and a thousand times larger.
        let examples = Examples {
            shape: &[2],
            matrix: &[0.001, 5.0, 0.002, -5.0, 0.011, 4.0, 0.012, -4.0],
            targets: &Targets::Classes(vec![0, 0, 1, 1]),
            rows: &[0, 1, 2, 3],
            n_outputs: 2,
        };
        let query = Examples {
            matrix: &[0.002, 4.0],
            targets: &Targets::Classes(vec![0]),
            rows: &[0],
            ..examples
        };
        for (standardize, wanted) in [(false, [0.0, 1.0]), (true, [1.0, 0.0])] {
            let knn = Knn { n_neighbors: 1, standardize, ..KNN };
            let fitted = knn.fit(&job(examples), &mut Silent).unwrap();
            assert_eq!(fitted.model.predict(&query).unwrap(), wanted);
        }
    }

    #[test]
    fn too_many_neighbors_and_too_many_rows_are_refused() {
        let said =
            |knn: Knn| knn.fit(&job(line()), &mut Silent).map(|_| ()).unwrap_err().to_string();
        assert_eq!(
            said(Knn { n_neighbors: 6, ..KNN }),
            "n_neighbors must be at most the 5 training examples, found 6"
        );
        assert_eq!(
            said(Knn { max_rows: 4, ..KNN }),
            "5 training examples exceed max_rows (4): every example is compared with \
             all of them\nhint: raise max_rows if you accept the time"
        );
    }
}
