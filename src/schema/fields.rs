//! The cursor with which a reader goes through a table.

mod choices;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Fault, Node, Rule, Tree, Value};
use crate::vocab::{nearest, quoted_list};

/// Stands for all keys of a table that a reader does not know by name.
pub(super) const OTHER_KEYS: &str = "*";

/// The output that all cursors over one tree share.
#[derive(Default)]
pub(super) struct Shared {
    faults_and_resolved: RefCell<(Vec<Fault>, Json)>,
    /// Where no file is read, but a reader is asked for all keys that it knows.
    exploration: Option<Exploration>,
}

/// What a reader asks for that sees only empty tables.
struct Exploration {
    /// What the reader is told when it wants to know whether a key is given.
    is_given: bool,
    asked: RefCell<BTreeMap<String, Asked>>,
}

/// A key that a reader asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) shape: Shape,
    pub(super) is_required: bool,
    pub(super) default: Option<Json>,
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// A value; what is allowed, in words and as a JSON Schema.
    Value { allowed: String, schema: Json },
    /// A table.
    Table,
    /// A table with exactly one table in it.
    Choice,
    /// A list of tables.
    Tables,
    /// A list whose items are each one of these names, or a table with exactly one table of them in it.
    Choices(Vec<String>),
}

impl Shape {
    fn of(rule: &impl Rule) -> Self {
        Self::Value { allowed: rule.allowed(), schema: rule.schema() }
    }
}

impl Shared {
    /// Explores a reader. It is told that every key is given, or that none is.
    pub(super) fn exploring(is_given: bool) -> Self {
        let exploration = Exploration { is_given, asked: RefCell::default() };
        Self { exploration: Some(exploration), ..Self::default() }
    }

    /// All keys that were asked for, as `list[].key`.
    pub(super) fn asked(self) -> BTreeMap<String, Asked> {
        self.exploration.map(|exploration| exploration.asked.into_inner()).unwrap_or_default()
    }

    pub(super) fn into_parts(self) -> (Vec<Fault>, Json) {
        let (faults, resolved) = self.faults_and_resolved.into_inner();
        (faults, if resolved.is_null() { Json::Object(serde_json::Map::new()) } else { resolved })
    }

    fn fault(&self, node: &Node, message: String) {
        let fault = Fault { origin: node.origin.clone(), line: node.line, message };
        self.faults_and_resolved.borrow_mut().0.push(fault);
    }

    /// Whether there is a table without keys at a place of the resolved tree.
    fn is_empty(&self, path: &[Step]) -> bool {
        let shared = self.faults_and_resolved.borrow();
        let place = path.iter().try_fold(&shared.1, |place, step| match step {
            Step::Key(key) => place.get(key),
            Step::Item(index) => place.get(index),
        });
        place.and_then(Json::as_object).is_some_and(serde_json::Map::is_empty)
    }

    /// Sets a value in the resolved tree, creating tables and lists where needed.
    fn keep(&self, path: &[Step], value: Json) {
        let mut shared = self.faults_and_resolved.borrow_mut();
        let mut place = &mut shared.1;
        for step in path {
            place = match step {
                Step::Key(key) => {
                    if !place.is_object() {
                        *place = Json::Object(serde_json::Map::new());
                    }
                    place.as_object_mut().expect("made just above").entry(key).or_insert(Json::Null)
                }
                Step::Item(index) => {
                    if !place.is_array() {
                        *place = Json::Array(vec![]);
                    }
                    let items = place.as_array_mut().expect("made just above");
                    while items.len() <= *index {
                        items.push(Json::Null);
                    }
                    &mut items[*index]
                }
            };
        }
        if place.is_null() || !value.is_object() {
            *place = value;
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Item(usize),
}

/// A cursor over one table: returns typed fields and remembers which keys were read.
///
/// When it is dropped, keys that were not read become faults.
pub struct Fields<'a> {
    node: &'a Node,
    table: Option<&'a BTreeMap<String, Node>>,
    path: Vec<Step>,
    asked: BTreeSet<String>,
    shared: &'a Shared,
}

impl<'a> Fields<'a> {
    pub(super) fn root(tree: &'a Tree, shared: &'a Shared) -> Self {
        Self::over(&tree.root, vec![], shared)
    }

