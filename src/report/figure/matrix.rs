//! Who was taken for whom: counts, each row shaded by its shares.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::bar::bar;
use super::canvas::{Align, Figure, INK, PALE, Text, WHITE};
use super::color::ColorMap;
use crate::report::confused::Confused;
use crate::report::group::Group;

const NAME_SIZE: f64 = 13.5;
/// From white to dark blue in even steps of lightness (ColorBrewer's Blues), at 0, 1/8, ... 1.
const SHADES: [RGBColor; 9] = [
    RGBColor(0xFF, 0xFF, 0xFF),
    RGBColor(0xE4, 0xEE, 0xF8),
    RGBColor(0xCC, 0xDF, 0xF1),
    RGBColor(0xA9, 0xCE, 0xE5),
    RGBColor(0x7B, 0xB7, 0xDA),
    RGBColor(0x53, 0x9D, 0xCC),
    RGBColor(0x30, 0x80, 0xBD),
    RGBColor(0x12, 0x60, 0xA5),
    RGBColor(0x08, 0x40, 0x81),
];

/// Draws a group's confusion matrix, summed over its seeds.
pub(super) fn figure(group: &Group) -> Figure {
    let record = group.record();
    let Confused { classes, counts, words } = &Confused::of(group);
    let n = classes.len();
    let cell = (560.0 / n.max(1) as f64).clamp(26.0, 72.0);
    let names = classes.iter().map(|name| Text::new(name, (0.0, 0.0), NAME_SIZE).width());
    let longest = names.fold(40.0, f64::max).min(190.0);
    let upright = longest > cell - 6.0;

    let left = 44.0 + longest + 10.0;
    let top = 70.0;
    let (right, bottom) = (left + cell * n as f64, top + cell * n as f64);
    let below = if upright { longest + 12.0 } else { 26.0 };
    let width = (right + 82.0).max(420.0).ceil() as u32;
    let height = (bottom + below + 34.0).ceil() as u32;
    let title = format!("{}: confusion matrix on the test examples", record.experiment);
    let mut figure = Figure::new(title, width, height);
    let over = match group.runs.len() {
        1 => String::new(),
        _ => format!(", sum of {}", group.counted()),
    };
    let of = if words.is_empty() { String::new() } else { format!("{words}; ") };
    figure.heading(
        &format!("{}: confusion matrix", record.experiment),
        &format!("{of}test examples of {}{over}", group.dataset_words()),
    );
    let shades = ColorMap::through(&SHADES);
    for (i, (row, name)) in counts.iter().zip(classes).enumerate() {
        let all = row.iter().sum::<usize>().max(1) as f64;
        let y = top + cell * (i as f64 + 0.5);
        for (j, count) in row.iter().enumerate() {
            let x = left + cell * (j as f64 + 0.5);
            let share = *count as f64 / all;
            paint(&mut figure, (x, y), cell, (*count, share), shades.at(share));
        }
        let name = Text::new(name, (left - 8.0, y), NAME_SIZE).align(Align::Right);
        figure.text(name.fit(longest));
    }
    for (j, name) in classes.iter().enumerate() {
        let x = left + cell * (j as f64 + 0.5);
        let name = if upright {
            Text::new(name, (x, bottom + 8.0), NAME_SIZE).align(Align::Right).upwards()
        } else {
            Text::new(name, (x, bottom + 14.0), NAME_SIZE).align(Align::Centre)
        };
        figure.text(name.fit(longest));
    }
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    figure.line(corners.to_vec(), INK, 1.0);
    let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
    let actual = Text::new("actual", (22.0, middle_y), 15.0);
    figure.text(actual.align(Align::Centre).upwards());
    let predicted = Text::new("predicted", (middle_x, bottom + below + 16.0), 15.0);
    figure.text(predicted.align(Align::Centre));
    let share = Axis::within("share of the actual class", 0.0, 1.0, 2);
    bar(&mut figure, (right + 18.0, top), bottom, &shades, &share);
    figure
}

fn paint(
    figure: &mut Figure,
    (x, y): (f64, f64),
    cell: f64,
    (count, share): (usize, f64),
    shade: RGBColor,
) {
    let half = cell / 2.0;
    let corner = (x - half, y - half);
    figure.rectangle(corner, (x + half, y + half), shade, 1.0);
    let edge = vec![(x + half, y - half), (x + half, y + half), (x - half, y + half)];
    figure.line(edge, PALE, 0.5);
    let color = match count {
        0 => RGBColor(0xA8, 0xA8, 0xA8),
        _ if share > 0.7 => WHITE,
        _ => INK,
    };
    let size = if cell < 40.0 { 11.0 } else { 14.0 };
    let text = Text::new(count.to_string(), (x, y), size).color(color);
    let size = size * ((cell - 4.0) / text.width()).min(1.0);
    figure.text(Text { size, ..text }.align(Align::Centre));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_run_from_white_to_dark_and_never_get_lighter() {
        let shades = ColorMap::through(&SHADES);
        assert_eq!((shades.at(0.0), shades.at(1.0)), (SHADES[0], SHADES[8]));
        let light = |share: i32| {
            let RGBColor(r, g, b) = shades.at(f64::from(share) / 100.0);
            2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b)
        };
        assert!((0..100).all(|share| light(share) >= light(share + 1)));
    }
}
