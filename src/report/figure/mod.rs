//! The figures of the page. Each is a list of marks, saved as SVG and as PNG.
//!
//! | file | what it shows |
//! |---|---|
//! | `accuracies` | every row's accuracy with its interval, the published figure, the largest class |
//! | `inline` | any figure as SVG within the web page, in the page's colours |
//! | `curves` | accuracy and loss over the epochs, training against validation |
//! | `matrix` | who was taken for whom |
//! | `rates` | the loss at every learning rate of a range test |

mod accuracies;
mod axis;
mod canvas;
mod curves;
mod inline;
mod matrix;
mod rates;
mod render;

pub use rates::RatePoint;

use std::path::{Path, PathBuf};

use super::ReportError;
use super::group::{Group, Row};
use super::words::plain;
use crate::record::Epoch;

/// The figures that were drawn, by row.
pub(super) struct Drawn {
    overview: Option<Image>,
    by_row: Vec<Vec<Image>>,
}

struct Image {
    name: String,
    title: String,
}

/// Draws every figure of the page into a folder.
pub(super) fn draw_all(rows: &[Row], folder: &Path) -> Result<Drawn, ReportError> {
    let save = |figure: &canvas::Figure, name: &str| {
        render::save(figure, folder, name)?;
        Ok::<_, ReportError>(Image { name: name.to_owned(), title: figure.title.clone() })
    };
    let ran: Vec<&Group> = rows.iter().filter_map(Row::group).collect();
    let overview = match ran.as_slice() {
        [] => None,
        groups => Some(save(&accuracies::figure(groups), "accuracies")?),
    };
    let mut names = vec!["accuracies".to_owned()];
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
            images.push(save(&matrix::figure(group), &format!("{name}-confusion"))?);
        }
        by_row.push(images);
    }
    Ok(Drawn { overview, by_row })
}

/// One row's accuracy and loss over the epochs, as SVG that stands within a page and takes its
/// colours; none for models that are fitted in one go. `epochs` has one list per run.
pub(super) fn inline_curves(group: &Group, epochs: &[Vec<Epoch>]) -> Vec<String> {
    if epochs.iter().all(Vec::is_empty) {
        return vec![];
    }
    curves::panels(group, epochs).iter().map(inline::svg).collect()
}

/// Draws a learning-rate range test into a folder, as SVG and PNG.
pub(super) fn draw_rates(
    name: &str,
    points: &[RatePoint],
    suggestion: Option<f64>,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    let file = name.replace('/', "-");
    render::save(&rates::figure(name, points, suggestion), folder, &file)?;
    Ok(folder.join(format!("{file}.svg")))
}

/// The experiment's name as a file's; the dataset, and a number if need be, where it is taken.
fn unused_name(group: &Group, names: &mut Vec<String>) -> String {
    let file = |text: &str| -> String {
        let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        text.chars().map(safe).collect()
    };
    let record = group.record();
    let cut = if record.cut.is_empty() { "" } else { "-cut" };
    let experiment = file(&record.experiment);
    let longer = format!("{experiment}-{}{cut}", file(&record.data.dataset));
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
    /// The image of all accuracies in Markdown; empty if nothing ran.
    pub(super) fn overview_image(&self) -> String {
        self.overview.as_ref().map_or(String::new(), markdown)
    }

    /// One row's images in Markdown.
    pub(super) fn images(&self, row: usize) -> impl Iterator<Item = String> + '_ {
        self.by_row[row].iter().map(markdown)
    }

    /// Every file, in the order of the page.
    pub(super) fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let images = self.overview.iter().chain(self.by_row.iter().flatten());
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
mod tests {
    use super::canvas::{Figure, Mark, Text};
    use super::*;
    use crate::report::{fake, group};

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
        let mut figures = vec![accuracies::figure(&groups)];
        for group in &groups {
            let epochs: Vec<_> = group.runs.iter().map(|run| run.epochs().unwrap()).collect();
            if !epochs[0].is_empty() {
                figures.push(curves::figure(group, &epochs));
            }
            figures.push(matrix::figure(group));
        }
        assert_eq!(figures.len(), 1 + 9 + 7);
        for figure in &figures {
            let texts = texts(figure);
            for (i, text) in texts.iter().enumerate() {
                let (left, top, right, bottom) = text.bounds();
                let (width, height) = (f64::from(figure.width), f64::from(figure.height));
                let inside =
                    left >= 2.0 && top >= 2.0 && right <= width - 2.0 && bottom <= height - 2.0;
                assert!(inside, "{}: `{}` is clipped", figure.title, text.words);
                for other in &texts[..i] {
                    let theirs = other.bounds();
                    let apart = right <= theirs.0
                        || theirs.2 <= left
                        || bottom <= theirs.1
                        || theirs.3 <= top;
                    let pair = (&text.words, &other.words);
                    assert!(apart, "{}: {pair:?} overlap", figure.title);
                }
            }
        }
    }
}
