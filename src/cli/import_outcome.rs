//! What an import found, for the terminal.

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
    for out in &index.excluded {
        println!("  skipped: {}: {}", without_controls(&out.name, ""), out.reason);
    }
    for note in &index.notes {
        println!("  note: {note}");
    }
}
