//! The figures of the page. Each is a list of marks, saved as SVG and as PNG.
//!
//! | file | what it shows |
//! |---|---|
//! | `accuracies` | every row's main metric with its interval, the published figure, the baseline |
//! | `inline` | any figure as SVG within the web page, in the page's colors |
//! | `curves` | accuracy and loss over the epochs, training against validation |
//! | `map` | songs on a plane, colored by genre |
//! | `classes` | reliability, F1 of every class, the difference of two confusion matrices |
//! | `overlay` | curves of several experiments or runs |
//! | `matrix` | the confusion matrix |
//! | `scatter` | predicted against actual numbers |
//! | `robust` | the main metric against the strength of every degradation |
//! | `learning_curve` | the main metric against the number of training tracks, and a law |
//! | `ablation` | what each change of an ablation does |
//! | `augment` | examples before and after each augmentation |
//! | `rates` | the loss at every learning rate of a range test |
//! | `sweep/` | a search for settings: history, parallel coordinates, slices, contours, importance |
//! | `sound/` | a segment: waveform, magnitude spectrum, spectrogram, mel-spectrogram, MFCC |
//! | `eda/` | a dataset's columns: class counts, histograms by class, correlations |

mod ablation;
mod accuracies;
mod augment;
mod axis;
mod bar;
mod canvas;
mod classes;
mod color;
mod curves;
mod eda;
mod font;
mod inline;
mod learning_curve;
mod map;
mod matrix;
mod overlay;
mod raster;
mod rates;
mod render;
mod robust;
mod scatter;
mod sound;
mod sweep;

pub use augment::{AugmentRow, AugmentSheet};
pub(crate) use axis::nice_step;
pub use eda::{ColumnSummary, Columns, Histogram};
pub use map::MapPoint;
pub use rates::RatePoint;
pub use sound::{Frames, SPECTROGRAM_FLOOR_DB, SPECTRUM_FLOOR_DB, Segment};

use std::path::{Path, PathBuf};

use super::ablation::Ablation;
use super::class_figures::{ClassF1, ConfusionDifference, Reliability};
use super::group::{Group, Row};
use super::learning::Curve;
use super::overlay::{CurveView, OverlaidLine};
use super::page_studies::Studies;
use super::robust::{Measured, Section};
use super::words::plain;
use super::{DatasetSummary, Options, Picture, ReportError};
use crate::record::Epoch;
use crate::search::Trials;
use crate::vocab::Task;

/// The name of the files of robustness.
const ROBUSTNESS: &str = "robustness";
/// The name of the files of learning curves, and of ablations.
const LEARNING_CURVE: &str = "learning-curve";
const ABLATION: &str = "ablation";
/// The name of the files of searches, without what each shows.
const SEARCH: &str = "search";

/// A name, numbered from the second on.
fn numbered(name: &str, at: usize) -> String {
    if at == 0 { name.to_owned() } else { format!("{name}-{}", at + 1) }
}

/// What to tell whoever looks at the PNGs that this process has drawn.
pub(super) fn png_notice() -> Option<&'static str> {
    font::notice()
}

/// The figures that were drawn, by row.
pub(super) struct Drawn {
    /// One a task.
    overviews: Vec<Image>,
    /// One for a few experiments.
    robust: Vec<Image>,
    /// Several a search.
    searches: Vec<Vec<Image>>,
    /// One a curve.
    curves: Vec<Image>,
    /// One an ablation.
    ablations: Vec<Image>,
    by_summary: Vec<Vec<Image>>,
    by_row: Vec<Vec<Image>>,
}

struct Image {
    name: String,
    title: String,
}

