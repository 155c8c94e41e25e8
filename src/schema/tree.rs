//! A TOML file as a tree of values that remember their line.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Fault, Faults};

/// A value and where it was written.
#[derive(Debug, Clone)]
pub struct Node {
    /// The file, or the command-line option that set it.
    pub origin: String,
    /// One-based line in the file; 0 for the command line.
    pub line: usize,
    /// What was written.
    pub value: Value,
}

/// What TOML can say; dates are kept as text.
#[derive(Debug, Clone)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
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

impl Value {
    /// The value as an error message shows it: `1.3`, `the text "8"`, `a list`.
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

/// A whole file.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The file's top-level table.
    pub root: Node,
}

impl Tree {
    /// Parses TOML text; `origin` is the file's name as messages should show it.
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

    /// Applies one override such as `training.epochs=20` (a bare word counts as a text).
    ///
    /// # Errors
    /// Where the override is no `key=value`, or leads through something that is no table.
    pub fn set(&mut self, assignment: &str) -> Result<(), Faults> {
        let origin = format!("--set {assignment}");
        let fault =
            |message: String| Faults(vec![Fault { origin: origin.clone(), line: 0, message }]);
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(fault("must be KEY=VALUE, e.g. training.epochs=20".to_owned()));
        };
        let mut parsed = Self::parse(&origin, assignment)
            .or_else(|_| Self::parse(&origin, &format!("{key}={:?}", value.trim())))
            .map_err(|_| fault("must be KEY=VALUE, e.g. training.epochs=20".to_owned()))?;
        forget_lines(&mut parsed.root);
        merge(&mut self.root, parsed.root, "").map_err(fault)
    }
}

impl Tree {
    /// Lowers an integer to `most`; what it was, or nothing where it is absent, no integer or small
    /// enough.
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

fn forget_lines(node: &mut Node) {
    node.line = 0;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_lines),
        Value::Table(table) => table.values_mut().for_each(forget_lines),
        _ => {}
    }
}

/// Lays the override over the file: tables are entered where both have one, all else is replaced.
fn merge(below: &mut Node, above: Node, path: &str) -> Result<(), String> {
    let Value::Table(new) = above.value else {
        *below = above;
        return Ok(());
    };
    let Value::Table(old) = &mut below.value else {
        return Err(format!("{path} is {}, expected a table", below.value.describe()));
    };
    for (key, node) in new {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match old.get_mut(&key) {
            Some(target) => merge(target, node, &path)?,
            None => {
                old.insert(key, node);
            }
        }
    }
    Ok(())
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
                // A key's own line reads better than that of a table's far-off first value.
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
    fn an_override_that_leads_nowhere_says_so() {
        let mut tree = Tree::parse("x.toml", "epochs = 3\n").unwrap();
        let error = tree.set("epochs.many=3").unwrap_err().to_string();
        assert_eq!(error, "--set epochs.many=3: epochs is 3, expected a table");
        assert!(tree.set("epochs").is_err());
    }

    #[test]
    fn a_bare_word_is_a_text() {
        let mut tree = Tree::parse("x.toml", "").unwrap();
        tree.set("dataset=synth-genres").unwrap();
        let Value::Table(table) = &tree.root.value else { panic!("the root is a table") };
        assert_eq!(table["dataset"].value.describe(), "the text \"synth-genres\"");
    }
}
