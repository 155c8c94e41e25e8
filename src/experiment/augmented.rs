//! Some training examples before and after each augmentation of a plan, to be drawn.

use super::context::Workspace;
use super::error::RunError;
use super::fold::{AuditedSplit, Fold};
use super::inputs::Inputs;
use super::plan::Plan;
use super::waveforms::WaveformAugment;
use crate::report::{AugmentRow, AugmentSheet, Frames};
use crate::vocab::Seed;

/// Changes `n` training examples, evenly spaced, by each augmentation of a plan, and by all as in the first epoch.
/// If the net sees windows, the window of that epoch is shown.
///
/// # Errors
/// Where the plan has no augmentation, its examples have no time axis, or the data can't be used.
pub fn augmented(
    plan: &Plan,
    seed: u64,
    n: usize,
    workspace: Workspace,
) -> Result<AugmentSheet, RunError> {
    let refused = |said: &str| RunError::Incompatible(format!("{}: {said}", plan.name));
    let Some(training) = &plan.spec.training else {
        return Err(refused("the model is not trained over epochs and has no augmentations"));
    };
    if training.augment.is_empty() && plan.spec.augment_waveforms.is_empty() {
        return Err(refused("training.augment is empty: there is nothing to draw"));
    }
    if plan.spec.shape.len() < 2 {
        return Err(refused("the examples have no time axis: there is nothing to draw"));
    }
    let inputs = Inputs::load(plan, workspace)?;
    let fold = Fold::new(plan, &inputs, seed, AuditedSplit::unaudited(plan, &inputs, seed)?)?;
    let train = fold.fit_input().train;
    let (shape, seed) = (train.shape, Seed(seed));
    let n = n.min(train.len());
    let indices: Vec<usize> = (0..n).map(|place| place * train.len() / n).collect();
    let window = |index: usize, example: &[f32]| -> Vec<f32> {
        training.window(example, shape, seed, index).to_vec()
    };
    let unchanged: Vec<Vec<f32>> =
        indices.iter().map(|&index| window(index, train.example(index))).collect();
    let sounding = |items: &[WaveformAugment]| -> Result<Vec<Vec<f32>>, RunError> {
        let Some(fresh) = &fold.fresh else { return Ok(unchanged.clone()) };
        let changed = |&index: &usize| {
            let mut example = vec![0.0; train.width()];
            fresh.changed(items, 1, index, &mut example)?;
            Ok(window(index, &example))
        };
        indices.iter().map(changed).collect()
    };
    let seen = training.input_shape(shape);
    let row = |name: &str, settings: String, examples: &[Vec<f32>]| AugmentRow {
        name: name.to_owned(),
        settings,
        images: examples.iter().map(|example| image(example, &seen)).collect(),
    };
    let settings = |key: &str, place: usize, name: &str| {
        let table = &plan.resolved["training"][key][place][name];
        let fields = table.as_object().into_iter().flatten();
        fields.map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
    };
    let windows =
        training.crop.map_or(String::new(), |crop| format!("windows of {} frames", crop.frames));
    let mut rows = vec![row("unchanged", windows, &unchanged)];
    for (place, item) in plan.spec.augment_waveforms.iter().enumerate() {
        let words = settings("augment_waveforms", place, item.name);
        rows.push(row(&format!("{} (waveform)", item.name), words, &sounding(&[item.always()])?));
    }
    let others = sounding(&plan.spec.augment_waveforms)?;
    let mut preview = training.preview(&indices, [&unchanged, &others], shape, seed);
    let all = preview.pop().unwrap_or_default();
    for ((place, item), examples) in training.augment.iter().enumerate().zip(preview) {
        let name = item.entry().name;
        rows.push(row(name, settings("augment", place, name), &examples));
    }
    rows.push(row("all, in epoch 1", String::new(), &all));
    let name = |index: &usize| {
        let id = &inputs.examples.ids[train.rows[*index]];
        format!("{}, segment {}", id.track, id.segment)
    };
    Ok(AugmentSheet { examples: indices.iter().map(name).collect(), rows })
}

/// The first channel of an example.
fn image(example: &[f32], shape: &[usize]) -> Frames {
    let channels: usize = shape[2..].iter().product();
    Frames { values: example.iter().step_by(channels).copied().collect(), n_values: shape[1] }
}