    fn over(node: &'a Node, path: Vec<Step>, shared: &'a Shared) -> Self {
        let table = match &node.value {
            Value::Table(table) => Some(table),
            _ => None,
        };
        let fields = Self { node, table, path, asked: BTreeSet::new(), shared };
        if table.is_none() {
            let got = node.value.describe();
            shared.fault(node, format!("{} must be a table, found {got}", fields.name()));
        } else {
            shared.keep(&fields.path, Json::Object(serde_json::Map::new()));
        }
        fields
    }

    /// Reads a mandatory field.
    pub fn required<R: Rule>(&mut self, key: &str, rule: &R) -> R::Made {
        self.note(key, true, || (Shape::of(rule), None));
        if self.has(key) {
            return self.optional(key, rule).unwrap_or_else(|| rule.stand_in());
        }
        self.asked.insert(key.to_owned());
        if self.table.is_some() {
            let missing = format!("is missing; expected {}", rule.allowed());
            self.fault_at(key, &missing);
        }
        rule.stand_in()
    }

    /// Reads an optional field with its default.
    pub fn with_default<R: Rule>(&mut self, key: &str, rule: &R, default: R::Made) -> R::Made {
        self.note(key, false, || (Shape::of(rule), Some(rule.keep(&default))));
        if self.has(key) {
            return self.optional(key, rule).unwrap_or_else(|| rule.stand_in());
        }
        self.asked.insert(key.to_owned());
        self.keep(key, rule.keep(&default));
        default
    }

    /// Reads an optional field.
    pub fn optional<R: Rule>(&mut self, key: &str, rule: &R) -> Option<R::Made> {
        self.note(key, false, || (Shape::of(rule), None));
        let node = self.ask(key)?;
        match rule.check(node) {
            Ok(made) => {
                self.keep(key, rule.keep(&made));
                Some(made)
            }
            Err(said) => {
                let usual =
                    || format!("must be {}, found {}", rule.allowed(), node.value.describe());
                self.fault_at(key, &said.unwrap_or_else(usual));
                None
            }
        }
    }

    /// Reads an optional sub-table.
    pub fn table<T>(&mut self, key: &str, reader: impl FnOnce(&mut Fields) -> T) -> Option<T> {
        self.note(key, false, || (Shape::Table, None));
        let node = self.ask(key)?;
        Some(reader(&mut Fields::over(node, self.path_of(key), self.shared)))
    }

    /// Reads a mandatory sub-table.
    pub fn required_table<T>(
        &mut self,
        key: &str,
        reader: impl FnOnce(&mut Fields) -> T,
    ) -> Option<T> {
        self.note(key, true, || (Shape::Table, None));
        if !self.has(key) {
            self.asked.insert(key.to_owned());
            self.fault_at(key, "is missing; expected a table");
            return None;
        }
        self.table(key, reader)
    }

    /// Reads a sub-table with arbitrary keys whose values all follow one rule, in the order of the keys. Each
    /// fault has the line of its key.
    pub fn keyed<R: Rule>(&mut self, key: &str, rule: &R) -> Vec<(String, R::Made)> {
        let read = |inner: &mut Fields| {
            inner.explore_other_keys(rule);
            let keys: Vec<String> =
                inner.table.into_iter().flatten().map(|it| it.0.clone()).collect();
            let read = |key: String| inner.optional(&key, rule).map(|made| (key, made));
            keys.into_iter().filter_map(read).collect()
        };
        self.table(key, read).unwrap_or_default()
    }

    /// Reads every table of a list; an absent list counts as empty.
    pub fn each_table<T>(&mut self, key: &str, mut reader: impl FnMut(&mut Fields) -> T) -> Vec<T> {
        self.note(key, false, || (Shape::Tables, None));
        let Some(node) = self.ask(key) else {
            self.keep(key, Json::Array(vec![]));
            return vec![];
        };
        let Value::List(items) = &node.value else {
            let got = node.value.describe();
            self.fault_at(key, &format!("must be a list of tables, found {got}"));
            return vec![];
        };
        self.keep(key, Json::Array(vec![]));
        let path = self.path_of(key);
        let read_one = |(index, item)| {
            let path = path.iter().cloned().chain([Step::Item(index)]).collect();
            reader(&mut Fields::over(item, path, self.shared))
        };
        items.iter().enumerate().map(read_one).collect()
    }

