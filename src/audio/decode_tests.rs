//! Outcomes of decoding: every format, every kind of broken file, and files mutated at random.

use std::{f64::consts::TAU, fs, path::PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::{AudioError, Waveform, decode, load, write_wav};

const N_SAMPLES: usize = 6615;
const RATE_HZ: u32 = 22_050;

fn golden(name: &str) -> PathBuf {
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

fn decode_bytes(name: &str, bytes: &[u8]) -> Result<Waveform, AudioError> {
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
    // Codec -> largest difference from the signal, by what each is able to keep. The wav is ADPCM,
    // which needs some samples to find its step size (soundfile decodes it to the same).
    let formats =
        [("flac", 4e-5), ("aiff", 4e-5), ("au", 0.02), ("wav", 0.02), ("ogg", 0.05), ("mp3", 0.05)];
    for (format, tolerance) in formats {
        let waveform = decode(golden(&format!("tone.{format}"))).expect(format);
        assert_eq!(waveform.sample_rate_hz, RATE_HZ, "{format}");
        // Block codecs may fill up their last block.
        let n_extra = waveform.samples.len() - N_SAMPLES;
        assert!(
            n_extra == 0 || (format == "wav" && n_extra < 2048),
            "{format}: {n_extra} too many"
        );
        let n_settling = if format == "wav" { 200 } else { 0 };
        let worst = waveform.samples[..N_SAMPLES]
            .iter()
            .enumerate()
            .skip(n_settling)
            .map(|(i, sample)| (f64::from(*sample) - 0.375 * sine(i)).abs())
            .fold(0.0, f64::max);
        assert!(worst < tolerance, "{format}: off by {worst}");
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
fn what_is_no_audio_is_named_by_its_content() {
    let message = |name, bytes: &[u8]| {
        let error = decode_bytes(name, bytes).expect_err("it is no audio").to_string();
        error.split_once(name).expect("the message names the file").1.to_owned()
    };
    assert!(message("a.wav", b"").starts_with(": the file is empty (0 bytes)\nhint: "));
    assert!(message("a.wav", b"genre,file\nblues,1.wav\n").starts_with(
        ": not audio that can be read here, found text that starts with \"genre,file\\nb\"\nhint"
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
fn a_truncated_file_is_damaged_and_says_how_much_was_decoded() {
    let samples: Vec<f32> = (0..5000).map(|i| 0.5 * sine(i) as f32).collect();
    let n_decoded = |name: &str, bytes: &[u8]| match decode_bytes(name, bytes) {
        Err(AudioError::Damaged { n_decoded, .. }) => n_decoded,
        other => panic!("{name}: {:?}", other.map(|waveform| waveform.samples.len())),
    };
    assert_eq!(n_decoded("a.wav", &wav_bytes(&samples)[..44 + 2 * 1234]), 1234);
    assert_eq!(n_decoded("a.wav", &wav_bytes(&samples)[..44]), 0);
    assert_eq!(n_decoded("a.au", &au_bytes(3, &[1; 100])[..45]), 10);
    let flac = fs::read(golden("tone.flac")).expect("the golden file is there");
    let n_flac = n_decoded("a.flac", &flac[..flac.len() * 9 / 10]);
    assert!((1..N_SAMPLES).contains(&n_flac), "{n_flac}");
    assert_eq!(n_decoded("a.flac", &flac[..20]), 0);
    let mp3 = fs::read(golden("tone.mp3")).expect("the golden file is there");
    let n_mp3 = n_decoded("a.mp3", &mp3[..mp3.len() / 2]);
    assert!((1..N_SAMPLES).contains(&n_mp3), "{n_mp3}");
}

#[test]
fn a_sample_that_is_not_finite_is_refused_and_located() {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens to a file, decoding ends with a waveform or a stated error.
    #[test]
    fn a_mutated_file_never_panics(
        format in 0..7_usize,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        // Headers are short: without this most edits would hit samples.
        edits_in_header in prop::collection::vec((0..64_usize, any::<u8>()), 0..4),
        keep in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let samples: Vec<f32> = (0..3000).map(|i| 0.5 * sine(i) as f32).collect();
        let pcm: Vec<i16> = samples.iter().map(|s| (s * 32_768.0) as i16).collect();
        let mut bytes = match format {
            0 => wav_bytes(&samples),
            1 => float_wav_bytes(&samples),
            2 => au_bytes(3, &pcm),
            3 => au_bytes(1, &pcm),
            4 => fs::read(golden("tone.flac")).expect("the golden file is there"),
            5 => fs::read(golden("tone.ogg")).expect("the golden file is there"),
            _ => fs::read(golden("tone.mp3")).expect("the golden file is there"),
        };
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, byte) in edits_in_header {
            bytes[at] = byte;
        }
        if let Some(keep) = keep {
            bytes.truncate(keep.index(bytes.len()));
        }
        if let Ok(waveform) = decode_bytes("mutated", &bytes) {
            prop_assert!(!waveform.samples.is_empty());
            prop_assert!(waveform.samples.iter().all(|sample| sample.is_finite()));
        }
    }
}
