//! One override of the command line, `KEY=VALUE`, laid over a file, or a key that is taken out of it.
//!
//! A key is a path: `training.epochs`, `model.dense.layers[0].units`, `"odd key".x`. A value is TOML; a
//! bare word counts as a text. The value replaces what was there, tables and lists included.

use super::{Fault, Faults, Node, Tree, Value};

/// One step of a path.
enum Step {
    Key(String),
    Item(usize),
}

const USAGE: &str = "must be KEY=VALUE, e.g. training.epochs=20";
const KEY_USAGE: &str = "must be a KEY, e.g. training.ema or training.augment[0]";

impl Tree {
    /// Replaces one value, e.g. by `training.epochs=20`, `layers[0].units=8` or `model={forest={}}`.
    /// Missing tables on the way are added; missing list items are not. Returns the top-level key.
    ///
    /// # Errors
    /// Where the override is no `key=value`, its value is a broken list, table or text, or its key leads
    /// through something that is no table or list.
    pub fn set(&mut self, assignment: &str) -> Result<String, Faults> {
        let origin = format!("--set {assignment}");
        let fault =
            |message: String| Faults(vec![Fault { origin: origin.clone(), line: 0, message }]);
        let (path, rest) =
            path(assignment).map_err(|said| fault(said.unwrap_or(USAGE.to_owned())))?;
        let value = rest.strip_prefix('=').ok_or_else(|| fault(USAGE.to_owned()))?.trim();
        let node = value_of(&origin, value).map_err(fault)?;
        put(&mut self.root, &path, node, &mut String::new()).map_err(fault)?;
        let Some(Step::Key(key)) = path.into_iter().next() else {
            return Err(fault(USAGE.to_owned()));
        };
        Ok(key)
    }

    /// Removes a key or a list item, e.g. `training.ema` or `training.augment[0]`; later items move up.
    /// Returns the top-level key.
    ///
    /// # Errors
    /// Where it is no key, or there is nothing at it.
    pub fn unset(&mut self, key: &str) -> Result<String, Faults> {
        let origin = format!("--unset {key}");
        let fault =
            |message: String| Faults(vec![Fault { origin: origin.clone(), line: 0, message }]);
        let path = whole_path(key).map_err(fault)?;
        take(&mut self.root, &path, &mut String::new()).map_err(fault)?;
        let Some(Step::Key(key)) = path.into_iter().next() else {
            return Err(fault(KEY_USAGE.to_owned()));
        };
        Ok(key)
    }

    /// Returns what is at a key.
    ///
    /// # Errors
    /// Where it is no key, or there is nothing at it: in words.
    pub fn find(&self, key: &str) -> Result<&Node, String> {
        let (mut node, mut at) = (&self.root, String::new());
        for step in whole_path(key)? {
            node = match (&step, &node.value) {
                (Step::Key(key), Value::Table(table)) => table.get(key),
                (Step::Item(index), Value::List(items)) => items.get(*index),
                _ => None,
            }
            .ok_or_else(|| absent(&at, &step))?;
            at = below(&at, &step);
        }
        Ok(node)
    }
}

/// The path of a key below another.
fn below(at: &str, step: &Step) -> String {
    match step {
        Step::Key(key) if at.is_empty() => key.clone(),
        Step::Key(key) => format!("{at}.{key}"),
        Step::Item(index) => format!("{at}[{index}]"),
    }
}

fn absent(at: &str, step: &Step) -> String {
    format!("{} is not in the spec", below(at, step))
}

/// Removes what is at a path below a node; `at` is the node's own path, for messages.
fn take(node: &mut Node, path: &[Step], at: &mut String) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else { return Err(KEY_USAGE.to_owned()) };
    let said = absent(at, step);
    let inner = match (step, &mut node.value) {
        (Step::Key(key), Value::Table(table)) if rest.is_empty() => {
            return table.remove(key).map(drop).ok_or(said);
        }
        (Step::Item(index), Value::List(items)) if rest.is_empty() => {
            return (*index < items.len()).then(|| drop(items.remove(*index))).ok_or(said);
        }
        (Step::Key(key), Value::Table(table)) => table.get_mut(key),
        (Step::Item(index), Value::List(items)) => items.get_mut(*index),
        _ => None,
    };
    *at = below(at, step);
    take(inner.ok_or(said)?, rest, at)
}

/// Reads a text that is a key and nothing else.
fn whole_path(text: &str) -> Result<Vec<Step>, String> {
    match path(text) {
        Ok((steps, "")) => Ok(steps),
        Ok(_) | Err(None) => Err(KEY_USAGE.to_owned()),
        Err(Some(said)) => Err(said),
    }
}

