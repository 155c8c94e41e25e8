//! What `similar`, `playlist` and `plot map` share: the songs of a place with their vectors.

use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::predict::{choose, without_model};
use super::progress::Progress;
use super::{Failure, Project, json, signals};
use crate::experiment::{Embedder, Embedding, Music, MusicError, Songs, content_of};
use crate::record::Run;
use crate::similar::Song;

/// Files that can't be used and are named; all are counted.
const N_NAMED: usize = 20;
/// What the songs are described by; the run, if it is one's net.
pub(super) fn embedder(
    project: &Project,
    with: &str,
    layer: Option<&str>,
) -> Result<(Embedder, Option<Run>), Failure> {
    if with == "statistics" {
        if let Some(layer) = layer {
            let said = format!("--layer {layer}: `statistics` has no layers; name a run of a net");
            return Err(Failure::Usage(said));
        }
        return Ok((Embedder::statistics(), None));
    }
    let (current, others) = project.recorded(&[with.to_owned()])?;
    let run = choose(current, others, Some(with))?;
    if let Some(reason) = without_model(&run) {
        return Err(Failure::Data(format!("{} has no model: {reason}", run.id)));
    }
    if run.record.spec.pointer("/model/command").is_some() {
        let said = format!("{}: its model is a program, whose layers encore does not know", run.id);
        return Err(Failure::Usage(said));
    }
    let embedder = Embedder::of_run(&run, &project.catalogue()?, layer)?;
    Ok((embedder, Some(run)))
}

pub(super) fn is_stopped() -> bool {
    signals::caught().load(Ordering::Relaxed)
}

/// The songs of a place, with what was skipped named.
pub(super) fn songs(
    project: &Project,
    music: &Music,
    embedder: &Embedder,
) -> Result<Songs, Failure> {
    let progress = Progress::new(0);
    let watch = |n_done: usize, n: usize| {
        progress.step("describing songs", n_done, n);
        !is_stopped()
    };
    let folder = project.reports().join("similar");
    let songs = music.songs(embedder, &folder, &watch)?;
    songs.notes.iter().for_each(|note| eprintln!("note: {note}"));
    let unreadable = &songs.collection.unreadable;
    for it in unreadable.iter().take(N_NAMED) {
        eprintln!("skipped: {}", super::one_line(&it.reason));
    }
    if unreadable.len() > N_NAMED {
        eprintln!("skipped: {} more files", unreadable.len() - N_NAMED);
    }
    json::put("n_songs", songs.collection.songs.len());
    json::put("n_new", songs.n_new);
    json::put("notes", &songs.notes);
    json::put("skipped", unreadable.iter().map(|it| &it.reason).collect::<Vec<_>>());
    json::put("embedding", embedder.words());
    json::put("place", music.name());
    Ok(songs)
}

/// The place that was named, or the folder of a file.
pub(super) fn place(project: &Project, named: Option<&str>, file: &Path) -> Result<Music, Failure> {
    if let Some(named) = named {
        return Ok(Music::open(&project.catalogue()?, named)?);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(Music::Folder(folder.unwrap_or(Path::new(".")).to_owned()))
}

/// A file's vector, and the hashes by which it is known among songs.
pub(super) fn described(
    embedder: &Embedder,
    file: &Path,
) -> Result<(Embedding, [String; 2]), Failure> {
    let query = embedder.file(file)?;
    let name = file.display();
    query.warnings.iter().for_each(|warning| eprintln!("warning: {name}: {warning}"));
    let contents = content_of(file).map_err(|error| Failure::Data(format!("{name}: {error}")))?;
    Ok((query, contents))
}

/// A song as JSON; how similar it is, if that was asked.
pub(super) fn song_object(song: &Song, similarity: Option<f32>) -> serde_json::Value {
    json!({
        "name": song.name, "path": song.path.as_ref().map(|path| path.display().to_string()),
        "artist": song.artist, "title": song.title, "genre": song.genre, "seconds": song.seconds,
        "similarity": similarity,
    })
}

impl From<MusicError> for Failure {
    fn from(error: MusicError) -> Self {
        match error {
            MusicError::Dataset(error) => error.into(),
            MusicError::Predict(error) => error.into(),
            MusicError::Usage(message) => Self::Usage(message),
            MusicError::Collection(_) | MusicError::NoMusic(_) => Self::Data(error.to_string()),
            MusicError::Stopped => Self::Stopped(error.to_string()),
        }
    }
}
