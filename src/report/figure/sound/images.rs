//! Spectrogram, mel-spectrogram and MFCC: frames as columns of color.

use super::lines::{range_between, time};
use super::{Area, Frames, LEFT, SPECTROGRAM_FLOOR_DB, Segment};
use crate::report::figure::axis::{Axis, FREQUENCY, Plane, octave_ticks_hz};
use crate::report::figure::bar::bar;
use crate::report::figure::canvas::Figure;
use crate::report::figure::color::ColorMap;
use crate::report::figure::raster::Raster;
use crate::report::words::count;

/// The nearest that two ticks of the axis at the left may come, in pixels.
const TICK_ROOM: f64 = 16.0;

/// What the spectrogram's reader should know too.
pub(super) fn spectrogram_note(segment: &Segment) -> String {
    let n_fft = 2 * (segment.spectrogram_db.n_values - 1);
    format!("0 dB = maximum, n_fft {}, hop_length {}", count(n_fft), count(segment.hop_length))
}

/// Level over time and frequency.
pub(super) fn spectrogram(segment: &Segment, figure: &mut Figure, area: Area) {
    let frames = &segment.spectrogram_db;
    let half_rate_hz = f64::from(segment.sample_rate_hz) / 2.0;
    let bin_hz = half_rate_hz / (frames.n_values - 1).max(1) as f64;
    let up = Axis::octaves(bin_hz, half_rate_hz).thinned(TICK_ROOM / (area.bottom - area.top));
    let n_rows = (area.bottom - area.top) as usize;
    // Several bins in a row: the loudest counts, as a tone there is as loud as a tone elsewhere.
    let edge = |row: usize| {
        (up.low + (1.0 - row as f64 / n_rows as f64) * (up.high - up.low)).exp2() / bin_hz
    };
    let edges: Vec<f64> = (0..=n_rows).map(edge).collect();
    let rows_of = |frame: &[f32]| -> Vec<f32> {
        edges.windows(2).map(|pair| range_between(frame, pair[1], pair[0]).1).collect()
    };
    let rows: Vec<Vec<f32>> =
        (0..frames.n_frames()).map(|frame_idx| rows_of(frames.frame(frame_idx))).collect();
    let value = |frame_idx: usize, row: usize| rows[frame_idx][row];
    image(segment, figure, &decibel(), (area, up), (frames.n_frames(), n_rows, &value));
}

/// Level over time and mel bands.
pub(super) fn mel(segment: &Segment, figure: &mut Figure, area: Area) {
    let up = mel_axis(&segment.mel_hz).thinned(TICK_ROOM / (area.bottom - area.top));
    grid(segment, figure, &segment.mel_db, &decibel(), (area, up));
}

/// Bands placed by their number, ticks where the centres' frequencies are.
fn mel_axis(mel_hz: &[f64]) -> Axis {
    let place = |hz: f64| {
        let above = mel_hz.partition_point(|centre| *centre < hz);
        let (before, after) = (*mel_hz.get(above.checked_sub(1)?)?, *mel_hz.get(above)?);
        Some(above as f64 - 0.5 + (hz - before) / (after - before))
    };
    let ticks = octave_ticks_hz().filter_map(|(hz, label)| Some((place(hz)?, label)));
    let (label, high) = (FREQUENCY.to_owned(), mel_hz.len() as f64);
    Axis { label, low: 0.0, high, ticks: ticks.collect() }
}

/// What the MFCCs' reader should know too.
pub(super) fn mfcc_note(segment: &Segment) -> String {
    let first = segment.mfcc.values.iter().step_by(segment.mfcc.n_values);
    let (low, high) = first.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
        (low.min(*value), high.max(*value))
    });
    let scale = f64::from(low.abs().max(high.abs()));
    let n = segment.mfcc.n_values;
    if scale <= mfcc_limit(&segment.mfcc) {
        return format!("{n} coefficients");
    }
    format!("{n} coefficients; the first, {low:.0} to {high:.0}, is outside the scale")
}

/// The largest of all coefficients but the first, which would leave the others one pale color; at
/// least 1, so that what rounding leaves of silence is not colored.
fn mfcc_limit(mfcc: &Frames) -> f64 {
    let n_left_out = usize::from(mfcc.n_values > 1);
    let frames = mfcc.values.chunks_exact(mfcc.n_values);
    let others = frames.flat_map(|frame| &frame[n_left_out..]);
    f64::from(others.fold(0.0_f32, |limit, value| limit.max(value.abs()))).max(1.0)
}

/// Coefficients over time.
pub(super) fn mfcc(segment: &Segment, figure: &mut Figure, area: Area) {
    let n = segment.mfcc.n_values;
    let room = TICK_ROOM / (area.bottom - area.top);
    let every = [1, 2, 5, 10, 20, 50].into_iter().find(|step| *step as f64 / n as f64 >= room);
    let ticks = (0..n).step_by(every.unwrap_or(n)).map(|k| (k as f64 + 0.5, k.to_string()));
    let up =
        Axis { label: "coefficient".to_owned(), low: 0.0, high: n as f64, ticks: ticks.collect() };
    let limit = mfcc_limit(&segment.mfcc);
    let key = (ColorMap::diverging(), Axis::within("", -limit, limit, 4));
    grid(segment, figure, &segment.mfcc, &key, (area, up));
}

/// A color map and the numbers of its ends.
type Key = (ColorMap, Axis);

fn decibel() -> Key {
    (ColorMap::sequential(), Axis::within("dB", SPECTROGRAM_FLOOR_DB.into(), 0.0, 4))
}

/// Frames drawn as they are: a row a number, the first at the bottom.
fn grid(segment: &Segment, figure: &mut Figure, frames: &Frames, key: &Key, place: (Area, Axis)) {
    let n_rows = frames.n_values;
    let value = |frame_idx: usize, row: usize| frames.frame(frame_idx)[n_rows - 1 - row];
    image(segment, figure, key, place, (frames.n_frames(), n_rows, &value));
}

/// Draws `value(frame, row)`, rows from the top, over the segment's time, with its axes and key.
fn image(
    segment: &Segment,
    figure: &mut Figure,
    (map, key): &Key,
    (Area { top, right, bottom }, up): (Area, Axis),
    (n_frames, n_rows, value): (usize, usize, &dyn Fn(usize, usize) -> f32),
) {
    let plane = Plane { left: LEFT, top, right, bottom, across: time(segment), up };
    let n_columns = (right - LEFT) as usize;
    // The frame whose centre is nearest: the first and the last are seen to the segment's ends only.
    let frame_idx = |column: usize| {
        let sample = (column as f64 + 0.5) / n_columns as f64 * segment.samples.len() as f64;
        ((sample / segment.hop_length as f64).round() as usize).min(n_frames - 1)
    };
    let part = |column: usize, row: usize| {
        (f64::from(value(frame_idx(column), row)) - key.low) / (key.high - key.low)
    };
    let corners = ((LEFT, top), (right, bottom));
    figure.images.push(Raster::new(corners, (n_columns, n_rows), map.clone(), part));
    plane.frame_image(figure);
    bar(figure, (right + 14.0, top), bottom, map, key);
}
