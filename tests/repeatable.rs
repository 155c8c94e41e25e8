//! Runs as a user meets them: killed, stopped, damaged, asked for twice - and the same bits in the end.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;
mod features;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The six experiments of the report, made small.
const SIX: &[&str] = &["dnn", "cnn-1", "cnn-2", "cnn-3", "spotify-logistic", "spotify-dense"];

/// A project whose corpora are small.
fn project() -> tempfile::TempDir {
    let home = common::project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 2",
    );
    home
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} lacks {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn command(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_encore"));
    command.current_dir(project).args(arguments);
    command
}

fn encore(project: &Path, arguments: &[&str]) -> Output {
    command(project, arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `run` of one experiment with one seed, saving after every step.
fn run<'a>(experiment: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", experiment, "--seeds", "1", "--checkpoint-every", "0"];
    if !experiment.contains("logistic") {
        arguments.extend(["--set", "training.epochs=6"]);
    }
    arguments.extend(more);
    arguments
}

fn ok(project: &Path, arguments: &[&str]) -> Output {
    let output = encore(project, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    output
}

/// The folders of runs, by name.
fn runs(project: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(project.join("reports/runs")) else { return vec![] };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn record(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("record.json")).unwrap()).unwrap()
}

/// What every finished run has come to, by its name.
fn outputs(project: &Path) -> BTreeMap<String, serde_json::Value> {
    let finished = runs(project).into_iter().filter(|folder| folder.join("record.json").exists());
    finished
        .map(|folder| {
            let record = record(&folder);
            let name = record["experiment"].as_str().unwrap().to_owned();
            let mut epochs = fs::read_to_string(folder.join("epochs.jsonl")).unwrap();
            // The time that an epoch took is the one thing that may be other.
            epochs =
                epochs.lines().map(|line| line.split(",\"seconds\"").next().unwrap()).collect();
            (name, serde_json::json!([record["outputs"], epochs]))
        })
        .collect()
}

/// Kills a process with all that it has started.
#[cfg(unix)]
fn kill_all(mut child: Child) {
    let group = format!("-{}", child.id());
    Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status().unwrap();
    child.wait().unwrap();
}

/// Starts encore in a process group of its own.
#[cfg(unix)]
fn start(project: &Path, arguments: &[&str]) -> Child {
    use std::os::unix::process::CommandExt;
    let mut command = command(project, arguments);
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A generator of the test's own: SplitMix64.
fn random(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
#[cfg(unix)]
fn killed_at_fifty_random_moments_every_run_ends_with_the_bits_of_an_undisturbed_one() {
    let (calm, stormy) = (project(), project());
    let mut durations = BTreeMap::new();
    for experiment in SIX {
        // Twice: the first makes the features, the second is what a restart takes.
        ok(calm.path(), &run(experiment, &[]));
        for folder in runs(calm.path()) {
            if record(&folder)["experiment"] == **experiment {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        let begin = Instant::now();
        ok(calm.path(), &run(experiment, &[]));
        durations.insert(*experiment, begin.elapsed());
    }
    let (mut n_kills, mut n_half_way) = (0, 0);
    while n_kills < 50 || (n_half_way < 5 && n_kills < 150) {
        let experiment = SIX[n_kills % SIX.len()];
        // A run that was done in spite of a kill is begun anew, so that every kill has something to hit.
        for folder in runs(stormy.path()) {
            if folder.join("record.json").exists() && record(&folder)["experiment"] == *experiment {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        let child = start(stormy.path(), &run(experiment, &[]));
        let share = random(n_kills as u64) as f64 / u64::MAX as f64;
        sleep(durations[experiment].mul_f64(share));
        kill_all(child);
        n_kills += 1;
        let is_this = |folder: &&PathBuf| {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{experiment}."))
        };
        let folders = runs(stormy.path());
        let folder = folders.iter().find(is_this);
        let has = |file: &str| folder.is_some_and(|folder| folder.join(file).exists());
        // Other load makes runs quicker or slower than they were: kills follow them.
        let (is_done, is_half_way) = (has("record.json"), has("checkpoint-1"));
        let factor = match (is_done, is_half_way) {
            (true, _) => 0.85,
            (false, true) => 1.0,
            (false, false) => 1.15,
        };
        durations.entry(experiment).and_modify(|duration| *duration = duration.mul_f64(factor));
        n_half_way += usize::from(is_half_way && !is_done);
    }
    let mut n_resumed = 0;
    for experiment in SIX {
        ok(stormy.path(), &run(experiment, &[]));
    }
    for folder in runs(stormy.path()) {
        n_resumed += record(&folder)["timings"]["n_resumed"].as_u64().unwrap();
        assert!(!folder.join("checkpoint-1").exists() && !folder.join("checkpoint-2").exists());
    }
    assert_eq!(outputs(stormy.path()), outputs(calm.path()));
    assert_eq!(outputs(calm.path()).len(), SIX.len());
    assert!(
        n_half_way >= 5,
        "only {n_half_way} kills left a training half-way: the test hits too little"
    );
    assert!(n_resumed >= 1, "no run has gone on from a checkpoint");
}

/// Stops a run half-way: starts it and waits until it has saved itself a few times.
#[cfg(unix)]
fn cut_off(project: &Path, arguments: &[&str]) -> PathBuf {
    for _ in 0..20 {
        let child = start(project, arguments);
        let begin = Instant::now();
        let folder = loop {
            let saved = runs(project).into_iter().find(|folder| {
                fs::read_to_string(folder.join("epochs.jsonl"))
                    .is_ok_and(|text| text.lines().count() >= 2)
            });
            match saved {
                Some(folder) => break folder,
                None if begin.elapsed() > Duration::from_mins(1) => panic!("no epoch in a minute"),
                None => sleep(Duration::from_millis(2)),
            }
        };
        kill_all(child);
        if !folder.join("record.json").exists() {
            return folder;
        }
        fs::remove_dir_all(folder).unwrap();
    }
    panic!("the run was always done before it could be cut off");
}

#[test]
#[cfg(unix)]
fn damaged_checkpoints_and_records_are_found_said_and_made_good() {
    let home = project();
    let arguments = run("cnn-2", &["--set", "training.epochs=12"]);
    let folder = cut_off(home.path(), &arguments);
    // The newer checkpoint and the curves are damaged: the older one serves.
    let newest = newer_checkpoint(&folder);
    flip(&newest, 0.6);
    flip(&folder.join("epochs.jsonl"), 0.2);
    let output = ok(home.path(), &arguments);
    let said = stderr(&output);
    let name = newest.file_name().unwrap().to_str().unwrap();
    assert!(said.contains(&format!("{name}: is damaged: its checksum does not fit")), "{said}");
    assert!(said.contains("epochs.jsonl: line 1 is damaged"), "{said}");
    assert!(said.contains("goes on after epoch"), "{said}");
    let wanted = outputs(home.path());
    let id = folder.file_name().unwrap().to_str().unwrap().to_owned();
    // Undisturbed, it comes to the same.
    ok(home.path(), &["verify", &id]);

    // Both checkpoints cut short: nothing to go on from, and that is said.
    fs::remove_dir_all(&folder).unwrap();
    cut_off(home.path(), &arguments);
    for slot in ["checkpoint-1", "checkpoint-2"] {
        let path = folder.join(slot);
        if let Ok(bytes) = fs::read(&path) {
            fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
        }
    }
    let said = stderr(&ok(home.path(), &arguments));
    assert!(said.contains("is damaged") && said.contains(": started"), "{said}");
    assert_eq!(outputs(home.path()), wanted);

    // A finished run's files: each is found, said, and the run made anew.
    for file in ["record.json", "predictions.csv", "split.csv", "model/model.safetensors"] {
        flip(&folder.join(file), 0.5);
        let said = stderr(&ok(home.path(), &arguments));
        assert!(said.contains(file) && said.contains("the run is made anew"), "{file}: {said}");
        assert_eq!(outputs(home.path()), wanted, "{file}");
        let said = stderr(&ok(home.path(), &arguments));
        assert!(said.contains("found, done before"), "{file}: {said}");
    }
    // A damaged record does not stand in the way of the page.
    flip(&folder.join("record.json"), 0.5);
    let said = stderr(&ok(home.path(), &["list"]));
    assert!(said.contains("left out") && said.contains("record.json"), "{said}");
}

fn newer_checkpoint(folder: &Path) -> PathBuf {
    let slots = ["checkpoint-1", "checkpoint-2"].map(|slot| folder.join(slot));
    let number = |path: &PathBuf| -> u64 {
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let digits = text.split("\"number\":").nth(1).unwrap_or("0");
        digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    };
    slots.into_iter().max_by_key(number).unwrap()
}

/// Flips a bit of the byte at a share of a file's length.
fn flip(path: &Path, share: f64) {
    let mut bytes = fs::read(path).unwrap();
    let mut place = (bytes.len() as f64 * share) as usize;
    // In text, a digit: the file stays well formed and only its meaning changes.
    while path.extension().is_some_and(|e| e != "safetensors" && e != "f32")
        && !bytes[place].is_ascii_digit()
    {
        place += 1;
    }
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_said_and_the_run_goes_on_when_there_is_room() {
    let home = project();
    let arguments = run("cnn-2", &[]);
    ok(home.path(), &arguments);
    let wanted = outputs(home.path());
    fs::remove_dir_all(home.path().join("reports")).unwrap();
    // No file may grow beyond a limit, as on a full disk or over a quota: writes fail, nobody is killed.
    let shell = "trap '' XFSZ; ulimit -f 900; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.current_dir(home.path()).args(["-c", shell, env!("CARGO_BIN_EXE_encore")]);
    let output = limited.args(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("checkpoint-") && said.contains("File too large"), "{said}");
    let left = fs::read_dir(&runs(home.path())[0]).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
    ok(home.path(), &arguments);
    assert_eq!(outputs(home.path()), wanted);
}

#[test]
#[cfg(unix)]
fn a_signal_saves_and_ends_cleanly_and_nothing_is_left_running() {
    let home = project();
    let arguments = run("cnn-2", &["--set", "training.epochs=100000"]);
    for signal in ["-INT", "-TERM"] {
        let mut command = command(home.path(), &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (begin, started) = (Instant::now(), std::time::SystemTime::now());
        let is_new = |folder: PathBuf| {
            let saved = fs::metadata(folder.join("checkpoint-2")).and_then(|file| file.modified());
            saved.is_ok_and(|saved| saved > started)
        };
        while !runs(home.path()).into_iter().any(is_new) {
            assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint in a minute");
            sleep(Duration::from_millis(5));
        }
        // Only the parent is told; it passes the wish on.
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("stopped and saved in epoch"), "{said}");
        assert!(said.contains("1 are saved half-way; the same command goes on"), "{said}");
        let why = ok(home.path(), &[arguments.as_slice(), &["--why"]].concat());
        assert!(String::from_utf8_lossy(&why.stdout).contains("cut off, goes on"), "{why:?}");
    }
    // A parent that is killed takes its runs with it: the lock is free soon after.
    let child = start(home.path(), &arguments);
    sleep(Duration::from_millis(700));
    Command::new("kill").args(["-9", &child.id().to_string()]).status().unwrap();
    let lock = fs::OpenOptions::new().write(true).open(runs(home.path())[0].join("lock")).unwrap();
    let begin = Instant::now();
    while lock.try_lock().is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "the run went on without its parent");
        sleep(Duration::from_millis(20));
    }
    let mut child = child;
    child.wait().unwrap();
}

#[test]
#[cfg(unix)]
fn two_processes_asked_for_one_run_do_it_once() {
    let home = project();
    let arguments = run("cnn-1", &["--set", "training.epochs=60"]);
    ok(home.path(), &run("cnn-1", &[])); // makes the features
    let both = [0, 1].map(|_| {
        let mut command = command(home.path(), &arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let said = both.map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    });
    let n = |words: &str| said.iter().filter(|said| said.contains(words)).count();
    assert_eq!(n(": started"), 1, "{said:?}");
    assert_eq!(n("found, done before"), 1, "{said:?}");
    assert_eq!(n("waits, another encore is at it"), 1, "{said:?}");
}

#[test]
#[cfg(unix)]
fn a_run_whose_process_is_killed_takes_no_other_with_it() {
    let home = project();
    let arguments =
        ["run", "dnn", "cnn-2", "--seeds", "1", "--jobs", "2", "--checkpoint-every", "0"];
    let mut command = command(home.path(), &arguments);
    command.args(["--set", "training.epochs=40"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    let victim = loop {
        let lock = runs(home.path()).into_iter().find(|folder| {
            folder.to_string_lossy().contains("cnn-2") && folder.join("checkpoint-1").exists()
        });
        if let Some(folder) = lock {
            break fs::read_to_string(folder.join("lock")).unwrap().trim().to_owned();
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "no checkpoint in a minute");
        sleep(Duration::from_millis(2));
    };
    Command::new("kill").args(["-9", &victim]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("cnn-2 seed 1: FAILED: the run's process was killed (signal 9)"),
        "{said}"
    );
    assert!(said.contains("dnn seed 1: test accuracy"), "{said}");
}

#[test]
fn why_names_what_made_a_run_stale_and_verify_repeats_one() {
    let home = project();
    ok(home.path(), &run("spotify-dense", &[]));
    let why = |arguments: &[&str]| {
        let output = ok(home.path(), &[arguments, &["--why"]].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(why(&run("spotify-dense", &[])).contains("seed 1: done, spotify-dense.synth-songs"));
    let said = why(&run("spotify-dense", &["--set", "training.epochs=7"]));
    assert!(said.contains("is stale:\n    spec: training.epochs: 6 -> 7\n"), "{said}");
    assert!(why(&run("spotify-logistic", &[])).contains("there is no finished run of it"));
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 300", "n_rows = 310");
    let said = why(&run("spotify-dense", &[]));
    assert!(said.contains("    data: "), "{said}");
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 310", "n_rows = 300");

    let id = runs(home.path())[0].file_name().unwrap().to_str().unwrap().to_owned();
    let output = ok(home.path(), &["verify", &id]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.matches("the same, bit by bit").count(), 3, "{said}");
    assert_eq!(runs(home.path()).len(), 1, "the repetition leaves nothing behind");
    let output = encore(home.path(), &["verify", &id[1..]]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains(&format!("did you mean {id}?")), "{}", stderr(&output));
}

#[test]
fn jobs_and_threads_change_no_bit() {
    let homes = [project(), project()];
    let common = ["run", "cnn-2", "dnn", "--seeds", "1,2", "--set", "training.epochs=3", "--jobs"];
    for (home, jobs) in homes.iter().zip(["1", "4"]) {
        ok(home.path(), &[common.as_slice(), &[jobs]].concat());
    }
    let all = |home: &tempfile::TempDir| -> Vec<serde_json::Value> {
        runs(home.path()).iter().map(|folder| record(folder)["outputs"].clone()).collect()
    };
    assert_eq!(all(&homes[0]), all(&homes[1]));
    assert_eq!(all(&homes[0]).len(), 4);
}

/// What two small runs come to with `CODE_VERSION` 2 on machines with AVX2 or AVX-512: curves, model
/// and predictions. If they come to something else after a change that is meant, raise `CODE_VERSION`
/// (older runs are then stale) and write what they come to now.
const BITS: [(&str, [&str; 3]); 2] = [
    ("cnn-2", ["cc8cc748999526c8", "edf2ed0f00be2909", "e467f8f005eac7a2"]),
    ("spotify-dense", ["b1bef069a6cbf5ba", "1ba0b9613d4e1406", "ba2c5a8f71564b3a"]),
];

#[test]
fn the_bits_are_those_of_this_code_version_on_every_machine_with_avx2() {
    assert_eq!(encore::experiment::CODE_VERSION, 2, "new bits belong to a new version");
    let home = project();
    for (experiment, bits) in BITS {
        ok(home.path(), &run(experiment, &[]));
        let folders = runs(home.path());
        let records = folders.iter().map(|folder| record(folder));
        let record = records.into_iter().find(|record| record["experiment"] == experiment).unwrap();
        let device = record["code"]["device"].as_str().unwrap();
        if !device.contains("avx") {
            println!("not compared: {device} is not of that kind");
            continue;
        }
        let of = |what: &str| record["outputs"][what].as_str().unwrap()[..16].to_owned();
        let got = ["curves", "model", "predictions"].map(of);
        assert_eq!(got, bits, "{experiment}");
    }
}

#[test]
fn a_range_test_suggests_and_draws_and_foreign_weights_make_a_run_apart() {
    let home = project();
    let found = ok(home.path(), &["lr-find", "spotify-dense", "--steps", "60"]);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(said.contains("the loss falls most steeply at"), "{said}");
    let drawn = fs::read_to_string(home.path().join("reports/lr-find/spotify-dense.svg")).unwrap();
    assert!(drawn.contains("learning rate") && drawn.contains("<polyline"), "{drawn}");
    let refused = encore(home.path(), &["lr-find", "spotify-logistic"]);
    assert!(stderr(&refused).contains("it has no learning rate"), "{}", stderr(&refused));

    // The weights of a run of ours come back as foreign ones, and say the same.
    ok(home.path(), &run("cnn-1", &[]));
    let trained = runs(home.path())[0].clone();
    let weights = trained.join("model/model.safetensors");
    let import = ["import-weights", "cnn-1", weights.to_str().unwrap(), "--layout", "keras"];
    ok(home.path(), &import);
    let imported = runs(home.path())
        .into_iter()
        .find(|run| run.to_string_lossy().contains("imported-"))
        .unwrap();
    let (one, other) = (record(&trained), record(&imported));
    assert_eq!(one["outputs"]["predictions"], other["outputs"]["predictions"]);
    assert_eq!(other["model"]["imported"]["layout"], "Keras");
    assert!(
        other["cut"][0].as_str().unwrap().starts_with("weights imported from model.safetensors")
    );
    let refused = encore(
        home.path(),
        &["import-weights", "cnn-2", weights.to_str().unwrap(), "--layout", "keras"],
    );
    assert!(
        stderr(&refused).contains("holds nothing for `batch_norm_1.gamma`"),
        "{}",
        stderr(&refused)
    );
    let id = imported.file_name().unwrap().to_str().unwrap();
    let refused = encore(home.path(), &["verify", id]);
    assert!(stderr(&refused).contains("there is no training to repeat"), "{}", stderr(&refused));
    // The net's layers are described beside its arrays.
    let text = fs::read_to_string(trained.join("model/architecture.json")).unwrap();
    let layers: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(layers["layers"][0]["kind"], "conv");
    assert_eq!(layers["layers"][0]["output"], serde_json::json!([128, 11, 32]));
    assert_eq!(layers["example"], serde_json::json!([130, 13]));
}
