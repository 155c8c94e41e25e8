//! The figures of the page. Each is a list of marks, saved as SVG and as PNG.
//!
//! | file | what it shows |
//! |---|---|
//! | `accuracies` | every row's main metric with its interval, the published figure, the baseline |
//! | `inline` | any figure as SVG within the web page, in the page's colors |
//! | `curves` | accuracy and loss over the epochs, training against validation |
//! | `map` | songs on a plane, colored by genre |
//! | `matrix` | the confusion matrix |
//! | `scatter` | predicted against actual numbers |
//! | `robust` | the main metric against the strength of every degradation |
//! | `augment` | examples before and after each augmentation |
//! | `rates` | the loss at every learning rate of a range test |
//! | `sound/` | a segment: waveform, magnitude spectrum, spectrogram, mel-spectrogram, MFCC |
//! | `eda/` | a dataset's columns: class counts, histograms by class, correlations |

mod accuracies;
mod augment;
mod axis;
mod bar;
mod canvas;
mod color;
mod curves;
mod eda;
mod font;
mod inline;
mod map;
mod matrix;
mod raster;
mod rates;
mod render;
mod robust;
mod scatter;
mod sound;

pub use augment::{AugmentRow, AugmentSheet};
pub(crate) use axis::nice_step;
pub use eda::{ColumnSummary, Columns, Histogram};
pub use map::MapPoint;
pub use rates::RatePoint;
pub use sound::{Frames, SPECTROGRAM_FLOOR_DB, SPECTRUM_FLOOR_DB, Segment};

use std::path::{Path, PathBuf};

use super::group::{Group, Row};
use super::robust::{Measured, Section};
use super::words::plain;
use super::{DatasetSummary, Options, ReportError};
use crate::record::Epoch;
use crate::vocab::Task;

/// The name of the files of robustness.
const ROBUSTNESS: &str = "robustness";

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
    folder: &Path,
) -> Result<Drawn, ReportError> {
    let save = |figure: &canvas::Figure, name: &str| {
        render::save(figure, folder, name)?;
        Ok::<_, ReportError>(Image { name: name.to_owned(), title: figure.title.clone() })
    };
    let ran: Vec<&Group> = rows.iter().filter_map(Row::group).collect();
    let (mut overviews, mut names) = (vec![], vec![ROBUSTNESS.to_owned()]);
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
        let number = if i == 0 { String::new() } else { format!("-{}", i + 1) };
        save(&robust::figure(&section.measured), &format!("{ROBUSTNESS}{number}"))
    };
    let robust = robust.iter().enumerate().map(figure).collect::<Result<_, _>>()?;
    let mut by_summary = vec![];
    for (dataset, summary) in &options.data {
        let dataset = file_name(dataset);
        let figures = summary_figures(summary).into_iter();
        let images = figures.map(|(end, figure)| save(&figure, &format!("data-{dataset}-{end}")));
        by_summary.push(images.collect::<Result<_, _>>()?);
    }
    Ok(Drawn { overviews, robust, by_summary, by_row })
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

