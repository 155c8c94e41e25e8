//! Any audio file -> a mono waveform, or a stated reason why not.
//!
//! The content decides the format; a file's name is only a hint. Uncompressed wav and au are read
//! here, everything else by symphonia.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    path::Path,
};

use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions, well_known::CODEC_ID_FLAC},
    errors::Error as SymphoniaError,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{
    AudioError, Waveform, au,
    pcm::{self, Ended, Layout},
    resample, wav,
};

/// The longest recording that is decoded, in seconds: three hours.
pub const MAX_DURATION_S: u32 = 3 * 3600;

const MAX_SAMPLE_RATE_HZ: u32 = 768_000;
const MAX_CHANNELS: usize = 64;

/// Decodes an audio file to mono at its own sample rate.
///
/// Reads wav (8 to 32-bit PCM, float, mu-law, ADPCM), au, aiff, flac, mp3, ogg vorbis and m4a (aac).
/// Channels are averaged and integers scaled by their full scale (`i16 / 32768`), as librosa does.
///
/// # Errors
/// One [`AudioError`] for each outcome: `Unreadable`, `EmptyFile`, `NotAudio`, `NoSamples`,
/// `Damaged` (also for a truncated file, with how much was decoded), `NonFinite`, `TooLong`.
pub fn decode(path: impl AsRef<Path>) -> Result<Waveform, AudioError> {
    let path = path.as_ref();
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut start = Vec::with_capacity(12);
    file.by_ref().take(12).read_to_end(&mut start).map_err(unreadable)?;
    if start.is_empty() {
        return Err(AudioError::EmptyFile { path: path.into() });
    }
    let waveform = match start.as_slice() {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => {
            match wav::read_header(&mut file).map_err(unreadable)? {
                wav::Header::Pcm(layout) => decode_pcm(path, file, &layout)?,
                wav::Header::Compressed => decode_compressed(path, file, &start)?,
                wav::Header::Bad(found) => return Err(not_audio(path, found)),
            }
        }
        start if start.starts_with(au::MAGIC) => {
            file.seek(io::SeekFrom::Start(4)).map_err(unreadable)?;
            match au::read_header(&mut file).map_err(unreadable)? {
                Ok(layout) => decode_pcm(path, file, &layout)?,
                Err(found) => return Err(not_audio(path, found)),
            }
        }
        _ => decode_compressed(path, file, &start)?,
    };
    check_samples(path, waveform)
}

/// Decodes an audio file to mono at `sample_rate_hz`: [`decode`], then [`resample`].
///
/// # Errors
/// As [`decode`]; [`AudioError::Setting`] for a rate outside 1 to 768,000 Hz.
pub fn load(path: impl AsRef<Path>, sample_rate_hz: u32) -> Result<Waveform, AudioError> {
    let waveform = decode(path)?;
    if waveform.sample_rate_hz == sample_rate_hz {
        return Ok(waveform);
    }
    resample(&waveform, sample_rate_hz)
}

fn decode_pcm(path: &Path, mut file: impl Read, layout: &Layout) -> Result<Waveform, AudioError> {
    let sample_rate_hz = layout.sample_rate_hz;
    check_layout(path, sample_rate_hz, layout.n_channels)?;
    let samples = pcm::read_mono(&mut file, layout, max_samples(sample_rate_hz))
        .map_err(|reason| AudioError::Unreadable { path: path.into(), reason })?;
    match samples.ended {
        Ended::Whole => Ok(Waveform { samples: samples.mono, sample_rate_hz }),
        Ended::AtCap => Err(AudioError::TooLong { path: path.into(), max_s: MAX_DURATION_S }),
        Ended::Early => {
            let fault = "the file ends before the data that its header promises".into();
            Err(AudioError::Damaged {
                path: path.into(),
                n_decoded: samples.mono.len(),
                sample_rate_hz,
                fault,
            })
        }
    }
}

fn decode_compressed(
    path: &Path,
    file: BufReader<File>,
    start: &[u8],
) -> Result<Waveform, AudioError> {
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    let mut file = file.into_inner();
    file.rewind().map_err(unreadable)?;
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|fault| unopened(path, start, &fault))?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| not_audio(path, format!("{} without an audio track", describe(start))))?;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| not_audio(path, format!("{} of an unknown codec", describe(start))))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|fault| not_audio(path, format!("{} ({fault})", describe(start))))?;
    let track_id = track.id;
    // Only where a length is exact is a shorter result a fault: FLAC states it, and so does the
    // LAME tag of an mp3, which also gives the encoder's delay. Elsewhere it is an estimate.
    let is_exact = parameters.codec == CODEC_ID_FLAC || track.delay.is_some();
    let n_expected = track.num_frames.filter(|_| is_exact);
    let (waveform, fault) = decode_packets(path, format.as_mut(), decoder, track_id)?;
    let n_decoded = waveform.samples.len();
    let fault = fault.or_else(|| {
        let n_expected = n_expected.filter(|&n| (n_decoded as u64) < n)?;
        Some(format!("its header promises {n_expected} samples"))
    });
    match fault {
        None => Ok(waveform),
        Some(fault) => Err(AudioError::Damaged {
            path: path.into(),
            n_decoded,
            sample_rate_hz: waveform.sample_rate_hz,
            fault,
        }),
    }
}

