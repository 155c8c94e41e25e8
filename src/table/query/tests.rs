use std::collections::BTreeMap;

use super::*;

/// Five runs; the last lacks everything but its tags.
fn columns() -> BTreeMap<String, FieldColumn> {
    let text = |text: &str| Some(Cell::Text(text.to_owned()));
    let number = |number: f64| Some(Cell::Number(number));
    let list = |items: &[&str]| {
        Some(Cell::List(items.iter().map(|item| Cell::Text((*item).to_owned())).collect()))
    };
    let fields = [
        ("id", vec![text("a"), text("b"), text("c"), text("d"), text("e")]),
        ("dataset", vec![text("gtzan"), text("FMA small"), text("gtzan"), text("x"), None]),
        ("accuracy", vec![number(0.9), number(0.5), number(0.7), number(0.7), None]),
        ("train.accuracy", vec![number(0.95), number(0.5), number(0.6), None, None]),
        ("a.rate", vec![number(1e-3), number(1e-4), None, number(1e-3), None]),
        (
            "synthetic",
            vec![
                Some(Cell::Flag(false)),
                Some(Cell::Flag(true)),
                Some(Cell::Flag(false)),
                Some(Cell::Flag(true)),
                None,
            ],
        ),
        ("tags", vec![list(&["best", "old"]), list(&["best-2"]), list(&[]), list(&[]), list(&[])]),
        ("sizes[0]", vec![number(3.0), number(5.0), text("sqrt"), None, None]),
        ("sizes", vec![Some(Cell::List(vec![Cell::Number(3.0), Cell::Number(4.0)])); 5]),
        ("never", vec![None; 5]),
    ];
    fields.into_iter().map(|(name, cells)| (name.to_owned(), FieldColumn::new(&cells))).collect()
}

fn found(condition: &str) -> String {
    let query =
        Query::parse(condition).unwrap_or_else(|error| panic!("{}", error.in_text(condition)));
    let rows = query.matching(&columns());
    let rows = rows.unwrap_or_else(|error| panic!("{}", error.in_text(condition)));
    rows.into_iter().map(|row| ["a", "b", "c", "d", "e"][row]).collect()
}

fn said(condition: &str) -> String {
    let columns = columns();
    let known = |name: &str| columns.contains_key(name);
    let near = |name: &str| crate::vocab::nearest(name, columns.keys().map(String::as_str));
    let query = Query::parse(condition).and_then(|query| {
        query.check(known, near)?;
        query.matching(&columns)
    });
    query.map_or_else(|error| error.in_text(condition), |rows| panic!("{condition}: {rows:?}"))
}

#[test]
fn conditions_find_the_rows_that_a_reader_would_expect() {
    for (condition, rows) in [
        ("accuracy > 0.6", "acd"),
        ("accuracy >= 0.7 and accuracy < 0.9", "cd"),
        ("0.6 < accuracy", "acd"),
        ("accuracy = 0.7", "cd"),
        ("accuracy == .7 or dataset == 'x'", "cd"),
        ("accuracy != 0.7", "ab"),
        ("accuracy <> 7e-1", "ab"),
        ("dataset = \"gtzan\"", "ac"),
        ("dataset = \"GTZAN\"", ""),
        ("dataset contains \"fma\"", "b"),
        ("dataset ~ 'Z'", "ac"),
        ("dataset not contains 'z'", "bd"),
        ("dataset > \"g\"", "acd"),
        ("dataset in [\"gtzan\", \"x\"]", "acd"),
        ("dataset in (\"gtzan\", \"x\",)", "acd"),
        ("dataset not in [\"gtzan\"]", "bd"),
        ("dataset in []", ""),
        ("accuracy in[0.5]", "b"),
        ("synthetic", "bd"),
        ("not synthetic", "ac"),
        ("synthetic = false", "ac"),
        ("a.rate < 1e-3 and dataset ~ 'fma'", "b"),
        ("a.rate <= 1e-3", "abd"),
        // `and` binds more than `or`, `not` more than both.
        ("accuracy > 0.8 or accuracy < 0.6 and synthetic", "ab"),
        ("(accuracy > 0.8 or accuracy < 0.6) and synthetic", "b"),
        ("not accuracy > 0.8 and synthetic", "bd"),
        ("NOT (accuracy > 0.8 OR synthetic)", "c"),
        // A row without the field is not matched, whatever is asked.
        ("not a.rate = 1e-3", "b"),
        ("a.rate = 1e-3 or a.rate != 1e-3", "abd"),
        ("a.rate is missing", "ce"),
        ("a.rate is not missing", "abd"),
        ("not a.rate is missing", "abd"),
        ("a.rate = 1e-3 or accuracy > 0", "abcd"),
        ("never = 5 or never = \"x\" or never is missing", "abcde"),
        ("never != 5", ""),
        // Lists: one of the items.
        ("tags = \"best\"", "a"),
        ("tags contains \"best\"", "a"),
        ("tags ~ \"best\"", "ab"),
        ("tags != \"best\"", "bcde"),
        ("tags in [\"old\", \"best-2\"]", "ab"),
        ("tags is missing", "cde"),
        ("sizes contains 4", "abcde"),
        ("sizes > 4", ""),
        // A field of several types: values of another type are different.
        ("sizes[0] = 3", "a"),
        ("sizes[0] != 3", "bc"),
        ("sizes[0] = \"sqrt\"", "c"),
        ("sizes[0] < 4", "a"),
        // Two fields.
        ("train.accuracy > accuracy", "a"),
        ("train.accuracy = accuracy", "b"),
        ("`train.accuracy` < accuracy", "c"),
        ("dataset != id", "abcd"),
    ] {
        assert_eq!(found(condition), rows, "{condition}");
    }
}

