//! A list of choices: names, and tables that each hold one table.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Fields, Node, Shape, Step, Value, name};
use crate::vocab::{nearest, quoted_list};

impl<'a> Fields<'a> {
    /// Reads a list whose items are each one of several known names, or a table that contains exactly one
    /// table of such a name: `["roll", { mask = { bands = 8 } }]`. A name alone stands for an empty table.
    /// An absent list counts as empty.
    ///
    /// In the resolved tree, every item is a table with all of its fields, or the name alone if it has
    /// none.
    pub fn each_choice<T>(
        &mut self,
        key: &str,
        known: &[&str],
        mut reader: impl FnMut(&str, &mut Fields) -> T,
    ) -> Vec<T> {
        let names = || known.iter().map(|name| (*name).to_owned()).collect();
        self.note(key, false, || (Shape::Choices(names()), Some(Json::Array(vec![]))));
        let Some(node) = self.ask(key) else {
            self.keep(key, Json::Array(vec![]));
            return vec![];
        };
        let all = || quoted_list(known.iter().copied());
        let Value::List(items) = &node.value else {
            let got = node.value.describe();
            let said = format!("must be a list of names, or of tables of one of them, found {got}");
            self.fault_at(key, &format!("{said}; known here: {}", all()));
            return vec![];
        };
        self.keep(key, Json::Array(vec![]));
        let mut made = vec![];
        for (index, item) in items.iter().enumerate() {
            let path: Vec<Step> =
                self.path_of(key).into_iter().chain([Step::Item(index)]).collect();
            match &item.value {
                Value::Text(text) if known.contains(&text.as_str()) => {
                    let empty = Node {
                        origin: item.origin.clone(),
                        line: item.line,
                        value: Value::Table(BTreeMap::new()),
                    };
                    made.push(self.chosen(&path, text, &empty, &mut reader));
                }
                Value::Table(_) => {
                    let mut outer = Fields::over(item, path.clone(), self.shared);
                    let chosen = outer.only_one(known);
                    drop(outer);
                    for (name, inner) in chosen {
                        made.push(self.chosen(&path, name, inner, &mut reader));
                    }
                }
                other => {
                    let hint = match other {
                        Value::Text(text) => nearest(text, known.iter().copied()),
                        _ => None,
                    };
                    let hint =
                        hint.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
                    let got = other.describe();
                    let said = format!("must be {}, or a table of one of them", all());
                    self.shared.fault(item, format!("{} {said}, found {got}{hint}", name(&path)));
                }
            }
        }
        made
    }

