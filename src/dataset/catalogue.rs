//! The catalogue: all manifests of a `datasets/` folder, and access to their data by name.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{
    ArrayData, AudioData, Cut, Data, DatasetError, Index, Layout, Manifest, Place, TableData,
    built_in,
};
use crate::schema::{Fault, Faults};
use crate::vocab::{is_plain_name, name_hint};

/// Every declared dataset: those of a folder, and those that are built into the program.
#[derive(Debug, Clone)]
pub struct Catalogue {
    folder: PathBuf,
    manifests: BTreeMap<String, Manifest>,
    /// The names of the datasets whose manifest is the program's.
    built_in: BTreeSet<String>,
    /// The faults of invalid manifests, by the dataset's name.
    invalid: BTreeMap<String, Faults>,
}

impl Catalogue {
    /// Reads every `*.toml` of a folder but hidden files. A manifest with faults takes no other with
    /// it: [`Self::invalid`] has its faults, and [`Self::find`] returns them. A manifest replaces the
    /// built-in one of its name. A folder that does not exist counts as empty.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn open(folder: &Path) -> Result<Self, Faults> {
        let unreadable = |path: &Path, error: std::io::Error| {
            let (origin, message) =
                (path.display().to_string(), format!("cannot be read: {error}"));
            Faults(vec![Fault { origin, line: 0, message }])
        };
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => vec![],
            Err(error) => return Err(unreadable(folder, error)),
        };
        paths.retain(|path| is_visible(path) && path.extension().is_some_and(|end| end == "toml"));
        paths.sort();
        let (mut manifests, mut invalid) = (BTreeMap::new(), BTreeMap::new());
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error));
            let origin = path.display().to_string();
            match text.and_then(|text| Manifest::parse(&name, &origin, &text)) {
                Ok(manifest) => {
                    manifests.insert(name, manifest);
                }
                Err(faults) => {
                    invalid.insert(name, faults);
                }
            }
        }
        let mut of_program = BTreeSet::new();
        for (name, text) in built_in::manifests() {
            if !manifests.contains_key(name) && !invalid.contains_key(name) {
                let origin = format!("the built-in {name}.toml");
                manifests.insert(name.to_owned(), Manifest::parse(name, &origin, text)?);
                of_program.insert(name.to_owned());
            }
        }
        let is_stand_in = |name: &String| {
            // The fault of an invalid stand-in is its own.
            invalid.contains_key(name) || manifests.get(name).is_some_and(Manifest::is_embedded)
        };
        let faulty = manifests.values().filter_map(|manifest| {
            let mut faults = faulty_columns(folder, manifest);
            if let Some(stand_in) = manifest.stand_in.as_ref().filter(|name| !is_stand_in(name)) {
                let origin = folder.join(format!("{}.toml", manifest.name)).display().to_string();
                let message = format!("stand_in: unknown embedded dataset `{stand_in}`");
                faults.push(Fault { origin, line: 0, message });
            }
            (!faults.is_empty()).then(|| (manifest.name.clone(), Faults(faults)))
        });
        let faulty: Vec<(String, Faults)> = faulty.collect();
        for (name, faults) in faulty {
            manifests.remove(&name);
            invalid.insert(name, faults);
        }
        Ok(Self { folder: folder.to_owned(), manifests, built_in: of_program, invalid })
    }

    /// Whether a dataset's manifest is part of the program, not of the folder.
    #[must_use]
    pub fn is_built_in(&self, name: &str) -> bool {
        self.built_in.contains(name)
    }

    /// The faults of every invalid manifest, by the dataset's name.
    pub fn invalid(&self) -> impl Iterator<Item = &Faults> {
        self.invalid.values()
    }

    /// This catalogue with another manifest, in place of one of the same name.
    #[must_use]
    pub fn with(&self, manifest: Manifest) -> Self {
        let mut catalogue = self.clone();
        catalogue.invalid.remove(&manifest.name);
        catalogue.built_in.remove(&manifest.name);
        catalogue.manifests.insert(manifest.name.clone(), manifest);
        catalogue
    }

    /// Returns all manifests, sorted by name; those of the program too.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values()
    }

    /// Returns the manifest of a name.
    ///
    /// # Errors
    /// A sentence that the manifest is invalid, or one that names the nearest known dataset.
    pub fn find(&self, name: &str) -> Result<&Manifest, String> {
        if self.invalid.contains_key(name) {
            return Err(format!(
                "the manifest of dataset `{name}` is invalid\nhint: encore check names its faults"
            ));
        }
        self.manifests.get(name).ok_or_else(|| {
            let hint = name_hint(name, self.manifests.keys().map(String::as_str));
            format!("unknown dataset `{name}`; {hint}")
        })
    }

    /// Returns the path for a new dataset's manifest.
    ///
    /// # Errors
    /// If the name is taken or cannot be a file name.
    pub fn new_file(&self, name: &str) -> Result<PathBuf, String> {
        if !is_plain_name(name) {
            return Err(format!("invalid name `{name}`: use letters, digits, `-`, `_` and `.`"));
        }
        if self.is_built_in(name) {
            return Err(format!("dataset `{name}` is built into encore; choose another name"));
        }
        if self.manifests.contains_key(name) || self.invalid.contains_key(name) {
            return Err(format!("dataset `{name}` already exists"));
        }
        Ok(self.folder.join(format!("{name}.toml")))
    }

    /// Returns the folders where this catalogue keeps indexes and caches.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::new(&self.folder)
    }

    /// The folder of manifests, with everything that belongs to datasets.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The project's folder, without links.
    ///
    /// # Errors
    /// Where it does not exist.
    pub fn project(&self) -> std::io::Result<PathBuf> {
        let parent = self.folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).canonicalize()
    }

    /// Where imported datasets lie outside of the project: their folders, or their files where the folder
    /// contains the project too.
    ///
    /// # Errors
    /// Where the index of one can't be read.
    pub fn imported_places(&self) -> Result<Vec<PathBuf>, DatasetError> {
        let place = self.place();
        let project = self.project();
        let project =
            project.map_err(|source| DatasetError::Io { path: self.folder.clone(), source })?;
        let mut places = vec![];
        for name in self.manifests.keys() {
            let Some(index) = Index::read(&place, name)? else { continue };
            let root = index.root.canonicalize().unwrap_or_else(|_| index.root.clone());
            if project.starts_with(&root) {
                places.extend(index.files.iter().map(|file| index.root.join(&file.path)));
            } else {
                places.push(root);
            }
        }
        Ok(places)
    }

    /// Returns whether a dataset is ready to use.
    #[must_use]
    pub fn is_there(&self, manifest: &Manifest) -> bool {
        manifest.is_embedded() || self.place().index_file(&manifest.name).exists()
    }

    /// Loads a dataset, from its index or by generating it.
    ///
    /// # Errors
    /// If it was never imported, or has changed since.
    pub fn load(&self, manifest: &Manifest, cut: Cut) -> Result<Data, DatasetError> {
        let mut data = self.load_layout(manifest, cut)?;
        if let Some(file) = &manifest.track_file {
            data.track_columns_mut().extend(file.load(&self.folder)?);
        }
        Ok(data)
    }

    fn load_layout(&self, manifest: &Manifest, cut: Cut) -> Result<Data, DatasetError> {
        match &manifest.layout {
            Layout::Folder(folder) => {
                let index = self.index(manifest)?;
                index.check_decoder()?;
                Ok(Data::Audio(folder.load(manifest, &index)))
            }
            Layout::Listed(listed) => {
                let index = self.index(manifest)?;
                index.check_decoder()?;
                Ok(Data::Audio(listed.load(manifest, &index)?))
            }
            Layout::Table(rows) => {
                let index = self.index(manifest)?;
                Ok(Data::Table(TableData::from_index(manifest, rows, &index)?))
            }
            Layout::Arrays(arrays) => {
                let index = self.index(manifest)?;
                Ok(Data::Arrays(ArrayData::from_index(manifest, arrays, &index)?))
            }
            Layout::SynthGenres { seed, tracks_per_genre } => {
                let n = cut.tracks_per_genre.unwrap_or(*tracks_per_genre).min(*tracks_per_genre);
                let audio = AudioData::synthetic(&manifest.name, *seed, n, *tracks_per_genre);
                Ok(Data::Audio(audio))
            }
            Layout::SynthSongs { seed, n_rows } => {
                let n = cut.n_rows.unwrap_or(*n_rows).min(*n_rows);
                Ok(Data::Table(TableData::synthetic(*seed, n, *n_rows)))
            }
        }
    }

    /// Checks and indexes a copy of a dataset, in place or, with `copy`, in encore's own folder.
    ///
    /// `progress` receives the number of finished files and the total.
    ///
    /// # Errors
    /// If the path does not contain the dataset. Damaged files are not an error.
    pub fn import(
        &self,
        manifest: &Manifest,
        from: &Path,
        copy: bool,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Index, DatasetError> {
        let from = from
            .canonicalize()
            .map_err(|source| DatasetError::Io { path: from.to_owned(), source })?;
        let mut index = index_of(manifest, &from, progress)?;
        if copy {
            index.copy_files(&self.place().data_folder(&manifest.name))?;
        }
        index.write(&self.place())?;
        Ok(index)
    }

    /// Indexes an imported dataset again in place, without writing.
    ///
    /// # Errors
    /// In the cases of [`Self::import`].
    pub fn examine(
        &self,
        manifest: &Manifest,
        index: &Index,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Index, DatasetError> {
        let root = match (&manifest.layout, index.files.first()) {
            (Layout::Table(rows), Some(file)) if rows.files.is_empty() => {
                index.root.join(&file.path)
            }
            _ => index.root.clone(),
        };
        index_of(manifest, &root, progress)
    }

    /// Reads the index that an import wrote.
    ///
    /// # Errors
    /// If the dataset was never imported.
    pub fn index(&self, manifest: &Manifest) -> Result<Index, DatasetError> {
        if manifest.is_embedded() {
            return Err(DatasetError::Embedded(manifest.name.clone()));
        }
        Index::read(&self.place(), &manifest.name)?.ok_or_else(|| DatasetError::NotImported {
            name: manifest.name.clone(),
            command: manifest.command_to_get(),
            how_to_get: manifest.how_to_get.clone(),
        })
    }
}

/// Whether a file is not hidden. Hidden ones are leftovers of editors and of copies to other systems.
fn is_visible(path: &Path) -> bool {
    path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."))
}

/// Finds duplicate columns and columns whose file is missing.
fn faulty_columns(folder: &Path, manifest: &Manifest) -> Vec<Fault> {
    let mut messages = vec![];
    let mut known = BTreeSet::new();
    let mut names = manifest.track_columns();
    if let Some(again) = names.find(|name| !known.insert(name.to_owned())) {
        messages.push(format!("track_columns lists the column `{again}` twice"));
    }
    if let Some(file) = &manifest.track_file
        && !folder.join(&file.file).is_file()
        && built_in::file(&file.file).is_none()
    {
        messages
            .push(format!("track_columns.file must be in the same folder, found {:?}", file.file));
    }
    let origin = folder.join(format!("{}.toml", manifest.name)).display().to_string();
    let fault = |message| Fault { origin: origin.clone(), line: 0, message };
    messages.into_iter().map(fault).collect()
}

fn index_of(
    manifest: &Manifest,
    from: &Path,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Index, DatasetError> {
    match &manifest.layout {
        Layout::Folder(folder) => folder.index(manifest, from, progress),
        Layout::Listed(listed) => listed.index(manifest, from, progress),
        Layout::Table(rows) => rows.index(manifest, from),
        Layout::Arrays(arrays) => arrays.index(manifest, from, progress),
        Layout::SynthGenres { .. } | Layout::SynthSongs { .. } => {
            Err(DatasetError::Embedded(manifest.name.clone()))
        }
    }
}
