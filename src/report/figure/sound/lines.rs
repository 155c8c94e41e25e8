//! Waveform and magnitude spectrum: lines with more points than the paper has columns.

use super::{Area, LEFT, SPECTRUM_FLOOR_DB, Segment};
use crate::report::figure::axis::{Axis, Plane};
use crate::report::figure::canvas::{BLUE, Figure, PALE, Point};

/// What the waveform's reader should know too.
pub(super) fn waveform_note(segment: &Segment) -> String {
    match peak(segment) {
        0.0 => "silence".to_owned(),
        peak => format!("peak {peak:.2}"),
    }
}

fn peak(segment: &Segment) -> f64 {
    f64::from(segment.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())))
}

/// Amplitude over time.
pub(super) fn waveform(segment: &Segment, figure: &mut Figure, area: Area) {
    let Area { top, right, bottom } = area;
    let peak = peak(segment);
    // A resampled peak a little over full scale needs no axis of twice the height.
    let high = if peak == 0.0 {
        1.0
    } else if peak < 1.05 {
        peak.min(1.0)
    } else {
        peak
    };
    let plane = Plane {
        left: LEFT,
        top,
        right,
        bottom,
        across: time(segment),
        up: Axis::nice("amplitude", -high, high, 4),
    };
    plane.frame(figure);
    let rate = f64::from(segment.sample_rate_hz);
    dense_line(figure, &plane, &segment.samples, |time_s| (time_s - segment.start_s) * rate);
}

/// Level over frequency.
pub(super) fn spectrum(segment: &Segment, figure: &mut Figure, area: Area) {
    let Area { top, right, bottom } = area;
    let half_rate_hz = f64::from(segment.sample_rate_hz) / 2.0;
    let bin_hz = half_rate_hz / (segment.spectrum_db.len() - 1).max(1) as f64;
    // 1 Hz, or what the segment holds at least twice.
    let low_hz = (2.0 * bin_hz).max(1000.0 / 1024.0).min(half_rate_hz / 2.0);
    let plane = Plane {
        left: LEFT,
        top,
        right,
        bottom,
        across: Axis::octaves(low_hz, half_rate_hz),
        up: Axis::nice("level, dB", SPECTRUM_FLOOR_DB.into(), 0.0, 5),
    };
    for (octave, _) in &plane.across.ticks {
        let (x, _) = plane.place(*octave, 0.0);
        figure.line(vec![(x, top), (x, bottom)], PALE, 1.0);
    }
    plane.frame(figure);
    dense_line(figure, &plane, &segment.spectrum_db, |octave| octave.exp2() / bin_hz);
}

/// Seconds since the recording began.
pub(super) fn time(segment: &Segment) -> Axis {
    let end_s = segment.start_s + segment.duration_s();
    Axis::within("time, s", segment.start_s, end_s, 6)
}

/// Draws a line through values at the places 0, 1, 2, …; `place` turns a number of the lower axis
/// into such a place.
///
/// If many values fall on one column of the paper, a stroke from the smallest to the largest is drawn, as the
/// line itself would look.
fn dense_line(figure: &mut Figure, plane: &Plane, values: &[f32], place: impl Fn(f64) -> f64) {
    const COLUMNS_PER_PIXEL: f64 = 2.0;
    const HALF_WIDTH: f64 = 0.6;
    let n_columns = ((plane.right - plane.left) * COLUMNS_PER_PIXEL) as usize;
    let at = |column: f64| {
        let part = column / n_columns as f64;
        plane.across.low + part * (plane.across.high - plane.across.low)
    };
    let (mut upper, mut lower) = (vec![], vec![]);
    for column in 0..n_columns {
        let (from, to) = (at(column as f64), at(column as f64 + 1.0));
        let (least, greatest) = range_between(values, place(from), place(to));
        let point = |value: f32, shift: f64| -> Point {
            let value = f64::from(value).clamp(plane.up.low, plane.up.high);
            let (x, y) = plane.place(f64::midpoint(from, to), value);
            (x, (y + shift).clamp(plane.top, plane.bottom))
        };
        upper.push(point(greatest, -HALF_WIDTH));
        lower.push(point(least, HALF_WIDTH));
    }
    upper.extend(lower.into_iter().rev());
    figure.area(upper, BLUE, 1.0);
}

/// The least and the greatest value that a line through values at the places 0, 1, 2, … takes from
/// one place to another.
pub(super) fn range_between(values: &[f32], from: f64, to: f64) -> (f32, f32) {
    let last = values.len() - 1;
    let value = |place: f64| {
        let place = place.clamp(0.0, last as f64);
        let (before, part) = (place as usize, (place % 1.0) as f32);
        let after = values[(before + 1).min(last)];
        values[before] + part * (after - values[before])
    };
    let (first, end) = (from.ceil().max(0.0) as usize, (to.floor() + 1.0).max(0.0) as usize);
    let between = values.get(first..end.min(values.len())).unwrap_or_default();
    let all = between.iter().copied().chain([value(from), value(to)]);
    all.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, greatest), value| {
        (least.min(value), greatest.max(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_takes_in_all_values_between_two_places_and_the_line_at_both() {
        let values = [0.0, 4.0, -2.0, 1.0];
        assert_eq!(range_between(&values, 0.25, 0.75), (1.0, 3.0));
        assert_eq!(range_between(&values, 0.5, 1.5), (1.0, 4.0));
        assert_eq!(range_between(&values, 0.0, 3.0), (-2.0, 4.0));
        assert_eq!(range_between(&values, 3.0, 9.0), (1.0, 1.0));
        assert_eq!(range_between(&[7.0], 0.0, 1.0), (7.0, 7.0));
    }
}
