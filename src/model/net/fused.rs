//! Computes a net with the fused kernels of the room `kernels`.
//!
//! They know what the report's nets are made of. Whatever else a net or an optimizer asks for is
//! left to [`BurnEngine`](super::burn::BurnEngine), which computes the same by burn's operations.

use super::engine::{Batch, Engine, State, StepKey};
use super::layer::{BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, Kind, Net};
use super::loss::Tally;
use super::weights::Weights;
use crate::kernels::dropout::Rate;
use crate::kernels::loss::Targets;
use crate::kernels::net::{
    Batch as KernelBatch, BatchNorm, ConvBlock, DenseLayer, Layer, Net as KernelNet, Plan, Pool,
};
use crate::kernels::optimizer::Optimizer;
use crate::kernels::product::Activation;

/// An [`Engine`] on our own kernels.
pub(super) struct FusedEngine {
    net: Net,
    kernels: KernelNet,
    optimizer: Optimizer,
}

impl FusedEngine {
    /// An engine at the start of a training; nothing where the kernels do not know what is asked for.
    pub(super) fn new(
        net: &Net,
        weights: &Weights,
        optimizer: Optimizer,
        clip_norm: Option<f64>,
        max_batch: usize,
    ) -> Option<Self> {
        let plan = Plan::new(&layers(net)?, net.layers.first()?.input, max_batch).ok()?;
        // The kernels' own start is not used: weights are ours.
        let mut kernels = KernelNet::new(plan, optimizer, 0);
        kernels.set_clip_norm(clip_norm);
        let mut engine = Self { net: net.clone(), kernels, optimizer };
        engine.put(weights)?;
        Some(engine)
    }

    /// An engine that only predicts.
    pub(super) fn for_prediction(net: &Net, weights: &Weights) -> Option<Self> {
        Self::new(net, weights, Optimizer::rms_prop(0.001), None, super::fit::CHUNK)
    }

    /// Copies weights in; nothing where the kernels name their arrays otherwise.
    fn put(&mut self, weights: &Weights) -> Option<()> {
        for (parameter, values) in self.net.parameters.iter().zip(&weights.0) {
            let held = self.kernels.parameter_mut(&parameter.name)?;
            (held.len() == values.len()).then(|| held.copy_from_slice(values))?;
        }
        Some(())
    }

    fn of_each(&self, values: impl Fn(&str) -> Vec<f32>) -> Weights {
        Weights(self.net.parameters.iter().map(|parameter| values(&parameter.name)).collect())
    }
}

impl Engine for FusedEngine {
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally {
        self.kernels.set_optimizer(self.optimizer.with_learning_rate(learning_rate));
        let rows: Vec<usize> = (0..batch.labels.len()).collect();
        let inputs = KernelBatch { features: &batch.inputs, rows: &rows, reversed: &[] };
        let targets = Targets { labels: &batch.labels, rows: &batch.targets };
        let key = key.seed.rng("dropout", &[key.epoch as u64, key.step as u64]).at(0);
        let score = self.kernels.train_step(&inputs, &targets, key);
        Tally { loss: score.loss * rows.len() as f64, n_right: score.n_right }
    }

    fn logits(&mut self, inputs: Vec<f32>) -> Vec<f32> {
        let rows: Vec<usize> = (0..inputs.len() / self.net.width()).collect();
        let mut logits = vec![0.0; rows.len() * self.net.n_classes()];
        let batch = KernelBatch { features: &inputs, rows: &rows, reversed: &[] };
        self.kernels.predict_logits(&batch, &mut logits);
        logits
    }

    fn penalty(&self) -> f64 {
        let squares = |name: &str| -> f64 {
            let values = self.kernels.parameter(name).unwrap_or(&[]);
            values.iter().map(|w| f64::from(*w).powi(2)).sum()
        };
        let penalised = self.net.parameters.iter().filter(|parameter| parameter.l2 > 0.0);
        penalised.map(|parameter| parameter.l2 * squares(&parameter.name)).sum()
    }

    fn weights(&self) -> Weights {
        self.of_each(|name| self.kernels.parameter(name).unwrap_or(&[]).to_vec())
    }

    fn set_weights(&mut self, weights: &Weights) {
        self.put(weights).expect("the weights come from the same net");
    }

    fn state(&self) -> State {
        let moment = |which: usize| {
            self.of_each(|name| self.kernels.moments(name).map_or(vec![], |m| m[which].to_vec()))
        };
        let moments = [moment(0), moment(1)];
        State { weights: self.weights(), moments, n_steps: self.kernels.n_steps() }
    }

    fn set_state(&mut self, state: &State) {
        self.set_weights(&state.weights);
        for (index, parameter) in self.net.parameters.iter().enumerate() {
            let held = self.kernels.moments_mut(&parameter.name);
            for (held, moment) in held.into_iter().flatten().zip(&state.moments) {
                held.copy_from_slice(&moment.0[index]);
            }
        }
        self.kernels.set_n_steps(state.n_steps);
    }
}

