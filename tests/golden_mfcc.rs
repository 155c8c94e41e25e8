//! MFCCs and log-mel spectrograms against librosa 0.11.0, for the signals and settings of
//! `tests/golden/make_mfcc.py`. Tolerance: 5e-4 absolute (dB, or MFCC of dB).

use std::{path::Path, str::FromStr};

use encore::audio::{
    LogMel, LogMelSettings, MelNorm, MelScale, Mfcc, MfccSettings, Padding, Reference, Workspace,
    decode,
};

const TOLERANCE: f32 = 5e-4;

#[test]
fn features_equal_librosas() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = std::fs::read_to_string(folder.join("mfcc.txt")).expect("golden values are there");
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
        let samples =
            decode(folder.join(format!("mfcc_{signal}.wav"))).expect("it decodes").samples;
        let (values, width) = compute(kind, &parse_settings(settings), &samples);
        assert_eq!(width, parse::<usize>(n_columns), "{name}: columns");
        assert_eq!(values.len() / width, parse::<usize>(n_frames), "{name}: frames");
        let mut worst = 0.0_f32;
        for line in frames {
            let (frame, wanted) = line.split_once(' ').expect("a frame's number, then its values");
            let got = &values[parse::<usize>(frame) * width..][..width];
            let wanted: Vec<f32> = wanted.split(' ').map(parse).collect();
            assert_eq!(wanted.len(), width, "{name}: frame {frame}");
            worst = got.iter().zip(&wanted).fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
        }
        eprintln!("{name}: {worst:e}");
        if worst > TOLERANCE {
            faults.push(format!("{name}: off by {worst:e}"));
        }
    }
    assert_eq!(cases.len(), 24, "cases read");
    assert!(faults.is_empty(), "more than {TOLERANCE:e} from librosa:\n{}", faults.join("\n"));
}

fn compute(kind: &str, settings: &MfccSettings, samples: &[f32]) -> (Vec<f32>, usize) {
    let mut workspace = Workspace::new();
    if kind == "mfcc" {
        let plan = Mfcc::new(settings).expect("the settings are in range");
        let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_mfcc()];
        plan.compute(&mut workspace, samples, &mut out);
        return (out, plan.n_mfcc());
    }
    let MfccSettings { stft, mel, decibel, .. } = *settings;
    let plan = LogMel::new(&LogMelSettings { stft, mel, decibel }).expect("they are in range");
    let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_mels()];
    plan.compute(&mut workspace, samples, &mut out);
    (out, plan.n_mels())
}

/// librosa's keyword arguments as ours.
fn parse_settings(words: &[&str]) -> MfccSettings {
    let mut settings = MfccSettings::default();
    for word in words {
        let (key, value) = word.split_once('=').expect("a setting is key=value");
        let MfccSettings { stft, mel, decibel, n_mfcc, lifter } = &mut settings;
        match key {
            "n_fft" => stft.n_fft = parse(value),
            "win_length" => stft.win_length = Some(parse(value)),
            "hop_length" => stft.hop_length = parse(value),
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
            other => panic!("unknown setting {other}"),
        }
    }
    settings
}

fn parse<T: FromStr>(text: &str) -> T {
    text.parse().ok().unwrap_or_else(|| panic!("{text} is no {}", std::any::type_name::<T>()))
}
