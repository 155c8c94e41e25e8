//! `[sweep.space]`: what one parameter may be.

use serde_json::{Value as Json, json};

use crate::schema::{Int, Node, Rule, Value};
use crate::search::{Condition, Domain};
use crate::vocab::quoted_list;

/// What one parameter may be.
pub(super) struct Described {
    pub(super) domain: Domain,
    pub(super) steps: Option<usize>,
    pub(super) when: Vec<Condition>,
    pub(super) line: usize,
}

/// A table with one of `linear`, `log`, `int` and `any`.
pub(super) struct ParameterRule;

const KINDS: [&str; 4] = ["linear", "log", "int", "any"];

impl ParameterRule {
    fn domain(kind: &str, node: &Node) -> Result<Domain, String> {
        let Value::List(items) = &node.value else {
            return Err(format!("`{kind}` must be a list, found {}", node.value.describe()));
        };
        if kind == "any" {
            let values: Vec<Json> = items.iter().map(Node::to_json).collect();
            if values.is_empty() {
                return Err("`any` is empty".to_owned());
            }
            let twice = (1..values.len()).find(|&n| values[..n].contains(&values[n]));
            return match twice {
                Some(n) => Err(format!("`any` has {} twice", values[n])),
                None => Ok(Domain::Any(values)),
            };
        }
        let number = |node: &Node| match node.value {
            Value::Int(x) => Some(x as f64),
            Value::Float(x) if x.is_finite() => Some(x),
            _ => None,
        };
        let ends: Option<Vec<f64>> = items.iter().map(number).collect();
        let Some([low, high]) = ends.as_deref().and_then(|ends| <[f64; 2]>::try_from(ends).ok())
        else {
            return Err(format!("`{kind}` must be the lowest and the highest number"));
        };
        if low > high {
            return Err(format!("`{kind}` is empty: {low} is above {high}"));
        }
        if kind != "int" && low == high {
            return Err(format!("`{kind}` is empty: both ends are {low}"));
        }
        match kind {
            "log" if low <= 0.0 => {
                Err(format!("`log` must be above 0, found {low}: 0 has no logarithm"))
            }
            "log" => Ok(Domain::Log { low, high }),
            "linear" => Ok(Domain::Linear { low, high }),
            _ if low.fract() != 0.0 || high.fract() != 0.0 => {
                Err(format!("`int` must have whole numbers, found {low} and {high}"))
            }
            _ => Ok(Domain::Int { low: low as i64, high: high as i64 }),
        }
    }

    /// `when = { KEY = VALUE or list of values }`.
    fn conditions(node: &Node) -> Result<Vec<Condition>, String> {
        let Value::Table(table) = &node.value else {
            let got = node.value.describe();
            return Err(format!("`when` must be a table of keys with their values, found {got}"));
        };
        if table.is_empty() {
            return Err("`when` is empty: it is a condition on nothing".to_owned());
        }
        let condition = |(key, node): (&String, &Node)| {
            let values = match &node.value {
                Value::List(items) => items.iter().map(Node::to_json).collect(),
                _ => vec![node.to_json()],
            };
            Condition { key: key.clone(), values }
        };
        Ok(table.iter().map(condition).collect())
    }
}

impl Rule for ParameterRule {
    type Made = Described;

    fn allowed(&self) -> String {
        "a table with one of `linear`, `log`, `int` and `any`".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Described, Option<String>> {
        let Value::Table(table) = &node.value else { return Err(None) };
        let given: Vec<&str> = KINDS.into_iter().filter(|kind| table.contains_key(*kind)).collect();
        let [kind] = given.as_slice() else {
            let (all, n) = (quoted_list(KINDS), given.len());
            let is_table = |node: &Node| matches!(node.value, Value::Table(_));
            let hint = match table.iter().next() {
                Some((key, inner)) if n == 0 && is_table(inner) => {
                    format!("; a key of the space stands in quotes, e.g. \"training.{key}\"")
                }
                _ => String::new(),
            };
            return Err(Some(format!("must have exactly one of {all}, found {n}{hint}")));
        };
        let known = |key: &&String| ["steps", "when", kind].contains(&key.as_str());
        if let Some(key) = table.keys().find(|key| !known(key)) {
            let said =
                format!("has the unknown key `{key}`; known here: `{kind}`, `steps`, `when`");
            return Err(Some(said));
        }
        let said = |message: String| Some(format!("is wrong: {message}"));
        let domain = Self::domain(kind, &table[*kind]).map_err(said)?;
        let steps = match table.get("steps").map(|node| &node.value) {
            None => None,
            Some(_) if *kind == "any" => {
                return Err(said("`steps` divide a range, and `any` is a list".to_owned()));
            }
            Some(Value::Int(n)) if (2..=10_000).contains(n) => Some(*n as usize),
            Some(other) => {
                let got = other.describe();
                return Err(said(format!("`steps` must be an integer in [2, 10000], found {got}")));
            }
        };
        let when = table.get("when").map_or(Ok(vec![]), Self::conditions).map_err(said)?;
        Ok(Described { domain, steps, when, line: node.line })
    }

    fn keep(&self, made: &Described) -> Json {
        let mut kept = match &made.domain {
            Domain::Linear { low, high } => json!({ "linear": [low, high] }),
            Domain::Log { low, high } => json!({ "log": [low, high] }),
            Domain::Int { low, high } => json!({ "int": [low, high] }),
            Domain::Any(values) => json!({ "any": values }),
        };
        if let Some(steps) = made.steps {
            kept["steps"] = steps.into();
        }
        for Condition { key, values } in &made.when {
            kept["when"][key] = values.clone().into();
        }
        kept
    }

    fn schema(&self) -> Json {
        let pair =
            json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 });
        json!({
            "type": "object",
            "properties": {
                "linear": pair, "log": pair, "int": pair,
                "any": { "type": "array", "minItems": 1 },
                "steps": Int::within(2..=10_000).schema(),
                "when": { "type": "object" },
            },
            "additionalProperties": false,
        })
    }

    fn stand_in(&self) -> Described {
        Described { domain: Domain::Any(vec![]), steps: None, when: vec![], line: 0 }
    }
}