/// The kernels' layers for a net, where they have them.
fn layers(net: &Net) -> Option<Vec<Layer>> {
    let mut kinds = net.layers.iter().map(|layer| &layer.kind).peekable();
    let mut layers = vec![];
    while let Some(kind) = kinds.next() {
        match kind {
            Kind::Conv { filters, kernel } => {
                kinds.next_if(|kind| **kind == Kind::Relu)?;
                let batch_norm = kinds.next_if(|kind| **kind == Kind::BatchNorm).map(|_| {
                    let (epsilon, momentum) = (BATCH_NORM_EPSILON as f32, BATCH_NORM_MOMENTUM);
                    BatchNorm { epsilon, momentum }
                });
                let pool = match kinds.next_if(|kind| matches!(kind, Kind::MaxPool { .. })) {
                    Some(Kind::MaxPool { size, stride }) => {
                        Some(Pool { size: *size, stride: *stride })
                    }
                    _ => None,
                };
                let dropout = dropout(&mut kinds)?;
                let (filters, kernel) = (*filters, *kernel);
                layers.push(Layer::Conv(ConvBlock { filters, kernel, batch_norm, pool, dropout }));
            }
            Kind::Flatten => {}
            Kind::Dense { units, l2 } => {
                let relu = kinds.next_if(|kind| **kind == Kind::Relu);
                let activation = if relu.is_some() { Activation::Relu } else { Activation::Linear };
                let dropout = dropout(&mut kinds)?;
                let (units, l2) = (*units, *l2 as f32);
                layers.push(Layer::Dense(DenseLayer { units, activation, l2, dropout }));
            }
            Kind::Relu | Kind::BatchNorm | Kind::MaxPool { .. } | Kind::Dropout { .. } => {
                return None;
            }
        }
    }
    Some(layers)
}

fn dropout<'a>(kinds: &mut std::iter::Peekable<impl Iterator<Item = &'a Kind>>) -> Option<Rate> {
    match kinds.next_if(|kind| matches!(kind, Kind::Dropout { .. })) {
        Some(Kind::Dropout { rate }) => Rate::new(*rate as f32),
        _ => Some(Rate::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Device;
    use super::super::burn::BurnEngine;
    use super::super::cnn::tests::{CNN_2, net};
    use super::*;
    use crate::vocab::Seed;

    const ADAM: Optimizer = Optimizer::adam(1e-3);

    fn batch(n: usize, width: usize, step: u64) -> Batch {
        let mut rng = Seed(7).rng("test", &[step]);
        let inputs = (0..n * width).map(|_| rng.normal() as f32).collect();
        Batch { inputs, labels: (0..n).map(|i| i % 10).collect(), targets: vec![] }
    }

    #[test]
    fn three_steps_and_the_logits_after_them_equal_burns() {
        // Dropout is drawn differently by the two engines: compare without it.
        let text = CNN_2.replace(", dropout = 0.2", "").replace(", dropout = 0.1", "");
        let net = net(&text.replace(", dropout = 0.5", ""), &[40, 13], 10);
        let clipped = Some(0.5);
        for (optimizer, clip) in [
            (ADAM, None),
            (ADAM, clipped),
            (
                Optimizer::Sgd {
                    learning_rate: 1e-2,
                    momentum: 0.9,
                    nesterov: true,
                    weight_decay: 0.01,
                },
                clipped,
            ),
            (
                Optimizer::RmsProp { learning_rate: 1e-3, rho: 0.9, momentum: 0.5, epsilon: 1e-7 },
                None,
            ),
        ] {
            let weights = Weights::start(&net, Seed(3));
            let mut ours = FusedEngine::new(&net, &weights, optimizer, clip, 64).unwrap();
            let mut burns = BurnEngine::new(net.clone(), weights, optimizer, clip, Device::Cpu);
            for step in 0..3 {
                let key = StepKey { seed: Seed(1), epoch: 1, step };
                let mut given = batch(9, net.width(), step as u64);
                if step == 2 {
                    given.targets = (0..90).map(|i| [0.1, 0.0, 0.4][i % 3]).collect();
                }
                let (a, b) = (ours.step(&given, key, 1e-3), burns.step(&given, key, 1e-3));
                let said = format!("{optimizer:?}, clip {clip:?}, step {step}: {a:?} {b:?}");
                assert!((a.loss - b.loss).abs() < 2e-3 * b.loss, "{said}");
            }
            let inputs = batch(5, net.width(), 9).inputs;
            let (a, b) = (ours.logits(inputs.clone()), burns.logits(inputs));
            let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 2e-2, "{optimizer:?}, clip {clip:?}: {largest}");
        }
    }

    #[test]
    fn both_engines_go_on_from_a_state_as_if_nothing_had_been() {
        let net = net(CNN_2, &[40, 13], 10);
        let weights = Weights::start(&net, Seed(3));
        let fused = || -> Box<dyn Engine> {
            Box::new(FusedEngine::new(&net, &weights, ADAM, None, 64).unwrap())
        };
        let burns = || -> Box<dyn Engine> {
            Box::new(BurnEngine::new(net.clone(), weights.clone(), ADAM, None, Device::Cpu))
        };
        let makers: [&dyn Fn() -> Box<dyn Engine>; 2] = [&fused, &burns];
        for make in makers {
            let step = |engine: &mut dyn Engine, step: usize| {
                let key = StepKey { seed: Seed(1), epoch: 1, step };
                engine.step(&batch(9, net.width(), step as u64), key, 1e-3)
            };
            let mut through = make();
            step(through.as_mut(), 0);
            let half_way = through.state();
            let wanted = step(through.as_mut(), 1);
            let mut resumed = make();
            resumed.set_state(&half_way);
            assert_eq!(step(resumed.as_mut(), 1), wanted);
            assert_eq!(resumed.state(), through.state());
            assert_ne!(resumed.state().moments, half_way.moments);
        }
    }

    #[test]
    fn what_the_kernels_do_not_know_is_left_to_burn() {
        let alone = Net::new([1, 1, 4], &[Kind::Relu, Kind::Dense { units: 2, l2: 0.0 }]).unwrap();
        let weights = Weights::start(&alone, Seed(3));
        assert!(FusedEngine::new(&alone, &weights, ADAM, None, 64).is_none());
        let net = net(CNN_2, &[40, 13], 10);
        let weights = Weights::start(&net, Seed(3));
        assert!(FusedEngine::new(&net, &weights, ADAM, None, 64).is_some());
    }
}
