//! `plot audio | augment | compare | confusion | curve | dataset | f1 | map | reliability | sweep`.

use std::path::{Path, PathBuf};

use super::arguments::Plot;
use super::foreign::plan;
use super::progress::Progress;
use super::{Done, Failure, Project, json, plot_compare, song_map, studies, sweep};
use crate::audio;
use crate::dataset::{AudioData, Catalogue, Cut, Data};
use crate::experiment::{self, SummaryError};
use crate::report::{self, DatasetSummary};

/// The rate at which files are drawn, in Hz: that of the report's features.
const SAMPLE_RATE_HZ: u32 = 22_050;
/// Length of a sheet's segment, in seconds.
const SHEET_S: f64 = 3.0;

pub(super) fn plot(project: &Project, command: &Plot) -> Done {
    let written = match command {
        Plot::Audio { file, out, start, seconds } => plot_audio(file, out, *start, *seconds)?,
        Plot::Augment { name, out, examples, set, data, seed } => {
            let (catalogue, store, progress) =
                (project.catalogue()?, project.store(), Progress::new(1));
            let (plan, seed) = plan(project, &catalogue, name, data, set, *seed)?;
            let workspace = project.workspace(&catalogue, &store, &progress);
            let sheet = experiment::augmented(&plan, seed, usize::from(*examples), workspace)?;
            let default = || project.reports().join("figures").join("augment");
            let folder = out.clone().unwrap_or_else(default);
            vec![report::draw_augmentations(&plan.name, &sheet, &folder)?]
        }
        Plot::Curve { name, out } => studies::plot_curve(project, name, out.as_deref())?,
        Plot::Compare(arguments) => vec![plot_compare::plot(project, arguments)?],
        Plot::Reliability(arguments) => vec![plot_compare::plot_reliability(project, arguments)?],
        Plot::F1(arguments) => vec![plot_compare::plot_f1(project, arguments)?],
        Plot::Confusion(arguments) => vec![plot_compare::plot_confusion(project, arguments)?],
        Plot::Sweep { name, out } => sweep::plot_sweep(project, name, out.as_deref())?,
        Plot::Map(arguments) => vec![song_map::map(project, arguments)?],
        Plot::Dataset { name, out } => {
            let default = || project.reports().join("figures").join(name);
            plot_dataset(&project.catalogue()?, name, &out.clone().unwrap_or_else(default))?
        }
    };
    let files = written.iter().flat_map(|svg| [svg.clone(), svg.with_extension("png")]);
    json::put("files", files.map(|file| file.display().to_string()).collect::<Vec<_>>());
    for svg in written {
        println!("{}", svg.display());
        println!("{}", svg.with_extension("png").display());
    }
    Ok(())
}

fn plot_audio(
    file: &Path,
    out: &Path,
    start_s: f64,
    seconds: f64,
) -> Result<Vec<PathBuf>, Failure> {
    let recording =
        audio::load(file, SAMPLE_RATE_HZ).map_err(|error| Failure::Data(error.to_string()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let segment = experiment::segment(&name, &recording, start_s, seconds)?;
    Ok(report::draw_summary(&DatasetSummary::Segment(segment), &name, out)?)
}

fn plot_dataset(catalogue: &Catalogue, name: &str, out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let manifest = catalogue.find(name).map_err(Failure::Usage)?;
    let data = catalogue.load(manifest, Cut::default())?;
    let columns = DatasetSummary::Columns(experiment::columns(name, &data));
    let mut written = report::draw_summary(&columns, name, out)?;
    if let Data::Audio(audio) = &data {
        written.extend(sheets(audio, name, out)?);
    }
    Ok(written)
}

/// A sheet per genre: the first track of each.
fn sheets(audio: &AudioData, name: &str, out: &Path) -> Result<Vec<PathBuf>, Failure> {
    let progress = Progress::new(0);
    let n = audio.classes.len();
    let mut written = vec![];
    for (class, genre) in audio.classes.iter().enumerate() {
        let Some(track) = audio.tracks.iter().find(|track| track.class == class) else {
            eprintln!("no plot of {genre}: {name} has no track of this genre");
            continue;
        };
        let segment = experiment::track_segment(audio, track, SHEET_S)?;
        let title = format!("{name}: {genre}");
        written.push(report::draw_sheet(&segment, &title, &format!("{name}-{genre}"), out)?);
        progress.step(&format!("drawing {name}"), class + 1, n);
    }
    Ok(written)
}

impl From<SummaryError> for Failure {
    fn from(error: SummaryError) -> Self {
        match error {
            SummaryError::Dataset(error) => error.into(),
            SummaryError::NotThere(message) => Self::Usage(message),
        }
    }
}
