//! Audio file -> mono waveform, or an error.
//!
//! The content decides the format; the file name is only a hint. Uncompressed wav and au are read here,
//! all other formats by symphonia. symphonia skips damage silently, so this module also checks the
//! containers for completeness (`ogg`, `mpeg`, `mp4`). It rejects some intact files: for these, `source`
//! shows it a corrected header (`flac`, wav) or hides the tags at the end (`tags`).
//!
//! | file | outcome |
//! |---|---|
//! | wav (8 to 32-bit PCM, float, mu-law, to 64 channels; ADPCM, A-law), RF64 and BW64 of PCM, au, aiff, flac (to 8 channels), mp3, ogg vorbis, m4a (AAC-LC in mono and stereo, alac); any rate to 768 kHz | [`Waveform`], channels averaged |
//! | all-zero samples | [`Waveform`]: silence is audio |
//! | missing, a folder, no permission | `Unreadable` |
//! | empty | `EmptyFile` |
//! | a text file named `.wav`, an unknown format or codec (webm, Opus, Speex, HE-AAC, AAC of more than 2 channels, Layer II, an mp3 that switches its channels or rate) | `NotAudio`, which names the content |
//! | a header that ends early | `NotAudio` for wav and au, `Damaged` for the rest |
//! | a header that declares no samples, and none found | `NoSamples` |
//! | a wav whose header gives no length, or a placeholder (written to a pipe) | [`Waveform`], to the end of the file |
//! | a header that declares samples, and none found | `Damaged`, 0 samples decoded |
//! | a wav or au whose header declares less than there is, or a second data chunk | [`Waveform`] of what the header declares, and a note |
//! | truncated | `Damaged`, with the number of samples decoded |
//! | changed bytes in flac and ogg, which have checksums; bytes between mp3 frames, or a wrong frame count in the tag | `Damaged` |
//! | NaN or an infinity | `NonFinite`, with its place |
//! | longer than three hours | `TooLong`, after three hours have been decoded |
//! | two hours | [`Waveform`]; the memory is 4 bytes for a sample of the result: [`load`] resamples as it decodes, so the file's own rate costs nothing |
//! | a decoder panic | `Damaged` |
//!
//! Some damage cannot be detected: an mp3 without a Xing, Info, VBRI or LAME tag that is cut between two
//! frames, a wav or au whose header leaves the length open (a stream), and changed samples in
//! a format without checksums. These files decode without an error. Nor can HE-AAC be detected whose
//! header does not mention it: it decodes with half its bandwidth.
//!
//! Where an m4a has one edit, which encoders write to mark their delay, the delay is removed; likewise
//! that of an mp3 with a LAME tag. Other delays, of about 1,000 samples, stay.

mod aiff;
mod compressed;
mod describe;
mod flac;
mod mp4;
mod mp4_codec;
mod mpeg;
#[cfg(test)]
mod mutation_tests;
#[cfg(test)]
mod odd_tests;
mod ogg;
mod source;
mod tags;
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
    riff::{self, Chunks, Rest},
    wav,
};
use source::Patch;

/// The longest recording that is decoded, in seconds: three hours.
pub const MAX_DURATION_S: u32 = 3 * 3600;

const MAX_SAMPLE_RATE_HZ: u32 = 768_000;
const MAX_CHANNELS: usize = 64;

/// Version of this decoder. Version 1 gave symphonia the length of a file, so that some mp3 files lost
/// their end, and it read HE-AAC as AAC-LC.
pub const DECODER_VERSION: u32 = 2;

/// A decoded file, and what a reader should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its samples.
    pub waveform: Waveform,
    /// What is odd about the file although it could be read, e.g. that it has a second data chunk.
    pub notes: Vec<String>,
    /// The first version of this decoder that gave these samples. 1, but for mp3 files with a variable bit
    /// rate and no tag: version 1 lost the end of them.
    pub decoder_version: u32,
}

