//! Real music and published files, which cannot be committed (GTZAN has no license).
//!
//! `ENCORE_TEST_DATA` names the folder that contains them. Without it these tests are ignored; with
//! it, run
//!
//!     ENCORE_TEST_DATA=FOLDER cargo test --release --test integration reference:: -- --ignored
//!
//! | path in the folder | content |
//! |---|---|
//! | `cases/audio/` | recordings that people reported as read wrongly |
//! | `gtzan-mini/GENRE/TRACK.flac` | 100 clips of GTZAN |
//! | `gtzan-seg0/features_30_sec.csv` | the statistics published with GTZAN |
//! | `gtzan-splits/` | the published splits of GTZAN |
//! | `reference/gtzan-mini.mfcc13.npy`, `gtzan-mini.segments.csv` | librosa's MFCCs of 999 segments of the clips |
//! | `reference/report-keras-models/`, `gtzan-mini.model_cnnN.logits.npy` | weights trained by Keras, and Keras's logits |

mod keras;
mod mfcc;
mod recordings;
mod splits;
mod statistics;

use std::path::PathBuf;

/// Returns the folder in the variable. These tests are ignored by default, so a missing folder is
/// an error.
fn data() -> PathBuf {
    let folder = std::env::var_os("ENCORE_TEST_DATA").expect("ENCORE_TEST_DATA names a folder");
    std::path::absolute(folder).unwrap()
}
