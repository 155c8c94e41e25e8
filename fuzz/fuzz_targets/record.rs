//! Any bytes as one file of a record or as a checkpoint: the run, or a stated error; never a panic.
//!
//! The first byte names the file. Checksums are corrected, so that what lies behind them is reached.
#![no_main]

mod shared;

use std::fs;
use std::path::Path;

use encore::record::{ClaimOutcome, Record, RunWriter, Store};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const FILES: [&str; 4] = ["epochs.jsonl", "predictions.csv", "split.csv", "spec.toml"];
/// A run's `record.json`, which `fuzz/run` puts there.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/record.json");

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a record with a right seal.
fn write_sealed(folder: &Path, mut record: Record) {
    record.seal = record.make_seal();
    let bytes = serde_json::to_vec(&record).expect("a record is plain data");
    fs::write(folder.join("record.json"), bytes).expect("the file can be written");
}

fuzz_target!(init: shared::quiet(), |bytes: &[u8]| {
    let [which, bytes @ ..] = bytes else { return };
    let root = shared::folder().join("runs");
    let folder = root.join("a.seed-1");
    fs::create_dir_all(&folder).expect("the folder can be created");
    let store = Store::new(&root);
    match which % 6 {
        5 => {
            // A checkpoint of an attempt that was stopped.
            let attempt = store.attempts().join("a.seed-2.stopped");
            fs::create_dir_all(&attempt).expect("the folder can be created");
            let head = format!("encore-checkpoint 1 {}\n", sha256_hex(bytes));
            fs::write(attempt.join("checkpoint-1"), [head.as_bytes(), bytes].concat())
                .expect("the file can be written");
            if let Ok(ClaimOutcome::Ours(claim)) = store.claim("a.seed-2") {
                drop(RunWriter::begin(claim));
            }
            drop(fs::remove_dir_all(store.attempts()));
        }
        4 => {
            match serde_json::from_slice::<Record>(bytes) {
                Ok(record) => write_sealed(&folder, record),
                Err(_) => fs::write(folder.join("record.json"), bytes).expect("the file can be written"),
            }
            let _ = store.read("a.seed-1");
            let _ = store.read_whole("a.seed-1");
        }
        file => {
            let name = FILES[usize::from(file)];
            let text = fs::read(RECORD).expect("fuzz/run has put a record there");
            let mut record: Record = serde_json::from_slice(&text).expect("it is a record");
            record.files.insert(name.to_owned(), sha256_hex(bytes));
            fs::write(folder.join(name), bytes).expect("the file can be written");
            write_sealed(&folder, record);
            let run = store.read("a.seed-1").expect("the record is valid").expect("it is there");
            let _ = (run.epochs(), run.predictions(), run.spec());
        }
    }
});
