use super::*;
use crate::schema::{Tree, read};

/// Reads a list of augmentations.
pub(in super::super) fn list(text: &str) -> Vec<Augment> {
    read_text(text, None).unwrap()
}

fn read_text(text: &str, axes: Option<Axes>) -> Result<Vec<Augment>, String> {
    let tree = Tree::parse("x.toml", &format!("augment = {text}")).unwrap();
    read(&tree, |fields| Augment::read_list(fields, "augment", axes))
        .map(|(made, _)| made)
        .map_err(|faults| faults.to_string())
}

const AXES: Axes = Axes { shape: &[24, 16], has_bands: true };

/// A list that has every augmentation, for examples of [`AXES`].
const EVERY: &str = "[\"time_reversal\", \"roll\", \"time_stretch\", \"eq\", \"gain\", { shift_bands = { bands = 3 } }, \
                     { mask = { bands = 4, frames = 6, n = 2 } }, { noise = { sd = 0.5 } }, \"cutmix\"]";

fn noise(shape: &[usize]) -> Vec<f32> {
    let mut rng = Seed(5).rng("test", &[]);
    (0..shape.iter().product()).map(|_| (10.0 * rng.normal()) as f32).collect()
}

/// Returns an example after one augmentation, for a draw.
fn changed(text: &str, values: &[f32], shape: &[usize], draw: u64) -> Vec<f32> {
    let mut out = values.to_vec();
    list(&format!("[{text}]"))[0].change(&mut out, shape, &mut Seed(draw).rng("test", &[]));
    out
}

#[test]
fn every_augmentation_is_named_described_and_in_the_list() {
    let read = read_text(EVERY, Some(AXES)).unwrap();
    let names: Vec<&str> = read.iter().map(|augment| augment.entry().name).collect();
    let all: Vec<&str> = AUGMENTATIONS.iter().map(|entry| entry.name).collect();
    assert_eq!(names, all);
    for Entry { name, doc, p, .. } in AUGMENTATIONS {
        assert!(doc.ends_with('.') && doc.len() > 30 && !doc.contains("  "), "{name}: {doc}");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        assert!((0.0..=1.0).contains(p), "{name}");
    }
}

