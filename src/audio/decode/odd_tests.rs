//! Intact files that look damaged, files with more in them than their headers say, and intact files that
//! cannot be read.

use std::fs;
use std::path::PathBuf;

use rusty_mp3::{Mp3Encoder, Mp3EncoderConfig};

use super::{
    super::{AudioError, Waveform, write_wav},
    Recording, may_decode_differently, read, sample_rate_hz,
    tests::{decode_bytes, golden},
};

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn recording(name: &str, bytes: &[u8]) -> Recording {
    let (_folder, path) = file(name, bytes);
    read(path, None).unwrap()
}

/// What a file that is not supported is found to be.
fn found(name: &str, bytes: &[u8]) -> String {
    match decode_bytes(name, bytes) {
        Err(AudioError::NotAudio { found, .. }) => found,
        other => panic!("{name}: {:?}", other.map(|waveform| waveform.samples.len())),
    }
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(golden(name)).unwrap()
}

/// A wav with `n` samples that are not silent.
fn wav(n: usize) -> Vec<u8> {
    let samples = (0..n).map(|i| ((i * 7 + 3) % 89) as f32 / 100.0 - 0.4).collect();
    let (_folder, path) = file("a.wav", b"");
    write_wav(&path, &Waveform { samples, sample_rate_hz: 22_050 }).unwrap();
    fs::read(path).unwrap()
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

#[test]
fn a_wav_that_was_written_to_a_pipe_is_read_to_its_end() {
    let whole = wav(3000);
    let expected = recording("a.wav", &whole);
    assert_eq!((expected.notes.as_slice(), expected.decoder_version), (&[][..], 1));
    for size in [0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ff00, u32::MAX] {
        let mut piped = whole.clone();
        put(&mut piped, 4, size.saturating_add(36));
        put(&mut piped, 40, size);
        assert_eq!(recording("a.wav", &piped), expected, "{size:x}");
    }
}

#[test]
fn so_is_one_that_is_compressed() {
    let whole = bytes_of("tone.wav");
    let expected = recording("a.wav", &whole);
    for size in [0, 0x7fff_f000, u32::MAX] {
        let mut piped = whole.clone();
        put(&mut piped, 4, size.saturating_add(52));
        put(&mut piped, 56, size);
        assert_eq!(recording("a.wav", &piped), expected, "{size:x}");
        // What is cut within its last block has no fewer whole ones.
        piped.truncate(piped.len() - 10);
        assert_eq!(recording("a.wav", &piped).waveform.samples.len() % 2041, 0);
    }
    let mut without_riff_size = whole;
    put(&mut without_riff_size, 4, 0);
    assert_eq!(recording("a.wav", &without_riff_size), expected);
}

#[test]
fn an_rf64_is_a_wav_with_wide_sizes() {
    let whole = wav(3000);
    let sizes = [(whole.len() + 28) as u64, 6000, 3000].map(u64::to_le_bytes).concat();
    let wide = [b"ds64\x1c\0\0\0".as_slice(), &sizes, &[0; 4]].concat();
    for magic in [b"RF64", b"BW64"] {
        let mut rf64 = [magic, [0xff; 4].as_slice(), b"WAVE", &wide, &whole[12..]].concat();
        put(&mut rf64, 40 + 36, u32::MAX);
        assert_eq!(recording("a.wav", &rf64), recording("a.wav", &whole));
        assert_eq!(found("a.wav", &rf64[..60]), "a wav file that ends inside its header");
    }
}

#[test]
fn samples_that_the_header_does_not_mention_are_told() {
    let whole = wav(3000);
    let mut half = whole.clone();
    put(&mut half, 40, 3000);
    let read = recording("a.wav", &half);
    assert_eq!(read.waveform.samples.len(), 1500);
    let note = "its header declares less than the file has: the last 3000 bytes are not read";
    assert_eq!(read.notes, [note]);

    let two = [whole.as_slice(), b"data\x10\x27\0\0", &[9; 10_000]].concat();
    let read = recording("a.wav", &two);
    assert_eq!(read.waveform.samples.len(), 3000);
    assert_eq!(read.notes, ["it has a second data chunk; those 10000 bytes are not read"]);

    let header = [24, 3000, 3, 8000, 1].map(u32::to_be_bytes).concat();
    let au = [b".snd".as_slice(), &header, &[1; 6000]].concat();
    assert_eq!(recording("a.au", &au).notes, [note]);
    let mut open = au;
    open[8..12].fill(0);
    let read = recording("a.au", &open);
    assert_eq!((read.waveform.samples.len(), read.notes.len()), (3000, 0));
}

#[test]
fn a_flac_or_m4a_with_a_tag_behind_it_is_whole() {
    let id3v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
    for name in ["tone.flac", "tone.m4a", "tone_alac.m4a", "tone.ogg"] {
        let bytes = bytes_of(name);
        let tagged = [bytes.as_slice(), &id3v1].concat();
        assert_eq!(recording(name, &tagged), recording(name, &bytes), "{name}");
    }
}

#[test]
fn a_flac_with_block_sizes_that_its_frames_contradict_is_whole() {
    let bytes = bytes_of("tone.flac");
    for smallest in [0_u16, 15, 16, 2519] {
        let mut odd = bytes.clone();
        odd[8..10].copy_from_slice(&smallest.to_be_bytes());
        assert_eq!(recording("a.flac", &odd), recording("a.flac", &bytes), "{smallest}");
        let tagged = [b"ID3\x04\0\0\0\0\0\x05hello".as_slice(), &odd].concat();
        assert_eq!(recording("a.flac", &tagged), recording("a.flac", &bytes), "{smallest}");
    }
}

/// The frames of an mp3, the first of which is the tag.
fn mp3(samples: &[f32], n_channels: u16, bitrate_kbps: u32) -> Vec<Vec<u8>> {
    let config = Mp3EncoderConfig { bitrate_kbps, vbr_quality: None };
    let mut encoder = Mp3Encoder::new(config);
    encoder.push_pcm_f32(samples, n_channels, 44_100).unwrap();
    encoder.finish();
    std::iter::from_fn(|| encoder.next_packet().ok()).collect()
}

/// Noise, then a quiet tone: the first frames are far longer than the last.
fn loud_then_quiet() -> Vec<f32> {
    let mut state = 1_u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 2_f32.powi(24) - 0.5
    };
    let tone = |i: usize| (i as f32 * 0.06).sin() * 0.01;
    (0..22_050).map(|_| noise()).chain((0..5 * 44_100).map(tone)).collect()
}