    /// Reads a sub-table that contains exactly one table out of several known names: `[model.cnn]`
    /// chooses `cnn` at `model`.
    pub fn choice<T>(
        &mut self,
        key: &str,
        known: &[&str],
        mut reader: impl FnMut(&str, &mut Fields) -> T,
    ) -> Option<T> {
        self.note(key, true, || (Shape::Choice, None));
        self.required_table(key, |outer| {
            let table = outer.table?;
            if outer.is_exploring() {
                let all = known.iter();
                return all.filter_map(|name| outer.table(name, |it| reader(name, it))).last();
            }
            outer.asked.extend(known.iter().map(|name| (*name).to_owned()));
            let given: Vec<&&str> =
                known.iter().filter(|name| table.contains_key(**name)).collect();
            match (given.as_slice(), table.is_empty()) {
                ([name], _) => outer.table(name, |inner| reader(name, inner)),
                // An unknown name is reported as an unknown key.
                ([], false) => None,
                _ => {
                    let all = quoted_list(known.iter().copied());
                    outer.fault(&format!("must have exactly one of {all}, found {}", given.len()));
                    None
                }
            }
        })
        .flatten()
    }

    /// Adds to the resolved tree what follows from a value, such as the hash of the file that it names.
    pub fn keep_fact(&self, key: &str, value: Json) {
        self.keep(key, value);
    }

    /// Skips a known key whose value can't be checked.
    pub fn pass_over(&mut self, key: &str) {
        self.ask(key);
    }

    /// Skips all remaining keys of a table that can't be checked.
    pub fn pass_over_all(&mut self) {
        self.asked.extend(self.table.into_iter().flatten().map(|(key, _)| key.clone()));
    }

    /// Returns whether a key is present, valid or not.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        let told = self.shared.exploration.as_ref().map(|exploration| exploration.is_given);
        told.unwrap_or_else(|| self.has(key))
    }

    /// Returns whether there is no file, and the reader is only asked for the keys that it knows. Then
    /// it should read every table, also those that are for some files only.
    #[must_use]
    pub fn is_exploring(&self) -> bool {
        self.shared.exploration.is_some()
    }

    /// Tells whoever explores the reader that the file decides on further keys, and what they hold.
    pub fn explore_other_keys<R: Rule>(&self, rule: &R) {
        self.note(OTHER_KEYS, false, || (Shape::of(rule), None));
    }

    fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Reports a fault of one field: its full name, then the message.
    pub fn fault_at(&self, key: &str, message: &str) {
        let node = self.table.and_then(|table| table.get(key)).unwrap_or(self.node);
        self.shared.fault(node, format!("{} {message}", name(&self.path_of(key))));
    }

    /// Reports a fault of the whole table.
    pub fn fault(&self, message: &str) {
        self.shared.fault(self.node, format!("{} {message}", self.name()));
    }

    fn note(&self, key: &str, is_required: bool, what: impl FnOnce() -> (Shape, Option<Json>)) {
        let Some(exploration) = &self.shared.exploration else { return };
        let path = self.path_of(key);
        let path: Vec<&str> = path
            .iter()
            .map(|step| match step {
                Step::Key(key) => key.as_str(),
                Step::Item(_) => "[]",
            })
            .collect();
        let path = path.join(".").replace(".[]", "[]");
        let (shape, default) = what();
        // What was said first holds: a choice is a table as well, and a required value an optional one.
        let mut asked = exploration.asked.borrow_mut();
        asked.entry(path).or_insert(Asked { shape, is_required, default });
    }

    fn ask(&mut self, key: &str) -> Option<&'a Node> {
        self.asked.insert(key.to_owned());
        self.table?.get(key)
    }

    fn keep(&self, key: &str, value: Json) {
        self.shared.keep(&self.path_of(key), value);
    }

    fn path_of(&self, key: &str) -> Vec<Step> {
        self.path.iter().cloned().chain([Step::Key(key.to_owned())]).collect()
    }

    fn name(&self) -> String {
        if self.path.is_empty() { "the file".to_owned() } else { name(&self.path) }
    }
}

impl Drop for Fields<'_> {
    fn drop(&mut self) {
        for (key, node) in self.table.into_iter().flatten() {
            if self.asked.contains(key) {
                continue;
            }
            let known = || self.asked.iter().map(String::as_str);
            let hint = match nearest(key, known()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known here: {}", quoted_list(known())),
            };
            self.shared
                .fault(node, format!("{} is an unknown key; {hint}", name(&self.path_of(key))));
        }
    }
}

fn name(path: &[Step]) -> String {
    path.iter().fold(String::new(), |mut text, step| {
        match step {
            Step::Item(index) => text += &format!("[{index}]"),
            Step::Key(key) if text.is_empty() => text += key,
            Step::Key(key) => text += &format!(".{key}"),
        }
        text
    })
}
