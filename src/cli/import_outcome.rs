//! What an import found, for the terminal.

use crate::dataset::Index;

/// What an index says: what is good, what was kept out, what is odd.
pub(super) fn outcome(index: &Index) {
    let root = index.root.display();
    match index.files.as_slice() {
        files if let Some(listing) = &index.listing => {
            let n_good = files.iter().filter(|file| !file.genre.is_empty()).count();
            println!("  {n_good} of {} listed tracks are good, in {root}", listing.n_tracks);
        }
        // A table is one file, and what is kept out of it is counted in rows.
        [file] if file.genre.is_empty() => {
            println!("  {} good rows in {root}/{}", file.n_samples, file.path.display());
        }
        files => {
            println!("  {} good files in {root}, {} kept out", files.len(), index.excluded.len());
        }
    }
    for out in &index.excluded {
        println!("  kept out: {}: {}", out.name, out.reason);
    }
    for note in &index.notes {
        println!("  note: {note}");
    }
}
