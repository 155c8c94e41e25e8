//! Spectrograms, MFCCs and frame features compared with librosa 0.11.0, for the signals and
//! settings of `tests/golden/make_mfcc.py` and `tests/golden/make_features.py`.

use std::{path::Path, str::FromStr};

use encore::audio::{
    Aggregate, FrameFeature, FrameFeatures, FrameSettings, LogMel, LogMelSettings, MelNorm,
    MelScale, Mfcc, MfccSettings, Padding, Reference, Stft, Tempo, TempoSettings, Window,
    Workspace, decode, power_to_db,
};

/// Tolerance from librosa's values: `absolute`, and `relative` to the value.
struct Tolerance {
    absolute: f32,
    relative: f32,
}

/// dB and MFCCs of dB have a tolerance of 5e-4, all others one of 1e-4 of the value. Near zero it
/// is slightly larger, because our transform is in single precision.
fn tolerance(kind: &str, wanted: &[f32]) -> Tolerance {
    let largest = wanted.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    let (absolute, relative) = match kind {
        "mfcc" | "log_mel" | "stft_db" => (5e-4, 0.0),
        // Rounding errors are relative to the loudest bin of a frame, not to each bin.
        "stft" => (2e-6 * largest, 1e-4),
        // Differences of dB values, each of which has that tolerance.
        "onset_strength" => (5e-4, 1e-4),
        // Each frame's maximum is 1; values below a tenth of it count as a tenth.
        "chroma_stft" => (1e-5, 1e-4),
        _ => (0.0, 1e-4),
    };
    Tolerance { absolute, relative }
}

#[test]
fn mfccs_and_log_mel_spectrograms_equal_librosas() {
    compare("mfcc.txt", 24);
}

#[test]
fn features_of_frames_and_spectrograms_equal_librosas() {
    compare("features.txt", 126);
}

#[expect(clippy::print_stderr, reason = "a test tells how near it came")]
fn compare(file: &str, n_cases: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = std::fs::read_to_string(folder.join(file)).expect("golden values are there");
    let mut cases = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("case ") {
            Some(head) => cases.push((head, Vec::new())),
            None => cases.last_mut().expect("frames follow their case").1.push(line),
        }
    }
    let mut faults = Vec::new();
    for (head, frames) in &cases {
        let words: Vec<&str> = head.split_whitespace().collect();
        let [name, signal, kind, n_frames, n_columns, settings @ ..] = words.as_slice() else {
            panic!("bad case {head}");
        };
        let recording = match *signal {
            "beats" => "features_beats.flac".to_owned(),
            _ => format!("mfcc_{signal}.wav"),
        };
        let samples = decode(folder.join(recording)).expect("it decodes").samples;
        let settings = parse_settings(settings);
        let (values, width) = compute(kind, &settings, &samples);
        assert_eq!(width, parse::<usize>(n_columns), "{name}: columns");
        assert_eq!(values.len() / width, parse::<usize>(n_frames), "{name}: frames");
        let mut worst = 0.0_f32;
        for line in frames {
            let (frame, wanted) = line.split_once(' ').expect("a frame's number, then its values");
            let frame = parse::<usize>(frame);
            let got: Vec<f32> =
                values[frame * width..][..width].iter().copied().step_by(settings.step).collect();
            let wanted: Vec<f32> = wanted.split(' ').map(parse).collect();
            assert_eq!(wanted.len(), got.len(), "{name}: frame {frame}");
            let allowed = tolerance(kind, &wanted);
            for (column, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
                let off =
                    (got - wanted).abs() / (allowed.absolute + allowed.relative * wanted.abs());
                // Both may be exactly 0, where no difference is allowed.
                if off > worst {
                    worst = off;
                }
                if off > 1.0 || !got.is_finite() {
                    faults.push(format!("{name}, frame {frame}, {column}: {got}, not {wanted}"));
                }
            }
        }
        eprintln!("{name}: {worst:.3} of what is allowed");
    }
    assert_eq!(cases.len(), n_cases, "cases read");
    assert!(faults.is_empty(), "too far from librosa:\n{}", faults.join("\n"));
}

/// Converts librosa's keyword arguments to our settings.
struct Settings {
    frame: FrameSettings,
    /// Only every n-th column is compared.
    step: usize,
}

