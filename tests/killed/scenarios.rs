//! The commands that are killed, each with a small project, and with a server where it needs one.

use std::any::Any;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use crate::common::api::{Api, CREDENTIALS, PLAYLIST, World, write_private};
use crate::common::{downloads, edit, files, ok, project};

/// A command and the project that it starts in.
pub struct Scenario {
    /// The name in tables.
    pub command: &'static str,
    /// What is there before the command.
    pub project: TempDir,
    words: Vec<String>,
    /// Runs while the scenario exists.
    _server: Box<dyn Any>,
}

impl Scenario {
    fn new(command: &'static str, project: TempDir, words: &[&str]) -> Self {
        Self::with_server(command, project, words, ())
    }

    fn with_server(
        command: &'static str,
        project: TempDir,
        words: &[&str],
        server: impl Any,
    ) -> Self {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Self { command, project, words, _server: Box::new(server) }
    }

    /// The arguments of the command.
    pub fn arguments(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// Copies the project.
    pub fn copy(&self) -> TempDir {
        let copy = tempdir().unwrap();
        for (name, bytes) in files(self.project.path()) {
            let path = copy.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if path.ends_with("spotify.env") {
                write_private(&path, CREDENTIALS);
            } else {
                fs::write(path, bytes).unwrap();
            }
        }
        copy
    }
}

/// All commands that are killed.
pub fn all() -> Vec<Scenario> {
    vec![run(), reproduce(), curve(), sweep(), import(), fetch(), collect(), extraction(), report()]
}

/// A project with few epochs and few examples, whose features are computed.
fn small() -> TempDir {
    let home = project();
    let of = |path: &str| home.path().join(path);
    edit(&of("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    edit(&of("datasets/synth-genres.toml"), "tracks_per_genre = 40", "tracks_per_genre = 1");
    for (spec, epochs) in [("cnn-1", 250), ("dnn", 250), ("spotify-dense", 100)] {
        let spec = of(&format!("experiments/{spec}.toml"));
        edit(&spec, &format!("epochs = {epochs}"), "epochs = 4");
    }
    ok(home.path(), &["run", "baseline-audio", "--seeds", "1", "--why"]);
    home
}

fn run() -> Scenario {
    let home = small();
    let dnn = fs::read_to_string(home.path().join("experiments/dnn.toml")).unwrap();
    // Recordings and examples that change in every epoch.
    let (start, end) = dnn.split_once("[features.mfcc]").unwrap();
    let (_, end) = end.split_once("[split.random]").unwrap();
    let (end, _) = end.split_once("[[claims]]").unwrap();
    let changing = format!(
        "{start}[features.log_mel]\nn_mels = 24\n[split.random]{end}ema = 0.9\naugment_waveforms = [{{ white_noise = {{ snr_db = [0, 20] }} }}]\n\
         augment = [\"time_reversal\", \"roll\", \"eq\", {{ mask = {{ bands = 3, frames = 20 }} }}, \"gain\", {{ noise = {{ sd = 1 }} }}, \
         \"time_stretch\", \"cutmix\"]\n"
    );
    fs::write(home.path().join("experiments/changing.toml"), changing).unwrap();
    let (before, _) = dnn.split_once("[model.dense]").unwrap();
    let both = format!("{before}[model.ensemble]\nof = [\"cnn-1\", \"dnn\"]\n");
    fs::write(home.path().join("experiments/both.toml"), both).unwrap();
    let six = ["run", "both", "cnn-1", "dnn", "changing", "spotify-dense", "spotify-logistic"];
    let more = ["--seeds", "1", "--checkpoint-every", "0", "--jobs", "2"];
    Scenario::new("run", home, &[six.as_slice(), &more].concat())
}

fn reproduce() -> Scenario {
    let words = ["reproduce", "--quick", "--only", "spotify-dense,spotify-logistic"];
    let more = ["--seeds", "1", "--checkpoint-every", "0"];
    Scenario::new("reproduce", small(), &[words.as_slice(), &more].concat())
}

/// Trials that learn from others, some of which end early, go on or fail.
fn sweep() -> Scenario {
    let home = small();
    let spec = home.path().join("experiments/spotify-dense.toml");
    let text = fs::read_to_string(spec).unwrap();
    let (before, _) = text.split_once("[[claims]]").unwrap();
    let before = before.replace("valid = 0.0\nwatch_test = true", "valid = 0.2");
    let sweep = "\n[sweep]\nsearch = \"tpe\"\ntrials = 13\nmetric = \"valid_loss\"\nfinal_seeds = [11]\n\
        [sweep.halving]\nmin_epochs = 1\nfactor = 2\n\
        [sweep.space]\n\"training.batch_size\" = { any = [16, 32, 64, 128] }\n\
        \"training.label_smoothing\" = { linear = [0.0, 0.5] }\n";
    fs::write(home.path().join("experiments/tuned.toml"), format!("{before}{sweep}")).unwrap();
    Scenario::new("sweep", home, &["sweep", "tuned", "--checkpoint-every", "0", "--jobs", "2"])
}

fn curve() -> Scenario {
    let home = small();
    ok(home.path(), &["run", "spotify-dense", "--seeds", "1"]);
    let words = ["curve", "spotify-dense", "--train-share", "0.2,0.5,1", "--seeds", "1,2"];
    Scenario::new("curve", home, &[&words, ["--checkpoint-every", "0"].as_slice()].concat())
}

/// A project with recordings of two genres in `music`.
fn recordings(n_files: u64) -> TempDir {
    let (files, archive) = downloads::collection(n_files);
    let home = downloads::project(&["http://127.0.0.1:1/a".to_owned()], &archive, n_files);
    for (name, bytes) in files {
        let path = home.path().join("music").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::create_dir(home.path().join("experiments")).unwrap();
    home
}

const IMPORT: [&str; 4] = ["data", "import", "two", "music"];

fn import() -> Scenario {
    Scenario::new("import", recordings(60), &IMPORT)
}

fn extraction() -> Scenario {
    let home = recordings(40);
    let spec = "title = \"Two genres\"\nquestion = \"-\"\ndataset = \"two\"\nseeds = [1]\n\
         [segments]\nseconds = 1.0\nper_track = 2\n\
         [features.mfcc]\nn_mfcc = 13\nn_fft = 1024\nhop_length = 512\nn_mels = 40\n\
         [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.2\n\
         [model.majority]\n";
    fs::write(home.path().join("experiments/two.toml"), spec).unwrap();
    ok(home.path(), &IMPORT);
    Scenario::new("extraction", home, &["run", "two", "--seeds", "1", "--why"])
}

fn fetch() -> Scenario {
    const N_FILES: u64 = 6;
    let (_, archive) = downloads::collection(N_FILES);
    let server = downloads::slow(&archive, Duration::from_millis(100));
    let home = downloads::project(&[format!("{}/a", server.url())], &archive, N_FILES);
    Scenario::with_server("fetch", home, &["data", "fetch", "two"], server)
}

fn collect() -> Scenario {
    let api = Api::new(Arc::new(World::of(1000)));
    let home = project();
    write_private(&home.path().join("spotify.env"), CREDENTIALS);
    let words = ["spotify", "collect", PLAYLIST, "--out", "big.parquet", "--accept-terms"];
    let accounts = ["--token", "token.json", "--credentials", "spotify.env"];
    let (url, accounts_url) = (format!("{}/v1", api.url()), api.url());
    let servers = ["--api-url", &url, "--auth-url", &accounts_url];
    let words = [words.as_slice(), &accounts, &servers].concat();
    Scenario::with_server("collect", home, &words, api)
}

/// A page of two runs exists, and four runs are finished.
fn report() -> Scenario {
    let home = small();
    let run = |names: &[&str]| {
        ok(home.path(), &[&["run"], names, &["--seeds", "1"]].concat());
    };
    run(&["dnn", "spotify-logistic"]);
    ok(home.path(), &["report"]);
    run(&["cnn-1", "spotify-dense"]);
    Scenario::new("report", home, &["report"])
}
