//! `[target]`: what a model is to tell of an example, if that is not the class of the dataset.
//!
//! ```toml
//! [target]
//! number = "valence"          # a column of numbers: regression
//! ```
//!
//! ```toml
//! [target]
//! tags = ["tags"]             # a column of lists, or several columns of 0 and 1: multi-label tagging
//! separator = ","
//! prefix = "genre---"         # only tags that begin with it, without it
//! minimum_tracks = 50         # rarer tags are left out
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::error::RunError;
use crate::dataset::{Data, Manifest, TrackColumns};
use crate::features::{Examples, Features};
use crate::schema::{Fields, Int, List, Text};
use crate::split::Protocol;
use crate::vocab::{Excluded, Sha256, Targets, Task, nearest, quoted_list};

/// What the model of a spec tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    /// The class of the dataset.
    #[default]
    Class,
    /// Which of several tags an example has.
    Tags(TagColumns),
    /// The number in a column.
    Number(String),
}

/// Where the tags of a track are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagColumns {
    /// A column of lists, or several columns of 0 and 1, whose names are the tags.
    pub columns: Vec<String>,
    /// What separates the tags of a list.
    pub separator: String,
    /// What the tags of a list begin with; others are ignored.
    pub prefix: String,
    /// Tags of fewer tracks are left out.
    pub minimum_tracks: usize,
}

impl Target {
    /// Reads `[target]`, after the features and the split that it must fit.
    pub(super) fn read(
        fields: &mut Fields,
        asked: &Manifest,
        features: Option<&Features>,
        split: Option<&Protocol>,
    ) -> Self {
        let target = fields.table("target", Self::read_table).unwrap_or_default();
        if fields.is_exploring() {
            return target;
        }
        if target == Self::Class {
            if !asked.has_classes() && !fields.is_given("target") {
                let name = &asked.name;
                fields.fault(&format!("needs a [target], because dataset {name} has no labels"));
            }
            return target;
        }
        for column in target.columns() {
            if let Some(said) = no_column(column, asked) {
                fields.fault_at(
                    "target",
                    &format!("needs a column, but dataset {} {said}", asked.name),
                );
            }
            if let Some(Features::Table(table)) = features
                && table.columns().contains(column)
            {
                let said = format!(
                    "is `{column}`, which is also in features.table.columns: the model would see it"
                );
                fields.fault_at("target", &said);
            }
        }
        if fields.is_given("classes") {
            let said = "applies to classes, and the target is another; of tags, target.minimum_tracks leaves rare ones out";
            fields.fault_at("classes", said);
        }
        if target.task() == Task::Number && split.is_some_and(Protocol::stratifies) {
            fields.fault_at("split", "has stratify = true, which applies to classes and tags, and the target is a number");
        }
        target
    }

    fn read_table(fields: &mut Fields) -> Self {
        let number = fields.optional("number", &Text);
        let tags = fields.optional("tags", &List::of_some(Text));
        let separator = fields.optional("separator", &Text);
        let prefix = fields.optional("prefix", &Text);
        let minimum_tracks = fields.optional("minimum_tracks", &Int::within(1..=1_000_000_000));
        if fields.is_exploring() {
            return Self::Class;
        }
        let of_lists = [("separator", separator.is_some()), ("prefix", prefix.is_some())];
        let of_tags = of_lists.into_iter().chain([("minimum_tracks", minimum_tracks.is_some())]);
        match (number, tags) {
            (Some(column), None) => {
                for (key, _) in of_tags.filter(|(_, is_given)| *is_given) {
                    fields.fault_at(key, "applies to tags");
                }
                Self::Number(column)
            }
            (None, Some(columns)) => {
                for (key, _) in of_lists.into_iter().filter(|(_, is_given)| *is_given) {
                    if columns.len() > 1 {
                        fields.fault_at(
                            key,
                            "applies to one column of lists, and here are several of 0 and 1",
                        );
                    }
                }
                Self::Tags(TagColumns {
                    columns,
                    separator: separator.unwrap_or_else(|| ",".to_owned()),
                    prefix: prefix.unwrap_or_default(),
                    minimum_tracks: minimum_tracks.unwrap_or(1),
                })
            }
            // An empty list is a fault already.
            (None, None) if fields.is_given("tags") || fields.is_given("number") => Self::Class,
            _ => {
                fields.fault("must have exactly one of `number` and `tags`");
                Self::Class
            }
        }
    }

