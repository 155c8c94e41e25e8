//! `[model.ensemble]`: several finished runs as one model.
//!
//! ```toml
//! [model.ensemble]
//! of = ["beyond/cnn-4-by-track", "beyond/stats-logistic"]    # experiments, or ids of single runs
//! by = "mean"             # the default; or "logistic", with:
//! c = 1.0                 # a smaller one pulls the weights more to those of the mean
//! ```
//!
//! The members are trained by runs of their own. `mean` takes the mean of their log-probabilities. `logistic`, a
//! stack, takes their sum with a weight for each member, fitted on the validation examples, which no member was
//! trained on (Wolpert, "Stacked generalization", Neural Networks 5, 1992). It has no weights by class: those learn
//! the few artists of a validation set by heart. This module knows what the members put out and does not know where
//! that comes from.

mod likelihood;
mod pool;

pub use pool::OpinionPool;

use std::path::Path;

use super::{Entry, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver};
use crate::schema::{Fields, List, OneOf, Real, Text};
use crate::vocab::{Outputs, Task};

/// The `c` of a stack, unless the spec says otherwise.
const DEFAULT_C: f64 = 1.0;

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "ensemble",
    doc: "Several finished runs of one split as one model: the mean of their log-probabilities, or with weights \
          that a logistic regression fits on the validation set.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(|fields, _| Box::new(Ensemble::read(fields))),
};

/// The settings of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// The members: names of experiments, or ids of runs; at least two.
    pub of: Vec<String>,
    /// How they become one.
    pub by: Combination,
}

/// How the members of an ensemble become one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Combination {
    /// The mean of log-probabilities; of tags, of log-odds; of numbers, of the numbers.
    Mean,
    /// The sum of log-probabilities, or log-odds of tags, with fitted weights.
    Logistic {
        /// A smaller one is a stronger penalty, which pulls the weights to those of the mean.
        c: f64,
    },
}

impl Ensemble {
    fn read(fields: &mut Fields) -> Self {
        let of = fields.required("of", &List::of_some(Text));
        if !fields.is_exploring() && fields.is_given("of") {
            if of.len() == 1 {
                fields.fault_at("of", "needs at least two members");
            }
            let twice = of.iter().enumerate().find(|(place, name)| of[..*place].contains(name));
            if let Some((_, name)) = twice {
                fields.fault_at("of", &format!("has `{name}` twice"));
            }
        }
        let is_stack =
            fields.with_default("by", &OneOf(&[("mean", false), ("logistic", true)]), false);
        let by = if is_stack {
            Combination::Logistic { c: fields.with_default("c", &Real::positive(), DEFAULT_C) }
        } else {
            if fields.optional("c", &Real::positive()).is_some() && !fields.is_exploring() {
                fields.fault_at("c", "has no effect without by = \"logistic\"");
            }
            Combination::Mean
        };
        Self { of, by }
    }
}

impl Model for Ensemble {
    /// The members come from the records, which only a run has.
    fn fit(&self, _: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        Err(no_members())
    }

    fn load(&self, _: &Path, _: &[usize], _: Outputs) -> Result<Box<dyn FittedModel>, ModelError> {
        Err(no_members())
    }

    fn ensemble(&self) -> Option<&Ensemble> {
        Some(self)
    }
}

fn no_members() -> ModelError {
    let said = "an ensemble is made of finished runs and can't be fitted otherwise";
    ModelError::Examples(said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn ensemble(text: &str) -> Result<Ensemble, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, Ensemble::read).map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn settings_are_read_and_faults_said() {
        let of = vec!["a".to_owned(), "b/c".to_owned()];
        let made = |by| Ok(Ensemble { of: of.clone(), by });
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]"), made(Combination::Mean));
        let logistic = |c| made(Combination::Logistic { c });
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]\nby = \"logistic\""), logistic(DEFAULT_C));
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]\nby = \"logistic\"\nc = 2"), logistic(2.0));
        let said = ensemble("of = [\"a\"]\nc = 1.0").unwrap_err();
        assert_eq!(
            said,
            "x.toml:1: of needs at least two members\n\
             x.toml:2: c has no effect without by = \"logistic\""
        );
        let said = ensemble("of = [\"a\", \"b\", \"a\"]\nby = \"vote\"").unwrap_err();
        assert_eq!(
            said,
            "x.toml:1: of has `a` twice\n\
             x.toml:2: by must be `mean` or `logistic`, found the text \"vote\""
        );
    }
}
