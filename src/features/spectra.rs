//! The fields that spectral features share, with librosa's names: framing, mel bands, dB.
//!
//! The resolved spec contains later additions only if they are given, so that specs without them
//! keep their cache entries.

use super::Segments;
use crate::audio::{
    DecibelSettings, LogMel, LogMelSettings, MelNorm, MelScale, MelSettings, MfccSettings, Padding,
    Reference, StftSettings, Window,
};
use crate::schema::{Fields, Flag, Int, Node, OneOf, Real, Rule, Value};

const WINDOWS: &[(&str, Window)] = &[
    ("hann", Window::Hann),
    ("hamming", Window::Hamming),
    ("blackman", Window::Blackman),
    ("boxcar", Window::Boxcar),
    ("ones", Window::Boxcar),
];
const PAD_MODES: &[(&str, Padding)] =
    &[("constant", Padding::Zeros), ("reflect", Padding::Reflect)];
const NORMS: &[(&str, MelNorm)] = &[("slaney", MelNorm::Slaney), ("none", MelNorm::None)];

/// Reads `n_mfcc`, `lifter` and the fields of a log-mel spectrogram.
pub(super) fn read_mfcc(
    fields: &mut Fields,
    sample_rate_hz: u32,
    default_n_mfcc: usize,
) -> MfccSettings {
    let n_mfcc = fields.with_default("n_mfcc", &Int::within(1..=512), default_n_mfcc);
    let lifter = fields.optional("lifter", &Real::not_negative()).unwrap_or(0.0);
    let LogMelSettings { stft, mel, decibel } = read_log_mel(fields, sample_rate_hz);
    MfccSettings { stft, mel, decibel, n_mfcc, lifter }
}

/// Reads framing, mel bands and dB.
pub(super) fn read_log_mel(fields: &mut Fields, sample_rate_hz: u32) -> LogMelSettings {
    LogMelSettings {
        stft: read_stft(fields),
        mel: read_mel(fields, sample_rate_hz),
        decibel: read_decibel(fields),
    }
}

/// Reports a frame that is longer than a segment of `n_samples`, which then has no frames.
pub(super) fn check_frames(
    fields: &mut Fields,
    n_frames: Option<usize>,
    segments: Segments,
    n_samples: usize,
) {
    if n_frames == Some(0) {
        let seconds = segments.seconds;
        fields.fault_at(
            "n_fft",
            &format!(
                "must be at most {n_samples} with center = false, the samples of a segment of \
                 {seconds} s; use center = true, a smaller n_fft or longer segments"
            ),
        );
    }
}

/// Warns of mel bands that are the same for every sound, as librosa does.
pub(super) fn empty_mels(log_mel: &LogMel) -> Vec<String> {
    let (n_empty, n_mels) = (log_mel.n_empty_mels(), log_mel.n_mels());
    let warning = format!(
        "{n_empty} of {n_mels} mel filters are empty, so these bands are the same for every sound; lower \
         n_mels, raise n_fft or widen fmin to fmax"
    );
    (n_empty > 0).then_some(warning).into_iter().collect()
}

/// `n_fft`, `hop_length`, `win_length`, `window`, `center`, `pad_mode`.
pub(super) fn read_stft(fields: &mut Fields) -> StftSettings {
    let librosa = StftSettings::default();
    let n_fft = fields.with_default("n_fft", &Int::within(16..=65_536), librosa.n_fft);
    let hop_length =
        fields.with_default("hop_length", &Int::within(1..=65_536), librosa.hop_length);
    let win_length = fields.optional("win_length", &Int::within(1..=65_536));
    let window = fields.optional("window", &OneOf(WINDOWS)).unwrap_or_default();
    let center = fields.optional("center", &Flag).unwrap_or(true);
    let pad_mode = fields.optional("pad_mode", &OneOf(PAD_MODES));
    if !center && pad_mode.is_some() {
        fields.fault_at("pad_mode", "has no effect with `center = false`");
    }
    let padding = if center { pad_mode.unwrap_or_default() } else { Padding::Off };
    StftSettings { n_fft, win_length, hop_length, window, padding }
}

/// Reads `n_mels`, `fmin`, `fmax`, `htk`, `norm`, `power`.
fn read_mel(fields: &mut Fields, sample_rate_hz: u32) -> MelSettings {
    let nyquist_hz = f64::from(sample_rate_hz) / 2.0;
    let librosa = MelSettings::default();
    if fields.is_exploring() {
        // The sample rate is the dataset's: any may be right.
        fields.optional("fmin", &Real::not_negative());
        fields.optional("fmax", &Real::from_to_below(1.0, f64::INFINITY));
    }
    MelSettings {
        sample_rate_hz,
        n_mels: fields.with_default("n_mels", &Int::within(1..=1_024), librosa.n_mels),
        fmin_hz: fields.with_default("fmin", &Real::from_to_below(0.0, nyquist_hz), 0.0),
        fmax_hz: Some(fields.with_default("fmax", &Real::from_to(1.0, nyquist_hz), nyquist_hz)),
        scale: match fields.optional("htk", &Flag) {
            Some(true) => MelScale::Htk,
            _ => MelScale::Slaney,
        },
        norm: fields.optional("norm", &OneOf(NORMS)).unwrap_or_default(),
        power: fields
            .optional("power", &Real::between(0.0, 16.0))
            .map_or(librosa.power, |power| power as f32),
    }
}

