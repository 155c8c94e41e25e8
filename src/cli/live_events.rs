//! `--tensorboard`: event files that grow while runs go on.

use std::path::Path;
use std::sync::Mutex;

use super::Failure;
use super::output::shown;
use crate::experiment::{Event, Observer};
use crate::export::LiveEvents;
use crate::record::Store;

/// Passes events on, and adds every epoch to the event files.
pub(super) struct WithEvents<'a> {
    inner: &'a dyn Observer,
    store: &'a Store,
    /// Experiments and datasets with their seeds.
    wanted: Vec<(String, String, Vec<u64>)>,
    /// The files, until they can't be written.
    files: Mutex<Option<LiveEvents>>,
}

impl<'a> WithEvents<'a> {
    /// For runs of experiments on datasets with some seeds.
    pub(super) fn new(
        inner: &'a dyn Observer,
        store: &'a Store,
        wanted: Vec<(String, String, Vec<u64>)>,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let files = Mutex::new(Some(LiveEvents::in_folder(folder)?));
        Ok(Self { inner, store, wanted, files })
    }
}

impl WithEvents<'_> {
    /// Writes the files of runs whose end was not seen: they were finished already, or had no epochs.
    pub(super) fn end(self) -> Result<(), Failure> {
        let Some(mut files) = self.files.into_inner().expect("no holder of the files panics")
        else {
            return Ok(());
        };
        let starts: Vec<String> = (self.wanted.iter())
            .flat_map(|(name, dataset, seeds)| {
                let name = name.replace('/', ".");
                seeds.iter().map(move |seed| format!("{name}.{dataset}.seed-{seed}."))
            })
            .collect();
        let mut ids = self.store.ids()?;
        ids.retain(|id| starts.iter().any(|start| id.starts_with(start)));
        Ok(files.add_finished(self.store, &ids)?)
    }
}

impl Observer for WithEvents<'_> {
    fn event(&self, event: &Event) {
        self.inner.event(event);
        let is_new = matches!(
            event,
            Event::Epoch { .. }
                | Event::Finished { .. }
                | Event::Stopped { .. }
                | Event::Failed { .. }
        );
        if !is_new {
            return;
        }
        let is_wanted = |experiment: &str, dataset: &str, seed: u64| {
            self.wanted.iter().any(|(name, data, seeds)| {
                name == experiment && data == dataset && seeds.contains(&seed)
            })
        };
        let mut files = self.files.lock().expect("no holder of the files panics");
        let Some(open) = files.as_mut() else { return };
        if let Err(error) = open.update(self.store, is_wanted) {
            // The runs are what counts; encore export tensorboard writes the files later.
            let (_, message) = Failure::from(error).into_parts();
            eprintln!("{}", shown(&format!("no more event files: {message}")));
            *files = None;
        }
    }
}
