//! Templates that build a path, a name or a label from the cells of a row:
//! `{track_id|pad 6|first 3}/{track_id|pad 6}.mp3`.

use std::fmt;

use crate::schema::{Node, Rule, Value};
use crate::vocab::{nearest, quoted_list};

/// Text that contains the cells of columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Cell { column: String, filters: Vec<Filter> },
}

/// A filter that changes a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// Pads with zeros on the left to this number of characters.
    Pad(usize),
    /// Keeps this many characters from the start.
    First(usize),
    /// Of a path: the name of the file's folder.
    Folder,
    /// Of a path: the file's name without extension.
    Stem,
}

impl Template {
    /// Reads `text {column|filter|…} text`.
    ///
    /// # Errors
    /// If it is malformed; the message follows the field's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = vec![];
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (cell, behind) = after.split_once('}').ok_or("has a `{` without `}`")?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let mut parts = cell.split('|').map(str::trim);
            let column = parts.next().unwrap_or_default().to_owned();
            if column.is_empty() {
                return Err("names no column in `{}`".to_owned());
            }
            let filters = parts.map(Filter::parse).collect::<Result<_, _>>()?;
            pieces.push(Piece::Cell { column, filters });
            rest = behind;
        }
        if rest.contains('}') {
            return Err("has a `}` without `{`".to_owned());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Creates the template that is one column's cell.
    #[must_use]
    pub fn of_column(column: &str) -> Self {
        Self(vec![Piece::Cell { column: column.to_owned(), filters: vec![] }])
    }

    /// Returns the columns that it needs.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Cell { column, .. } => Some(column.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Returns the column if the template is nothing but its cell.
    pub(super) fn bare_column(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Cell { column, filters }] if filters.is_empty() => Some(column),
            _ => None,
        }
    }

    /// Returns the text for a row; nothing if a required cell is empty.
    pub(super) fn fill<'a>(&self, cell: impl Fn(&str) -> &'a str) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text += piece,
                Piece::Cell { column, filters } => {
                    let start = Some(cell(column)).filter(|cell| !cell.is_empty())?.to_owned();
                    let filled = filters.iter().fold(start, |text, filter| filter.apply(&text));
                    if filled.is_empty() {
                        return None;
                    }
                    text += &filled;
                }
            }
        }
        Some(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Cell { column, filters } => {
                    write!(f, "{{{column}")?;
                    filters.iter().try_for_each(|filter| write!(f, "|{filter}"))?;
                    f.write_str("}")?;
                }
            }
        }
        Ok(())
    }
}

impl Filter {
    const NAMES: [&str; 4] = ["pad N", "first N", "folder", "stem"];

    fn parse(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(' ').unwrap_or((text, ""));
        let number = || {
            let n = number.trim().parse().ok().filter(|n| (1..=100).contains(n));
            n.ok_or(format!("needs a number in [1, 100] in `{text}`"))
        };
        match name {
            "pad" => Ok(Self::Pad(number()?)),
            "first" => Ok(Self::First(number()?)),
            "folder" if text == name => Ok(Self::Folder),
            "stem" if text == name => Ok(Self::Stem),
            _ => {
                let hint = match nearest(name, ["pad", "first", "folder", "stem"]) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known: {}", quoted_list(Self::NAMES)),
                };
                Err(format!("has an unknown filter `{text}`; {hint}"))
            }
        }
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Pad(n) => format!("{text:0>n$}"),
            Self::First(n) => text.chars().take(n).collect(),
            Self::Folder => {
                text.rsplit(['/', '\\']).nth(1).filter(|name| *name != ".").unwrap_or("").to_owned()
            }
            Self::Stem => {
                let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
                name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pad(n) => write!(f, "pad {n}"),
            Self::First(n) => write!(f, "first {n}"),
            Self::Folder => f.write_str("folder"),
            Self::Stem => f.write_str("stem"),
        }
    }
}

/// The rule for a field that is a [`Template`] with at least one column.
pub(super) struct TemplateText;

impl Rule for TemplateText {
    type Made = Template;

    fn allowed(&self) -> String {
        "a text with a column in braces, e.g. \"{path}\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Template, Option<String>> {
        let Value::Text(text) = &node.value else { return Err(None) };
        let template =
            Template::parse(text).map_err(|said| Some(format!("{said}, found {text:?}")))?;
        if template.columns().next().is_some() { Ok(template) } else { Err(None) }
    }

    fn keep(&self, made: &Template) -> serde_json::Value {
        made.to_string().into()
    }

    fn stand_in(&self) -> Template {
        Template::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Option<String> {
        let cell = |column: &str| match column {
            "id" => "1486",
            "path" => "./Rumba-Misc/Media-1.2.wav",
            _ => "",
        };
        let parsed = Template::parse(template).unwrap();
        assert_eq!(parsed.to_string(), template);
        parsed.fill(cell)
    }

    #[test]
    fn cells_are_padded_cut_and_taken_from_paths() {
        assert_eq!(fill("{id|pad 6|first 3}/{id|pad 6}.mp3").as_deref(), Some("001/001486.mp3"));
        assert_eq!(fill("{path|folder}: {path|stem}").as_deref(), Some("Rumba-Misc: Media-1.2"));
        assert_eq!(fill("{id|folder}"), None, "there is no folder in it");
        assert_eq!(fill("x{empty}"), None);
        assert_eq!(fill("{empty|pad 6}"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text: &str| Template::parse(text).unwrap_err();
        assert_eq!(said("a{b"), "has a `{` without `}`");
        assert_eq!(said("a}b"), "has a `}` without `{`");
        assert_eq!(said("{ |stem}"), "names no column in `{}`");
        assert_eq!(said("{a|pad}"), "needs a number in [1, 100] in `pad`");
        assert_eq!(said("{a|stemm}"), "has an unknown filter `stemm`; did you mean `stem`?");
        assert_eq!(Template::parse("{a}").unwrap().bare_column(), Some("a"));
        assert_eq!(Template::parse("{a}.mp3").unwrap().bare_column(), None);
    }
}
