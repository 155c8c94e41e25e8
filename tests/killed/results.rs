//! What a project holds, without what differs between two undisturbed runs: measured times and dates.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::common::files;

/// The files of a project, by relative path.
pub type Results = BTreeMap<String, Vec<u8>>;

/// Reads all files of a project.
pub fn results(project: &Path) -> Results {
    let all = files(project).into_iter();
    all.map(|(name, bytes)| {
        let bytes = comparable(&name, &bytes);
        (name, bytes)
    })
    .collect()
}

/// Shows the first place where two files differ.
pub fn difference(found: &[u8], wanted: &[u8]) -> String {
    let at = found.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let from = at.saturating_sub(60);
    let part =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[from..bytes.len().min(at + 60)]).into_owned();
    format!("found {:?}, expected {:?}", part(found), part(wanted))
}

fn comparable(path: &str, bytes: &[u8]) -> Vec<u8> {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    let name = path.rsplit('/').next().unwrap();
    let is_page_of_new_runs = path.starts_with("reports/quick/");
    match name {
        "record.json" => record(bytes),
        "study.json" => study(bytes),
        "epochs.jsonl" => {
            text().lines().map(|line| line.split(",\"seconds\"").next().unwrap()).collect()
        }
        // The time of the collection.
        "big.toml" => text().lines().filter(|line| !line.starts_with("citation")).collect(),
        "big.journal.jsonl" | "runs.index.json" | "runs.scores.txt" => String::new(),
        "results.csv" | "epochs.csv" if is_page_of_new_runs => without_seconds(&text()),
        "results.parquet" | "epochs.parquet" if is_page_of_new_runs => String::new(),
        "README.md" | "index.html" | "table.tex" if is_page_of_new_runs => without_times(&text()),
        _ => return bytes.to_vec(),
    }
    .into_bytes()
}

fn record(bytes: &[u8]) -> String {
    // A damaged record stays as it is, and differs.
    let Ok(mut record) = serde_json::from_slice::<Value>(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    record["seal"].take();
    record["timings"].take();
    record["files"]["epochs.jsonl"].take();
    record.to_string()
}

/// A study without measured times and the checksum over them.
fn study(bytes: &[u8]) -> String {
    let Ok(mut file) = serde_json::from_slice::<Value>(bytes) else {
        return String::from_utf8_lossy(bytes).into_owned();
    };
    file["sha256"].take();
    for part in file["study"]["parts"].as_array_mut().into_iter().flatten() {
        let trials = part["trials"].as_array_mut().into_iter().flatten();
        trials.for_each(|trial| trial["fit_s"] = Value::Null);
    }
    file.to_string()
}

/// Removes the column of measured times.
fn without_seconds(table: &str) -> String {
    let is_time = |name: &str| name == "seconds";
    let column = table.lines().next().and_then(|head| head.split(',').position(is_time));
    let cells = |line: &str| -> String {
        let cells = line.split(',').enumerate();
        cells.filter(|(i, _)| Some(*i) != column).map(|(_, cell)| format!("{cell},")).collect()
    };
    table.lines().map(|line| cells(line) + "\n").collect()
}

/// Removes every cell and line of a page that tells how long something took, or that it was resumed.
fn without_times(page: &str) -> String {
    let parts = page.split(['<', '|', '&', '\n']).map(str::trim);
    let others = parts.filter(|part| !part.ends_with(" s") && !part.contains(" s in all"));
    // How often a run was resumed is told too.
    let others = others.map(|part| part.split("; seed ").next().unwrap());
    others.collect::<Vec<_>>().join("\n")
}
