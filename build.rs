//! Tells the program which compiler made it, for capsules, and which source it was made from, so that
//! what another build has derived from records is derived again. Puts the specs, manifests and example
//! projects of this repository into it, so that they are at hand in every project.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    for part in ["build.rs", "src", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={part}");
    }
    let mut source = DefaultHasher::new();
    hash(Path::new("src"), &mut source);
    hash(Path::new("Cargo.lock"), &mut source);
    println!("cargo::rustc-env=ENCORE_SOURCE={:016x}", source.finish());
    let told = |name: &str| env::var(name).expect("cargo tells build scripts both");
    let (rustc, target) = (told("RUSTC"), told("TARGET"));
    let output = Command::new(rustc).arg("--version").output();
    let output = output.expect("the compiler that is about to compile can say its version");
    let version = String::from_utf8_lossy(&output.stdout);
    println!("cargo::rustc-env=ENCORE_RUSTC={}", version.trim());
    println!("cargo::rustc-env=ENCORE_TARGET={target}");
    for (folder, endings, file) in [
        ("experiments", &["toml"][..], "specs.rs"),
        ("datasets", &["toml", "csv"], "manifests.rs"),
        ("examples/projects", &["toml", "md", "yml", "gitignore"], "projects.rs"),
    ] {
        embed(folder, endings, file);
    }
}

/// Writes a Rust file with a list of (path in the folder, text) of a folder's files.
fn embed(folder: &str, endings: &[&str], file: &str) {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it"));
    let folder = root.join(folder);
    let mut files = vec![];
    list(&folder, endings, &mut files);
    files.sort();
    let mut code = "&[\n".to_owned();
    for path in files {
        // Not the folder: what runs write into it, and new specs, are no reason to compile again.
        println!("cargo::rerun-if-changed={}", path.display());
        let inside = path.strip_prefix(&folder).expect("the file was found in the folder");
        let name = inside.to_string_lossy().replace('\\', "/");
        let file = path.to_str().expect("paths in the repository are UTF-8");
        writeln!(code, "    ({name:?}, include_str!({file:?})),").expect("text takes all");
    }
    code += "]\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo tells it"));
    fs::write(out.join(file), code).expect("cargo's output folder can be written");
}

/// Appends the files below a folder that have one of the endings.
fn list(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is part of the repository") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if name != "imported" && name != "downloads" && name != "cache" {
                list(&path, endings, files);
            }
        } else if endings.iter().any(|end| name.rsplit('.').next() == Some(*end)) {
            files.push(path);
        }
    }
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
