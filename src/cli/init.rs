//! `init`: a new project in a folder.

use std::path::{Path, PathBuf};

use super::arguments::Example;
use super::{Done, Failure, json};
use crate::disk;

/// The files of `examples/projects`, as (EXAMPLE/FILE, text).
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/projects.rs"));

/// Where a file of `examples/projects/both` goes.
const PLACES: [(&str, &str); 2] =
    [("gitignore", ".gitignore"), ("workflow.yml", ".github/workflows/encore.yml")];

/// Writes the files of a new project. No file is replaced.
pub(super) fn init(folder: &Path, example: Example) -> Done {
    let of = |prefix: &'static str| {
        FILES.iter().filter_map(move |(file, text)| Some((file.strip_prefix(prefix)?, *text)))
    };
    // Paths in messages read better without a leading `./`.
    let is_here = folder.as_os_str().is_empty() || folder == Path::new(".");
    let folder = if is_here { Path::new("") } else { folder };
    let own = of(match example {
        Example::Tables => "tables/",
        Example::Audio => "audio/",
    });
    let shared = of("both/").map(|(file, text)| {
        let place = PLACES.iter().find(|(from, _)| *from == file);
        (place.expect("every shared file has a place").1, text)
    });
    let files: Vec<(PathBuf, &str)> =
        own.chain(shared).map(|(file, text)| (folder.join(file), text)).collect();
    let present: Vec<String> = files
        .iter()
        .filter(|(path, _)| path.symlink_metadata().is_ok())
        .map(|(path, _)| path.display().to_string())
        .collect();
    if !present.is_empty() {
        return Err(Failure::Usage(format!(
            "nothing was written, because these exist: {}\nhint: choose an empty folder: encore init DIR",
            present.join(", ")
        )));
    }
    for (path, text) in &files {
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        disk::write_whole(path, text.as_bytes())?;
        println!("wrote {}", path.display());
    }
    let written: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    json::put("files", written);
    let change = if is_here { String::new() } else { format!("cd {}, then ", folder.display()) };
    println!("next: {change}encore reproduce --quick");
    Ok(())
}
