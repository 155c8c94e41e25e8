//! The arguments of `data`, `features` and `spotify`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::spotify::checked_address;

#[derive(Subcommand)]
pub(super) enum Data {
    /// List the datasets and their state
    List,
    /// Describe a dataset: license, citation, known faults, classes, skipped files
    Describe {
        /// Name of the dataset
        name: String,
    },
    /// Create a manifest for your own recordings or table, and for a table a first spec
    New {
        /// Name of the new dataset
        name: String,
        /// Folder with one folder per genre, CSV list of recordings, or table (CSV, Parquet or a folder of them)
        path: PathBuf,
        /// Rate at which to read the recordings, in Hz [default: 22050]
        #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1_000..=384_000))]
        sample_rate: Option<u32>,
        /// Folders above each file: 1 GENRE, 2 GENRE/ARTIST, 3 GENRE/ARTIST/ALBUM [default: detect]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
        depth: Option<u8>,
        /// Column of the table with the labels [default: the likeliest]
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        /// Column of the table that names the rows [default: the likeliest]
        #[arg(long, value_name = "COLUMN")]
        id: Option<String>,
        /// Use a column of more than 50 different numbers as label without asking
        #[arg(long)]
        yes: bool,
    },
    /// Check and index a copy of a dataset, to use it from now on
    Import {
        /// Name of the dataset
        name: String,
        /// Folder or file to import
        path: PathBuf,
        /// Copy the files into datasets/imported instead of reading them in place
        #[arg(long)]
        copy: bool,
        /// Use a column of more than 50 different numbers as label without asking
        #[arg(long)]
        yes: bool,
    },
    /// Download, check, unpack and import a dataset; resumes if interrupted
    Fetch {
        /// Name of the dataset
        name: String,
        /// Output folder, created if missing [default: datasets/downloads/NAME]
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Check that an imported dataset has not changed
    Check {
        /// Name of the dataset
        name: String,
    },
    /// Export an audio dataset as wav files
    Export {
        /// Name of the dataset
        name: String,
        /// Output folder
        folder: PathBuf,
        /// Number of tracks per genre, for synthetic datasets
        #[arg(long, value_name = "N")]
        tracks_per_genre: Option<usize>,
    },
}

#[derive(Subcommand)]
pub(super) enum Features {
    /// List cached features with dataset, size, age and number of runs
    List {
        /// Verify the checksum of every entry
        #[arg(long)]
        check: bool,
    },
    /// Remove cached features, except those that a running encore computes
    Clean {
        /// Hashes from `features list`, or their first digits
        #[arg(value_name = "HASH", conflicts_with_all = ["partial", "all"])]
        hashes: Vec<String>,
        /// Remove all incomplete entries: unfinished, damaged, left over
        #[arg(long)]
        partial: bool,
        /// Remove all entries
        #[arg(long, conflicts_with = "partial")]
        all: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum Spotify {
    /// Collect a playlist as a dataset; resumes if interrupted
    Collect(Collect),
    /// Sign in to Spotify in the browser, as the owner of a playlist
    Login(Login),
}

#[derive(Args)]
pub(super) struct Collect {
    /// Playlist id, URI or link
    pub playlist: String,
    /// Table to write, .parquet or .csv (both are written); its name becomes the dataset's
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Source of audio features; Spotify refuses apps created after 27 November 2024
    #[arg(long, default_value = "spotify", value_parser = ["spotify", "reccobeats"])]
    pub source: String,
    /// Minimum number of songs per genre [default: 500 as in the report, or the largest of
    /// 200, 100, 50, 20, 10 and 5 that leaves two genres]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub minimum_rows: Option<usize>,
    /// Request endpoints again that have refused before
    #[arg(long)]
    pub ask_again: bool,
    /// Address of ReccoBeats
    #[arg(long, hide = true, value_parser = checked_address)]
    pub features_url: Option<String>,
    #[command(flatten)]
    pub common: SpotifyCommon,
}

#[derive(Args)]
pub(super) struct Login {
    /// Port of the redirect URI http://127.0.0.1:PORT/callback
    #[arg(long, default_value_t = 8888)]
    pub port: u16,
    /// Paste the redirect address into the terminal instead of listening on the port
    #[arg(long)]
    pub paste: bool,
    #[command(flatten)]
    pub common: SpotifyCommon,
}

/// Arguments shared by `collect` and `login`.
#[derive(Args)]
pub(super) struct SpotifyCommon {
    /// Confirm that you may use Spotify's content, despite its developer policy
    #[arg(long)]
    pub accept_terms: bool,
    /// File (mode 0600) with RSPOTIFY_CLIENT_ID and RSPOTIFY_CLIENT_SECRET [default: the
    /// environment, then encore/spotify.env in the user configuration folder]
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Token file [default: encore/spotify-token.json in the user configuration folder]
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// Longest wait for a rate limit [s]; beyond it, save and exit
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait_at_most: u32,
    /// Address of the Web API
    #[arg(long, hide = true, value_parser = checked_address)]
    pub api_url: Option<String>,
    /// Address of the accounts service
    #[arg(long, hide = true, value_parser = checked_address)]
    pub auth_url: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| "expected a whole number of at least 1".to_owned())
}
