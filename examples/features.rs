//! Extracts the MFCCs of an audio file, as librosa computes them.
//!
//!     cargo run --release --example features -- song.mp3

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::path::Path;

use encore::audio::{self, Mfcc, MfccSettings, Waveform, Workspace};

const SAMPLE_RATE_HZ: u32 = 22_050;

fn main() -> Result<(), Box<dyn Error>> {
    let recording = match std::env::args().nth(1) {
        Some(path) => audio::load(Path::new(&path), SAMPLE_RATE_HZ)?,
        None => tone(440.0, 3.0),
    };
    let mfcc = Mfcc::new(&MfccSettings { n_mfcc: 13, ..MfccSettings::default() })?;
    let (n_frames, n_mfcc) = (mfcc.n_frames(recording.samples.len()), mfcc.n_mfcc());
    // [n_frames, n_mfcc], one row a frame of 512 samples.
    let mut matrix = vec![0.0; n_frames * n_mfcc];
    mfcc.compute(&mut Workspace::new(), &recording.samples, &mut matrix);
    for (coefficient, mean) in means(&matrix, n_mfcc).iter().enumerate() {
        println!("mfcc {:>2}: mean {mean:9.3} over {n_frames} frames", coefficient + 1);
    }
    Ok(())
}

/// A tone of half the full scale, for want of a file.
fn tone(frequency_hz: f32, seconds: f32) -> Waveform {
    let n_samples = (seconds * SAMPLE_RATE_HZ as f32) as usize;
    let step = std::f32::consts::TAU * frequency_hz / SAMPLE_RATE_HZ as f32;
    let samples = (0..n_samples).map(|i| 0.5 * (i as f32 * step).sin()).collect();
    Waveform { samples, sample_rate_hz: SAMPLE_RATE_HZ }
}

fn means(matrix: &[f32], n_columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; n_columns];
    for row in matrix.chunks(n_columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let n_rows = (matrix.len() / n_columns) as f32;
    sums.into_iter().map(|sum| sum / n_rows).collect()
}
