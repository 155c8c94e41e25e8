//! Where runs happen, and how, whichever run it is.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::event::Observer;
use crate::dataset::Catalogue;
use crate::kernels::isa::Isa;
use crate::record::{CodeFacts, Store};

/// Raised with every change after which the same spec, data and seed come to other bits: older runs
/// are stale then. `tests/repeatable/` notices.
pub const CODE_VERSION: u32 = 2;

/// The datasets, the records and who watches.
#[derive(Clone, Copy)]
pub struct Workspace<'a> {
    /// The datasets.
    pub catalogue: &'a Catalogue,
    /// The folder of records.
    pub store: &'a Store,
    /// The project's folder.
    pub project: &'a Path,
    /// Set from outside: save everything and stop.
    pub stop: &'a AtomicBool,
    /// Receives every event.
    pub observer: &'a dyn Observer,
}

/// A workspace, with how its runs are done.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'a> {
    pub(super) workspace: Workspace<'a>,
    /// Where the members of an ensemble are. A repetition writes to a folder of its own and reads them here.
    pub(super) members: &'a Store,
    pub(super) code: &'a CodeFacts,
    /// The longest time between two checkpoints of a training.
    pub(super) checkpoint_every: Duration,
    /// Whether a split that leaks is an error.
    pub(super) forbid_leaks: bool,
}

impl Workspace<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The program's version, and the commit of the folder that it runs in.
pub(super) fn code_facts(folder: &Path) -> CodeFacts {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let git_commit = git(&["rev-parse", "HEAD"]);
    // The report's own page is written by every run and does not decide a result.
    let status = git(&["status", "--porcelain", "--", ".", ":!reports"]);
    CodeFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        code_version: CODE_VERSION,
        device: format!("cpu ({})", Isa::best().name()),
        git_dirty: git_commit.as_ref().and(status).map(|status| !status.is_empty()),
        git_commit,
    }
}
