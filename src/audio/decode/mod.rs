//! Audio file -> mono waveform, or an error.
//!
//! The format is detected from the content; the file name is only a hint. Uncompressed wav and au are
//! read here, all other formats by symphonia. symphonia skips damage silently, so this room also checks
//! the containers for completeness (`ogg`, `mpeg`, `mp4`).
//!
//! | file | outcome |
//! |---|---|
//! | wav (8 to 32-bit PCM, float, mu-law, ADPCM), au, aiff, flac, mp3, ogg vorbis, m4a (aac, alac); any rate to 768 kHz, any number of channels to 64 | [`Waveform`], channels averaged |
//! | all-zero samples | [`Waveform`]: silence is audio |
//! | missing, a folder, no permission | `Unreadable` |
//! | empty | `EmptyFile` |
//! | a text file named `.wav`, an unknown format or codec (webm, opus) | `NotAudio`, which says what its content is |
//! | a header that ends early | `NotAudio` for wav and au, `Damaged` for the rest |
//! | a header that declares no samples, and none found | `NoSamples` |
//! | a header that declares samples, and none found | `Damaged`, 0 samples decoded |
//! | truncated | `Damaged`, with how many samples were decoded |
//! | changed bytes in flac and ogg, which carry checksums; bytes between mp3 frames, or a wrong frame count in the tag | `Damaged` |
//! | NaN or an infinity | `NonFinite`, which says where |
//! | longer than three hours | `TooLong`, after three hours have been decoded |
//! | two hours | [`Waveform`]; the memory is 4 bytes for a sample of the result: [`load`] resamples as it decodes, so the file's own rate costs nothing |
//! | a decoder panic | `Damaged` |
//!
//! Some damage cannot be detected: an mp3 without a Xing, Info or LAME tag that is cut between two
//! frames, a wav or au whose header leaves the length open (a stream), and changed samples in
//! a format without checksums. These files decode without an error.
//!
//! Of an m4a with one edit (what encoders write to mark the encoder's delay), the edit is cut out;
//! of an mp3 with a LAME tag likewise. Other delays, some 1,000 samples, stay. HE-AAC was not tried:
//! symphonia knows AAC-LC only.

mod compressed;
mod describe;
mod mp4;
mod mpeg;
#[cfg(test)]
mod mutation_tests;
mod ogg;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

use super::{
    AudioError, Waveform, au,
    pcm::{self, Layout, StreamEnd},
    resample::Resampler,
    wav,
};

/// The longest recording that is decoded, in seconds: three hours.
pub const MAX_DURATION_S: u32 = 3 * 3600;

const MAX_SAMPLE_RATE_HZ: u32 = 768_000;
const MAX_CHANNELS: usize = 64;

/// Decodes an audio file to mono at its own sample rate.
///
/// Channels are averaged and integers scaled by their full scale (`i16 / 32768`), as librosa does.
///
/// # Errors
/// One [`AudioError`] for each outcome: `Unreadable`, `EmptyFile`, `NotAudio`, `NoSamples`,
/// `Damaged` (also for a truncated file, with how much was decoded), `NonFinite`, `TooLong`.
/// The table in `audio/decode/mod.rs` says which is when.
pub fn decode(path: impl AsRef<Path>) -> Result<Waveform, AudioError> {
    decode_to(path.as_ref(), None)
}

/// What is wrong with a truncated file.
const ENDS_EARLY: &str = "the file ends early";

/// Decodes an audio file to mono at `sample_rate_hz`: [`decode`] and [`resample`](super::resample())
/// in one go, block by block.
///
/// # Errors
/// As [`decode`]; [`AudioError::InvalidParameter`] for a rate outside 1 to 768,000 Hz.
pub fn load(path: impl AsRef<Path>, sample_rate_hz: u32) -> Result<Waveform, AudioError> {
    decode_to(path.as_ref(), Some(sample_rate_hz))
}

fn decode_to(path: &Path, sample_rate_hz: Option<u32>) -> Result<Waveform, AudioError> {
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    let file = File::open(path).map_err(unreadable)?;
    let n_file_bytes = file.metadata().map_err(unreadable)?.len();
    let mut file = BufReader::new(file);
    let mut start = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut start).map_err(unreadable)?;
    if start.is_empty() {
        return Err(AudioError::EmptyFile { path: path.into() });
    }
    let mut sink = Sink::new(path, sample_rate_hz, n_file_bytes);
    match start.as_slice() {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => {
            match wav::read_header(&mut file).map_err(unreadable)? {
                wav::Header::Pcm(layout) => decode_pcm(file, &layout, &mut sink)?,
                wav::Header::Compressed => compressed::decode(file, &start, &mut sink)?,
                wav::Header::Bad(found) => return Err(not_audio(path, found)),
            }
        }
        start if start.starts_with(au::MAGIC) => {
            file.seek(io::SeekFrom::Start(4)).map_err(unreadable)?;
            match au::read_header(&mut file).map_err(unreadable)? {
                Ok(layout) => decode_pcm(file, &layout, &mut sink)?,
                Err(found) => return Err(not_audio(path, found)),
            }
        }
        _ => compressed::decode(file, &start, &mut sink)?,
    }
    sink.finish()
}

