//! Results as JSON: with `--json`, a command prints one object and no text.
//!
//! Commands print text and, beside it, put the same facts here. With `--json` the text is dropped.
//! docs/json.md describes the objects; `tests/json.rs` compares them with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex};

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Version of the shapes in docs/json.md.
const FORMAT: u32 = 1;

static IS_ON: AtomicBool = AtomicBool::new(false);
static DATA: LazyLock<Mutex<Map<String, Value>>> = LazyLock::new(Mutex::default);

/// Whether the result is printed as JSON.
pub(super) fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// From now on, text is dropped and the result is printed as JSON.
pub(super) fn turn_on() {
    IS_ON.store(true, Ordering::Relaxed);
}

/// Adds one entry to the result, or replaces it.
pub(super) fn put(name: &str, value: impl Serialize) {
    if is_on() {
        let value = serde_json::to_value(value).expect("a result is plain data");
        DATA.lock().expect("no holder of the data panics").insert(name.to_owned(), value);
    }
}

/// Adds a value to a list of the result.
pub(super) fn push(name: &str, value: impl Serialize) {
    if is_on() {
        let value = serde_json::to_value(value).expect("a result is plain data");
        let mut data = DATA.lock().expect("no holder of the data panics");
        let list = data.entry(name).or_insert_with(|| Value::Array(vec![]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
}

/// The object that the command prints: its name, its result, and why it failed.
pub(super) fn document(command: &str, failure: Option<(u8, &str)>) -> String {
    let data = std::mem::take(&mut *DATA.lock().expect("no holder of the data panics"));
    let data = if data.is_empty() { Value::Null } else { Value::Object(data) };
    let error = failure.map(|(code, message)| json!({ "code": code, "message": message }));
    let encore = env!("CARGO_PKG_VERSION");
    let document = json!({
        "format": FORMAT, "encore": encore, "command": command, "data": data, "error": error,
    });
    serde_json::to_string_pretty(&document).expect("a result is plain data") + "\n"
}
