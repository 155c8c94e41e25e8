//! Rules for values that contain others: lists, and tables with arbitrary keys.

use std::ops::RangeInclusive;

use serde_json::json;

use super::{Node, Rule, Value};

/// A list whose items all follow one rule, with an allowed length.
pub struct List<R> {
    item: R,
    length: RangeInclusive<usize>,
}

impl<R: Rule> List<R> {
    /// Allows a list of any length.
    pub fn of(item: R) -> Self {
        Self { item, length: 0..=usize::MAX }
    }

    /// Allows a list of exactly `n` items.
    pub fn of_exactly(n: usize, item: R) -> Self {
        Self { item, length: n..=n }
    }

    /// Allows a list of at least one item.
    pub fn of_some(item: R) -> Self {
        Self { item, length: 1..=usize::MAX }
    }
}

impl<R: Rule> Rule for List<R> {
    type Made = Vec<R::Made>;

    fn allowed(&self) -> String {
        let count = match (*self.length.start(), *self.length.end()) {
            (0, _) => String::new(),
            (low, high) if low == high => format!("{low} items, each "),
            (1, _) => "at least one item, each ".to_owned(),
            (low, _) => format!("at least {low} items, each "),
        };
        format!("a list of {count}{}", self.item.allowed())
    }

    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>> {
        let Value::List(items) = &node.value else { return Err(None) };
        if !self.length.contains(&items.len()) {
            return Err(Some(format!("must be {}, found {} items", self.allowed(), items.len())));
        }
        items
            .iter()
            .map(|item| {
                self.item.check(item).map_err(|said| {
                    said.or_else(|| {
                        let got = item.value.describe();
                        Some(format!("must be {}, found {got} in it", self.allowed()))
                    })
                })
            })
            .collect()
    }

    fn keep(&self, made: &Self::Made) -> serde_json::Value {
        made.iter().map(|item| self.item.keep(item)).collect()
    }

    fn schema(&self) -> serde_json::Value {
        let mut schema = json!({ "type": "array", "items": self.item.schema() });
        if *self.length.start() > 0 {
            schema["minItems"] = json!(self.length.start());
        }
        if *self.length.end() < usize::MAX {
            schema["maxItems"] = json!(self.length.end());
        }
        schema
    }

    fn stand_in(&self) -> Self::Made {
        (0..*self.length.start()).map(|_| self.item.stand_in()).collect()
    }
}

/// A table with arbitrary keys whose values all follow one rule.
pub struct Keyed<R>(pub R);

impl<R: Rule> Rule for Keyed<R> {
    type Made = Vec<(String, R::Made)>;

    fn allowed(&self) -> String {
        format!("a table whose values are each {}", self.0.allowed())
    }

    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>> {
        let Value::Table(table) = &node.value else { return Err(None) };
        table
            .iter()
            .map(|(key, node)| {
                let made = self.0.check(node).map_err(|said| {
                    let got = node.value.describe();
                    said.or_else(|| {
                        Some(format!("must be {}, found {got} at `{key}`", self.allowed()))
                    })
                })?;
                Ok((key.clone(), made))
            })
            .collect()
    }

    fn keep(&self, made: &Self::Made) -> serde_json::Value {
        made.iter().map(|(key, value)| (key.clone(), self.0.keep(value))).collect()
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": self.0.schema() })
    }

    fn stand_in(&self) -> Self::Made {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Int;

    fn node(value: Value) -> Node {
        Node { origin: "x.toml".to_owned(), line: 1, value }
    }

    #[test]
    fn a_list_has_a_length_and_a_kind() {
        let rule = List::of_exactly(2, Int::within(1..=9));
        let list = |items: Vec<i64>| {
            node(Value::List(items.into_iter().map(|x| node(Value::Int(x))).collect()))
        };
        assert_eq!(rule.check(&list(vec![3, 3])), Ok(vec![3, 3]));
        assert!(rule.check(&list(vec![3])).is_err());
        assert!(rule.check(&list(vec![3, 10])).is_err());
    }
}