/// Computes the values, `[n_frames, width]`, and the width.
fn compute(kind: &str, settings: &Settings, samples: &[f32]) -> (Vec<f32>, usize) {
    let MfccSettings { stft, mel, decibel, .. } = settings.frame.mfcc;
    let mut workspace = Workspace::new();
    let part = match kind {
        "mfcc" => {
            let plan = Mfcc::new(&settings.frame.mfcc).expect("the settings are in range");
            let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_mfcc()];
            plan.compute(&mut workspace, samples, &mut out);
            return (out, plan.n_mfcc());
        }
        "log_mel" => {
            let plan = LogMel::new(&LogMelSettings { stft, mel, decibel }).expect("in range");
            let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_mels()];
            plan.compute(&mut workspace, samples, &mut out);
            return (out, plan.n_mels());
        }
        "stft" | "stft_db" => {
            let plan = Stft::new(&stft).expect("the settings are in range");
            let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_bins()];
            if kind == "stft" && mel.power == 1.0 {
                plan.magnitude(&mut workspace, samples, &mut out);
            } else {
                plan.power(&mut workspace, samples, &mut out);
            }
            if kind == "stft_db" {
                power_to_db(&mut out, &decibel).expect("the settings are in range");
            }
            return (out, plan.n_bins());
        }
        "tempo" => {
            let (onset, _) = compute("onset_strength", settings, samples);
            let plan = Tempo::new(&TempoSettings {
                sample_rate_hz: mel.sample_rate_hz,
                hop_length: stft.hop_length,
                ..Default::default()
            });
            let tempo = plan.expect("the settings are in range").estimate(&mut workspace, &onset);
            return (vec![tempo], 1);
        }
        "chroma_stft" => FrameFeature::ChromaStft,
        "rms" => FrameFeature::Rms,
        "spectral_centroid" => FrameFeature::SpectralCentroid,
        "spectral_bandwidth" => FrameFeature::SpectralBandwidth,
        "spectral_rolloff" => FrameFeature::SpectralRolloff,
        "zero_crossing_rate" => FrameFeature::ZeroCrossingRate,
        "onset_strength" => FrameFeature::OnsetStrength,
        other => panic!("unknown kind {other}"),
    };
    let plan = FrameFeatures::new(&settings.frame, &[part]).expect("the settings are in range");
    let mut out = vec![0.0; plan.n_values(samples.len())];
    plan.compute(&mut workspace, samples, &mut out);
    (out, plan.width(part))
}

fn parse_settings(words: &[&str]) -> Settings {
    let mut settings = Settings { frame: FrameSettings::default(), step: 1 };
    for word in words {
        let (key, value) = word.split_once('=').expect("a setting is key=value");
        let FrameSettings { mfcc, chroma, aggregate, roll_percent } = &mut settings.frame;
        let MfccSettings { stft, mel, decibel, n_mfcc, lifter } = mfcc;
        match key {
            "n_fft" => stft.n_fft = parse(value),
            "win_length" => stft.win_length = Some(parse(value)),
            "hop_length" => stft.hop_length = parse(value),
            "window" => stft.window = parse_window(value),
            "center" => stft.padding = Padding::Off,
            "pad_mode" => stft.padding = Padding::Reflect,
            "sr" => mel.sample_rate_hz = parse(value),
            "n_mels" => mel.n_mels = parse(value),
            "fmin" => mel.fmin_hz = parse(value),
            "fmax" => mel.fmax_hz = Some(parse(value)),
            "htk" => mel.scale = MelScale::Htk,
            "norm" => mel.norm = MelNorm::None,
            "power" => mel.power = parse(value),
            "ref" => decibel.reference = Reference::Max,
            "amin" => decibel.amin = parse(value),
            "top_db" => decibel.top_db = (value != "None").then(|| parse(value)),
            "n_mfcc" => *n_mfcc = parse(value),
            "lifter" => *lifter = parse(value),
            "n_chroma" => chroma.n_chroma = parse(value),
            "tuning" => chroma.tuning = Some(parse(value)),
            "roll_percent" => *roll_percent = parse(value),
            "aggregate" => *aggregate = Aggregate::Median,
            "step" => settings.step = parse(value),
            other => panic!("unknown setting {other}"),
        }
    }
    settings
}

fn parse_window(name: &str) -> Window {
    match name {
        "hamming" => Window::Hamming,
        "blackman" => Window::Blackman,
        "boxcar" => Window::Boxcar,
        other => panic!("unknown window {other}"),
    }
}

fn parse<T: FromStr>(text: &str) -> T {
    text.parse().ok().unwrap_or_else(|| panic!("{text} is no {}", std::any::type_name::<T>()))
}
