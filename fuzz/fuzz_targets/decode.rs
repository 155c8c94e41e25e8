//! Any bytes as an audio file: a finite waveform or a stated error.
#![no_main]

mod shared;

use std::fs;

use encore::audio::{self, AudioError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shared::quiet(), |bytes: &[u8]| {
    let path = shared::folder().join("a.bin");
    fs::write(&path, bytes).expect("the file can be written");
    match audio::load(&path, 22_050) {
        Ok(waveform) => {
            assert!(!waveform.samples.is_empty());
            assert!(waveform.samples.iter().all(|sample| sample.is_finite()));
        }
        Err(AudioError::Unreadable { reason, .. }) => panic!("the file can be read, but: {reason}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
