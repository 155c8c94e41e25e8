//! Errors between a file and its features, one variant per outcome.

use std::{fmt::Display, io, path::PathBuf};

/// An error of the `audio` room.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file does not exist, or it cannot be opened or read.
    #[error("{}: cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// The file cannot be created or written.
    #[error("{}: cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: io::Error,
    },
    /// The file has no bytes.
    #[error(
        "{}: the file is empty (0 bytes)\nhint: download or copy it again, or remove it",
        path.display()
    )]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The content is not a supported audio format, whatever the name of the file is.
    #[error(
        "{}: not a supported audio file, found {found}\n\
         hint: supported are wav, au, aiff, flac, mp3, ogg vorbis and m4a (aac, alac); convert it, e.g. \
         `ffmpeg -i IN OUT.wav`",
        path.display()
    )]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// The kind of content, as far as the first bytes tell.
        found: String,
    },
    /// The header is intact, but no samples follow.
    #[error(
        "{}: has an audio header but no samples\nhint: download or copy it again, or remove it",
        path.display()
    )]
    NoSamples {
        /// The file.
        path: PathBuf,
    },
    /// Decoding stopped before the end: a truncated or corrupted file.
    #[error(
        "{}: damaged, decoded {n_decoded} samples ({:.1} s) before the fault: {fault}\n\
         hint: download or copy it again, or remove it",
        path.display(),
        *n_decoded as f64 / f64::from((*sample_rate_hz).max(1))
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Number of samples of each channel decoded before the fault.
        n_decoded: usize,
        /// The file's sample rate, in Hz.
        sample_rate_hz: u32,
        /// The fault that the decoder found.
        fault: String,
    },
    /// A floating-point file contains NaN or an infinity.
    #[error(
        "{}: sample {sample_idx} is {value}, expected a finite number\n\
         hint: write the file again from its source",
        path.display()
    )]
    NonFinite {
        /// The file.
        path: PathBuf,
        /// Index of the first such sample, counted per channel from 0.
        sample_idx: usize,
        /// The sample.
        value: f32,
    },
    /// The recording is longer than allowed; decoding stops before it fills the memory.
    #[error(
        "{}: longer than the limit of {max_s} s\nhint: cut it into shorter tracks",
        path.display()
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The limit, in seconds.
        max_s: u32,
    },
    /// A setting is outside its range, or contradicts another.
    #[error("{parameter} must be {allowed}, found {got}")]
    InvalidParameter {
        /// The setting, e.g. `stft.hop_length`.
        parameter: &'static str,
        /// The allowed values.
        allowed: String,
        /// The value found.
        got: String,
    },
}

impl AudioError {
    /// Creates the error for a setting outside its range; `allowed` completes the words "must be".
    pub(crate) fn setting(
        parameter: &'static str,
        allowed: impl Into<String>,
        got: impl Display,
    ) -> Self {
        Self::InvalidParameter { parameter, allowed: allowed.into(), got: format!("{got}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_says_how_much_was_decoded_and_what_to_do() {
        let error = AudioError::Damaged {
            path: "jazz/jazz.00054.wav".into(),
            n_decoded: 44_100,
            sample_rate_hz: 22_050,
            fault: "the file ends early".into(),
        };
        assert_eq!(
            error.to_string(),
            "jazz/jazz.00054.wav: damaged, decoded 44100 samples (2.0 s) before the fault: \
             the file ends early\nhint: download or copy it again, or remove it"
        );
    }

    #[test]
    fn a_bad_setting_names_itself_its_range_and_the_value() {
        let error = AudioError::setting("stft.hop_length", "at least 1", 0);
        assert_eq!(error.to_string(), "stft.hop_length must be at least 1, found 0");
    }
}
