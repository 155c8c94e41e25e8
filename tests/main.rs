//! All integration tests, in one binary, which is linked once; shared helpers are in `common`.
//!
//! `cargo test --release --test integration fetch::` runs the tests of one module. Tests with
//! special requirements are ignored, with the reason; CONTRIBUTING.md explains how to run them.

#![expect(unreachable_pub, reason = "what modules share is pub, as in a library")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod architecture;
mod arrays;
mod audit;
mod augment;
mod cli;
mod commands;
mod common;
mod curves;
mod dependencies;
mod docs;
#[cfg(unix)]
mod early_page;
mod editor;
mod ensembles;
#[cfg(unix)]
mod export;
mod fetch;
mod foreign;
mod golden_features;
mod gtzan_tracks;
mod index;
mod isolated;
mod json;
#[cfg(unix)]
mod killed;
mod loaders;
mod moved;
mod onnx;
mod own_tables;
mod page;
mod predictions;
mod projects;
mod queries;
mod recordings;
mod reference;
mod repeatable;
mod robust;
mod runs;
mod segments;
#[cfg(unix)]
mod serve;
mod similar;
mod spotify;
mod sweeps;
mod tables;
mod targets;
mod terminal;
mod versions;
mod warnings;

/// Checks that every test file is listed above, because cargo would never compile it otherwise.
#[test]
fn every_file_of_tests_is_a_module() {
    let text = std::fs::read_to_string(common::repository().join("tests/main.rs")).unwrap();
    let mut n_modules = 0;
    for entry in std::fs::read_dir(common::repository().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "main" && (is_rust || path.join("mod.rs").exists()) {
            assert!(text.contains(&format!("\nmod {name};\n")), "tests/main.rs lacks {name}");
            n_modules += 1;
        }
        assert!(!path.join("main.rs").exists(), "tests/{name}/main.rs would be a second binary");
    }
    assert!(n_modules > 10, "only {n_modules} modules were seen");
}
