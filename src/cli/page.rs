//! The page: which runs it shows, and writing it from their records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::common_arguments::Strict;
use super::result_table::{say_table, strict};
use super::{Done, Failure, Project, from_whole, json, say_hidden, say_once, say_skipped};
use crate::dataset::{Catalogue, Cut};
use crate::experiment::{Library, PageContent, PageSource, ProjectSettings, Shrink};
use crate::record::Store;
use crate::report;

/// `--quick`: all of it in under three minutes on two cores.
pub(super) const QUICK: Shrink = Shrink {
    max_epochs: Some(15),
    max_seeds: Some(1),
    data: Cut { tracks_per_genre: Some(10), n_rows: Some(2_000) },
};

/// A page and the runs that it shows.
pub(super) struct Page {
    folder: PathBuf,
    /// How its runs are smaller than their specs.
    shrink: Shrink,
    /// Whether it shows runs of other versions of the specs.
    all_versions: bool,
    /// Whether it shows archived runs.
    archived: bool,
}

impl Page {
    pub(super) fn of(
        project: &Project,
        is_quick: bool,
        all_versions: bool,
        archived: bool,
    ) -> Self {
        let (folder, shrink) = if is_quick {
            (project.reports().join("quick"), QUICK)
        } else {
            (project.reports(), Shrink::default())
        };
        Self { folder, shrink, all_versions, archived }
    }

    pub(super) fn store(&self) -> Store {
        let store = Store::new(self.folder.join("runs"));
        if self.archived { store.with_archived() } else { store }
    }
}

/// What a page is made of.
pub(super) struct Source<'a> {
    pub(super) settings: &'a ProjectSettings,
    pub(super) library: &'a Library,
    pub(super) catalogue: &'a Catalogue,
    pub(super) page: &'a Page,
}

/// A page that was written.
pub(super) struct WrittenPage {
    written: report::Written,
    /// Runs of other versions of their specs, which it does not show.
    n_hidden: usize,
}

impl WrittenPage {
    /// The page's file.
    pub(super) fn page(&self) -> &Path {
        &self.written.page
    }

    /// Shows the page's table and where the page is.
    pub(super) fn say(&self, how: Option<Strict>) -> Done {
        let report::Written { page, table, .. } = &self.written;
        say_table(table);
        json::put("page", page.display().to_string());
        say_hidden(self.n_hidden);
        println!("page: {}", page.display());
        strict(table, how)
    }
}

impl Source<'_> {
    /// Writes the page from its runs. `pending` are experiments with the number of their runs that are still to come.
    pub(super) fn write(&self, pending: &[(String, usize)]) -> Result<WrittenPage, Failure> {
        let Self { settings, library, catalogue, page } = *self;
        let (folder, store) = (&page.folder, page.store());
        let (shrink, all_versions) = (page.shrink, page.all_versions);
        let source = PageSource { settings, library, catalogue, shrink, all_versions };
        let content = PageContent::of(&store, source)?;
        let PageContent { runs, mut options, n_finished, n_hidden, damaged, notices } = content;
        damaged.iter().for_each(say_skipped);
        notices.iter().for_each(|notice| say_once(notice));
        keep_page(folder, &store, n_finished)?;
        options.pending = pending.to_vec();
        let written =
            from_whole(runs, &options, |runs, options| report::write(runs, options, folder))?;
        Ok(WrittenPage { written, n_hidden })
    }
}

/// Refuses to replace a page about runs by one about nothing: their disk may not be mounted.
fn keep_page(folder: &Path, store: &Store, n_runs: usize) -> Done {
    let results = folder.join("results.csv");
    let n_shown = std::fs::read_to_string(&results).map_or(0, |text| text.lines().count());
    if n_runs > 0 || n_shown <= 1 {
        return Ok(());
    }
    Err(Failure::Data(format!(
        "{} has no valid run, but the page shows some; it was left as it is\n\
         hint: if the runs are on another disk, connect it; to write an empty page, delete {}",
        store.root().display(),
        results.display()
    )))
}

/// The options of a page: what the project's settings say.
pub(super) fn page_options(settings: &ProjectSettings, order: Vec<String>) -> report::Options {
    let groups =
        settings.groups.iter().map(|group| (group.title.clone(), group.experiments.clone()));
    report::Options {
        title: settings.title.clone(),
        text: settings.text.clone(),
        groups: groups.collect(),
        order,
        data: vec![],
        scores: None,
        degraded: None,
        studies: vec![],
        winners: vec![],
        skipped: vec![],
        pending: vec![],
        tasks: BTreeMap::new(),
    }
}
