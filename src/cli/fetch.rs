//! `data fetch`.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::import_outcome::outcome;
use super::progress::Progress;
use super::{Done, Failure, json, signals};
use crate::dataset::{Catalogue, Manifest};
use crate::fetch::{Event, FetchContext, FetchedFile, RetryPolicy, Step, free_bytes, readable};

pub(super) fn fetch(catalogue: &Catalogue, manifest: &Manifest, to: Option<&Path>) -> Done {
    if to.is_some_and(|to| to.file_name().is_none()) {
        return Err(Failure::Usage("--to must be the name of a folder".to_owned()));
    }
    println!("{}: {}", manifest.name, manifest.title);
    println!("  license     {}", manifest.licence);
    println!("  citation    {}", manifest.citation);
    let progress = Progress::new(0);
    let tell = |event: Event| match event {
        Event::Note(text) => progress.line(text),
        Event::Progress { step, file, n, whole } => {
            let step = match step {
                Step::Download => "downloading",
                Step::Check => "checking",
                Step::Unpack => "unpacking",
            };
            progress.bytes(&format!("{step} {file}"), n, whole);
        }
    };
    let stop = signals::caught();
    let setting =
        FetchContext { stop, tell: &tell, patience: RetryPolicy::default(), free: &free_bytes };
    let importing = format!("checking {}", manifest.name);
    let import = |n_done: usize, n: usize| {
        // An import leaves nothing behind until its end: it can be left anywhere.
        if stop.load(Ordering::Relaxed) {
            eprintln!("stopped; the download is complete and the same command resumes the import");
            std::process::exit(130);
        }
        progress.step(&importing, n_done, n);
    };
    let ready = catalogue.fetch(manifest, to, &setting, &import)?;
    json::put("name", &manifest.name);
    json::put("folder", ready.index.root.display().to_string());
    json::put("was_there", ready.was_there);
    let files = ready.fetched.iter().flat_map(|fetched| &fetched.files);
    json::put("files", files.collect::<Vec<_>>());
    if ready.was_there {
        println!("{} is already downloaded, in {}", manifest.name, ready.index.root.display());
    }
    for file in ready.fetched.iter().flat_map(|fetched| &fetched.files) {
        println!("  {}", described(file));
    }
    if !ready.was_there {
        println!("imported {}", manifest.name);
    }
    if json::is_on() || !ready.was_there {
        outcome(&ready.index);
    }
    Ok(())
}

/// A line on a file that was fetched.
fn described(file: &FetchedFile) -> String {
    let mut text = format!("{}: {}, {}", file.file, readable(file.bytes), file.sum);
    if let Some(url) = &file.url {
        text += &format!(", from {url}");
    }
    if let Some(unpacked) = &file.unpacked {
        text += &format!("; {} files of {}", unpacked.n_files, readable(unpacked.bytes));
        if unpacked.n_dropped > 0 {
            text += &format!(", {} macOS metadata files skipped", unpacked.n_dropped);
        }
    }
    text
}
