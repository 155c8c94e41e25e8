//! `curve`, `ablate` and `plot curve`.

use std::path::{Path, PathBuf};

use super::common_arguments::Common;
use super::progress::Progress;
use super::runs::{execute, failures, n_runs, options, say_data};
use super::study_arguments::{Ablate, Curve};
use super::{Done, Failure, Project, json, versions};
use crate::dataset::Catalogue;
use crate::experiment::{Library, Options, Outcome, Plan, Shrink};
use crate::record::Run;
use crate::report;
use crate::vocab::name_hint;

/// Runs every share of the training tracks, and shows scores, the law and the figure.
pub(super) fn curve(project: &Project, arguments: &Curve) -> Done {
    let mut shares = arguments.train_share.clone();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    if shares.len() < 2 {
        let said = "--train-share: a learning curve needs at least two shares, e.g. 0.1,0.2,0.5,1";
        return Err(Failure::Usage(said.to_owned()));
    }
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let options = options(&arguments.common, arguments.set.clone(), vec![])?;
    let read = |options: &Options| Plan::read(&arguments.name, &library, &catalogue, options);
    let is_whole = read(&options)?.spec.train_share.is_none();
    let mut plans = vec![];
    for share in shares {
        let mut options = options.clone();
        // All tracks are what a spec without a share asks for: its runs are points of the curve.
        if share < 1.0 || !is_whole {
            options.set.push(format!("train_share={share}"));
        }
        plans.push(read(&options)?);
    }
    let study = Study { project, library: &library, catalogue: &catalogue };
    let (runs, outcomes) = study.run(&plans, &arguments.common)?;
    let shown = study.show_curves(&runs, None);
    failures(outcomes)?;
    shown.map(drop)
}

/// Runs a spec and its changes, and shows what each does.
pub(super) fn ablate(project: &Project, arguments: &Ablate) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let options = options(&arguments.common, arguments.set.clone(), vec![])?;
    let read = |options: &Options| Plan::read(&arguments.name, &library, &catalogue, options);
    let base = read(&options)?;
    let variants = base.ablation.clone()?;
    if variants.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: the spec has no table [ablation]\n\
             hint: [ablation] with remove = [\"training.ema\"] tests what that key does; see docs/curves.md",
            base.origin
        )));
    }
    let mut plans = vec![base];
    for variant in variants {
        let mut options = options.clone();
        options.set.extend(variant.set);
        options.unset.extend(variant.unset);
        plans.push(read(&options)?);
    }
    let study = Study { project, library: &library, catalogue: &catalogue };
    let (runs, outcomes) = study.run(&plans, &arguments.common)?;
    let shown = study.show_ablations(&runs);
    failures(outcomes)?;
    shown
}

/// Draws the learning curve of an experiment from its finished runs.
pub(super) fn plot_curve(
    project: &Project,
    name: &str,
    out: Option<&Path>,
) -> Result<Vec<PathBuf>, Failure> {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let runs = project.finished()?;
    let known: Vec<&str> = runs.iter().map(|run| run.record.experiment.as_str()).collect();
    let all = library.names().iter().map(String::as_str);
    if !all.clone().chain(known.iter().copied()).any(|known| known == name) {
        let hint = name_hint(name, all.chain(known));
        return Err(Failure::Usage(format!("unknown experiment `{name}`; {hint}")));
    }
    let mine = runs.into_iter().filter(|run| run.record.experiment == name).collect();
    let runs = versions(mine, &library, &catalogue, Shrink::default()).without_history();
    let study = Study { project, library: &library, catalogue: &catalogue };
    let drawn = report::curve_report(&runs, &study.folder(out))?;
    if drawn.curves.is_empty() {
        return Err(Failure::Data(format!(
            "{name} has no finished runs with two shares of the training tracks\n\
             hint: encore curve {name}"
        )));
    }
    Ok(drawn.figures)
}

/// Where runs of one spec are compared.
struct Study<'a> {
    project: &'a Project,
    library: &'a Library,
    catalogue: &'a Catalogue,
}

impl Study<'_> {
    /// Runs some plans; the runs as the current specs see them, and all outcomes.
    fn run(&self, plans: &[Plan], common: &Common) -> Result<(Vec<Run>, Vec<Outcome>), Failure> {
        say_data(self.catalogue, plans);
        let (store, progress) = (self.project.store(), Progress::of_changes(n_runs(plans)));
        let outcomes = execute(self.project, self.catalogue, &store, plans, common, &progress)?;
        let done = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
        let runs = done.cloned().collect();
        let runs = versions(runs, self.library, self.catalogue, Shrink::default()).all();
        Ok((runs, outcomes))
    }

    fn folder(&self, out: Option<&Path>) -> PathBuf {
        out.map_or_else(|| self.project.reports().join("curves"), Path::to_owned)
    }

    fn show_curves(&self, runs: &[Run], out: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
        let found = report::curve_report(runs, &self.folder(out))?;
        print!("{}", found.text);
        found.figures.iter().for_each(|figure| println!("{}", figure.display()));
        json::put("curves", &found.curves);
        json::put("figures", paths(&found.figures));
        Ok(found.figures)
    }

    fn show_ablations(&self, runs: &[Run]) -> Done {
        let folder = self.project.reports().join("ablations");
        let found = report::ablation_report(runs, &folder)?;
        print!("{}", found.text);
        found.figures.iter().for_each(|figure| println!("{}", figure.display()));
        json::put("ablations", &found.ablations);
        json::put("figures", paths(&found.figures));
        Ok(())
    }
}

fn paths(figures: &[PathBuf]) -> Vec<String> {
    figures.iter().map(|figure| figure.display().to_string()).collect()
}
