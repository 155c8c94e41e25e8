//! `playlist`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::similar_arguments::{Description, Playlist};
use super::songs::{described, embedder, place, song_object, songs};
use super::{Done, Failure, Project, is_same_file, json};
use crate::disk;
use crate::similar::{Song, Vectors, Wish, playlist};
use crate::vocab::without_controls;

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
