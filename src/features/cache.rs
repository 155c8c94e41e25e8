//! Features of audio, made in parallel, written as they come, found again by content hash.
//!
//! A cache entry is a folder named by the hash: `matrix.f32` (little-endian floats, row-major) and
//! `examples.json` (which segment of which track each row is). The folder gets its name when it is
//! whole, so a killed extraction leaves nothing that looks whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{AudioFeature, Examples, FeatureError, Matrix, Segments};
use crate::dataset::{AudioData, Track};
use crate::record::Excluded;
use crate::vocab::{ExampleId, Sha256};

/// Raised whenever the same settings give other numbers than before.
const EXTRACTOR_VERSION: u32 = 1;

/// Tracks whose features wait in memory to be written.
const TRACKS_AT_ONCE: usize = 32;

/// What lies beside a matrix.
#[derive(Serialize, Deserialize)]
struct Rows {
    /// Row by row: number of the track in the dataset, number of the segment in the track.
    rows: Vec<(usize, u32)>,
    excluded: Vec<Excluded>,
}

pub(super) fn examples(
    audio: &AudioData,
    segments: Segments,
    feature: &dyn AudioFeature,
    settings: &serde_json::Value,
    cache: &Path,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Examples, FeatureError> {
    let hash = Sha256::new()
        .piece(EXTRACTOR_VERSION.to_le_bytes())
        .piece(&audio.hash)
        .piece(settings.to_string())
        .piece(segments.seconds.to_le_bytes())
        .piece((segments.per_track as u64).to_le_bytes())
        .hex();
    let folder = cache.join(&hash[..32]);
    if !folder.exists() {
        make(audio, segments, feature, &folder, progress)?;
    }
    let path = folder.join("examples.json");
    let text = fs::read_to_string(&path).map_err(|source| io(&path, source))?;
    let rows: Rows = serde_json::from_str(&text).map_err(|error| io(&path, error.into()))?;
    let path = folder.join("matrix.f32");
    let matrix = Matrix::map(&path).map_err(|source| io(&path, source))?;
    let shape = feature.shape(segments.n_samples(audio.sample_rate_hz));
    let expected = rows.rows.len() * shape.iter().product::<usize>();
    if matrix.as_slice().len() != expected {
        let message = format!("has {} numbers, not {expected}", matrix.as_slice().len());
        return Err(io(&path, std::io::Error::new(std::io::ErrorKind::InvalidData, message)));
    }
    let track = |&(track, _): &(usize, u32)| &audio.tracks[track];
    let id = |row: &(usize, u32)| ExampleId { track: track(row).id.clone(), segment: row.1 };
    Ok(Examples {
        matrix,
        shape,
        ids: rows.rows.iter().map(id).collect(),
        labels: rows.rows.iter().map(|row| track(row).class).collect(),
        classes: audio.classes.clone(),
        hash,
        excluded: rows.excluded,
    })
}

fn make(
    audio: &AudioData,
    segments: Segments,
    feature: &dyn AudioFeature,
    folder: &Path,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<(), FeatureError> {
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|source| io(parent, source))?;
    // Beside its final name, and this process's own: two may make the same features at a time.
    let beside = folder.with_extension(format!("partial-{}", std::process::id()));
    fs::create_dir_all(&beside).map_err(|source| io(&beside, source))?;
    let path = beside.join("matrix.f32");
    let mut file = BufWriter::new(File::create(&path).map_err(|source| io(&path, source))?);
    let mut rows = Rows { rows: vec![], excluded: vec![] };
    let n_done = std::sync::atomic::AtomicUsize::new(0);
    let numbered: Vec<(usize, &Track)> = audio.tracks.iter().enumerate().collect();
    for group in numbered.chunks(TRACKS_AT_ONCE) {
        let extract = |&(number, track): &(usize, &Track)| {
            let out = of_track(audio, number, track, segments, feature);
            let n = n_done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            (out, progress(n, audio.tracks.len()))
        };
        let made: Vec<(Made, bool)> = group.par_iter().map(extract).collect();
        if made.iter().any(|(_, goes_on)| !goes_on) {
            drop(file);
            fs::remove_dir_all(&beside).map_err(|source| io(&beside, source))?;
            return Err(FeatureError::Stopped);
        }
        for (track, _) in made {
            let (numbers, of_track) = track?;
            file.write_all(bytemuck::cast_slice(&numbers)).map_err(|source| io(&path, source))?;
            rows.rows.extend(of_track.rows);
            rows.excluded.extend(of_track.excluded);
        }
    }
    let written = file.into_inner().map_err(std::io::IntoInnerError::into_error);
    written.and_then(|file| file.sync_all()).map_err(|source| io(&path, source))?;
    let path = beside.join("examples.json");
    let text = serde_json::to_string(&rows).expect("rows are plain data");
    fs::write(&path, text).map_err(|source| io(&path, source))?;
    match fs::rename(&beside, folder) {
        // Another process was faster and made the same.
        Err(_) if folder.exists() => {
            fs::remove_dir_all(&beside).map_err(|source| io(&beside, source))
        }
        other => other.map_err(|source| io(folder, source)),
    }
}

/// Numbers and rows of one track.
type Made = Result<(Vec<f32>, Rows), FeatureError>;

/// The features of one track's segments, those that are too short left out and named.
fn of_track(
    audio: &AudioData,
    number: usize,
    track: &Track,
    segments: Segments,
    feature: &dyn AudioFeature,
) -> Made {
    let samples = audio.waveform(track)?;
    let whole = segments.n_samples(audio.sample_rate_hz);
    let width: usize = feature.shape(whole).iter().product();
    let mut worker = feature.worker();
    let mut numbers = vec![];
    let mut rows = Rows { rows: vec![], excluded: vec![] };
    for (segment, range) in segments.ranges(audio.sample_rate_hz, samples.len()).enumerate() {
        // As the report did: a segment that is a little short still counts if it has all its frames.
        if range.is_empty() || !feature.is_whole(range.len(), whole) {
            rows.excluded.push(Excluded {
                name: format!("{} segment {segment}", track.id),
                reason: format!("has {} samples, too few for a whole segment", range.len()),
            });
            continue;
        }
        let start = numbers.len();
        numbers.resize(start + width, 0.0);
        worker.compute(&samples[range], &mut numbers[start..]);
        rows.rows.push((number, segment as u32));
    }
    Ok((numbers, rows))
}

fn io(path: &Path, source: std::io::Error) -> FeatureError {
    FeatureError::Io { path: PathBuf::from(path), source }
}
