//! The files of a collection: the table in two formats, the dropped entries, the manifest. Each file is written completely or not
//! at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{self, Labels};
use super::{Collected, SpotifyError, song};
use crate::disk;
use crate::table::{Values, csv_bytes, parquet_bytes};

/// The files of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The dataset's name.
    pub name: String,
    /// The table, for people and for encore.
    pub csv: PathBuf,
    /// The same, typed.
    pub parquet: PathBuf,
    /// Every place of the playlist that has no row, and why.
    pub dropped: PathBuf,
    /// The responses so far.
    pub journal: PathBuf,
    /// In the project's `datasets/`.
    pub manifest: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Reasons with how many places they keep out, the commonest first.
    pub dropped: Vec<(&'static str, usize)>,
    /// Labels with their songs, by name.
    pub labels: Vec<(String, usize)>,
    /// Songs that a label must have.
    pub minimum_rows: usize,
}

impl Output {
    /// Files beside `out`, which is a `.parquet` or `.csv` that names the dataset too.
    ///
    /// # Errors
    /// Where it is neither, can't be a dataset's name, or is the name of a dataset that this playlist did not
    /// make.
    pub fn new(out: &Path, datasets: &Path, playlist: &str) -> Result<Self, SpotifyError> {
        let usage =
            |message: &str| SpotifyError::Usage(format!("--out {}: {message}", out.display()));
        if !out.extension().is_some_and(|extension| extension == "parquet" || extension == "csv") {
            return Err(usage("must end with .parquet or .csv; both are written"));
        }
        let name = out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(usage("names the dataset: use letters, digits, - and _"));
        }
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(usage("is in a folder that does not exist; create it first"));
        }
        let manifest = datasets.join(format!("{name}.toml"));
        let is_ours = |text: String| text.starts_with(&manifest::first_line(playlist));
        if manifest.exists() && !fs::read_to_string(&manifest).is_ok_and(is_ours) {
            let manifest = manifest.display();
            return Err(usage(&format!(
                "{manifest} is another dataset's manifest; choose another name"
            )));
        }
        Ok(Self {
            csv: out.with_extension("csv"),
            parquet: out.with_extension("parquet"),
            dropped: out.with_extension("dropped.csv"),
            journal: out.with_extension("journal.jsonl"),
            manifest,
            name,
        })
    }

    /// Writes all of them. `minimum_rows` is how many songs a label must have; without it, 500 as in the
    /// report, or the largest of 200, 100, 50, 20, 10 and 5 that leaves two labels.
    ///
    /// # Errors
    /// Where a file can't be written, no song is left, or no two labels: then there is a table and no manifest.
    pub fn write(
        &self,
        collected: &Collected,
        minimum_rows: Option<usize>,
    ) -> Result<Published, SpotifyError> {
        let datasets = self.manifest.parent();
        for folder in self.csv.parent().into_iter().chain(datasets) {
            let is_here = folder.as_os_str().is_empty();
            disk::remove_stale(if is_here { Path::new(".") } else { folder });
        }
        let dropped = manifest::reasons(collected);
        put(&self.dropped, &csv_bytes(&dropped_columns(collected)))?;
        if collected.songs.is_empty() {
            let why: Vec<String> =
                dropped.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            let (n, why) = (collected.n_places, why.join(", "));
            let message = format!("none of the playlist's {n} entries is a song: {why}");
            return Err(SpotifyError::Empty(if n == 0 {
                "the playlist is empty".to_owned()
            } else {
                message
            }));
        }
        let columns = song::columns(&collected.songs);
        put(&self.parquet, &parquet_bytes(&columns))?;
        put(&self.csv, &csv_bytes(&columns))?;
        let labels = Labels::of(&collected.songs, minimum_rows).ok_or_else(|| {
            SpotifyError::Empty(format!(
                "{} has {} songs, and no two genres come first in {} of them: it is written, and no dataset",
                self.csv.display(),
                collected.songs.len(),
                minimum_rows.map_or("at least 5".to_owned(), |n| format!("at least {n}"))
            ))
        })?;
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = manifest::text(collected, &labels, &name(&self.parquet), &name(&self.dropped));
        put(&self.manifest, text.as_bytes())?;
        Ok(Published {
            dropped,
            minimum_rows: labels.minimum_rows,
            labels: labels.counts.into_iter().collect(),
        })
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), SpotifyError> {
    disk::write_whole(path, bytes).map_err(SpotifyError::io(path))
}

fn dropped_columns(collected: &Collected) -> [(&'static str, Values); 4] {
    let out = &collected.dropped;
    let places = out.iter().map(|out| Some(out.place as u64)).collect();
    [
        ("place", Values::Counts(places)),
        ("id", Values::Texts(out.iter().map(|out| out.id.clone()).collect())),
        ("name", Values::Texts(out.iter().map(|out| out.name.clone()).collect())),
        ("reason", Values::Texts(out.iter().map(|out| out.reason.to_owned()).collect())),
    ]
}
