//! What symphonia decodes: everything but plain wav and au.

use std::{
    any::Any,
    fs::File,
    io::{self, BufReader, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use symphonia::core::{
    codecs::audio::{
        AudioDecoder, AudioDecoderOptions,
        well_known::{CODEC_ID_ALAC, CODEC_ID_FLAC},
    },
    errors::Error as SymphoniaError,
    formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
};

use super::{
    AudioError, ENDS_EARLY, Sink,
    describe::{Format, describe},
    mp4, mpeg, not_audio, ogg,
};

/// Packets in a row that may hold no sample. More than this is a header that promises packets
/// without end, not audio.
const MAX_SILENT_PACKETS: usize = 100_000;

/// Decodes the file into the sink; `start` is its first bytes.
///
/// A panic of symphonia is a fault of the file, not of the program: its parsers index and divide by
/// what headers say, and a folder with one such file in it must not end a whole import.
pub(super) fn decode(
    file: BufReader<File>,
    start: &[u8],
    sink: &mut Sink<'_>,
) -> Result<(), AudioError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_unguarded(file, start, sink)));
    decoded.unwrap_or_else(|panic| {
        Err(sink.damaged(format!("the decoder failed ({})", message(panic.as_ref()))))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a reason")
}

fn decode_unguarded(
    mut file: BufReader<File>,
    start: &[u8],
    sink: &mut Sink<'_>,
) -> Result<(), AudioError> {
    let path = sink.path;
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    file.rewind().map_err(unreadable)?;
    let mut edits = Vec::new();
    let container_fault = match Format::of(start) {
        Some(Format::Ogg) => ogg::fault(&mut file),
        Some(Format::Mp3) => mpeg::fault(&mut file, sink.n_file_bytes),
        Some(Format::Mp4) => mp4::fault(&mut file, sink.n_file_bytes, &mut edits),
        _ => Ok(None),
    }
    .map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let stream =
        MediaSourceStream::new(Box::new(file.into_inner()), MediaSourceStreamOptions::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|fault| match &container_fault {
            Some(fault) => sink.damaged(fault),
            None => unopened(sink, start, &fault),
        })?;
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
    let (track_id, n_frames) = (track.id, track.num_frames);
    // Only where a length is exact is a shorter result a fault: FLAC and ALAC state it, and so does
    // the LAME tag of an mp3, which also gives the encoder's delay. Elsewhere it is an estimate.
    let is_exact =
        [CODEC_ID_FLAC, CODEC_ID_ALAC].contains(&parameters.codec) || track.delay.is_some();
    let mut cut = Cut::new(edits.iter().find(|edit| edit.track_id == track_id));
    let packet_fault =
        decode_packets(format.as_mut(), decoder, track_id, n_frames, &mut cut, sink)?;
    let n_decoded = cut.n_seen as u64;
    let fault = container_fault.or(packet_fault).or_else(|| {
        let n_expected = n_frames.filter(|&n| is_exact && n_decoded < n)?;
        Some(format!("its header declares {n_expected} samples"))
    });
    fault.map_or(Ok(()), |fault| Err(sink.damaged(fault)))
}

/// The part of a track that is to be heard.
struct Cut {
    edit: Option<mp4::Edit>,
    n_seen: usize,
}

impl Cut {
    fn new(edit: Option<&mp4::Edit>) -> Self {
        Self { edit: edit.copied(), n_seen: 0 }
    }

    /// What of the next samples is inside.
    fn of<'a>(&mut self, samples: &'a [f32], sample_rate_hz: u32) -> &'a [f32] {
        let start = self.n_seen;
        self.n_seen += samples.len();
        let Some(edit) = self.edit.filter(|edit| edit.timescale == sample_rate_hz) else {
            return samples;
        };
        let inside = |at: usize| at.saturating_sub(start).min(samples.len());
        let (from, to) = (inside(edit.start), inside(edit.start.saturating_add(edit.len)));
        &samples[from..to]
    }
}

/// Decodes to the end or to the first fault, which comes back in words.
fn decode_packets(
    format: &mut dyn FormatReader,
    mut decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    n_frames: Option<u64>,
    cut: &mut Cut,
    sink: &mut Sink<'_>,
) -> Result<Option<String>, AudioError> {
    let mut interleaved: Vec<f32> = Vec::new();
    let mut mono: Vec<f32> = Vec::new();
    let mut n_silent = 0;
    loop {
        n_silent += 1;
        if n_silent > MAX_SILENT_PACKETS {
            return Ok(Some(format!("{MAX_SILENT_PACKETS} packets in a row contain no sample")));
        }
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track_id => packet,
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(None),
            Err(fault) => return Ok(Some(explain(&fault))),
        };
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(fault) => return Ok(Some(explain(&fault))),
        };
        let (rate, n_channels) = (buffer.spec().rate(), buffer.spec().channels().count());
        if sink.sample_rate_hz == 0 {
            sink.start(rate, n_channels)?;
            sink.reserve(n_frames.unwrap_or(0));
        }
        if rate != sink.sample_rate_hz || n_channels == 0 {
            return Ok(Some(format!("the sample rate changes to {rate} Hz")));
        }
        buffer.copy_to_vec_interleaved(&mut interleaved);
        if interleaved.is_empty() {
            continue;
        }
        n_silent = 0;
        if n_channels == 1 {
            sink.push(cut.of(&interleaved, rate))?;
        } else {
            let n = n_channels as f32;
            mono.clear();
            mono.extend(interleaved.chunks_exact(n_channels).map(|c| c.iter().sum::<f32>() / n));
            sink.push(cut.of(&mono, rate))?;
        }
    }
}

/// No decoder accepts the file: damaged if its first bytes are those of an audio format.
fn unopened(sink: &Sink<'_>, start: &[u8], fault: &SymphoniaError) -> AudioError {
    match (Format::of(start), fault) {
        (Some(_), SymphoniaError::IoError(_) | SymphoniaError::DecodeError(_)) => {
            sink.damaged(explain(fault))
        }
        (Some(_), _) => not_audio(sink.path, format!("{} ({fault})", describe(start))),
        (None, _) => not_audio(sink.path, describe(start)),
    }
}

fn explain(fault: &SymphoniaError) -> String {
    match fault {
        SymphoniaError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            ENDS_EARLY.into()
        }
        other => other.to_string(),
    }
}
