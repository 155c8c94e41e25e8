//! A prediction as JSON, for the command line and for a server.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::predict::Answer;

/// What is predicted: a file or a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Item<'a> {
    /// Its cells in the columns that name it.
    pub names: &'a [String],
    /// Its line in a table.
    pub line: Option<usize>,
    /// Segments of a recording.
    pub n_segments: Option<usize>,
    /// What a reader should know about a recording.
    pub warnings: &'a [String],
}

/// `{"line":2,"id":"x","predicted":"pop","probabilities":{"pop":0.9,"rock":0.1}}`
#[derive(Debug, Clone, Copy)]
pub struct PredictionLine<'a> {
    /// What it is a prediction of.
    pub item: &'a Item<'a>,
    /// The names of the item's cells.
    pub names: &'a [String],
    /// The classes or tags in the order of the outputs.
    pub classes: &'a [String],
    /// What is said and the outputs that say it, or the reason why there is none.
    pub outcome: Result<(&'a Answer, &'a [f32]), &'a str>,
}

impl Serialize for PredictionLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(line) = self.item.line {
            map.serialize_entry("line", &line)?;
        }
        for (name, cell) in self.names.iter().zip(self.item.names) {
            if name != "line" {
                map.serialize_entry(name, cell)?;
            }
        }
        match self.outcome {
            Ok((answer @ (Answer::Class(_) | Answer::Tags(_)), of)) => {
                let names = names_of(answer, self.classes);
                match answer {
                    Answer::Class(_) => map.serialize_entry("predicted", names[0])?,
                    _ => map.serialize_entry("predicted", &names)?,
                }
                map.serialize_entry("probabilities", &Probabilities { classes: self.classes, of })?;
            }
            Ok((Answer::Number(number), _)) => map.serialize_entry("predicted", number)?,
            Err(reason) => map.serialize_entry("error", reason)?,
        }
        if let Some(n_segments) = self.item.n_segments {
            map.serialize_entry("n_segments", &n_segments)?;
        }
        if !self.item.warnings.is_empty() {
            map.serialize_entry("warnings", self.item.warnings)?;
        }
        map.end()
    }
}

/// The names of the classes or tags that are said.
#[must_use]
pub fn names_of<'a>(answer: &Answer, classes: &'a [String]) -> Vec<&'a str> {
    match answer {
        Answer::Class(class) => vec![&classes[*class]],
        Answer::Tags(tags) => tags.iter().map(|tag| classes[*tag].as_str()).collect(),
        Answer::Number(_) => vec![],
    }
}

struct Probabilities<'a> {
    classes: &'a [String],
    of: &'a [f32],
}

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.classes.iter().zip(self.of))
    }
}
