//! Odd recordings that people reported: read whole, or named.

use super::data;
use encore::audio::{Recording, read, sample_rate_hz};

/// A file, its samples at its own rate, and the notes on it.
const READ: [(&str, usize, &[&str]); 9] = [
    ("A06_sox_pipe_7ffff000.wav", 132_300, &[]),
    ("A07_data_size_0_but_samples.wav", 132_300, &[]),
    (
        "A11_header_says_half.wav",
        66_150,
        &["its header declares less than the file has: the last 132300 bytes are not read"],
    ),
    ("A12_rf64.wav", 132_300, &[]),
    ("A39_adpcm_pipe_ffffffff.wav", 132_665, &[]),
    (
        "A42_two_data_chunks.wav",
        66_150,
        &["it has a second data chunk; those 132300 bytes are not read"],
    ),
    ("B41_vbr_notag_loud_then_quiet.mp3", 1_324_800, &[]),
    ("E02_min_block_0.flac", 264_600, &[]),
    ("E05_id3v1_end_EAC.flac", 264_600, &[]),
];

/// A file that is not supported, and what it is said to be.
const NAMED: [(&str, &str); 7] = [
    ("B21_mono_then_stereo.mp3", "found mp3 that switches from mono to stereo after 6.0 s"),
    ("B33_id3_only_fma133297.mp3", "found an ID3 tag and no audio in it"),
    ("B34_layer2_named.mp3", "found MPEG Layer II (mp2)"),
    ("C02_opus.ogg", "found ogg with Opus"),
    ("C05_speex.ogg", "found ogg with Speex"),
    ("D16_51.m4a", "found m4a with AAC of 6 channels (mono and stereo are supported)"),
    ("D17_heaac_sbr_backward.m4a", "found m4a with HE-AAC (only AAC-LC is supported"),
];

#[test]
#[ignore = "needs ENCORE_TEST_DATA"]
fn odd_recordings_are_read_whole_or_named() {
    let folder = data().join("cases/audio");
    for (name, n_samples, notes) in READ {
        let Recording { waveform, notes: told, .. } = read(folder.join(name), None).unwrap();
        assert_eq!(
            (waveform.samples.len(), told.iter().map(String::as_str).collect::<Vec<_>>()),
            (n_samples, notes.to_vec()),
            "{name}"
        );
        assert!(sample_rate_hz(folder.join(name)).is_ok(), "{name}");
    }
    for (name, words) in NAMED {
        let error = read(folder.join(name), None).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("convert it"), "{error}");
    }
}

/// The same encoding with and without a tag: the tag removes the delay and the padding.
#[test]
#[ignore = "needs ENCORE_TEST_DATA"]
fn an_mp3_without_a_tag_has_the_samples_of_one_with_a_tag() {
    let folder = data().join("cases/audio");
    let [without, with] = ["B41_vbr_notag_loud_then_quiet.mp3", "B42_vbr_tag_loud_then_quiet.mp3"]
        .map(|name| read(folder.join(name), None).unwrap());
    assert_eq!((without.decoder_version, with.decoder_version), (2, 1));
    let (without, with) = (without.waveform.samples, with.waveform.samples);
    let delay = 1105;
    assert_eq!(without[delay..][..with.len()], with[..]);
}
