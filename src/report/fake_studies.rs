//! Made-up learning curves and ablations, for the tests of this room.

use std::path::Path;

use serde_json::json;

use super::fake::{self, Fake, gtzan};
use crate::record::{Member, Run};
use crate::vocab::{ExampleId, SplitName};

/// Runs of shares of 700 training tracks, two seeds each, whose errors follow a power law: 0.2 + 2.6 n^-0.45.
pub(super) fn curve(root: &Path) -> Vec<Run> {
    let mut runs = vec![];
    for share in [0.1, 0.2, 0.5, 1.0] {
        let n_tracks = (700.0 * share) as usize;
        let error = 0.2 + 2.6 * (n_tracks as f64).powf(-0.45);
        for seed in 1..=2 {
            let fake = Fake {
                claim: None,
                leaks: false,
                n_epochs: 0,
                ..gtzan("an-experiment-with-a-long-name", seed, 1.0 - error, 0.0)
            };
            let mut record = fake::record(&fake);
            let mut spec = json!({ "model": "net", "seeds": [1, 2] });
            if share < 1.0 {
                spec["train_share"] = json!(share);
            }
            (record.spec, record.spec_hash) = (spec.into(), format!("{share}"));
            let predictions = fake::predictions(&fake);
            let root = root.join(format!("{share}"));
            let mut writer = fake::begin(&root, &fake, &predictions, &record.data.classes);
            let example = |i: usize| ExampleId { track: format!("track {i}"), segment: 0 };
            let member = |i: usize| Member { example: example(i), set: SplitName::Train };
            writer.members(&(0..n_tracks).map(member).collect::<Vec<_>>()).unwrap();
            let (mut run, _) = writer.finish(record, &fake::epochs(&fake)).unwrap();
            run.is_of_study = share < 1.0;
            runs.push(run);
        }
    }
    runs
}

/// A run of a spec with three changes, or of one of them, by the hash of its spec.
pub(super) fn changed(root: &Path, hash: &str, seed: u64, accuracy: f64) -> Run {
    let fake = Fake { claim: None, leaks: false, ..gtzan("net", seed, accuracy, 0.0) };
    let mut record = fake::record(&fake);
    record.spec_hash = hash.to_owned();
    let of = |name: &str, hash: &str| json!({ "name": name, "spec_hash": hash });
    let all = [
        of("without ema", "e"),
        of("a change with a name that is much too long for the figure", "h"),
        of("without mixup", "m"),
    ];
    record.spec =
        json!({ "seeds": [1, 2, 3], "ablation": { "variants": all }, "changed": hash }).into();
    let mut run = fake::write(&root.join(hash), &fake, record, &fake::predictions(&fake));
    run.is_of_study = hash != "base";
    run
}

/// Three seeds of the spec, of a change that matters and of one that does not.
pub(super) fn ablation(root: &Path) -> Vec<Run> {
    let mut runs = vec![];
    for seed in 1..=3 {
        let bit = 0.001 * seed as f64;
        runs.push(changed(root, "base", seed, 0.7 + bit));
        runs.push(changed(root, "e", seed, 0.6 + bit));
        runs.push(changed(root, "h", seed, 0.7 - bit));
    }
    runs
}
