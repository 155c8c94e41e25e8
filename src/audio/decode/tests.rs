//! Outcomes of decoding: every format and every kind of broken file. Each row of the table in `mod.rs` has a test.

use std::{f64::consts::TAU, fs, path::PathBuf};

use tempfile::TempDir;

use super::{
    super::{AudioError, Waveform, write_wav},
    MAX_DURATION_S, decode, load,
};

/// A file of each format that has a container of its own.
pub(super) const GOLDEN: [&str; 10] = [
    "tone.aiff",
    "tone.au",
    "tone.flac",
    "tone.m4a",
    "tone.mp3",
    "tone.ogg",
    "tone.wav",
    "tone_alac.m4a",
    "tone_index_first.m4a",
    "tone_no_tag.mp3",
];

const N_SAMPLES: usize = 6615;
const RATE_HZ: u32 = 22_050;

pub(super) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn sine(i: usize) -> f64 {
    (TAU * 440.0 * i as f64 / f64::from(RATE_HZ)).sin()
}

/// A folder that holds `bytes` under `name`.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("the temporary folder is writable");
    (folder, path)
}

pub(super) fn decode_bytes(name: &str, bytes: &[u8]) -> Result<Waveform, AudioError> {
    let (_folder, path) = file(name, bytes);
    decode(path)
}

fn wav_bytes(samples: &[f32]) -> Vec<u8> {
    let (_folder, path) = file("a.wav", b"");
    write_wav(&path, &Waveform { samples: samples.to_vec(), sample_rate_hz: RATE_HZ })
        .expect("the temporary folder is writable");
    fs::read(path).expect("it was just written")
}

