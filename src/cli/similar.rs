//! `embed`, `similar`, `playlist` and the songs of `plot map`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde_json::json;

use super::predict::{choose, expanded, without_model};
use super::progress::Progress;
use super::similar_arguments::{Description, Embed, Map, Playlist, Similar};
use super::{Done, Failure, Project, is_same_file, json, signals, width};
use crate::disk;
use crate::experiment::{
    self, Embedder, Embedding, Music, MusicError, SimilarityScores, Songs, content_of,
};
use crate::record::Run;
use crate::report::{self, MapPoint};
use crate::similar::{Layout, Song, Vectors, Wish, playlist, tsne};
use crate::table::{Values, csv_bytes, parquet_bytes};
use crate::vocab::{Seed, without_controls};

/// Files that can't be used and are named; all are counted.
const N_NAMED: usize = 20;
/// Songs on a map, at most.
const MOST_POINTS: usize = 3000;
/// Fewer songs than this are no map.
const FEWEST_POINTS: usize = 5;

/// What the songs are described by; the run, if it is one's net.
fn embedder(
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

fn is_stopped() -> bool {
    signals::caught().load(Ordering::Relaxed)
}

/// Writes a table with a row for every recording.
pub(super) fn embed(project: &Project, arguments: &Embed) -> Done {
    let Embed { with, files, out, layer } = arguments;
    let is_parquet = match out.extension().and_then(|end| end.to_str()) {
        Some("parquet") => true,
        Some("csv") => false,
        _ => {
            let said = format!("--out {}: expected a name with .parquet or .csv", out.display());
            return Err(Failure::Usage(said));
        }
    };
    let (embedder, _) = embedder(project, with, layer.as_deref())?;
    let files = expanded(files)?;
    if let Some(file) = files.iter().find(|file| is_same_file(file, out)) {
        let file = file.display();
        return Err(Failure::Usage(format!("--out is the recording {file} and would replace it")));
    }
    let progress = Progress::new(0);
    let (mut named, mut seconds, mut rows, mut faults) = (vec![], vec![], vec![], vec![]);
    for (i, file) in files.iter().enumerate() {
        if is_stopped() {
            return Err(Failure::Stopped("stopped; nothing was written".to_owned()));
        }
        match embedder.file(file) {
            Ok(Embedding { vector, seconds: length, warnings }) => {
                let name = file.display();
                warnings.iter().for_each(|warning| eprintln!("warning: {name}: {warning}"));
                named.push(name.to_string());
                seconds.push(length);
                rows.push(vector);
            }
            Err(error) => faults.push(error.to_string()),
        }
        if files.len() > 1 {
            progress.step("describing recordings", i + 1, files.len());
        }
    }
    let n_columns = embedder.width();
    json::put("embedding", embedder.words());
    json::put("n_columns", n_columns);
    json::put("n_recordings", named.len());
    json::put("faults", &faults);
    json::put("file", (!named.is_empty()).then(|| out.display().to_string()));
    if !named.is_empty() {
        let names = embedder.names();
        let column = |i: usize| rows.iter().map(|row| f64::from(row[i])).collect();
        let n_recordings = named.len();
        let mut columns =
            vec![("file", Values::Texts(named)), ("seconds", Values::Numbers(seconds))];
        columns.extend((0..n_columns).map(|i| (names[i].as_str(), Values::Numbers(column(i)))));
        let bytes = if is_parquet { parquet_bytes(&columns) } else { csv_bytes(&columns) };
        disk::write_whole(out, &bytes)
            .map_err(|error| Failure::Internal(anyhow::anyhow!("{}: {error}", out.display())))?;
        let recordings = if n_recordings == 1 { "recording" } else { "recordings" };
        println!("{n_recordings} {recordings}, {n_columns} numbers each ({})", embedder.words());
        println!("{}", out.display());
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Data(faults.join("\n"))) }
}