#[test]
fn a_wrong_condition_is_explained_with_its_place() {
    for (condition, at, part) in [
        ("", 1, "expected a condition, found nothing"),
        ("acuracy > 0.5", 1, "unknown field `acuracy`; did you mean `accuracy`?"),
        (
            "accuracy > 0.5 and dataset = gtzan",
            30,
            "unknown field `gtzan`; a text is written \"gtzan\"",
        ),
        ("accuracy >", 11, "expected a field or a value, found the end"),
        ("accuracy > and", 12, "expected a field or a value, found `and`"),
        ("accuracy 0.5", 10, "expected `and`, `or` or the end, found the number 0.5"),
        ("(accuracy > 0.5", 16, "expected `)`, found the end"),
        ("accuracy > 0.5)", 15, "expected `and`, `or` or the end, found `)`"),
        ("0.2 < accuracy < 0.5", 16, "comparisons can't be chained"),
        ("1 = 1", 1, "a comparison needs a field"),
        ("5", 1, "expected a field, found a value"),
        ("accuracy", 1, "`accuracy` holds numbers and is no condition by itself"),
        (
            "accuracy = \"0.5\"",
            12,
            "`accuracy` holds numbers, found the text \"0.5\"; write numbers without quotes",
        ),
        ("dataset = 5", 11, "`dataset` holds texts, found the number 5; a text is written \"5\""),
        ("synthetic > true", 13, "true and false can be compared by = and != only"),
        ("dataset = \"gtzan", 11, "the quote \" is never closed"),
        ("accuracy > 0.5 && synthetic", 16, "unexpected character `&`; write `and`"),
        ("accuracy > 0,5", 13, "expected `and`, `or` or the end, found `,`"),
        ("accuracy > 1e", 12, "`1e` is not a number"),
        ("accuracy in 0.5", 13, "expected a list such as [1, 2]"),
        ("accuracy in [0.5 0.6]", 18, "expected `,` or `]`"),
        ("dataset in [gtzan]", 13, "put texts in quotes"),
        ("accuracy is 5", 13, "expected `missing`"),
        ("accuracy not 5", 14, "expected `in` or `contains` after `not`"),
        ("accuracy ~ 5", 12, "expected a text in quotes after `~`"),
        ("accuracy contains \"5\"", 19, "`accuracy` holds numbers, found the text"),
        ("tags = 5", 8, "`tags` holds lists, found the number 5"),
        ("accuracy = dataset", 12, "`accuracy` holds numbers and `dataset` holds texts"),
    ] {
        let said = said(condition);
        assert!(said.starts_with(&format!("column {at}: ")), "{condition}: {said}");
        assert!(said.contains(part), "{condition}: {said}");
        let mark = said.lines().last().unwrap();
        assert_eq!(mark.chars().count(), 4 + at, "{said}");
    }
}

#[test]
fn rows_are_sorted_by_several_fields_and_those_without_come_last() {
    let columns = columns();
    let order = |keys: &[(&str, bool)]| -> String {
        let keys: Vec<_> =
            keys.iter().map(|(name, down)| (columns[*name].clone(), *down)).collect();
        let rows = sorted(&[0, 1, 2, 3, 4], &keys);
        rows.into_iter().map(|row| ["a", "b", "c", "d", "e"][row]).collect()
    };
    assert_eq!(order(&[("accuracy", true)]), "acdbe");
    assert_eq!(order(&[("accuracy", false)]), "bcdae");
    assert_eq!(order(&[("accuracy", false), ("id", true)]), "bdcae");
    assert_eq!(order(&[("synthetic", false), ("accuracy", true)]), "acdbe");
    assert_eq!(order(&[("sizes[0]", false)]), "abcde");
    assert_eq!(order(&[("sizes[0]", true)]), "bacde");
    assert_eq!(order(&[("tags", true)]), "abcde");
    assert_eq!(order(&[]), "abcde");
    assert_eq!(sorted(&[3, 0], &[(columns["accuracy"].clone(), true)]), [0, 3]);
}

proptest::proptest! {
    /// Any text is a condition or an error with a place in it, never a panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9.\"'`()\\[\\],<>=!~ _-]{0,40}") {
        if let Err(error) = Query::parse(&text) {
            proptest::prop_assert!(error.at <= text.chars().count());
        }
    }
}
