//! Every manifest of recordings, on a tiny tree in the published structure: what is imported, under which
//! name and genre and in which set; what is kept out; and a run on the published split.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use encore::audio::{Waveform, write_wav};
use encore::dataset::{AudioData, Catalogue, Cut, Data, Layout};

/// A tree of a dataset and what is to come of it.
struct Loader {
    name: &'static str,
    /// Files of text: lists, and what else lies about.
    texts: &'static [(&'static str, &'static str)],
    /// Good recordings: path, track, genre, set.
    tracks: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// Recordings that are there and in no use.
    others: &'static [&'static str],
    /// What is kept out, and why.
    out: &'static [&'static str],
    /// The split of a spec.
    split: &'static str,
}

const SPLIT: &str = "[split.listed]\ncolumn = \"split\"";

/// `tracks.csv` of FMA: a header of two rows, and one that names the first column only.
macro_rules! fma {
    ($($row:literal,)+) => {
        concat!(
            ",album,album,artist,artist,set,set,track,track,track\n",
            ",comments,id,id,name,split,subset,genre_top,genres,title\n",
            "track_id,,,,,,,,,\n",
            $($row,)+
        )
    };
}

const LOADERS: &[Loader] = &[
    Loader {
        name: "gtzan",
        texts: &[("genres/._jazz.00003.au", "mac"), ("genres/jazz/jazz.00054.wav", "RIFF broken")],
        tracks: &[
            ("genres/blues/blues.00029.wav", "blues.00029", "blues", "train"),
            ("genres/blues/blues.00000.wav", "blues.00000", "blues", "valid"),
            ("genres/jazz/jazz.00061.wav", "jazz.00061", "jazz", "train"),
            ("genres/rock/rock.00010.wav", "rock.00010", "rock", "test"),
            ("genres/rock/rock.00011.wav", "rock.00011", "rock", "test"),
        ],
        others: &[],
        out: &["jazz/jazz.00054.wav: "],
        split: "[split.listed]\ncolumn = \"filtered\"",
    },
    Loader {
        name: "fma-small",
        texts: &[
            (
                "fma_metadata/tracks.csv",
                fma!(
                    "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                    "10,0,6,6,\"Kurt\nVile\",training,small,Pop,[10],\"Freeway, \"\"live\"\"\"\n",
                    "140,0,61,54,Alec K.,validation,small,Folk,[17],Queen Of The Wires\n",
                    "141,0,60,54,Alec K.,test,small,Folk,[17],Ohio\n",
                    "142,0,60,54,Alec K.,test,small,Folk,[17],Punjabi\n",
                    "5,0,1,1,AWOL,training,large,Hip-Hop,[21],This World\n",
                    "133297,0,7,9,X,training,small,Rock,[12],Nothing\n",
                    "98565,0,8,9,X,training,small,Rock,[12],Gone\n",
                    "144,0,8,9,X,training,small,,\"[12, 15]\",Two\n",
                ),
            ),
            ("fma_small/133/133297.mp3", ""),
            ("fma_small/README.txt", "read me"),
        ],
        tracks: &[
            ("fma_small/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_small/000/000010.mp3", "000010", "Pop", "train"),
            ("fma_small/000/000140.mp3", "000140", "Folk", "valid"),
            ("fma_small/000/000141.mp3", "000141", "Folk", "test"),
            ("fma_small/000/000142.mp3", "000142", "Folk", "test"),
        ],
        others: &["fma_small/000/000005.mp3"],
        out: &[
            "fma_metadata/tracks.csv:13: has no genre",
            "098/098565.mp3: is listed and not there",
            "fma_small/133/133297.mp3: ",
        ],
        split: SPLIT,
    },
    Loader {
        name: "fma-medium",
        texts: &[(
            "fma_metadata/tracks.csv",
            fma!(
                "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                "3,0,1,1,AWOL,validation,medium,Hip-Hop,[21],Electric Ave\n",
                "120000,0,1,2,Y,test,medium,Old-Time / Historic,[8],Blue\n",
                "4,0,1,1,AWOL,test,medium,Hip-Hop,[21],More\n",
                "5,0,1,1,AWOL,training,large,Hip-Hop,[21],This World\n",
            ),
        )],
        tracks: &[
            ("fma_medium/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_medium/000/000003.mp3", "000003", "Hip-Hop", "valid"),
            ("fma_medium/000/000004.mp3", "000004", "Hip-Hop", "test"),
            ("fma_medium/120/120000.mp3", "120000", "Old-Time-Historic", "test"),
        ],
        others: &[],
        out: &[],
        split: SPLIT,
    },
    Loader {
        name: "fma-large",
        texts: &[(
            "fma_metadata/tracks.csv",
            fma!(
                "2,0,1,1,AWOL,training,small,Hip-Hop,[21],Food\n",
                "5,0,1,1,AWOL,test,large,Hip-Hop,[21],This World\n",
                "6,0,1,1,AWOL,test,large,Jazz,[4],That World\n",
                "20,0,4,4,Nicky Cook,training,large,,\"[76, 103]\",Spiritual Level\n",
            ),
        )],
        tracks: &[
            ("fma_large/000/000002.mp3", "000002", "Hip-Hop", "train"),
            ("fma_large/000/000005.mp3", "000005", "Hip-Hop", "test"),
            ("fma_large/000/000006.mp3", "000006", "Jazz", "test"),
        ],
        others: &["fma_large/000/000020.mp3"],
        out: &["fma_metadata/tracks.csv:7: has no genre"],
        split: SPLIT,
    },
    Loader {
        name: "mtg-jamendo",
        texts: &[
            (
                "data/splits/split-0/autotagging_genre-train.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\n",
                    "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---metal\n",
                    "track_0000382\tartist_000020\talbum_000046\t82/382.mp3\t211.1\tgenre---funk\tgenre---jazz\n",
                    "track_0000387\tartist_000020\talbum_000046\t87/387.mp3\t273.3\tgenre---pop\tgenre---rock\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_genre-validation.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000773\tartist_000104\talbum_000126\t73/773.mp3\t275.3\tgenre---electronic\n",
                ),
            ),
            (
                "data/splits/split-0/autotagging_genre-test.tsv",
                concat!(
                    "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n",
                    "track_0000877\tartist_000087\talbum_000111\t77/877.mp3\t186.9\tgenre---metal\n",
                    "track_0000878\tartist_000087\talbum_000111\t78/878.mp3\t190.0\tgenre---blues\n",
                ),
            ),
        ],
        tracks: &[
            ("raw_30s/audio/15/215.mp3", "track_0000215", "metal", "train"),
            ("raw_30s/audio/73/773.mp3", "track_0000773", "electronic", "valid"),
            ("raw_30s/audio/77/877.mp3", "track_0000877", "metal", "test"),
            ("raw_30s/audio/78/878.mp3", "track_0000878", "blues", "test"),
            ("raw_30s/audio/82/382.mp3", "track_0000382", "jazz", "train"),
        ],
        others: &["raw_30s/audio/14/214.mp3"],
        out: &[
            "data/splits/split-0/autotagging_genre-train.tsv:2: has no genre of this dataset",
            "data/splits/split-0/autotagging_genre-train.tsv:5: has several genres of this dataset",
        ],
        split: SPLIT,
    },
    Loader {
        name: "ismir04",
        texts: &[
            (
                "metadata/training/tracklist.csv",
                concat!(
                    "\"classical\",\"Orinda\",\"Airs de Cour\",\"Amans\",\"7\",\"classical/orinda/airs_de_cour/7-amans.mp3\"\n",
                    "\"world\",\"Jag\",\"Four Strings\",\"One, Two\",\"1\",\"world/jag/four_strings/1-one.mp3\"\n",
                    "\"world\",\"Jag\",\"Four Strings\",\"Lost\",\"2\",\"world/jag/four_strings/2-jag's.mp3\"\n",
                ),
            ),
            (
                "metadata/development/tracklist.csv",
                "\"classical\",\"artist_1\",\"album_1\",\"track_1\",\"1\",\"track_1.mp3\"\n",
            ),
            (
                "metadata/evaluation/tracklist.csv",
                concat!(
                    "\"rock_pop\",\"Brad\",\"Sides\",\"Bounce\",\"3\",\"rock_pop/brad/sides/3-bounce.mp3\",\"1234\"\n",
                    "\"rock_pop\",\"Brad\",\"Sides\",\"Back\",\"4\",\"rock_pop/brad/sides/4-back.mp3\",\"1235\"\n",
                ),
            ),
        ],
        tracks: &[
            ("audio/development/track_1.mp3", "development.track_1", "classical", "valid"),
            (
                "audio/evaluation/rock_pop/brad/sides/3-bounce.mp3",
                "evaluation.rock_pop.brad.sides.3-bounce",
                "rock_pop",
                "test",
            ),
            (
                "audio/evaluation/rock_pop/brad/sides/4-back.mp3",
                "evaluation.rock_pop.brad.sides.4-back",
                "rock_pop",
                "test",
            ),
            (
                "audio/training/classical/orinda/airs_de_cour/7-amans.mp3",
                "training.classical.orinda.airs_de_cour.7-amans",
                "classical",
                "train",
            ),
            (
                "audio/training/world/jag/four_strings/1-one.mp3",
                "training.world.jag.four_strings.1-one",
                "world",
                "train",
            ),
        ],
        others: &["audio/training/world/jag/four_strings/2-jag_s.mp3"],
        out: &["training/world/jag/four_strings/2-jag's.mp3: is listed and not there"],
        split: SPLIT,
    },
    Loader {
        name: "ballroom",
        texts: &[(
            "BallroomData/allBallroomFiles",
            concat!(
                "./ChaChaCha/Albums-Fire-08.wav\n",
                "./Rumba-American/Albums-Latin_Jam-01.wav\n",
                "./Rumba-Misc/Media-103402.wav\n",
                "./Samba/Albums-Fire-09.wav\n",
                "./Waltz/Media-104705.wav\n",
                "./Foxtrot/Media-1.wav\n",
            ),
        )],
        tracks: &[
            ("BallroomData/ChaChaCha/Albums-Fire-08.wav", "Albums-Fire-08", "ChaChaCha", ""),
            (
                "BallroomData/Rumba-American/Albums-Latin_Jam-01.wav",
                "Albums-Latin_Jam-01",
                "Rumba",
                "",
            ),
            ("BallroomData/Rumba-Misc/Media-103402.wav", "Media-103402", "Rumba", ""),
            ("BallroomData/Samba/Albums-Fire-09.wav", "Albums-Fire-09", "Samba", ""),
            ("BallroomData/Waltz/Media-104705.wav", "Media-104705", "Waltz", ""),
        ],
        others: &["BallroomData/Foxtrot/Media-1.wav"],
        out: &[
            "BallroomData/allBallroomFiles:6: has the genre Foxtrot, which is none of this dataset",
        ],
        split: "[split.random]\nby = \"track\"\nstratify = false\ntest = 0.4\nvalid = 0.4",
    },
];

