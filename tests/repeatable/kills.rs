//! Runs that are killed, damaged, out of disk space or started twice: nothing is lost, and the bits
//! are the same.

use super::*;

/// Lists the folders of unfinished runs, by name.
pub(super) fn attempts(project: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(project.join("reports/attempts")) else { return vec![] };
    let folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    folders
}

#[test]
fn killed_at_fifty_random_moments_every_run_ends_with_the_bits_of_an_undisturbed_one() {
    let (calm, stormy) = (project(), project());
    // How often each experiment changes a file.
    let mut n_changes = BTreeMap::new();
    for experiment in SIX {
        // The first run computes the features; the second one does what a restart does.
        ok(calm.path(), &run(experiment, &[]));
        for folder in runs(calm.path()) {
            if record(&folder)["experiment"] == **experiment {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        let mut child = start(calm.path(), &run(experiment, &[]));
        let n = wait_for_change(&mut child, &calm.path().join("reports"), usize::MAX);
        assert!(child.wait().unwrap().success());
        n_changes.insert(*experiment, n as f64);
    }
    let (mut n_kills, mut n_half_way) = (0, 0);
    while n_kills < 50 || (n_half_way < 5 && n_kills < 150) {
        let experiment = SIX[n_kills % SIX.len()];
        // A run that finished despite the kill starts again, so that every kill has a target.
        for folder in runs(stormy.path()) {
            if folder.join("record.json").exists() && record(&folder)["experiment"] == *experiment {
                fs::remove_dir_all(folder).unwrap();
            }
        }
        let mut child = start(stormy.path(), &run(experiment, &[]));
        let nth = 1 + random_below(n_kills as u64, n_changes[experiment] as usize);
        wait_for_change(&mut child, &stormy.path().join("reports"), nth);
        kill_all(child);
        n_kills += 1;
        let is_this = |folder: &&PathBuf| {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{experiment}."))
        };
        let has_checkpoint = |folder: &PathBuf| {
            folder.join("checkpoint-1").exists() || folder.join("checkpoint-2").exists()
        };
        // A busy machine shows fewer or more changes, and the kills adapt.
        let is_done = runs(stormy.path()).iter().any(|folder| is_this(&folder));
        let is_half_way = attempts(stormy.path()).iter().filter(is_this).any(has_checkpoint);
        let factor = match (is_done, is_half_way) {
            (true, _) => 0.85,
            (false, true) => 1.0,
            (false, false) => 1.15,
        };
        n_changes.entry(experiment).and_modify(|n| *n = (*n * factor).max(1.0));
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
    let left = attempts(stormy.path());
    assert!(left.is_empty(), "a finished run leaves no attempt: {left:?}");
    assert_eq!(outputs(stormy.path()), outputs(calm.path()));
    assert_eq!(outputs(calm.path()).len(), SIX.len());
    assert!(
        n_half_way >= 5,
        "only {n_half_way} kills left a training half-way: the test hits too little"
    );
    assert!(n_resumed >= 1, "no run has gone on from a checkpoint");
}

/// Starts a run, kills it after it has saved several checkpoints, and returns its attempt.
fn cut_off(project: &Path, arguments: &[&str]) -> PathBuf {
    for _ in 0..20 {
        let child = start(project, arguments);
        let folder = wait_for("two epochs", || {
            attempts(project).into_iter().find(|folder| {
                fs::read_to_string(folder.join("epochs.jsonl"))
                    .is_ok_and(|text| text.lines().count() >= 2)
            })
        });
        kill_all(child);
        if runs(project).is_empty() && !folder.join("record.json").exists() {
            return folder;
        }
        fs::remove_dir_all(project.join("reports")).unwrap();
    }
    panic!("the run was always done before it could be cut off");
}

#[test]
fn damaged_checkpoints_and_records_are_found_said_and_made_good() {
    let home = project();
    let arguments = run("cnn-2", &["--set", "training.epochs=12"]);
    let attempt = cut_off(home.path(), &arguments);
    // The newer checkpoint and the curves are damaged: the older checkpoint is used.
    let newest = newer_checkpoint(&attempt);
    flip(&newest, 0.6);
    flip(&attempt.join("epochs.jsonl"), 0.2);
    let output = ok(home.path(), &arguments);
    let said = stderr(&output);
    let name = newest.file_name().unwrap().to_str().unwrap();
    assert!(said.contains(&format!("{name}: is damaged: its checksum does not match")), "{said}");
    assert!(said.contains("epochs.jsonl: line 1 is damaged"), "{said}");
    assert!(said.contains("resumes after epoch"), "{said}");
    let wanted = outputs(home.path());
    let attempt = attempt.file_name().unwrap().to_str().unwrap();
    let id = attempt.rsplit_once('.').unwrap().0.to_owned();
    let folder = home.path().join("reports/runs").join(&id);
    // An uninterrupted run gives the same result.
    ok(home.path(), &["verify", &id]);

    // Both checkpoints are truncated: the run starts over and says so.
    fs::remove_dir_all(&folder).unwrap();
    let attempt = cut_off(home.path(), &arguments);
    for slot in ["checkpoint-1", "checkpoint-2"] {
        let path = attempt.join(slot);
        if let Ok(bytes) = fs::read(&path) {
            fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
        }
    }
    let said = stderr(&ok(home.path(), &arguments));
    assert!(said.contains("is damaged") && said.contains(": started"), "{said}");
    assert_eq!(outputs(home.path()), wanted);

    // Damage in each file of a finished run is detected and reported, and the run is repeated.
    for file in ["record.json", "predictions.csv", "split.csv", "model/model.safetensors"] {
        flip(&folder.join(file), 0.5);
        let said = stderr(&ok(home.path(), &arguments));
        assert!(said.contains(file) && said.contains("the run will be repeated"), "{file}: {said}");
        assert_eq!(outputs(home.path()), wanted, "{file}");
        let said = stderr(&ok(home.path(), &arguments));
        assert!(said.contains("already done"), "{file}: {said}");
    }
    // A damaged record does not prevent the page.
    flip(&folder.join("record.json"), 0.5);
    let said = stderr(&ok(home.path(), &["list"]));
    assert!(said.contains("skipped") && said.contains("record.json"), "{said}");
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

/// Flips a bit of the byte at a fraction of a file's length.
pub(super) fn flip(path: &Path, share: f64) {
    let mut bytes = fs::read(path).unwrap();
    let mut place = (bytes.len() as f64 * share) as usize;
    // In text, a digit is changed: the file stays well-formed, and only its meaning changes.
    while path.extension().is_some_and(|e| e != "safetensors" && e != "f32")
        && !bytes[place].is_ascii_digit()
    {
        place += 1;
    }
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_full_disk_is_said_and_the_run_goes_on_when_there_is_room() {
    let home = project();
    let arguments = run("cnn-2", &[]);
    ok(home.path(), &arguments);
    let wanted = outputs(home.path());
    fs::remove_dir_all(home.path().join("reports")).unwrap();
    // Files cannot grow beyond a limit, as on a full disk or over a quota: writes fail, but nobody
    // is killed.
    let shell = "trap '' XFSZ; ulimit -f 900; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.current_dir(home.path()).args(["-c", shell, env!("CARGO_BIN_EXE_encore")]);
    let output = limited.args(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("checkpoint-") && said.contains("File too large"), "{said}");
    let left = fs::read_dir(&attempts(home.path())[0]).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("partial")), "{left:?}");
    ok(home.path(), &arguments);
    assert_eq!(outputs(home.path()), wanted);
}

/// Waits until a run has saved two checkpoints since a given time.
fn wait_for_checkpoint(project: &Path, since: std::time::SystemTime) {
    wait_until("the second checkpoint", || {
        attempts(project).into_iter().any(|folder| {
            let saved = fs::metadata(folder.join("checkpoint-2")).and_then(|file| file.modified());
            saved.is_ok_and(|saved| saved > since)
        })
    });
}

#[test]
fn a_signal_saves_and_ends_cleanly_and_nothing_is_left_running() {
    let home = project();
    let arguments = run("cnn-2", &["--set", "training.epochs=100000"]);
    for signal in ["-INT", "-TERM"] {
        let started = std::time::SystemTime::now();
        let mut command = command(home.path(), &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_checkpoint(home.path(), started);
        // Only the parent receives the signal; it passes it on.
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("stopped and saved in epoch"), "{said}");
        assert!(said.contains("1 are saved; the same command resumes"), "{said}");
        let why = ok(home.path(), &[arguments.as_slice(), &["--why"]].concat());
        let why = String::from_utf8_lossy(&why.stdout);
        assert!(why.contains("interrupted, ") && why.contains("the next run resumes it"), "{why}");
    }
    // A parent that is killed takes its runs with it, and the lock is soon free.
    let locks = || -> Vec<PathBuf> {
        let entries = fs::read_dir(home.path().join("reports/attempts")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|end| end == "lock")).collect()
    };
    let is_held = |path: &PathBuf| {
        // A lock that no longer exists was released.
        let file = fs::OpenOptions::new().write(true).open(path);
        file.is_ok_and(|file| file.try_lock().is_err())
    };
    let mut child = start(home.path(), &arguments);
    wait_until("the run begins", || locks().iter().any(is_held));
    Command::new("kill").args(["-9", &child.id().to_string()]).status().unwrap();
    wait_until("the run ends with its parent", || !locks().iter().any(is_held));
    child.wait().unwrap();
}

#[test]
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
    assert_eq!(n("already done"), 1, "{said:?}");
    assert_eq!(n("waiting for another encore process"), 1, "{said:?}");
}

#[test]
fn a_run_whose_process_is_killed_takes_no_other_with_it() {
    let home = project();
    let arguments =
        ["run", "dnn", "cnn-2", "--seeds", "1", "--jobs", "2", "--checkpoint-every", "0"];
    let mut command = command(home.path(), &arguments);
    command.args(["--set", "training.epochs=40"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let folder = wait_for("a checkpoint of cnn-2", || {
        attempts(home.path()).into_iter().find(|folder| {
            folder.to_string_lossy().contains("cnn-2") && folder.join("checkpoint-1").exists()
        })
    });
    // `ID.HOST-PID-RANDOM`
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let victim = name.rsplit('-').nth(1).unwrap().to_owned();
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