    /// Returns the one table of known names in this table, or nothing after a fault was reported; where no
    /// file is read, all of them.
    fn only_one<'k>(&mut self, known: &[&'k str]) -> Vec<(&'k str, &'a Node)> {
        self.asked.extend(known.iter().map(|name| (*name).to_owned()));
        for name in known {
            self.note(name, false, || (Shape::Table, None));
        }
        let Some(table) = self.table else { return vec![] };
        let given: Vec<(&'k str, &'a Node)> =
            known.iter().filter_map(|name| Some((*name, table.get(*name)?))).collect();
        if given.len() == 1 || self.is_exploring() {
            return given;
        }
        // An unknown name is reported as an unknown key.
        if given.len() > 1 || table.is_empty() {
            let all = quoted_list(known.iter().copied());
            self.fault(&format!("must have exactly one of {all}, found {}", given.len()));
        }
        vec![]
    }

    /// Reads the table of an item at a path.
    fn chosen<T>(
        &self,
        path: &[Step],
        name: &str,
        table: &Node,
        reader: &mut impl FnMut(&str, &mut Fields) -> T,
    ) -> T {
        let inner: Vec<Step> = path.iter().cloned().chain([Step::Key(name.to_owned())]).collect();
        let made = reader(name, &mut Fields::over(table, inner.clone(), self.shared));
        if self.shared.is_empty(&inner) {
            self.shared.keep(path, Json::from(name));
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schema::{Fields, Int, Tree, json_schema, keys, read};

    const KNOWN: &[&str] = &["turn", "mask"];

    fn reader(fields: &mut Fields) -> Vec<(String, usize)> {
        fields.each_choice("change", KNOWN, |name, inner| match name {
            "mask" => (name.to_owned(), inner.with_default("n", &Int::within(1..=9), 3)),
            _ => (name.to_owned(), inner.optional("k", &Int::within(1..=9)).unwrap_or(0)),
        })
    }

    fn read_text(text: &str) -> Result<(Vec<(String, usize)>, serde_json::Value), String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, reader).map_err(|faults| faults.to_string())
    }

    #[test]
    fn an_item_is_a_name_or_a_table_and_keeps_all_its_fields() {
        let text = "change = [\"turn\", { mask = { n = 5 } }, \"mask\", { turn = {} }, { turn = { k = 2 } }]";
        let (made, resolved) = read_text(text).unwrap();
        let named = |name: &str, n| (name.to_owned(), n);
        let wanted = [
            named("turn", 0),
            named("mask", 5),
            named("mask", 3),
            named("turn", 0),
            named("turn", 2),
        ];
        assert_eq!(made, wanted);
        // A name without fields stays the name, so that old files keep their resolved tree.
        let kept = json!(["turn", { "mask": { "n": 5 } }, { "mask": { "n": 3 } }, "turn", { "turn": { "k": 2 } }]);
        assert_eq!(resolved, json!({ "change": kept }));
        let tables = "[[change]]\nturn = {}\n[[change]]\n[change.mask]\nn = 4\n";
        assert_eq!(read_text(tables).unwrap().0, [named("turn", 0), named("mask", 4)]);
        assert_eq!(read_text("").unwrap(), (vec![], json!({ "change": [] })));
    }

    #[test]
    fn every_wrong_item_is_named_with_its_line() {
        let text = "change = [\n\"turm\",\n{ mask = { n = 0, m = 1 } },\n{ musk = {} },\n{},\n\
                    { turn = {}, mask = {} },\n3,\n{ mask = 3 }]";
        assert_eq!(
            read_text(text).unwrap_err(),
            "x.toml:2: change[0] must be `turn` or `mask`, or a table of one of them, found the text \
             \"turm\", did you mean `turn`?\n\
             x.toml:3: change[1].mask.n must be an integer in [1, 9], found 0\n\
             x.toml:3: change[1].mask.m is an unknown key; known here: `n`\n\
             x.toml:4: change[2].musk is an unknown key; did you mean `mask`?\n\
             x.toml:5: change[3] must have exactly one of `turn` or `mask`, found 0\n\
             x.toml:6: change[4] must have exactly one of `turn` or `mask`, found 2\n\
             x.toml:7: change[5] must be `turn` or `mask`, or a table of one of them, found 3\n\
             x.toml:8: change[6].mask must be a table, found 3"
        );
        assert_eq!(
            read_text("change = \"turn\"").unwrap_err(),
            "x.toml:1: change must be a list of names, or of tables of one of them, found the text \
             \"turn\"; known here: `turn` or `mask`"
        );
    }

    #[test]
    fn an_explorer_finds_the_fields_of_all_names() {
        let found: Vec<String> = keys(reader).into_keys().collect();
        let wanted =
            ["change", "change[].mask", "change[].mask.n", "change[].turn", "change[].turn.k"];
        assert_eq!(found, wanted);
        let schema = json_schema("x", reader, |_| None);
        let [names, table] =
            schema["properties"]["change"]["items"]["anyOf"].as_array().unwrap().as_slice()
        else {
            panic!("{schema}")
        };
        assert_eq!(names["enum"], json!(KNOWN));
        assert_eq!((&table["minProperties"], &table["maxProperties"]), (&json!(1), &json!(1)));
        assert_eq!(table["properties"]["mask"]["properties"]["n"]["default"], json!(3));
    }
}
