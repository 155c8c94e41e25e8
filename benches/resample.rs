//! Changes the sample rate once, for `resample.py`: reads and writes raw little-endian `f32`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that can't go on should stop"
)]

use std::{env, fs, time::Instant};

use encore::audio::{Waveform, resample};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|a| a != "--bench").collect();
    let [input, from_hz, to_hz, output] = arguments.as_slice() else {
        println!(
            "usage: cargo bench --bench resample -- IN.f32 FROM_HZ TO_HZ OUT.f32 (see resample.py)"
        );
        return;
    };
    let bytes = fs::read(input).unwrap();
    let samples = bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    let waveform = Waveform { samples, sample_rate_hz: from_hz.parse().unwrap() };
    let start = Instant::now();
    let resampled = resample(&waveform, to_hz.parse().unwrap()).unwrap();
    println!("{}", start.elapsed().as_secs_f64());
    let bytes: Vec<u8> = resampled.samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    fs::write(output, bytes).unwrap();
}
