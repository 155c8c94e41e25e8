//! Every manifest of recordings, on a tiny tree in the published structure: which files are
//! imported, with which name, genre and set; which are skipped; and a run on the published split.

mod published;

use crate::common::{self, fails, stdout_of as encore};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use encore::audio::{Waveform, write_wav};
use encore::dataset::{AudioData, Catalogue, Cut, Data, Layout};
use published::{LOADERS, Loader};

/// Writes 3.2 s of noise that depends on a number; the name of the file says nothing about its
/// format.
fn recording(path: &Path, number: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut state = number as u32 + 1;
    let samples = (0..25_600).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 131_072.0 - 0.25
    });
    let waveform = Waveform { samples: samples.collect(), sample_rate_hz: 8_000 };
    write_wav(path, &waveform).unwrap();
}

fn plant(loader: &Loader, folder: &Path) {
    for (file, text) in loader.texts {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let good = loader.tracks.iter().map(|(path, ..)| path);
    for (number, path) in good.chain(loader.others).enumerate() {
        recording(&folder.join(path), number);
    }
}

fn audio(catalogue: &Catalogue, name: &str) -> AudioData {
    match catalogue.load(catalogue.find(name).unwrap(), Cut::default()).unwrap() {
        Data::Audio(audio) => audio,
        _ => panic!("{name} is no audio"),
    }
}

/// Imports a tree and compares the result with the expected one.
fn import(loader: &Loader, project: &Path) {
    let name = loader.name;
    let folder = project.join("data").join(name);
    plant(loader, &folder);
    let said = encore(project, &["data", "import", name, folder.to_str().unwrap()]);
    let catalogue = Catalogue::open(&project.join("datasets")).unwrap();
    let audio = audio(&catalogue, name);
    let column = if name == "gtzan" { "filtered" } else { "split" };
    let sets = audio.track_columns.column(column).cloned().unwrap_or_default();
    let set = |id: &str| sets.get(id).cloned().unwrap_or_default();
    let mut got: Vec<[String; 3]> = audio
        .tracks
        .iter()
        .map(|track| [track.id.clone(), audio.classes[track.class].clone(), set(&track.id)])
        .collect();
    got.sort();
    let mut wanted: Vec<[String; 3]> = loader
        .tracks
        .iter()
        .map(|(_, id, genre, set)| [id, genre, set].map(|text| (*text).to_owned()))
        .collect();
    wanted.sort();
    assert_eq!(got, wanted, "{name}\n{said}");
    let out: Vec<String> =
        audio.excluded.iter().map(|out| format!("{}: {}", out.name, out.reason)).collect();
    assert_eq!(out.len(), loader.out.len(), "{name}: {out:?}");
    for (out, wanted) in out.iter().zip(loader.out) {
        assert!(out.starts_with(wanted), "{name}: {out}");
    }
    // For these datasets, only the lists tell how many tracks there are.
    let is_whole = ["fma-large", "mtg-jamendo", "mtg-jamendo-top50"].contains(&name);
    assert_eq!(audio.part.is_none(), is_whole, "{name}: {:?}", audio.part);
    assert!(encore(project, &["data", "check", name]).contains("has not changed"), "{name}");
}

/// Runs a spec on the dataset and checks the number of examples in each set.
fn run(loader: &Loader, project: &Path) {
    let name = loader.name;
    let spec = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"{name}\"\nseeds = [1]\n\
         [segments]\nseconds = 3.0\nper_track = 10\n[features.mfcc]\nn_mfcc = 13\n\
         n_fft = 2048\nhop_length = 512\n{}\n[model.majority]\n",
        loader.split
    );
    fs::write(project.join(format!("experiments/of-{name}.toml")), spec).unwrap();
    let words = encore(project, &["run", &format!("of-{name}")]);
    let record = common::printed_record(project, &words);
    assert_eq!(record["data"]["dataset"], name);
    // At 16 kHz, three seconds have fewer frames.
    let n_frames = if name == "magnatagatune" { 94 } else { 130 };
    assert_eq!(record["data"]["shape"], serde_json::json!([n_frames, 13]), "{name}");
    if loader.split.contains("listed") {
        for set in ["train", "valid", "test"] {
            let n = loader.tracks.iter().filter(|(.., of)| *of == set).count();
            assert_eq!(record["split"][format!("n_{set}")], n, "{name} {set}");
        }
    }
}

#[test]
fn every_manifest_of_recordings_loads_its_published_structure() {
    let home = common::project();
    let catalogue = Catalogue::open(&home.path().join("datasets")).unwrap();
    let is_on_disk = |layout: &Layout| matches!(layout, Layout::Folder(_) | Layout::Listed(_));
    let manifests = catalogue.manifests().filter(|manifest| is_on_disk(&manifest.layout));
    let names: Vec<&str> = manifests.map(|manifest| manifest.name.as_str()).collect();
    let loaders: BTreeMap<&str, &Loader> =
        LOADERS.iter().map(|loader| (loader.name, loader)).collect();
    assert_eq!(names, loaders.keys().copied().collect::<Vec<_>>(), "a manifest, a row of LOADERS");
    assert_eq!(names.len(), 9);
    for loader in LOADERS {
        import(loader, home.path());
        run(loader, home.path());
    }
}

