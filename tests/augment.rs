//! Augmentations of whole experiments: of recordings, of spectra, and how they are drawn.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{edit, encore, fails, printed_record, project, stderr, stdout_of};
use crate::json::fits;

/// A small net on log-mel spectra, split by track.
const SPEC: &str = "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1]\n\
    [segments]\nseconds = 1.0\nper_track = 3\n[features.log_mel]\nn_mels = 24\n\
    [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n\
    [model.cnn]\nblocks = [{ filters = 4, kernel = [3, 3], pool = [3, 3] }]\ndense = [{ units = 8 }]\n\
    [training]\noptimizer.adam = { learning_rate = 1e-3 }\nbatch_size = 8\nepochs = 2\n";

fn home() -> tempfile::TempDir {
    let home = project();
    let corpus = home.path().join("datasets/synth-genres.toml");
    edit(&corpus, "tracks_per_genre = 40", "tracks_per_genre = 3");
    home
}

/// Runs a spec with more lines in `[training]`; the folder of the run.
fn run(home: &Path, name: &str, training: &str) -> Value {
    fs::write(home.join(format!("experiments/{name}.toml")), format!("{SPEC}{training}")).unwrap();
    printed_record(home, &stdout_of(home, &["run", name]))
}

fn loss(record: &Value) -> f64 {
    record["test"]["log_loss"].as_f64().unwrap()
}

#[test]
fn recordings_are_changed_in_training_and_runs_repeat_to_the_bit() {
    let home = home();
    let home = home.path();
    let plain = run(home, "plain", "");
    // Nothing is ever drawn: features that are computed in training are those of the cache.
    let never = run(
        home,
        "never",
        "augment_waveforms = [{ crop = { p = 0 } }, { white_noise = { snr_db = 3, p = 0 } }]\n",
    );
    assert_eq!(loss(&never), loss(&plain));
    let changed = run(
        home,
        "changed",
        "augment_waveforms = [\"crop\", { white_noise = { snr_db = [0, 20] } }, { clip = { level = 0.5, p = 0.5 } }, { speed = { factor = [0.8, 1.25] } }, { pitch = { semitones = [-2, 2] } }]\n\
         augment = [\"roll\", { mask = { bands = 4 } }]\ncrop = { frames = 30, hop = 7 }\n\
         test_time_augmentation = { draws = 2 }\n",
    );
    assert_ne!(loss(&changed), loss(&plain));
    let id = stdout_of(
        home,
        &["runs", "--where", "experiment = \"changed\"", "--columns", "id", "--csv"],
    );
    let id = id.lines().nth(1).unwrap().trim_matches('"').to_owned();
    let said = stdout_of(home, &["verify", &id]);
    assert!(said.contains("bit-identical") || said.contains("same bits"), "{said}");
}

#[test]
fn what_would_leak_or_cannot_be_changed_is_refused_with_its_line() {
    let home = home();
    let home = home.path();
    let spec = |text: String| fs::write(home.join("experiments/x.toml"), text).unwrap();
    let crop = "augment_waveforms = [\"crop\"]\n";
    spec(format!("{SPEC}{crop}").replace("by = \"track\"", "by = \"segment\""));
    let said = fails(home, &["check"], 2);
    assert!(said.contains("x.toml:22: training.augment_waveforms can't contain `crop`"), "{said}");
    spec(format!(
        "{SPEC}augment = [\n\"role\",\n{{ mask = {{ bands = 24 }} }}]\ncrop = {{ frames = 45 }}\n"
    ));
    let said = fails(home, &["check"], 2);
    for words in [
        "x.toml:23: training.augment[0] must be `time_reversal`",
        "did you mean `roll`?",
        "x.toml:24: training.augment[1].mask.bands is 24, but an example has 24 bands",
        "x.toml:25: training.crop.frames is 45, but an example has only 44 frames",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn every_augmentation_of_a_spec_is_drawn() {
    let home = home();
    let home = home.path();
    let training = "augment_waveforms = [\"crop\", { pink_noise = { snr_db = [0, 5] } }]\n\
                    augment = [\"time_reversal\", { mask = { bands = 4 } }, \"cutmix\"]\n";
    fs::write(home.join("experiments/x.toml"), format!("{SPEC}{training}")).unwrap();
    let said = stdout_of(home, &["plot", "augment", "x"]);
    assert!(said.contains("reports/figures/augment/x-augment.png"), "{said}");
    let svg = fs::read_to_string(home.join("reports/figures/augment/x-augment.svg")).unwrap();
    // A bar, and three examples: unchanged, after each of five, after all.
    assert_eq!(svg.matches("<image").count(), 1 + 3 * 7, "{}", svg.len());
    for words in
        ["pink_noise (waveform)", "snr_db [0.0,5.0]", "time_reversal", "bands 4, frames 0, n 1"]
    {
        assert!(svg.contains(words), "{words}");
    }
    let roll = "training.augment=[\"roll\"]";
    let one = ["plot", "augment", "x", "--set", roll, "--examples", "1", "--out", "o", "--json"];
    let files = &fits("plot augment", &stdout_of(home, &one))["files"];
    assert_eq!(files[1], "o/x-augment.png");
    assert!(home.join("o/x-augment.png").is_file());
    let none = encore(
        home,
        &[
            "plot",
            "augment",
            "x",
            "--set",
            "training.augment_waveforms=[]",
            "--set",
            "training.augment=[]",
        ],
    );
    assert!(!none.status.success());
    assert!(stderr(&none).contains("there is nothing to draw"), "{}", stderr(&none));
}
