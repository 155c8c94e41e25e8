//! The bar that says which color is which number.

use super::axis::Axis;
use super::canvas::{Align, Figure, GREY, Point, Text};
use super::color::{ColorMap, N_COLORS};
use super::raster::Raster;

const WIDTH: f64 = 12.0;

/// Draws a color map from its low end at the bottom to its high end at `top`, with an axis right of it.
pub(super) fn bar(
    figure: &mut Figure,
    (left, top): Point,
    bottom: f64,
    map: &ColorMap,
    axis: &Axis,
) {
    let right = left + WIDTH;
    let part = |_, row: usize| 1.0 - row as f64 / (N_COLORS - 1) as f64;
    let corners = ((left, top), (right, bottom));
    figure.images.push(Raster::new(corners, (1, N_COLORS), map.clone(), part));
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    figure.line(corners.to_vec(), GREY, 0.75);
    let mut widest = 0.0_f64;
    for (value, label) in &axis.ticks {
        let y = bottom - (value - axis.low) / (axis.high - axis.low) * (bottom - top);
        let text = Text::new(label, (right + 6.0, y), 12.5).color(GREY);
        widest = widest.max(text.width());
        figure.text(text);
    }
    let middle = (right + widest + 18.0, f64::midpoint(top, bottom));
    let label = Text::new(&axis.label, middle, 12.5).color(GREY).align(Align::Centre).upwards();
    figure.text(label.fit(bottom - top + 40.0));
}
