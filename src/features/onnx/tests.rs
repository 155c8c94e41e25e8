//! tract compared with onnxruntime on the nets of `tests/golden/make_onnx.py`, and files that are refused.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::layout::Given;
use super::*;
use crate::audio;
use crate::schema::{Tree, read as read_tree};

fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

/// Number i of array 3 of `make_onnx.py`.
fn values(n: usize, scale: f64) -> Vec<f32> {
    (0..n).map(|i| ((0.7 * i as f64 + 1.3 * 3.0).sin() * scale) as f32).collect()
}

fn given(shape: &[usize]) -> Given {
    match *shape {
        [_, n_samples] => Given::Waveform { n_samples },
        [_, n_frames, n_mels] => Given::LogMel { n_frames, n_mels, are_bands_first: false },
        [_, _, n_mels, n_frames] => Given::LogMel { n_frames, n_mels, are_bands_first: true },
        _ => panic!("no such case"),
    }
}

#[test]
fn embeddings_equal_onnxruntimes() {
    let cases: Json = serde_json::from_slice(&fs::read(golden("onnx.json")).unwrap()).unwrap();
    let mut n_seen = 0;
    for case in cases.as_array().unwrap() {
        let numbers = |key: &str| -> Vec<f64> {
            case[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let shape: Vec<usize> = numbers("shape").into_iter().map(|size| size as usize).collect();
        let name = case["net"].as_str().unwrap();
        let bytes = fs::read(golden(&format!("{name}.onnx"))).unwrap();
        let net = Net::open(&bytes, case["output"].as_str(), &given(&shape)).unwrap();
        let input = values(shape.iter().product(), case["scale"].as_f64().unwrap());
        let got = net.run(&input).unwrap();
        let wanted = numbers("wanted");
        assert_eq!((got.len(), net.width()), (wanted.len(), wanted.len()), "{name}");
        let apart = |(got, wanted): (&f32, &f64)| (f64::from(*got) - wanted).abs();
        let worst = got.iter().zip(&wanted).map(apart).fold(0.0, f64::max);
        eprintln!("{name}: {worst:.1e} from onnxruntime");
        assert!(worst <= 1e-4, "{name}: {worst}");
        // No window remembers another one.
        let bits = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        net.run(&values(input.len(), 3.0)).unwrap();
        assert_eq!(bits(net.run(&input).unwrap()), bits(got), "{name}");
        n_seen += 1;
    }
    assert_eq!(n_seen, 4);
}

const SEGMENTS: Segments = Segments { seconds: 2.0, per_track: 3 };

/// Reads a `[features.onnx]` of a project whose folder has the golden nets.
fn table(text: &str, project: &Path) -> Result<(Embedding, Json), String> {
    let tree = Tree::parse("x.toml", text).unwrap();
    let place = Place { project, sample_rate_hz: 8_000, segments: SEGMENTS };
    let made = read_tree(&tree, |fields| read(fields, Some(&place)));
    made.map(|(made, kept)| (made.unwrap(), kept)).map_err(|faults| faults.to_string())
}

fn waveform(file: &str, project: &Path) -> Result<(Embedding, Json), String> {
    table(&format!("file = {file:?}\ninput.waveform.sample_rate = 8000\n"), project)
}

#[test]
fn an_embedding_is_the_mean_of_whole_windows() {
    let (feature, kept) = waveform("onnx_waveform.onnx", &golden("")).unwrap();
    assert_eq!(feature.shape(16_000), [12]);
    assert!(feature.is_whole(16_100, 16_000) && !feature.is_whole(15_999, 16_000));
    assert_eq!(feature.warnings(), [] as [&str; 0]);
    let samples: Vec<f32> = (0..16_000).map(|i| (i as f32).sqrt().sin()).collect();
    let mut out = [0.0; 12];
    feature.worker().try_compute(&samples, &mut out).unwrap();
    let windows: Vec<Vec<f32>> =
        samples.chunks(4000).map(|window| feature.net.run(window).unwrap()).collect();
    assert_eq!(windows.len(), 4);
    for (i, out) in out.iter().enumerate() {
        let mean = windows.iter().map(|window| f64::from(window[i])).sum::<f64>() / 4.0;
        assert_eq!(*out, mean as f32);
    }
    assert_eq!(kept["sha256"], sha256_hex(&fs::read(golden("onnx_waveform.onnx")).unwrap()));
    assert_eq!(kept["runtime"], "tract 0.23.9");
}

#[test]
fn a_spectrogram_has_the_order_and_the_rate_that_the_net_wants() {
    let text = "file = \"onnx_log_mel.onnx\"\noutput = \"embedding\"\n\
                input.log_mel = { sample_rate = 16000, n_fft = 512, hop_length = 256, n_mels = 32, bands_first = true }\n";
    let (feature, _) = table(text, &golden("")).unwrap();
    let warned = feature.warnings();
    assert!(warned.len() == 1 && warned[0].contains("hears nothing above 4000 Hz"), "{warned:?}");
    let samples: Vec<f32> = (0..16_000).map(|i| (i as f32 / 5.0).sin() * 0.5).collect();
    let mut out = [0.0; 16];
    feature.worker().try_compute(&samples, &mut out).unwrap();
    // The same by hand: resampled, then frames of bands, then bands of frames.
    let sound =
        audio::resample(&audio::Waveform { samples, sample_rate_hz: 8_000 }, 16_000).unwrap();
    let settings = audio::LogMelSettings {
        stft: audio::StftSettings { n_fft: 512, hop_length: 256, ..Default::default() },
        mel: audio::MelSettings {
            sample_rate_hz: 16_000,
            n_mels: 32,
            fmax_hz: Some(8_000.0),
            ..Default::default()
        },
        ..Default::default()
    };
    let log_mel = audio::LogMel::new(&settings).unwrap();
    let n_frames = log_mel.n_frames(sound.samples.len());
    let mut frames = vec![0.0; n_frames * 32];
    log_mel.compute(&mut audio::Workspace::new(), &sound.samples, &mut frames);
    let turned: Vec<f32> = (0..32)
        .flat_map(|band| (0..n_frames).map(move |frame| (frame, band)))
        .map(|(frame, band)| frames[frame * 32 + band])
        .collect();
    assert_eq!(n_frames, 126);
    assert_eq!(feature.net.run(&turned).unwrap(), out);
}

#[test]
fn an_inner_tensor_can_be_the_output() {
    let text =
        "file = \"onnx_waveform.onnx\"\noutput = \"x6\"\ninput.waveform.sample_rate = 8000\n";
    let (inner, _) = table(text, &golden("")).unwrap();
    let (outer, _) = waveform("onnx_waveform.onnx", &golden("")).unwrap();
    let samples = values(16_000, 0.5);
    let compute = |feature: &Embedding| {
        let mut out = [0.0; 12];
        feature.worker().try_compute(&samples, &mut out).unwrap();
        out
    };
    assert_eq!(compute(&inner), compute(&outer), "what is flattened has the same numbers");
}

#[test]
fn what_does_not_fit_a_net_is_told() {
    let said = |text: &str| table(text, &golden("")).err().unwrap();
    let log_mel = "file = \"onnx_log_mel.onnx\"\n";
    assert_eq!(
        said(&format!(
            "{log_mel}input.log_mel = {{ sample_rate = 8000, n_mels = 32, bands_first = true }}\n"
        )),
        "x.toml:1: output is missing, and the net has 2 outputs; expected `tags` or `embedding`"
    );
    assert_eq!(
        said(&format!(
            "{log_mel}output = \"embeding\"\ninput.log_mel = {{ sample_rate = 8000, n_mels = 32, bands_first = true }}\n"
        )),
        "x.toml:2: output must be `tags` or `embedding`, or a tensor of the net, found `embeding`; did you mean `embedding`?"
    );
    assert_eq!(
        said(&format!(
            "{log_mel}output = \"tags\"\ninput.log_mel = {{ sample_rate = 8000, n_mels = 24, bands_first = true }}\n"
        )),
        "x.toml:3: input gives 24 bands of 32 frames of a segment, but the net wants [?, 1, 32, ?] as `log_mel`: \
         expected 24 bands as dimension 3; set n_mels, or bands_first = false"
    );
    assert_eq!(
        said(
            "file = \"onnx_attention.onnx\"\ninput.log_mel = { sample_rate = 8000, n_mels = 24 }\n"
        ),
        "x.toml:2: input gives 32 frames of 24 bands of a segment, but the net wants [1, 40, 24] as `log_mel`: \
         use longer segments"
    );
    assert!(said("file = \"onnx_log_mel.onnx\"\n").contains("input is missing"));
    assert!(
        said("file = \"../x.onnx\"\ninput.waveform.sample_rate = 8000\n").contains("without `..`")
    );
}

#[test]
fn windows_that_leave_much_out_are_a_warning() {
    let text = "file = \"onnx_attention.onnx\"\ninput.log_mel = { sample_rate = 8000, n_mels = 24, hop_length = 300 }\n";
    let (feature, _) = table(text, &golden("")).unwrap();
    assert_eq!(
        feature.warnings(),
        ["the windows of the net cover 1.48 s of a segment of 2 s; the rest is not used"]
    );
}

#[test]
fn files_that_are_no_nets_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(golden("onnx_waveform.onnx")).unwrap();
    let said = |bytes: &[u8]| {
        fs::write(folder.path().join("a.onnx"), bytes).unwrap();
        let said = waveform("a.onnx", folder.path()).err().unwrap();
        said.strip_prefix("x.toml:1: file is `a.onnx`, ")
            .unwrap_or_else(|| panic!("{said}"))
            .to_owned()
    };
    assert_eq!(said(b""), "which is empty");
    assert_eq!(said(b"<html>not found</html>"), "which is not an ONNX file");
    assert!(said(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert!(
        said(&whole[..whole.len() / 2]).starts_with("which is a damaged or incomplete ONNX file")
    );
    assert_eq!(said(&[8, 8]), "which is not an ONNX file with a net");
    let missing = waveform("b.onnx", folder.path()).err().unwrap();
    assert!(missing.starts_with("x.toml:1: file is `b.onnx`, which is not in /"), "{missing}");
    fs::create_dir(folder.path().join("c.onnx")).unwrap();
    assert!(waveform("c.onnx", folder.path()).err().unwrap().contains("which can't be read"));
}

/// The nets of `onnx_refused.json`, by name.
fn refused() -> serde_json::Map<String, Json> {
    serde_json::from_slice(&fs::read(golden("onnx_refused.json")).unwrap()).unwrap()
}

fn bytes_of_hex(hex: &Json) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn nets_that_can_not_be_used_are_refused_with_the_reason() {
    let said = [
        (
            "unknown",
            "file: which uses operators that tract 0.23.9 does not know: `Mystery`, `Riddle`",
        ),
        (
            "domain",
            "file: which uses operators that tract 0.23.9 does not know: `com.microsoft.Gelu`",
        ),
        ("inner", "file: which uses operators that tract 0.23.9 does not know: `Mystery`"),
        (
            "random",
            "file: which draws random numbers, so that no result could be repeated: `RandomNormalLike`",
        ),
        ("two_inputs", "file: which must have one input, found `in0`, `in1`"),
        ("no_input", "file: which must have one input, found none"),
        ("double", "file: whose input `in0` has the type double; expected float"),
        ("integers", "output: is `out`, whose numbers are I64; expected floating point"),
        (
            "batch",
            "input: gives 4000 samples of a segment, but the net wants [4, 4000] as `in0`: expected 1 as dimension 1, \
             found 4",
        ),
        (
            "no_shape",
            "file: whose input `in0` has no shape; export the net with one, whose open dimensions have names",
        ),
        ("wide", "output: is `out`, which has 400000 numbers for a window; expected at most 65536"),
        (
            "enormous",
            "file: whose step `x` has the shape [1, 40000000000]; at most 1073741824 numbers are supported",
        ),
        ("changing", "output: is `out`, whose shape depends on the numbers; expected a fixed one"),
        (
            "external",
            "file: whose weights are in another file (`weight` in `weights.bin`); save the net as one file, e.g. by \
             onnx.save(onnx.load(path), path)",
        ),
        (
            "short",
            "file: which is a damaged ONNX file: the tensor `weight` has the shape [4000], but not as many numbers",
        ),
    ];
    let nets = refused();
    let mut n_seen = 0;
    for (name, wanted) in said {
        let opened =
            Net::open(&bytes_of_hex(&nets[name]), None, &Given::Waveform { n_samples: 4000 });
        let Refusal { key, message } = opened.err().unwrap_or_else(|| panic!("{name} was opened"));
        assert_eq!(format!("{key}: {message}"), wanted, "{name}");
        n_seen += 1;
    }
    assert_eq!(n_seen + 1, nets.len(), "not_finite is opened, and has a test of its own");
}

#[test]
fn numbers_that_are_not_finite_are_an_error_with_the_window() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.onnx"), bytes_of_hex(&refused()["not_finite"])).unwrap();
    let (feature, _) = waveform("a.onnx", folder.path()).unwrap();
    let mut samples = vec![0.5; 16_000];
    let mut out = [0.0];
    feature.worker().try_compute(&samples, &mut out).unwrap();
    assert!((out[0] - 0.5_f32.ln()).abs() < 1e-4, "{out:?}");
    samples[5000] = -0.5;
    assert_eq!(
        feature.worker().try_compute(&samples, &mut out).unwrap_err(),
        "the net puts out NaN or infinity (1 of 1 numbers of window 2)"
    );
    feature.worker().compute(&samples, &mut out);
    assert!(out[0].is_nan());
}

/// Every file with a few damaged bytes is refused or computes something, and nothing panics.
#[test]
fn damaged_files_never_panic() {
    let whole = fs::read(golden("onnx_attention.onnx")).unwrap();
    let given = given(&[1, 40, 24]);
    let (mut n_refused, mut state) = (0, 1_u64);
    let mut random = |n: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for _ in 0..300 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            let place = random(bytes.len());
            bytes[place] = random(256) as u8;
        }
        match Net::open(&bytes, None, &given) {
            Ok(net) => drop(net.run(&values(960, 40.0))),
            Err(_) => n_refused += 1,
        }
    }
    assert!(n_refused > 10, "only {n_refused} files of 300 were refused");
}