/// Decodes to the end or to the first fault, which comes back beside what was decoded before it.
fn decode_packets(
    path: &Path,
    format: &mut dyn FormatReader,
    mut decoder: Box<dyn AudioDecoder>,
    track_id: u32,
) -> Result<(Waveform, Option<String>), AudioError> {
    let mut waveform = Waveform { samples: Vec::new(), sample_rate_hz: 0 };
    let mut interleaved: Vec<f32> = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track_id => packet,
            Ok(Some(_)) => continue,
            Ok(None) => return Ok((waveform, None)),
            Err(fault) => return Ok((waveform, Some(explain(&fault)))),
        };
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(fault) => return Ok((waveform, Some(explain(&fault)))),
        };
        let rate = buffer.spec().rate();
        let n_channels = buffer.spec().channels().count();
        if waveform.sample_rate_hz == 0 {
            check_layout(path, rate, n_channels)?;
            waveform.sample_rate_hz = rate;
        }
        if rate != waveform.sample_rate_hz || n_channels == 0 {
            return Ok((waveform, Some(format!("the sample rate changes to {rate} Hz"))));
        }
        buffer.copy_to_vec_interleaved(&mut interleaved);
        let samples = &mut waveform.samples;
        if n_channels == 1 {
            samples.extend_from_slice(&interleaved);
        } else {
            let n = n_channels as f32;
            samples.extend(interleaved.chunks_exact(n_channels).map(|c| c.iter().sum::<f32>() / n));
        }
        if samples.len() > max_samples(rate) {
            return Err(AudioError::TooLong { path: path.into(), max_s: MAX_DURATION_S });
        }
    }
}

fn check_layout(path: &Path, sample_rate_hz: u32, n_channels: usize) -> Result<(), AudioError> {
    if !(1..=MAX_SAMPLE_RATE_HZ).contains(&sample_rate_hz) {
        return Err(not_audio(path, format!("a sample rate of {sample_rate_hz} Hz")));
    }
    if !(1..=MAX_CHANNELS).contains(&n_channels) {
        return Err(not_audio(path, format!("{n_channels} channels")));
    }
    Ok(())
}

fn check_samples(path: &Path, waveform: Waveform) -> Result<Waveform, AudioError> {
    let samples = &waveform.samples;
    if samples.is_empty() {
        return Err(AudioError::NoSamples { path: path.into() });
    }
    // Zero times a sample is zero, or NaN where the sample is not finite. Lanes make it quick.
    let mut zeros = [0.0_f32; 8];
    let (lanes, rest) = samples.as_chunks::<8>();
    for chunk in lanes {
        for (zero, sample) in zeros.iter_mut().zip(chunk) {
            *zero += 0.0 * sample;
        }
    }
    if zeros.iter().all(|zero| *zero == 0.0) && rest.iter().all(|sample| sample.is_finite()) {
        return Ok(waveform);
    }
    let sample_idx = samples.iter().position(|sample| !sample.is_finite()).unwrap_or(0);
    Err(AudioError::NonFinite { path: path.into(), sample_idx, value: samples[sample_idx] })
}

fn max_samples(sample_rate_hz: u32) -> usize {
    sample_rate_hz as usize * MAX_DURATION_S as usize
}

fn not_audio(path: &Path, found: String) -> AudioError {
    AudioError::NotAudio { path: path.into(), found }
}

/// Names the kind of file from its first bytes.
fn describe(start: &[u8]) -> String {
    known_format(start).map_or_else(
        || {
            if start.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) {
                format!("text that starts with {:?}", String::from_utf8_lossy(start))
            } else {
                format!("unknown content that starts with the bytes {start:02x?}")
            }
        },
        str::to_owned,
    )
}

fn known_format(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'f', b'L', b'a', b'C', ..] => Some("flac"),
        [b'O', b'g', b'g', b'S', ..] => Some("ogg"),
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => Some("mp3"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("mp4"),
        [b'F', b'O', b'R', b'M', ..] => Some("aiff"),
        [b'R', b'I', b'F', b'F', ..] => Some("riff"),
        _ => None,
    }
}

/// No decoder accepts the file: damaged if its first bytes are those of an audio format.
fn unopened(path: &Path, start: &[u8], fault: &SymphoniaError) -> AudioError {
    match (known_format(start), fault) {
        (Some(_), SymphoniaError::IoError(_) | SymphoniaError::DecodeError(_)) => {
            AudioError::Damaged {
                path: path.into(),
                n_decoded: 0,
                sample_rate_hz: 0,
                fault: explain(fault),
            }
        }
        (Some(format), _) => not_audio(path, format!("{format} ({fault})")),
        (None, _) => not_audio(path, describe(start)),
    }
}

fn explain(fault: &SymphoniaError) -> String {
    match fault {
        SymphoniaError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the file ends early".into()
        }
        other => other.to_string(),
    }
}
