//! `import-weights` and `lr-find`.

use serde_json::json;

use super::arguments::{ImportWeights, LrFind};
use super::progress::Progress;
use super::result_table::say_table;
use super::runs::{data_choice, say_data};
use super::{Done, Failure, Project, json};
use crate::dataset::Catalogue;
use crate::experiment::{self, Options, Plan};
use crate::model::{Layout, RangeTest, suggestion};
use crate::report;

/// Looks for a learning rate, shows the losses on the way and draws them.
pub(super) fn lr_find(project: &Project, arguments: &LrFind) -> Done {
    let LrFind { from: low, to: high, steps: n_steps, .. } = *arguments;
    if !(low > 0.0 && low < high && high.is_finite() && n_steps >= 20) {
        let said = format!(
            "--from must be above 0 and below --to, --steps at least 20; found {low}, {high} and {n_steps}"
        );
        return Err(Failure::Usage(said));
    }
    let (catalogue, store, progress) = (project.catalogue()?, project.store(), Progress::new(1));
    let LrFind { name, data, set, seed, .. } = arguments;
    let (plan, seed) = plan(project, &catalogue, name, data, set, *seed)?;
    let test = RangeTest { low, high, n_steps };
    let workspace = project.workspace(&catalogue, &store, &progress);
    let probes = experiment::range_test(&plan, seed, test, workspace)?;
    println!("learning rate    loss   running mean");
    for probe in probes.iter().step_by((probes.len() / 20).max(1)) {
        let (rate, loss, mean) = (probe.learning_rate, probe.loss, probe.smoothed);
        println!("{rate:13.1e} {loss:7.3} {mean:14.3}");
    }
    let found = suggestion(&probes);
    match found {
        Some(rate) => println!(
            "the loss falls most steeply at {rate:.1e}: try training.optimizer.*.learning_rate = {rate:.0e}"
        ),
        None => {
            println!("the loss never falls, so there is no suggestion; try another range or seed");
        }
    }
    let points: Vec<_> =
        probes.iter().map(|probe| (probe.learning_rate, probe.loss, probe.smoothed)).collect();
    let folder = project.reports().join("lr-find");
    let figure = report::draw_rates(&plan.name, &points, found, &folder)?;
    println!("{}", figure.display());
    let object = |(rate, loss, mean): &(f64, f64, f64)| json!({ "learning_rate": rate, "loss": loss, "running_mean": mean });
    json::put("probes", points.iter().map(object).collect::<Vec<_>>());
    json::put("suggestion", found);
    json::put("figure", figure.display().to_string());
    Ok(())
}

/// Makes a run from foreign weights and shows its line.
pub(super) fn import_weights(project: &Project, arguments: &ImportWeights) -> Done {
    let layout = match arguments.layout.as_str() {
        "keras" => Layout::Keras,
        _ => Layout::PyTorch,
    };
    let (catalogue, store, progress) = (project.catalogue()?, project.store(), Progress::new(1));
    let ImportWeights { name, data, seed, .. } = arguments;
    let (plan, seed) = plan(project, &catalogue, name, data, &[], *seed)?;
    let name = plan.name.clone();
    let workspace = project.workspace(&catalogue, &store, &progress);
    let run = experiment::import_weights(plan, seed, &arguments.file, layout, workspace)?;
    run.record.model.notes.iter().for_each(|note| println!("{note}"));
    let options = report::Options::in_order(vec![name]);
    say_table(&report::table(std::slice::from_ref(&run), &options)?);
    println!("{}", run.folder.display());
    json::put("id", &run.id);
    json::put("folder", run.folder.display().to_string());
    json::put("notes", &run.record.model.notes);
    Ok(())
}

/// The plan of a spec for work on one of its seeds.
pub(super) fn plan(
    project: &Project,
    catalogue: &Catalogue,
    name: &str,
    data: &str,
    set: &[String],
    seed: Option<u64>,
) -> Result<(Plan, u64), Failure> {
    let seeds = seed.map(|seed| vec![seed]);
    let options =
        Options { set: set.to_vec(), data: data_choice(data), seeds, ..Options::default() };
    let plan = Plan::read(name, &project.library()?, catalogue, &options)?;
    say_data(catalogue, std::slice::from_ref(&plan));
    let seed = plan.spec.seeds[0];
    Ok((plan, seed))
}