/// Decodes an audio file to mono at its own sample rate.
///
/// Channels are averaged and integers scaled by their full scale (`i16 / 32768`), as librosa does.
///
/// # Errors
/// One [`AudioError`] for each outcome: `Unreadable`, `EmptyFile`, `NotAudio`, `NoSamples`,
/// `Damaged` (also for a truncated file, with the number of samples decoded), `NonFinite`, `TooLong`.
/// The table in `audio/decode/mod.rs` lists the causes.
pub fn decode(path: impl AsRef<Path>) -> Result<Waveform, AudioError> {
    read(path, None).map(|recording| recording.waveform)
}

/// The fault of a truncated file.
const ENDS_EARLY: &str = "the file ends early";

/// Decodes an audio file to mono at `sample_rate_hz`: [`decode`] and [`resample`](super::resample())
/// in one go, block by block.
///
/// # Errors
/// As [`decode`]; [`AudioError::InvalidParameter`] for a rate outside 1 to 768,000 Hz.
pub fn load(path: impl AsRef<Path>, sample_rate_hz: u32) -> Result<Waveform, AudioError> {
    read(path, Some(sample_rate_hz)).map(|recording| recording.waveform)
}

/// Decodes an audio file as [`decode`] does, or as [`load`] does if a rate is given, and returns what is
/// odd about it.
///
/// # Errors
/// As [`load`].
pub fn read(path: impl AsRef<Path>, to_hz: Option<u32>) -> Result<Recording, AudioError> {
    let path = path.as_ref();
    let opened = open(path)?;
    let mut sink = Sink::new(path, to_hz, opened.n_bytes);
    match opened.content {
        Content::Pcm(layout) => decode_pcm(opened.file, &layout, &mut sink)?,
        Content::Other { start, patches } => {
            compressed::decode(opened.file, &start, patches, &mut sink)?;
        }
    }
    sink.finish(opened.notes)
}

/// Whether version 1 of the decoder may have given other samples for a file: it is neither wav, au, aiff,
/// flac nor ogg. Of a file that cannot be read, its name decides.
#[must_use]
pub fn may_decode_differently(path: impl AsRef<Path>) -> bool {
    let path = path.as_ref();
    let mut start = Vec::with_capacity(12);
    let is_read = File::open(path).and_then(|file| file.take(12).read_to_end(&mut start)).is_ok();
    if !is_read {
        let same = ["wav", "au", "aiff", "aif", "flac", "ogg"];
        return !path.extension().is_some_and(|name| same.iter().any(|same| name == *same));
    }
    let other = !start.starts_with(au::MAGIC) && compressed::may_decode_differently(&start);
    other && !start.is_empty()
}

/// The sample rate of an audio file in Hz. Only its headers are read, so it may be damaged behind them.
///
/// # Errors
/// As [`decode`], for what the headers alone show.
pub fn sample_rate_hz(path: impl AsRef<Path>) -> Result<u32, AudioError> {
    let path = path.as_ref();
    let opened = open(path)?;
    let mut sink = Sink::new(path, None, opened.n_bytes);
    let rate = match opened.content {
        Content::Pcm(layout) => layout.sample_rate_hz,
        Content::Other { start, patches } => {
            compressed::sample_rate_hz(opened.file, &start, patches, &sink)?
        }
    };
    sink.start(rate, 1)?;
    Ok(rate)
}

/// A file whose kind is known.
struct Opened {
    file: BufReader<File>,
    n_bytes: u64,
    content: Content,
    notes: Vec<String>,
}

enum Content {
    /// The samples follow.
    Pcm(Layout),
    /// The first bytes, and what to replace in the header.
    Other { start: Vec<u8>, patches: Vec<Patch> },
}

