//! `[ablation]`: changes of a spec, each by itself, whose effect is tested.
//!
//! ```toml
//! [ablation]
//! remove = ["training.mixup", "training.ema"]    # each is removed by itself
//! each = ["training.augment"]                    # of a list, each item by itself
//!
//! [ablation.change]                              # by name: one override or several, as for --set
//! "half the segments" = "segments.per_track=5"
//! "no augmentation at all" = ["training.augment=[]", "training.mixup={}"]
//! ```
//!
//! A change does not decide the result of a spec, so that the table is no part of its hash.

use std::collections::BTreeMap;

use crate::schema::{Fault, Faults, Fields, Keyed, List, Node, Rule, Text, Tree, Value};

/// The table, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ablation {
    /// Keys or list items that are removed.
    pub remove: Vec<String>,
    /// Lists whose items are removed.
    pub each: Vec<String>,
    /// Overrides by the name of the change.
    pub change: Vec<(String, Vec<String>)>,
}

/// One change of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// What it is called: `without training.mixup`, or its name.
    pub name: String,
    /// Its overrides.
    pub set: Vec<String>,
    /// The key or list item that it removes.
    pub unset: Option<String>,
    /// The hash of the changed spec.
    pub spec_hash: String,
}

impl Variant {
    /// What the resolved spec says of it, so that records tell which runs are of which change.
    pub(super) fn fact(&self) -> serde_json::Value {
        serde_json::json!({ "name": self.name, "spec_hash": self.spec_hash })
    }
}

/// A change and the line that asks for it.
struct Asked<'a> {
    name: String,
    set: Vec<String>,
    unset: Option<String>,
    /// The key of the table, for messages.
    place: String,
    node: &'a Node,
}

impl Ablation {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            remove: fields.with_default("remove", &List::of(Text), vec![]),
            each: fields.with_default("each", &List::of(Text), vec![]),
            change: fields.with_default("change", &Keyed(Changes(List::of_some(Text))), vec![]),
        }
    }

    /// The changes of a spec, each with the hash of the changed spec, which `resolve` computes. `base` is the
    /// hash of the spec itself.
    ///
    /// # Errors
    /// All changes that are about a key that the spec lacks, that make the spec invalid, or that make it the same
    /// as it is or as another change does, with their lines.
    pub(super) fn variants<E: std::fmt::Display>(
        &self,
        tree: &Tree,
        base: &str,
        resolve: impl Fn(Tree) -> Result<String, E>,
    ) -> Result<Vec<Variant>, Faults> {
        let mut faults = vec![];
        let asked = self.asked(tree, &mut faults);
        if asked.is_empty() && faults.is_empty() {
            let node = tree.find("ablation").unwrap_or(&tree.root);
            let said = "ablation names no change; expected `remove`, `each` or `change`";
            return Err(Faults(vec![fault(node, said.to_owned())]));
        }
        let mut plain = tree.clone();
        // The changed specs have no changes of their own.
        let _ = plain.unset("ablation");
        let mut variants: Vec<Variant> = vec![];
        let mut seen = BTreeMap::from([(base.to_owned(), "the spec itself".to_owned())]);
        for Asked { name, set, unset, place, node } in asked {
            let changed = || {
                let mut tree = plain.clone();
                set.iter().try_for_each(|assignment| tree.set(assignment).map(drop))?;
                unset.iter().try_for_each(|key| tree.unset(key).map(drop))?;
                Ok::<Tree, Faults>(tree)
            };
            let made = match changed() {
                Err(Faults(found)) => {
                    Err(found.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "))
                }
                Ok(tree) => resolve(tree).map_err(|error| {
                    let said = error.to_string().replace('\n', "; ");
                    format!("leaves an invalid spec: {said}")
                }),
            };
            let made = made.and_then(|hash| match seen.get(&hash) {
                Some(other) => Err(format!("makes the same spec as {other}")),
                None => Ok(hash),
            });
            match made {
                Ok(spec_hash) => {
                    seen.insert(spec_hash.clone(), format!("\"{name}\""));
                    variants.push(Variant { name, set, unset, spec_hash });
                }
                Err(said) => faults.push(fault(node, format!("{place}: {said}"))),
            }
        }
        if faults.is_empty() { Ok(variants) } else { Err(Faults(faults)) }
    }

    /// The changes that are asked for, those of lists item by item.
    fn asked<'a>(&self, tree: &'a Tree, faults: &mut Vec<Fault>) -> Vec<Asked<'a>> {
        let node = |key: &str| tree.find(&format!("ablation.{key}")).unwrap_or(&tree.root);
        let mut asked = vec![];
        for (i, key) in self.remove.iter().enumerate() {
            let place = format!("ablation.remove[{i}] ({key})");
            asked.push(removal(tree, key, place, node(&format!("remove[{i}]"))));
        }
        for (i, key) in self.each.iter().enumerate() {
            let (place, node) =
                (format!("ablation.each[{i}] ({key})"), node(&format!("each[{i}]")));
            let items = match tree.find(key).map(|found| &found.value) {
                Ok(Value::List(items)) if !items.is_empty() => items.len(),
                Ok(Value::List(_)) => {
                    faults.push(fault(node, format!("{place}: is a list without items")));
                    continue;
                }
                Ok(other) => {
                    let found = other.describe();
                    faults.push(fault(node, format!("{place}: expected a list, found {found}")));
                    continue;
                }
                Err(said) => {
                    faults.push(fault(node, format!("{place}: {said}")));
                    continue;
                }
            };
            let item = |i| removal(tree, &format!("{key}[{i}]"), place.clone(), node);
            asked.extend((0..items).map(item));
        }
        let changes = match &node("change").value {
            Value::Table(table) => Some(table),
            _ => None,
        };
        for (name, set) in &self.change {
            let node = changes.and_then(|table| table.get(name)).unwrap_or(&tree.root);
            let place = format!("ablation.change.\"{name}\"");
            asked.push(Asked { name: name.clone(), set: set.clone(), unset: None, place, node });
        }
        asked
    }
}

