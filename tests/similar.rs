//! Songs as vectors: neighbors, playlists, maps and tables, as a user meets them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{edit, encore, fails, ok, project, stderr, stdout, stdout_of};

/// A project whose generated recordings are two of each genre, and a folder `music` with one file of each.
fn music() -> tempfile::TempDir {
    let home = project();
    let synth = home.path().join("datasets/synth-genres.toml");
    edit(&synth, "tracks_per_genre = 40", "tracks_per_genre = 2");
    ok(home.path(), &["data", "export", "synth-genres", "music", "--tracks-per-genre", "1"]);
    home
}

/// The result of a command as JSON.
fn json(home: &Path, arguments: &[&str]) -> Value {
    let output = ok(home, &[arguments, &["--json"]].concat());
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    document["data"].clone()
}

fn index(home: &Path) -> PathBuf {
    let all: Vec<PathBuf> = fs::read_dir(home.join("reports/similar"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

const JAZZ: &str = "music/jazz/jazz.00000.wav";

#[test]
fn the_songs_of_a_folder_are_described_once_and_what_can_not_be_read_is_named() {
    let home = music();
    let home = home.path();
    fs::write(home.join("music/broken.mp3"), "no music").unwrap();
    let output = ok(home, &["similar", JAZZ, "--in", "music", "--k", "3"]);
    let said = stderr(&output);
    assert!(said.contains("skipped: music/broken.mp3: not a supported audio file"), "{said}");
    let lines = stdout(&output);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], format!("songs of music most similar to {JAZZ}, by statistics"));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with("   1  ") && !lines[1].contains("jazz"), "{lines:?}");

    let found = |k: &str| json(home, &["similar", JAZZ, "--in", "music", "--k", k]);
    let first = found("3");
    assert_eq!((&first["n_new"], &first["n_songs"]), (&0.into(), &10.into()));
    assert_eq!(first["skipped"].as_array().unwrap().len(), 1);
    let names = |found: &Value| -> Vec<String> {
        let neighbors = found["neighbors"].as_array().unwrap();
        neighbors.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    // A renamed file is known by its content, a copy counts once, and a new song is added.
    fs::rename(home.join("music/pop"), home.join("music/hits")).unwrap();
    fs::copy(home.join("music/rock/rock.00000.wav"), home.join("music/again.wav")).unwrap();
    ok(home, &["degrade", JAZZ, "--with", "gain gain_db=-6", "--out", "music/quiet.wav"]);
    let second = found("100");
    assert_eq!((&second["n_new"], &second["n_songs"]), (&1.into(), &11.into()));
    assert_eq!(second["notes"][0], "1 files are copies of others and count once");
    assert_eq!(names(&second).len(), 10);
    assert!(names(&second).contains(&"hits/pop.00000.wav".to_owned()));
    assert!(!names(&second).contains(&"jazz/jazz.00000.wav".to_owned()));
    let said = stderr(&encore(home, &["similar", JAZZ, "--in", "music", "--k", "100"]));
    assert!(said.contains("music has 10 other songs, fewer than the 100 asked for"), "{said}");

    // A file of another version is made again, one of a newer encore is not touched.
    let file = index(home);
    let whole = fs::read(&file).unwrap();
    let changed = |format: &str| -> Vec<u8> {
        let (old, new) = (b"\"format\":1", format.as_bytes());
        [&whole[..1], new, &whole[1 + old.len()..]].concat()
    };
    fs::write(&file, changed("\"format\":0")).unwrap();
    let output = ok(home, &["similar", JAZZ, "--in", "music"]);
    assert!(stderr(&output).contains("was written by an older encore; it is made again"));
    assert_eq!(fs::read(&file).unwrap().len(), whole.len());
    fs::write(&file, changed("\"format\":9")).unwrap();
    let said = fails(home, &["similar", JAZZ, "--in", "music"], 3);
    assert!(said.contains("was written by a newer encore (format 9"), "{said}");
}

#[test]
fn wrong_places_and_songs_are_named() {
    let home = music();
    let home = home.path();
    fs::create_dir(home.join("empty")).unwrap();
    let said = fails(home, &["similar", JAZZ, "--in", "empty"], 3);
    assert!(said.contains("empty: no recordings in this folder"), "{said}");
    let said = fails(home, &["similar", JAZZ, "--in", "synth-genre"], 2);
    assert!(said.contains("unknown dataset `synth-genre`; did you mean `synth-genres`?"), "{said}");
    let said = fails(home, &["similar", JAZZ, "--in", "synth-songs"], 2);
    assert!(said.contains("dataset synth-songs is a table, not audio"), "{said}");
    let said = fails(home, &["similar", "music/none.mp3"], 3);
    assert!(said.contains("music/none.mp3: cannot be read"), "{said}");
    let said = fails(home, &["similar", JAZZ, "--layer", "relu_1"], 2);
    assert!(said.contains("`statistics` has no layers"), "{said}");
    let said = fails(home, &["similar", JAZZ], 3);
    assert!(said.contains("has no other song than"), "its folder has one file: {said}");
    let said = fails(home, &["similar", "--evaluate", "music"], 2);
    assert!(said.contains("only a dataset has the genres"), "{said}");
    let said = fails(home, &["plot", "map", "music/jazz"], 3);
    assert!(said.contains("a map needs 5 songs, found 1"), "{said}");
    let like = ["--like", JAZZ, "--in", "synth-genres"];
    let said = fails(home, &[&["playlist", "-o", "a.m3u8"], &like[..]].concat(), 2);
    assert!(said.contains("synth-genres is generated and has no files to play"), "{said}");
}

#[test]
fn a_playlist_is_like_its_songs_and_does_not_repeat_them() {
    let home = music();
    let home = home.path();
    fs::write(home.join("music/broken.mp3"), "no music").unwrap();
    let like = format!("{JAZZ},music/rock/rock.00000.wav,music/broken.mp3");
    let output =
        ok(home, &["playlist", "--like", &like, "--in", "music", "--n", "5", "-o", "music/a.m3u8"]);
    assert!(stderr(&output).contains("skipped: music/broken.mp3: not a supported audio file"));
    assert!(stderr(&output).contains("5 of 5 songs have no known artist"));
    let text = fs::read_to_string(home.join("music/a.m3u8")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("#EXTM3U", 11));
    for entry in lines[1..].chunks_exact(2) {
        assert!(entry[0].starts_with("#EXTINF:30,"), "{entry:?}");
        // Paths begin in the playlist's own folder.
        assert!(home.join("music").join(entry[1]).is_file(), "{entry:?}");
        assert!(!entry[1].contains("jazz.00000") && !entry[1].contains("rock.00000"));
    }
    let again = |diversity: &str| {
        let more = ["--diversity", diversity, "-o", "b.m3u8", "--n", "100"];
        json(home, &[&["playlist", "--like", JAZZ, "--in", "music"], &more[..]].concat())
    };
    let (same, diverse) = (again("0"), again("0.9"));
    assert_eq!(same["songs"].as_array().unwrap().len(), 9);
    assert_eq!(same["songs"][0], diverse["songs"][0]);
    assert_ne!(same["songs"], diverse["songs"]);
    let said = fails(home, &["playlist", "--like", JAZZ, "-o", JAZZ], 2);
    assert!(said.contains("would replace it"), "{said}");
    let said = fails(home, &["playlist", "--like", JAZZ, "-o", "c.m3u8", "--diversity", "2"], 2);
    assert!(said.contains("expected a number from 0 to 1"), "{said}");
}

#[test]
fn recordings_become_rows_of_a_table() {
    let home = music();
    let home = home.path();
    fs::write(home.join("music/broken.mp3"), "no music").unwrap();
    let said = fails(home, &["embed", "statistics", "music", "-o", "all.csv"], 3);
    assert!(said.contains("music/broken.mp3: not a supported audio file"), "{said}");
    let text = fs::read_to_string(home.join("all.csv")).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(head.len(), 2 + 16 * 7 + 4 * 20);
    assert_eq!(head[..3], ["file", "seconds", "group1_modulation_0.25_0.5"]);
    assert_eq!(text.lines().count(), 11);
    assert!(text.contains("music/jazz/jazz.00000.wav,30.0,"), "{}", &text[..3000]);
    ok(home, &["embed", "statistics", JAZZ, "-o", "one.parquet"]);
    assert!(fs::read(home.join("one.parquet")).unwrap().starts_with(b"PAR1"));
    let said = fails(home, &["embed", "statistics", JAZZ, "-o", "one.txt"], 2);
    assert!(said.contains("expected a name with .parquet or .csv"), "{said}");
    fs::write(home.join("short.wav"), &fs::read(home.join(JAZZ)).unwrap()[..20_044]).unwrap();
    let said = fails(home, &["embed", "statistics", "short.wav", "-o", "one.csv"], 3);
    assert!(said.contains("short.wav"), "{said}");
}

#[test]
fn a_net_describes_songs_by_its_layers_and_is_not_scored_on_what_it_learned() {
    let home = music();
    let home = home.path();
    let set = ["--set", "training.epochs=1", "--seeds", "1"];
    for name in ["honest/dnn", "honest/forest"] {
        ok(home, &["new", name, "--from", name]);
    }
    ok(home, &[&["run", "honest/dnn"], &set[..]].concat());
    ok(home, &["run", "honest/forest", "--seeds", "1"]);
    ok(home, &["run", "spotify-logistic", "--seeds", "1"]);
    let found = json(home, &["embed", "honest/dnn", JAZZ, "-o", "one.csv"]);
    assert_eq!(found["n_columns"], 64);
    let words = found["embedding"].as_str().unwrap();
    assert!(words.starts_with("layer relu_3 of honest.dnn.synth-genres.seed-1."), "{words}");
    let text = fs::read_to_string(home.join("one.csv")).unwrap();
    assert!(text.starts_with("file,seconds,relu_3_1,relu_3_2,"), "{text}");
    let found = json(home, &["embed", "honest/dnn", JAZZ, "--layer", "dense_1", "-o", "one.csv"]);
    assert_eq!(found["n_columns"], 512);

    let said = fails(home, &["embed", "honest/dnn", JAZZ, "--layer", "relu_9", "-o", "x.csv"], 2);
    assert!(
        said.contains("has no layer `relu_9`; it has `dense_1`, `relu_1`, `dropout_1`"),
        "{said}"
    );
    let said = fails(home, &["embed", "honest/forest", JAZZ, "-o", "x.csv"], 2);
    assert!(said.contains("is a model without layers (forest); only nets have them"), "{said}");
    let said = fails(home, &["embed", "spotify-logistic", JAZZ, "-o", "x.csv"], 2);
    assert!(said.contains("not on audio"), "{said}");
    let said = fails(home, &["embed", "nothing", JAZZ, "-o", "x.csv"], 3);
    assert!(said.contains("no finished run of nothing"), "{said}");

    // Two of each genre; three tenths are for the test.
    let scores = json(home, &["similar", "--evaluate", "synth-genres", "--with", "honest/dnn"]);
    let notes = scores["notes"].to_string();
    assert!(
        notes.contains("songs are left out: the model was trained or tuned on them"),
        "{notes}"
    );
    assert!(scores["n_songs"].as_u64().unwrap() < 12, "{scores}");
}

#[test]
fn neighbors_are_scored_next_to_chance_and_to_gaussians() {
    let home = music();
    let home = home.path();
    let said = ok(home, &["similar", "--evaluate", "synth-genres", "--k", "5"]);
    assert!(stderr(&said).contains("synth-genres has no column `artist`"));
    let text = stdout(&said);
    for words in [
        "synth-genres: 20 songs of 10 genres\n",
        "precision at 5: the share of the 5 nearest with the song's genre [95 %]",
        "  Gaussian of 20 MFCCs, symmetric KL  0.",
        // One of 19 others has the genre.
        "  random neighbors                    0.053 [",
        "statistics less",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
}

#[test]
fn a_map_is_the_same_again() {
    let home = music();
    let home = home.path();
    let draw = |out: &str| -> Vec<u8> {
        let said = stdout_of(home, &["plot", "map", "synth-genres", "--out", out]);
        assert_eq!(said, format!("{out}/synth-genres-map.svg\n{out}/synth-genres-map.png\n"));
        fs::read(home.join(out).join("synth-genres-map.svg")).unwrap()
    };
    let svg = draw("a");
    assert_eq!(svg, draw("b"));
    let text = String::from_utf8(svg).unwrap();
    assert!(text.contains("jazz (2)") && text.contains("20 songs by statistics, t-SNE"), "{text}");
}