/// One row's accuracy and loss over the epochs, as SVG that stands within a page and takes its
/// colors; none for models that are fitted in one go. `epochs` has one list per run.
pub(super) fn inline_curves(group: &Group, epochs: &[Vec<Epoch>]) -> Vec<String> {
    if epochs.iter().all(Vec::is_empty) {
        return vec![];
    }
    curves::panels(group, epochs).iter().map(inline::svg).collect()
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
        let images = self.overviews.iter().chain(&self.robust).chain(images);
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
pub(super) mod tests {
    use super::canvas::{Figure, Mark, Text};
    use super::*;
    use crate::record::{Degraded, Run, Store};
    use crate::report::{fake, fake_data, fake_tasks, group};

    fn texts(figure: &Figure) -> Vec<&Text> {
        let marks = figure.marks.iter();
        marks
            .filter_map(|mark| if let Mark::Text(text) = mark { Some(text) } else { None })
            .collect()
    }

    #[test]
    fn no_label_is_clipped_or_lies_on_another() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake::report_like(folder.path());
        let options = fake::options();
        let rows = group::rows(&runs, &options).unwrap();
        let groups: Vec<&Group> = rows.iter().filter_map(Row::group).collect();
        let mut figures = vec![accuracies::figure(Task::Classes, &groups)];
        for group in &groups {
            let epochs: Vec<_> = group.runs.iter().map(|run| run.epochs().unwrap()).collect();
            if !epochs[0].is_empty() {
                figures.push(curves::figure(group, &epochs));
            }
            figures.push(matrix::figure(group));
        }
        assert_eq!(figures.len(), 1 + 9 + 7);
        figures.extend(
            fake_data::summaries().iter().flat_map(summary_figures).map(|(_, figure)| figure),
        );
        figures.push(sound::sheet(&fake_data::segment(), "disco: a track of fake"));
        assert_eq!(figures.len(), 17 + 5 + 3 + 3 + 1);
        figures.iter().for_each(assert_legible);
    }

    #[test]
    fn figures_of_robustness_are_legible_with_four_curves_and_nine_panels() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake::report_like(folder.path());
        let store = Store::new(folder.path().join("runs")).degraded(1);
        let of_dnns = |run: &&Run| {
            ["dnn", "cnn-1", "cnn-2", "cnn-3"].contains(&run.record.experiment.as_str())
        };
        let mut degradations = vec!["none".to_owned()];
        for (name, values) in [
            ("white_noise snr_db", "40 30 20 10 0"),
            ("mp3 bitrate_kbps", "320 128 64 32 16"),
            ("low_pass cutoff_hz", "8000 4000 2000 1000"),
            ("down_up rate_hz", "16000 11025 8000 4000"),
            ("clip_share share", "0.01 0.05 0.1 0.3"),
            ("a_degradation_with_quite_a_long_name_of_its_own rt60_s", "0.2 0.5 1 2"),
            ("gain gain_db", "-40 -20 -10 10"),
            ("pitch semitones", "-4 -2 -1 1 2 4"),
            ("speed factor", "0.8 0.9 1.1 1.25"),
        ] {
            degradations.extend(values.split(' ').map(|value| format!("{name}={value}")));
        }
        for run in runs.iter().filter(of_dnns).filter(|run| run.record.seed < 3) {
            let predictions = run.predictions().unwrap();
            for degradation in &degradations {
                let (degradation, predictions) = (degradation.clone(), predictions.clone());
                let degraded =
                    Degraded { degradation, skipped: vec![], n_too_short: 0, predictions };
                store.write(run, &degraded).unwrap();
            }
        }
        let runs: Vec<Run> = runs.iter().filter(|run| run.record.seed < 3).cloned().collect();
        let options = Options { degraded: Some(store), ..fake::options() };
        let rows = group::rows(&runs, &options).unwrap();
        let sections = crate::report::robust::sections(&rows, &options).unwrap();
        assert_eq!(sections.iter().map(|it| it.measured.names.len()).collect::<Vec<_>>(), [4, 1]);
        for Section { measured } in &sections {
            assert_eq!(measured.curves.len(), 9);
            assert_legible(&robust::figure(measured));
            assert_legible(&robust::panels(measured));
        }
    }

    #[test]
    fn figures_of_tags_and_numbers_are_legible_too() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake_tasks::mixed(folder.path());
        let options = fake::options();
        let rows = group::rows(&runs, &options).unwrap();
        for task in [Task::Tags, Task::Number] {
            let of_task = |group: &&Group| group.task() == task;
            let groups: Vec<&Group> = rows.iter().filter_map(Row::group).filter(of_task).collect();
            assert_eq!(groups.len(), 2);
            assert_legible(&accuracies::figure(task, &groups));
            for group in groups {
                let epochs: Vec<_> = group.runs.iter().map(|run| run.epochs().unwrap()).collect();
                assert_legible(&curves::figure(group, &epochs));
                assert_eq!(curves::panels(group, &epochs).len(), 1, "the loss alone");
                assert_eq!(group.more.points.len(), if task == Task::Number { 720 } else { 0 });
                if task == Task::Number {
                    assert_legible(&scatter::figure(group));
                    assert_legible(&scatter::panel(group));
                }
            }
        }
    }

    /// With 19 classes and 19 columns, names that are far too long, and numbers of all sizes.
    #[test]
    fn crowded_figures_are_legible_too() {
        let classes = (0..19).map(|i| format!("a genre with quite a long name {i}")).collect();
        let labels: Vec<usize> = (0..190).map(|i| i % 19).collect();
        let scale = |j: i32| 10.0_f64.powi(j - 7) * if j % 2 == 0 { 1.0 } else { -1.0 };
        let column = |j: i32| (0..190).map(|i| scale(j) * f64::from(i * i % 97) / 3.0).collect();
        let columns: Vec<(String, Vec<f64>)> =
            (0..19).map(|j| (format!("mean of the feature {j}"), column(j))).collect();
        let notes = (0..20).map(|i| format!("track {i}: {}", "damaged ".repeat(20))).collect();
        let data = fake_data::columns_of("a-dataset", "row", classes, &labels, &columns, notes);
        summary_figures(&DatasetSummary::Columns(data))
            .iter()
            .for_each(|(_, figure)| assert_legible(figure));
    }

    #[test]
    fn figures_of_500_columns_and_114_classes_are_small_and_say_what_they_leave_out() {
        let folder = tempfile::tempdir().unwrap();
        let summary = DatasetSummary::Columns(fake_data::vast());
        let figures = summary_figures(&summary);
        let limits = [
            ("counts", (720, 1_200), "classes; the 40 largest, without 740 rows of the others"),
            (
                "histograms",
                (720, 2_200),
                "the 12 of 500 columns that differ most between classes, the 20 largest of 114 classes",
            ),
            ("correlations", (720, 900), "the 40 of 500 columns that differ most between classes"),
        ];
        assert_eq!(figures.len(), limits.len());
        for ((end, figure), (wanted, (width, height), words)) in figures.iter().zip(limits) {
            assert_eq!(*end, wanted);
            assert!(figure.width <= width && figure.height <= height, "{end}: {}", figure.height);
            let said = texts(figure).iter().any(|text| text.words.contains(words));
            assert!(said, "{end} does not say: {words}");
            assert_legible(figure);
            let svg = render::svg(figure, Path::new("x.svg")).unwrap();
            assert!(svg.len() < 1_000_000, "{end}: {} bytes", svg.len());
            assert!(svg.contains("摇滚乐") && !svg.contains('\u{1b}'));
            render::save(figure, folder.path(), end).unwrap();
            let n_bytes =
                std::fs::metadata(folder.path().join(format!("{end}.png"))).unwrap().len();
            assert!(n_bytes < 1_500_000, "{end}: {n_bytes} bytes");
        }
        let n_bytes: usize =
            summary_data(&summary).unwrap().iter().map(|(_, address)| address.len()).sum();
        assert!(n_bytes < 2_000_000, "{n_bytes} bytes on the page");
        assert!(png_notice().is_some());
    }

    /// No text is clipped, none lies on another, and none is smaller than 12 px on a page of 720 px
    /// in the figures that are no wider than that.
    pub(super) fn assert_legible(figure: &Figure) {
        let texts = texts(figure);
        for (i, text) in texts.iter().enumerate() {
            let (left, top, right, bottom) = text.bounds();
            let (width, height) = (f64::from(figure.width), f64::from(figure.height));
            let inside =
                left >= 2.0 && top >= 2.0 && right <= width - 2.0 && bottom <= height - 2.0;
            assert!(inside, "{}: `{}` is clipped", figure.title, text.words);
            let is_large = text.size >= 12.0 || figure.width > 720;
            assert!(is_large, "{}: `{}` is too small", figure.title, text.words);
            for other in &texts[..i] {
                let theirs = other.bounds();
                let apart =
                    right <= theirs.0 || theirs.2 <= left || bottom <= theirs.1 || theirs.3 <= top;
                let pair = (&text.words, &other.words);
                assert!(apart, "{}: {pair:?} overlap", figure.title);
            }
        }
    }
}
