//! `data new`: a manifest for recordings or for a table, and for a table a first spec.

use std::path::Path;

use super::question::is_agreed;
use super::{Done, Failure, Project, json};
use crate::dataset::{
    self, Catalogue, DatasetError, DraftOptions, Manifest, TableDraft, TableWishes,
};
use crate::disk;

/// What a user says of a collection.
pub(super) struct Wishes<'a> {
    pub(super) recordings: DraftOptions,
    pub(super) label: Option<&'a str>,
    pub(super) id: Option<&'a str>,
    /// Whether a question is answered by yes.
    pub(super) yes: bool,
}

/// Looks at a collection and writes its manifest.
pub(super) fn new(
    project: &Project,
    catalogue: &Catalogue,
    name: &str,
    path: &Path,
    wishes: &Wishes,
) -> Done {
    let file = catalogue.new_file(name).map_err(Failure::Usage)?;
    if wishes.label.is_some() || wishes.id.is_some() || dataset::is_table(path) {
        return new_table(project, name, path, &file, &table(name, path, wishes)?);
    }
    let draft = match dataset::draft(name, path, &wishes.recordings) {
        Ok(draft) => draft,
        // A file that lists no recordings may be a table.
        Err(error) if path.is_file() => match table(name, path, wishes) {
            Ok(draft) => return new_table(project, name, path, &file, &draft),
            Err(_) if dataset::names_recordings(path) => return Err(error.into()),
            // Where the cells say nothing, it may be meant as a list.
            Err(Failure::Data(message)) if message.ends_with(dataset::NO_LABEL_HINT) => {
                let said = error.to_string();
                let said = said.rsplit_once(": ").map_or(said.as_str(), |(_, said)| said);
                return Err(Failure::Data(format!("{message}; a list of recordings {said}")));
            }
            Err(failure) => return Err(failure),
        },
        Err(error) => return Err(error.into()),
    };
    Manifest::parse(name, &file.display().to_string(), &draft.text)?;
    disk::write_whole(&file, draft.text.as_bytes())?;
    json::put("manifest", file.display().to_string());
    json::put("spec", None::<String>);
    json::put("notes", &draft.notes);
    for note in draft.notes {
        println!("  {note}");
    }
    println!(
        "wrote {}; add its license and citation, then: encore data import {name} {}",
        file.display(),
        draft.folder.display()
    );
    Ok(())
}

fn table(name: &str, path: &Path, wishes: &Wishes) -> Result<TableDraft, Failure> {
    let Wishes { label, id, yes, .. } = *wishes;
    let draft =
        |many_numbers| dataset::draft_table(name, path, TableWishes { label, id, many_numbers });
    match draft(yes) {
        Err(error @ DatasetError::ManyNumbers { .. }) => {
            confirm(&error)?;
            Ok(draft(true)?)
        }
        other => Ok(other?),
    }
}

/// Asks whether numbers are meant as labels.
///
/// # Errors
/// The question, where nobody can be asked or the answer is no.
pub(super) fn confirm(error: &DatasetError) -> Done {
    let DatasetError::ManyNumbers { path, column, n } = error else {
        return Err(Failure::Usage(error.to_string()));
    };
    let said = format!(
        "{}: the label column {column} has {n} different numbers, and each would be a separate class",
        path.display()
    );
    if !json::is_on() && is_agreed(&format!("{said}\nuse it as label? [y/N] "))? {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{said}\nhint: choose another label column (--label COLUMN, or [table.label] of the manifest), or \
         confirm this one with --yes"
    )))
}

fn new_table(project: &Project, name: &str, path: &Path, file: &Path, draft: &TableDraft) -> Done {
    Manifest::parse(name, &file.display().to_string(), &draft.manifest)?;
    disk::write_whole(file, draft.manifest.as_bytes())?;
    json::put("manifest", file.display().to_string());
    json::put("spec", None::<String>);
    json::put("notes", &draft.notes);
    for note in &draft.notes {
        println!("  {note}");
    }
    let folder = project.root.join("experiments");
    std::fs::create_dir_all(&folder)?;
    let spec = match project.library()?.new_file(name) {
        Ok(spec) => {
            disk::write_whole(&spec, draft.spec.as_bytes())?;
            println!("wrote {} and {}; then:", file.display(), spec.display());
            json::put("spec", spec.display().to_string());
            name
        }
        Err(message) => {
            println!("wrote {}, but no spec: {message}; then:", file.display());
            "NAME"
        }
    };
    println!("  encore data import {name} {}", path.display());
    println!("  encore run {spec}");
    Ok(())
}