    /// Returns what a model tells.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Class => Task::Classes,
            Self::Tags(_) => Task::Tags,
            Self::Number(_) => Task::Number,
        }
    }

    /// The columns that it is read from.
    pub(super) fn columns(&self) -> &[String] {
        match self {
            Self::Class => &[],
            Self::Tags(tags) => &tags.columns,
            Self::Number(column) => std::slice::from_ref(column),
        }
    }

    /// Why the dataset that is used has no such target, although the one that the spec asks for has.
    pub(super) fn unfit(&self, used: &Manifest, asked: &str) -> Option<String> {
        let column = self.columns().iter().find(|column| no_column(column, used).is_some())?;
        let used = &used.name;
        Some(format!(
            "the target needs the column `{column}` of {asked}, but {used} has no such column\n\
             hint: encore data import {asked} PATH, then run it on {asked}"
        ))
    }

    /// Gives the examples their targets. Examples whose track has none are left out and counted.
    ///
    /// # Errors
    /// If a column does not exist or a cell is not what it must be.
    pub(super) fn select(
        &self,
        examples: Examples,
        data: &Data,
        track_columns: &TrackColumns,
        notes: &mut Vec<String>,
    ) -> Result<Examples, RunError> {
        let tracks: BTreeSet<&str> = examples.ids.iter().map(|id| id.track.as_str()).collect();
        let source = Source { data, track_columns, tracks: &tracks };
        let (names, of_track) = match self {
            Self::Class => return Ok(examples),
            Self::Number(column) => (vec![column.clone()], source.numbers(column)?),
            Self::Tags(tags) => tags.of_tracks(&source, notes)?,
        };
        let columns = quoted_list(self.columns().iter().map(String::as_str));
        let (what, n_tracks) = (self.task().words(), tracks.len());
        let n_without = tracks.iter().filter(|track| !of_track.contains_key(**track)).count();
        if n_without == n_tracks {
            return Err(RunError::Incompatible(format!(
                "none of the {n_tracks} tracks has {what} in {columns}"
            )));
        }
        let rows: Vec<usize> = (0..examples.ids.len())
            .filter(|&row| of_track.contains_key(examples.ids[row].track.as_str()))
            .collect();
        let of_row = |row: &usize| &of_track[examples.ids[*row].track.as_str()];
        let values: Vec<f32> = rows.iter().flat_map(of_row).copied().collect();
        let mut examples = examples.keep(&rows);
        if n_without > 0 {
            let unit = if matches!(data, Data::Table(_)) { "rows" } else { "tracks" };
            examples.excluded.push(Excluded {
                name: format!("{n_without} of {n_tracks} {unit}"),
                reason: format!("have no {} in {columns}", self.noun()),
            });
        }
        let mut hash = Sha256::new().piece(&examples.hash).piece(self.task().as_str());
        for name in &names {
            hash = hash.piece(name);
        }
        examples.hash = hash.piece(bytemuck::cast_slice::<f32, u8>(&values)).hex();
        examples.targets = match self.task() {
            Task::Number => {
                let first = values.first().copied().unwrap_or_default();
                if values.iter().all(|value| *value == first) {
                    let said = format!(
                        "all examples have {first} in {columns}: there is nothing to learn"
                    );
                    return Err(RunError::Incompatible(said));
                }
                Targets::Numbers(values)
            }
            _ => Targets::Tags(values.iter().map(|value| *value == 1.0).collect()),
        };
        examples.classes = names;
        Ok(examples)
    }

    fn noun(&self) -> &'static str {
        if self.task() == Task::Number { "number" } else { "tags" }
    }
}

/// Says that a dataset lacks a column of targets; nothing if it has it, or if only its files tell.
fn no_column(column: &str, manifest: &Manifest) -> Option<String> {
    let numbers = manifest.number_columns()?;
    let known = || manifest.track_columns().chain(numbers.iter().map(String::as_str));
    if column.is_empty() || known().any(|known| known == column) {
        return None;
    }
    Some(match (nearest(column, known()), known().next()) {
        (Some(near), _) => format!("has no column `{column}`; did you mean `{near}`?"),
        (None, Some(_)) => format!("has no column `{column}`; it has {}", quoted_list(known())),
        (None, None) => format!("has no columns, so `{column}` does not exist"),
    })
}

/// The values of tracks by their names: a number, or 1 or 0 for every tag.
type OfTrack<'a> = BTreeMap<&'a str, Vec<f32>>;

/// Where targets are read from.
struct Source<'a> {
    data: &'a Data,
    track_columns: &'a TrackColumns,
    /// The tracks that have examples.
    tracks: &'a BTreeSet<&'a str>,
}

