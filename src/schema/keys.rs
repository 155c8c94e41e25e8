//! The keys that a reader asks for, found out by letting it read: for reference pages.

use std::collections::BTreeMap;

use super::fields::{Shape, Shared};
use super::{Fields, Node, Tree, Value};

/// Every key that a reader asks for, with what it may hold: `a.b` is in the table `a`, `c[].d` in the tables of
/// the list `c`. The reader sees a file in which every table is there and empty.
#[must_use]
pub fn keys<T>(reader: impl Fn(&mut Fields) -> T) -> BTreeMap<String, String> {
    let mut tree = Tree { root: table() };
    loop {
        let shared = Shared::default();
        drop(reader(&mut Fields::root(&tree, &shared)));
        let found = shared.keys();
        let mut is_new = false;
        for (path, shape) in found.iter().filter(|(_, shape)| !matches!(shape, Shape::Value(_))) {
            is_new |= add(&mut tree.root, path, *shape == Shape::Tables);
        }
        if !is_new {
            let allowed = |shape| match shape {
                Shape::Value(allowed) => allowed,
                Shape::Table => "a table".to_owned(),
                Shape::Tables => "a list of tables".to_owned(),
            };
            return found.into_iter().map(|(path, shape)| (path, allowed(shape))).collect();
        }
    }
}

fn table() -> Node {
    Node { origin: String::new(), line: 0, value: Value::Table(BTreeMap::new()) }
}

/// Adds an empty table at a path, or a list with one; says whether it was not there.
fn add(node: &mut Node, path: &str, is_list: bool) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let Value::Table(inside) = &mut node.value else { return false };
    let inner = inside.get_mut(first.trim_end_matches("[]"));
    match (inner, rest) {
        (Some(_), "") => false,
        (None, "") => {
            let value = if is_list { Value::List(vec![table()]) } else { table().value };
            inside.insert(first.to_owned(), Node { value, ..table() });
            true
        }
        (Some(Node { value: Value::List(items), .. }), rest) => {
            items.first_mut().is_some_and(|item| add(item, rest, is_list))
        }
        (Some(inner), rest) => add(inner, rest, is_list),
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Flag, Int, Text};
    use super::*;

    #[test]
    fn keys_of_all_tables_are_found() {
        let found = keys(|fields| {
            fields.required("a", &Text);
            fields.table("b", |b| {
                b.with_default("c", &Flag, true);
                b.each_table("d", |d| d.optional("e", &Int::within(1..=2)));
                b.required_table("f", |f| f.required("g", &Text));
            });
        });
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, allowed)| (key.as_str(), allowed.as_str())).collect();
        assert_eq!(
            found,
            [
                ("a", "a text"),
                ("b", "a table"),
                ("b.c", "true or false"),
                ("b.d", "a list of tables"),
                ("b.d[].e", "an integer in [1, 2]"),
                ("b.f", "a table"),
                ("b.f.g", "a text"),
            ]
        );
    }
}
