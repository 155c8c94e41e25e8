//! The command-line arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::common_arguments::{Common, Strict};
use super::data_arguments::{Data, Features, Spotify};
use super::export_arguments::Export;
use super::import_arguments::{ImportPredictions, SplitArguments};
use super::plot_arguments::{PlotClasses, PlotCompare};
use super::robust_arguments::Robust;
use super::runs_arguments::{Gc, Runs};
use super::serve_arguments::{Serve, ServeModel, Watch};
use super::similar_arguments::{Embed, Map, Playlist, Similar};
use super::study_arguments::{Ablate, Curve};
use super::sweep_arguments::Sweep;
use crate::audio::DEGRADATIONS;

/// Track machine-learning experiments and check published results.
#[derive(Parser)]
#[command(name = "encore", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// Project folder [default: ENCORE_PROJECT, or the nearest folder from here upwards with encore.toml,
    /// or with experiments/ and datasets/]
    #[arg(long = "project", value_name = "DIR", global = true)]
    pub root: Option<PathBuf>,
    /// Print the result as one JSON object, described in docs/json.md
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a project: example experiments, a dataset, a CI workflow
    Init {
        /// Folder, created if missing
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// What the example experiments are about
        #[arg(long, value_enum, default_value = "tables")]
        example: Example,
    },
    /// Run all experiments of the project and write its page
    Reproduce(Reproduce),
    /// Run experiments
    Run(Run),
    /// Search good settings: trials that never see the test set, and a winner judged on fresh seeds
    Sweep(Sweep),
    /// Show the project in a browser, live: runs, curves, comparisons, data, claims
    Serve(Serve),
    /// Answer HTTP requests for predictions of a model
    ServeModel(ServeModel),
    /// Show current and latest runs in the terminal, live
    Watch(Watch),
    /// Write the report page from the records
    Report(Report),
    /// Write finished runs for other tools: Parquet, TensorBoard, MLflow
    #[command(subcommand)]
    Export(Export),
    /// List every published figure with its verdict and the reason
    Claims {
        /// Count archived runs too
        #[arg(long)]
        archived: bool,
        /// Exit with code 4 if a claim differs; with =conclusive also if one is inconclusive
        #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "differs")]
        strict: Option<Strict>,
        /// Show runs of other versions of the specs too; they are not judged
        #[arg(long)]
        all_versions: bool,
    },
    /// Compare experiments or runs: metrics, specs, paired tests
    Compare {
        /// Experiments, NAME@HASH (another version of a spec), NAME@foreign, or run ids; at least two
        #[arg(required = true)]
        names: Vec<String>,
        /// Compare every version of the specs; one name is enough
        #[arg(long)]
        all_versions: bool,
    },
    /// Train on parts of the training tracks, and estimate what more data would give
    Curve(Curve),
    /// Test what each change of [ablation] in a spec does to the score
    Ablate(Ablate),
    /// Measure how good models are on degraded recordings: noise, MP3, reverberation, pitch, ...
    #[command(after_help = degradations())]
    Robust(Robust),
    /// Predict classes of recordings or of a table's rows with a trained model
    Predict(Predict),
    /// Write recordings as vectors: statistics, or what a layer of a net puts out
    Embed(Embed),
    /// Find the songs that are most similar to one, or score how good such neighbors are
    Similar(Similar),
    /// Make a playlist of songs that are like some others
    Playlist(Playlist),
    /// Repeat a finished run and check that it is bit-identical, or check a capsule
    Verify {
        /// Run id (folder name in reports/runs) or capsule file
        run: String,
        /// Start the program that is the run's model; remembered for this project
        #[arg(long)]
        trust: bool,
    },
    /// Pack finished runs, without their models, into one file to share and verify
    Capsule {
        /// Experiments (all their finished runs) or run ids
        #[arg(required = true)]
        runs: Vec<String>,
        /// File to write, e.g. result.tar.zst
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the split of a spec for a program that trains elsewhere
    Split(SplitArguments),
    /// Import predictions made elsewhere as a run, marked as foreign
    ImportPredictions(ImportPredictions),
    /// Import the runs of a capsule, after checking every byte
    ImportCapsule {
        /// Capsule file
        file: PathBuf,
    },
    /// Find a learning rate: train briefly while the rate rises until the loss diverges
    LrFind(LrFind),
    /// Import weights from Keras or PyTorch and score them on the spec's test examples
    ImportWeights(ImportWeights),
    /// Plot recordings and datasets as SVG and PNG
    #[command(subcommand)]
    Plot(Plot),
    /// Do the run described on standard input (started by encore itself)
    #[command(hide = true)]
    DoRun,
    /// Supervise the program described on standard input (started by encore itself)
    #[command(name = "do-command", hide = true)]
    Supervise,
    /// Become a program (started by encore itself)
    #[command(name = "exec-command", hide = true)]
    Become {
        /// Process number of the supervisor
        parent: u32,
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        run: Vec<String>,
    },
    /// List the experiments with dataset, claim and latest result
    List {
        /// Count archived runs too
        #[arg(long)]
        archived: bool,
        /// List the latest result of other versions of the specs too
        #[arg(long)]
        all_versions: bool,
    },
    /// List, query and manage runs
    Runs(Runs),
    /// Delete removed runs, interrupted attempts and unused caches
    Gc(Gc),
    /// Check every spec and manifest and report all faults at once
    Check,
    /// Create a spec from an existing one
    New {
        /// Name of the new experiment
        name: String,
        /// Experiment to copy: one of the project, or a built-in one, e.g. cnn-3
        #[arg(long)]
        from: String,
    },
    /// List, describe, add, download, import, check and export datasets
    #[command(subcommand)]
    Data(Data),
    /// List and clean the feature cache
    #[command(subcommand)]
    Features(Features),
    /// Turn a Spotify playlist into a table of audio features and genres
    #[command(subcommand)]
    Spotify(Spotify),
    /// Print the JSON Schema of specs, manifests or encore.toml, for editors
    Schema {
        /// Kind of file
        #[arg(value_enum, conflicts_with = "out")]
        kind: Option<SchemaKind>,
        /// Folder to write all three to
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print a script that completes commands and options in a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write man pages
    Man {
        /// Output folder, created if missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Degrade a recording with noise, low bandwidth, reverberation and more
    #[command(after_help = degradations())]
    Degrade(Degrade),
}

#[derive(Args)]
pub(super) struct Degrade {
    /// Audio file
    pub file: PathBuf,
    /// Degradation, e.g. "white_noise snr_db=20"; repeat to apply several in order
    #[arg(long = "with", value_name = "DEGRADATION", required = true)]
    pub with: Vec<String>,
    /// Wav file to write: mono, 16 bits, at the sample rate of the input
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Seed for the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args)]
pub(super) struct Reproduce {
    /// Run a shortened report in minutes: few epochs, one seed, small synthetic data
    #[arg(long)]
    pub quick: bool,
    /// Run all epochs and seeds, also on synthetic data
    #[arg(long, conflicts_with = "quick")]
    pub full: bool,
    /// Run only these experiments
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub only: Vec<String>,
    /// Exit with code 4 if a claim differs; with =conclusive also if one is inconclusive
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "differs")]
    pub strict: Option<Strict>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub(super) struct Run {
    /// Experiments, or paths to specs
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Replace a value, e.g. training.epochs=20 or model.dense.layers[0].units=8
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Remove a key or a list item, e.g. training.ema or training.augment[0]
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// Run nothing; list finished runs, and why the others are stale
    #[arg(long)]
    pub why: bool,
    /// Exit with code 4 if a claim differs; with =conclusive also if one is inconclusive
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "differs")]
    pub strict: Option<Strict>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub(super) struct LrFind {
    /// Experiment, or path to a spec
    pub name: String,
    /// Replace a value of the spec, e.g. training.batch_size=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Seed for weights, split and batches [default: first seed of the spec]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// First learning rate
    #[arg(long, default_value_t = 1e-7, value_name = "RATE")]
    pub from: f64,
    /// Last learning rate; the test stops earlier if the loss diverges
    #[arg(long, default_value_t = 10.0, value_name = "RATE")]
    pub to: f64,
    /// Number of steps from the first to the last rate
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub steps: usize,
}

