//! `claims`.

use std::collections::BTreeSet;

use super::common_arguments::Strict;
use super::page::page_options;
use super::result_table::{say_table, strict};
use super::{Done, Project, finished, from_whole, say_hidden, say_skipped, versions};
use crate::experiment::{Options, Plan, Shrink};
use crate::report;

/// Prints every published figure with its verdict and the reason.
pub(super) fn claims(
    project: &Project,
    archived: bool,
    how: Option<Strict>,
    all_versions: bool,
) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let runs = finished(&project.store_with(archived))?;
    let versions = versions(runs, &library, &catalogue, Shrink::default());
    let n_hidden = if all_versions { 0 } else { versions.others.len() };
    let runs = if all_versions { versions.without_studies() } else { versions.current };
    let with_runs: BTreeSet<&str> = runs.iter().map(|run| run.record.experiment.as_str()).collect();
    let mut order = vec![];
    let settings = project.settings(&library);
    for name in &settings.order(&library) {
        let has_run = with_runs.contains(name.as_str());
        // Specs are read only for experiments without a record.
        let has_claim = || match Plan::read(name, &library, &catalogue, &Options::default()) {
            Ok(plan) => !plan.spec.claims.is_empty(),
            Err(error) => {
                say_skipped(error);
                false
            }
        };
        if has_run || has_claim() {
            order.push(name.clone());
        }
    }
    let scores = Some(project.store().scores());
    let options = report::Options { scores, ..page_options(&settings, order) };
    let ledger = from_whole(runs, &options, report::claims)?;
    say_table(&ledger);
    say_hidden(n_hidden);
    strict(&ledger, how)
}
