//! Which columns go together: Pearson's correlation of every pair.

use super::largest::largest;
use super::{Columns, WIDTH};
use crate::report::figure::axis::Axis;
use crate::report::figure::bar::bar;
use crate::report::figure::canvas::{Align, Figure, INK, Text, WHITE};
use crate::report::figure::color::ColorMap;

const NAME_SIZE: f64 = 13.0;
const NUMBER_SIZE: f64 = 12.5;

/// Columns that are drawn at most.
const MOST_COLUMNS: usize = 40;

/// Draws a square a pair, blue where one falls as the other rises, red where both rise.
pub(super) fn figure(data: &Columns) -> Figure {
    let (data, words) = &largest(data, usize::MAX, MOST_COLUMNS);
    let n = data.columns.len();
    let names =
        data.columns.iter().map(|column| Text::new(&column.name, (0.0, 0.0), NAME_SIZE).width());
    let longest = names.fold(40.0, f64::max).min(150.0);
    let (left, top) = (16.0 + longest + 10.0, 66.0);
    let cell = ((f64::from(WIDTH) - 84.0 - left) / n as f64).min(52.0);
    let (right, bottom) = (left + cell * n as f64, top + cell * n as f64);
    let title = format!("{}: correlations", data.name);
    let mut figure = Figure::new(&title, WIDTH, (bottom + longest + 20.0).ceil() as u32);
    let what = match words.as_str() {
        "" => "Pearson's r of two columns, over examples with both values".to_owned(),
        words => format!("Pearson's r of {words}"),
    };
    figure.heading(&title, &what);
    let map = ColorMap::diverging();
    let has_numbers = Text::new("-0.55", (0.0, 0.0), NUMBER_SIZE).width() + 2.0 < cell;
    for (i, (column, row)) in data.columns.iter().zip(&data.correlations).enumerate() {
        let name = &column.name;
        let y = top + cell * (i as f64 + 0.5);
        for (j, &r) in row.iter().enumerate() {
            let x = left + cell * (j as f64 + 0.5);
            let half = cell / 2.0;
            let color = r.map_or(WHITE, |r| map.at(f64::midpoint(r, 1.0)));
            figure.rectangle((x - half, y - half), (x + half, y + half), color, 1.0);
            if has_numbers {
                let words =
                    r.map_or("-".to_owned(), |r| format!("{r:.2}").replace("-0.00", "0.00"));
                let ink = if r.is_some_and(|r| r.abs() > 0.7) { WHITE } else { INK };
                let text = Text::new(words, (x, y), NUMBER_SIZE).color(ink);
                figure.text(text.align(Align::Centre));
            }
        }
        // Names of narrow rows would lie on each other: every second, third, … is there.
        if i % ((NAME_SIZE + 2.0) / cell).ceil() as usize == 0 {
            let text = Text::new(name, (left - 8.0, y), NAME_SIZE).align(Align::Right);
            figure.text(text.fit(longest));
            let x = left + cell * (i as f64 + 0.5);
            let text = Text::new(name, (x, bottom + 8.0), NAME_SIZE).align(Align::Right).upwards();
            figure.text(text.fit(longest));
        }
    }
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    figure.line(corners.to_vec(), INK, 1.0);
    bar(&mut figure, (right + 18.0, top), bottom, &map, &Axis::within("correlation", -1.0, 1.0, 4));
    figure
}
