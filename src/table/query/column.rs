//! The values of one field in all rows, as typed columns of polars.

use polars::prelude::{
    BooleanChunked, Column, Float64Chunked, IntoColumn, NewChunkedArray, SortOptions, StringChunked,
};

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Several values, no lists among them.
    List(Vec<Cell>),
}

/// A field in all rows. A field usually has one type; a row has a value in one of the columns at most.
#[derive(Debug, Clone)]
pub(crate) struct FieldColumn {
    pub(super) flags: Option<BooleanChunked>,
    pub(super) numbers: Option<Float64Chunked>,
    pub(super) texts: Option<StringChunked>,
    pub(super) lists: Option<Box<Lists>>,
    /// Rows with a value; an empty list is none.
    pub(super) is_there: Vec<bool>,
}

/// The items of the lists of all rows, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    /// Rows that have a list, which may be empty.
    pub(super) has_list: Vec<bool>,
    /// The row of every item.
    pub(super) rows: Vec<usize>,
    pub(super) items: FieldColumn,
}

impl FieldColumn {
    /// The column of a field, a cell per row; nothing where the row lacks it.
    pub(crate) fn new(cells: &[Option<Cell>]) -> Self {
        fn typed<'a, T, C>(
            cells: &'a [Option<Cell>],
            of: impl Fn(&'a Cell) -> Option<T>,
            column: impl Fn(Vec<Option<T>>) -> C,
        ) -> Option<C> {
            let values: Vec<Option<T>> = cells.iter().map(|cell| of(cell.as_ref()?)).collect();
            values.iter().any(Option::is_some).then(|| column(values))
        }
        let name = || "".into();
        let flags = typed(
            cells,
            |cell| if let Cell::Flag(flag) = cell { Some(*flag) } else { None },
            |values| BooleanChunked::from_slice_options(name(), &values),
        );
        let numbers = typed(
            cells,
            |cell| if let Cell::Number(number) = cell { Some(*number) } else { None },
            |values| Float64Chunked::from_slice_options(name(), &values),
        );
        let texts = typed(
            cells,
            |cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None },
            |values| StringChunked::from_slice_options(name(), &values),
        );
        let is_list = |cell: &Option<Cell>| matches!(cell, Some(Cell::List(_)));
        let has_list: Vec<bool> = cells.iter().map(is_list).collect();
        let lists = has_list.contains(&true).then(|| {
            let (mut rows, mut items) = (vec![], vec![]);
            for (row, cell) in cells.iter().enumerate() {
                let Some(Cell::List(list)) = cell else { continue };
                rows.extend(list.iter().map(|_| row));
                items.extend(list.iter().cloned().map(Some));
            }
            Box::new(Lists { has_list, rows, items: Self::new(&items) })
        });
        let is_there = cells.iter().map(|cell| match cell {
            None => false,
            Some(Cell::List(items)) => !items.is_empty(),
            Some(_) => true,
        });
        Self { flags, numbers, texts, lists, is_there: is_there.collect() }
    }

    /// What the field holds, for messages: `numbers`, `texts and lists`.
    pub(super) fn kinds(&self) -> String {
        let kinds = [
            (self.flags.is_some(), "true or false"),
            (self.numbers.is_some(), "numbers"),
            (self.texts.is_some(), "texts"),
            (self.lists.is_some(), "lists"),
        ];
        let held: Vec<&str> =
            kinds.iter().filter(|(is_held, _)| *is_held).map(|(_, kind)| *kind).collect();
        if held.is_empty() { "nothing".to_owned() } else { held.join(" and ") }
    }
}

/// Orders rows by some fields, the first field first, each ascending or descending. Rows without a field
/// come last in both directions; equal rows keep their order. Numbers come before texts, and texts before
/// true and false.
pub(crate) fn sorted(rows: &[usize], keys: &[(FieldColumn, bool)]) -> Vec<usize> {
    let mut order = rows.to_vec();
    // Each step keeps the order of equal rows, so the most important key comes last.
    for (field, is_descending) in keys.iter().rev() {
        let texts = field.lists.as_ref().map(|lists| joined(lists));
        let columns = [
            field.flags.clone().map(IntoColumn::into_column),
            texts.map(IntoColumn::into_column),
            field.texts.clone().map(IntoColumn::into_column),
            field.numbers.clone().map(IntoColumn::into_column),
        ];
        for column in columns.into_iter().flatten() {
            order = by(&column, &order, *is_descending);
        }
    }
    order
}

fn by(column: &Column, order: &[usize], is_descending: bool) -> Vec<usize> {
    let places: Vec<u32> = order.iter().map(|row| *row as u32).collect();
    let ordered = column.take_slice(&places).expect("every row is in the column");
    let options = SortOptions::default()
        .with_order_descending(is_descending)
        .with_nulls_last(true)
        .with_maintain_order(true);
    let sorted = ordered.as_materialized_series().arg_sort(options);
    sorted.iter().flatten().map(|place| order[place as usize]).collect()
}

/// Lists of texts as texts, to sort by; a row without items has none.
fn joined(lists: &Lists) -> StringChunked {
    let mut texts: Vec<Option<String>> = vec![None; lists.has_list.len()];
    for (row, item) in lists.rows.iter().zip(lists.items.texts.iter().flat_map(StringChunked::iter))
    {
        let text = texts[*row].get_or_insert_default();
        *text += item.unwrap_or_default();
        text.push(';');
    }
    StringChunked::from_iter_options("".into(), texts.into_iter())
}
