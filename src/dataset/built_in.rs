//! The manifests of encore's own repository, which are part of the program: a project has them without a
//! copy of their own.

/// The files of `datasets/`: manifests and the tables beside them, as (name, text).
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/manifests.rs"));

/// The names of the built-in datasets, with the text of their manifests.
pub(super) fn manifests() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)))
}

/// The text of a file beside a built-in manifest.
pub(super) fn file(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_program_holds_the_manifests_of_the_repository() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
        let mut n_manifests = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if [Some("toml"), Some("csv")].contains(&ending) {
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(
                    file(name),
                    Some(text.as_str()),
                    "{name}: touch build.rs, then build again"
                );
            }
            n_manifests += usize::from(ending == Some("toml"));
        }
        assert_eq!(manifests().count(), n_manifests);
        assert!(n_manifests > 10);
    }
}
