//! `[model.svm]`: support vector machines, one for every pair of classes.
//!
//! ```toml
//! [model.svm]
//! kernel = "rbf"          # the default; or "linear"
//! c = 1.0                 # scikit-learn's C: a smaller one is a wider margin
//! gamma = 0.1             # 1 / (columns * variance of all numbers) if left out
//! standardize = true      # columns to mean 0 and deviation 1; false is the default
//! ```
//!
//! Names, meanings and defaults are those of scikit-learn's `SVC`; a test compares the decisions.
//! Each machine has one vote, and a class's share of the votes is reported as its probability. The
//! most likely class is the prediction. The share is not a calibrated probability.
//!
//! The solver is ours. smartcore 0.7.0's makes two passes without converging and evaluates its
//! kernel repeatedly for the same rows: on 2,000 rows of 12 columns and 6 classes it takes 75 times
//! as long as ours, and four times that with twice the rows. The time of our solver grows at the
//! same rate, but from a much lower level, so the number of rows is limited.

use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::Rows;
use super::files::{file_error, read_json, write_json};
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Next, Reader,
    TrainingObserver,
};
use crate::schema::{Fields, Flag, Int, OneOf, Real};
use crate::vocab::{Outputs, Task};
use kernel::{Gram, Kernel};

mod kernel;
mod smo;

const FILE: &str = "svm.json";
const ROWS: &str = "svm.safetensors";

/// Memory for rows of kernel matrices, for all machines that are fitted in parallel.
const CACHE_BYTES: usize = 512 << 20;

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "svm",
    doc: "Support vector machines with a linear or RBF kernel, one for every pair of classes, each \
          with one vote.",
    tasks: &[Task::Classes],
    read: Reader::AtOnce(read),
};

/// The kernel of a support vector machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SvmKernel {
    /// The inner product.
    Linear,
    /// `exp(-gamma |a - b|^2)`; without a gamma, scikit-learn's `scale`: `1 / (n_columns * variance)`.
    Rbf {
        /// Above 0.
        gamma: Option<f64>,
    },
}

/// The settings of support vector machines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Svm {
    /// The kernel.
    pub kernel: SvmKernel,
    /// The cost of an example on the wrong side, above 0.
    pub c: f64,
    /// The solver's tolerance, above 0.
    pub tolerance: f64,
    /// Whether columns are scaled to mean 0 and standard deviation 1 before the fit.
    pub standardize: bool,
    /// Maximum number of iterations of the solver for one pair of classes, at least 1.
    pub max_iterations: usize,
    /// Maximum number of training examples, since time grows with their square; a fit on more is an
    /// error.
    pub max_rows: usize,
}

impl Default for Svm {
    fn default() -> Self {
        Self {
            kernel: SvmKernel::Rbf { gamma: None },
            c: 1.0,
            tolerance: 1e-3,
            standardize: false,
            max_iterations: 10_000_000,
            max_rows: 50_000,
        }
    }
}

fn read(fields: &mut Fields, _: Option<&[usize]>) -> Box<dyn Model> {
    Box::new(Svm::read(fields))
}

impl Svm {
    fn read(fields: &mut Fields) -> Self {
        let is_linear =
            fields.with_default("kernel", &OneOf(&[("rbf", false), ("linear", true)]), false);
        let gamma = fields.optional("gamma", &Real::positive());
        if is_linear && gamma.is_some() {
            fields.fault_at("gamma", "has no effect with kernel = \"linear\"");
        }
        let kernel = if is_linear { SvmKernel::Linear } else { SvmKernel::Rbf { gamma } };
        Self {
            kernel,
            c: fields.with_default("c", &Real::positive(), 1.0),
            tolerance: fields.with_default("tolerance", &Real::positive(), 1e-3),
            standardize: fields.with_default("standardize", &Flag, false),
            max_iterations: fields.with_default(
                "max_iterations",
                &Int::within(1..=1 << 40),
                10_000_000,
            ),
            max_rows: fields.with_default("max_rows", &Int::within(1..=1_000_000_000), 50_000),
        }
    }

    fn kernel(&self, rows: &[f32], width: usize) -> Kernel {
        let SvmKernel::Rbf { gamma } = self.kernel else { return Kernel::Linear };
        let n = rows.len() as f64;
        let mean = rows.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let variance = rows.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
        let variance = if variance > 0.0 { variance } else { 1.0 };
        Kernel::Rbf { gamma: gamma.unwrap_or(1.0 / (width as f64 * variance)) }
    }

    /// Fits the machine of one pair of classes; also returns its optimality gap.
    fn pair(
        &self,
        job: &FitInput,
        rows: &Rows,
        kernel: Kernel,
        classes: [usize; 2],
    ) -> (Pair, f64) {
        let width = job.train.width();
        let members: Vec<usize> = (0..job.train.len())
            .filter(|index| classes.contains(&job.train.label(*index)))
            .collect();
        let own: Vec<f32> =
            members.iter().flat_map(|row| &rows.values[row * width..][..width]).copied().collect();
        let is_first: Vec<bool> =
            members.iter().map(|row| job.train.label(*row) == classes[0]).collect();
        let mut gram = Gram::new(&own, width, kernel, CACHE_BYTES / rayon::current_num_threads());
        let solved = smo::solve(&mut gram, &is_first, self.c, self.tolerance, self.max_iterations);
        let (support, coefficients) = members
            .into_iter()
            .zip(solved.coefficients)
            .filter(|(_, coefficient)| *coefficient != 0.0)
            .unzip();
        (Pair { classes, intercept: solved.intercept, support, coefficients }, solved.gap)
    }
}