/// Draws every figure of the page into a folder.
pub(super) fn draw_all(
    rows: &[Row],
    options: &Options,
    robust: &[Section],
    studies: &Studies,
    folder: &Path,
) -> Result<Drawn, ReportError> {
    let save = |figure: &canvas::Figure, name: &str| {
        render::save(figure, folder, name)?;
        Ok::<_, ReportError>(Image { name: name.to_owned(), title: figure.title.clone() })
    };
    let ran: Vec<&Group> = rows.iter().filter_map(Row::group).collect();
    let (mut overviews, mut names) =
        (vec![], [ROBUSTNESS, SEARCH, LEARNING_CURVE, ABLATION].map(str::to_owned).to_vec());
    for (task, name) in Task::ALL.into_iter().zip(["accuracies", "roc-auc", "r2"]) {
        let groups: Vec<&Group> =
            ran.iter().copied().filter(|group| group.task() == task).collect();
        if !groups.is_empty() {
            overviews.push(save(&accuracies::figure(task, &groups), name)?);
            names.push(name.to_owned());
        }
    }
    let mut by_row = vec![];
    for row in rows {
        let mut images = vec![];
        if let Row::Ran(group) = row {
            let name = unused_name(group, &mut names);
            let epochs =
                group.runs.iter().map(|run| run.epochs()).collect::<Result<Vec<_>, _>>()?;
            if epochs.iter().any(|run| !run.is_empty()) {
                images.push(save(&curves::figure(group, &epochs), &format!("{name}-curves"))?);
            }
            match group.task() {
                Task::Classes => {
                    images.push(save(&matrix::figure(group), &format!("{name}-confusion"))?);
                }
                Task::Tags => {}
                Task::Number => {
                    images.push(save(&scatter::figure(group), &format!("{name}-scatter"))?);
                }
            }
        }
        by_row.push(images);
    }
    let figure = |(i, section): (usize, &Section)| {
        save(&robust::figure(&section.measured), &numbered(ROBUSTNESS, i))
    };
    let robust = robust.iter().enumerate().map(figure).collect::<Result<_, _>>()?;
    let mut searches = vec![];
    for (i, section) in studies.searches.iter().enumerate() {
        let mut images = vec![];
        if let Some(trials) = section.trials() {
            for it in sweep::figures(&section.study.experiment, &trials.trials()) {
                images.push(save(&it.whole, &format!("{}-{}", numbered(SEARCH, i), it.end))?);
            }
        }
        searches.push(images);
    }
    let (mut curves, mut ablations) = (vec![], vec![]);
    for (i, curve) in studies.curves.iter().enumerate() {
        let name = numbered(LEARNING_CURVE, i);
        curves.push(save(&learning_curve::figure(curve), &name)?);
    }
    for (i, it) in studies.ablations.iter().enumerate() {
        ablations.push(save(&ablation::figure(it), &numbered(ABLATION, i))?);
    }
    let mut by_summary = vec![];
    for (dataset, summary) in &options.data {
        let dataset = file_name(dataset);
        let figures = summary_figures(summary).into_iter();
        let images = figures.map(|(end, figure)| save(&figure, &format!("data-{dataset}-{end}")));
        by_summary.push(images.collect::<Result<_, _>>()?);
    }
    Ok(Drawn { overviews, robust, searches, curves, ablations, by_summary, by_row })
}

/// A summary's figures, each with the end of its file's name.
fn summary_figures(summary: &DatasetSummary) -> Vec<(&'static str, canvas::Figure)> {
    match summary {
        DatasetSummary::Segment(segment) => sound::figures(segment),
        DatasetSummary::Columns(columns) => eda::figures(columns),
    }
}

/// A summary's figures as titles and `data:` addresses of SVG, which need no file.
pub(super) fn summary_data(summary: &DatasetSummary) -> Result<Vec<(String, String)>, ReportError> {
    let address = |(_, figure): (&str, canvas::Figure)| {
        let svg = render::svg(&figure, Path::new("index.html"))?;
        let data = raster::base64(svg.as_bytes());
        Ok((figure.title, format!("data:image/svg+xml;base64,{data}")))
    };
    summary_figures(summary).into_iter().map(address).collect()
}

/// The mel spectrogram of a segment, as SVG that is a file of its own.
pub(super) fn mel_svg(segment: &Segment) -> Result<String, ReportError> {
    let figures = sound::figures(segment);
    let mel = figures.into_iter().find(|(file, _)| file.contains("mel"));
    let (file, figure) = mel.expect("a segment has a mel spectrogram");
    render::svg(&figure, Path::new(file))
}

/// Draws a summary's figures into a folder; the SVGs' paths, beside each of which a PNG lies.
pub(super) fn draw_summary(
    summary: &DatasetSummary,
    name: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let name = file_name(name);
    let draw = |(end, figure)| draw(&figure, &format!("{name}-{end}"), folder);
    summary_figures(summary).into_iter().map(draw).collect()
}

/// Draws a segment's five figures on one sheet.
pub(super) fn draw_sheet(
    segment: &Segment,
    title: &str,
    name: &str,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    draw(&sound::sheet(segment, title), &file_name(name), folder)
}

/// Saves a figure and returns its SVG's path.
fn draw(figure: &canvas::Figure, name: &str, folder: &Path) -> Result<PathBuf, ReportError> {
    render::save(figure, folder, name)?;
    Ok(folder.join(format!("{name}.svg")))
}