fn decode_pcm(mut file: impl Read, layout: &Layout, sink: &mut Sink<'_>) -> Result<(), AudioError> {
    sink.start(layout.sample_rate_hz, layout.n_channels)?;
    let n_bytes = layout.n_data_bytes.unwrap_or(u64::MAX);
    sink.reserve(n_bytes / (layout.n_channels * layout.encoding.n_bytes()) as u64);
    match pcm::read_mono(&mut file, layout, |samples| sink.push(samples))? {
        StreamEnd::Whole => Ok(()),
        StreamEnd::Early => {
            Err(sink.damaged("the file ends before the end of the data that its header declares"))
        }
        StreamEnd::Unreadable(reason) => {
            Err(AudioError::Unreadable { path: sink.path.into(), reason })
        }
    }
}

/// Takes mono samples as they are decoded, checks them, and resamples where that is asked for.
struct Sink<'a> {
    path: &'a Path,
    n_file_bytes: u64,
    to_hz: Option<u32>,
    /// What the file states, in Hz; 0 before `start`.
    sample_rate_hz: u32,
    /// Samples so far, at the file's rate.
    n_samples: usize,
    resampler: Option<Resampler>,
}

impl<'a> Sink<'a> {
    fn new(path: &'a Path, to_hz: Option<u32>, n_file_bytes: u64) -> Self {
        Self { path, n_file_bytes, to_hz, sample_rate_hz: 0, n_samples: 0, resampler: None }
    }

    /// The file's layout is known.
    fn start(&mut self, sample_rate_hz: u32, n_channels: usize) -> Result<(), AudioError> {
        if !(1..=MAX_SAMPLE_RATE_HZ).contains(&sample_rate_hz) {
            return Err(not_audio(self.path, format!("a sample rate of {sample_rate_hz} Hz")));
        }
        if !(1..=MAX_CHANNELS).contains(&n_channels) {
            return Err(not_audio(self.path, format!("{n_channels} channels")));
        }
        self.sample_rate_hz = sample_rate_hz;
        self.resampler =
            Some(Resampler::new(sample_rate_hz, self.to_hz.unwrap_or(sample_rate_hz))?);
        Ok(())
    }

    /// Makes room for what the header promises, as far as the file's size makes it credible.
    fn reserve(&mut self, n_samples: u64) {
        let n_samples = n_samples.min(4 * self.n_file_bytes).min(self.max_samples() as u64);
        if let Some(resampler) = &mut self.resampler {
            resampler.reserve(n_samples as usize);
        }
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        if let Some(idx) = first_non_finite(samples) {
            let (sample_idx, value) = (self.n_samples + idx, samples[idx]);
            return Err(AudioError::NonFinite { path: self.path.into(), sample_idx, value });
        }
        self.n_samples += samples.len();
        if self.n_samples > self.max_samples() {
            return Err(AudioError::TooLong { path: self.path.into(), max_s: MAX_DURATION_S });
        }
        self.resampler.as_mut().expect("the layout comes before samples").push(samples);
        Ok(())
    }

    fn finish(self) -> Result<Waveform, AudioError> {
        match self.resampler {
            Some(resampler) if self.n_samples > 0 => Ok(resampler.finish()),
            _ => Err(AudioError::NoSamples { path: self.path.into() }),
        }
    }

    fn max_samples(&self) -> usize {
        self.sample_rate_hz as usize * MAX_DURATION_S as usize
    }

    fn damaged(&self, fault: impl Into<String>) -> AudioError {
        AudioError::Damaged {
            path: self.path.into(),
            n_decoded: self.n_samples,
            sample_rate_hz: self.sample_rate_hz,
            fault: fault.into(),
        }
    }
}

fn first_non_finite(samples: &[f32]) -> Option<usize> {
    // Zero times a sample is zero, or NaN where the sample is not finite. Lanes make it quick.
    let mut zeros = [0.0_f32; 8];
    let (lanes, rest) = samples.as_chunks::<8>();
    for chunk in lanes {
        for (zero, sample) in zeros.iter_mut().zip(chunk) {
            *zero += 0.0 * sample;
        }
    }
    if zeros.iter().all(|zero| *zero == 0.0) && rest.iter().all(|sample| sample.is_finite()) {
        return None;
    }
    samples.iter().position(|sample| !sample.is_finite())
}

fn not_audio(path: &Path, found: impl Into<String>) -> AudioError {
    AudioError::NotAudio { path: path.into(), found: found.into() }
}
