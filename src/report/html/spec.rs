//! A resolved spec as text: TOML, a key with its whole path a line.

use serde_json::Value;

/// The text, in the order of the keys; what is absent is left out.
pub(in crate::report) fn text(spec: &Value) -> String {
    let mut lines = String::new();
    flatten("", spec, &mut lines);
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut String) {
    match value {
        Value::Null => {}
        Value::Object(fields) if path.is_empty() || !fields.is_empty() => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{}", key(name)), value, lines);
            }
        }
        value => *lines += &format!("{path} = {}\n", inline(value)),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            let fields: Vec<String> =
                fields.map(|(name, value)| format!("{} = {}", key(name), inline(value))).collect();
            if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) }
        }
        // Texts and numbers of JSON are texts and numbers of TOML.
        scalar => scalar.to_string(),
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_bare = !name.is_empty() && name.chars().all(bare);
    if is_bare { name.to_owned() } else { Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_reads_as_toml_and_comes_back() {
        let spec = serde_json::json!({
            "title": "a \"b\"",
            "seeds": [1, 2],
            "model": {"cnn": {"blocks": [{"kernel": [3, 3], "dropout": 0.5}], "odd key": null}},
            "labels": {"hip hop": true, "empty": {}}
        });
        let text = text(&spec);
        assert_eq!(
            text,
            "labels.empty = {}\nlabels.\"hip hop\" = true\n\
             model.cnn.blocks = [{ dropout = 0.5, kernel = [3, 3] }]\n\
             seeds = [1, 2]\ntitle = \"a \\\"b\\\"\"\n"
        );
        let back: toml::Table = text.parse().unwrap();
        assert_eq!(back["model"]["cnn"]["blocks"][0]["kernel"][1].as_integer(), Some(3));
    }
}
