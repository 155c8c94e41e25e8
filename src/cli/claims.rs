//! `claims`.

use super::runs::{page_options, strict};
use super::{Done, Project};
use crate::experiment::{Options, Plan};
use crate::report;

/// Prints every published figure with its verdict and the reason.
pub(super) fn claims(project: &Project, is_strict: bool) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let runs = project.finished()?;
    let mut order = vec![];
    for name in library.names() {
        let has_run = runs.iter().any(|run| run.record.experiment == *name);
        // Specs are read only for experiments without a record.
        if has_run
            || !Plan::read(name, &library, &catalogue, &Options::default())?.spec.claims.is_empty()
        {
            order.push(name.clone());
        }
    }
    let (text, differing) = report::claims(&runs, &page_options(order))?;
    print!("{text}");
    strict(&differing, is_strict)
}
