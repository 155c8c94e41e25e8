//! What editors and shells are told: JSON Schemas, completions, man pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{fails, ok, repository, stdout_of};

fn schema(kind: &str) -> Value {
    serde_json::from_str(&stdout_of(repository(), &["schema", kind])).unwrap()
}

/// The keywords that `faults` knows.
const KEYWORDS: [&str; 21] = [
    "$schema",
    "title",
    "description",
    "default",
    "type",
    "enum",
    "anyOf",
    "minLength",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "maxProperties",
];

/// What of a value a JSON Schema forbids, by the keywords that encore uses.
fn faults(schema: &Value, value: &toml::Value, path: &str, found: &mut Vec<String>) {
    for keyword in schema.as_object().unwrap().keys() {
        assert!(KEYWORDS.contains(&keyword.as_str()), "the keyword {keyword} is not checked here");
    }
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        let is_right = match kind {
            "object" => value.is_table(),
            "array" => value.is_array(),
            "string" => value.is_str(),
            "boolean" => value.is_bool(),
            "number" => value.is_integer() || value.is_float(),
            kind => panic!("unknown type {kind}"),
        };
        if !is_right {
            return found.push(format!("{path}: is no {kind}"));
        }
    }
    if let Some(choices) = schema.get("anyOf") {
        let fits = |choice: &Value| {
            let mut found = vec![];
            faults(choice, value, path, &mut found);
            found.is_empty()
        };
        if !choices.as_array().unwrap().iter().any(fits) {
            found.push(format!("{path}: fits no alternative"));
        }
    }
    match value {
        toml::Value::Table(table) => table_faults(schema, table, path, found),
        toml::Value::Array(items) => {
            if !is_within(schema, items.len(), "minItems", "maxItems") {
                found.push(format!("{path}: has {} items", items.len()));
            }
            for (i, item) in items.iter().enumerate() {
                let inner = schema.get("items").into_iter();
                inner.for_each(|inner| faults(inner, item, &format!("{path}[{i}]"), found));
            }
        }
        _ => found.extend(plain_fault(schema, value).map(|said| format!("{path}: {said}"))),
    }
}

fn limit(schema: &Value, key: &str) -> Option<f64> {
    schema.get(key).and_then(Value::as_f64)
}

fn is_within(schema: &Value, n: usize, least: &str, most: &str) -> bool {
    let n = n as f64;
    limit(schema, least).is_none_or(|least| n >= least)
        && limit(schema, most).is_none_or(|most| n <= most)
}

/// What is wrong with a number or a text.
fn plain_fault(schema: &Value, value: &toml::Value) -> Option<String> {
    if let Some(n) = value.as_integer().map(|n| n as f64).or_else(|| value.as_float()) {
        let limit = |key: &str| limit(schema, key);
        let is_right = limit("minimum").is_none_or(|low| n >= low)
            && limit("maximum").is_none_or(|high| n <= high)
            && limit("exclusiveMinimum").is_none_or(|low| n > low)
            && limit("exclusiveMaximum").is_none_or(|high| n < high)
            && limit("multipleOf").is_none_or(|step| n % step == 0.0);
        return (!is_right).then(|| format!("{n} is out of range"));
    }
    let text = value.as_str()?;
    let known = schema.get("enum").and_then(Value::as_array);
    if known.is_some_and(|known| !known.iter().any(|name| name == text)) {
        return Some(format!("`{text}` is no choice"));
    }
    let is_long = is_within(schema, text.chars().count(), "minLength", "maxLength");
    (!is_long).then(|| "is too short".to_owned())
}

fn table_faults(schema: &Value, table: &toml::Table, path: &str, found: &mut Vec<String>) {
    if !is_within(schema, table.len(), "minProperties", "maxProperties") {
        found.push(format!("{path}: has {} keys", table.len()));
    }
    for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !table.contains_key(key.as_str().unwrap()) {
            found.push(format!("{path}: lacks {key}"));
        }
    }
    for (key, value) in table {
        let named = schema.get("properties").and_then(|properties| properties.get(key));
        let others = || schema.get("additionalProperties").filter(|others| others.is_object());
        match named.or_else(others) {
            Some(inner) => faults(inner, value, &format!("{path}.{key}"), found),
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(format!("{path}: unknown key {key}"));
            }
            None => {}
        }
    }
}

fn faults_of(schema: &Value, text: &str) -> Vec<String> {
    let mut found = vec![];
    faults(schema, &toml::from_str(text).unwrap(), "", &mut found);
    found
}

/// All TOML files below a folder that are committed.
fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !["imported", "downloads", "cache"].iter().any(|it| path.ends_with(it))
        {
            files.extend(toml_files(&path));
        } else if path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files
}

/// Every TOML file of the repository, with the kind of its schema.
fn all_files() -> Vec<(&'static str, PathBuf)> {
    let mut files = vec![("project", repository().join("encore.toml"))];
    let mut folders = vec![("spec", "experiments"), ("manifest", "datasets")];
    for example in ["examples/projects/tables", "examples/projects/audio"] {
        files.push(("project", repository().join(example).join("encore.toml")));
    }
    folders.extend([
        ("spec", "examples/projects/tables/experiments"),
        ("manifest", "examples/projects/tables/datasets"),
        ("spec", "examples/projects/audio/experiments"),
        ("manifest", "examples/projects/audio/datasets"),
    ]);
    for (kind, folder) in folders {
        files.extend(toml_files(&repository().join(folder)).into_iter().map(|path| (kind, path)));
    }
    assert!(files.len() > 50, "{}", files.len());
    files
}

