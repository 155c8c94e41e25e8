//! Common properties of all tracks of the corpus: styles, length, random streams.

use crate::vocab::{Rng, Seed};

/// The ten styles, in the order of their labels.
pub const STYLES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/// Samples per second.
pub const SAMPLE_RATE_HZ: u32 = 22_050;

/// Length of a track in seconds.
pub const SECONDS: u32 = 30;

/// Number of samples in a track: 30 s.
pub const N_SAMPLES: usize = (SAMPLE_RATE_HZ * SECONDS) as usize;

/// Returns the random stream of one track for one purpose.
pub(super) fn stream(seed: Seed, purpose: &str, style: usize, track: u32) -> Rng {
    let purpose = format!("synth-genres/{purpose}");
    seed.rng(&purpose, &[style as u64, u64::from(track)])
}