fn open(path: &Path) -> Result<Opened, AudioError> {
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    let file = File::open(path).map_err(unreadable)?;
    let n_bytes = file.metadata().map_err(unreadable)?.len();
    let mut file = BufReader::new(file);
    let mut start = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut start).map_err(unreadable)?;
    let mut notes = vec![];
    let content = match start.as_slice() {
        [] => return Err(AudioError::EmptyFile { path: path.into() }),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'R', b'F', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E']
        | [b'B', b'W', b'6', b'4', _, _, _, _, b'W', b'A', b'V', b'E'] => {
            let chunks = riff::read(&mut file, n_bytes).map_err(unreadable)?;
            let chunks = chunks.map_err(|found| not_audio(path, found))?;
            notes.extend(rest_note(chunks.rest));
            match wav::header(&chunks) {
                wav::Header::Pcm(layout) => Content::Pcm(layout),
                wav::Header::Compressed if chunks.is_rf64 => {
                    return Err(not_audio(path, "RF64 with another codec than PCM"));
                }
                wav::Header::Compressed => {
                    Content::Other { start, patches: wav_patches(&chunks, n_bytes) }
                }
                wav::Header::Bad(found) => return Err(not_audio(path, found)),
            }
        }
        start if start.starts_with(au::MAGIC) => {
            file.seek(io::SeekFrom::Start(4)).map_err(unreadable)?;
            let layout = au::read_header(&mut file).map_err(unreadable)?;
            let mut layout = layout.map_err(|found| not_audio(path, found))?;
            let n_left = n_bytes.saturating_sub(file.stream_position().map_err(unreadable)?);
            match layout.n_data_bytes {
                // A size that was never filled in.
                Some(0) if n_left > 0 => layout.n_data_bytes = None,
                Some(n) if n + MIN_REST_BYTES <= n_left => {
                    notes.extend(rest_note(Rest::Bytes(n_left - n)));
                }
                _ => {}
            }
            Content::Pcm(layout)
        }
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C'] => {
            let patches = aiff::patches(&mut file, n_bytes).map_err(unreadable)?;
            Content::Other { start, patches }
        }
        _ => Content::Other { start, patches: vec![] },
    };
    Ok(Opened { file, n_bytes, content, notes })
}

/// Fewer bytes than this behind the samples of an au file are padding.
const MIN_REST_BYTES: u64 = 1024;

/// What a reader should know of samples that are not read.
fn rest_note(rest: Rest) -> Option<String> {
    match rest {
        Rest::Nothing => None,
        Rest::Bytes(n) => Some(format!(
            "its header declares less than the file has: the last {n} bytes are not read"
        )),
        Rest::SecondData(n) => {
            Some(format!("it has a second data chunk; those {n} bytes are not read"))
        }
    }
}

/// Fills in the sizes that the header of a compressed wav leaves open, down to its last whole block, for
/// symphonia reads on past the end of the file otherwise.
fn wav_patches(chunks: &Chunks, n_file_bytes: u64) -> Vec<Patch> {
    let block = u64::from(chunks.format[12]) | u64::from(chunks.format[13]) << 8;
    let n_left = n_file_bytes.saturating_sub(chunks.data_at);
    let n_data = chunks.n_data_bytes.unwrap_or(n_left - n_left % block.max(1));
    let sizes = [(4, chunks.data_at - 8 + n_data), (chunks.data_at - 4, n_data)];
    let patch = |(at, size): (u64, u64)| {
        Some(Patch { at, bytes: u32::try_from(size).ok()?.to_le_bytes().to_vec() })
    };
    sizes.into_iter().filter_map(patch).collect()
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

/// Takes mono samples as they are decoded, checks them, and resamples them if a rate is wanted.
struct Sink<'a> {
    path: &'a Path,
    n_file_bytes: u64,
    to_hz: Option<u32>,
    /// The file's rate in Hz; 0 before `start`.
    sample_rate_hz: u32,
    decoder_version: u32,
    /// Samples so far, at the file's rate.
    n_samples: usize,
    resampler: Option<Resampler>,
}

impl<'a> Sink<'a> {
    fn new(path: &'a Path, to_hz: Option<u32>, n_file_bytes: u64) -> Self {
        Self {
            path,
            n_file_bytes,
            to_hz,
            sample_rate_hz: 0,
            decoder_version: 1,
            n_samples: 0,
            resampler: None,
        }
    }

    /// Checks the file's layout, before the first sample.
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

    /// Reserves memory for the samples that the header declares, as far as the file's size makes them credible.
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

    fn finish(self, notes: Vec<String>) -> Result<Recording, AudioError> {
        match self.resampler {
            Some(resampler) if self.n_samples > 0 => Ok(Recording {
                waveform: resampler.finish(),
                notes,
                decoder_version: self.decoder_version,
            }),
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
    // Zero times a sample is zero, or NaN if the sample is not finite. Lanes vectorize it.
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
