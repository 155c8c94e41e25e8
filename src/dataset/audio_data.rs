//! Labeled recordings, from disk or generated.

use std::path::{Path, PathBuf};

use super::index::unreadable;
use super::{DatasetError, Index, Manifest, TrackColumns, synth};
use crate::audio;
use crate::record::Excluded;
use crate::vocab::{Seed, Sha256, sha256_hex};

/// A loaded audio dataset.
pub struct AudioData {
    /// Name of the manifest.
    pub name: String,
    /// The genres, in the order of their numbers.
    pub classes: Vec<String>,
    /// The recordings, sorted by genre and name.
    pub tracks: Vec<Track>,
    /// Further columns about tracks, which may include tracks that this copy lacks.
    pub track_columns: TrackColumns,
    /// Sample rate of the waveforms.
    pub sample_rate_hz: u32,
    /// SHA-256 of the content of the tracks.
    pub hash: String,
    /// Whether encore generated it.
    pub synthetic: bool,
    /// Skipped files or dropped rows, with reasons.
    pub excluded: Vec<Excluded>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// The reason why this is only a part of the dataset, if it is.
    pub part: Option<String>,
    /// The imported folder; empty for generated tracks.
    root: PathBuf,
}

/// One labeled recording.
pub struct Track {
    /// The name, e.g. `jazz.00012`.
    pub id: String,
    /// The number of its genre.
    pub class: usize,
    /// Number of samples at the dataset's rate.
    pub n_samples: usize,
    source: Source,
}

enum Source {
    /// `content` is the SHA-256 of what the file is to encore, `sha256` that of its bytes.
    File {
        path: PathBuf,
        sha256: String,
        content: String,
    },
    Synthetic {
        seed: Seed,
        style: usize,
        number: u32,
    },
}

impl Track {
    /// Returns the file; nothing for a generated track.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::File { path, .. } => Some(path),
            Source::Synthetic { .. } => None,
        }
    }

    /// Returns the SHA-256 of the recording itself, whatever its name: of the file's bytes, or of
    /// the parameters it is generated from.
    #[must_use]
    pub fn content_hash(&self) -> String {
        match &self.source {
            Source::File { content, .. } => content.clone(),
            Source::Synthetic { seed, style, number } => Sha256::new()
                .piece("synth-genres")
                .piece(synth::VERSION.to_le_bytes())
                .piece(seed.0.to_le_bytes())
                .piece((*style as u64).to_le_bytes())
                .piece(number.to_le_bytes())
                .hex(),
        }
    }
}

impl AudioData {
    /// Creates the dataset from the valid files of an index; a complete copy has `n_tracks`.
    pub(super) fn from_index(
        manifest: &Manifest,
        classes: Vec<String>,
        sample_rate_hz: u32,
        n_tracks: usize,
        index: &Index,
    ) -> Self {
        let class = |genre: &str| classes.iter().position(|name| name == genre);
        let mut tracks: Vec<Track> = index
            .files
            .iter()
            .filter_map(|file| {
                Some(Track {
                    id: file.track.clone(),
                    class: class(&file.genre)?,
                    n_samples: file.n_samples,
                    source: Source::File {
                        path: index.root.join(&file.path),
                        sha256: file.sha256.clone(),
                        content: file.content_hash(),
                    },
                })
            })
            .collect();
        tracks.sort_by(|a, b| (a.class, &a.id).cmp(&(b.class, &b.id)));
        let n_can_be_missing = manifest.known_faults.len();
        let is_whole = tracks.len() + n_can_be_missing >= n_tracks;
        let part = format!("{} of {} tracks", tracks.len(), n_tracks);
        Self {
            name: manifest.name.clone(),
            classes,
            tracks,
            track_columns: TrackColumns::default(),
            sample_rate_hz,
            hash: Sha256::new().piece(index.hash()).piece(sample_rate_hz.to_le_bytes()).hex(),
            synthetic: false,
            excluded: index.excluded.clone(),
            notes: index.notes.clone(),
            part: (!is_whole).then_some(part),
            root: index.root.clone(),
        }
    }

