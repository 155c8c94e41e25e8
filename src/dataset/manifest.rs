//! Manifests, `datasets/NAME.toml`: the declaration of a dataset without its location.

use std::collections::BTreeMap;

use super::{ArrayFile, Arrays, Cleaning, Folder, Listed, Rows, TrackFile};
use crate::dataset::{remotes, synth};
use crate::fetch::Remote;
use crate::schema::{Faults, Fields, Int, Text, Tree, json_schema, keys, read};
use crate::table::{Csv, Notation};
use crate::vocab::Seed;

/// What holds where a manifest does not state it.
const NOT_STATED: &str = "not stated";
const NO_SOURCE: &str = "the manifest does not say where to get a copy";

/// A layout's name in manifests, and how its table is read.
type Entry = (&'static str, fn(&mut Fields) -> Layout);

/// Every layout of a manifest: `[folder]`, `[table]`, …
pub static LAYOUTS: &[Entry] = &[
    ("folder", |fields| Layout::Folder(Folder::read(fields))),
    ("listed", |fields| Layout::Listed(Listed::read(fields))),
    ("table", |fields| Layout::Table(Rows::read(fields))),
    ("arrays", |fields| Layout::Arrays(Arrays::read(fields))),
    ("synth_genres", |fields| Layout::SynthGenres {
        seed: seed(fields),
        tracks_per_genre: fields.required("tracks_per_genre", &Int::within(1..=100_000)),
    }),
    ("synth_songs", |fields| Layout::SynthSongs {
        seed: seed(fields),
        n_rows: fields.required("n_rows", &Int::within(100..=1_000_000)),
    }),
];

fn seed(fields: &mut Fields) -> Seed {
    Seed(fields.required("seed", &Int::within(0..=i64::MAX)) as u64)
}

/// A declared dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The file name without `.toml`.
    pub name: String,
    /// The text of the file. A run keeps it, so that its model can be used without this project.
    pub source: String,
    /// What people call it.
    pub title: String,
    /// The terms of use.
    pub licence: String,
    /// The citation.
    pub citation: String,
    /// How to obtain a copy.
    pub how_to_get: String,
    /// The files that `encore data fetch` downloads, if there are addresses.
    pub fetch: Vec<Remote>,
    /// The embedded corpus that replaces this dataset until it is imported.
    pub stand_in: Option<String>,
    /// Tracks that are known to be damaged or mislabeled.
    pub known_faults: Vec<KnownFault>,
    /// A file of further columns about the tracks, beside the manifest.
    pub track_file: Option<TrackFile>,
    /// Its layout on disk, or how it is generated.
    pub layout: Layout,
}

/// A track that is known to be damaged or mislabeled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFault {
    /// The name of the track.
    pub track: String,
    /// The fault.
    pub fault: String,
}

/// The layout of a dataset on disk, or how it is generated.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// A folder of recordings per genre.
    Folder(Folder),
    /// Recordings named in lists.
    Listed(Listed),
    /// A CSV file with one row per example.
    Table(Rows),
    /// Arrays, with a CSV file that describes their rows.
    Arrays(Arrays),
    /// The embedded audio corpus.
    SynthGenres {
        /// The seed of the corpus.
        seed: Seed,
        /// Its size.
        tracks_per_genre: usize,
    },
    /// The embedded table of songs.
    SynthSongs {
        /// The seed of the table.
        seed: Seed,
        /// Its size.
        n_rows: usize,
    },
}

/// The kind of examples in a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Recordings, read at one sample rate.
    Audio {
        /// Sample rate in hertz.
        sample_rate_hz: u32,
    },
    /// Rows of numbers.
    Table,
    /// Rows of arrays.
    Arrays(&'a [ArrayFile]),
}

impl Kind<'_> {
    /// Returns `audio`, `table` or `arrays`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio { .. } => "audio",
            Self::Table => "table",
            Self::Arrays(_) => "arrays",
        }
    }
}

