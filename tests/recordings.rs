//! Recordings as people have them: covers among the tracks, odd names, short and silent files, folders of
//! artists, published lists, indexes of an older version.

use crate::common::{self, edit, fails, ok, stderr, stdout_of as encore};
use std::fs;
use std::path::Path;

use encore::audio::{Waveform, write_wav};

const RATE_HZ: u32 = 22_050;

/// Noise, other noise for another number.
fn recording(path: &Path, number: u32, seconds: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut state = number + 1;
    let samples = (0..(seconds * f64::from(RATE_HZ)) as usize).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 131_072.0 - 0.25
    });
    write_wav(path, &Waveform { samples: samples.collect(), sample_rate_hz: RATE_HZ }).unwrap();
}

/// `GENRE/NUMBER.wav`, six of each of two genres.
fn collection(folder: &Path, seconds: f64) {
    for (number, path) in
        (0..12).map(|k| (k, format!("{}/{k}.wav", if k % 2 == 0 { "rock" } else { "jazz" })))
    {
        recording(&folder.join(path), number, seconds);
    }
}

/// A spec for these tests: `rest` begins in `[features]`.
fn spec(project: &Path, name: &str, dataset: &str, seconds: f64, features: &str) {
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"{dataset}\"\nseeds = [1]\n\
         [segments]\nseconds = {seconds}\nper_track = 3\n{features}\n\
         [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n[model.majority]\n"
    );
    fs::write(project.join(format!("experiments/{name}.toml")), text).unwrap();
}

const MFCC: &str = "[features.mfcc]\nn_mfcc = 13";

#[test]
fn covers_and_playlists_leave_a_collection_complete() {
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    for name in ["rock/cover.jpg", "rock/list.m3u", "jazz/Thumbs.db", "jazz/rip.log"] {
        fs::write(home.join("music").join(name), "x").unwrap();
    }
    let said = encore(home, &["data", "new", "mine", "music"]);
    assert!(
        said.contains("  4 files are not recordings and were skipped: 1 db, 1 jpg, 1 log, 1 m3u\n")
    );
    let found = "sample rates found: 22050 Hz (12 files); read at 22050 Hz";
    assert!(said.contains(found), "{said}");
    let said = encore(home, &["data", "import", "mine", "music"]);
    assert!(said.contains("  12 valid files in "), "{said}");
    assert!(said.contains(", 0 skipped\n"), "{said}");
    assert!(!said.contains("of the 12 tracks of a complete copy"), "{said}");
    spec(home, "x", "mine", 1.0, MFCC);
    let printed = encore(home, &["run", "x"]);
    let record = common::printed_record(home, &printed);
    // One segment of three exists in a track of 1.1 s, and the second is cut by its end.
    let excluded = record["data"]["excluded"].as_array().unwrap();
    assert_eq!(excluded.len(), 12, "{excluded:?}");
    assert_eq!(excluded[0]["reason"], "has 2205 samples, too few for a whole segment");
    assert!(record["cut"].as_array().unwrap().is_empty(), "{}", record["cut"]);
}

#[test]
fn tracks_without_a_segment_come_first_and_explain_an_empty_set() {
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    recording(&home.join("music/rock/short.wav"), 99, 0.5);
    encore(home, &["data", "new", "mine", "music"]);
    encore(home, &["data", "import", "mine", "music"]);
    spec(home, "x", "mine", 1.0, MFCC);
    let output = ok(home, &["run", "x"]);
    let short = "short has no segment: it is 0.50 s long; a segment needs 1 s";
    let line = format!("1 of 13 tracks are not used, e.g. {short}");
    assert!(stderr(&output).contains(&line), "{}", stderr(&output));
    let record = common::printed_record(home, &common::stdout(&output));
    let excluded = record["data"]["excluded"].as_array().unwrap();
    assert_eq!(excluded[0]["name"], "short");
    spec(home, "long", "mine", 5.0, MFCC);
    let output = common::encore(home, &["run", "long"]);
    let said = stderr(&output);
    assert!(said.contains("the train set is empty: 13 of 13 tracks are not used, e.g. "), "{said}");
    assert!(
        said.contains("a segment needs 5 s; 0 examples of 0 tracks, random by track"),
        "{said}"
    );
}

