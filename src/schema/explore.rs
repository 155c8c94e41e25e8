//! The keys that a reader asks for, found out by letting it read empty tables: for reference pages, and
//! as a JSON Schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::fields::{Asked, OTHER_KEYS, Shape, Shared};
use super::{Fields, Node, Tree, Value};
use crate::vocab::quoted_list;

/// Every key that a reader asks for, with what it may hold: `a.b` is in the table `a`, `c[].d` in the
/// tables of the list `c`.
#[must_use]
pub fn keys<T>(reader: impl Fn(&mut Fields) -> T) -> BTreeMap<String, String> {
    let allowed = |asked: Asked| match asked.shape {
        Shape::Value { allowed, .. } => allowed,
        Shape::Table | Shape::Choice => "a table".to_owned(),
        Shape::Tables => "a list of tables".to_owned(),
        Shape::Choices(names) => {
            let names = quoted_list(names.iter().map(String::as_str));
            format!("a list of names, or of tables of one of them: {names}")
        }
    };
    let named = explore(reader).into_iter().filter(|(path, _)| !path.ends_with(OTHER_KEYS));
    named.map(|(path, asked)| (path, allowed(asked))).collect()
}

/// The JSON Schema (draft 7) of the files that a reader reads. `meaning` says what the key at a path
/// means, for editors to show; a key without a meaning is described by what is allowed.
///
/// The schema accepts every file that the reader accepts. Rules that concern several keys are not in it.
#[must_use]
pub fn json_schema<T>(
    title: &str,
    reader: impl Fn(&mut Fields) -> T,
    meaning: impl Fn(&str) -> Option<String>,
) -> Json {
    let asked = explore(reader);
    let mut root = table(&asked, "", &meaning);
    root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    root.insert("title".to_owned(), json!(title));
    Json::Object(root)
}

/// The schema of the table whose keys have a prefix.
fn table(
    asked: &BTreeMap<String, Asked>,
    prefix: &str,
    meaning: &impl Fn(&str) -> Option<String>,
) -> Map<String, Json> {
    let (mut properties, mut required) = (Map::new(), vec![]);
    let mut others = json!(false);
    for (path, asked_for) in asked {
        let Some(key) = path.strip_prefix(prefix).filter(|rest| !rest.contains(['.', '['])) else {
            continue;
        };
        if key == OTHER_KEYS {
            if let Shape::Value { schema, .. } = &asked_for.shape {
                others = schema.clone();
            }
            continue;
        }
        if asked_for.is_required {
            required.push(json!(key));
        }
        let inside = |prefix: String| table(asked, &prefix, meaning);
        let mut schema = match &asked_for.shape {
            Shape::Value { schema, .. } => schema.as_object().cloned().unwrap_or_default(),
            Shape::Table => inside(format!("{path}.")),
            Shape::Choice => {
                let mut schema = inside(format!("{path}."));
                schema.insert("minProperties".to_owned(), json!(1));
                schema.insert("maxProperties".to_owned(), json!(1));
                schema
            }
            Shape::Tables => {
                let items = inside(format!("{path}[]."));
                json!({ "type": "array", "items": items }).as_object().cloned().unwrap_or_default()
            }
            Shape::Choices(names) => {
                let mut item = inside(format!("{path}[]."));
                item.insert("minProperties".to_owned(), json!(1));
                item.insert("maxProperties".to_owned(), json!(1));
                let items = json!({ "anyOf": [{ "type": "string", "enum": names }, item] });
                json!({ "type": "array", "items": items }).as_object().cloned().unwrap_or_default()
            }
        };
        let allowed = match &asked_for.shape {
            Shape::Value { allowed, .. } => Some(allowed.clone()),
            _ => None,
        };
        let default = asked_for.default.as_ref().filter(|default| !default.is_null());
        let default_words = default.map(|default| format!("default {default}"));
        let words: Vec<String> =
            [meaning(path), allowed, default_words].into_iter().flatten().collect();
        if !words.is_empty() {
            schema.insert("description".to_owned(), json!(words.join("; ")));
        }
        if let Some(default) = default {
            schema.insert("default".to_owned(), default.clone());
        }
        properties.insert(key.to_owned(), Json::Object(schema));
    }
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Json::Object(properties));
    schema.insert("additionalProperties".to_owned(), others);
    if !required.is_empty() {
        schema.insert("required".to_owned(), Json::Array(required));
    }
    schema
}