/// The songs of a place, with what was skipped named.
fn songs(project: &Project, music: &Music, embedder: &Embedder) -> Result<Songs, Failure> {
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
fn place(project: &Project, named: Option<&str>, file: &Path) -> Result<Music, Failure> {
    if let Some(named) = named {
        return Ok(Music::open(&project.catalogue()?, named)?);
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(Music::Folder(folder.unwrap_or(Path::new(".")).to_owned()))
}

/// The nearest songs to one, or how good neighbors are.
pub(super) fn similar(project: &Project, arguments: &Similar) -> Done {
    let Similar { file, place: named, k, evaluate, description } = arguments;
    let Description { with, layer } = description;
    let (embedder, run) = embedder(project, with, layer.as_deref())?;
    let k = *k as usize;
    if let Some(dataset) = evaluate {
        return evaluated(project, dataset, &embedder, run.as_ref(), k);
    }
    let Some(file) = file else {
        return Err(Failure::Usage("expected an audio file, or --evaluate DATASET".to_owned()));
    };
    let (query, contents) = described(&embedder, file)?;
    let music = place(project, named.as_deref(), file)?;
    let songs = songs(project, &music, &embedder)?.collection;
    let vectors = Vectors::new(&songs.vectors, &embedder.parts());
    let is_other = |i: usize| !contents.contains(&songs.songs[i].content);
    let nearest = vectors.nearest(&vectors.unit_of(&query.vector), k, is_other);
    let n_others = (0..songs.songs.len()).filter(|&i| is_other(i)).count();
    if n_others == 0 {
        let name = music.name();
        return Err(Failure::Data(format!("{name} has no other song than {}", file.display())));
    }
    if n_others < k {
        eprintln!(
            "note: {} has {n_others} other songs, fewer than the {k} asked for",
            music.name()
        );
    }
    json::put("file", file.display().to_string());
    json::put("warnings", &query.warnings);
    println!(
        "songs of {} most similar to {}, by {}",
        music.name(),
        file.display(),
        embedder.words()
    );
    let names = width("song", nearest.iter().map(|it| songs.songs[it.index].name.as_str()));
    let artists: Vec<String> = nearest.iter().map(|it| by(&songs.songs[it.index])).collect();
    let by_width = width("", artists.iter().map(String::as_str));
    for (rank, (neighbor, by)) in nearest.iter().zip(&artists).enumerate() {
        let song = &songs.songs[neighbor.index];
        let (similarity, genre) = (neighbor.similarity, song.genre.as_deref().unwrap_or(""));
        let line = format!(
            "{:>4}  {similarity:6.3}  {:names$}  {by:by_width$}  {genre}",
            rank + 1,
            song.name
        );
        println!("{}", line.trim_end());
        json::push("neighbors", song_object(song, Some(similarity)));
    }
    Ok(())
}

/// A file's vector, and the hashes by which it is known among songs.
fn described(embedder: &Embedder, file: &Path) -> Result<(Embedding, [String; 2]), Failure> {
    let query = embedder.file(file)?;
    let name = file.display();
    query.warnings.iter().for_each(|warning| eprintln!("warning: {name}: {warning}"));
    let contents = content_of(file).map_err(|error| Failure::Data(format!("{name}: {error}")))?;
    Ok((query, contents))
}

/// Artist and title, as far as they are known.
fn by(song: &Song) -> String {
    match (&song.artist, &song.title) {
        (Some(artist), Some(title)) => format!("{artist}: {title}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    }
}

fn song_object(song: &Song, similarity: Option<f32>) -> serde_json::Value {
    json!({
        "name": song.name, "path": song.path.as_ref().map(|path| path.display().to_string()),
        "artist": song.artist, "title": song.title, "genre": song.genre, "seconds": song.seconds,
        "similarity": similarity,
    })
}

/// Prints how good the neighbors of a dataset's songs are.
fn evaluated(
    project: &Project,
    dataset: &str,
    embedder: &Embedder,
    run: Option<&Run>,
    k: usize,
) -> Done {
    let music = Music::open(&project.catalogue()?, dataset)?;
    let songs = songs(project, &music, embedder)?;
    let known = match run {
        Some(run) if run.record.data.dataset == dataset => run.learned_tracks()?,
        _ => BTreeSet::new(),
    };
    let progress = Progress::new(0);
    let watch = |n_done: usize, n: usize| {
        progress.step("Gaussians of MFCCs", n_done, n);
        !is_stopped()
    };
    let scores = experiment::similarity(&music, &songs.collection, embedder, k, &known, &watch)?;
    scores.notes.iter().for_each(|note| eprintln!("note: {note}"));
    let SimilarityScores { n_songs, n_queries, n_genres, n_artists, methods, differences, .. } =
        &scores;
    let artists = match n_artists {
        Some(n) => format!(" by {n} artists; neighbors by the same artist do not count"),
        None => String::new(),
    };
    println!("{dataset}: {n_songs} songs of {n_genres} genres{artists}");
    println!("\nprecision at {k}: the share of the {k} nearest with the song's genre [95 %]");
    let names = width("", methods.iter().map(|(name, _)| name.as_str()));
    let object =
        |it: &crate::metrics::Interval| json!({ "mean": it.mean, "low": it.low, "high": it.high });
    for (name, it) in methods {
        println!("  {name:names$}  {:.3} [{:.3}, {:.3}]", it.mean, it.low, it.high);
        json::push("methods", json!({ "name": name, "precision": object(it) }));
    }
    println!("\n{} less", embedder.words());
    for (name, it, p) in differences {
        let p_words = if *p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
        let range = format!("{:+.3} [{:+.3}, {:+.3}]", it.mean, it.low, it.high);
        println!("  {name:names$}  {range}  {p_words}");
        json::push("differences", json!({ "name": name, "difference": object(it), "p": p }));
    }
    let all: Vec<&String> = songs.notes.iter().chain(&scores.notes).collect();
    json::put("notes", all);
    json::put("n_songs", n_songs);
    json::put("n_queries", n_queries);
    json::put("n_genres", n_genres);
    json::put("n_artists", n_artists);
    json::put("k", k);
    Ok(())
}

/// The files of `--like`: each may name several, separated by commas.
fn liked(texts: &[String]) -> Vec<PathBuf> {
    let each = |text: &String| -> Vec<PathBuf> {
        if Path::new(text).exists() {
            return vec![PathBuf::from(text)];
        }
        text.split(',').filter(|part| !part.is_empty()).map(PathBuf::from).collect()
    };
    texts.iter().flat_map(each).collect()
}

/// Writes a playlist.
pub(super) fn make_playlist(project: &Project, arguments: &Playlist) -> Done {
    let Playlist { like, place: named, n, out, diversity, description } = arguments;
    let Description { with, layer } = description;
    let likes = liked(like);
    let Some(first) = likes.first() else {
        return Err(Failure::Usage("--like: expected an audio file or several".to_owned()));
    };
    if let Some(file) = likes.iter().find(|file| is_same_file(file, out)) {
        let file = file.display();
        return Err(Failure::Usage(format!("--out is the song {file} and would replace it")));
    }
    let (embedder, _) = embedder(project, with, layer.as_deref())?;
    let (mut queries, mut contents, mut faults) = (vec![], BTreeSet::new(), vec![]);
    for file in &likes {
        match described(&embedder, file) {
            Ok((query, hashes)) => {
                queries.push(query.vector);
                contents.extend(hashes);
            }
            Err(error) => faults.push(error.into_parts().1),
        }
    }
    if queries.is_empty() {
        return Err(Failure::Data(faults.join("\n")));
    }
    faults.iter().for_each(|fault| eprintln!("skipped: {}", super::one_line(fault)));
    let music = place(project, named.as_deref(), first)?;
    let songs = songs(project, &music, &embedder)?.collection;
    if songs.songs.iter().all(|song| song.path.is_none()) {
        return Err(Failure::Usage(format!(
            "{0} is generated and has no files to play\nhint: encore data export {0} FOLDER writes them",
            music.name()
        )));
    }
    let vectors = Vectors::new(&songs.vectors, &embedder.parts());
    let likes: Vec<Vec<f32>> = queries.iter().map(|query| vectors.unit_of(query)).collect();
    let n = *n as usize;
    let wish = Wish { likes: &likes, n, diversity: *diversity };
    let is_other = |i: usize| !contents.contains(&songs.songs[i].content);
    let chosen = playlist(&vectors, wish, |i| songs.songs[i].artist.as_deref(), is_other);
    let n_without = chosen.iter().filter(|&&i| songs.songs[i].artist.is_none()).count();
    if chosen.is_empty() {
        let name = music.name();
        return Err(Failure::Data(format!("{name} has no other song than those of --like")));
    }
    let mut text = "#EXTM3U\n".to_owned();
    for &i in &chosen {
        let song = &songs.songs[i];
        let path = song.path.clone().unwrap_or_default();
        text += &entry(song, &played(&path, out));
        json::push("songs", song_object(song, None));
        println!("{}", song.name);
    }
    disk::write_whole(out, text.as_bytes())
        .map_err(|error| Failure::Internal(anyhow::anyhow!("{}: {error}", out.display())))?;
    if chosen.len() < n {
        let n_others = (0..songs.songs.len()).filter(|&i| is_other(i)).count();
        let why = if n_others == chosen.len() {
            format!("{} has no more songs", music.name())
        } else {
            "all that are left are by one artist".to_owned()
        };
        eprintln!("note: {} of {n} songs: {why}", chosen.len());
    }
    if n_without > 0 {
        eprintln!("note: {n_without} of {} songs have no known artist", chosen.len());
    }
    println!("{}", out.display());
    json::put("file", out.display().to_string());
    json::put("n_without_artist", n_without);
    Ok(())
}

/// A song of an extended M3U, whose entries are two lines.
fn entry(song: &Song, path: &Path) -> String {
    let title = song.title.as_deref().unwrap_or(&song.name);
    let words = match &song.artist {
        Some(artist) => format!("{artist} - {title}"),
        None => title.to_owned(),
    };
    let words = without_controls(&words, " ").into_owned();
    format!("#EXTINF:{:.0},{words}\n{}\n", song.seconds, path.display())
}

/// The path by which a playlist names a file: relative if the file is below its folder.
fn played(file: &Path, out: &Path) -> PathBuf {
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    match (file.canonicalize(), folder) {
        (Ok(file), Ok(folder)) => file.strip_prefix(&folder).map(Path::to_owned).unwrap_or(file),
        _ => file.to_owned(),
    }
}

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
