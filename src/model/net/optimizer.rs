//! Turns gradients into steps: Adam and RMSprop, in Keras's formulas.

use super::super::training::Optimizer;

/// An optimizer with what it remembers of past gradients.
#[derive(Debug, Clone)]
pub(super) struct Stepper {
    rule: Optimizer,
    /// Steps taken so far.
    n_steps: u64,
    /// Running means of each array: of the gradient (Adam) or of the steps (RMSprop's momentum).
    first: Vec<Vec<f32>>,
    /// Running mean squares of the gradient of each array.
    second: Vec<Vec<f32>>,
}

impl Stepper {
    /// For arrays of some lengths; all memory begins at 0.
    pub(super) fn new(rule: Optimizer, lengths: &[usize]) -> Self {
        let zeros = || lengths.iter().map(|n| vec![0.0; *n]).collect::<Vec<_>>();
        let needs_first = !matches!(rule, Optimizer::RmsProp { momentum: 0.0, .. });
        let first = if needs_first { zeros() } else { vec![vec![]; lengths.len()] };
        Self { rule, n_steps: 0, first, second: zeros() }
    }

    /// Begins a step; every array is moved once by [`Stepper::apply`] after it.
    pub(super) fn next_step(&mut self) {
        self.n_steps += 1;
    }

    /// Moves the `index`-th array against its gradient.
    ///
    /// # Source
    /// Keras 3, `optimizers/adam.py` (Kingma and Ba, 2015, in the form before section 2.1: both
    /// corrections in the step's size, epsilon beside the uncorrected root) and
    /// `optimizers/rmsprop.py` (epsilon under the root).
    pub(super) fn apply(&mut self, index: usize, weights: &mut [f32], gradient: &[f32]) {
        let second = &mut self.second[index];
        let first = &mut self.first[index];
        match self.rule {
            Optimizer::Adam { learning_rate, beta_1, beta_2, epsilon } => {
                let t = self.n_steps as f64;
                let corrected = (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
                let alpha = (learning_rate * corrected) as f32;
                let (rest_1, rest_2) = ((1.0 - beta_1) as f32, (1.0 - beta_2) as f32);
                let epsilon = epsilon as f32;
                for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(first).zip(second) {
                    *m += (g - *m) * rest_1;
                    *v += (g * g - *v) * rest_2;
                    *w -= *m * alpha / (v.sqrt() + epsilon);
                }
            }
            Optimizer::RmsProp { learning_rate, rho, momentum, epsilon } => {
                let (rate, momentum) = (learning_rate as f32, momentum as f32);
                let (rho, rest, epsilon) = (rho as f32, (1.0 - rho) as f32, epsilon as f32);
                for (v, g) in second.iter_mut().zip(gradient) {
                    *v = rho * *v + rest * g * g;
                }
                let step = |g: f32, v: f32| rate * g / (v + epsilon).sqrt();
                if first.is_empty() {
                    for ((w, g), v) in weights.iter_mut().zip(gradient).zip(second) {
                        *w -= step(*g, *v);
                    }
                } else {
                    for (((w, g), v), last) in
                        weights.iter_mut().zip(gradient).zip(second).zip(first)
                    {
                        *last = momentum * *last + step(*g, *v);
                        *w -= *last;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rule: Optimizer, start: f32, gradients: &[f32]) -> f32 {
        let mut stepper = Stepper::new(rule, &[1]);
        let mut weights = [start];
        for gradient in gradients {
            stepper.next_step();
            stepper.apply(0, &mut weights, &[*gradient]);
        }
        weights[0]
    }

    #[test]
    fn adam_steps_as_by_hand() {
        let rule =
            Optimizer::Adam { learning_rate: 0.1, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
        // Step 1: m = 0.2, v = 0.004, alpha = 0.1 * sqrt(0.001) / 0.1 = 0.0316228,
        // w = 1 - 0.0316228 * 0.2 / 0.0632456 = 0.9.
        assert!((run(rule, 1.0, &[2.0]) - 0.9).abs() < 1e-6);
        // Step 2, gradient -1: m = 0.08, v = 0.004996, alpha = 0.1 * sqrt(0.001999) / 0.19
        // = 0.0235317, w = 0.9 - 0.0235317 * 0.08 / 0.0706824 = 0.8733662.
        assert!((run(rule, 1.0, &[2.0, -1.0]) - 0.873_366_2).abs() < 1e-6);
        // A gradient far below epsilon * sqrt(1000) hardly moves: epsilon stands beside the
        // uncorrected root: 0.0316228 * 1e-9 / (0.0316228e-8 + 1e-7) = 3.1523e-4.
        assert!((run(rule, 0.0, &[1e-8]) + 3.152_3e-4).abs() < 1e-7);
    }

    #[test]
    fn rmsprop_steps_as_in_kerass_documentation() {
        let rule =
            Optimizer::RmsProp { learning_rate: 0.1, rho: 0.9, momentum: 0.0, epsilon: 1e-7 };
        // Keras's docstring: 10 with the gradient 10 becomes 9.683772.
        assert!((run(rule, 10.0, &[10.0]) - 9.683_772).abs() < 1e-6);
        // Epsilon under the root: 0.1 * 1e-4 / sqrt(0.1e-8 + 1e-7) = 0.0314658.
        assert!((run(rule, 0.0, &[1e-4]) + 0.031_465_8).abs() < 1e-6);
    }

    #[test]
    fn rmsprop_takes_a_fraction_of_its_last_step_again() {
        let rule =
            Optimizer::RmsProp { learning_rate: 0.1, rho: 0.9, momentum: 0.5, epsilon: 1e-7 };
        // Step 1: 0.316228; step 2: gradient 0, so half of it again.
        assert!((run(rule, 0.0, &[10.0, 0.0]) + 0.316_228 * 1.5).abs() < 1e-5);
    }
}
