//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::audio::DEGRADATIONS;
use crate::spotify::checked_address;

/// Repeats a published result from declared specs and says whether it holds.
#[derive(Parser)]
#[command(name = "encore", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// The project's folder: the one with experiments/ and datasets/
    #[arg(long = "project", value_name = "DIR", default_value = ".", global = true)]
    pub root: PathBuf,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run all of the report's experiments and write the page
    Reproduce(Reproduce),
    /// Run one or several experiments
    Run(Run),
    /// Write the page again, from the records alone
    Report(Report),
    /// Print every published figure with what the finished runs say of it, and why
    Claims {
        /// End with exit code 4 where a claim differs
        #[arg(long)]
        strict: bool,
    },
    /// Hold experiments or runs against each other: metrics, specs, paired tests
    Compare {
        /// Names of experiments, for all their finished runs, or ids of runs; two or more
        #[arg(required = true, num_args = 2..)]
        names: Vec<String>,
    },
    /// Say the genre of audio files, by a model that a run has left
    Predict(Predict),
    /// Do a finished run again and say whether it comes out the same, bit by bit; or check a capsule
    Verify {
        /// A run's id, the name of its folder in reports/runs; or a capsule's file
        run: String,
    },
    /// Pack finished runs into one file that can be sent and verified: all but their models
    Capsule {
        /// Experiments, for all their finished runs, or ids of runs
        #[arg(required = true)]
        runs: Vec<String>,
        /// The file to write, e.g. result.tar.zst
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// DatasetSummary for a learning rate: a short training whose rate rises until the loss is lost
    LrFind(LrFind),
    /// Make a run from weights that Keras or PyTorch trained, scored on the spec's test examples
    ImportWeights(ImportWeights),
    /// Draw recordings and datasets, as SVG and PNG
    #[command(subcommand)]
    Plot(Plot),
    /// Do the one run that the input tells of (started by encore itself)
    #[command(hide = true)]
    DoRun,
    /// List the experiments: dataset, claim, latest result
    List,
    /// Check every spec and manifest; all faults at once
    Check,
    /// Write a new spec from another one
    New {
        /// Name of the new experiment
        name: String,
        /// The experiment to start from
        #[arg(long)]
        from: String,
    },
    /// List, describe, add, fetch, import, check and export datasets
    #[command(subcommand)]
    Data(Data),
    /// List and clean the cache of features
    #[command(subcommand)]
    Features(Features),
    /// Collect a Spotify playlist as a table of songs with audio features and genres
    #[command(subcommand)]
    Spotify(Spotify),
    /// Write a recording with noise, less bandwidth, a room or the like as a wav file
    #[command(after_help = degradations())]
    Degrade(Degrade),
}

