//! Runs that are not finished, in words.

use super::one_line;
use crate::record::{Unfinished, UnfinishedState};

/// `running, 3 of 9 epochs done` or `failed: REASON`.
pub(super) fn words(run: &Unfinished) -> String {
    let max_epochs = run.facts.as_ref().and_then(|facts| facts.max_epochs);
    let epochs = match (run.n_epochs, max_epochs) {
        (0, None) => String::new(),
        (n, None) => format!(", {n} epochs done"),
        (n, Some(max)) => format!(", {n} of {max} epochs done"),
    };
    match &run.state {
        UnfinishedState::Running => format!("running{epochs}"),
        UnfinishedState::Interrupted => format!("interrupted{epochs}; the next run resumes it"),
        UnfinishedState::Failed(reason) => {
            format!("failed{epochs}: {}", one_line(reason))
        }
        UnfinishedState::Elsewhere { host } => format!("begun on {host}{epochs}"),
    }
}

/// The unfinished runs of an experiment, a line each. Runs of another version of its spec are marked.
pub(super) fn lines(all: &[Unfinished], experiment: &str, spec_hash: &str) -> Vec<String> {
    let mut lines = vec![];
    for run in all {
        let Some(facts) = run.facts.as_ref().filter(|facts| facts.experiment == experiment) else {
            continue;
        };
        if run.is_of_inputs() {
            if facts.spec_hash == spec_hash {
                let (dataset, words) = (&facts.dataset, words(run));
                lines.push(format!("on {dataset}, before the first run: {words}"));
            }
            continue;
        }
        let other = if facts.spec_hash == spec_hash { "" } else { ", other settings" };
        lines.push(format!("seed {} on {}{other}: {}", facts.seed, facts.dataset, words(run)));
    }
    lines
}
