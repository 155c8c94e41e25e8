//! Rules for the values of `[model.command]`.

use std::time::Duration;

use crate::schema::{Node, Rule, Value};

/// A time above 0, such as `"2h"`.
pub(super) struct Time;

impl Rule for Time {
    type Made = Duration;

    fn allowed(&self) -> String {
        "a time such as \"90s\", \"30m\" or \"2h\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Duration, Option<String>> {
        let Value::Text(text) = &node.value else { return Err(None) };
        let time = humantime::parse_duration(text).map_err(|_| None)?;
        if time.is_zero() { Err(None) } else { Ok(time) }
    }

    fn keep(&self, made: &Duration) -> serde_json::Value {
        humantime::format_duration(*made).to_string().into()
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }

    fn stand_in(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// A table with any content.
pub(super) struct Settings;

impl Rule for Settings {
    type Made = serde_json::Value;

    fn allowed(&self) -> String {
        "a table".to_owned()
    }

    fn check(&self, node: &Node) -> Result<serde_json::Value, Option<String>> {
        match &node.value {
            Value::Table(_) => json(node).map_err(Some),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &serde_json::Value) -> serde_json::Value {
        made.clone()
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object" })
    }

    fn stand_in(&self) -> serde_json::Value {
        serde_json::json!({})
    }
}

fn json(node: &Node) -> Result<serde_json::Value, String> {
    Ok(match &node.value {
        Value::Bool(x) => (*x).into(),
        Value::Int(x) => (*x).into(),
        Value::Float(x) if !x.is_finite() => {
            return Err(format!("must hold finite numbers, found {x}"));
        }
        Value::Float(x) => (*x).into(),
        Value::Text(x) => x.as_str().into(),
        Value::List(items) => items.iter().map(json).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Table(table) => {
            let entry = |(key, node): (&String, &Node)| Ok((key.clone(), json(node)?));
            table.iter().map(entry).collect::<Result<serde_json::Map<_, _>, String>>()?.into()
        }
    })
}