fn float_wav_bytes(samples: &[f32]) -> Vec<u8> {
    let mut bytes = wav_bytes(&vec![0.0; samples.len() * 2]);
    bytes[20] = 3; // IEEE float, 4 bytes a frame, 32 bits
    bytes[32] = 4;
    bytes[34] = 32;
    bytes.truncate(44);
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

fn au_bytes(encoding: u32, samples: &[i16]) -> Vec<u8> {
    let n_data_bytes = u32::try_from(samples.len() * 2).expect("tests use short signals");
    let words = [24, n_data_bytes, encoding, RATE_HZ, 1];
    let mut bytes = b".snd".to_vec();
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    bytes
}

#[test]
fn every_format_decodes_to_the_mean_of_its_channels() {
    // File; largest difference from the signal, which depends on the codec; samples at the start that
    // do not count; largest number of additional samples, which fill up the last block.
    // tone.wav is ADPCM, which needs some samples to find its step size (soundfile gives the same
    // samples). Without a tag, the mp3 encoder's delay of 1,105 samples is unknown.
    let files = [
        ("tone.flac", 4e-5, 0, 0),
        ("tone.aiff", 4e-5, 0, 0),
        ("tone_alac.m4a", 4e-5, 0, 0),
        ("tone.au", 0.02, 0, 0),
        ("tone.wav", 0.02, 200, 2047),
        ("tone.ogg", 0.05, 0, 0),
        ("tone.mp3", 0.05, 0, 0),
        ("tone.m4a", 0.05, 0, 0),
        ("tone_index_first.m4a", 0.05, 0, 0),
    ];
    for (name, tolerance, n_settling, n_extra) in files {
        let waveform = decode(golden(name)).expect(name);
        assert_eq!(waveform.sample_rate_hz, RATE_HZ, "{name}");
        let n = waveform.samples.len();
        assert!((N_SAMPLES..=N_SAMPLES + n_extra).contains(&n), "{name}: {n}");
        let worst = worst_difference(&waveform.samples[..N_SAMPLES], n_settling);
        assert!(worst < tolerance, "{name}: off by {worst}");
    }
    let untagged = decode(golden("tone_no_tag.mp3")).expect("it is whole").samples;
    let worst = worst_difference(&untagged[1105..1105 + N_SAMPLES], 0);
    assert!(worst < 0.05, "off by {worst}");
}

/// From the golden tone, after `n_settling` samples.
fn worst_difference(samples: &[f32], n_settling: usize) -> f64 {
    let difference = |(i, sample): (usize, &f32)| (f64::from(*sample) - 0.375 * sine(i)).abs();
    samples.iter().enumerate().skip(n_settling).map(difference).fold(0.0, f64::max)
}

#[test]
fn every_encoding_of_wav_is_read_to_its_own_precision() {
    // libsndfile rounds down.
    let (a_step, rounding) = (|n_bits: i32| 1.01 * 2_f64.powi(1 - n_bits), 1e-7);
    for (name, tolerance) in [
        ("u8", a_step(8)),
        ("s16", a_step(16)),
        ("s24", a_step(24) + rounding),
        ("s32", rounding),
        ("f32", rounding),
        ("f64", rounding),
        ("extensible", a_step(24) + rounding),
    ] {
        let waveform = decode(golden(&format!("tone_{name}.wav"))).expect(name);
        assert_eq!((waveform.samples.len(), waveform.sample_rate_hz), (441, RATE_HZ), "{name}");
        let worst = worst_difference(&waveform.samples, 0);
        assert!(worst < tolerance, "{name}: off by {worst}");
    }
}

#[test]
fn mono_and_more_channels_at_any_rate_are_read() {
    for (n_channels, rate_hz) in [(1_u16, 8000_u32), (2, 44_100), (6, 96_000), (64, 768_000)] {
        let frame: Vec<f32> = (0..n_channels).map(|c| if c == 0 { 0.5 } else { 0.25 }).collect();
        let mut bytes = wav_bytes(&frame.repeat(10));
        bytes[22..24].copy_from_slice(&n_channels.to_le_bytes());
        bytes[24..28].copy_from_slice(&rate_hz.to_le_bytes());
        bytes[32..34].copy_from_slice(&(2 * n_channels).to_le_bytes());
        let waveform = decode_bytes("a.wav", &bytes).expect("the header is right");
        let mean = 0.25 * (1.0 + 1.0 / f32::from(n_channels));
        assert_eq!(waveform, Waveform { samples: vec![mean; 10], sample_rate_hz: rate_hz });
    }
}

#[test]
fn the_content_decides_and_not_the_name() {
    let flac = fs::read(golden("tone.flac")).expect("the golden file is there");
    assert_eq!(decode_bytes("a.mp3", &flac).expect("it is flac").samples.len(), N_SAMPLES);
    let au = au_bytes(3, &[16_384, -32_768]);
    assert_eq!(decode_bytes("a.wav", &au).expect("it is au").samples, [0.5, -1.0]);
}

#[test]
fn loading_resamples_to_the_wanted_rate() {
    let waveform = load(golden("tone.flac"), 11_025).expect("the golden file is there");
    assert_eq!((waveform.sample_rate_hz, waveform.samples.len()), (11_025, 3308));
}

#[test]
fn content_that_is_not_audio_is_named() {
    let message = |name, bytes: &[u8]| {
        let error = decode_bytes(name, bytes).expect_err("it is no audio").to_string();
        error.split_once(name).expect("the message names the file").1.to_owned()
    };
    assert!(message("a.wav", b"").starts_with(": the file is empty (0 bytes)\nhint: "));
    assert!(message("a.wav", b"genre,file\nblues,1.wav\n").starts_with(
        ": not a supported audio file, found text that starts with \"genre,file\\nb\"\nhint"
    ));
    assert!(
        message("a.mp3", &[0; 4096]).contains("found unknown content that starts with the bytes")
    );
    assert!(message("a.wav", b"RIFF\x24\0\0\0WAVE").contains("ends inside its header"));
    assert!(message("a.au", b".snd\0\0\0\x18").contains("ends inside its header"));
    let mut no_rate = wav_bytes(&[0.5]);
    no_rate[24..28].fill(0);
    assert!(message("a.wav", &no_rate).contains("found a sample rate of 0 Hz"));
}

#[test]
fn a_missing_file_and_a_folder_are_unreadable() {
    for path in ["/no/such/file.wav", env!("CARGO_MANIFEST_DIR")] {
        let error = decode(path).expect_err("there is no such file");
        assert!(matches!(error, AudioError::Unreadable { .. }), "{error}");
    }
}

#[test]
fn a_header_alone_has_no_samples() {
    let error = decode_bytes("a.wav", &wav_bytes(&[])).expect_err("there are no samples");
    assert!(matches!(error, AudioError::NoSamples { .. }), "{error}");
    let error = decode_bytes("a.au", &au_bytes(3, &[])).expect_err("there are no samples");
    assert!(matches!(error, AudioError::NoSamples { .. }), "{error}");
}

#[test]
fn silence_is_audio() {
    let silence = decode_bytes("a.wav", &wav_bytes(&[0.0; 500])).expect("it is whole");
    assert_eq!(silence.samples, [0.0; 500]);
}

#[test]
fn a_truncated_file_is_damaged_and_says_how_much_was_decoded() {
    let samples: Vec<f32> = (0..5000).map(|i| 0.5 * sine(i) as f32).collect();
    assert_eq!(n_decoded("a.wav", &wav_bytes(&samples)[..44 + 2 * 1234]), 1234);
    assert_eq!(n_decoded("a.wav", &wav_bytes(&samples)[..44]), 0);
    assert_eq!(n_decoded("a.au", &au_bytes(3, &[1; 100])[..45]), 10);
    let flac = fs::read(golden("tone.flac")).expect("the golden file is there");
    assert_eq!(n_decoded("a.flac", &flac[..flac.len() * 9 / 10]), 4096, "one of two blocks");
    assert_eq!(n_decoded("a.flac", &flac[..20]), 0);
}

/// How much of a damaged file was decoded.
fn n_decoded(name: &str, bytes: &[u8]) -> usize {
    match decode_bytes(name, bytes) {
        Err(AudioError::Damaged { n_decoded, .. }) => n_decoded,
        other => panic!("{name}: {:?}", other.map(|waveform| waveform.samples.len())),
    }
}

#[test]
fn wherever_a_file_of_any_format_is_cut_it_is_never_taken_for_whole() {
    for name in GOLDEN.iter().chain(&["tone_f64.wav", "tone_extensible.wav"]) {
        let bytes = fs::read(golden(name)).expect("the golden file is there");
        let frames = if *name == "tone_no_tag.mp3" { mp3_frames(&bytes) } else { Vec::new() };
        // Every cut near both ends, and some between.
        let n = bytes.len();
        for n_kept in (1..n.min(200)).chain((200..n - 100).step_by(307)).chain(n - 100..n) {
            let outcome = decode_bytes(name, &bytes[..n_kept]);
            // Nothing in the file shows that something followed the end of a frame.
            assert_eq!(outcome.is_ok(), frames.contains(&n_kept), "{name}: {n_kept} of {n} bytes");
        }
    }
}

/// The ends of the frames of tone_no_tag.mp3: at 64 kbit/s they have 208 bytes, some with a padding byte.
fn mp3_frames(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![];
    let mut at = 0;
    while at < bytes.len() {
        at += 208 + usize::from(bytes[at + 2] >> 1 & 1);
        ends.push(at);
    }
    ends
}

#[test]
fn changed_bytes_are_noticed_where_a_format_has_checksums() {
    for name in ["tone.ogg", "tone.flac"] {
        let mut bytes = fs::read(golden(name)).expect("the golden file is there");
        let at = bytes.len() - 500;
        bytes[at] ^= 0x10;
        n_decoded(name, &bytes);
    }
}

#[test]
fn a_sample_that_is_not_finite_is_rejected_and_located() {
    let whole = decode_bytes("a.wav", &float_wav_bytes(&[0.25, -0.5])).expect("all are finite");
    assert_eq!(whole.samples, [0.25, -0.5]);
    for bad in [f32::NAN, f32::INFINITY] {
        match decode_bytes("a.wav", &float_wav_bytes(&[0.0, 0.1, bad, 0.2])) {
            Err(AudioError::NonFinite { sample_idx, .. }) => assert_eq!(sample_idx, 2),
            other => panic!("{:?}", other.map(|waveform| waveform.samples)),
        }
    }
}

#[test]
fn more_than_the_cap_is_too_long() {
    // At 1 Hz the cap of three hours is 10,800 samples.
    let mut bytes = wav_bytes(&vec![0.0; 10_801]);
    bytes[24..28].copy_from_slice(&1_u32.to_le_bytes());
    let outcome = decode_bytes("a.wav", &bytes);
    assert!(matches!(outcome, Err(AudioError::TooLong { .. })));
    bytes[40..44].copy_from_slice(&(2 * 10_800_u32).to_le_bytes());
    assert_eq!(decode_bytes("a.wav", &bytes).expect("it fits").samples.len(), 10_800);
}

#[test]
fn two_hours_are_resampled_while_they_are_read() {
    // A sparse file: the header, then two hours of zeros that take no space on the disk.
    let (n_seconds, rate_hz) = (7200_u32, 8000_u32);
    let mut header = wav_bytes(&[]);
    header[24..28].copy_from_slice(&rate_hz.to_le_bytes());
    header[40..44].copy_from_slice(&(2 * n_seconds * rate_hz).to_le_bytes());
    let (_folder, path) = file("a.wav", &header);
    let sparse = fs::OpenOptions::new().write(true).open(&path).expect("it was just written");
    sparse.set_len(44 + u64::from(2 * n_seconds * rate_hz)).expect("it takes no space");
    let waveform = load(&path, 1000).expect("it is shorter than the cap");
    assert_eq!(waveform.samples.len(), 7_200_000);
    assert!(n_seconds < MAX_DURATION_S);
}
