//! `data list | describe | new | fetch | import | check | export`.

use std::path::Path;

use super::arguments::Data as Command;
use super::import_outcome::outcome;
use super::progress::Progress;
use super::{Done, Failure, Project, fetch, width};
use crate::dataset::{self, Catalogue, Cut, Data, Index, Kind, Manifest};
use crate::fetch::readable;

pub(super) fn data(project: &Project, command: &Command) -> Done {
    let catalogue = project.catalogue()?;
    let find = |name: &str| catalogue.find(name).map_err(Failure::Usage);
    match command {
        Command::List => {
            list(&catalogue);
            Ok(())
        }
        Command::Describe { name } => describe(&catalogue, find(name)?),
        Command::New { name, path } => new(&catalogue, name, path),
        Command::Import { name, path, copy } => import(&catalogue, find(name)?, path, *copy),
        Command::Fetch { name, to } => fetch::fetch(&catalogue, find(name)?, to.as_deref()),
        Command::Check { name } => check(&catalogue, find(name)?),
        Command::Export { name, folder, tracks_per_genre } => {
            export(&catalogue, find(name)?, folder, *tracks_per_genre)
        }
    }
}

fn list(catalogue: &Catalogue) {
    let name = width("dataset", catalogue.manifests().map(|manifest| manifest.name.as_str()));
    let title = width("title", catalogue.manifests().map(|manifest| manifest.title.as_str()));
    println!("{:name$} {:6} {:title$} state", "dataset", "kind", "title");
    for manifest in catalogue.manifests() {
        let state = match (manifest.is_embedded(), catalogue.is_there(manifest)) {
            (true, _) => "made by encore".to_owned(),
            (false, true) => match catalogue.index(manifest) {
                Ok(index) => format!("imported from {}", index.root.display()),
                Err(error) => format!("damaged index: {error}"),
            },
            (false, false) => format!("not imported; {}", manifest.command_to_get()),
        };
        let kind = manifest.kind().as_str();
        println!("{:name$} {kind:6} {:title$} {state}", manifest.name, manifest.title);
    }
}

fn describe(catalogue: &Catalogue, manifest: &Manifest) -> Done {
    println!("{}: {}", manifest.name, manifest.title);
    println!("  licence     {}", manifest.licence);
    println!("  citation    {}", manifest.citation);
    println!("  to get it   {}", manifest.how_to_get);
    for remote in &manifest.fetch {
        let bytes = remote.bytes.map_or(String::new(), |n| format!(" ({})", readable(n)));
        println!("  to fetch    {}{bytes} from {}", remote.file, remote.urls.join(", "));
    }
    if let Some(stand_in) = &manifest.stand_in {
        println!("  stand-in    {stand_in}, while it is not imported");
    }
    for known in &manifest.known_faults {
        println!("  known fault {}: {}", known.track, known.fault);
    }
    let columns: Vec<&str> = manifest.track_columns().collect();
    if !columns.is_empty() {
        println!("  of tracks   {}", columns.join(", "));
    }
    if let Kind::Arrays(arrays) = manifest.kind() {
        for array in arrays {
            println!("  array       {}: {:?} per row", array.name, array.example_shape());
        }
    }
    if !catalogue.is_there(manifest) {
        println!("  not imported; {}", manifest.command_to_get());
        return Ok(());
    }
    if !manifest.is_embedded() {
        outcome(&catalogue.index(manifest)?);
    }
    let (classes, labels) = match catalogue.load(manifest, Cut::default())? {
        Data::Audio(audio) => {
            let labels = audio.tracks.iter().map(|track| track.class).collect();
            (audio.classes, labels)
        }
        Data::Table(table) => (table.classes, table.labels),
        Data::Arrays(arrays) => (arrays.classes, arrays.labels),
    };
    let unit = if manifest.kind().as_str() == "audio" { "tracks" } else { "rows" };
    println!("  {} {unit} in {} classes:", labels.len(), classes.len());
    for (class, name) in classes.iter().enumerate() {
        let n = labels.iter().filter(|&&label| label == class).count();
        println!("    {name:24} {n:6}  {:.3}", n as f64 / labels.len() as f64);
    }
    Ok(())
}

/// Writes a manifest, after a look at what it is for.
fn new(catalogue: &Catalogue, name: &str, path: &Path) -> Done {
    let file = catalogue.new_file(name).map_err(Failure::Usage)?;
    let draft = dataset::draft(name, path)?;
    Manifest::parse(name, &file.display().to_string(), &draft.text)?;
    std::fs::write(&file, draft.text)?;
    for note in draft.notes {
        println!("  {note}");
    }
    println!(
        "wrote {}; say its licence and citation there, then: encore data import {name} {}",
        file.display(),
        draft.folder.display()
    );
    Ok(())
}

fn import(catalogue: &Catalogue, manifest: &Manifest, path: &Path, copy: bool) -> Done {
    let progress = Progress::new(0);
    let what = format!("checking {}", manifest.name);
    let index =
        catalogue.import(manifest, path, copy, &|n_done, n| progress.step(&what, n_done, n))?;
    println!("imported {}", manifest.name);
    outcome(&index);
    Ok(())
}

/// Imports again without writing, and compares.
fn check(catalogue: &Catalogue, manifest: &Manifest) -> Done {
    if manifest.is_embedded() {
        println!("{} is made by encore itself: nothing to check", manifest.name);
        return Ok(());
    }
    let before = catalogue.index(manifest)?;
    let progress = Progress::new(0);
    let what = format!("checking {}", manifest.name);
    let now = catalogue.examine(manifest, &before, &|n_done, n| progress.step(&what, n_done, n))?;
    outcome(&now);
    let of = |index: &Index, track: &str| {
        index.files.iter().find(|file| file.track == track).map(|file| file.sha256.clone())
    };
    let tracks = before.files.iter().chain(&now.files).map(|file| file.track.as_str());
    let changed: std::collections::BTreeSet<&str> =
        tracks.filter(|track| of(&before, track) != of(&now, track)).collect();
    if changed.is_empty() {
        println!("{} is what was imported", manifest.name);
        return Ok(());
    }
    let list = changed.into_iter().collect::<Vec<_>>().join(", ");
    let (name, root) = (&manifest.name, before.root.display());
    Err(Failure::Data(format!(
        "{name} has changed since it was imported: {list}\nhint: encore data import {name} {root}"
    )))
}

fn export(
    catalogue: &Catalogue,
    manifest: &Manifest,
    folder: &Path,
    tracks_per_genre: Option<usize>,
) -> Done {
    let cut = Cut { tracks_per_genre, n_rows: None };
    let Data::Audio(audio) = catalogue.load(manifest, cut)? else {
        return Err(Failure::Usage(format!(
            "{} is {}, and only audio is exported",
            manifest.name,
            if manifest.kind().as_str() == "table" { "a table" } else { "arrays" }
        )));
    };
    let progress = Progress::new(0);
    let what = format!("writing {}", manifest.name);
    audio.export(folder, &|n_done, n| progress.step(&what, n_done, n))?;
    println!("wrote {} wav files into {}", audio.tracks.len(), folder.display());
    Ok(())
}