/// Returns the output of `data new`, the manifest that it writes, and the dataset that an import
/// creates.
fn new(project: &Path, name: &str, path: &str) -> (String, String, AudioData) {
    let said = encore(project, &["data", "new", name, path]);
    let manifest = fs::read_to_string(project.join(format!("datasets/{name}.toml"))).unwrap();
    let (_, command) = said.split_once("then: encore ").unwrap();
    let arguments: Vec<&str> = command.split_whitespace().collect();
    encore(project, &arguments);
    let catalogue = Catalogue::open(&project.join("datasets")).unwrap();
    let audio = audio(&catalogue, name);
    assert!(audio.part.is_none() && audio.excluded.is_empty(), "{:?}", audio.excluded);
    (said, manifest, audio)
}

fn named(audio: &AudioData) -> Vec<(&str, &str)> {
    let class = |class: usize| audio.classes[class].as_str();
    audio.tracks.iter().map(|track| (track.id.as_str(), class(track.class))).collect()
}

#[test]
fn a_collection_of_ones_own_needs_no_manifest_by_hand() {
    let home = common::project();
    let home = home.path();
    for (number, path) in ["slow/1.wav", "slow/2.wav", "fast \"x\"/1.wav"].iter().enumerate() {
        recording(&home.join("mine").join(path), number);
    }
    fs::write(home.join("mine/list.csv"), "1.wav,a\n").unwrap();
    let (said, manifest, audio) = new(home, "by-folder", "mine");
    assert!(said.contains("  slow: 2 files\n  not in a genre folder: list.csv\n"), "{said}");
    assert!(manifest.contains("genres = [\"fast \\\"x\\\"\", \"slow\"]\ngenre_in_track = true"));
    assert!(manifest.contains("sample_rate_hz = 22050\nn_tracks = 3\n"), "{manifest}");
    let slow = [("slow.1", "slow"), ("slow.2", "slow")];
    assert_eq!(named(&audio), [&[("fast \"x\".1", "fast \"x\"")], &slow[..]].concat());

    // Without a header, the column of files is found by testing which files exist.
    fs::write(home.join("mine/bare.tsv"), "a\tslow/1.wav\nb\tslow/2.wav\n").unwrap();
    let (_, manifest, audio) = new(home, "bare", "mine/bare.tsv");
    assert!(manifest.contains("delimiter = \"\\t\"\nheader_rows = 0\npath = \"{2}\"\n"));
    assert_eq!(named(&audio), [("slow.1", "a"), ("slow.2", "b")]);

    let list = "Genre;ID;File;artist_name;split\na;x;slow/1.wav;A;train\nb;y;slow/2.wav;B;test\n";
    fs::write(home.join("mine/full.csv"), list).unwrap();
    let (said, manifest, audio) = new(home, "full", "mine/full.csv");
    let notes = "  a: 1 rows\n  b: 1 rows\n  a split; in a spec: [split.listed] column = \"split\"\n  \
                 sample rates found: 8000 Hz (2 files); read at 22050 Hz; --sample-rate changes that\n";
    assert!(said.starts_with(notes), "{said}");
    let columns = "track_columns = { artist = \"{artist_name}\", split = \"{split}\" }";
    assert!(manifest.contains(columns), "{manifest}");
    assert_eq!(named(&audio), [("x", "a"), ("y", "b")]);
    assert_eq!(audio.track_columns.column("split").unwrap()["y"], "test");
}

#[test]
fn what_is_no_collection_is_said_and_leaves_no_manifest() {
    let home = common::project();
    let home = home.path();
    recording(&home.join("mine/only/1.wav"), 1);
    fs::write(home.join("mine/a.csv"), "a,b,c\n1,2,3\n").unwrap();
    fs::write(home.join("mine/b.csv"), "path,label\n/abs/1.wav,x\n").unwrap();
    for (name, path, code, words) in [
        (
            "x",
            "mine",
            3,
            "expected at least two folders of recordings, one per genre, found one (only)\nhint: ",
        ),
        ("x", "mine/a.csv", 3, "must begin with a row that names a column of paths (path, file,"),
        ("x", "mine/b.csv", 3, "no file of the column `path` exists, e.g. /abs/1.wav; paths"),
        ("x", "nowhere", 3, "nowhere: No such file"),
        ("gtzan", "mine", 2, "dataset `gtzan` already exists"),
        ("../x", "mine", 2, "invalid name `../x`"),
    ] {
        let said = fails(home, &["data", "new", name, path], code);
        assert!(said.contains(words), "{words}\nis not in\n{said}");
    }
    assert!(!home.join("datasets/x.toml").exists());
}
