//! What exports say of a run: its parameters, its scores, its times.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::Value;

use crate::record::{Depth, Epoch, Run};
use crate::report::{ReportError, run_fields};

/// A curve: its name, and its value after an epoch.
type Curve = (&'static str, fn(&Epoch) -> f64);

/// The curves of an epoch that exports have.
pub(super) const CURVES: [Curve; 6] = [
    ("train_loss", |epoch| epoch.train_loss),
    ("train_accuracy", |epoch| epoch.train_accuracy),
    ("valid_loss", |epoch| epoch.valid_loss),
    ("valid_accuracy", |epoch| epoch.valid_accuracy),
    ("learning_rate", |epoch| epoch.learning_rate),
    ("epoch_seconds", |epoch| epoch.seconds),
];

/// Keys of a spec that say nothing about how a model is made.
const NO_PARAMETERS: [&str; 6] = ["title", "question", "claims", "seeds", "sweep", "ablation"];

/// The parameters of a run by dotted names: its resolved spec and its seed.
pub(super) fn parameters(run: &Run) -> Result<BTreeMap<String, Value>, ReportError> {
    let (_, shared) = run_fields(run, Depth::Records)?;
    let is_parameter = |name: &str| {
        let first = name.split(['.', '[']).next().unwrap_or(name);
        !NO_PARAMETERS.contains(&first) && !["data", "code", "spec_hash"].contains(&first)
    };
    let mut all: BTreeMap<String, Value> =
        shared.into_iter().filter(|(name, value)| is_parameter(name) && !value.is_null()).collect();
    all.insert("seed".to_owned(), run.record.seed.into());
    Ok(all)
}

/// The scores of a run's sets, `test/accuracy` and so on; only those that are defined.
pub(super) fn scores(run: &Run) -> Vec<(String, f64)> {
    let record = &run.record;
    let sets = [("train", &record.train), ("valid", &record.valid), ("test", &record.test)];
    let of_set = |(set, scores): (&str, &Option<crate::vocab::Scores>)| -> Vec<(String, f64)> {
        let scores = scores.iter().flat_map(crate::vocab::Scores::by_name);
        scores.map(|(name, value)| (format!("{set}/{name}"), value)).collect()
    };
    let all = sets.into_iter().flat_map(of_set);
    all.filter(|(_, value)| value.is_finite()).collect()
}

/// When a run began, in seconds since 1970.
pub(super) fn began_s(run: &Run) -> f64 {
    let began = humantime::parse_rfc3339_weak(&run.record.timings.started);
    let since = began.ok().and_then(|began| began.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// A value as text: texts without quotes, lists as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
