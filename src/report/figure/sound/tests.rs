//! Where things lie in the pictures of a tone at 1 kHz.

use super::*;
use crate::report::fake_data;
use crate::report::figure::axis::Axis;

/// The rows of an image's first column that have the loudest color, as parts of its height from the
/// bottom.
fn lit(figure: &Figure) -> Vec<f64> {
    let image = &figure.images[0];
    let (_, n_rows) = image.size();
    let is_lit = |row: &usize| image.cell(0, *row) == 255;
    (0..n_rows).filter(is_lit).map(|row| 1.0 - (row as f64 + 0.5) / n_rows as f64).collect()
}

fn figure(end: &str) -> Figure {
    let figures = super::figures(&fake_data::segment());
    figures.into_iter().find(|(file, _)| *file == end).unwrap().1
}

#[test]
fn a_tone_at_1_khz_lights_the_spectrogram_at_its_tick() {
    let axis = Axis::octaves(22_050.0 / 2048.0, 11_025.0);
    let (tick, _) = axis.ticks.iter().find(|(_, label)| label == "1K").unwrap();
    let wanted = (tick - axis.low) / (axis.high - axis.low);
    let lit = lit(&figure("spectrogram"));
    assert!(!lit.is_empty() && lit.len() <= 2, "{lit:?}");
    assert!(lit.iter().all(|part| (part - wanted).abs() < 0.005), "{lit:?}, {wanted}");
}

#[test]
fn the_first_mel_band_is_the_lowest_row() {
    assert_eq!(lit(&figure("mel-spectrogram")), [44.5 / 128.0]);
}

#[test]
fn the_first_coefficient_is_the_lowest_row_and_off_the_scale_is_said() {
    let figure = figure("mfcc");
    let image = &figure.images[0];
    assert_eq!(image.size().1, 13);
    // From the top: coefficient 12 is 28, the largest; 0 is far below all others.
    assert_eq!((image.cell(0, 0), image.cell(0, 12)), (255, 0));
    let note = images::mfcc_note(&fake_data::segment());
    assert_eq!(note, "13 coefficients; the first, -312 to -312, is outside the scale");
}

#[test]
fn columns_of_an_image_follow_the_time_axis() {
    let mut segment = fake_data::segment();
    // The last 30 of 130 frames are loud.
    let mel = &mut segment.mel_db;
    mel.values.fill(SPECTROGRAM_FLOOR_DB);
    mel.values[100 * 128..].fill(0.0);
    let figures = super::figures(&segment);
    let image = &figures[3].1.images[0];
    let (n_columns, _) = image.size();
    let first = (0..n_columns).find(|column| image.cell(*column, 0) == 255).unwrap();
    // Frame 100 begins half a hop before its centre.
    let wanted = 99.5 * 512.0 / 66_150.0 * n_columns as f64;
    assert!((first as f64 - wanted).abs() <= 1.0, "{first}, {wanted}");
    assert_eq!(image.cell(n_columns - 1, 0), 255);
}

#[test]
fn silence_is_a_line_and_has_no_color() {
    let mut segment = fake_data::segment();
    segment.samples.fill(0.0);
    segment.spectrum_db.fill(SPECTRUM_FLOOR_DB);
    assert_eq!(lines::waveform_note(&segment), "silence");
    segment.mfcc.values.fill(5e-6);
    let figures = super::figures(&segment);
    assert_eq!(figures[4].1.images[0].cell(0, 0), 128, "rounding has no color");
}