#[test]
fn artists_in_folders_are_a_column_to_split_by() {
    let home = common::project();
    let home = home.path();
    for k in 0..16 {
        let genre = if k % 2 == 0 { "rock" } else { "jazz" };
        let path = format!("music/{genre}/artist {}/album/{k}.wav", k / 2);
        recording(&home.join(path), k, 1.1);
    }
    let said = encore(home, &["data", "new", "mine", "music"]);
    assert!(said.contains("read as GENRE/ARTIST/ALBUM/FILE"), "{said}");
    let said = encore(home, &["data", "import", "mine", "music"]);
    assert!(said.contains("16 valid files in "), "{said}");
    let said = encore(home, &["data", "describe", "mine"]);
    assert!(said.contains("  columns     artist, album\n"), "{said}");
    spec(home, "x", "mine", 1.0, MFCC);
    let spec = home.join("experiments/x.toml");
    edit(
        &spec,
        "by = \"track\"\nstratify = true",
        "group = \"artist\"\nby = \"group\"\nstratify = true",
    );
    let printed = encore(home, &["run", "x"]);
    let record = common::printed_record(home, &printed);
    assert!(record["split"].to_string().contains("artist"), "{}", record["split"]);
}

#[test]
fn a_published_list_with_folds_needs_no_edits() {
    let home = common::project();
    let home = home.path();
    let mut list = "filename,fold,target,category,esc10,src_file,take\n".to_owned();
    for k in 0..20 {
        let (fold, class) = (k % 5 + 1, ["dog", "rain"][k / 5 % 2]);
        list += &format!("{fold}-{k}-A.wav,{fold},0,{class},True,{k},A\n");
        recording(&home.join(format!("esc/audio/{fold}-{k}-A.wav")), k as u32, 1.1);
    }
    fs::create_dir(home.join("esc/meta")).unwrap();
    fs::write(home.join("esc/meta/esc50.csv"), list).unwrap();
    let said = encore(home, &["data", "new", "esc", "esc"]);
    let folds = "5 folds; in a spec: [split.k_fold] k = 5, by = \"track\", column = \"fold\"";
    assert!(said.contains(folds), "{said}");
    let said = encore(home, &["data", "import", "esc", "esc"]);
    assert!(said.contains("20 of 20 listed tracks are valid"), "{said}");
    spec(home, "x", "esc", 1.0, MFCC);
    let path = home.join("experiments/x.toml");
    let random = "[split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n";
    edit(
        &path,
        random,
        "[split.k_fold]\nk = 5\nby = \"track\"\nstratify = false\nvalid = 0.0\ncolumn = \"fold\"\n",
    );
    edit(&path, "seeds = [1]\n", "");
    let printed = encore(home, &["run", "x", "--seeds", "1"]);
    let record = common::printed_record(home, &printed);
    assert_eq!(record["data"]["n_examples"], 20);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_that_is_not_utf_8_is_skipped_by_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    let odd = OsStr::from_bytes(b"caf\xe9.wav");
    fs::copy(home.join("music/rock/0.wav"), home.join("music/rock").join(odd)).unwrap();
    let said = encore(home, &["data", "new", "mine", "music"]);
    assert!(
        said.contains("skipped, because the name is not valid UTF-8: caf\\xE9.wav\n"),
        "{said}"
    );
    let said = encore(home, &["data", "import", "mine", "music"]);
    assert!(said.contains("12 valid files in "), "{said}");
    assert!(said.contains("caf\\xE9.wav: its name is not valid UTF-8; rename it\n"), "{said}");
    // A folder above the recordings cannot be stored either.
    let above = home.join(OsStr::from_bytes(b"\xff"));
    fs::rename(home.join("music"), &above).unwrap();
    let mut command = common::command(home, &["data", "import", "mine"]);
    let output = command.arg(&above).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("its path is not valid UTF-8\nhint: rename the folder"));
}

#[test]
fn odd_and_silent_recordings_are_told_at_the_import_and_at_a_prediction() {
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    let silence = Waveform { samples: vec![0.0; 30_000], sample_rate_hz: RATE_HZ };
    write_wav(home.join("music/rock/silent.wav"), &silence).unwrap();
    let mut two = fs::read(home.join("music/rock/0.wav")).unwrap();
    two.extend(b"data\x10\x27\0\0");
    two.extend([9; 10_000]);
    fs::write(home.join("music/rock/two.wav"), two).unwrap();
    encore(home, &["data", "new", "mine", "music"]);
    let said = encore(home, &["data", "import", "mine", "music"]);
    let second = "it has a second data chunk; those 10000 bytes are not read";
    assert!(said.contains(&format!("  note: rock/two.wav: {second}\n")), "{said}");
    assert!(said.contains("  note: nothing but silence: silent\n"), "{said}");
    spec(home, "x", "mine", 1.0, MFCC);
    encore(home, &["run", "x"]);
    let arguments = ["predict", "music/rock/silent.wav", "music/rock/two.wav", "--with", "x"];
    let said = common::encore(home, &arguments);
    let said = format!("{}{}", common::stdout(&said), stderr(&said));
    assert!(said.contains("warning: it is silent, so the prediction means nothing"), "{said}");
    assert!(said.contains(&format!("warning: {second}")), "{said}");
}