/// Reads a key, and what follows; an error has words where they are not those of the usage.
fn path(text: &str) -> Result<(Vec<Step>, &str), Option<String>> {
    let mut steps = vec![];
    let mut rest = text.trim_start();
    loop {
        let (key, after) = key(rest).ok_or(None)?;
        steps.push(Step::Key(key));
        rest = after.trim_start();
        while let Some(inner) = rest.strip_prefix('[') {
            let (number, after) = inner.split_once(']').ok_or(None)?;
            let index = number.trim().parse().map_err(|_| {
                Some(format!("[{number}] must be the number of a list item, the first is [0]"))
            })?;
            steps.push(Step::Item(index));
            rest = after.trim_start();
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() || rest.starts_with('=') => return Ok((steps, rest)),
            None => return Err(None),
        }
    }
}

/// A bare or quoted key at the start of a text, and what follows.
fn key(text: &str) -> Option<(String, &str)> {
    if let Some(quote @ ('"' | '\'')) = text.chars().next() {
        let (key, rest) = text[1..].split_once(quote)?;
        return Some((key.to_owned(), rest));
    }
    let is_bare = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let end = text.find(|c| !is_bare(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// The value as TOML, else as a text.
fn value_of(origin: &str, value: &str) -> Result<Node, String> {
    const KEY: &str = "value";
    let parsed = Tree::parse(origin, &format!("{KEY} = {value}"));
    // A line break in the value could start a second key.
    if let Ok(Tree { root: Node { value: Value::Table(mut table), .. } }) = parsed
        && let (Some(mut node), true) = (table.remove(KEY), table.is_empty())
    {
        forget_lines(&mut node);
        return Ok(node);
    }
    // What begins as a list, a table or a quoted text was meant as one.
    if value.is_empty() || value.starts_with(['[', '{', '"', '\'']) {
        return Err(format!("the value `{value}` is not valid TOML; quote a text: KEY=\"VALUE\""));
    }
    Ok(Node { origin: origin.to_owned(), line: 0, value: Value::Text(value.to_owned()) })
}

fn forget_lines(node: &mut Node) {
    node.line = 0;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(forget_lines),
        Value::Table(table) => table.values_mut().for_each(forget_lines),
        _ => {}
    }
}

/// Replaces what is at a path below a node; `at` is the node's own path, for messages.
fn put(below: &mut Node, path: &[Step], node: Node, at: &mut String) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        *below = node;
        return Ok(());
    };
    let found = below.value.describe();
    let inner = match (step, &mut below.value) {
        (Step::Key(key), Value::Table(table)) => {
            *at += &if at.is_empty() { key.clone() } else { format!(".{key}") };
            // A key that is not there yet becomes a table when something is put into it.
            let (origin, value) = (node.origin.clone(), Value::Table([].into()));
            if let Some(Step::Item(_)) = rest.first()
                && !table.contains_key(key)
            {
                return Err(format!("{at} is not in the spec, expected a list"));
            }
            table.entry(key.clone()).or_insert(Node { origin, line: 0, value })
        }
        (Step::Key(_), _) => return Err(format!("{at} is {found}, expected a table")),
        (Step::Item(index), Value::List(items)) => {
            let n = items.len();
            let Some(item) = items.get_mut(*index) else {
                let items = if n == 1 { "item" } else { "items" };
                return Err(format!("{at} has {n} {items}, found [{index}]; the first is [0]"));
            };
            *at += &format!("[{index}]");
            item
        }
        (Step::Item(_), _) => return Err(format!("{at} is {found}, expected a list")),
    };
    put(inner, rest, node, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "seeds = [1]\n[model.dense]\nlayers = [{ units = 64, dropout = 0.2 }, 3]\n\
                        [features.table]\none_hot = { key = 12 }\n";

    /// The tree after some overrides, as TOML would write it on one line.
    fn after(assignments: &[&str]) -> Result<String, String> {
        let mut tree = Tree::parse("x.toml", SPEC).unwrap();
        for assignment in assignments {
            tree.set(assignment).map_err(|faults| faults.to_string())?;
        }
        Ok(written(&tree.root))
    }

    fn written(node: &Node) -> String {
        let all = |parts: Vec<String>| parts.join(", ");
        match &node.value {
            Value::Table(table) => {
                let pair = |(key, node): (&String, &Node)| format!("{key} = {}", written(node));
                format!("{{{}}}", all(table.iter().map(pair).collect()))
            }
            Value::List(items) => format!("[{}]", all(items.iter().map(written).collect())),
            Value::Text(text) => format!("{text:?}"),
            other => other.describe(),
        }
    }

    #[test]
    fn an_override_replaces_a_value_whatever_it_was() {
        let with = |assignment: &str| after(&[assignment]).unwrap();
        for (assignment, part) in [
            ("features.table.one_hot={}", "features = {table = {one_hot = {}}}"),
            ("features = { a = 1 }", "features = {a = 1}"),
            ("model={forest={n_trees=5}}", "model = {forest = {n_trees = 5}}"),
            ("model.dense.layers[0].units=8", "layers = [{dropout = 0.2, units = 8}, 3]"),
            ("model.dense.layers[1]={units=1}", "{dropout = 0.2, units = 64}, {units = 1}]"),
            ("model . dense . layers [ 0 ] = 7", "layers = [7, 3]"),
            ("model.dense.layers=[]", "layers = []"),
            ("seeds=[4, 5]", "seeds = [4, 5]"),
            ("seeds=1..5", "seeds = \"1..5\""),
            ("title=a b = c", "title = \"a b = c\""),
            ("title=\"[x]\"", "title = \"[x]\""),
            ("training.epochs=3", "training = {epochs = 3}"),
            ("classes.\"a.b=c\"=1", "classes = {a.b=c = 1}"),
            ("title=x\nseeds = 3", "title = \"x\\nseeds = 3\""),
        ] {
            assert!(with(assignment).contains(part), "{assignment}: {}", with(assignment));
        }
        // Later ones go on from earlier ones.
        let both = after(&["model={forest={}}", "model.forest.n_trees=9"]).unwrap();
        assert!(both.contains("model = {forest = {n_trees = 9}}"), "{both}");
    }

    #[test]
    fn a_key_or_an_item_is_removed_and_what_is_not_there_is_not() {
        let without = |key: &str| {
            let mut tree = Tree::parse("x.toml", SPEC).unwrap();
            let found = tree.find(key).map(|node| node.value.describe());
            let done = tree.unset(key).map_err(|faults| faults.to_string());
            assert_eq!(found.is_ok(), done.is_ok(), "{key}: {found:?}");
            done.map(|top| (top, written(&tree.root)))
        };
        for (key, top, part) in [
            ("seeds", "seeds", "{features = {table = {one_hot = {key = 12}}}, model = "),
            ("model.dense.layers[0]", "model", "layers = [3]"),
            ("model.dense.layers[0].dropout", "model", "layers = [{units = 64}, 3]"),
            (" features . table . one_hot . key ", "features", "one_hot = {}"),
        ] {
            let (found, text) = without(key).unwrap();
            assert!(found == top && text.contains(part), "{key}: {text}");
        }
        for (key, said) in [
            ("seed", "seed is not in the spec"),
            ("model.dense.layers[2]", "model.dense.layers[2] is not in the spec"),
            ("model.dense.layers[1].units", "model.dense.layers[1].units is not in the spec"),
            ("model.cnn.blocks[0]", "model.cnn is not in the spec"),
            ("seeds=3", KEY_USAGE),
            ("", KEY_USAGE),
            ("seeds[x]", "[x] must be the number of a list item"),
        ] {
            let error = without(key).unwrap_err();
            assert!(error.starts_with(&format!("--unset {key}: {said}")), "{error}");
        }
    }

    #[test]
    fn an_override_that_leads_nowhere_says_where_it_ends() {
        for (assignment, said) in [
            ("seeds.many=3", "seeds is a list, expected a table"),
            ("model.dense.layers[1].units=3", "model.dense.layers[1] is 3, expected a table"),
            ("model.dense[0]=3", "model.dense is a table, expected a list"),
            ("model.dense.layers[2]=3", "model.dense.layers has 2 items, found [2]"),
            ("blocks[0].filters=3", "blocks is not in the spec, expected a list"),
            ("model.dense.layers[x]=3", "[x] must be the number of a list item"),
            ("model.dense.layers[-1]=3", "[-1] must be the number of a list item"),
            ("epochs", USAGE),
            ("=3", USAGE),
            (".epochs=3", USAGE),
            ("training..epochs=3", USAGE),
            ("training.=3", USAGE),
            ("\"epochs=3", USAGE),
            ("epochs[0=3", USAGE),
            ("model={forest:3}", "the value `{forest:3}` is not valid TOML"),
            ("seeds=[1", "the value `[1` is not valid TOML"),
            ("seeds=", "the value `` is not valid TOML"),
        ] {
            let error = after(&[assignment]).unwrap_err();
            assert!(error.starts_with(&format!("--set {assignment}: {said}")), "{error}");
        }
    }
}
