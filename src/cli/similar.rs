//! `embed` and `similar`.

use std::collections::BTreeSet;

use serde_json::json;

use super::predict::expanded;
use super::progress::Progress;
use super::similar_arguments::{Description, Embed, Similar};
use super::songs::{described, embedder, is_stopped, place, song_object, songs};
use super::{Done, Failure, Project, is_same_file, json, width};
use crate::disk;
use crate::experiment::{self, Embedder, Embedding, Music, SimilarityScores};
use crate::record::Run;
use crate::similar::{Song, Vectors};
use crate::table::{Values, csv_bytes, parquet_bytes};

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

/// Artist and title, as far as they are known.
fn by(song: &Song) -> String {
    match (&song.artist, &song.title) {
        (Some(artist), Some(title)) => format!("{artist}: {title}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    }
}
