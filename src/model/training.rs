//! `[training]`: how a net is trained - optimizer, batches, epochs, early stopping, augmentation.

use crate::schema::{Fields, Flag, Int, List, OneOf, Real};

/// A checked `[training]` table.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// How the weights move.
    pub optimizer: Optimizer,
    /// Examples a step, at least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Passes over the training examples, at least 1.
    pub epochs: usize,
    /// When to end before that.
    pub early_stopping: Option<EarlyStopping>,
    /// What is done to training examples, drawn anew every epoch.
    pub augment: Vec<Augment>,
}

/// A rule that turns gradients into steps, with Keras's defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Running mean and running mean square of the gradient, both corrected for their start at 0.
    Adam {
        /// Size of a step, `(0, inf)`.
        learning_rate: f64,
        /// Decay of the mean, `[0, 1)`.
        beta_1: f64,
        /// Decay of the mean square, `[0, 1)`.
        beta_2: f64,
        /// Added to the root of the mean square, `(0, inf)`.
        epsilon: f64,
    },
    /// Running mean square of the gradient, not centred.
    RmsProp {
        /// Size of a step, `(0, inf)`.
        learning_rate: f64,
        /// Decay of the mean square, `[0, 1)`.
        rho: f64,
        /// Fraction of the last step that is taken again, `[0, 1)`.
        momentum: f64,
        /// Added to the mean square under the root, `(0, inf)`.
        epsilon: f64,
    },
}

/// Ends a training whose valid loss no longer falls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    /// Epochs in a row without a better valid loss before the end, at least 1.
    pub patience: usize,
    /// A loss counts as better where it is below the best by more than this, `[0, inf)`.
    pub min_delta: f64,
    /// Whether the weights of the best epoch are kept, or those of the last.
    pub restore_best: bool,
}

/// A random change to training examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Augment {
    /// With probability 0.5 an example is reversed along its first axis (time).
    TimeReversal,
}

impl Training {
    /// Reads the table; `shape` is that of one example, where it is known.
    ///
    /// What is missing, out of range or impossible for the shape becomes a fault.
    pub fn read(fields: &mut Fields, shape: Option<&[usize]>) -> Self {
        let optimizer = fields.choice("optimizer", &["adam", "rmsprop"], Optimizer::read);
        let batch_size = fields.required("batch_size", &Int::within(1..=65_536));
        let epochs = fields.required("epochs", &Int::within(1..=1_000_000));
        let early_stopping = fields.table("early_stopping", EarlyStopping::read);
        let known = OneOf(&[("time_reversal", Augment::TimeReversal)]);
        let augment = fields.or("augment", &List::of(known), vec![]);
        if let Some(shape) = shape
            && shape.len() < 2
            && augment.contains(&Augment::TimeReversal)
        {
            let said = format!(
                "can't hold `time_reversal`: an example has the shape {shape:?}, no axis of time"
            );
            fields.fault_at("augment", &said);
        }
        let stand_in =
            Optimizer::RmsProp { learning_rate: 0.001, rho: 0.9, momentum: 0.0, epsilon: 1e-7 };
        Self {
            optimizer: optimizer.unwrap_or(stand_in),
            batch_size,
            epochs,
            early_stopping,
            augment,
        }
    }
}

impl Optimizer {
    fn read(name: &str, fields: &mut Fields) -> Self {
        let decay = Real::from_to_below(0.0, 1.0);
        let positive = Real::positive();
        match name {
            "adam" => Self::Adam {
                learning_rate: fields.required("learning_rate", &positive),
                beta_1: fields.or("beta_1", &decay, 0.9),
                beta_2: fields.or("beta_2", &decay, 0.999),
                epsilon: fields.or("epsilon", &positive, 1e-7),
            },
            _ => Self::RmsProp {
                learning_rate: fields.or("learning_rate", &positive, 0.001),
                rho: fields.or("rho", &decay, 0.9),
                momentum: fields.or("momentum", &decay, 0.0),
                epsilon: fields.or("epsilon", &positive, 1e-7),
            },
        }
    }
}

impl EarlyStopping {
    fn read(fields: &mut Fields) -> Self {
        Self {
            patience: fields.required("patience", &Int::within(1..=1_000_000)),
            min_delta: fields.or("min_delta", &Real::not_negative(), 0.0),
            restore_best: fields.or("restore_best", &Flag, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn training(text: &str, shape: &[usize]) -> Result<Training, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, |fields| Training::read(fields, Some(shape)))
            .map(|(made, _)| made)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn defaults_are_kerass() {
        let text = "optimizer.adam = { learning_rate = 1e-4 }\nbatch_size = 32\nepochs = 400\n\
                    early_stopping = { patience = 15 }\naugment = [\"time_reversal\"]";
        assert_eq!(
            training(text, &[130, 13]),
            Ok(Training {
                optimizer: Optimizer::Adam {
                    learning_rate: 1e-4,
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7
                },
                batch_size: 32,
                epochs: 400,
                early_stopping: Some(EarlyStopping {
                    patience: 15,
                    min_delta: 0.0,
                    restore_best: true
                }),
                augment: vec![Augment::TimeReversal],
            })
        );
        let rmsprop = training("optimizer.rmsprop = {}\nbatch_size = 64\nepochs = 1", &[21]);
        assert_eq!(
            rmsprop.unwrap().optimizer,
            Optimizer::RmsProp { learning_rate: 0.001, rho: 0.9, momentum: 0.0, epsilon: 1e-7 }
        );
    }

    #[test]
    fn faults_say_what_is_allowed() {
        let text = "optimizer.adam = { learning_rate = 0, beta_1 = 1 }\nbatch_size = 0\n\
                    augment = [\"time_reversal\"]";
        assert_eq!(
            training(text, &[21]).unwrap_err(),
            "x.toml:1: optimizer.adam.learning_rate must be a number in (0, inf), got 0\n\
             x.toml:1: optimizer.adam.beta_1 must be a number in [0, 1), got 1\n\
             x.toml:1: epochs is missing, it must be an integer in [1, 1000000]\n\
             x.toml:2: batch_size must be an integer in [1, 65536], got 0\n\
             x.toml:3: augment can't hold `time_reversal`: an example has the shape [21], \
             no axis of time"
        );
    }
}
