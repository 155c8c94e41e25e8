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
    describe::{Format, describe, describe_file},
    flac, mp4, mpeg, not_audio, ogg,
    source::{Patch, Source},
    tags,
};
use crate::vocab::panic_message;

/// Consecutive packets without a sample that are accepted. More than this is a header that declares
/// endless packets, not audio.
const MAX_SILENT_PACKETS: usize = 100_000;

/// Decodes the file into the sink; `start` is its first bytes, `patches` replace some of them.
///
/// A panic of symphonia is a fault of the file, not of the program: its parsers index and divide by
/// what headers say, and one such file in a folder must not end a whole import.
pub(super) fn decode(
    file: BufReader<File>,
    start: &[u8],
    patches: Vec<Patch>,
    sink: &mut Sink<'_>,
) -> Result<(), AudioError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode_unguarded(file, start, patches, sink)));
    decoded.unwrap_or_else(|panic| {
        Err(sink.damaged(format!("the decoder failed ({})", message(panic.as_ref()))))
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic_message(panic).unwrap_or("without a reason")
}

/// The sample rate that the file states, in Hz; only its headers are read.
pub(super) fn sample_rate_hz(
    file: BufReader<File>,
    start: &[u8],
    patches: Vec<Patch>,
    sink: &Sink<'_>,
) -> Result<u32, AudioError> {
    let opened = catch_unwind(AssertUnwindSafe(|| open(file, start, patches, sink)));
    let opened = opened.unwrap_or_else(|panic| {
        Err(sink.damaged(format!("the decoder failed ({})", message(panic.as_ref()))))
    })?;
    Ok(opened.decoder.codec_params().sample_rate.unwrap_or(0))
}

/// What is known of a file before symphonia reads it.
#[derive(Default)]
struct Container {
    fault: Option<String>,
    tracks: Vec<mp4::Track>,
    /// What the frames of an mp3 add up to.
    n_samples: u64,
    n_bytes: u64,
    patches: Vec<Patch>,
}

impl Container {
    /// Checks the container of a file for completeness. An error names an intact file that is not supported.
    fn examine(
        file: &mut BufReader<File>,
        start: &[u8],
        n_bytes: u64,
    ) -> io::Result<Result<Self, String>> {
        let mut found = Self { n_bytes, ..Self::default() };
        let format = Format::of(start);
        if let Some(Format::Flac | Format::Mp3) = format {
            let at = tags::start(file)?;
            found.patches.extend(flac::patch(file, at)?);
            let is_flac = tags::bytes_at(file, at)? == Some(*b"fLaC");
            if is_flac {
                found.n_bytes = tags::end(file, n_bytes)?;
                return Ok(Ok(found));
            }
        }
        file.rewind()?;
        match format {
            Some(Format::Ogg) => {
                if let Some(name) = ogg::unsupported(file)? {
                    return Ok(Err(name));
                }
                file.rewind()?;
                found.fault = ogg::fault(file)?;
            }
            Some(Format::Mp3) => {
                let frames = mpeg::walk(file, n_bytes)?;
                if let Some(name) = frames.unsupported {
                    return Ok(Err(name));
                }
                (found.fault, found.n_samples) = (frames.fault, frames.n_samples);
            }
            Some(Format::Mp4) => {
                found.n_bytes = tags::end(file, n_bytes)?;
                let boxes = mp4::boxes(file, found.n_bytes)?;
                (found.fault, found.tracks) = (boxes.fault, boxes.tracks);
            }
            _ => {}
        }
        Ok(Ok(found))
    }
}

/// A file that symphonia accepts.
struct Opened {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    /// The number of samples that the file declares.
    n_declared: Option<u64>,
    /// Whether fewer samples than that are a fault. FLAC and ALAC declare the exact number, and so does
    /// the LAME tag of an mp3, which also gives the encoder's delay. Elsewhere it is an estimate.
    is_exact: bool,
    container: Container,
}

fn open(
    mut file: BufReader<File>,
    start: &[u8],
    patches: Vec<Patch>,
    sink: &Sink<'_>,
) -> Result<Opened, AudioError> {
    let path = sink.path;
    let unreadable = |reason| AudioError::Unreadable { path: path.into(), reason };
    let examined = Container::examine(&mut file, start, sink.n_file_bytes).map_err(unreadable)?;
    let mut container = examined.map_err(|found| not_audio(path, found))?;
    container.patches.extend(patches);
    let hides_length = matches!(Format::of(start), Some(Format::Mp3) | None);
    let name = || -> io::Result<String> {
        describe_file(&mut BufReader::new(File::open(path)?), sink.n_file_bytes, start)
    };
    let name = || name().unwrap_or_else(|_| describe(start));
    let format = probe(file.into_inner(), &container, hides_length, sink).map_err(unreadable)?;
    let format = format.map_err(|fault| match &container.fault {
        Some(fault) => sink.damaged(fault),
        None => unopened(sink, start, name(), &fault),
    })?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| not_audio(path, format!("{} without an audio track", name())))?;
    let own = container.tracks.iter().find(|own| own.id == track.id);
    if let Some(reason) = own.and_then(|own| own.unsupported.as_ref()) {
        return Err(not_audio(path, reason));
    }
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| not_audio(path, format!("{} of an unknown codec", name())))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|fault| match name() {
            known if known == describe(start) => not_audio(path, format!("{known} ({fault})")),
            other => not_audio(path, other),
        })?;
    let is_exact =
        [CODEC_ID_FLAC, CODEC_ID_ALAC].contains(&parameters.codec) || track.delay.is_some();
    let (track_id, n_declared) = (track.id, track.num_frames);
    Ok(Opened { format, decoder, track_id, n_declared, is_exact, container })
}

