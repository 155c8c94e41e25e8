//! What resolved specs say of studies: runs of one experiment whose specs differ on purpose.

use serde_json::Value;

use super::Record;
use super::differences::IDLE_KEYS;

/// Returns the share of the training tracks that a resolved spec uses.
#[must_use]
pub fn train_share(spec: &Value) -> f64 {
    spec.get("train_share").and_then(Value::as_f64).unwrap_or(1.0)
}

/// Returns what the points of one learning curve have in common: the resolved spec without the share.
#[must_use]
pub fn without_share(spec: &Value) -> Value {
    let mut rest = spec.clone();
    if let Some(table) = rest.as_object_mut() {
        IDLE_KEYS.iter().chain(&["train_share"]).for_each(|key| drop(table.remove(*key)));
    }
    rest
}

/// Returns the changes of `[ablation]` of a resolved spec: the name and the hash of the changed spec.
#[must_use]
pub fn variants(spec: &Value) -> Vec<(&str, &str)> {
    let all = spec.pointer("/ablation/variants").and_then(Value::as_array);
    let of = |variant| Some((text(variant, "name")?, text(variant, "spec_hash")?));
    all.into_iter().flatten().filter_map(of).collect()
}

fn text<'a>(table: &'a Value, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Value::as_str)
}

/// Returns whether a run belongs to a study of a spec: it is a point of its learning curve, or one of the changes
/// of its ablation.
#[must_use]
pub fn is_of_study(record: &Record, spec: &Value) -> bool {
    if record.foreign.is_some() {
        return false;
    }
    let is_variant = variants(spec).iter().any(|(_, hash)| *hash == record.spec_hash);
    is_variant
        || (train_share(&record.spec) != train_share(spec)
            && without_share(&record.spec) == without_share(spec))
}
