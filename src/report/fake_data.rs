//! Made-up numbers of datasets, for the tests of this room.

use super::fake::{GENRES, SPOTIFY};
use super::{ColumnSummary, Columns, DatasetSummary, Frames, Histogram, Segment};
use crate::table::{ClassedRows, between_classes};
use crate::vocab::{Rng, Seed};

/// What datasets are like: a segment, a table with gaps, and tracks with their durations.
pub(super) fn summaries() -> Vec<DatasetSummary> {
    let mut rng = Seed(3).rng("summaries", &[]);
    let labels: Vec<usize> = (0..400).map(|i| i % SPOTIFY.len()).collect();
    let column = |rng: &mut Rng, scale: f64, shift: f64| -> Vec<f64> {
        labels.iter().map(|class| scale * (rng.normal() + *class as f64) + shift).collect()
    };
    let mut columns: Vec<(String, Vec<f64>)> = vec![
        ("danceability".to_owned(), column(&mut rng, 0.1, 0.0)),
        ("loudness".to_owned(), column(&mut rng, -7.0, -60.0)),
        ("tempo".to_owned(), column(&mut rng, 20.0, 90.0)),
        ("mode".to_owned(), labels.iter().map(|class| (class % 2) as f64).collect()),
        ("duration_ms".to_owned(), column(&mut rng, 30_000.0, 200_000.0)),
        ("instrumentalness".to_owned(), vec![0.0; labels.len()]),
    ];
    columns[2].1[7] = f64::NAN;
    columns[4].1[9] = 9e7;
    let notes = vec!["12 of 412 rows have no label".to_owned()];
    let classes = SPOTIFY.map(str::to_owned).to_vec();
    let table = columns_of("spotify", "row", classes, &labels, &columns, notes);
    let labels: Vec<usize> = (0..99).map(|i| i % 10).collect();
    let durations = (0..99).map(|i| 29.9 + f64::from(i % 7) / 50.0).collect();
    let levels = (0..99).map(f64::from).collect();
    let columns = vec![("duration, s".to_owned(), durations), ("level".to_owned(), levels)];
    let classes = GENRES.map(str::to_owned).to_vec();
    let tracks = columns_of("gtzan", "track", classes, &labels, &columns, vec![]);
    vec![
        DatasetSummary::Segment(segment()),
        DatasetSummary::Columns(table),
        DatasetSummary::Columns(tracks),
    ]
}

/// A name in one of several scripts, of any length.
fn vast_name(i: usize) -> String {
    match i % 6 {
        0 => format!("摇滚乐与民谣 {i}"),
        1 => format!("موسيقى {i}"),
        2 => format!("🎸 rock {i}"),
        3 => format!("a genre with a very long name indeed, longer than any figure is wide {i}"),
        4 => format!("a\u{1b}[31m<b>&\"{i}"),
        _ => format!("genre {i}"),
    }
}

/// 114 classes and the class of each of 1,200 rows.
pub(super) fn vast_labels() -> (Vec<String>, Vec<usize>) {
    let label = |i: usize| if i < 1_140 { i % 114 } else { i % 6 };
    ((0..114).map(vast_name).collect(), (0..1_200).map(label).collect())
}

/// A table of 500 columns and 114 classes, of which a dataset keeps the 40 columns that differ most.
pub(super) fn vast() -> Columns {
    let (classes, labels) = vast_labels();
    let value = |j: usize, i: usize| ((i * (j + 3)) % 97 + labels[i] * (j % 7)) as f64;
    let column = |j: usize| (vast_name(j), (0..labels.len()).map(|i| value(j, i)).collect());
    let notes = (0..300).map(|i| format!("note {i}")).collect();
    let columns: Vec<(String, Vec<f64>)> = (0..40).map(column).collect();
    Columns { n_columns: 500, ..columns_of("vast", "row", classes, &labels, &columns, notes) }
}

/// Columns of these numbers, in bins over the middle 99 %.
pub(super) fn columns_of(
    name: &str,
    unit: &'static str,
    classes: Vec<String>,
    labels: &[usize],
    columns: &[(String, Vec<f64>)],
    notes: Vec<String>,
) -> Columns {
    let rows = ClassedRows::new(labels, columns.iter().map(|(_, values)| values.as_slice()));
    let parts = rows.by_class(classes.len());
    let column = |(place, (name, _)): (usize, &(String, Vec<f64>))| {
        let all = rows.column(place);
        let (low, high) = all.quantile(0.005).zip(all.quantile(0.995)).unwrap_or_default();
        let high = if high > low { high } else { low + 1.0 };
        let is_whole = all.are_whole() && high - low < 40.0;
        let half = if is_whole { 0.5 } else { 0.0 };
        let n = if is_whole { (high - low) as usize + 1 } else { 40 };
        let (low, high) = (low - half, high + half);
        let histogram = |part: &ClassedRows| Histogram {
            counts: part.column(place).histogram(low, high, n),
            median: part.column(place).median(),
        };
        ColumnSummary {
            name: name.clone(),
            low,
            high,
            is_whole,
            n_missing: all.n_missing(),
            n_beyond: all.n() - all.n_within(low, high),
            between_classes: between_classes(&columns[place].1, labels, parts.len()),
            classes: parts.iter().map(histogram).collect(),
        }
    };
    Columns {
        name: name.to_owned(),
        unit,
        classes,
        counts: parts.iter().map(ClassedRows::n_rows).collect(),
        n_columns: columns.len(),
        columns: columns.iter().enumerate().map(column).collect(),
        correlations: rows.correlations(),
        notes,
    }
}

/// 3 s of a tone at 1 kHz: at its bin 0 dB, elsewhere the floor.
pub(super) fn segment() -> Segment {
    let (rate, n_frames, n_fft) = (22_050_u32, 130, 2048_usize);
    let n_samples = 3 * rate as usize;
    let tone = |i: usize| (std::f64::consts::TAU * 1000.0 * i as f64 / f64::from(rate)).sin();
    let lit = |n: usize, at: usize, floor: f32| -> Vec<f32> {
        (0..n).map(|i| if i == at { 0.0 } else { floor }).collect()
    };
    let n_bins = n_fft / 2 + 1;
    let at_bin = (1000 * n_fft).div_ceil(rate as usize);
    let frames = |one: Vec<f32>| Frames { n_values: one.len(), values: one.repeat(n_frames) };
    let mut coefficients: Vec<f32> = (0..13_u8).map(|k| f32::from(k) * 4.0 - 20.0).collect();
    coefficients[0] = -312.0;
    Segment {
        name: "disco.00000".to_owned(),
        start_s: 0.0,
        recording_s: 30.0,
        sample_rate_hz: rate,
        samples: (0..n_samples).map(|i| 0.5 * tone(i) as f32).collect(),
        spectrum_db: lit(n_samples / 2 + 1, 3000, -100.0),
        hop_length: 512,
        spectrogram_db: frames(lit(n_bins, at_bin, -80.0)),
        mel_db: frames(lit(128, 44, -80.0)),
        mel_hz: (0..128).map(|i| 22.0 * f64::from(i) + f64::from(i * i) * 0.5).collect(),
        mfcc: frames(coefficients),
    }
}
