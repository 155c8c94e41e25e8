//! Closed pipes, poor terminals, control characters, and the states of runs.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::events::{wait_for, wait_until};
use crate::common::{command, edit, encore, fails, ok, project, runs, stderr, stdout, stdout_of};

/// A project whose table is small.
fn home() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    home
}

/// A training that lasts for as long as nobody stops it.
const LONG: [&str; 8] =
    ["run", "spotify-dense", "--seeds", "1,2", "--jobs", "1", "--set", "training.epochs=1000000"];

/// Waits for a program's end, and returns its exit code.
fn code(child: &mut Child) -> Option<i32> {
    let begin = Instant::now();
    wait_for("the program's end", || {
        if begin.elapsed() > Duration::from_mins(1) {
            child.kill().unwrap();
            panic!("the program hangs");
        }
        child.try_wait().unwrap()
    })
    .code()
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let home = home();
    let run = ["run", "baseline-spotify", "spotify-logistic-final", "--seeds", "1"];
    ok(home.path(), &run);
    ok(home.path(), &["capsule", "baseline-spotify", "-o", "a.tar.zst"]);
    let id = runs(home.path())[0].file_name().unwrap().to_str().unwrap().to_owned();
    for arguments in [
        &["list"][..],
        &["check"],
        &["claims"],
        &["report"],
        &["compare", "baseline-spotify", "spotify-logistic-final"],
        &["verify", &id],
        &["verify", "a.tar.zst"],
        &["data", "list"],
        &["data", "describe", "synth-songs"],
        &["features", "list"],
        &["run", "baseline-spotify", "--why"],
        &["plot", "dataset", "synth-songs"],
        &["--help"],
        &run,
    ] {
        let mut child = command(home.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(code(&mut child), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("error: "), "{arguments:?}: {said}");
        // Nobody reads what goes wrong either.
        let (reader, writer) = std::io::pipe().unwrap();
        let mut child = command(home.path(), arguments)
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap();
        drop(reader);
        let code = code(&mut child);
        assert!(matches!(code, Some(0 | 130)), "{arguments:?}: {code:?}");
    }
    let missing = ["run", "no-such-experiment"];
    let mut child = command(home.path(), &missing).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(code(&mut child), Some(2));
}

#[test]
#[cfg(unix)]
fn a_run_whose_progress_nobody_reads_saves_and_stops() {
    let home = home();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = command(home.path(), &LONG)
        .stdout(writer.try_clone().unwrap())
        .stderr(writer)
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    // As `head -1` does.
    reader.read_line(&mut line).unwrap();
    drop(reader);
    assert_eq!(code(&mut child), Some(130));
    assert!(!line.is_empty() && runs(home.path()).is_empty());
    let list = stdout_of(home.path(), &["list"]);
    assert!(!list.contains("running"), "a worker goes on: {list}");
}

#[test]
#[cfg(unix)]
fn the_first_interrupt_stops_a_run_and_its_state_is_listed() {
    let home = home();
    let mut child =
        command(home.path(), &LONG).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let state = || {
        let list = stdout_of(home.path(), &["list"]);
        let line = list.lines().find(|line| line.contains("seed 1 on synth-songs"));
        line.map_or(String::new(), |line| line.trim().to_owned())
    };
    wait_until("two epochs", || state().contains("running, ") && !state().contains("running, 1 "));
    assert!(state().contains(" of 1000000 epochs done"), "{}", state());
    let why = [&LONG[..], &["--why"]].concat();
    let said = stdout_of(home.path(), &why);
    assert!(said.contains("spotify-dense on synth-songs seed 1: running, "), "{said}");
    assert!(said.contains("seed 2: to run, not finished yet"), "{said}");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(code(&mut child), Some(130));
    assert!(
        state().contains("seed 1 on synth-songs, other settings: interrupted, "),
        "{}",
        state()
    );
    let said = stdout_of(home.path(), &why);
    assert!(
        said.contains("seed 1: interrupted, ") && said.contains("the next run resumes it"),
        "{said}"
    );
}

#[test]
#[cfg(unix)]
fn a_model_that_is_fitted_in_one_go_stops_at_the_first_interrupt() {
    let home = home();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 300", "n_rows = 8000");
    let spec = home.path().join("experiments/spotify-logistic.toml");
    let text = fs::read_to_string(&spec).unwrap();
    let (head, _) = text.split_once("[model.logistic]").unwrap();
    fs::write(&spec, format!("{head}[model.forest]\nn_trees = 10000\n")).unwrap();
    let arguments = ["run", "spotify-logistic", "--seeds", "1"];
    let mut child = command(home.path(), &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(": started")));
    let begin = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(code(&mut child), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(20), "the fit went on");
    assert!(stdout_of(home.path(), &["list"]).contains("interrupted; the next run resumes it"));
}