/// The confusion matrix of a group as a PNG.
pub(super) fn confusion_png(group: &Group) -> Result<Picture, ReportError> {
    render::picture(&matrix::figure(group), Path::new("confusion.png"))
}

/// One row's accuracy and loss over the epochs, as SVG that stands within a page and takes its
/// colors; none for models that are fitted in one go. `epochs` has one list per run.
pub(super) fn inline_curves(group: &Group, epochs: &[Vec<Epoch>]) -> Vec<String> {
    if epochs.iter().all(Vec::is_empty) {
        return vec![];
    }
    let claim = group.claim_of_main().map(|judged| judged.claim.value);
    curves::panels(group.experiment(), claim, epochs).iter().map(inline::svg).collect()
}

/// The same of runs that are not finished or have no test scores.
pub(super) fn inline_epochs(experiment: &str, epochs: &[Vec<Epoch>]) -> Vec<String> {
    curves::panels(experiment, None, epochs).iter().map(inline::svg).collect()
}

/// Curves of several experiments or runs, as SVG that stands within a page.
pub(super) fn inline_overlaid(lines: &[OverlaidLine], view: &CurveView) -> String {
    let figure = inline::svg(&overlay::panel(lines, view));
    let caption = super::words::escaped(&overlay::caption(lines, view));
    format!("<figure class=\"wide\">{figure}<figcaption>{caption}</figcaption></figure>")
}

/// Draws curves of several experiments or runs into a folder.
pub(super) fn draw_overlaid(
    lines: &[OverlaidLine],
    view: &CurveView,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let name = joined(lines.iter().map(|line| line.name.as_str()), &view.metric);
    draw(&overlay::figure(lines, view), &name, folder)
}

/// Draws a reliability diagram into a folder.
pub(super) fn draw_reliability(
    sides: &[Reliability],
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let names = sides.iter().map(|side| side.name.as_str());
    draw(&classes::reliability(sides), &joined(names, "reliability"), folder)
}

/// Draws F1 of every class into a folder.
pub(super) fn draw_f1(sides: &[ClassF1], folder: &Path) -> Result<PathBuf, ReportError> {
    let names = sides.iter().map(|side| side.name.as_str());
    draw(&classes::f1(sides), &joined(names, "f1"), folder)
}

/// Draws the difference of two confusion matrices into a folder.
pub(super) fn draw_confusion_difference(
    difference: &ConfusionDifference,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let names = difference.names.iter().map(String::as_str);
    draw(&classes::difference(difference), &joined(names, "confusion"), folder)
}

/// The name of a file about several experiments.
fn joined<'a>(names: impl Iterator<Item = &'a str>, end: &str) -> String {
    let names = names.collect::<Vec<_>>().join("-");
    let name: String = file_name(&names).chars().take(100).collect();
    format!("{name}-{end}")
}

/// One row's predicted against actual numbers, as SVG that stands within a page, and what they are of.
pub(super) fn inline_scatter(group: &Group) -> (String, String) {
    (inline::svg(&scatter::panel(group)), scatter::words(group))
}

/// Draws the robustness of some sides into a folder; `name` is the end of the file's name.
pub(super) fn draw_robust(
    measured: &Measured,
    name: &str,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let name: String = file_name(name).chars().take(100).collect();
    draw(&robust::figure(measured), &name, folder)
}

/// The robustness of some sides as SVG that stands within a page.
pub(super) fn inline_robust(measured: &Measured) -> String {
    inline::svg(&robust::panels(measured))
}

/// Draws a learning curve into a folder, as SVG and PNG.
pub(super) fn draw_curve(curve: &Curve, name: &str, folder: &Path) -> Result<PathBuf, ReportError> {
    draw(&learning_curve::figure(curve), &format!("{}-curve", file_name(name)), folder)
}

/// A learning curve as SVG that stands within a page.
pub(super) fn inline_curve(curve: &Curve) -> String {
    inline::svg(&learning_curve::panel(curve))
}

/// Draws the changes of an ablation into a folder, as SVG and PNG.
pub(super) fn draw_ablation(
    it: &Ablation,
    name: &str,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    draw(&ablation::figure(it), &format!("{}-ablation", file_name(name)), folder)
}

/// The changes of an ablation as SVG that stands within a page.
pub(super) fn inline_ablation(it: &Ablation) -> String {
    inline::svg(&ablation::panel(it))
}

