//! A run -> its fields by dotted names, for queries.

use serde_json::{Map, Value, json};

use super::ReportError;
use super::check::check;
use super::runs::Runs;
use super::scored::levels;
use crate::metrics::{Metric, macro_f1};
use crate::record::{Depth, Fields, Run, Unfinished, UnfinishedState};
use crate::vocab::Scores;

/// Fields that every finished run has, whatever its spec.
pub(super) const RUN_FIELDS: [&str; 18] = [
    "id",
    "experiment",
    "dataset",
    "task",
    "seed",
    "state",
    "accuracy",
    "macro_f1",
    "log_loss",
    "started",
    "seconds",
    "tags",
    "note",
    "archived",
    "capsule",
    "foreign",
    "synthetic",
    "error",
];

/// Whether a field follows from the predictions and is not in the record.
#[must_use]
pub fn needs_predictions(field: &str) -> bool {
    // Those of tags and numbers are in the record, and areas under curves of classes are not.
    let is_in_record = ["accuracy", "macro_f1", "log_loss", "r2", "mae", "mse"].contains(&field);
    !is_in_record && Metric::named(field).is_some()
}

/// The fields of a finished run: those of its own, and those that runs of one spec on one dataset share.
///
/// The resolved spec has the names of the spec: `training.optimizer.adam.learning_rate`,
/// `model.cnn.blocks[0].filters`. What the record says beside it has the names of `record.json`:
/// `data.n_tracks`, `timings.fit_s`. Short names are those of `RUN_FIELDS` in this file, and of the metrics. Scores
/// are those of the test set; others begin with `train.` and `valid.`.
///
/// # Errors
/// With [`Depth::Predictions`], where these can't be read or do not fit the record.
pub fn run_fields(run: &Run, depth: Depth) -> Result<(Fields, Fields), ReportError> {
    let record = &run.record;
    let (mut own, mut shared) = (Fields::new(), Fields::new());
    flatten(&record.spec, "", &mut shared);
    for (name, facts) in [("data", json!(*record.data)), ("code", json!(record.code))] {
        flatten(&facts, name, &mut shared);
    }
    shared.insert("spec_hash".to_owned(), json!(record.spec_hash));
    // As many as there are tracks or classes: no fields.
    for name in ["data.excluded", "data.notes"] {
        shared.retain(|field, _| !field.starts_with(name));
    }
    if let Some(foreign) = &record.foreign {
        flatten(&json!(foreign), "foreign", &mut own);
    }
    if let Some(search) = &record.search {
        flatten(&json!(search), "search", &mut own);
    }
    for (name, facts) in [
        ("split", json!(record.split)),
        ("model", json!(record.model)),
        ("timings", json!(record.timings)),
    ] {
        flatten(&facts, name, &mut own);
    }
    let sets = [("train", record.train.as_ref()), ("valid", record.valid.as_ref())];
    for (name, scores) in sets.into_iter().chain([("test", record.test.as_ref())]) {
        let Some(scores) = scores else { continue };
        own.insert(format!("{name}.n"), json!(scores.n()));
        for (score, value) in of(scores) {
            own.insert(format!("{name}.{score}"), json!(value));
            if name == "test" {
                own.insert(score.to_owned(), json!(value));
            }
        }
    }
    for (name, value) in [
        ("id", json!(run.id)),
        ("experiment", json!(record.experiment)),
        ("dataset", json!(record.data.dataset)),
        ("task", json!(record.data.task)),
        ("synthetic", json!(record.data.synthetic)),
        ("seed", json!(record.seed)),
        ("state", json!("done")),
        ("started", json!(record.timings.started)),
        ("seconds", json!(record.seconds())),
        ("foreign", json!(record.foreign.is_some())),
        ("cut", json!(record.cut)),
        ("overrides", json!(record.overrides)),
        ("audit.n_leaking", json!(record.audit.n_leaking)),
        ("split.hash", json!(record.files.get("split.csv"))),
    ] {
        own.insert(name.to_owned(), value);
    }
    // The predictions of a trial are those of its validation examples.
    if depth == Depth::Predictions && !record.is_trial() {
        check(run)?;
        let runs = Runs::new(&[run]);
        let levels = levels(&[&runs])?;
        let said = &levels[0].sides[0][0];
        let is_new = |metric: &Metric| {
            metric.tasks().contains(&said.task()) && !own.contains_key(metric.as_str())
        };
        let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(is_new).collect();
        for metric in metrics {
            let score = said.score(metric).map(|score| score.value);
            own.insert(metric.as_str().to_owned(), json!(score));
        }
    }
    Ok((own, shared))
}