#[test]
fn a_recording_is_never_replaced_by_its_degraded_copy() {
    let home = common::project();
    let home = home.path();
    recording(&home.join("a.wav"), 1, 0.1);
    let before = fs::read(home.join("a.wav")).unwrap();
    for out in ["a.wav", "./a.wav", "datasets/../a.wav"] {
        let arguments = ["degrade", "a.wav", "--with", "mu_law", "--out", out];
        let said = fails(home, &arguments, 2);
        let words = "--out is the recording itself, a.wav, and would replace it\nhint: ";
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(fs::read(home.join("a.wav")).unwrap(), before);
}

#[test]
fn an_index_of_an_older_version_is_used_unless_it_may_have_lost_sound() {
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    encore(home, &["data", "new", "mine", "music"]);
    encore(home, &["data", "import", "mine", "music"]);
    let index = home.join("datasets/imported/mine.json");
    edit(&index, ",\n  \"decoder_version\": 2", "");
    spec(home, "x", "mine", 1.0, MFCC);
    let printed = encore(home, &["run", "x"]);
    let hash = |printed: &str| common::printed_record(home, printed)["data"]["hash"].to_string();
    let before = hash(&printed);
    fs::copy(common::repository().join("tests/golden/tone.mp3"), home.join("music/rock/0.wav"))
        .unwrap();
    let said = fails(home, &["data", "describe", "mine"], 3);
    let words = "lost the end of some mp3 files and half the bandwidth of HE-AAC, so rock/0.wav must be \
                 checked again\nhint: encore data import mine ";
    assert!(said.contains(words), "{said}");
    recording(&home.join("music/rock/0.wav"), 0, 1.1);
    encore(home, &["data", "import", "mine", "music"]);
    assert_eq!(hash(&encore(home, &["run", "x"])), before, "wav files keep their hashes");
}

#[test]
fn empty_mel_filters_are_warned_of_and_a_frame_beyond_a_segment_is_a_fault() {
    let home = common::project();
    let home = home.path();
    collection(&home.join("music"), 1.1);
    encore(home, &["data", "new", "mine", "music"]);
    encore(home, &["data", "import", "mine", "music"]);
    assert!(!encore(home, &["check"]).contains("warning"), "our own specs have no empty filters");
    spec(home, "many", "mine", 1.0, "[features.log_mel]\nn_fft = 512\nn_mels = 256");
    spec(
        home,
        "high",
        "mine",
        1.0,
        "[features.mfcc]\nn_mfcc = 13\nn_fft = 256\nn_mels = 64\nfmin = 9000.0",
    );
    let said = encore(home, &["check"]);
    let hint = "so these bands are the same for every sound; lower n_mels, raise n_fft or widen fmin to fmax";
    for (name, n_empty) in
        [("many", "39 of 256 mel filters are empty"), ("high", "18 of 64 mel filters are empty")]
    {
        let line = said.lines().find(|line| line.contains(&format!("experiments/{name}.toml: ")));
        let line = line.unwrap_or_else(|| panic!("{name}: {said}"));
        assert!(
            line.starts_with("warning: ") && line.contains(n_empty) && line.ends_with(hint),
            "{line}"
        );
    }
    let output = ok(home, &["run", "many"]);
    assert!(stderr(&output).contains("mel filters are empty"), "{}", stderr(&output));
    spec(home, "long", "mine", 0.1, "[features.mfcc]\nn_mfcc = 13\nn_fft = 4096\ncenter = false");
    let said = fails(home, &["run", "long"], 2);
    let words = "experiments/long.toml:10: features.mfcc.n_fft must be at most 2205 with center = false, the \
                 samples of a segment of 0.1 s; use center = true, a smaller n_fft or longer segments";
    assert!(said.contains(words), "{said}");
}