/// Reads `ref` and `top_db`.
pub(super) fn read_decibel(fields: &mut Fields) -> DecibelSettings {
    let librosa = DecibelSettings::default();
    DecibelSettings {
        reference: fields.optional("ref", &ReferenceRule).unwrap_or_default(),
        top_db: fields.optional("top_db", &TopDbRule).unwrap_or(librosa.top_db),
        ..librosa
    }
}

/// librosa's `ref`: 1, or the function `max`.
struct ReferenceRule;

impl Rule for ReferenceRule {
    type Made = Reference;

    fn allowed(&self) -> String {
        "1 or \"max\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Reference, Option<String>> {
        match &node.value {
            Value::Int(1) | Value::Float(1.0) => Ok(Reference::One),
            Value::Text(text) if text == "max" => Ok(Reference::Max),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &Reference) -> serde_json::Value {
        match made {
            Reference::One => serde_json::json!(1),
            Reference::Max => serde_json::json!("max"),
        }
    }

    fn stand_in(&self) -> Reference {
        Reference::One
    }
}

/// librosa's `top_db`: a number of dB, or `None`, which TOML can only express as a word.
struct TopDbRule;

impl Rule for TopDbRule {
    type Made = Option<f32>;

    fn allowed(&self) -> String {
        "a number in [0, inf) or \"none\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Option<f32>, Option<String>> {
        match &node.value {
            Value::Text(text) if text == "none" => Ok(None),
            _ => Real::not_negative().check(node).map(|top_db| Some(top_db as f32)),
        }
    }

    fn keep(&self, made: &Option<f32>) -> serde_json::Value {
        made.map_or(serde_json::json!("none"), |top_db| serde_json::json!(top_db))
    }

    fn stand_in(&self) -> Option<f32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn read_text(text: &str) -> Result<(MfccSettings, serde_json::Value), String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, |fields| read_mfcc(fields, 22_050, 20)).map_err(|faults| faults.to_string())
    }

    #[test]
    fn nothing_new_is_kept_that_was_not_given() {
        let (settings, kept) = read_text("n_mfcc = 13\n").unwrap();
        let wanted = MfccSettings {
            n_mfcc: 13,
            mel: MelSettings { fmax_hz: Some(11_025.0), ..Default::default() },
            ..Default::default()
        };
        assert_eq!(settings, wanted);
        // The text that is part of the cache's key, as it was before there were other fields.
        assert_eq!(
            kept.to_string(),
            r#"{"fmax":11025.0,"fmin":0.0,"hop_length":512,"n_fft":2048,"n_mels":128,"n_mfcc":13}"#
        );
    }

    #[test]
    fn every_field_has_librosas_name() {
        let text = "n_mfcc = 12\nlifter = 22\nn_fft = 1024\nhop_length = 256\nwin_length = 800\n\
                    window = \"ones\"\npad_mode = \"reflect\"\nn_mels = 64\nfmin = 50\nfmax = 8000\n\
                    htk = true\nnorm = \"none\"\npower = 1\nref = \"max\"\ntop_db = \"none\"\n";
        let (settings, kept) = read_text(text).unwrap();
        assert_eq!(
            settings,
            MfccSettings {
                stft: StftSettings {
                    n_fft: 1024,
                    win_length: Some(800),
                    hop_length: 256,
                    window: Window::Boxcar,
                    padding: Padding::Reflect,
                },
                mel: MelSettings {
                    sample_rate_hz: 22_050,
                    n_mels: 64,
                    fmin_hz: 50.0,
                    fmax_hz: Some(8000.0),
                    scale: MelScale::Htk,
                    norm: MelNorm::None,
                    power: 1.0,
                },
                decibel: DecibelSettings {
                    reference: Reference::Max,
                    top_db: None,
                    ..Default::default()
                },
                n_mfcc: 12,
                lifter: 22.0,
            }
        );
        assert_eq!(kept["ref"], "max");
        assert_eq!(kept["top_db"], "none");
        assert_eq!(read_text("center = false\n").unwrap().0.stft.padding, Padding::Off);
    }

    #[test]
    fn wrong_values_are_told_with_what_is_allowed() {
        let text =
            "window = \"hamm\"\ncenter = false\npad_mode = \"reflect\"\nref = 2\ntop_db = -1\n";
        assert_eq!(
            read_text(text).unwrap_err(),
            "x.toml:1: window must be `hann`, `hamming`, `blackman`, `boxcar` or `ones`, found \
             \"hamm\", did you mean `hamming`?\n\
             x.toml:3: pad_mode has no effect with `center = false`\n\
             x.toml:4: ref must be 1 or \"max\", found 2\n\
             x.toml:5: top_db must be a number in [0, inf) or \"none\", found -1"
        );
    }
}