#[test]
fn an_mp3_of_variable_bit_rate_without_a_tag_keeps_its_end() {
    let all = loud_then_quiet();
    let (loud, quiet) = all.split_at(22_050);
    let parts = [mp3(loud, 1, 320), mp3(quiet, 1, 32)];
    let frames: Vec<&Vec<u8>> = parts.iter().flat_map(|frames| &frames[1..]).collect();
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.iter().copied()).collect();
    let read = recording("a.mp3", &bytes);
    assert_eq!(read.waveform.samples.len(), frames.len() * 1152);
    assert_eq!(read.decoder_version, 2, "version 1 lost the end");
    // The end is the quiet tone.
    let n = read.waveform.samples.len();
    let end = read.waveform.samples[n - 20_000..n - 5000].iter();
    let peak = end.fold(0_f32, |peak, sample| peak.max(sample.abs()));
    assert!((0.005..0.02).contains(&peak), "{peak}");
}

#[test]
fn an_mp3_that_was_always_whole_has_the_first_version() {
    let samples: Vec<f32> = loud_then_quiet()[..44_100].to_vec();
    let frames = mp3(&samples, 2, 64);
    assert_eq!(recording("a.mp3", &frames.concat()).decoder_version, 1);
    for name in ["tone.mp3", "tone.flac", "tone.m4a", "tone.ogg", "tone.wav", "tone.au"] {
        assert_eq!(recording(name, &bytes_of(name)).decoder_version, 1, "{name}");
    }
}

#[test]
fn only_mp3_and_mp4_may_have_been_read_otherwise() {
    let may = |name: &str| may_decode_differently(golden(name));
    for name in ["tone.wav", "tone.au", "tone.aiff", "tone.flac", "tone.ogg"] {
        assert!(!may(name), "{name}");
    }
    assert!(may("tone.mp3") && may("tone.m4a"));
    // The content decides, and of a missing file its name.
    let (_folder, path) = file("a.wav", &bytes_of("tone.mp3"));
    assert!(may_decode_differently(path));
    assert!(may_decode_differently("/no/such.mp3") && !may_decode_differently("/no/such.wav"));
}

#[test]
fn an_mp3_that_switches_its_channels_is_named() {
    let samples: Vec<f32> = loud_then_quiet()[..22_050].to_vec();
    let parts = [1, 2].map(|n_channels| mp3(&samples, n_channels, 64)[1..].concat());
    let name = found("a.mp3", &parts.concat());
    assert!(name.starts_with("mp3 that switches from mono to stereo after 0."), "{name}");
    let error = decode_bytes("a.mp3", &parts.concat()).unwrap_err().to_string();
    assert!(error.contains("convert it, e.g. `ffmpeg -i IN OUT.wav`"), "{error}");
}