    pub(super) fn synthetic(name: &str, seed: Seed, tracks_per_genre: usize, whole: usize) -> Self {
        let track = |style: usize, number: usize| Track {
            id: format!("{}.{number:05}", synth::STYLES[style]),
            class: style,
            n_samples: synth::N_SAMPLES,
            source: Source::Synthetic { seed, style, number: number as u32 },
        };
        let styles = 0..synth::STYLES.len();
        let tracks = styles.flat_map(|style| (0..tracks_per_genre).map(move |k| track(style, k)));
        let part = format!("{tracks_per_genre} of {whole} tracks per genre");
        Self {
            name: name.to_owned(),
            classes: synth::STYLES.iter().map(|style| (*style).to_owned()).collect(),
            tracks: tracks.collect(),
            track_columns: TrackColumns::default(),
            sample_rate_hz: synth::SAMPLE_RATE_HZ,
            hash: Sha256::new()
                .piece("synth-genres")
                .piece(synth::VERSION.to_le_bytes())
                .piece(seed.0.to_le_bytes())
                .piece((tracks_per_genre as u64).to_le_bytes())
                .hex(),
            synthetic: true,
            excluded: vec![],
            notes: vec!["synthetic: generated by encore".to_owned()],
            part: (tracks_per_genre < whole).then_some(part),
            root: PathBuf::new(),
        }
    }

    /// Adds the columns that say how generated tracks were made.
    pub(super) fn add_facts(&mut self) {
        let facts = |track: &Track| match track.source {
            Source::File { .. } => None,
            Source::Synthetic { seed, style, number } => {
                Some(synth::track_facts(seed, style, number))
            }
        };
        let facts: Vec<Option<[String; 2]>> = self.tracks.iter().map(facts).collect();
        for (i, column) in synth::TRACK_COLUMNS.into_iter().enumerate() {
            let cells = self.tracks.iter().zip(&facts);
            let cells = cells.filter_map(|(track, facts)| {
                Some((track.id.as_str(), facts.as_ref()?[i].as_str()))
            });
            self.track_columns.add(column, cells).expect("track names are unique");
        }
    }

    /// Returns the samples of one track, mono, in `[-1, 1]`, at the dataset's rate.
    ///
    /// # Errors
    /// If the file is missing, has changed since the import, or cannot be decoded.
    pub fn waveform(&self, track: &Track) -> Result<Vec<f32>, DatasetError> {
        match &track.source {
            Source::File { path, sha256, .. } => {
                let bytes = std::fs::read(path)
                    .map_err(|source| unreadable(&self.name, &self.root, path, source))?;
                if sha256_hex(&bytes) != *sha256 {
                    let (name, path, root) = (self.name.clone(), path.clone(), self.root.clone());
                    return Err(DatasetError::Changed { name, path, root });
                }
                Ok(audio::load(path, self.sample_rate_hz)?.samples)
            }
            Source::Synthetic { seed, style, number } => {
                Ok(synth::render_track(*seed, *style, *number))
            }
        }
    }

    /// Writes every track as a 16-bit wav file, `folder/GENRE/TRACK.wav`.
    ///
    /// # Errors
    /// If a track can't be read or a file can't be written.
    pub fn export(
        &self,
        folder: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<(), DatasetError> {
        use rayon::prelude::*;
        let n_done = std::sync::atomic::AtomicUsize::new(0);
        self.tracks.par_iter().try_for_each(|track| {
            let below = folder.join(&self.classes[track.class]);
            std::fs::create_dir_all(&below)
                .map_err(|source| DatasetError::Io { path: below.clone(), source })?;
            let samples = self.waveform(track)?;
            let waveform = audio::Waveform { samples, sample_rate_hz: self.sample_rate_hz };
            audio::write_wav(below.join(format!("{}.wav", track.id)), &waveform)?;
            let n = n_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress(n, self.tracks.len());
            Ok(())
        })
    }
}
