//! Runs of a capsule, added to a store.

use super::error::{StoreError, io};
use super::store::Store;
use super::{FromCapsule, Run};
use crate::disk::{self, Published};

/// What became of a run that was to be added.
#[derive(Debug)]
pub enum Adopted {
    /// It is new here.
    Added,
    /// It is here already, with the same results.
    Known,
    /// A run of this id is here with other results, which stays. The text says what differs.
    Differs(String),
    /// The run of this id that is here can't be read. It stays.
    Unreadable(StoreError),
}

impl Store {
    /// The capsule that a finished run came in, if it did.
    #[must_use]
    pub fn capsule(&self, id: &str) -> Option<FromCapsule> {
        FromCapsule::of(&self.folder(id))
    }

    /// Adds a checked run that lies in another folder on the same disk, by one rename. A run that is here
    /// already stays as it is.
    ///
    /// # Errors
    /// If a folder can't be written or renamed.
    pub fn adopt(&self, run: &Run, from: &FromCapsule) -> Result<Adopted, StoreError> {
        self.check_link()?;
        from.write(&run.folder)?;
        let to = self.folder(&run.id);
        if disk::publish(&run.folder, &to).map_err(|source| io(&to, source))? == Published::Ours {
            return Ok(Adopted::Added);
        }
        let here = match self.read(&run.id) {
            Ok(Some(here)) => here,
            Ok(None) => return Ok(Adopted::Unreadable(self.partial(&run.id))),
            Err(error) => return Ok(Adopted::Unreadable(error)),
        };
        if let Err(error) = here.check_packed() {
            return Ok(Adopted::Unreadable(error));
        }
        let (ours, theirs) = (&here.record, &run.record);
        let differing: Vec<&str> = [
            ("curves", ours.outputs.curves == theirs.outputs.curves),
            ("model", ours.outputs.model == theirs.outputs.model),
            ("predictions", ours.outputs.predictions == theirs.outputs.predictions),
            ("split", ours.files.get("split.csv") == theirs.files.get("split.csv")),
            ("scores", ours.test == theirs.test),
        ]
        .into_iter()
        .filter_map(|(what, is_same)| (!is_same).then_some(what))
        .collect();
        if differing.is_empty() {
            return Ok(Adopted::Known);
        }
        Ok(Adopted::Differs(differing.join(", ")))
    }
}
