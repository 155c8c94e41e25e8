//! Any text as a spec with overrides, or as a manifest: a plan, or located faults.
#![no_main]

mod shared;

use std::path::Path;
use std::sync::OnceLock;

use encore::dataset::{Catalogue, Manifest};
use encore::experiment::{Options, Plan};
use libfuzzer_sys::fuzz_target;

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets");
        Catalogue::open(&datasets).expect("the project's manifests are valid")
    })
}

fuzz_target!(init: shared::quiet(), |bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // After a NUL byte: overrides, one on a line. A text that begins with one is a manifest.
    if let Some(manifest) = text.strip_prefix('\0') {
        if let Err(faults) = Manifest::parse("fuzzed", "fuzzed.toml", manifest) {
            assert!(!faults.0.is_empty());
        }
        return;
    }
    let (spec, overrides) = text.split_once('\0').unwrap_or((text, ""));
    let options = Options { set: overrides.lines().map(str::to_owned).collect(), ..Options::default() };
    match Plan::from_text("fuzzed".to_owned(), "fuzzed.toml", spec.to_owned(), catalogue(), &options) {
        Ok(plan) => assert!(!plan.spec_hash.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
