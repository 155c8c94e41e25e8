//! `plot map`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::progress::Progress;
use super::similar_arguments::{Description, Map};
use super::songs::{embedder, is_stopped, songs};
use super::{Failure, Project, json};
use crate::experiment::Music;
use crate::report::{self, MapPoint};
use crate::similar::{Layout, Vectors, tsne};
use crate::vocab::Seed;

/// Songs on a map, at most.
const MOST_POINTS: usize = 3000;
/// Fewer songs than this are no map.
const FEWEST_POINTS: usize = 5;

/// Draws the songs of a place on a plane; the SVG's path.
pub(super) fn map(project: &Project, arguments: &Map) -> Result<PathBuf, Failure> {
    let Map { place, out, perplexity, seed, description } = arguments;
    let Description { with, layer } = description;
    let (embedder, _) = embedder(project, with, layer.as_deref())?;
    let music = Music::open(&project.catalogue()?, place)?;
    let songs = songs(project, &music, &embedder)?.collection;
    let mut shown: Vec<usize> = (0..songs.songs.len()).collect();
    let n_all = shown.len();
    if n_all < FEWEST_POINTS {
        let said = format!("{}: a map needs {FEWEST_POINTS} songs, found {n_all}", music.name());
        return Err(Failure::Data(said));
    }
    if n_all > MOST_POINTS {
        let mut rng = Seed(*seed).rng("songs of a map", &[]);
        for i in 0..MOST_POINTS {
            shown.swap(i, i + rng.below(n_all - i));
        }
        shown.truncate(MOST_POINTS);
        shown.sort_unstable();
        eprintln!("note: {MOST_POINTS} of {n_all} songs are drawn, chosen at random");
    }
    let rows: Vec<f32> = shown.iter().flat_map(|&i| songs.vector(i)).copied().collect();
    let vectors = Vectors::new(&rows, &embedder.parts());
    let progress = Progress::new(0);
    let layout = Layout { perplexity: *perplexity, seed: Seed(*seed) };
    let places = tsne(&vectors, layout, |n_done, n| {
        progress.step("placing songs", n_done, n);
        !is_stopped()
    });
    let Some(places) = places else {
        return Err(Failure::Stopped("stopped; nothing was drawn".to_owned()));
    };
    let kind = |i: &usize| -> String {
        let song = &songs.songs[*i];
        song.genre.clone().unwrap_or_else(|| first_folder(&song.name))
    };
    let kinds: Vec<String> = shown.iter().map(kind).collect();
    let names: Vec<String> = kinds.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let points: Vec<MapPoint> = places
        .iter()
        .zip(&kinds)
        .map(|(&place, kind)| MapPoint { place, class: names.binary_search(kind).unwrap_or(0) })
        .collect();
    let folder = match out {
        Some(folder) => folder.clone(),
        None => project.reports().join("figures").join(file_stem(&music)),
    };
    let words = format!("{} songs by {}, t-SNE", points.len(), embedder.words());
    let written = report::draw_map(&music.name(), &words, &points, &names, &folder)?;
    json::put("n_points", points.len());
    json::put("classes", &names);
    Ok(written)
}

/// The first folder of a path in a folder of music; empty for a file beside the folders.
fn first_folder(name: &str) -> String {
    let mut parts = Path::new(name).components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    if parts.next().is_some() { first.unwrap_or_default() } else { String::new() }
}

/// A dataset's name, or that of a folder without those above it.
fn file_stem(music: &Music) -> String {
    let name = music.name();
    let last = Path::new(&name).file_name().map(|last| last.to_string_lossy().into_owned());
    last.unwrap_or_else(|| "music".to_owned())
}