#[test]
fn a_name_alone_is_kept_as_it_was_and_tables_keep_their_defaults() {
    let kept = |text: &str| {
        let tree = Tree::parse("x.toml", &format!("augment = {text}")).unwrap();
        read(&tree, |fields| Augment::read_list(fields, "augment", None)).unwrap().1.to_string()
    };
    // The text is part of the hash of runs.
    assert_eq!(kept("[\"time_reversal\"]"), r#"{"augment":["time_reversal"]}"#);
    assert_eq!(kept("[]"), r#"{"augment":[]}"#);
    assert_eq!(
        kept("[{ mask = { frames = 20 } }, \"eq\"]"),
        r#"{"augment":[{"mask":{"bands":0,"frames":20,"n":1}},{"eq":{"knots":6,"sd":5.0}}]}"#
    );
    assert_eq!(kept("[{ roll = { p = 0.5 } }]"), r#"{"augment":[{"roll":{"p":0.5}}]}"#);
    assert_ne!(list("[{ roll = { p = 0.5 } }]"), list("[\"roll\"]"));
    assert_eq!(list("[{ mask = { frames = 20 } }]"), list("[{ mask = { frames = 20, n = 1 } }]"));
}

#[test]
fn what_examples_do_not_have_is_a_fault_with_its_line() {
    let columns = Axes { shape: &[21], has_bands: false };
    assert_eq!(
        read_text(
            "[\n\"roll\",\n\"eq\",\n{ noise = { sd = 1 } },\n\"time_stretch\",\n{ mask = { bands = 3 } }]",
            Some(columns)
        )
        .unwrap_err(),
        "x.toml:2: augment[0].roll needs a time axis: an example of shape [21] has none\n\
         x.toml:3: augment[1].eq needs frames and bands: an example of shape [21] has none\n\
         x.toml:5: augment[3].time_stretch needs a time axis: an example of shape [21] has none\n\
         x.toml:6: augment[4].mask needs a time axis: an example of shape [21] has none"
    );
    let coefficients = Axes { shape: &[130, 13], has_bands: false };
    assert_eq!(
        read_text(
            "[\"roll\",\n\"gain\",\n{ shift_bands = { bands = 1 } },\n{ mask = { bands = 2, frames = 130 } },\n\"cutmix\"]",
            Some(coefficients)
        )
        .unwrap_err(),
        "x.toml:2: augment[1].gain needs frequency bands: these features are coefficients, [130, 13], and \
         have none\n\
         x.toml:3: augment[2].shift_bands needs frequency bands: these features are coefficients, \
         [130, 13], and have none\n\
         x.toml:4: augment[3].mask.bands can't be masked: these features are coefficients and have no \
         bands\n\
         x.toml:4: augment[3].mask.frames is 130, but an example has 130 frames, which all could be \
         masked\n\
         x.toml:5: augment[4].cutmix.axes must be \"frames\": these features are coefficients and have no \
         bands"
    );
    let fine =
        "[\"time_reversal\", { mask = { frames = 129 } }, { cutmix = { axes = \"frames\" } }]";
    assert!(read_text(fine, Some(coefficients)).is_ok());
}

#[test]
fn impossible_values_and_unknown_names_are_faults() {
    assert_eq!(
        read_text(
            "[{ mask = { bands = 16 } },\n{ mask = {} },\n{ shift_bands = { bands = 16 } },\n\
             { time_stretch = { rate = [1.2, 0.8] } },\n\"time_strech\",\n{ eq = { sd = -1, p = 2 } },\n\
             { noise = {} },\n{ gain = { dB = 3 } },\n{ cutmix = { alpha = 0, axes = \"frame\" } }]",
            Some(AXES)
        )
        .unwrap_err(),
        "x.toml:1: augment[0].mask.bands is 16, but an example has 16 bands, which all could be masked\n\
         x.toml:2: augment[1].mask masks nothing: it needs `bands`, `frames` or both, the largest widths\n\
         x.toml:3: augment[2].shift_bands.bands is 16, but an example has only 16 bands\n\
         x.toml:4: augment[3].time_stretch.rate must not fall, found [1.2, 0.8]\n\
         x.toml:5: augment[4] must be `time_reversal`, `roll`, `time_stretch`, `eq`, `gain`, `shift_bands`, \
         `mask`, `noise` or `cutmix`, or a table of one of them, found the text \"time_strech\", did you \
         mean `time_stretch`?\n\
         x.toml:6: augment[5].eq.p must be a number in [0, 1], found 2\n\
         x.toml:6: augment[5].eq.sd must be a number in [0, inf), found -1\n\
         x.toml:7: augment[6].noise.sd is missing; expected a number in [0, inf)\n\
         x.toml:8: augment[7].gain.dB is an unknown key; did you mean `db`?\n\
         x.toml:9: augment[8].cutmix.alpha must be a number in (0, 100), found 0\n\
         x.toml:9: augment[8].cutmix.axes must be `both`, `frames` or `bands`, found \"frame\", did you mean \
         `frames`?"
    );
}

#[test]
fn an_augmentation_of_no_strength_changes_nothing() {
    let x = noise(&[24, 16]);
    for text in [
        "{ eq = { sd = 0 } }",
        "{ gain = { db = 0 } }",
        "{ noise = { sd = 0 } }",
        "{ time_stretch = { rate = [1, 1] } }",
        "{ mask = { bands = 0, frames = 0, n = 3 } }",
    ] {
        (0..20).for_each(|draw| assert_eq!(changed(text, &x, &[24, 16], draw), x, "{text}"));
    }
    for text in ["\"time_reversal\"", "\"roll\"", "\"time_stretch\"", "{ mask = { frames = 1 } }"] {
        let out = changed(text, &x[..16], &[1, 16], 3);
        assert!(out.iter().all(|x| x.is_finite()), "{text} of a single frame: {out:?}");
    }
}

#[test]
fn masks_leave_the_rest_and_have_every_width_and_place() {
    let (shape, x) = ([24, 16], noise(&[24, 16]));
    let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / x.len() as f64;
    let (mut widths, mut frames_masked) = (vec![0_usize; 5], vec![0_usize; 24]);
    for draw in 0..4000 {
        let out = changed("{ mask = { bands = 4 } }", &x, &shape, draw);
        let is_masked = |band: usize| {
            let n = (0..24).filter(|frame| out[frame * 16 + band] != x[frame * 16 + band]).count();
            assert!(n == 0 || n == 24, "a band is masked in all frames or in none");
            n == 24
        };
        let masked: Vec<usize> = (0..16).filter(|band| is_masked(*band)).collect();
        assert!(masked.windows(2).all(|pair| pair[1] == pair[0] + 1), "{masked:?}");
        assert!(masked.iter().all(|band| (f64::from(out[*band]) - mean).abs() < 1e-5));
        widths[masked.len()] += 1;
        let out = changed("{ mask = { frames = 6 } }", &x, &shape, draw);
        for (frame, n) in frames_masked.iter_mut().enumerate() {
            *n += usize::from(out[frame * 16] != x[frame * 16]);
        }
    }
    // Five widths, 0 to 4, equally often.
    assert!(widths.iter().all(|n| (700..900).contains(n)), "{widths:?}");
    // Frames in the middle are covered by more places than those at the ends, none never.
    assert!(frames_masked.iter().all(|n| (80..1200).contains(n)), "{frames_masked:?}");
    assert!(frames_masked[12] > 2 * frames_masked[0], "{frames_masked:?}");
}

#[test]
fn rolls_are_permutations_with_every_offset() {
    let x: Vec<f32> = (0..24 * 16).map(|i| i as f32).collect();
    let mut n_of = [0_usize; 24];
    for draw in 0..4800 {
        let out = changed("\"roll\"", &x, &[24, 16], draw);
        let offset = out.iter().position(|x| *x == 0.0).unwrap() / 16;
        n_of[offset] += 1;
        let wanted = (0..24).map(|frame| ((frame + 24 - offset) % 24) as f32 * 16.0);
        assert!(out.chunks(16).map(|frame| frame[0]).eq(wanted));
        assert!(out.chunks(16).all(|frame| frame.windows(2).all(|pair| pair[1] == pair[0] + 1.0)));
    }
    assert!(n_of.iter().all(|n| (140..260).contains(n)), "{n_of:?}");
}

#[test]
fn curves_gains_and_noise_have_their_distributions() {
    let (shape, zeros) = ([24, 16], vec![0.0; 24 * 16]);
    let moments = |values: &[f32]| {
        let n = values.len() as f64;
        let mean = values.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let square = values.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
        (mean, square.sqrt())
    };
    let all = |text: &str| -> Vec<Vec<f32>> {
        (0..2000).map(|draw| changed(text, &zeros, &shape, draw)).collect()
    };
    let curves = all("{ eq = { sd = 5, knots = 4 } }");
    assert!(curves.iter().all(|curve| curve.chunks(16).all(|frame| frame == &curve[..16])));
    // The bands 0, 5, 10 and 15 are knots; half-way between two, the variance is half of theirs.
    for band in [0, 5, 10, 15] {
        let (mean, sd) = moments(&curves.iter().map(|curve| curve[band]).collect::<Vec<_>>());
        assert!(mean.abs() < 0.4 && (sd - 5.0).abs() < 0.3, "band {band}: {mean} {sd}");
    }
    let gains: Vec<f32> = all("{ gain = { db = 6 } }")
        .iter()
        .map(|gain| {
            assert!(gain.iter().all(|x| x == &gain[0]));
            gain[0]
        })
        .collect();
    let (mean, sd) = moments(&gains);
    // Uniform in [-6, 6): the deviation is 12 / sqrt(12).
    assert!(mean.abs() < 0.25 && (sd - 12.0 / 12.0_f64.sqrt()).abs() < 0.1, "{mean} {sd}");
    assert!(gains.iter().all(|x| (-6.0..=6.0).contains(x)));
    let (mean, sd) = moments(&all("{ noise = { sd = 0.5 } }").concat());
    assert!(mean.abs() < 2e-3 && (sd - 0.5).abs() < 2e-3, "{mean} {sd}");
}

#[test]
fn shifts_and_stretches_reach_both_ends_of_their_range() {
    // Every number tells its band and frame.
    let x: Vec<f32> = (0..24 * 16).map(|i| i as f32).collect();
    let mut n_of = [0_usize; 7];
    let (mut slow, mut fast) = (f32::INFINITY, 0.0_f32);
    for draw in 0..2800 {
        let out = changed("{ shift_bands = { bands = 3 } }", &x, &[24, 16], draw);
        n_of[(3.0 + 8.0 - out[8]) as usize] += 1;
        let out = changed("{ time_stretch = { rate = [0.5, 1.5] } }", &x, &[24, 16], draw);
        let rate = (out[16] - out[0]) / 16.0;
        assert!((0.499..1.501).contains(&rate), "{rate}");
        assert!(out.iter().all(|x| (0.0..=383.0).contains(x)));
        (slow, fast) = (slow.min(rate), fast.max(rate));
    }
    assert!(n_of.iter().all(|n| (320..480).contains(n)), "{n_of:?}");
    assert!(slow < 0.51 && fast > 1.49, "{slow} {fast}");
}

#[test]
fn a_probability_decides_by_example_and_epoch() {
    let augment = list(
        "[{ gain = { p = 0.3, db = 1 } }, { time_reversal = { p = 1 } }, { roll = { p = 0 } }]",
    );
    let mut n_louder = 0;
    for epoch in 1..=10 {
        let draws = Draws::of_epoch(&augment, Seed(1), epoch);
        for index in 0..400 {
            let mut values = [0.0, 1.0, 2.0];
            draws.change(index, &mut values, &[3, 1]);
            assert!((values[0] - values[1] - 1.0).abs() < 1e-6, "always reversed, never rolled");
            n_louder += usize::from(values[2] != 0.0);
        }
    }
    assert!((1120..1280).contains(&n_louder), "{n_louder} of 4000");
}

mod golden {
    //! The same draws by numpy, torch and torchaudio (`tests/golden/make_augment.py`).

    use serde_json::Value;

    use super::super::{Example, cutmix, eq, mask, roll, shift_bands, time_stretch};
    use super::*;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../tests/golden/augment.json")).unwrap()
    }

    fn floats(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn sizes(value: &Value) -> Vec<usize> {
        floats(value).into_iter().map(|x| x as usize).collect()
    }

    /// Compares with every case of a name; returns how many there are.
    fn compare(name: &str, change: impl Fn(&mut Example, &Value)) -> usize {
        let golden = golden();
        let shape = sizes(&golden["shape"]);
        let cases = golden[name].as_array().unwrap();
        for case in cases {
            let mut values: Vec<f32> = floats(&golden["x"]).iter().map(|x| *x as f32).collect();
            change(&mut Example::new(&mut values, &shape), case);
            let wanted = floats(&case["y"]);
            assert_eq!(values.len(), wanted.len());
            for (place, (got, wanted)) in values.iter().zip(wanted).enumerate() {
                assert!((f64::from(*got) - wanted).abs() < 2e-5, "{name} {place}: {got} {wanted}");
            }
        }
        cases.len()
    }

    #[test]
    fn changes_equal_those_of_numpy_torch_and_torchaudio() {
        let whole = |value: &Value| value.as_i64().unwrap() as isize;
        assert_eq!(compare("roll", |x, case| roll::roll(x, whole(&case["by"]) as usize)), 4);
        assert_eq!(compare("shift", |x, case| shift_bands::shift(x, whole(&case["by"]))), 7);
        let stretched = compare("stretch", |x, case| {
            time_stretch::stretch(
                x,
                case["start"].as_f64().unwrap(),
                case["rate"].as_f64().unwrap(),
            );
        });
        assert_eq!(stretched, 6);
        let masked = compare("mask", |x, case| {
            let (bands, frames) = (sizes(&case["bands"]), sizes(&case["frames"]));
            let mean = mask::mean(x.values);
            mask::cover(x, bands[0]..bands[1], frames[0]..frames[1], mean);
        });
        assert_eq!(masked, 2);
        let equalized = compare("eq", |x, case| eq::add(x, &floats(&case["knots"])));
        assert_eq!(equalized, 2);
        let golden = golden();
        let x: Vec<f32> = floats(&golden["x"]).iter().map(|x| *x as f32).collect();
        let turned = changed("\"time_reversal\"", &x, &sizes(&golden["shape"]), 1);
        let turned: Vec<f64> = turned.into_iter().map(f64::from).collect();
        assert_eq!(turned, floats(&golden["time_reversal"]));
    }

    #[test]
    fn boxes_equal_those_of_the_published_code_of_cutmix() {
        let golden = golden();
        let cases = golden["cutmix"].as_array().unwrap();
        for case in cases {
            let center = sizes(&case["center"]);
            let removed = case["removed"].as_f64().unwrap();
            let cut = cutmix::tests::both(1.0).cut([130, 128], removed, [center[0], center[1]]);
            let (frames, bands) = (sizes(&case["frames"]), sizes(&case["bands"]));
            assert_eq!(
                (cut.frames, cut.bands),
                (frames[0]..frames[1], bands[0]..bands[1]),
                "{case}"
            );
            assert!((cut.share - case["share"].as_f64().unwrap()).abs() < 1e-12);
        }
        assert_eq!(cases.len(), 5);
    }
}
