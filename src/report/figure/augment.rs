//! A sheet of examples before and after each augmentation: a row each, one color for one number
//! everywhere.

use super::axis::Axis;
use super::bar::bar;
use super::canvas::{Align, Figure, GREY, Text};
use super::color::ColorMap;
use super::raster::Raster;
use super::sound::Frames;

/// Some examples before and after every augmentation of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct AugmentSheet {
    /// What the examples are, in their order.
    pub examples: Vec<String>,
    /// The examples as they are, then after each augmentation, then after all.
    pub rows: Vec<AugmentRow>,
}

/// All examples of a sheet after one augmentation.
#[derive(Debug, Clone, PartialEq)]
pub struct AugmentRow {
    /// Name of the augmentation.
    pub name: String,
    /// Its settings, in words.
    pub settings: String,
    /// One for each example: frames from left to right, their numbers from the bottom up.
    pub images: Vec<Frames>,
}

const WIDTH: u32 = 760;
const LEFT: f64 = 16.0;
const RIGHT: f64 = 680.0;
const GAP: f64 = 10.0;
const TOP: f64 = 88.0;
/// Height of an image.
const HEIGHT: f64 = 96.0;
/// Height of a row's heading.
const HEADING: f64 = 26.0;
/// What the color scale leaves out at either end.
const OUTSIDE: f64 = 0.01;

/// Draws a sheet under a title.
pub(super) fn figure(sheet: &AugmentSheet, title: &str) -> Figure {
    let n_rows = sheet.rows.len();
    let height = TOP + n_rows as f64 * (HEIGHT + HEADING + GAP) + 8.0;
    let mut figure = Figure::new(title, WIDTH, height as u32);
    figure.heading(
        title,
        "frames from left to right, bands from the bottom up; the same examples in every row",
    );
    let n = sheet.examples.len().max(1) as f64;
    let width = (RIGHT - LEFT - (n - 1.0) * GAP) / n;
    let left_of = |column: usize| LEFT + column as f64 * (width + GAP);
    for (column, example) in sheet.examples.iter().enumerate() {
        let at = (left_of(column) + width / 2.0, TOP - 18.0);
        figure.text(Text::new(example, at, 12.5).color(GREY).align(Align::Centre).fit(width));
    }
    let (low, high) = range(sheet.rows.first().map_or(&[], |row| &row.images));
    let (map, key) = (ColorMap::sequential(), Axis::within("", low, high, 4));
    for (place, row) in sheet.rows.iter().enumerate() {
        let top = TOP + place as f64 * (HEIGHT + HEADING + GAP);
        let name = Text::new(&row.name, (LEFT, top + 10.0), 13.5).bold().fit(RIGHT - LEFT);
        let behind = LEFT + name.width() + 10.0;
        figure.text(name);
        let settings = Text::new(&row.settings, (behind, top + 10.0), 12.5).color(GREY);
        figure.text(settings.fit(RIGHT - behind));
        let (top, bottom) = (top + HEADING, top + HEADING + HEIGHT);
        for (column, image) in row.images.iter().enumerate() {
            let (left, n_values) = (left_of(column), image.n_values);
            let n_frames = image.values.len() / n_values;
            let part = |frame: usize, row: usize| {
                let value = image.values[frame * n_values + n_values - 1 - row];
                (f64::from(value) - key.low) / (key.high - key.low)
            };
            let corners = ((left, top), (left + width, bottom));
            figure.images.push(Raster::new(corners, (n_frames, n_values), map.clone(), part));
        }
        if place == 0 {
            bar(&mut figure, (RIGHT + 14.0, top), bottom, &map, &key);
        }
    }
    figure
}

/// Returns the numbers that the colors are for: all but the most extreme ones.
fn range(images: &[Frames]) -> (f64, f64) {
    let mut values: Vec<f32> = images.iter().flat_map(|image| image.values.clone()).collect();
    values.sort_by(f32::total_cmp);
    let at = |share: f64| {
        let place = (share * values.len().saturating_sub(1) as f64).round() as usize;
        values.get(place).map_or(0.0, |value| f64::from(*value))
    };
    let (low, high) = (at(OUTSIDE), at(1.0 - OUTSIDE));
    if low < high { (low, high) } else { (low - 1.0, low + 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::tests::assert_legible;

    #[test]
    fn a_row_has_an_image_of_every_example_and_all_labels_are_legible() {
        let image = |k: usize| Frames {
            values: (0..20 * 8).map(|i| ((i * (k + 3)) % 31) as f32 - 60.0).collect(),
            n_values: 8,
        };
        let row = |name: &str, settings: &str| AugmentRow {
            name: name.to_owned(),
            settings: settings.to_owned(),
            images: (0..3).map(image).collect(),
        };
        let long = "a track with quite a long name that does not fit above its image, segment 3";
        let sheet = AugmentSheet {
            examples: vec!["jazz.00001".to_owned(), long.to_owned(), "rock.00001".to_owned()],
            rows: vec![
                row("unchanged", ""),
                row("mask", "bands 16, frames 20, n 2"),
                row("eq", &"knots 6, ".repeat(40)),
            ],
        };
        let figure = figure(&sheet, "cnn-4: augmentations");
        assert_legible(&figure);
        assert_eq!(figure.images.len(), 3 * 3 + 1, "and a bar");
        assert_eq!(figure.images[0].size(), (20, 8));
        // The first row of the image is the last number of the frames.
        assert_ne!(figure.images[0].cell(0, 0), figure.images[0].cell(0, 7));
    }

    #[test]
    fn equal_numbers_have_a_range_too() {
        assert_eq!(range(&[Frames { values: vec![3.0; 8], n_values: 2 }]), (2.0, 4.0));
        assert_eq!(range(&[]), (-1.0, 1.0));
    }
}
