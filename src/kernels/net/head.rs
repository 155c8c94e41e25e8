//! The dense layers' work on a whole batch, with the optimizer's step in the pass that makes their gradients.

use rayon::prelude::*;

use crate::kernels::dense::{Dense, PANEL, gate};
use crate::kernels::dropout::{dropout, key_of};
use crate::kernels::isa::Isa;
use crate::kernels::net::plan::{DensePlan, Plan};
use crate::kernels::net::state::State;
use crate::kernels::optimizer::{Constants, Parameters, add_penalty, update};

/// Buffers of the dense layers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// What goes into each layer, and the logits.
    pub rows: Vec<Vec<f32>>,
    pub d_rows: Vec<Vec<f32>>,
    transposed: Vec<f32>,
    /// One penalty for each panel of weights, so that their sum has one order.
    penalties: Vec<f64>,
}

impl Head {
    pub fn new(plan: &Plan) -> Self {
        let widths = plan.dense.iter().map(|d| d.dense.n_in()).chain([plan.n_classes()]);
        let rows: Vec<Vec<f32>> = widths.map(|width| vec![0.0; plan.max_batch * width]).collect();
        let behind_first = plan.dense.iter().skip(usize::from(plan.blocks.is_empty()));
        let panels = plan.dense.iter().map(|d| d.dense.n_in().div_ceil(PANEL));
        Self {
            d_rows: rows.clone(),
            rows,
            transposed: vec![0.0; behind_first.map(|d| d.kernel.len()).max().unwrap_or(0)],
            penalties: vec![0.0; panels.max().unwrap_or(0)],
        }
    }

    /// All layers, on the first `n` rows; in training with dropout under the key of each layer.
    pub fn forward(&mut self, isa: Isa, plan: &Plan, values: &[f32], n: usize, key: Option<u64>) {
        for (index, DensePlan { dense, layer, kernel, bias }) in plan.dense.iter().enumerate() {
            let (before, after) = self.rows.split_at_mut(index + 1);
            let x = &before[index][..n * dense.n_in()];
            let output = &mut after[0][..n * dense.n_out()];
            let (weights, bias) = (&values[kernel.clone()], &values[bias.clone()]);
            dense.forward(isa, x, weights, bias, layer.activation, output);
            if let Some(key) = key {
                let key = key_of(key, plan.blocks.len() + index);
                for (row, output) in output.chunks_exact_mut(dense.n_out()).enumerate() {
                    dropout(isa, layer.dropout, key_of(key, row), output);
                }
            }
        }
    }

    /// Backward from `d_rows`' last entry, moving each layer's parameters if constants are given; gives back the
    /// penalties' sum.
    pub fn backward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        state: &mut State,
        n: usize,
        constants: Option<&Constants>,
    ) -> f64 {
        let mut penalty = 0.0;
        for (index, layer) in plan.dense.iter().enumerate().rev() {
            let dense = &layer.dense;
            let (before, after) = self.d_rows.split_at_mut(index + 1);
            let d_output = &after[0][..n * dense.n_out()];
            let x = &self.rows[index][..n * dense.n_in()];
            if index > 0 || !plan.blocks.is_empty() {
                let transposed = &mut self.transposed[..layer.kernel.len()];
                dense.transpose(&state.values[layer.kernel.clone()], transposed);
                let d_x = &mut before[index][..n * dense.n_in()];
                dense.input_gradient(isa, d_output, transposed, d_x);
                if index > 0 {
                    // Every layer but the last has ReLU: the plan saw to it that dropout follows only that.
                    let scale = plan.dense[index - 1].layer.dropout.scale();
                    gate_behind(isa, &plan.dense[index - 1], x, scale, d_x);
                }
            }
            penalty += update_kernel(
                isa,
                dense,
                layer,
                state,
                x,
                d_output,
                constants,
                &mut self.penalties,
            );
            dense.bias_gradient(d_output, &mut state.gradients[layer.bias.clone()]);
            if let Some(constants) = constants {
                state.update(isa, constants, layer.bias.clone());
            }
        }
        penalty
    }
}

fn gate_behind(isa: Isa, before: &DensePlan, x: &[f32], scale: f32, d_x: &mut [f32]) {
    if before.layer.activation == crate::kernels::product::Activation::Relu {
        gate(isa, x, scale, d_x);
    }
}

/// Gradient and, if constants are given, step, panel by panel, while a panel is in the cache.
#[expect(clippy::too_many_arguments, reason = "one pass over all that a layer has")]
fn update_kernel(
    isa: Isa,
    dense: &Dense,
    layer: &DensePlan,
    state: &mut State,
    x: &[f32],
    d_output: &[f32],
    constants: Option<&Constants>,
    penalties: &mut [f64],
) -> f64 {
    let l2 = layer.layer.l2;
    let size = PANEL * dense.n_out();
    let penalties = &mut penalties[..dense.n_in().div_ceil(PANEL)];
    let work = |panel: usize, parameters: Parameters<'_>| {
        dense.weight_gradient(isa, panel, x, d_output, parameters.gradients);
        match constants {
            Some(constants) => update(isa, constants, l2, parameters),
            None => add_penalty(isa, l2, parameters.values, parameters.gradients),
        }
    };
    let all = state.parameters(layer.kernel.clone());
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