impl<'a> Source<'a> {
    /// The numbers in a column by track; tracks without one are left out.
    fn numbers(&self, column: &str) -> Result<OfTrack<'a>, RunError> {
        if let Data::Table(table) = self.data
            && let Some(values) = table.columns.get(column)
        {
            let rows = table.ids.iter().map(String::as_str).zip(values);
            let known = rows.filter(|(_, value)| !value.is_nan());
            return Ok(known.map(|(id, value)| (id, vec![*value as f32])).collect());
        }
        let number = |(track, cell): (&'a str, &str)| {
            let number = cell.trim().parse::<f32>().ok().filter(|number| number.is_finite());
            let number = number.ok_or_else(|| {
                RunError::Incompatible(format!(
                    "{track} has \"{cell}\" in the column {column}, expected a number, or nothing if it is unknown"
                ))
            })?;
            Ok((track, vec![number]))
        };
        self.cells(column)?.map(number).collect()
    }

    /// The texts in a column by track.
    fn cells(&self, column: &str) -> Result<impl Iterator<Item = (&'a str, &'a str)>, RunError> {
        let said =
            |said| RunError::Incompatible(format!("the target needs a column: the dataset {said}"));
        let cells = self.track_columns.column(column).map_err(said)?;
        let tracks = self.tracks;
        let cells = cells.iter().map(|(track, cell)| (track.as_str(), cell.as_str()));
        Ok(cells.filter(move |(track, _)| tracks.contains(track)))
    }
}

impl TagColumns {
    /// The tags and, for every track that has a cell, which of them it has.
    fn of_tracks<'a>(
        &self,
        source: &Source<'a>,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<String>, OfTrack<'a>), RunError> {
        match self.columns.as_slice() {
            [column] => self.lists(column, source, notes),
            columns => self.flags(columns, source, notes),
        }
    }

    /// From one column of lists.
    fn lists<'a>(
        &self,
        column: &str,
        source: &Source<'a>,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<String>, OfTrack<'a>), RunError> {
        let mut of_track: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (track, cell) in source.cells(column)? {
            let tags = cell.split(self.separator.as_str()).map(str::trim);
            let tags = tags.filter_map(|tag| tag.strip_prefix(self.prefix.as_str()));
            of_track.insert(track, tags.filter(|tag| !tag.is_empty()).collect());
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for tag in of_track.values().flatten() {
            *counts.entry(tag).or_default() += 1;
        }
        let tags = self.common(&counts, column, notes)?;
        let row = |own: BTreeSet<&str>| -> Vec<f32> {
            tags.iter().map(|tag| f32::from(u8::from(own.contains(tag)))).collect()
        };
        let values = of_track.into_iter().map(|(track, own)| (track, row(own))).collect();
        Ok((tags.into_iter().map(str::to_owned).collect(), values))
    }

    /// From several columns of 0 and 1. A track that lacks one of them has none.
    fn flags<'a>(
        &self,
        columns: &[String],
        source: &Source<'a>,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<String>, OfTrack<'a>), RunError> {
        let mut all: BTreeMap<&str, OfTrack> = BTreeMap::new();
        for column in columns {
            let mut flags = source.numbers(column)?;
            let wrong = flags.iter().find(|(_, flag)| ![0.0, 1.0].contains(&flag[0]));
            if let Some((track, flag)) = wrong {
                return Err(RunError::Incompatible(format!(
                    "{track} has {} in the column {column}, expected 0 or 1 as the columns of target.tags hold",
                    flag[0]
                )));
            }
            flags.retain(|track, _| source.tracks.contains(track));
            all.insert(column, flags);
        }
        let n_with = |flags: &OfTrack| flags.values().filter(|flag| flag[0] == 1.0).count();
        let counts = all.iter().map(|(column, flags)| (*column, n_with(flags))).collect();
        let tags = self.common(&counts, &columns.join(", "), notes)?;
        let row = |track: &&'a str| -> Option<(&'a str, Vec<f32>)> {
            let flags: Option<Vec<f32>> =
                tags.iter().map(|tag| Some(all[tag].get(track)?[0])).collect();
            Some((*track, flags?))
        };
        let values = source.tracks.iter().filter_map(row).collect();
        Ok((tags.into_iter().map(str::to_owned).collect(), values))
    }

    /// The tags that enough tracks have, by name.
    fn common<'t>(
        &self,
        counts: &BTreeMap<&'t str, usize>,
        column: &str,
        notes: &mut Vec<String>,
    ) -> Result<Vec<&'t str>, RunError> {
        let least = self.minimum_tracks;
        let is_common = |(_, n): &(&&str, &usize)| **n >= least;
        let common: Vec<&str> = counts.iter().filter(is_common).map(|(tag, _)| *tag).collect();
        let n_rare = counts.len() - common.len();
        if common.is_empty() {
            let begin = match self.prefix.as_str() {
                "" => String::new(),
                prefix => format!(" that begin with `{prefix}`"),
            };
            return Err(RunError::Incompatible(format!(
                "no tag{begin} in {column} is on {least} or more tracks; {} are on fewer",
                counts.len()
            )));
        }
        if n_rare > 0 {
            notes.push(format!("{n_rare} tags on fewer than {least} tracks are left out"));
        }
        Ok(common)
    }
}

#[cfg(test)]
mod tests;