/// Draws the figures of a search into a folder; the SVGs' paths, beside each of which a PNG lies.
pub(super) fn draw_sweep(
    name: &str,
    trials: &Trials,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let stem = file_name(name);
    let figures = sweep::figures(name, trials).into_iter();
    figures.map(|it| draw(&it.whole, &format!("{stem}-{}", it.end), folder)).collect()
}

/// The figures of a search for a page with its own headings: title, how it is read, and SVG that stands
/// within the page and takes its colors.
pub(super) fn inline_sweep(name: &str, trials: &Trials) -> Vec<(&'static str, String, String)> {
    let figures = sweep::figures(name, trials).into_iter();
    figures.map(|it| (it.title, it.words, inline::svg(&it.panel))).collect()
}

/// Draws a learning-rate range test into a folder, as SVG and PNG.
pub(super) fn draw_rates(
    name: &str,
    points: &[RatePoint],
    suggestion: Option<f64>,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    draw(&rates::figure(name, points, suggestion), &file_name(name), folder)
}

/// Draws examples before and after each augmentation into a folder, as SVG and PNG.
pub(super) fn draw_augmentations(
    name: &str,
    sheet: &AugmentSheet,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let figure = augment::figure(sheet, &format!("{name}: augmentations"));
    draw(&figure, &format!("{}-augment", file_name(name)), folder)
}

/// Draws songs on a plane into a folder, as SVG and PNG.
pub(super) fn draw_map(
    name: &str,
    words: &str,
    points: &[MapPoint],
    classes: &[String],
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let last = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    draw(&map::figure(name, words, points, classes), &format!("{}-map", file_name(&last)), folder)
}

/// A name as a file's, without its ending.
fn file_name(text: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    text.chars().map(safe).collect()
}

/// The experiment's name as a file's; the dataset, and a number if need be, where it is taken.
fn unused_name(group: &Group, names: &mut Vec<String>) -> String {
    let record = group.record();
    let cut = if record.cut.is_empty() { "" } else { "-cut" };
    let experiment = file_name(&record.experiment);
    let foreign = if record.foreign.is_none() { "" } else { "-foreign" };
    let longer = format!("{experiment}-{}{cut}{foreign}", file_name(&record.data.dataset));
    let numbered = (2..).map(|n| format!("{longer}-{n}"));
    let name = [experiment, longer.clone()]
        .into_iter()
        .chain(numbered)
        .find(|name| !names.contains(name))
        .expect("one of endless numbers is unused");
    names.push(name.clone());
    name
}

impl Drawn {
    /// The images of all main metrics in Markdown; empty if nothing ran.
    pub(super) fn overview_images(&self) -> String {
        self.overviews.iter().map(markdown).collect::<Vec<_>>().join("\n")
    }

    /// The image of some experiments' robustness in Markdown.
    pub(super) fn robust_image(&self, section: usize) -> String {
        self.robust.get(section).map(markdown).unwrap_or_default()
    }

    /// The images of a search in Markdown.
    pub(super) fn search_images(&self, search: usize) -> String {
        self.searches.get(search).into_iter().flatten().map(markdown).collect()
    }

    /// The image of a learning curve in Markdown.
    pub(super) fn curve_image(&self, curve: usize) -> String {
        self.curves.get(curve).map(markdown).unwrap_or_default()
    }

    /// The image of an ablation in Markdown.
    pub(super) fn ablation_image(&self, ablation: usize) -> String {
        self.ablations.get(ablation).map(markdown).unwrap_or_default()
    }

    /// One dataset's images in Markdown.
    pub(super) fn summary_images(&self, summary: usize) -> impl Iterator<Item = String> + '_ {
        self.by_summary[summary].iter().map(markdown)
    }

    /// One row's images in Markdown.
    pub(super) fn images(&self, row: usize) -> impl Iterator<Item = String> + '_ {
        self.by_row[row].iter().map(markdown)
    }

    /// Every file, in the order of the page.
    pub(super) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let images = self.by_summary.iter().chain(&self.by_row).flatten();
        let searches = self.searches.iter().flatten();
        let studies = searches.chain(&self.curves).chain(&self.ablations);
        let images = self.overviews.iter().chain(studies).chain(&self.robust).chain(images);
        let both =
            |image: &Image| ["svg", "png"].map(|end| folder.join(format!("{}.{end}", image.name)));
        images.flat_map(both).collect()
    }
}

fn markdown(image: &Image) -> String {
    let title = plain(&image.title).replace('[', "(").replace(']', ")");
    format!("![{title}](figures/{}.svg)\n", image.name)
}

#[cfg(test)]
pub(super) mod tests;
