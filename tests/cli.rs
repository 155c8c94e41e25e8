//! The program as a user sees it: a project in a temporary folder, commands, their output and exit
//! codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{self, encore, project, repository, stderr, stdout};

fn edit(project: &Path, file: &str, from: &str, to: &str) {
    common::edit(&project.join(file), from, to);
}

#[test]
fn every_spec_and_manifest_of_ours_is_well_declared() {
    let home = project();
    let output = encore(home.path(), &["check"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let n = fs::read_dir(home.path().join("experiments")).unwrap().count();
    let files = fs::read_dir(home.path().join("datasets")).unwrap();
    let manifests = files.filter(|file| {
        file.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "toml")
    });
    let n_datasets = manifests.count();
    let wanted = format!("{n} experiments and {n_datasets} datasets are valid\n");
    assert_eq!(stdout(&output), wanted);
    assert!(n_datasets >= 8);
    assert!(n >= 11);
}

#[test]
fn all_faults_of_a_spec_are_said_at_once_with_line_range_and_nearest_name() {
    let home = project();
    let spec = "experiments/cnn-3.toml";
    edit(home.path(), spec, "n_mfcc = 13", "n_mfc = 13");
    edit(home.path(), spec, "test = 0.30", "test = 1.3");
    edit(home.path(), spec, "batch_size = 32", "batch_size = \"32\"");
    edit(home.path(), spec, "kernel = [2, 2]", "kernel = [2, 40]");
    edit(home.path(), spec, "optimizer.adam", "optimizer.adm");
    let output = encore(home.path(), &["run", "cnn-3"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for part in [
        "experiments/cnn-3.toml:11: features.mfcc.n_mfc is an unknown key; did you mean `n_mfcc`?",
        "experiments/cnn-3.toml:18: split.random.test must be a number in (0, 1), found 1.3",
        "training.batch_size must be an integer in [1, ",
        "found the text \"32\"",
        "experiments/cnn-3.toml:25: model.cnn.blocks[2].kernel",
        "did you mean `adam`?",
    ] {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
}

#[test]
fn wrong_names_are_usage_and_missing_data_is_missing_data() {
    let home = project();
    for (arguments, code, words) in [
        (vec!["run", "cnn3"], 2, "unknown experiment `cnn3`; did you mean `cnn-3`?"),
        (vec!["run", "cnn-3", "--data", "gtzn"], 2, "did you mean `gtzan`?"),
        (vec!["run", "cnn-3", "--data", "synth-songs"], 2, "the experiment needs audio"),
        (
            vec!["run", "cnn-3", "--set", "training.epochs=0"],
            2,
            "--set training.epochs=0: training.epochs",
        ),
        (
            vec!["run", "baseline-audio", "--data", "gtzan"],
            3,
            "hint: encore data fetch gtzan, or encore data import gtzan PATH",
        ),
        (vec!["run", "cnn-3", "--device", "gpu"], 2, "device must be one of cpu, wgpu, cuda"),
        (vec!["data", "import", "synth-songs", "."], 2, "nothing to import"),
        (vec!["data", "import", "gtzan", "."], 3, "no genre folder"),
        (vec!["data", "fetch", "synth-songs"], 2, "nothing to import"),
        (vec!["data", "fetch", "classic-hit"], 3, "no download address for classic-hit"),
        (vec!["compare", "cnn-2", "cnn-3"], 3, "hint: encore run cnn-2"),
        (vec!["compare", "cnn-20", "cnn-2"], 2, "did you mean cnn-2?"),
        (vec!["compare", "cnn-2"], 2, "2 values required"),
        (vec!["new", "cnn-3", "--from", "dnn"], 2, "experiment `cnn-3` already exists"),
    ] {
        let output = encore(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_run_leaves_a_record_and_is_found_again() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 400");
    let run = ["run", "spotify-logistic-final", "baseline-spotify", "--seeds", "7"];
    let first = encore(home.path(), &run);
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(stdout(&first).contains("synth-songs (synthetic) in place of spotify-songs"));
    let runs: Vec<_> = fs::read_dir(home.path().join("reports/runs")).unwrap().collect();
    assert_eq!(runs.len(), 2);
    for folder in runs {
        let folder = folder.unwrap().path();
        let record = fs::read_to_string(folder.join("record.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record["seed"], 7);
        assert_eq!(record["data"]["synthetic"], true);
        assert_eq!(record["test"]["n"], 120);
        let predictions = fs::read_to_string(folder.join("predictions.csv")).unwrap();
        assert_eq!(predictions.lines().count(), 121);
        let members = fs::read_to_string(folder.join("split.csv")).unwrap();
        assert_eq!(members.lines().count(), 401);
        assert!(fs::read_dir(folder.join("model")).unwrap().count() > 0);
    }
    let again = encore(home.path(), &run);
    assert!(stderr(&again).contains("already done"), "{}", stderr(&again));
    let compared = encore(home.path(), &["compare", run[1], run[2]]);
    assert!(compared.status.success(), "{}", stderr(&compared));
    for part in [
        "accuracy per example",
        "model.majority: absent -> {}",
        "(1 seed pair on the same 120 tracks)",
        "McNemar, exact, seed 7: ",
    ] {
        assert!(stdout(&compared).contains(part), "{part}\nis not in\n{}", stdout(&compared));
    }
    let page = encore(home.path(), &["report"]);
    assert!(page.status.success(), "{}", stderr(&page));
    let text = fs::read_to_string(home.path().join("reports/README.md")).unwrap();
    assert!(text.contains("spotify-logistic-final") && text.contains("synthetic"), "{text}");
    let data = "### synth-songs (synthetic)\n\n400 rows in 8 classes, 11 columns.\n\n![";
    assert!(text.contains(data), "{text}");
    let figures = home.path().join("reports/figures");
    for end in ["counts", "histograms", "correlations"] {
        let name = format!("data-synth-songs-{end}.svg");
        assert!(text.contains(&format!("(figures/{name})")) && figures.join(&name).is_file());
    }
    // The data differ from those of the runs, so their plots are left out.
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 400", "n_rows = 500");
    let page = encore(home.path(), &["report"]);
    assert!(stderr(&page).contains("no plots of synth-songs: the runs used another version"));
    let text = fs::read_to_string(home.path().join("reports/README.md")).unwrap();
    assert!(page.status.success() && !text.contains("## The data"));
}

#[test]
fn recordings_and_datasets_are_drawn_and_what_cannot_be_is_said() {
    let home = project();
    let golden = repository().join("tests/golden");
    let tones = golden.join("mfcc_tones.wav").to_string_lossy().into_owned();
    let audio = encore(home.path(), &["plot", "audio", &tones, "--out", "out", "--start", "0.1"]);
    assert!(audio.status.success(), "{}", stderr(&audio));
    let said = stdout(&audio);
    for (file, end) in ["waveform", "spectrum", "spectrogram", "mel-spectrogram", "mfcc"]
        .into_iter()
        .flat_map(|file| [(file, "svg"), (file, "png")])
    {
        let file = format!("out/mfcc_tones-{file}.{end}");
        assert!(said.lines().any(|line| line == file), "{file}\nis not in\n{said}");
        assert!(home.path().join(&file).is_file(), "{file}");
    }
    edit(
        home.path(),
        "datasets/synth-genres.toml",
        "tracks_per_genre = 40",
        "tracks_per_genre = 1",
    );
    let dataset = encore(home.path(), &["plot", "dataset", "synth-genres"]);
    assert!(dataset.status.success(), "{}", stderr(&dataset));
    let n_figures = fs::read_dir(home.path().join("reports/figures/synth-genres")).unwrap().count();
    assert_eq!(n_figures, 2 * (2 + 10), "counts, durations and a sheet a genre");

    let text = home.path().join("datasets/gtzan.toml").to_string_lossy().into_owned();
    for (arguments, code, words) in [
        (vec!["audio", &tones, "--out", "out", "--start", "7"], 2, "must be in [0, "),
        (
            vec!["audio", &tones, "--out", "out", "--seconds", "0"],
            2,
            "must be in [0.1, 30] s, found 0",
        ),
        (vec!["audio", &text, "--out", "out"], 3, "gtzan.toml"),
        (vec!["audio", "nowhere.wav", "--out", "out"], 3, "nowhere.wav"),
        (vec!["dataset", "synth-song"], 2, "did you mean `synth-songs`?"),
        (
            vec!["dataset", "gtzan"],
            3,
            "hint: encore data fetch gtzan, or encore data import gtzan PATH",
        ),
    ] {
        let output = encore(home.path(), &[vec!["plot"], arguments.clone()].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_new_experiment_is_one_file_and_runs() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 300");
    let new = encore(home.path(), &["new", "mine", "--from", "spotify-dense"]);
    assert!(new.status.success(), "{}", stderr(&new));
    let run = encore(home.path(), &["run", "mine", "--seeds", "1", "--set", "training.epochs=2"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let list = stdout(&encore(home.path(), &["list"]));
    let line = list.lines().find(|line| line.starts_with("mine ")).unwrap();
    assert!(line.contains("on synth-songs, seed 1") && line.contains("shortened run"), "{line}");
}

/// A spec that can't be written completely is not written at all.
#[test]
#[cfg(unix)]
fn a_new_experiment_is_a_whole_file_or_none() {
    let home = project();
    // Files cannot grow, as on a full disk: writes fail, but nobody is killed.
    let shell = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.current_dir(home.path()).args(["-c", shell, env!("CARGO_BIN_EXE_encore")]);
    let output = limited.args(["new", "mine", "--from", "spotify-dense"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let left = fs::read_dir(home.path().join("experiments")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("mine")), "{left:?}");
    assert!(encore(home.path(), &["new", "mine", "--from", "spotify-dense"]).status.success());
}

#[test]
fn a_capsule_is_checked_to_the_last_byte() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 300");
    let runs = ["baseline-spotify", "spotify-logistic-final"];
    let run = encore(home.path(), &["run", runs[0], runs[1], "--seeds", "7"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let pack = |out: &str| encore(home.path(), &["capsule", runs[0], runs[1], "-o", out]);
    assert!(pack("a.tar.zst").status.success() && pack("b.tar.zst").status.success());
    let bytes = fs::read(home.path().join("a.tar.zst")).unwrap();
    assert_eq!(bytes, fs::read(home.path().join("b.tar.zst")).unwrap());

    let verify = |file: &str| encore(home.path(), &["verify", file]);
    let whole = verify("a.tar.zst");
    assert!(whole.status.success(), "{}", stderr(&whole));
    let said = stdout(&whole);
    assert!(said.contains("baseline-spotify") && said.contains("spotify-logistic-final"), "{said}");
    assert!(said.contains("2 runs, every byte verified"), "{said}");
    // A changed byte in the head, in the middle, and in the seal; and a truncated file.
    for at in [5, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(home.path().join("c.tar.zst"), changed).unwrap();
        let output = verify("c.tar.zst");
        assert_eq!(output.status.code(), Some(4), "byte {at}: {}", stdout(&output));
        assert!(stderr(&output).contains("c.tar.zst: is damaged or was changed"));
    }
    fs::write(home.path().join("c.tar.zst"), &bytes[..bytes.len() - 100]).unwrap();
    assert!(stderr(&verify("c.tar.zst")).contains("does not end with a seal"));
    let unknown = encore(home.path(), &["capsule", "baseline-spotfy", "-o", "d.tar.zst"]);
    assert_eq!(unknown.status.code(), Some(3));
    assert!(stderr(&unknown).contains("did you mean baseline-spotify?"));
}

#[test]
fn a_leaking_split_trains_nothing_where_that_is_forbidden() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 300");
    let run = |more: &[&str]| {
        let command = ["run", "baseline-spotify", "--seeds", "7"];
        encore(home.path(), &[&command[..], more].concat())
    };
    assert!(run(&["--forbid-leaks"]).status.success(), "independent rows do not leak");
    let genres = home.path().join("datasets/synth-genres.toml");
    let text = fs::read_to_string(&genres).unwrap();
    fs::write(&genres, text.replace("tracks_per_genre = 40", "tracks_per_genre = 2")).unwrap();
    let forbidden = ["run", "baseline-audio", "--seeds", "7", "--forbid-leaks"];
    let output = encore(home.path(), &forbidden);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("test examples have their track in train or valid, e.g. "), "{said}");
    assert!(fs::read_dir(home.path().join("reports/runs")).unwrap().count() <= 2, "no record");
}

#[test]
fn a_recording_is_degraded_to_a_wav_file_and_wrong_words_are_usage() {
    let home = project();
    let tone = repository().join("tests/golden/tone.flac");
    let tone = tone.to_str().unwrap();
    let with = ["--with", "white_noise snr_db=20", "--with", "gain gain_db=20"];
    let run = |file: &str, seed: &str| {
        let arguments = [&["degrade", tone], &with[..], &["--out", file, "--seed", seed]].concat();
        let output = encore(home.path(), &arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        (stdout(&output), fs::read(home.path().join(file)).unwrap())
    };
    let (said, bytes) = run("a.wav", "1");
    assert!(said.starts_with("white_noise snr_db=20\ngain gain_db=20\n"), "{said}");
    assert!(said.contains("of 6615 samples are outside full scale"), "{said}");
    assert_eq!(bytes.len(), 44 + 2 * 6615);
    assert_eq!(run("b.wav", "1").1, bytes);
    assert_ne!(run("c.wav", "2").1, bytes);
    let wrong = ["degrade", tone, "--with", "white_nose snr_db=20", "--out", "d.wav"];
    let output = encore(home.path(), &wrong);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `white_noise`?"), "{}", stderr(&output));
    let missing = ["degrade", "none.mp3", "--with", "mu_law", "--out", "d.wav"];
    assert_eq!(encore(home.path(), &missing).status.code(), Some(3));
}

#[test]
fn an_inconclusive_claim_is_an_error_only_if_it_is_asked_to_be() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 400");
    let spec = "experiments/spotify-logistic-final.toml";
    edit(home.path(), spec, "\"spotify-songs\"", "\"synth-songs\"");
    // A publication that tested 8 songs can be neither refuted nor confirmed.
    let more = "value = 0.5\nn_test = 8\nsource = \"notebook\"\n\n[[claims]]\n\
                metric = \"log_loss\"\nvalue = 3.9\nn_test = 8";
    edit(home.path(), spec, "value = 0.532", more);
    let run = encore(home.path(), &["run", "spotify-logistic-final", "--strict"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let table = stdout(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [" inconclusive 5 ", "no number of seeds or test tracks would decide"] {
        assert!(table.contains(part), "{part}\nis not in\n{table}");
    }
    let ledger = encore(home.path(), &["claims", "--strict"]);
    assert!(ledger.status.success(), "{}", stderr(&ledger));
    let said = stdout(&ledger).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "synth-songs (synthetic): log_loss 3.900 (final notebook, logistic regression) "
        ),
        "{said}"
    );
    assert!(said.contains(" inconclusive: ours "), "{said}");
    let strict = encore(home.path(), &["claims", "--strict=conclusive"]);
    assert_eq!(strict.status.code(), Some(4));
    assert!(stderr(&strict).contains("inconclusive claims: spotify-logistic-final ("));
    assert!(stdout(&encore(home.path(), &["list"])).contains("; inconclusive\n"));
    let wrong = encore(home.path(), &["claims", "--strict=all"]);
    assert_eq!(wrong.status.code(), Some(2));
    edit(home.path(), spec, "metric = \"log_loss\"", "metric = \"recall\"");
    let wrong = encore(home.path(), &["check"]);
    assert!(stderr(&wrong).contains("average_precision"), "{}", stderr(&wrong));
}

#[test]
fn the_ledger_of_claims_is_strict_if_it_is_asked_to_be() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 400");
    // A claim about the dataset that exists here.
    let spec = "experiments/spotify-logistic-final.toml";
    edit(home.path(), spec, "\"spotify-songs\"", "\"synth-songs\"");
    edit(home.path(), spec, "value = 0.532", "value = 0.999\nn_runs = 3\nn_test = 120");
    let before = encore(home.path(), &["claims", "--strict"]);
    assert!(before.status.success(), "{}", stderr(&before));
    let said = stdout(&before).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.starts_with("no published result has been tested yet not run: cnn-1, "), "{said}");
    assert!(said.contains("spotify-logistic-final") && !said.contains("baseline"), "{said}");
    let run = encore(home.path(), &["run", "spotify-logistic-final"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let loose = encore(home.path(), &["claims"]);
    assert!(loose.status.success(), "{}", stderr(&loose));
    let said = stdout(&loose).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "spotify-logistic-final on synth-songs (synthetic): accuracy 0.999 (final notebook, logistic",
        " differs: ours 0.",
        "over 5 seeds; ours is below it by 0.",
        "(of 3 runs on 120 test examples)",
    ] {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
    let strict = encore(home.path(), &["claims", "--strict"]);
    assert_eq!(strict.status.code(), Some(4));
    assert_eq!(stdout(&strict), stdout(&loose));
    assert!(stderr(&strict).contains("claims that differ: spotify-logistic-final ("));
    // Claims are not part of the spec's hash, so the runs are found.
    edit(home.path(), spec, "n_runs = 3\n", "");
    let again = encore(home.path(), &["run", "spotify-logistic-final"]);
    assert!(stderr(&again).contains("already done"), "{}", stderr(&again));
    edit(home.path(), spec, "n_test = 120", "n_test = 0");
    let wrong = encore(home.path(), &["check"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("n_test must be an integer in [1, "), "{}", stderr(&wrong));
}