/// 3.2 s of noise, other noise for another number; the name says nothing of what it is.
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

fn encore(project: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_encore"));
    let output = command.current_dir(project).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn audio(catalogue: &Catalogue, name: &str) -> AudioData {
    match catalogue.load(catalogue.find(name).unwrap(), Cut::default()).unwrap() {
        Data::Audio(audio) => audio,
        _ => panic!("{name} is no audio"),
    }
}

/// Imports a tree, and holds what comes of it to what should.
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
    // Of these two only the lists say how many tracks there are.
    let is_whole = ["fma-large", "mtg-jamendo"].contains(&name);
    assert_eq!(audio.part.is_none(), is_whole, "{name}: {:?}", audio.part);
    assert!(encore(project, &["data", "check", name]).contains("is what was imported"), "{name}");
}

/// Runs a spec on the dataset; how many examples are in each set is by its tracks.
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
    let folder = words.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    let text = fs::read_to_string(project.join(folder).join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["data"]["dataset"], name);
    assert_eq!(record["data"]["shape"], serde_json::json!([130, 13]), "{name}");
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
    assert_eq!(names.len(), 7);
    for loader in LOADERS {
        import(loader, home.path());
        run(loader, home.path());
    }
}

/// What `data new` says, the manifest that it writes, and the dataset that an import makes of it.
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
    assert!(said.contains("  slow: 2 files\n  not in a genre's folder: list.csv\n"), "{said}");
    assert!(manifest.contains("genres = [\"fast \\\"x\\\"\", \"slow\"]\ngenre_in_track = true"));
    assert!(manifest.contains("sample_rate_hz = 8000\nn_tracks = 3\n"), "{manifest}");
    let slow = [("slow.1", "slow"), ("slow.2", "slow")];
    assert_eq!(named(&audio), [&[("fast \"x\".1", "fast \"x\"")], &slow[..]].concat());

    // Without a header: the column of files is found by looking for them.
    fs::write(home.join("mine/bare.tsv"), "a\tslow/1.wav\nb\tslow/2.wav\n").unwrap();
    let (_, manifest, audio) = new(home, "bare", "mine/bare.tsv");
    assert!(manifest.contains("delimiter = \"\\t\"\nheader_rows = 0\npath = \"{2}\"\n"));
    assert_eq!(named(&audio), [("slow.1", "a"), ("slow.2", "b")]);

    let list = "Genre;ID;File;artist_name;split\na;x;slow/1.wav;A;train\nb;y;slow/2.wav;B;test\n";
    fs::write(home.join("mine/full.csv"), list).unwrap();
    let (said, manifest, audio) = new(home, "full", "mine/full.csv");
    assert!(said.starts_with("  a: 1 rows\n  b: 1 rows\nwrote "), "{said}");
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
        ("x", "mine", 3, "at least two folders of recordings, one a genre, got one\nhint: "),
        ("x", "mine/a.csv", 3, "must begin with a row that names a column of paths (path, file,"),
        ("x", "mine/b.csv", 3, "no file of the column `path` is there, e.g. /abs/1.wav; paths"),
        ("x", "nowhere", 3, "nowhere: No such file"),
        ("gtzan", "mine", 2, "there is already a dataset `gtzan`"),
        ("../x", "mine", 2, "`../x` is no name"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_encore"));
        let output = command.current_dir(home).args(["data", "new", name, path]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{path}: {said}");
        assert!(said.contains(words), "{words}\nis not in\n{said}");
    }
    assert!(!home.join("datasets/x.toml").exists());
}
