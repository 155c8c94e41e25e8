//! Reads a record if it is unchanged and of a known version.

use serde_json::Value;

use super::Record;

/// Version of the record's layout.
pub const RECORD_FORMAT: u32 = 3;

/// Why a record can't be used.
pub(super) enum Wrong {
    Damaged(String),
    Newer(String),
}

/// Reads a record and checks its seal.
pub(super) fn parse(text: &str) -> Result<Record, Wrong> {
    // Nearly all records are what was written: only for others it matters what is wrong.
    if let Ok(record) = serde_json::from_str::<Record>(text)
        && record.format == RECORD_FORMAT
        && record.seal == record.make_seal()
        && has_scores(&record)
    {
        return Ok(record);
    }
    let damaged = |error| Wrong::Damaged(format!("is damaged: {error}"));
    let value: Value = serde_json::from_str(text).map_err(damaged)?;
    let version = value.pointer("/code/version").and_then(Value::as_str).unwrap_or_default();
    let by = if version.is_empty() { String::new() } else { format!(", written by {version}") };
    let format = value.get("format").and_then(Value::as_u64);
    let known = u64::from(RECORD_FORMAT);
    if let Some(format) = format.filter(|format| *format != known) {
        let message =
            format!("is a record of format {format}{by}, and this encore reads format {known}");
        let is_newer = format > known;
        return Err(if is_newer { Wrong::Newer(message) } else { Wrong::Damaged(message) });
    }
    let is_newer = is_later(version, env!("CARGO_PKG_VERSION"));
    let record = match serde_json::from_value::<Record>(value.clone()) {
        Ok(record) if !has_scores(&record) => {
            return Err(Wrong::Damaged("is damaged: missing field `test`".to_owned()));
        }
        Ok(record) if record.seal == record.make_seal() => return Ok(record),
        other => other,
    };
    // A newer encore may have added fields. They are part of its seal and unknown here.
    let unknown = record.as_ref().ok().and_then(|record| {
        let known = serde_json::to_value(record).expect("a record is plain data");
        unknown_field("", &value, &known)
    });
    match (unknown, record) {
        (Some(field), _) => Err(Wrong::Newer(format!("has the unknown field `{field}`{by}"))),
        (None, _) if is_newer => Err(Wrong::Newer(format!("is a record of a newer encore{by}"))),
        (None, Err(error)) => Err(damaged(error)),
        (None, Ok(_)) => Err(Wrong::Damaged(
            "is damaged or was changed: its checksum does not match its content".to_owned(),
        )),
    }
}

/// Whether a record has the scores of its predictions.
fn has_scores(record: &Record) -> bool {
    if record.is_trial() { record.valid.is_some() } else { record.test.is_some() }
}

/// The path of the first field that another value of the same kind does not have.
fn unknown_field(path: &str, value: &Value, known: &Value) -> Option<String> {
    match (value, known) {
        (Value::Object(fields), Value::Object(known)) => fields.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            known.get(name).map_or(Some(path.clone()), |known| unknown_field(&path, value, known))
        }),
        (Value::Array(items), Value::Array(known)) => {
            items.iter().zip(known).find_map(|(item, known)| unknown_field(path, item, known))
        }
        _ => None,
    }
}

/// Whether one version, `MAJOR.MINOR.PATCH`, is later than another.
fn is_later(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let plain = text.split(['-', '+']).next()?;
        plain.split('.').map(|part| part.parse().ok()).collect()
    };
    matches!((numbers(version), numbers(than)), (Some(version), Some(than)) if version > than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_later("0.10.0", "0.9.9") && is_later("1.0.0", "0.9.0-rc.1"));
        assert!(!is_later("0.9.0", "0.9.0") && !is_later("0.8.9", "0.9.0"));
        assert!(!is_later("", "0.9.0") && !is_later("new", "0.9.0"));
    }

    #[test]
    fn unknown_fields_are_found_at_any_depth() {
        let known = serde_json::json!({"a": {"b": 1}, "c": [{"d": 2}]});
        assert_eq!(unknown_field("", &known, &known), None);
        let more = serde_json::json!({"a": {"b": 3}, "c": [{"d": 2, "e": 0}]});
        assert_eq!(unknown_field("", &more, &known).as_deref(), Some("c.e"));
        let more = serde_json::json!({"a": {"b": 3, "x": {}}, "c": []});
        assert_eq!(unknown_field("", &more, &known).as_deref(), Some("a.x"));
    }
}