#[test]
fn a_failed_run_is_listed_with_its_reason_until_it_succeeds() {
    let home = home();
    let spec = home.path().join("experiments/spotify-dense.toml");
    edit(&spec, "learning_rate = 0.001", "learning_rate = 1e30");
    let run = ["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=3"];
    let said = fails(home.path(), &run, 1);
    let reason = said.split("error: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(reason.contains("the loss"), "{said}");
    for arguments in [&["list"][..], &[&run[..], &["--why"]].concat()] {
        let listed = stdout_of(home.path(), arguments);
        let line = listed.lines().find(|line| line.contains("seed 1")).unwrap();
        assert!(line.contains("failed, 0 of 3 epochs done: "), "{line}");
        assert!(line.contains(&reason) && line.contains("learning_rate usually helps"), "{line}");
    }
    edit(&spec, "learning_rate = 1e30", "learning_rate = 0.001");
    ok(home.path(), &run);
    let listed = stdout_of(home.path(), &[&run[..], &["--why"]].concat());
    assert!(listed.contains(": done, "), "{listed}");
}

#[test]
fn an_experiment_whose_dataset_is_missing_is_listed_as_failed_until_it_runs() {
    let home = home();
    let manifest = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
        [table]\n[table.label]\ncolumn = \"genre\"\n[table.columns]\ntempo = \"tempo\"\n";
    let spec = "title = \"t\"\nquestion = \"q\"\ndataset = \"one\"\nseeds = [1, 2]\n\
        [features.table]\ncolumns = [\"tempo\"]\n\
        [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.2\n\
        [model.logistic]\npenalty = \"l2\"\nmax_iterations = 100\n";
    fs::write(home.path().join("datasets/one.toml"), manifest).unwrap();
    fs::write(home.path().join("experiments/one.toml"), spec).unwrap();
    let rows: String = (0..40).map(|i| format!("genre {},{}\n", i % 2, i * 7 % 11)).collect();
    fs::write(home.path().join("one.csv"), format!("genre,tempo\n{rows}")).unwrap();
    ok(home.path(), &["data", "import", "one", "one.csv"]);
    fs::rename(home.path().join("one.csv"), home.path().join("away.csv")).unwrap();
    fails(home.path(), &["run", "one"], 3);
    let words = " on one, before the first run: failed: ";
    let list = stdout_of(home.path(), &["list"]);
    let line = list.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{list}"));
    assert!(line.contains("one.csv"), "{line}");
    fs::rename(home.path().join("away.csv"), home.path().join("one.csv")).unwrap();
    ok(home.path(), &["run", "one"]);
    assert!(!stdout_of(home.path(), &["list"]).contains(words));
    // The advice about a damaged index helps.
    fs::write(home.path().join("datasets/imported/one.json"), "{").unwrap();
    let said = fails(home.path(), &["run", "one"], 3);
    assert!(said.contains("is damaged") && said.contains("encore data import one PATH"), "{said}");
    ok(home.path(), &["data", "import", "one", "one.csv"]);
    ok(home.path(), &["run", "one"]);
}

#[test]
fn faults_of_the_data_exit_with_3_from_the_runs_process_too() {
    let home = home();
    let manifest = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
        [table]\nid = [\"id\"]\nn_rows = 20\n[table.track_columns]\nset = \"set\"\n\
        [table.label]\ncolumn = \"genre\"\n\
        [table.columns]\ntempo = \"tempo\"\n";
    let spec = "title = \"t\"\nquestion = \"q\"\ndataset = \"one\"\nseeds = [1, 2]\n\
        [features.table]\ncolumns = [\"tempo\"]\n\
        [split.listed]\ncolumn = \"set\"\n\
        [model.logistic]\npenalty = \"l2\"\nmax_iterations = 100\n";
    fs::write(home.path().join("datasets/one.toml"), manifest).unwrap();
    fs::write(home.path().join("experiments/one.toml"), spec).unwrap();
    // No row is for training: only the run's process divides the rows.
    let rows: String = (0..20).map(|i| format!("{i},genre {},test,{i}\n", i % 2)).collect();
    fs::write(home.path().join("one.csv"), format!("id,genre,set,tempo\n{rows}")).unwrap();
    ok(home.path(), &["data", "import", "one", "one.csv"]);
    let said = fails(home.path(), &["run", "one"], 3);
    // Both runs fail for one reason, which is given once at the end.
    let end = said.split("error: ").nth(1).unwrap();
    assert!(end.starts_with("2 of 2 runs failed:\none seed 1, one seed 2: "), "{end}");
    let list = stdout_of(home.path(), &["list"]);
    assert_eq!(list.matches(" on one: failed: ").count(), 2, "{list}");
    // Weights that are not there, and some that are none.
    for (file, words) in [("none.safetensors", "No such file"), ("one.csv", "one.csv")] {
        let import = ["import-weights", "spotify-dense", file, "--layout", "keras"];
        assert!(fails(home.path(), &import, 3).contains(words));
    }
}

#[test]
fn control_characters_in_names_are_escaped() {
    let home = home();
    let evil = "evil\u{1b}[31m\rname";
    let spec = home.path().join("experiments/baseline-spotify.toml");
    fs::copy(&spec, home.path().join(format!("experiments/{evil}.toml"))).unwrap();
    fs::write(home.path().join("experiments/bad\u{1b}]0;x.toml"), "title = \"\u{7}").unwrap();
    fs::write(home.path().join("datasets/bad\u{9b}31m.toml"), "title = 1").unwrap();
    let run = encore(home.path(), &["run", evil, "--seeds", "1"]);
    for output in [
        run,
        encore(home.path(), &["list"]),
        encore(home.path(), &["check"]),
        encore(home.path(), &["claims"]),
        encore(home.path(), &["report"]),
        encore(home.path(), &["run", "evil\u{1b}[31m"]),
    ] {
        for text in [stdout(&output), stderr(&output)] {
            let is_harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
            assert!(!text.contains(is_harmful), "{text:?}");
        }
    }
    let list = stdout_of(home.path(), &["list"]);
    assert!(list.contains("evil\\u{1b}[31m\\rname"), "{list}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_that_cannot_be_written_is_an_error() {
    let home = home();
    for arguments in
        [&["list"][..], &["data", "list"], &["run", "baseline-spotify", "--seeds", "1"]]
    {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command(home.path(), arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("error: cannot write the output: "), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// What a command writes to a terminal of a kind; none for an empty one.
#[cfg(target_os = "linux")]
fn on_terminal(project: &Path, arguments: &[&str], kind: &str) -> String {
    let mut line = env!("CARGO_BIN_EXE_encore").to_owned();
    for argument in arguments {
        line += &format!(" '{argument}'");
    }
    let mut script = Command::new("script");
    script.current_dir(project).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    if kind.is_empty() {
        script.env_remove("TERM")
    } else {
        script.env("TERM", kind)
    };
    let output = script.output().expect("script, of util-linux, makes a terminal");
    assert!(output.status.success(), "{}", stdout(&output));
    stdout(&output)
}

#[test]
#[cfg(target_os = "linux")]
fn events_are_shown_once_on_every_terminal_and_plainly_on_a_poor_one() {
    for kind in ["xterm", "dumb", ""] {
        let home = home();
        let run = ["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=10"];
        let said = on_terminal(home.path(), &run, kind);
        assert_eq!(
            said.matches("[1/1] spotify-dense seed 1: test accuracy ").count(),
            1,
            "{kind}: {said}"
        );
        let n_plain = said.matches("spotify-dense seed 1: epoch ").count();
        assert_eq!(n_plain, if kind == "xterm" { 0 } else { 10 }, "{kind}: {said}");
        assert_eq!(said.contains('\u{1b}'), kind == "xterm", "{kind}: {said:?}");
        let again = on_terminal(home.path(), &run, kind);
        assert!(again.contains("already done"), "{kind}: {again}");
    }
}
