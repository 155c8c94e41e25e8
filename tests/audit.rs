//! Tests the audit's threshold for nearly equal recordings. Degraded copies of the embedded
//! corpus's tracks must be found; different tracks must not.
//!
//! `cargo test --release --test integration audit:: -- --nocapture` prints how many are found.

use encore::audio::{Degradation, Mfcc, MfccSettings, Waveform, Workspace};
use encore::dataset::{TrackColumns, synth};
use encore::record::{Audit, LeakKind};
use encore::split::{Items, Numbers, Split, audit};
use encore::vocab::{ExampleId, Seed, Targets};

const SEGMENT: usize = 66_150;
const SHAPE: [usize; 2] = [130, 13];
const N_PLANTED: usize = 10;

/// Segments of tracks, like the features of a spec.
#[derive(Default)]
struct Corpus {
    ids: Vec<ExampleId>,
    values: Vec<f32>,
}

impl Corpus {
    fn add(&mut self, track: &str, samples: &[f32]) {
        let plan = Mfcc::new(&MfccSettings { n_mfcc: 13, ..Default::default() }).unwrap();
        let mut workspace = Workspace::new();
        for (segment, samples) in samples.chunks_exact(SEGMENT).enumerate() {
            self.ids.push(ExampleId { track: track.to_owned(), segment: segment as u32 });
            let mut out = vec![0.0; SHAPE[0] * SHAPE[1]];
            plan.compute(&mut workspace, samples, &mut out);
            self.values.extend(out);
        }
    }

    /// A split with the first `n_train` rows for training and the rest for the test.
    fn audit(&self, n_train: usize) -> Audit {
        let columns = TrackColumns::default();
        let labels = vec![0; self.ids.len()];
        let items = Items { ids: &self.ids, targets: &Targets::Classes(labels), columns: &columns };
        let test = (n_train..self.ids.len()).collect();
        let split = Split { train: (0..n_train).collect(), valid: vec![], test, notes: vec![] };
        audit(&split, items, Numbers { values: &self.values, shape: &SHAPE }, None)
    }
}

#[test]
fn planted_copies_are_found_and_different_tracks_are_not() {
    let track = |style: usize, number: u32| synth::render_track(Seed(1), style, number);
    let mut corpus = Corpus::default();
    let mut originals = vec![];
    for style in 0..N_PLANTED {
        for number in 0..3 {
            let samples = track(style, number);
            corpus.add(&format!("{}.{number}", synth::STYLES[style]), &samples);
            originals.extend((number == 0).then_some(samples));
        }
    }
    let n_train = corpus.ids.len();
    // Three more tracks of each style, which are not in the training set.
    let mut fresh = Corpus { ids: corpus.ids.clone(), values: corpus.values.clone() };
    for style in 0..N_PLANTED {
        for number in 3..6 {
            fresh.add(&format!("{}.{number}", synth::STYLES[style]), &track(style, number));
        }
    }
    assert_eq!(fresh.audit(n_train).leaks, [], "different tracks");

    // The minimum number of found segments per hundred planted ones.
    for (degradation, least) in [
        ("gain gain_db=-6", 100),
        ("mp3 bitrate_kbps=128", 98),
        ("mp3 bitrate_kbps=48", 90),
        ("quantise bits=8", 95),
        ("mu_law", 98),
        ("clip_share share=0.01", 98),
        ("white_noise snr_db=30", 94),
        ("low_pass cutoff_hz=8000", 90),
    ] {
        let degrade: Degradation = degradation.parse().unwrap();
        let mut planted = Corpus { ids: corpus.ids.clone(), values: corpus.values.clone() };
        for (number, samples) in originals.iter().enumerate() {
            let original = Waveform { samples: samples.clone(), sample_rate_hz: 22_050 };
            let copy = degrade.apply(&original, Seed(number as u64));
            planted.add(&format!("copy.{number}"), &copy.samples);
        }
        let audit = planted.audit(n_train);
        let n = audit.n_test(LeakKind::NearNumbers) + audit.n_test(LeakKind::SameNumbers);
        println!("{degradation:24} {n:3} of {}", planted.ids.len() - n_train);
        assert!(n >= least, "{degradation}: {n}");
    }
    let mut exact = Corpus { ids: corpus.ids.clone(), values: corpus.values.clone() };
    for (number, samples) in originals.iter().enumerate() {
        exact.add(&format!("copy.{number}"), samples);
    }
    let audit = exact.audit(n_train);
    assert_eq!(audit.n_test(LeakKind::SameNumbers), exact.ids.len() - n_train);
}
