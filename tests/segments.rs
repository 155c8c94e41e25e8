//! Segments of various lengths in features and nets: 2, 3, 5 and 10 seconds.

use crate::common;

use encore::dataset::Catalogue;
use encore::experiment::{DataChoice, Options, Plan};
use encore::features::AUDIO_FEATURES;

const CNN: &str = "[model.cnn]\n\
    blocks = [\n\
    { filters = 32, kernel = [3, 3], pool = [3, 3] },\n\
    { filters = 64, kernel = [3, 3], pool = [3, 3] },\n\
    { filters = 64, kernel = [2, 2], pool = [2, 2] }]\n\
    dense = [{ units = 64 }]\n";
const DENSE: &str = "[model.dense]\nlayers = [{ units = 64 }]\n";

/// Seconds, segments of a 30-s track, frames of a segment at 22,050 Hz and a hop of 512 samples.
const LENGTHS: [(f64, usize, usize); 4] =
    [(2.0, 15, 87), (3.0, 10, 130), (5.0, 6, 216), (10.0, 3, 431)];

#[test]
fn every_feature_plans_segments_of_every_length_with_the_nets_that_fit_it() {
    let datasets = common::repository().join("datasets");
    let catalogue = Catalogue::open(&datasets).unwrap();
    let options = Options { data: DataChoice::Embedded, ..Options::default() };
    let plan = |feature: &str, seconds: f64, per_track: usize, model: &str| {
        let text = format!(
            "title = \"t\"\nquestion = \"q\"\ndataset = \"gtzan\"\nseeds = [1]\n\
             [segments]\nseconds = {seconds}\nper_track = {per_track}\n[features.{feature}]\n\
             [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n{model}\
             [training]\noptimizer.adam = {{ learning_rate = 1e-4 }}\nbatch_size = 32\nepochs = 1\n"
        );
        Plan::from_text("x".to_owned(), "x.toml", text, &catalogue, &options)
    };
    let mut n_images = 0;
    for entry in AUDIO_FEATURES {
        for (seconds, per_track, n_frames) in LENGTHS {
            let dense = plan(entry.name, seconds, per_track, DENSE).unwrap();
            if let [frames, _] = dense.spec.shape[..] {
                assert_eq!(frames, n_frames, "{} of {seconds} s", entry.name);
                let cnn = plan(entry.name, seconds, per_track, CNN).unwrap();
                assert_eq!(cnn.spec.shape, dense.spec.shape);
                n_images += 1;
            }
        }
    }
    assert!(n_images >= 4, "no feature has frames");
}

#[test]
fn a_cnn_trains_on_segments_of_other_lengths() {
    let home = common::project();
    let corpus = home.path().join("datasets/synth-genres.toml");
    common::edit(&corpus, "tracks_per_genre = 40", "tracks_per_genre = 2");
    for (seconds, per_track, n_frames) in LENGTHS {
        let set = [
            format!("segments.seconds={seconds}"),
            format!("segments.per_track={per_track}"),
            "training.epochs=1".to_owned(),
        ];
        let mut arguments = vec!["run", "cnn-1", "--seeds", "1"];
        arguments.extend(set.iter().flat_map(|set| ["--set", set]));
        let printed = common::stdout_of(home.path(), &arguments);
        let record = common::printed_record(home.path(), &printed);
        assert_eq!(record["data"]["shape"], serde_json::json!([n_frames, 13]));
        assert_eq!(record["data"]["n_examples"], 20 * per_track);
    }
}