/// Lets symphonia find the format. The inner error is symphonia's.
fn probe(
    file: File,
    container: &Container,
    hides_length: bool,
    sink: &Sink<'_>,
) -> io::Result<Result<Box<dyn FormatReader>, SymphoniaError>> {
    let mut hint = Hint::new();
    if let Some(extension) = sink.path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let source = Source::new(file, container.n_bytes, container.patches.clone(), hides_length)?;
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let (options, metadata) = (FormatOptions::default(), MetadataOptions::default());
    Ok(symphonia::default::get_probe().probe(&hint, stream, options, metadata))
}

fn decode_unguarded(
    file: BufReader<File>,
    start: &[u8],
    patches: Vec<Patch>,
    sink: &mut Sink<'_>,
) -> Result<(), AudioError> {
    let mut opened = open(file, start, patches, sink)?;
    let own = opened.container.tracks.iter().find(|own| own.id == opened.track_id);
    let mut cut = Cut { edit: own.and_then(|own| own.edit), n_seen: 0 };
    let n_likely = opened.n_declared.unwrap_or(opened.container.n_samples);
    let packet_fault = decode_packets(&mut opened, n_likely, &mut cut, sink)?;
    let n_decoded = cut.n_seen as u64;
    let fault = opened.container.fault.take().or(packet_fault).or_else(|| {
        let n_expected = opened.n_declared.filter(|&n| opened.is_exact && n_decoded < n)?;
        Some(format!("its header declares {n_expected} samples"))
    });
    if let Some(fault) = fault {
        return Err(sink.damaged(fault));
    }
    if opened.n_declared.is_none() && was_cut(&opened.container, n_decoded, sink) {
        sink.decoder_version = 2;
    }
    Ok(())
}

/// Whether version 1 of the decoder may have read a file with these first bytes otherwise.
pub(super) fn may_decode_differently(start: &[u8]) -> bool {
    matches!(Format::of(start), Some(Format::Mp3 | Format::Mp4) | None)
}

/// Whether encore read less of the file before its decoder's version 2: it gave symphonia the length of
/// the file, and symphonia estimated the number of samples of an mp3 without a tag from it.
fn was_cut(container: &Container, n_decoded: u64, sink: &Sink<'_>) -> bool {
    let probed = || {
        let format = probe(File::open(sink.path)?, container, false, sink)?.ok();
        io::Result::Ok(format.and_then(|format| format.default_track(TrackType::Audio)?.num_frames))
    };
    probed().ok().flatten().is_some_and(|n_estimated| n_estimated < n_decoded)
}

/// Cuts out the part of a track that is to be played.
struct Cut {
    edit: Option<mp4::Edit>,
    n_seen: usize,
}

impl Cut {
    /// The part of the next samples that is inside.
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

/// Decodes to the end or to the first fault, and returns the fault in words.
fn decode_packets(
    opened: &mut Opened,
    n_likely: u64,
    cut: &mut Cut,
    sink: &mut Sink<'_>,
) -> Result<Option<String>, AudioError> {
    let Opened { format, decoder, track_id, .. } = opened;
    let mut interleaved: Vec<f32> = Vec::new();
    let mut mono: Vec<f32> = Vec::new();
    let mut n_silent = 0;
    loop {
        n_silent += 1;
        if n_silent > MAX_SILENT_PACKETS {
            return Ok(Some(format!("{MAX_SILENT_PACKETS} packets in a row contain no sample")));
        }
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == *track_id => packet,
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
            sink.reserve(n_likely);
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
fn unopened(sink: &Sink<'_>, start: &[u8], name: String, fault: &SymphoniaError) -> AudioError {
    match (Format::of(start), fault) {
        _ if name != describe(start) => not_audio(sink.path, name),
        (Some(_), SymphoniaError::IoError(_) | SymphoniaError::DecodeError(_)) => {
            sink.damaged(explain(fault))
        }
        (Some(_), _) => not_audio(sink.path, format!("{name} ({fault})")),
        (None, _) => not_audio(sink.path, name),
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