impl Manifest {
    /// Reads a manifest; `origin` is the name of the file in messages.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn parse(name: &str, origin: &str, text: &str) -> Result<Self, Faults> {
        let tree = Tree::parse(origin, text)?;
        let (manifest, _) = read(&tree, |fields| Self::read(fields, name, text))?;
        Ok(manifest.expect("a manifest without a layout has a fault"))
    }

    fn read(fields: &mut Fields, name: &str, source: &str) -> Option<Self> {
        let names: Vec<&str> = LAYOUTS.iter().map(|(name, _)| *name).collect();
        let given: Vec<_> = LAYOUTS.iter().filter(|(name, _)| fields.is_given(name)).collect();
        let layout = match given.as_slice() {
            [(name, layout)] => fields.table(name, layout),
            _ => {
                let all = crate::vocab::quoted_list(names);
                fields.fault(&format!("must have exactly one of the tables {all}"));
                None
            }
        };
        if let Some(Layout::SynthGenres { .. } | Layout::SynthSongs { .. }) = layout
            && fields.is_given("fetch")
        {
            fields.fault_at("fetch", "does not apply: encore generates this dataset");
        }
        Some(Self {
            name: name.to_owned(),
            source: source.to_owned(),
            title: fields.with_default("title", &Text, name.to_owned()),
            licence: fields.with_default("licence", &Text, NOT_STATED.to_owned()),
            citation: fields.with_default("citation", &Text, NOT_STATED.to_owned()),
            how_to_get: fields.with_default("how_to_get", &Text, NO_SOURCE.to_owned()),
            fetch: remotes::read(fields),
            stand_in: fields.optional("stand_in", &Text),
            known_faults: fields.each_table("known_faults", |fault| KnownFault {
                track: fault.required("track", &Text),
                fault: fault.required("fault", &Text),
            }),
            track_file: fields.table("track_columns", TrackFile::read),
            layout: layout?,
        })
    }

    /// Every key of manifests, with what it may hold: `table.decimal`, `fetch[].file`.
    #[must_use]
    pub fn keys() -> BTreeMap<String, String> {
        keys(Self::explore)
    }

    /// The JSON Schema of manifests; `meaning` says what the key at a path means.
    #[must_use]
    pub fn json_schema(meaning: impl Fn(&str) -> Option<String>) -> serde_json::Value {
        json_schema("encore manifest", Self::explore, meaning)
    }

    /// Reads all fields, of every layout.
    fn explore(fields: &mut Fields) {
        Self::read(fields, "any", "");
        for (name, layout) in LAYOUTS {
            fields.table(name, layout);
        }
    }

    /// What kind of examples it has.
    #[must_use]
    pub fn kind(&self) -> Kind<'_> {
        match &self.layout {
            Layout::Folder(Folder { demands, .. }) | Layout::Listed(Listed { demands, .. }) => {
                Kind::Audio { sample_rate_hz: demands.sample_rate_hz }
            }
            Layout::SynthGenres { .. } => Kind::Audio { sample_rate_hz: synth::SAMPLE_RATE_HZ },
            Layout::Table(_) | Layout::SynthSongs { .. } => Kind::Table,
            Layout::Arrays(arrays) => Kind::Arrays(&arrays.arrays),
        }
    }

    /// Returns the names of the track columns, e.g. `artist`.
    pub fn track_columns<'a>(&'a self) -> impl Iterator<Item = &'a str> + Clone {
        let ours = |named: &'a [(String, String)]| -> Vec<&'a str> {
            named.iter().map(|(ours, _)| ours.as_str()).collect()
        };
        let named = match &self.layout {
            Layout::Table(rows) => ours(&rows.track_columns),
            Layout::Arrays(arrays) => ours(&arrays.track_columns),
            Layout::Listed(listed) => listed.track_columns(),
            Layout::Folder(folder) => folder.levels.iter().skip(1).map(String::as_str).collect(),
            Layout::SynthGenres { .. } => synth::TRACK_COLUMNS.to_vec(),
            Layout::SynthSongs { .. } => vec![],
        };
        let of_file = self.track_file.iter().flat_map(|file| &file.columns);
        named.into_iter().chain(of_file.map(String::as_str))
    }

    /// Returns whether its examples have classes.
    #[must_use]
    pub fn has_classes(&self) -> bool {
        match &self.layout {
            Layout::Table(rows) => rows.label.is_some(),
            Layout::Listed(listed) => listed.reading.label.is_given(),
            Layout::Folder(_)
            | Layout::Arrays(_)
            | Layout::SynthGenres { .. }
            | Layout::SynthSongs { .. } => true,
        }
    }

    /// Returns the names of the columns of numbers of a table, none for other datasets; `None` if only its
    /// files tell.
    #[must_use]
    pub fn number_columns(&self) -> Option<Vec<String>> {
        match &self.layout {
            Layout::Table(rows) if !rows.patterns.is_empty() => None,
            Layout::Table(rows) => {
                Some(rows.columns.iter().map(|(ours, _)| ours.clone()).collect())
            }
            Layout::SynthSongs { .. } => Some(synth::SONG_COLUMNS.map(str::to_owned).to_vec()),
            _ => Some(vec![]),
        }
    }

    /// How a table of new rows is read: of their ids and of these numbers, by our names; `None` for datasets
    /// that are no tables.
    #[must_use]
    pub fn new_rows<'a>(&'a self, ours: &[String]) -> Option<Csv<'a>> {
        match &self.layout {
            Layout::Table(rows) => Some(rows.new_rows(ours)),
            Layout::SynthSongs { .. } => {
                let Cleaning { delimiter, odd_cells, .. } = Cleaning::default();
                let plain =
                    |name: &String| Cleaning::default().column(name, name, Notation::default());
                Some(Csv {
                    delimiter,
                    texts: vec![],
                    numbers: ours.iter().map(plain).collect(),
                    odd_cells,
                })
            }
            Layout::Folder(_)
            | Layout::Listed(_)
            | Layout::Arrays(_)
            | Layout::SynthGenres { .. } => None,
        }
    }

    /// Returns the command that obtains the dataset, for hints.
    #[must_use]
    pub fn command_to_get(&self) -> String {
        let name = &self.name;
        let by_hand = format!("encore data import {name} PATH");
        match self.fetch.as_slice() {
            [] => by_hand,
            _ => format!("encore data fetch {name}, or {by_hand}"),
        }
    }

    /// Returns whether encore generates it.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.layout, Layout::SynthGenres { .. } | Layout::SynthSongs { .. })
    }
}
