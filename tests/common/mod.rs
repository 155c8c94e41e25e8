//! What the tests of the whole program share.

pub mod server;

use std::fs;
use std::path::Path;

/// A project with our experiments and datasets, and nothing imported.
pub fn project() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["experiments", "datasets"] {
        fs::create_dir(home.path().join(folder)).unwrap();
        for entry in fs::read_dir(ours.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml" || extension == "csv") {
                let to = home.path().join(folder).join(path.file_name().unwrap());
                fs::copy(path, to).unwrap();
            }
        }
    }
    home
}
