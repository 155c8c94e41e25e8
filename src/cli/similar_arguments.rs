//! The arguments of `embed`, `similar`, `playlist` and `plot map`.

use std::path::PathBuf;

use clap::Args;

/// What songs are compared by.
#[derive(Args)]
pub(super) struct Description {
    /// `statistics`, or the experiment or run whose net describes the songs
    #[arg(long = "with", value_name = "NAME", default_value = "statistics")]
    pub with: String,
    /// Layer of the net [default: the last one before its decision]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
}

#[derive(Args)]
pub(super) struct Embed {
    /// `statistics`, or the experiment or run whose net describes the recordings
    #[arg(value_name = "RUN")]
    pub with: String,
    /// Audio files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Table to write, a row for each recording: .parquet or .csv
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Layer of the net [default: the last one before its decision]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
}

#[derive(Args)]
pub(super) struct Similar {
    /// Audio file
    #[arg(required_unless_present = "evaluate", conflicts_with = "evaluate")]
    pub file: Option<PathBuf>,
    /// Dataset or folder to search [default: the folder of the file]
    #[arg(long = "in", value_name = "DATASET|FOLDER", conflicts_with = "evaluate")]
    pub place: Option<String>,
    /// Number of songs
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub k: u32,
    /// Score neighbors: the share that has the song's genre, without songs by its artist
    #[arg(long, value_name = "DATASET")]
    pub evaluate: Option<String>,
    #[command(flatten)]
    pub description: Description,
}

#[derive(Args)]
pub(super) struct Playlist {
    /// Songs that the playlist is to be like, e.g. a.mp3,b.mp3
    #[arg(long, value_name = "FILE,...", required = true)]
    pub like: Vec<String>,
    /// Dataset or folder to choose from [default: the folder of the first song]
    #[arg(long = "in", value_name = "DATASET|FOLDER")]
    pub place: Option<String>,
    /// Number of songs
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub n: u32,
    /// Playlist to write: .m3u8
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// 0: as similar as possible; 1: as different from each other as possible
    #[arg(long, value_name = "PART", default_value_t = 0.3, value_parser = part)]
    pub diversity: f32,
    #[command(flatten)]
    pub description: Description,
}

#[derive(Args)]
pub(super) struct Map {
    /// Dataset, or folder of music, whose subfolders are then the colors
    #[arg(value_name = "DATASET|FOLDER")]
    pub place: String,
    /// Output folder, created if missing [default: reports/figures/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Number of neighbors that a point is to keep near
    #[arg(long, value_name = "N", default_value_t = 30.0, value_parser = perplexity)]
    pub perplexity: f64,
    /// Seed for the first places of the points
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub description: Description,
}

fn part(text: &str) -> Result<f32, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn perplexity(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (2.0..=500.0).contains(number));
    number.ok_or_else(|| "expected a number from 2 to 500".to_owned())
}
