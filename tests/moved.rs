//! Projects, datasets and runs that were renamed, copied or moved.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{edit, fails, ok, project, repository, runs, stderr, stdout_of};

const MANIFEST: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
    [table]\nid = [\"id\"]\nn_rows = 40\n[table.label]\ncolumn = \"genre\"\n\
    [table.columns]\ntempo = \"tempo\"\n";
const SPEC: &str = "title = \"t\"\nquestion = \"q\"\ndataset = \"songs\"\nseeds = [1]\n\
    [features.table]\ncolumns = [\"tempo\"]\n\
    [split.random]\nby = \"track\"\nstratify = false\ntest = 0.25\nvalid = 0.0\n\
    [model.logistic]\npenalty = \"l2\"\nmax_iterations = 100\n";

/// A project named `before` in a folder, and where a renamed one would be.
struct Home {
    _folder: tempfile::TempDir,
    before: PathBuf,
    after: PathBuf,
}

fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before"), folder.path().join("after"));
    copy(project().path(), &before);
    fs::write(before.join("datasets/songs.toml"), MANIFEST).unwrap();
    fs::write(before.join("experiments/songs.toml"), SPEC).unwrap();
    Home { _folder: folder, before, after }
}

fn table() -> String {
    let row = |i: u32| format!("{i},{},{}\n", ["jazz", "rock"][i as usize % 2], i % 2 * 100 + i);
    format!("id,genre,tempo\n{}", (0..40).map(row).collect::<String>())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

/// A genre folder of two recordings each.
fn recordings(folder: &Path) {
    for genre in ["jazz", "rock"] {
        fs::create_dir_all(folder.join(genre)).unwrap();
        for (name, tone) in [("a", "mfcc_tones"), ("b", "mfcc_noise")] {
            let tone = repository().join(format!("tests/golden/{tone}.wav"));
            fs::copy(tone, folder.join(genre).join(format!("{genre}-{name}.wav"))).unwrap();
        }
    }
}

#[test]
fn a_renamed_project_finds_the_data_in_it() {
    for folder in ["data", "datasets/downloads/songs"] {
        let Home { before, after, .. } = &home();
        fs::create_dir_all(before.join(folder)).unwrap();
        fs::write(before.join(folder).join("songs.csv"), table()).unwrap();
        ok(before, &["data", "import", "songs", &format!("{folder}/songs.csv")]);
        ok(before, &["run", "songs"]);
        let text = fs::read_to_string(before.join("datasets/imported/songs.json")).unwrap();
        assert!(text.contains(&format!("\"root\": \"{folder}\"")), "{text}");
        fs::rename(before, after).unwrap();
        assert!(stderr(&ok(after, &["run", "songs"])).contains("already done"));
        ok(after, &["run", "songs", "--seeds", "2"]);
        let said = stdout_of(after, &["data", "describe", "songs"]);
        assert!(said.contains(&after.canonicalize().unwrap().display().to_string()), "{said}");
        ok(after, &["data", "check", "songs"]);
    }
    // A copy uses its own data; an index of an earlier encore has an absolute path.
    let Home { before, after, .. } = &home();
    fs::create_dir_all(before.join("datasets/downloads/songs")).unwrap();
    fs::write(before.join("datasets/downloads/songs/songs.csv"), table()).unwrap();
    ok(before, &["data", "import", "songs", "datasets/downloads/songs/songs.csv"]);
    let absolute = before.canonicalize().unwrap().join("datasets/downloads/songs");
    let index = before.join("datasets/imported/songs.json");
    edit(&index, "\"datasets/downloads/songs\"", &format!("\"{}\"", absolute.display()));
    ok(before, &["run", "songs"]);
    fs::rename(before, after).unwrap();
    ok(after, &["run", "songs", "--seeds", "2"]);
}

#[test]
fn a_dataset_that_moved_is_one_message_with_what_to_do() {
    let Home { before, after: elsewhere, .. } = &home();
    let outside = before.with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("songs.csv"), table()).unwrap();
    ok(before, &["data", "import", "songs", "../outside/songs.csv"]);
    fs::copy(before.join("experiments/songs.toml"), before.join("experiments/other.toml")).unwrap();
    let run = ["run", "songs", "other", "--seeds", "1,2,3"];
    fs::rename(&outside, elsewhere).unwrap();
    let said = fails(before, &run, 3);
    let root = outside.parent().unwrap().canonicalize().unwrap().join("outside");
    let line =
        format!("{} does not exist; the dataset songs was imported from there", root.display());
    assert_eq!(said.matches(&line).count(), 1, "{said}");
    assert_eq!(said.matches("hint: ").count(), 1, "{said}");
    assert!(said.contains("hint: if it has moved: encore data import songs PATH"), "{said}");
    // One file of a folder that still exists.
    fs::create_dir(&outside).unwrap();
    assert!(fails(before, &run, 3).contains("outside/songs.csv does not exist"));
    // The advice.
    ok(before, &["data", "import", "songs", "../after/songs.csv"]);
    ok(before, &run);

    // Recordings: one message, not one a file.
    let music = before.with_file_name("music");
    recordings(&music);
    ok(before, &["data", "new", "music", "../music"]);
    ok(before, &["data", "import", "music", "../music"]);
    fs::rename(&music, before.with_file_name("moved")).unwrap();
    let run = ["run", "baseline-audio", "--data", "music", "--seeds", "1,2"];
    let said = fails(before, &run, 3);
    assert_eq!(
        said.matches("music does not exist; the dataset music was imported").count(),
        1,
        "{said}"
    );
    ok(before, &["data", "import", "music", "../moved"]);
}

#[test]
fn a_run_that_was_copied_without_its_manifest_can_predict() {
    let home = project();
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 2",
    );
    let tone = repository().join("tests/golden/tone.flac");
    edit(&home.path().join("experiments/baseline-audio.toml"), "seconds = 3.0", "seconds = 0.2");
    ok(home.path(), &["run", "baseline-audio", "--seeds", "1"]);
    let predict = |project: &Path, with: &str| {
        stdout_of(project, &["predict", tone.to_str().unwrap(), "--with", with])
    };
    let run = runs(home.path()).remove(0);
    let id = run.file_name().unwrap().to_str().unwrap();
    let wanted = predict(home.path(), id);
    assert!(wanted.contains("tone.flac"), "{wanted}");

    let other = tempfile::tempdir().unwrap();
    for folder in ["experiments", "datasets", "reports/runs"] {
        fs::create_dir_all(other.path().join(folder)).unwrap();
    }
    copy(&run, &other.path().join("reports/runs").join(id));
    assert_eq!(predict(other.path(), id), wanted);
}
