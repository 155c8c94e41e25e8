//! The dense layers of a whole batch. The pass that computes their gradients also takes the
//! optimizer's step.

use rayon::prelude::*;

use super::super::engine::DropoutKey;
use super::arrays::Arrays;
use super::plan::{DensePlan, Plan};
use crate::kernels::dense::{PANEL, gate};
use crate::kernels::dropout::dropout;
use crate::kernels::isa::Isa;
use crate::kernels::optimizer::{Constants, Parameters, add_penalty, update};
use crate::kernels::product::Activation;

/// Buffers of the dense layers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The input of each layer, and the outputs.
    pub(super) rows: Vec<Vec<f32>>,
    pub(super) d_rows: Vec<Vec<f32>>,
    transposed: Vec<f32>,
    /// One penalty per panel of weights, so that their sum has a fixed order.
    penalties: Vec<f64>,
}

impl Head {
    pub(super) fn new(plan: &Plan) -> Self {
        let n_in = plan.dense.first().map(|first| first.dense.n_in());
        let widths = n_in.into_iter().chain(plan.dense.iter().map(|layer| layer.dense.n_out()));
        let rows: Vec<Vec<f32>> = widths.map(|width| vec![0.0; plan.max_batch * width]).collect();
        let behind_first = plan.dense.iter().skip(usize::from(plan.units.is_empty()));
        let panels = plan.dense.iter().map(|d| d.dense.n_in().div_ceil(PANEL));
        Self {
            d_rows: rows.clone(),
            rows,
            transposed: vec![0.0; behind_first.map(|d| d.kernel.len()).max().unwrap_or(0)],
            penalties: vec![0.0; panels.max().unwrap_or(0)],
        }
    }

    /// Runs all layers on the first `n` rows; in training, with dropout under the key of each
    /// layer.
    pub(super) fn forward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        values: &[f32],
        n: usize,
        key: Option<DropoutKey>,
    ) {
        for (index, layer) in plan.dense.iter().enumerate() {
            let dense = &layer.dense;
            let (before, after) = self.rows.split_at_mut(index + 1);
            let x = &before[index][..n * dense.n_in()];
            let output = &mut after[0][..n * dense.n_out()];
            let (weights, bias) = (&values[layer.kernel.clone()], &values[layer.bias.clone()]);
            dense.forward(isa, x, weights, bias, layer.activation, output);
            if let Some(key) = key {
                for (row, output) in output.chunks_exact_mut(dense.n_out()).enumerate() {
                    let key = key.example(layer.dropout_key, row);
                    dropout(isa, layer.dropout, key, output);
                }
            }
        }
    }

    /// Runs backward from the last entry of `d_rows`, and updates each layer's parameters if
    /// constants are given. Returns the sum of the penalties.
    pub(super) fn backward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        arrays: &mut Arrays,
        n: usize,
        constants: Option<&Constants>,
    ) -> f64 {
        let mut penalty = 0.0;
        for (index, layer) in plan.dense.iter().enumerate().rev() {
            let dense = &layer.dense;
            let (before, after) = self.d_rows.split_at_mut(index + 1);
            let d_output = &after[0][..n * dense.n_out()];
            let x = &self.rows[index][..n * dense.n_in()];
            if index > 0 || !plan.units.is_empty() {
                let transposed = &mut self.transposed[..layer.kernel.len()];
                dense.transpose(&arrays.values[layer.kernel.clone()], transposed);
                let d_x = &mut before[index][..n * dense.n_in()];
                dense.input_gradient(isa, d_output, transposed, d_x);
                let before = index.checked_sub(1).map(|before| &plan.dense[before]);
                // Dropout only follows ReLU: the plan refuses it elsewhere.
                if let Some(before) = before.filter(|b| b.activation == Activation::Relu) {
                    gate(isa, x, before.dropout.scale(), d_x);
                }
            }
            let penalties = &mut self.penalties;
            penalty += update_kernel(isa, layer, arrays, (x, d_output), constants, penalties);
            dense.bias_gradient(d_output, &mut arrays.gradients[layer.bias.clone()]);
            if let Some(constants) = constants {
                arrays.update(isa, &constants.decaying(layer.bias_decays), layer.bias.clone());
            }
        }
        penalty
    }
}

/// Computes the gradient and, if constants are given, takes the step, panel by panel, while a panel
/// is in the cache.
fn update_kernel(
    isa: Isa,
    layer: &DensePlan,
    arrays: &mut Arrays,
    (x, d_output): (&[f32], &[f32]),
    constants: Option<&Constants>,
    penalties: &mut [f64],
) -> f64 {
    let (dense, l2) = (&layer.dense, layer.l2);
    let size = PANEL * dense.n_out();
    let penalties = &mut penalties[..dense.n_in().div_ceil(PANEL)];
    let work = |panel: usize, parameters: Parameters<'_>| {
        dense.weight_gradient(isa, panel, x, d_output, parameters.gradients);
        match constants {
            Some(constants) => update(isa, constants, l2, parameters),
            None => add_penalty(isa, l2, parameters.values, parameters.gradients),
        }
    };
    let all = arrays.parameters(layer.kernel.clone());
    all.values
        .par_chunks_mut(size)
        .zip(all.gradients.par_chunks_mut(size))
        .zip(all.first.par_chunks_mut(size))
        .zip(all.second.par_chunks_mut(size))
        .zip(penalties.par_iter_mut())
        .enumerate()
        .for_each(|(panel, ((((values, gradients), first), second), penalty))| {
            *penalty = work(panel, Parameters { values, gradients, first, second });
        });
    penalties.iter().sum()
}