#[derive(Args)]
pub(super) struct Degrade {
    /// An audio file
    pub file: PathBuf,
    /// What to do, e.g. "white_noise snr_db=20"; given several times, in this order
    #[arg(long = "with", value_name = "DEGRADATION", required = true)]
    pub with: Vec<String>,
    /// The wav file to write: mono, 16 bits, at the rate of the input
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Keys the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

#[derive(Args)]
pub(super) struct Reproduce {
    /// A cut-down look in minutes: few epochs, one seed, a small embedded corpus
    #[arg(long)]
    pub quick: bool,
    /// The specs' full epochs and seeds, also on the embedded corpora
    #[arg(long, conflicts_with = "quick")]
    pub full: bool,
    /// Only these experiments
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub(super) struct Run {
    /// Names of experiments, or paths to specs
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Override one field of the spec, e.g. training.epochs=20
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Run nothing: say what is done already, and what made the rest stale
    #[arg(long)]
    pub why: bool,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub(super) struct LrFind {
    /// Name of an experiment, or a path to a spec
    pub name: String,
    /// Override one field of the spec, e.g. training.batch_size=64
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// auto: the spec's dataset where it is imported, else its embedded stand-in; embedded; or a name
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Keys weights, split and batches [default: the spec's first]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The first rate
    #[arg(long, default_value_t = 1e-7, value_name = "RATE")]
    pub from: f64,
    /// The last rate, where the loss lasts so long
    #[arg(long, default_value_t = 10.0, value_name = "RATE")]
    pub to: f64,
    /// Steps from the first to the last
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub steps: usize,
}

#[derive(Args)]
pub(super) struct ImportWeights {
    /// Name of an experiment, or a path to a spec
    pub name: String,
    /// The weights, a safetensors file
    pub file: PathBuf,
    /// How the file names and lays out its arrays
    #[arg(long, value_parser = ["keras", "pytorch"])]
    pub layout: String,
    /// auto: the spec's dataset where it is imported, else its embedded stand-in; embedded; or a name
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Keys the split [default: the spec's first]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

#[derive(Args)]
pub(super) struct Predict {
    /// Audio files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Experiment or run whose model speaks [default: the audio run with the best validation accuracy]
    #[arg(long = "with", value_name = "NAME")]
    pub with: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum Plot {
    /// Draw a segment of an audio file: waveform, spectrum, spectrogram, mel-spectrogram, MFCC
    Audio {
        /// The audio file
        file: PathBuf,
        /// Folder to write to, made if need be
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Where the segment starts, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 0.0)]
        start: f64,
        /// How long it is
        #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
        seconds: f64,
    },
    /// Draw a dataset: class counts; a sheet per genre, or a table's histograms and correlations
    Dataset {
        /// Name of the dataset
        name: String,
        /// Folder to write to, made if need be [default: reports/figures/NAME]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(super) struct Report {
    /// The page of `reproduce --quick`
    #[arg(long)]
    pub quick: bool,
    /// End with exit code 4 where a claim differs
    #[arg(long)]
    pub strict: bool,
}

/// What running one and running all have in common.
#[derive(Args)]
pub(super) struct Common {
    /// auto: the spec's dataset where it is imported, else its embedded stand-in; embedded; or a name
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Seeds instead of the spec's, one run each
    #[arg(long, value_delimiter = ',', value_name = "N,...")]
    pub seeds: Vec<u64>,
    /// Runs at a time, each in a process of its own; more cores than runs make threads in them
    /// [default: cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Where nets are computed; wgpu and cuda are built in by the features of these names
    #[arg(long, default_value = "cpu", value_name = "cpu|wgpu|cuda")]
    pub device: String,
    /// At most so many seconds of a training are lost by a kill; 0 saves after every step
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub checkpoint_every: u32,
    /// Train nothing where test examples leak: of one track, one group, or copies of what is trained on
    #[arg(long)]
    pub forbid_leaks: bool,
    /// End with exit code 4 where a claim differs
    #[arg(long)]
    pub strict: bool,
}

#[derive(Subcommand)]
pub(super) enum Data {
    /// List the datasets and whether they are there
    List,
    /// Say what a dataset is and what is known of it
    Describe {
        /// Name of the dataset
        name: String,
    },
    /// Write the manifest of a collection of your own
    New {
        /// Name of the new dataset
        name: String,
        /// A folder with a folder of recordings per genre, or a CSV file with the columns path and label
        path: PathBuf,
    },
    /// Check a copy of a dataset, index it and use it from now on
    Import {
        /// Name of the dataset
        name: String,
        /// Where the copy lies
        path: PathBuf,
        /// Copy the files into datasets/imported instead of using them in place
        #[arg(long)]
        copy: bool,
    },
    /// Download a dataset, check it, unpack it and use it from now on; goes on where it was cut off
    Fetch {
        /// Name of the dataset
        name: String,
        /// Folder to put it in, made if need be [default: datasets/downloads/NAME]
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Check that an imported dataset is still what was imported
    Check {
        /// Name of the dataset
        name: String,
    },
    /// Write an audio dataset as wav files
    Export {
        /// Name of the dataset
        name: String,
        /// Folder to write to
        folder: PathBuf,
        /// Only so many tracks a genre, for embedded corpora
        #[arg(long, value_name = "N")]
        tracks_per_genre: Option<usize>,
    },
}

#[derive(Subcommand)]
pub(super) enum Features {
    /// List the features there are: of what, how large, how old, used by how many runs
    List {
        /// Hold every byte to its checksum
        #[arg(long)]
        check: bool,
    },
    /// Remove features; those that a running encore makes are left
    Clean {
        /// Hashes as `features list` shows them, or their first digits
        #[arg(value_name = "HASH", conflicts_with_all = ["partial", "all"])]
        hashes: Vec<String>,
        /// All that are not whole: unfinished, damaged, left over
        #[arg(long)]
        partial: bool,
        /// All
        #[arg(long, conflicts_with = "partial")]
        all: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum Spotify {
    /// Make a dataset of a playlist, or go on with one that was begun
    Collect(Collect),
    /// Sign in as the owner of a playlist, in the browser
    Login(Login),
}

#[derive(Args)]
pub(super) struct Collect {
    /// The playlist: its id, URI or link
    pub playlist: String,
    /// The table, .parquet or .csv; both are written, and its name is the dataset's
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Who is asked for audio features; Spotify refuses apps made after 27 November 2024
    #[arg(long, default_value = "spotify", value_parser = ["spotify", "reccobeats"])]
    pub source: String,
    /// Songs that a genre must come first in to be a label [default: 500 as in the report, or the
    /// largest of 200, 100, 50, 20, 10 and 5 that leaves two genres]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub minimum_rows: Option<usize>,
    /// Ask endpoints too that have refused before
    #[arg(long)]
    pub ask_again: bool,
    /// Where ReccoBeats is
    #[arg(long, hide = true, value_parser = checked_address)]
    pub features_url: Option<String>,
    #[command(flatten)]
    pub common: SpotifyCommon,
}

#[derive(Args)]
pub(super) struct Login {
    /// The browser comes back to http://127.0.0.1:PORT/callback
    #[arg(long, default_value_t = 8888)]
    pub port: u16,
    /// Read the address that the browser came back to from the terminal instead
    #[arg(long)]
    pub paste: bool,
    #[command(flatten)]
    pub common: SpotifyCommon,
}

/// What collecting and signing in have in common.
#[derive(Args)]
pub(super) struct SpotifyCommon {
    /// I may use Spotify's content for this, whatever its developer policy says
    #[arg(long)]
    pub accept_terms: bool,
    /// A file of mode 0600 with RSPOTIFY_CLIENT_ID=… and RSPOTIFY_CLIENT_SECRET=… [default: the
    /// environment, else encore/spotify.env in the user's configuration]
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Where the login is kept [default: encore/spotify-token.json in the user's configuration]
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// Wait no longer than this for a service that is asked too often; save and end instead
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait_at_most: u32,
    /// Where the Web API is
    #[arg(long, hide = true, value_parser = checked_address)]
    pub api_url: Option<String>,
    /// Where the accounts service is
    #[arg(long, hide = true, value_parser = checked_address)]
    pub auth_url: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "must be a whole number from 1".to_owned())
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