#[test]
fn what_is_no_layer_iii_and_what_has_no_audio_is_named() {
    let tag = [b"ID3\x03\0\0\0\0\x0d\x33TIT2".as_slice(), &[0; 1711]].concat();
    assert_eq!(found("a.mp3", &tag), "an ID3 tag and no audio in it");
    let mut layer_2 = vec![0xff, 0xfd, 0xa0, 0x04];
    layer_2.resize(4 * 626, 0);
    for frame in layer_2.chunks_mut(626) {
        frame[..4].copy_from_slice(&[0xff, 0xfd, 0xa0, 0x04]);
    }
    assert_eq!(found("a.mp3", &layer_2), "MPEG Layer II (mp2)");
}

#[test]
fn codecs_in_ogg_and_mp4_that_cannot_be_read_are_named() {
    let page = |body: &[u8]| {
        let mut page = [b"OggS\0\x02".as_slice(), &[0; 20], &[1, body.len() as u8], body].concat();
        super::ogg::mend_checksums(&mut page);
        page
    };
    assert_eq!(found("a.ogg", &page(b"OpusHead\x01\x02")), "ogg with Opus");
    assert_eq!(found("a.ogg", &page(b"Speex   1.2.1")), "ogg with Speex");

    let m4a = bytes_of("tone.m4a");
    let config = m4a.windows(5).position(|w| w == [0x13, 0x90, 0x56, 0xe5, 0x00]).unwrap();
    let mut surround = m4a.clone();
    surround[config + 1] = 0xb0;
    let name = "m4a with AAC of 6 channels (mono and stereo are supported)";
    assert_eq!(found("a.m4a", &surround), name);
    let mut he = m4a;
    he[config + 4] = 0xa0;
    let name = found("a.m4a", &he);
    assert!(name.starts_with("m4a with HE-AAC (only AAC-LC is supported"), "{name}");
}

#[test]
fn the_sample_rate_is_in_the_headers() {
    for name in super::tests::GOLDEN {
        assert_eq!(sample_rate_hz(golden(name)).unwrap(), 22_050, "{name}");
    }
    let flac = bytes_of("tone.flac");
    let (_folder, path) = file("cut.flac", &flac[..flac.len() / 2]);
    assert_eq!(sample_rate_hz(path).unwrap(), 22_050, "its headers are whole");
    let (_folder, path) = file("a.wav", b"genre,file\n");
    assert!(matches!(sample_rate_hz(path), Err(AudioError::NotAudio { .. })));
}

#[test]
fn an_aiff_from_a_pipe_is_whole() {
    let samples: Vec<u8> = (0..3000_i16).flat_map(|i| (i * 7).to_be_bytes()).collect();
    let aiff = |form: u32, n_frames: u32, n_sound: u32| {
        let common = [&[0, 1], &n_frames.to_be_bytes()[..], &[0, 16]].concat();
        // 8,000 Hz as an 80-bit float.
        let rate = [0x40, 0x0b, 0xfa, 0, 0, 0, 0, 0, 0, 0];
        let chunks =
            [b"COMM\0\0\0\x12".as_slice(), &common, &rate, b"SSND", &n_sound.to_be_bytes()];
        let head = [b"FORM".as_slice(), &form.to_be_bytes(), b"AIFF", &chunks.concat()].concat();
        [head.as_slice(), &[0; 8], &samples].concat()
    };
    let expected = recording("a.aiff", &aiff(6000 + 46, 3000, 6008));
    assert_eq!(expected.waveform.samples.len(), 3000);
    assert_eq!(expected.waveform.samples[1], 7.0 / 32_768.0);
    for [form, n_frames, n_sound] in
        [[0, 0, 0], [0x7fff_ffff, 0x3fff_ffff, 0x7fff_ffff], [u32::MAX, u32::MAX, u32::MAX]]
    {
        let piped = aiff(form, n_frames, n_sound);
        assert_eq!(recording("a.aiff", &piped), expected, "{n_sound:x}");
        // What is cut within its last frame has one frame less.
        let cut = recording("a.aiff", &piped[..piped.len() - 1]);
        assert_eq!(cut.waveform.samples, expected.waveform.samples[..2999]);
    }
}

#[test]
fn zeros_behind_a_flac_change_no_sample() {
    let bytes = bytes_of("tone.flac");
    for n in [1, 128, 4096, 100_000] {
        let padded = [bytes.as_slice(), &vec![0; n]].concat();
        assert_eq!(recording("a.flac", &padded), recording("a.flac", &bytes), "{n}");
    }
}