/// All keys, whether the reader is told that keys are given or that they are not. A key is required if it
/// is so both times.
fn explore<T>(reader: impl Fn(&mut Fields) -> T) -> BTreeMap<String, Asked> {
    let mut given = explore_told(&reader, true);
    let not_given = explore_told(&reader, false);
    for (path, asked) in &mut given {
        asked.is_required &= not_given.get(path).is_some_and(|other| other.is_required);
        if asked.default.is_none() {
            asked.default = not_given.get(path).and_then(|other| other.default.clone());
        }
    }
    for (path, asked) in not_given {
        given.entry(path).or_insert(Asked { is_required: false, ..asked });
    }
    given
}

/// Lets the reader read until it asks for nothing new: a file in which every table is there and empty.
fn explore_told<T>(reader: impl Fn(&mut Fields) -> T, is_given: bool) -> BTreeMap<String, Asked> {
    let mut tree = Tree { root: empty() };
    loop {
        let shared = Shared::exploring(is_given);
        drop(reader(&mut Fields::root(&tree, &shared)));
        let found = shared.asked();
        let mut is_new = false;
        for (path, asked) in &found {
            if !matches!(asked.shape, Shape::Value { .. }) {
                let is_list = matches!(asked.shape, Shape::Tables | Shape::Choices(_));
                is_new |= add(&mut tree.root, path, is_list);
            }
        }
        if !is_new {
            return found;
        }
    }
}

fn empty() -> Node {
    Node { origin: String::new(), line: 0, value: Value::Table(BTreeMap::new()) }
}

/// Adds an empty table at a path, or a list with one; says whether it was not there.
fn add(node: &mut Node, path: &str, is_list: bool) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Table(inside) = &mut node.value else { return false };
    let inner = inside.get_mut(first.trim_end_matches("[]"));
    match (inner, rest) {
        (Some(_), "") => false,
        (None, "") => {
            let value = if is_list { Value::List(vec![empty()]) } else { empty().value };
            inside.insert(first.to_owned(), Node { value, ..empty() });
            true
        }
        (Some(Node { value: Value::List(items), .. }), rest) => {
            items.first_mut().is_some_and(|item| add(item, rest, is_list))
        }
        (Some(inner), rest) => add(inner, rest, is_list),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flag, Int, Text};
    use super::*;

    #[test]
    fn a_schema_knows_choices_requirements_and_defaults() {
        let schema = json_schema(
            "x",
            |fields| {
                fields.required("title", &Text);
                fields.choice("model", &["a", "b"], |name, inner| match name {
                    "a" => inner.with_default("n", &Int::within(1..=9), 3),
                    // One of the two is wanted.
                    _ if inner.is_given("k") => inner.required("k", &Int::within(0..=1)),
                    _ => inner.required("file", &Text).len(),
                });
                fields.each_table("list", |item| item.required("on", &Flag));
            },
            |path| (path == "model.a.n").then(|| "how many".to_owned()),
        );
        assert_eq!(schema["required"], json!(["model", "title"]));
        let properties = &schema["properties"];
        assert_eq!(properties["title"]["minLength"], json!(1));
        let model = &properties["model"];
        assert_eq!((&model["minProperties"], &model["maxProperties"]), (&json!(1), &json!(1)));
        assert_eq!(
            model["properties"]["a"]["properties"]["n"],
            json!({
                "type": "number", "multipleOf": 1, "minimum": 1, "maximum": 9, "default": 3,
                "description": "how many; an integer in [1, 9]; default 3"
            })
        );
        let b = &model["properties"]["b"];
        assert_eq!(b["required"], Json::Null, "either key will do: {b}");
        assert_eq!(b["properties"].as_object().unwrap().len(), 2);
        assert_eq!(b["additionalProperties"], json!(false));
        let item = &properties["list"]["items"];
        assert_eq!((&item["required"], &item["type"]), (&json!(["on"]), &json!("object")));
    }

    #[test]
    fn keys_of_all_tables_are_found() {
        let found = keys(|fields| {
            fields.required("a", &Text);
            fields.table("b", |b| {
                b.with_default("c", &Flag, true);
                b.each_table("d", |d| d.optional("e", &Int::within(1..=2)));
                b.required_table("f", |f| f.required("g", &Text));
            });
        });
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, allowed)| (key.as_str(), allowed.as_str())).collect();
        assert_eq!(
            found,
            [
                ("a", "a text"),
                ("b", "a table"),
                ("b.c", "true or false"),
                ("b.d", "a list of tables"),
                ("b.d[].e", "an integer in [1, 2]"),
                ("b.f", "a table"),
                ("b.f.g", "a text"),
            ]
        );
    }
}