/// The fields of a run that is not finished. Its resolved spec is not stored yet.
#[must_use]
pub fn unfinished_fields(run: &Unfinished) -> Fields {
    let state = match &run.state {
        UnfinishedState::Running => "running",
        UnfinishedState::Interrupted => "interrupted",
        UnfinishedState::Failed(_) => "failed",
        UnfinishedState::Elsewhere { .. } => "elsewhere",
    };
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("id", json!(run.id));
    put("state", json!(state));
    put("model.n_epochs", json!(run.n_epochs));
    put("tags", json!([]));
    put("archived", json!(false));
    if let UnfinishedState::Failed(reason) = &run.state {
        put("error", json!(reason));
    }
    if let Some(facts) = &run.facts {
        put("experiment", json!(facts.experiment));
        put("dataset", json!(facts.dataset));
        put("seed", json!(facts.seed));
        put("spec_hash", json!(facts.spec_hash));
        put("model.max_epochs", json!(facts.max_epochs));
    }
    fields
}

/// The scores of a set by name.
fn of(scores: &Scores) -> Vec<(&'static str, f64)> {
    let mut all = scores.by_name();
    if let Some(scores) = scores.classes() {
        // Records of earlier versions counted classes that neither occur nor are predicted.
        let computed = macro_f1(&scores.confusion);
        all.iter_mut().filter(|(name, _)| *name == "macro_f1").for_each(|it| it.1 = computed);
    }
    all
}

/// Adds every value of a tree by its dotted name. A list of plain values is one field.
fn flatten(value: &Value, name: &str, fields: &mut Fields) {
    let is_tree = |value: &Value| value.is_object() || value.is_array();
    let inside = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(object) => {
            let object: &Map<String, Value> = object;
            object.iter().for_each(|(key, value)| flatten(value, &inside(key), fields));
        }
        Value::Array(items) if items.iter().any(is_tree) => {
            for (i, item) in items.iter().enumerate() {
                flatten(item, &format!("{name}[{i}]"), fields);
            }
        }
        value => {
            fields.insert(name.to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake::{self, gtzan};

    #[test]
    fn a_run_has_the_fields_of_its_spec_its_record_and_its_predictions() {
        let folder = tempfile::tempdir().unwrap();
        let fake = gtzan("cnn-3", 2, 0.84, 0.838);
        let mut record = fake::record(&fake);
        record.spec = json!({
            "title": "t",
            "training": { "optimizer": { "adam": { "learning_rate": 1e-4 } }, "augment": ["a", "b"] },
            "model": { "cnn": { "blocks": [{ "filters": 32, "kernel": [3, 2] }, { "filters": 64 }] } },
            "dataset": "gtzan",
        })
        .into();
        let run = fake::write(folder.path(), &fake, record, &fake::predictions(&fake));
        let (own, shared) = run_fields(&run, Depth::Predictions).unwrap();
        for (name, value) in [
            ("training.optimizer.adam.learning_rate", json!(1e-4)),
            ("training.augment", json!(["a", "b"])),
            ("model.cnn.blocks[1].filters", json!(64)),
            ("model.cnn.blocks[0].kernel", json!([3, 2])),
            ("data.n_tracks", json!(run.record.data.n_tracks)),
        ] {
            assert_eq!(shared.get(name), Some(&value), "{name}");
        }
        for (name, value) in [
            ("seed", json!(2)),
            ("state", json!("done")),
            ("accuracy", json!(run.record.scored().main())),
            ("train.accuracy", json!(run.record.train.as_ref().unwrap().main())),
            ("macro_f1", json!(macro_f1(&fake::of_classes(run.record.scored()).confusion))),
            ("model.name", json!(run.record.model.name)),
            ("seconds", json!(run.record.timings.total_s)),
        ] {
            assert_eq!(own.get(name), Some(&value), "{name}");
        }
        let top_2 = own["top_2_accuracy"].as_f64().unwrap();
        assert!(top_2 >= run.record.scored().main() && top_2 <= 1.0);
        assert!(own["accuracy_by_track"].as_f64().unwrap() > run.record.scored().main());
        let (less, _) = run_fields(&run, Depth::Records).unwrap();
        assert_eq!(less.get("roc_auc"), None);
        assert!(needs_predictions("roc_auc") && !needs_predictions("accuracy"));
    }
}
