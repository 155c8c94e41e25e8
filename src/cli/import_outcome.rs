//! What an import found, for the terminal.

use serde_json::{Value, json};

use super::json;
use crate::dataset::Index;
use crate::vocab::without_controls;

/// Prints the content of an index: valid files, skipped files, notes.
pub(super) fn outcome(index: &Index) {
    let root = index.root.display();
    match index.files.as_slice() {
        files if let Some(listing) = &index.listing => {
            let n_good = files.iter().filter(|file| !file.genre.is_empty()).count();
            println!("  {n_good} of {} listed tracks are valid, in {root}", listing.n_tracks);
        }
        // A table is one file, and its skipped rows are counted.
        [file] if file.genre.is_empty() => {
            println!("  {} valid rows in {root}/{}", file.n_samples, file.path.display());
        }
        files => {
            println!("  {} valid files in {root}, {} skipped", files.len(), index.excluded.len());
        }
    }
    let n_valid = match (index.files.as_slice(), &index.listing) {
        (files, Some(_)) => files.iter().filter(|file| !file.genre.is_empty()).count(),
        ([file], None) if file.genre.is_empty() => file.n_samples,
        (files, None) => files.len(),
    };
    let skipped: Vec<Value> = index
        .excluded
        .iter()
        .map(|out| json!({ "name": out.name, "reason": out.reason }))
        .collect();
    let root = root.to_string();
    json::put(
        "import",
        json!({ "root": root, "n_valid": n_valid, "skipped": skipped, "notes": index.notes }),
    );
    for out in &index.excluded {
        println!("  skipped: {}: {}", without_controls(&out.name, ""), out.reason);
    }
    for note in &index.notes {
        println!("  note: {note}");
    }
}
