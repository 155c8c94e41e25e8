//! Reads TOML text into typed fields, and reports every fault of a file at once, each with its
//! line.
//!
//! A reader asks a [`Fields`] cursor for the keys that it knows, each with a [`Rule`]. A key that
//! is missing, mistyped, out of range or unknown becomes a [`Fault`], and reading continues. The
//! values with all defaults form the *resolved* tree, which the record stores.
//!
//! This room must never know experiments, datasets or models.

mod assign;
mod explore;
mod fields;
mod rule;
mod rule_of_many;
mod tree;

pub use explore::{json_schema, keys};
pub use fields::Fields;
pub use rule::{Flag, Int, OneOf, Real, Rule, Text};
pub use rule_of_many::{Keyed, List};
pub use tree::{Node, Tree, Value};

use std::fmt;

/// One fault of a file, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file or, for an override, the option.
    pub origin: String,
    /// One-based line; 0 if the fault is not in a line, e.g. on the command line.
    pub line: usize,
    /// The faulty field, the expected value and the one found.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.origin, self.message),
            line => write!(f, "{}:{line}: {}", self.origin, self.message),
        }
    }
}

/// All faults of a file; never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Reads a whole tree with a function that asks for its fields.
///
/// Returns the result of the function and the resolved tree (the fields that were read, defaults
/// included).
///
/// # Errors
/// All faults found by the function, sorted by line.
pub fn read<T>(
    tree: &Tree,
    reader: impl FnOnce(&mut Fields) -> T,
) -> Result<(T, serde_json::Value), Faults> {
    let shared = fields::Shared::default();
    let made = {
        let mut root = Fields::root(tree, &shared);
        reader(&mut root)
    };
    let (mut faults, resolved) = shared.into_parts();
    if faults.is_empty() {
        return Ok((made, resolved));
    }
    faults.sort_by(|a, b| (&a.origin, a.line).cmp(&(&b.origin, b.line)));
    faults.dedup();
    Err(Faults(faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Block {
        filters: usize,
        dropout: f64,
    }

    fn block(fields: &mut Fields) -> Block {
        Block {
            filters: fields.required("filters", &Int::within(1..=1024)),
            dropout: fields.with_default("dropout", &Real::from_to_below(0.0, 1.0), 0.0),
        }
    }

    fn blocks(fields: &mut Fields) -> Vec<Block> {
        fields.each_table("blocks", block)
    }

    #[test]
    fn reads_what_is_right_and_fills_in_defaults() {
        let tree =
            Tree::parse("x.toml", "blocks = [{ filters = 32 }, { filters = 8, dropout = 0.5 }]");
        let (got, resolved) = read(&tree.unwrap(), blocks).unwrap();
        assert_eq!(got, [Block { filters: 32, dropout: 0.0 }, Block { filters: 8, dropout: 0.5 }]);
        assert_eq!(
            resolved,
            serde_json::json!({ "blocks": [
                { "filters": 32, "dropout": 0.0 },
                { "filters": 8, "dropout": 0.5 },
            ]})
        );
    }

    #[test]
    fn reports_every_fault_with_its_line() {
        let text = "blocks = [\n  { filter = 32 },\n  { filters = 0, dropout = 1.3 },\n  { filters = \"8\" },\n]\nseed = 1\n";
        let faults = read(&Tree::parse("x.toml", text).unwrap(), blocks).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "x.toml:2: blocks[0].filters is missing; expected an integer in [1, 1024]\n\
             x.toml:2: blocks[0].filter is an unknown key; did you mean `filters`?\n\
             x.toml:3: blocks[1].filters must be an integer in [1, 1024], found 0\n\
             x.toml:3: blocks[1].dropout must be a number in [0, 1), found 1.3\n\
             x.toml:4: blocks[2].filters must be an integer in [1, 1024], found the text \"8\"\n\
             x.toml:6: seed is an unknown key; known here: `blocks`"
        );
    }

    #[test]
    fn an_override_replaces_one_key_and_is_named_in_faults() {
        let mut tree = Tree::parse("x.toml", "[training]\nepochs = 5\nrate = 1\n").unwrap();
        tree.set("training.epochs=-1").unwrap();
        let faults = read(&tree, |fields| {
            fields.table("training", |training| {
                training.required("epochs", &Int::within(1..=10));
                training.required("rate", &Real::positive());
            });
        })
        .unwrap_err();
        assert_eq!(
            faults.to_string(),
            "--set training.epochs=-1: training.epochs must be an integer in [1, 10], found -1"
        );
    }
}