#[derive(Args)]
pub(super) struct ImportWeights {
    /// Experiment, or path to a spec
    pub name: String,
    /// Safetensors file with the weights
    pub file: PathBuf,
    /// Naming and layout of the arrays in the file
    #[arg(long, value_parser = ["keras", "pytorch"])]
    pub layout: String,
    /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Seed for the split [default: first seed of the spec]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

#[derive(Args)]
pub(super) struct Predict {
    /// Audio files, folders of them, or one table (CSV or Parquet)
    #[arg(required = true, value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Experiment or run to predict with [default: best audio run by validation accuracy]
    #[arg(long = "with", value_name = "NAME")]
    pub with: Option<String>,
    /// CSV file to write, with a column per class [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Start the program that is the run's model; remembered for this project
    #[arg(long)]
    pub trust: bool,
}

#[derive(Subcommand)]
pub(super) enum Plot {
    /// Plot a segment of a recording: waveform, spectrum, spectrograms, MFCCs
    Audio {
        /// Audio file
        file: PathBuf,
        /// Output folder, created if missing
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Start of the segment [s]
        #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
        start: f64,
        /// Length of the segment [s]
        #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
        seconds: f64,
    },
    /// Plot training examples before and after each augmentation of an experiment
    Augment {
        /// Experiment, or path to a spec
        name: String,
        /// Output folder, created if missing [default: reports/figures/augment]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Number of examples
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=6))]
        examples: u8,
        /// Replace a value of the spec, e.g. training.crop.frames=65
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
        #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
        data: String,
        /// Seed for split and draws [default: first seed of the spec]
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    },
    /// Plot curves of several experiments or runs in one figure: mean and range over the seeds
    Compare(PlotCompare),
    /// Plot how sure models are, and how often they are right
    Reliability(PlotClasses),
    /// Plot F1 of every class with its interval
    F1(PlotClasses),
    /// Plot the difference of two confusion matrices
    Confusion(PlotClasses),
    /// Plot the searches for settings of an experiment: history, parallel coordinates, slices, contours, importance
    Sweep {
        /// Name of the experiment
        name: String,
        /// Output folder, created if missing [default: that of the study]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Plot the learning curve of an experiment from its finished runs
    Curve {
        /// Name of the experiment
        name: String,
        /// Output folder, created if missing [default: reports/curves]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Plot a dataset: class counts, then a sheet per genre, or histograms and correlations
    Dataset {
        /// Name of the dataset
        name: String,
        /// Output folder, created if missing [default: reports/figures/NAME]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Plot the songs of a dataset or folder as points, similar ones near each other
    Map(Map),
}

#[derive(Args)]
pub(super) struct Report {
    /// Show archived runs too
    #[arg(long)]
    pub archived: bool,
    /// Write the page of `reproduce --quick`
    #[arg(long)]
    pub quick: bool,
    /// Show runs of other versions of the specs too; they are not judged
    #[arg(long)]
    pub all_versions: bool,
    /// Exit with code 4 if a claim differs; with =conclusive also if one is inconclusive
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "differs")]
    pub strict: Option<Strict>,
}

/// A kind of file that has a JSON Schema.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SchemaKind {
    /// experiments/NAME.toml
    Spec,
    /// datasets/NAME.toml
    Manifest,
    /// encore.toml
    Project,
}

/// What the experiments of a new project are about.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Example {
    /// A table of songs
    Tables,
    /// Recordings
    Audio,
}

/// What can be said after `--with`, for the help.
fn degradations() -> String {
    let mut text = "Degradations:\n".to_owned();
    for entry in DEGRADATIONS {
        text += &format!("  {:<12} {}\n", entry.name, entry.doc);
        for parameter in entry.parameters {
            let (low, high) = (parameter.low, parameter.high);
            let default =
                parameter.default.map_or(String::new(), |value| format!(" [default: {value}]"));
            let name = parameter.name;
            text += &format!("{:15}{name} in [{low}, {high}]: {}{default}\n", "", parameter.doc);
        }
    }
    text
}