/// A key that is removed; an item of a list is named by what it is.
fn removal<'a>(tree: &Tree, key: &str, place: String, node: &'a Node) -> Asked<'a> {
    let item = match tree.find(key).map(|found| &found.value) {
        Ok(Value::Text(text)) => Some(text.clone()),
        // A choice of what an item is: `{ mask = { frames = 30 } }`.
        Ok(Value::Table(table)) if table.len() == 1 => {
            let (name, inner) = table.iter().next().expect("it has one key");
            matches!(inner.value, Value::Table(_)).then(|| name.clone())
        }
        _ => None,
    };
    let name = match item.filter(|_| key.trim_end().ends_with(']')) {
        Some(item) => format!("without {key} ({item})"),
        None => format!("without {key}"),
    };
    Asked { name, set: vec![], unset: Some(key.to_owned()), place, node }
}

fn fault(node: &Node, message: String) -> Fault {
    Fault { origin: node.origin.clone(), line: node.line, message }
}

/// One override, or a list of them.
struct Changes(List<Text>);

impl Rule for Changes {
    type Made = Vec<String>;

    fn allowed(&self) -> String {
        "an override like \"training.epochs=20\", or a list of them".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>> {
        match &node.value {
            Value::Text(_) => Ok(vec![Text.check(node)?]),
            _ => self.0.check(node).map_err(|_| None),
        }
    }

    fn keep(&self, made: &Self::Made) -> serde_json::Value {
        self.0.keep(made)
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "anyOf": [Text.schema(), self.0.schema()] })
    }

    fn stand_in(&self) -> Self::Made {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    const SPEC: &str =
        "epochs = 5\nmixup = { alpha = 0.2 }\naugment = [\"a\", { b = { c = 1 } }]\n";

    /// The changes of a spec with a table; a changed spec has its text as its hash, and needs `epochs`.
    fn variants(table: &str) -> Result<Vec<Variant>, String> {
        let tree = Tree::parse("x.toml", &format!("{SPEC}[ablation]\n{table}")).unwrap();
        let hash = |tree: &Tree| {
            let mut found = vec![];
            for key in ["epochs", "mixup.alpha", "augment[0]", "augment[1].b.c", "augment[1]"] {
                found.push(tree.find(key).map(|it| it.value.describe()).unwrap_or_default());
            }
            found.join(",")
        };
        let resolve = |tree: Tree| {
            assert!(tree.find("ablation").is_err());
            tree.find("epochs").map(|_| hash(&tree)).map_err(|_| "epochs is missing".to_owned())
        };
        let read = |fields: &mut Fields| {
            ["epochs", "mixup", "augment"].iter().for_each(|key| fields.pass_over(key));
            fields.table("ablation", Ablation::read)
        };
        let (ablation, _) = schema::read(&tree, read).map_err(|faults| faults.to_string())?;
        let base = hash(&tree);
        ablation.unwrap().variants(&tree, &base, resolve).map_err(|faults| faults.to_string())
    }

    #[test]
    fn keys_items_and_named_overrides_are_changes() {
        let found = variants(
            "remove = [\"mixup\"]\neach = [\"augment\"]\n[ablation.change]\nlong = \"epochs=9\"\n\
             \"long, plain\" = [\"epochs=9\", \"augment=[]\"]\n",
        );
        let said: Vec<(String, Vec<String>, Option<String>)> =
            found.unwrap().into_iter().map(|it| (it.name, it.set, it.unset)).collect();
        let unset = |name: &str, key: &str| (name.to_owned(), vec![], Some(key.to_owned()));
        let set = |name: &str, of: &[&str]| {
            (name.to_owned(), of.iter().map(|it| (*it).to_owned()).collect(), None)
        };
        assert_eq!(
            said,
            [
                unset("without mixup", "mixup"),
                unset("without augment[0] (a)", "augment[0]"),
                unset("without augment[1] (b)", "augment[1]"),
                set("long", &["epochs=9"]),
                set("long, plain", &["epochs=9", "augment=[]"]),
            ]
        );
    }

    #[test]
    fn changes_that_change_nothing_or_too_much_are_faults_with_their_lines() {
        for (table, said) in [
            ("remove = []\n", "x.toml:4: ablation names no change"),
            ("", "x.toml:4: ablation names no change; expected `remove`, `each` or `change`"),
            (
                "remove = [\n\"ema\"]\n",
                "x.toml:6: ablation.remove[0] (ema): ema is not in the spec",
            ),
            ("each = [\"ema\"]\n", "x.toml:5: ablation.each[0] (ema): ema is not in the spec"),
            (
                "each = [\"mixup\"]\n",
                "x.toml:5: ablation.each[0] (mixup): expected a list, found a table",
            ),
            (
                "remove = [\"epochs\"]\n",
                "x.toml:5: ablation.remove[0] (epochs): leaves an invalid spec: epochs is missing",
            ),
            (
                "[ablation.change]\na = \"epochs=5\"\n",
                "x.toml:6: ablation.change.\"a\": makes the same spec as the spec itself",
            ),
            (
                "remove = [\"augment[0]\"]\neach = [\"augment\"]\n",
                "x.toml:6: ablation.each[0] (augment): makes the same spec as \"without augment[0] (a)\"",
            ),
            ("[ablation.change]\na = 3\n", "x.toml:5: ablation.change must be"),
            (
                "[ablation.change]\na = \"epochs\"\n",
                "x.toml:6: ablation.change.\"a\": must be KEY=VALUE",
            ),
        ] {
            let error = variants(table).unwrap_err();
            assert!(error.starts_with(said), "{table}: {error}");
        }
    }
}