impl Model for Svm {
    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        let classes = job.train.classes_for_fit()?;
        job.train.check_max_rows(self.max_rows, "the time grows with their square")?;
        let rows = Rows::new(&job.train, self.standardize);
        let kernel = self.kernel(&rows.values, job.train.width());
        let pairs: Vec<[usize; 2]> = classes
            .iter()
            .enumerate()
            .flat_map(|(place, a)| classes[place + 1..].iter().map(|b| [*a, *b]))
            .collect();
        let mut made = vec![];
        for some in pairs.chunks(rayon::current_num_threads()) {
            made.par_extend(some.par_iter().map(|pair| self.pair(job, &rows, kernel, *pair)));
            if watch.next() == Next::SaveAndStop {
                return Err(ModelError::Stopped { epoch: 0 });
            }
        }
        let (mut pairs, gaps): (Vec<Pair>, Vec<f64>) = made.into_iter().unzip();
        let vectors = keep_support(&mut pairs, rows, job.train.width());
        let mut notes = vec![format!(
            "{} of {} examples are support vectors of {} machines",
            vectors.values.len() / job.train.width(),
            job.train.len(),
            pairs.len()
        )];
        let widest = gaps.iter().fold(0.0, |max: f64, gap| max.max(*gap));
        if widest >= self.tolerance {
            notes.push(format!(
                "did NOT converge: optimality is broken by {widest:.1e}, above the tolerance {:.0e}, \
                 after {} iterations; standardize = true may help",
                self.tolerance, self.max_iterations
            ));
        }
        let about = About {
            shape: job.train.shape.to_vec(),
            n_classes: job.train.n_outputs,
            gamma: if let Kernel::Rbf { gamma } = kernel { Some(gamma) } else { None },
            pairs,
        };
        let n_parameters = about.pairs.iter().map(|pair| pair.support.len() + 1).sum();
        let model = Box::new(Machines { about, vectors });
        Ok(Fitted { model, n_parameters, kept_epoch: None, notes })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        if outputs.task != Task::Classes {
            return Err(file_error(&folder.join(FILE), "is a model of classes"));
        }
        let n_classes = outputs.n;
        let path = folder.join(FILE);
        let about: About = read_json(&path)?;
        if !about.is_sound(shape, n_classes) {
            let said =
                format!("does not contain machines for {n_classes} classes and shape {shape:?}");
            return Err(file_error(&path, said));
        }
        let last = about.pairs.iter().flat_map(|pair| &pair.support).max();
        let n = last.map_or(0, |last| last + 1);
        let width = shape.iter().product();
        let vectors = Rows::load(&folder.join(ROWS), n, width, self.standardize)?;
        Ok(Box::new(Machines { about, vectors }))
    }
}

/// Keeps only the support vectors and renumbers them.
fn keep_support(pairs: &mut [Pair], rows: Rows, width: usize) -> Rows {
    let mut kept: Vec<usize> = pairs.iter().flat_map(|pair| &pair.support).copied().collect();
    kept.sort_unstable();
    kept.dedup();
    for row in pairs.iter_mut().flat_map(|pair| &mut pair.support) {
        *row = kept.binary_search(row).expect("it is among all of them");
    }
    let values =
        kept.iter().flat_map(|row| &rows.values[row * width..][..width]).copied().collect();
    Rows::from_values(values, width, rows.scaler)
}

/// A machine: above 0, it votes for the first class.
#[derive(Debug, Serialize, Deserialize)]
struct Pair {
    classes: [usize; 2],
    intercept: f64,
    /// Indices of the support vectors, ascending.
    support: Vec<usize>,
    coefficients: Vec<f64>,
}

/// The part of the saved model that is not an array.
#[derive(Serialize, Deserialize)]
struct About {
    shape: Vec<usize>,
    n_classes: usize,
    /// Absent for the linear kernel.
    gamma: Option<f64>,
    pairs: Vec<Pair>,
}

impl About {
    fn is_sound(&self, shape: &[usize], n_classes: usize) -> bool {
        let is_sound = |pair: &Pair| {
            pair.support.len() == pair.coefficients.len()
                && pair.classes.iter().all(|class| *class < n_classes)
        };
        self.shape == shape
            && self.n_classes == n_classes
            && !self.pairs.is_empty()
            && self.pairs.iter().all(is_sound)
    }
}

/// The fitted machines.
struct Machines {
    about: About,
    vectors: Rows,
}

impl Machines {
    /// Returns the decision of every machine for an example.
    fn decisions(&self, query: &[f32]) -> Vec<f64> {
        let kernel = self.about.gamma.map_or(Kernel::Linear, |gamma| Kernel::Rbf { gamma });
        let mut alike = vec![];
        kernel.each(&self.vectors.columns, query, |_, x| alike.push(x));
        let decision = |pair: &Pair| {
            let terms = pair.support.iter().zip(&pair.coefficients);
            terms.map(|(row, coefficient)| coefficient * alike[*row]).sum::<f64>() + pair.intercept
        };
        self.about.pairs.iter().map(decision).collect()
    }
}

impl FittedModel for Machines {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.about.shape)?;
        let queries = self.vectors.queries(examples);
        let n_classes = self.about.n_classes;
        let mut shares = vec![0.0; examples.len() * n_classes];
        shares
            .par_chunks_exact_mut(n_classes)
            .zip(queries.par_chunks_exact(examples.width()))
            .for_each(|(shares, query)| {
                for (pair, decision) in self.about.pairs.iter().zip(self.decisions(query)) {
                    shares[pair.classes[usize::from(decision <= 0.0)]] += 1.0;
                }
                let n_votes = self.about.pairs.len() as f32;
                shares.iter_mut().for_each(|share| *share /= n_votes);
            });
        Ok(shares)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), &self.about)?;
        self.vectors.save(&folder.join(ROWS), self.about.shape.iter().product())
    }
}

#[cfg(test)]
mod tests;
