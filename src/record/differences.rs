//! The differences between two resolved specs.

use serde_json::{Map, Value};

/// Keys of a spec that do not decide the result of a run; its hash does not include them.
pub(crate) const IDLE_KEYS: [&str; 6] =
    ["title", "question", "claims", "seeds", "sweep", "ablation"];

/// Returns the values in which two resolved specs differ, one per line: `path: was -> is`, in
/// TOML's notation. A value that only one of them contains is shown as a whole. Title, question,
/// claims, seeds, sweep and ablation do not count.
#[must_use]
pub fn spec_differences(was: &Value, is: &Value) -> Vec<String> {
    let mut lines = vec![];
    compare("", was, is, &mut lines);
    let is_idle = |line: &String| {
        line.split([':', '.', '[']).next().is_some_and(|key| IDLE_KEYS.contains(&key))
    };
    lines.retain(|line| !is_idle(line));
    lines
}

fn compare(path: &str, was: &Value, is: &Value, lines: &mut Vec<String>) {
    match (was, is) {
        _ if was == is => {}
        (Value::Object(before), Value::Object(after)) => {
            let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&inner, &of(before), &of(after), lines);
            }
        }
        (Value::Array(before), Value::Array(after)) if are_tables(before) && are_tables(after) => {
            let of = |list: &[Value], i: usize| list.get(i).cloned().unwrap_or(Value::Null);
            for i in 0..before.len().max(after.len()) {
                compare(&format!("{path}[{i}]"), &of(before, i), &of(after, i), lines);
            }
        }
        _ => lines.push(format!("{path}: {} -> {}", said(was), said(is))),
    }
}

fn are_tables(list: &[Value]) -> bool {
    list.iter().all(Value::is_object)
}

fn said(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "absent".to_owned(),
        Value::Array(items) => format!("[{}]", list(items.iter().map(said).collect())),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| format!("{key} = {}", said(value)));
            format!("{{ {} }}", list(pairs.collect()))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn differing_leaves_are_named_with_both_values() {
        let was = json!({"training": {"epochs": 250, "batch_size": 64}});
        let is = json!({"training": {"epochs": 300, "batch_size": 64, "mixup": 0.2}});
        let lines = spec_differences(&was, &is);
        assert_eq!(lines, ["training.epochs: 250 -> 300", "training.mixup: absent -> 0.2"]);
    }

    #[test]
    fn lists_of_tables_are_gone_into_and_other_lists_are_not() {
        let was = json!({"blocks": [{"filters": 32, "kernel": [3, 3]}], "by": "track"});
        let is = json!({"blocks": [{"filters": 32, "kernel": [2, 2]}, {"filters": 8}], "by": {}});
        assert_eq!(
            spec_differences(&was, &is),
            [
                "blocks[0].kernel: [3, 3] -> [2, 2]",
                "blocks[1]: absent -> { filters = 8 }",
                "by: \"track\" -> {}"
            ]
        );
    }

    #[test]
    fn what_decides_nothing_about_a_run_is_left_out() {
        let was = json!({"title": "a", "claims": [{"value": 0.5}], "seeds": [1], "claimsy": 1});
        let is = json!({"title": "b", "claims": [{"value": 0.6}], "seeds": [1, 2], "claimsy": 2});
        assert_eq!(spec_differences(&was, &is), ["claimsy: 1 -> 2"]);
    }
}