#[test]
fn every_spec_and_manifest_fits_its_schema() {
    for kind in ["spec", "manifest", "project"] {
        let schema = schema(kind);
        for (_, path) in all_files().into_iter().filter(|(of, _)| *of == kind) {
            let found = faults_of(&schema, &fs::read_to_string(&path).unwrap());
            assert_eq!(found, Vec::<String>::new(), "{}", path.display());
        }
    }
}

#[test]
fn a_schema_names_what_a_reader_refuses() {
    let spec = schema("spec");
    let text = fs::read_to_string(repository().join("experiments/cnn-3.toml")).unwrap();
    for (from, to, fault) in [
        ("batch_norm = true", "batchnorm = true", ".model.cnn.blocks[0]: unknown key batchnorm"),
        ("dropout = 0.5", "dropout = 1.5", ".model.cnn.dense[0].dropout: 1.5 is out of range"),
        ("epochs = ", "epochs = 0.5 # ", ".training.epochs: 0.5 is out of range"),
        ("question = ", "# ", ": lacks \"question\""),
        ("[model.cnn]", "[model.majority]\n[model.cnn]", ".model: has 2 keys"),
        ("metric = \"accuracy\"", "metric = \"acc\"", ".claims[0].metric: `acc` is no choice"),
    ] {
        assert!(text.contains(from), "{from}");
        let found = faults_of(&spec, &text.replacen(from, to, 1));
        assert!(found.contains(&fault.to_owned()), "{to}: {found:?}");
    }
    // What only some files may say is allowed: a reader with the dataset decides.
    let claim = "metric = \"log_loss\"\nvalue = 1.9\nsource = \"s\"";
    let found = faults_of(&spec["properties"]["claims"]["items"], claim);
    assert_eq!(found, Vec::<String>::new());
    // Hovering shows what the documentation says.
    let blocks = &spec["properties"]["model"]["properties"]["cnn"]["properties"]["blocks"];
    let said = blocks["items"]["properties"]["filters"]["description"].as_str().unwrap();
    assert!(said.starts_with("number of filters of the convolution, "), "{said}");
    assert!(said.ends_with("; an integer in [1, 65536]"), "{said}");
    let manifest = schema("manifest");
    let said = manifest["properties"]["licence"]["description"].as_str().unwrap();
    assert!(said.starts_with("the terms of use"), "{said}");
}

/// Every key of a schema has a description.
#[test]
fn every_key_of_a_schema_is_described() {
    fn check(schema: &Value, path: &str, n: &mut usize) {
        for (key, inner) in
            schema.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let path = format!("{path}.{key}");
            assert!(inner.get("description").is_some() || path == ".project", "{path}");
            *n += 1;
            check(inner, &path, n);
            inner.get("items").into_iter().for_each(|items| check(items, &path, n));
        }
    }
    let mut n = 0;
    ["spec", "manifest", "project"].iter().for_each(|kind| check(&schema(kind), "", &mut n));
    assert!(n > 300, "{n}");
}

#[test]
fn schemas_go_into_a_folder_with_the_settings_for_taplo() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["init"]);
    let said = stdout_of(home.path(), &["schema", "--out", "schemas"]);
    let settings = said.split_once("project's folder:\n").unwrap().1;
    let settings: toml::Value = toml::from_str(settings).unwrap();
    let rules = settings["rule"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    for rule in rules {
        let path = rule["schema"]["path"].as_str().unwrap();
        let text = fs::read_to_string(home.path().join(path)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
    }
    let error = fails(home.path(), &["schema"], 2);
    assert!(error.contains("name one of spec, manifest and project"), "{error}");
}

/// Whether taplo takes the schemas, finds no fault in our files and finds those of a wrong one.
#[test]
#[ignore = "needs taplo: the environment variable TAPLO or the program `taplo`"]
fn taplo_checks_files_by_the_schemas() {
    let taplo = std::env::var_os("TAPLO").unwrap_or_else(|| "taplo".into());
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["schema", "--out", "."]);
    let lint = |kind: &str, files: &[PathBuf]| {
        let schema = home.path().join(format!("{kind}.schema.json"));
        let schema = format!("--schema=file://{}", schema.display());
        let mut command = Command::new(&taplo);
        // Without a configuration file of anybody's.
        command.current_dir(home.path()).args(["lint", "--no-auto-config", &schema]).args(files);
        command.output().unwrap()
    };
    for kind in ["spec", "manifest", "project"] {
        let files = all_files().into_iter().filter(|(of, _)| *of == kind);
        let files: Vec<PathBuf> = files.map(|(_, path)| path).collect();
        let output = lint(kind, &files);
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let wrong = home.path().join("wrong.toml");
    let text = fs::read_to_string(repository().join("experiments/cnn-3.toml")).unwrap();
    fs::write(&wrong, text.replace("batch_size", "batchsize")).unwrap();
    let output = lint("spec", &[wrong]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("batchsize"), "{said}");
}

#[test]
fn shells_complete_commands_and_man_pages_describe_them() {
    for (shell, part) in [
        ("bash", "complete -F _encore"),
        ("zsh", "#compdef encore"),
        ("fish", "complete -c encore"),
    ] {
        let script = stdout_of(repository(), &["completions", shell]);
        assert!(script.contains(part) && script.contains("reproduce"), "{shell}: {script}");
    }
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["man", "man"]);
    for page in ["encore.1", "encore-run.1", "encore-data-fetch.1"] {
        let text = fs::read_to_string(home.path().join("man").join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS") && text.contains("encore"), "{page}: {text}");
    }
    assert!(!home.path().join("man/encore-do-run.1").exists());
}
