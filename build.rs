//! Tells the program which compiler made it, for capsules, and which source it was made from, so that
//! what another build has derived from records is derived again.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;
use std::process::Command;

fn main() {
    for part in ["build.rs", "src", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={part}");
    }
    let mut source = DefaultHasher::new();
    hash(Path::new("src"), &mut source);
    hash(Path::new("Cargo.lock"), &mut source);
    println!("cargo::rustc-env=ENCORE_SOURCE={:016x}", source.finish());
    let told = |name: &str| std::env::var(name).expect("cargo tells build scripts both");
    let (rustc, target) = (told("RUSTC"), told("TARGET"));
    let output = Command::new(rustc).arg("--version").output();
    let output = output.expect("the compiler that is about to compile can say its version");
    let version = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-env=ENCORE_RUSTC={}", version.trim());
    println!("cargo::rustc-env=ENCORE_TARGET={target}");
}

/// Adds a file, or every file of a folder by name. What is not there adds nothing.
fn hash(path: &Path, to: &mut DefaultHasher) {
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.iter().for_each(|path| hash(path, to));
    } else if let Ok(bytes) = fs::read(path) {
        to.write(path.to_string_lossy().as_bytes());
        to.write_usize(bytes.len());
        to.write(&bytes);
    }
}
