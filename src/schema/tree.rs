//! A TOML file as a tree of values with their lines.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Faults};

/// A value and its origin.
#[derive(Debug, Clone)]
pub struct Node {
    /// The file, or the command-line option that set it.
    pub origin: String,
    /// One-based line in the file; 0 for the command line.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// A value in TOML; dates are stored as text.
#[derive(Debug, Clone)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a point or an exponent.
    Float(f64),
    /// A text.
    Text(String),
    /// `[a, b]` or an array of tables.
    List(Vec<Node>),
    /// `{ a = 1 }` or `[a]`.
    Table(BTreeMap<String, Node>),
}

impl Node {
    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Bool(x) => (*x).into(),
            Value::Int(x) => (*x).into(),
            Value::Float(x) => (*x).into(),
            Value::Text(x) => x.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Table(table) => {
                table.iter().map(|(key, node)| (key.clone(), node.to_json())).collect()
            }
        }
    }
}

impl Value {
    /// Describes the value for error messages: `1.3`, `the text "8"`, `a list`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Bool(x) => x.to_string(),
            Self::Int(x) => x.to_string(),
            Self::Float(x) => x.to_string(),
            Self::Text(x) => format!("the text {x:?}"),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

/// A parsed file.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The file's top-level table.
    pub root: Node,
}

impl Tree {
    /// Parses TOML text; `origin` is the name of the file in messages.
    ///
    /// # Errors
    /// Every syntax fault, with its line.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Faults> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let line_of = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
        if !errors.is_empty() {
            let faults = errors.iter().map(|error| Fault {
                origin: origin.to_owned(),
                line: error.span().map_or(0, |span| line_of(span.start)),
                message: error.message().to_owned(),
            });
            return Err(Faults(faults.collect()));
        }
        let mut builder = Builder { origin, line_of: &line_of, faults: vec![] };
        let root = builder.table(table.get_ref(), 1);
        if builder.faults.is_empty() { Ok(Self { root }) } else { Err(Faults(builder.faults)) }
    }
}

impl Tree {
    /// Whether there is a value at a place.
    #[must_use]
    pub fn has(&self, path: &[&str]) -> bool {
        let mut node = &self.root;
        path.iter().all(|key| match &node.value {
            Value::Table(table) => table.get(*key).is_some_and(|inner| {
                node = inner;
                true
            }),
            _ => false,
        })
    }

    /// Lowers an integer to at most `most`. Returns the old value, or nothing if it is absent, not
    /// an integer, or small enough already.
    pub fn lower(&mut self, path: &[&str], most: usize) -> Option<i64> {
        let node = path.iter().try_fold(&mut self.root, |node, key| match &mut node.value {
            Value::Table(table) => table.get_mut(*key),
            _ => None,
        })?;
        let Value::Int(was) = node.value else { return None };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        (was > most).then(|| node.value = Value::Int(most))?;
        Some(was)
    }
}

struct Builder<'a> {
    origin: &'a str,
    line_of: &'a dyn Fn(usize) -> usize,
    faults: Vec<Fault>,
}

impl Builder<'_> {
    fn table(&mut self, table: &DeTable<'_>, line: usize) -> Node {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let mut node = self.value(value);
                // The line of the key is more helpful than that of a table's first value, which may
                // be far away.
                node.line = (self.line_of)(key.span().start);
                (key.get_ref().to_string(), node)
            })
            .collect();
        self.node(line, Value::Table(entries))
    }

    fn value(&mut self, spanned: &Spanned<DeValue<'_>>) -> Node {
        let line = (self.line_of)(spanned.span().start);
        let value = match spanned.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(flag) => Value::Bool(*flag),
            DeValue::Datetime(date) => Value::Text(date.to_string()),
            DeValue::Integer(int) => match i64::from_str_radix(int.as_str(), int.radix()) {
                Ok(int) => Value::Int(int),
                Err(_) => self.too_large(line, int.as_str()),
            },
            DeValue::Float(float) => match float.as_str().parse() {
                Ok(float) => Value::Float(float),
                Err(_) => self.too_large(line, float.as_str()),
            },
            DeValue::Array(items) => {
                Value::List(items.iter().map(|item| self.value(item)).collect())
            }
            DeValue::Table(table) => return self.table(table, line),
        };
        self.node(line, value)
    }

    fn too_large(&mut self, line: usize, text: &str) -> Value {
        let message = format!("{text} does not fit in 64 bits");
        self.faults.push(Fault { origin: self.origin.to_owned(), line, message });
        Value::Int(0)
    }

    fn node(&self, line: usize, value: Value) -> Node {
        Node { origin: self.origin.to_owned(), line, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syntax_faults_carry_their_line() {
        let faults = Tree::parse("x.toml", "a = 1\nb = [1,\nc = \n").unwrap_err();
        assert!(faults.to_string().starts_with("x.toml:"), "{faults}");
        assert!(
            Tree::parse("x.toml", "a = 1\na = 2\n").unwrap_err().to_string().contains("x.toml:2")
        );
    }

    #[test]
    fn a_bare_word_is_a_text() {
        let mut tree = Tree::parse("x.toml", "").unwrap();
        tree.set("dataset=synth-genres").unwrap();
        let Value::Table(table) = &tree.root.value else { panic!("the root is a table") };
        assert_eq!(table["dataset"].value.describe(), "the text \"synth-genres\"");
    }
}
