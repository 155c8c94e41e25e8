//! A condition over typed columns -> which rows match, by polars.
//!
//! A condition on a field that a row lacks is neither true nor false (polars' null), and neither is its
//! negation: such a row is not matched. `and`, `or` and `not` follow Kleene's logic, as in SQL.

use std::collections::BTreeMap;
use std::ops::Not;

use polars::prelude::{
    BooleanChunked, ChunkCompareEq, ChunkCompareIneq, NewChunkedArray, StringChunked,
};

use super::column::{FieldColumn, Lists};
use super::parse::{Comparison, Condition, Field, Operand};
use super::{Literal, QueryError};

/// Columns by field.
pub(super) type Columns = BTreeMap<String, FieldColumn>;

/// Whether the rows match: true, false or neither.
pub(super) fn mask(condition: &Condition, columns: &Columns) -> Result<BooleanChunked, QueryError> {
    Ok(match condition {
        Condition::Or(sides) => &mask(&sides[0], columns)? | &mask(&sides[1], columns)?,
        Condition::And(sides) => &mask(&sides[0], columns)? & &mask(&sides[1], columns)?,
        Condition::Not(condition) => mask(condition, columns)?.not(),
        Condition::Holds(field) => {
            let column = column(field, columns);
            match &column.flags {
                Some(flags) => flags.clone(),
                None => return Err(no_condition(field, column)),
            }
        }
        Condition::Compared(field, comparison, Operand::Literal(literal, at)) => {
            compared(field, columns, *comparison, literal, *at)?
        }
        Condition::Compared(field, comparison, Operand::Field(other)) => {
            between(field, other, columns, *comparison)?
        }
        Condition::In(field, values) => {
            let column = column(field, columns);
            let none = column.is_there.iter().zip(has_list(column));
            let none = none.map(|(is_there, has_list)| (*is_there || has_list).then_some(false));
            let mut all = BooleanChunked::from_iter_options("".into(), none);
            for (literal, at) in values {
                all = &all | &compared(field, columns, Comparison::Equal, literal, *at)?;
            }
            all
        }
        Condition::Contains { field, value, at, is_within_items } => {
            contains(field, columns, value, *at, *is_within_items)?
        }
        Condition::Missing(field) => {
            let is_there = &column(field, columns).is_there;
            is_there.iter().map(|is_there| Some(!is_there)).collect()
        }
    })
}

fn column<'a>(field: &Field, columns: &'a Columns) -> &'a FieldColumn {
    columns.get(&field.name).expect("a query is given the columns of all its fields")
}

fn has_list(column: &FieldColumn) -> Vec<bool> {
    column.lists.as_ref().map_or(vec![false; column.is_there.len()], |lists| lists.has_list.clone())
}

fn no_condition(field: &Field, column: &FieldColumn) -> QueryError {
    let (name, kinds) = (&field.name, column.kinds());
    let message = format!(
        "`{name}` holds {kinds} and is no condition by itself; compare it, e.g. `{name} = ...`, or \
         ask `{name} is missing`"
    );
    QueryError::new(field.at, message)
}

/// A field against a value. A list is equal to a value, less or greater, if one of its items is.
fn compared(
    field: &Field,
    columns: &Columns,
    comparison: Comparison,
    literal: &Literal,
    at: usize,
) -> Result<BooleanChunked, QueryError> {
    let column = column(field, columns);
    if comparison == Comparison::NotEqual {
        return Ok(compared(field, columns, Comparison::Equal, literal, at)?.not());
    }
    if matches!(literal, Literal::Flag(_)) && comparison != Comparison::Equal {
        let message = "true and false can be compared by = and != only";
        return Err(QueryError::new(at, message.to_owned()));
    }
    let items = column.lists.as_ref().map(|lists| &lists.items);
    if !items.is_some_and(|items| has_type(items, literal)) && !has_type(column, literal) {
        return Err(wrong_type(field, column, literal, at));
    }
    let of_scalars = scalars(column, comparison, literal);
    Ok(match &column.lists {
        None => of_scalars,
        Some(lists) => or_any_item(&of_scalars, lists, &scalars(&lists.items, comparison, literal)),
    })
}

/// Whether a column has values of the type of a literal; one without any values has all types.
fn has_type(column: &FieldColumn, literal: &Literal) -> bool {
    let is_empty = column.is_there.iter().all(|is_there| !is_there);
    is_empty
        || match literal {
            Literal::Flag(_) => column.flags.is_some(),
            Literal::Number(_) => column.numbers.is_some(),
            Literal::Text(_) => column.texts.is_some(),
        }
}

fn wrong_type(field: &Field, column: &FieldColumn, literal: &Literal, at: usize) -> QueryError {
    let (what, hint) = match literal {
        Literal::Flag(flag) => (format!("{flag}"), String::new()),
        Literal::Number(number) => {
            (format!("the number {number}"), format!("; a text is written \"{number}\""))
        }
        Literal::Text(text) => {
            let is_number = text.parse::<f64>().is_ok();
            let hint = if is_number { "; write numbers without quotes" } else { "" };
            (format!("the text \"{text}\""), hint.to_owned())
        }
    };
    let message = format!("`{}` holds {}, found {what}{hint}", field.name, column.kinds());
    QueryError::new(at, message)
}

/// Single values against one value; values of another type are not equal to it, neither less nor greater.
fn scalars(column: &FieldColumn, comparison: Comparison, literal: &Literal) -> BooleanChunked {
    let typed = match literal {
        Literal::Number(number) => {
            column.numbers.as_ref().map(|numbers| compare(numbers, comparison, *number))
        }
        Literal::Text(text) => {
            column.texts.as_ref().map(|texts| compare(texts, comparison, text.as_str()))
        }
        Literal::Flag(flag) => column.flags.as_ref().map(|flags| {
            // polars compares flags with a column.
            let wanted: BooleanChunked = std::iter::repeat_n(Some(*flag), flags.len()).collect();
            flags.equal(&wanted)
        }),
    };
    fill(typed, &column.is_there)
}

/// False where a row has a value of another type.
fn fill(typed: Option<BooleanChunked>, is_there: &[bool]) -> BooleanChunked {
    let filled = |(value, is_there): (Option<bool>, &bool)| value.or(is_there.then_some(false));
    match typed {
        None => is_there.iter().map(|is_there| is_there.then_some(false)).collect(),
        Some(typed) => typed.iter().zip(is_there).map(filled).collect(),
    }
}

/// Compares a column with a value or with another column; a row without a value is neither true nor false.
fn compare<C, With>(column: &C, comparison: Comparison, with: With) -> BooleanChunked
where
    C: ChunkCompareEq<With, Item = BooleanChunked> + ChunkCompareIneq<With, Item = BooleanChunked>,
{
    match comparison {
        Comparison::Equal => column.equal(with),
        Comparison::NotEqual => column.not_equal(with),
        Comparison::Less => column.lt(with),
        Comparison::LessOrEqual => column.lt_eq(with),
        Comparison::Greater => column.gt(with),
        Comparison::GreaterOrEqual => column.gt_eq(with),
    }
}

/// For rows with a list: whether one of its items is true.
fn or_any_item(scalars: &BooleanChunked, lists: &Lists, items: &BooleanChunked) -> BooleanChunked {
    let mut any = vec![false; lists.has_list.len()];
    for (row, is_true) in lists.rows.iter().zip(items.iter()) {
        any[*row] |= is_true == Some(true);
    }
    let rows = scalars.iter().zip(&lists.has_list).zip(any);
    rows.map(|((scalar, has_list), any)| if *has_list { Some(any) } else { scalar }).collect()
}

/// Two fields of one type.
fn between(
    field: &Field,
    other: &Field,
    columns: &Columns,
    comparison: Comparison,
) -> Result<BooleanChunked, QueryError> {
    let (a, b) = (column(field, columns), column(other, columns));
    if let (Some(a), Some(b)) = (&a.numbers, &b.numbers) {
        return Ok(compare(a, comparison, b));
    }
    if let (Some(a), Some(b)) = (&a.texts, &b.texts) {
        return Ok(compare(a, comparison, b));
    }
    let (kinds, others) = (a.kinds(), b.kinds());
    let message = format!(
        "`{}` holds {kinds} and `{}` holds {others}; expected numbers or texts in both",
        field.name, other.name
    );
    Err(QueryError::new(other.at, message))
}

/// Whether a text contains another, whatever the case; whether a list has an item, or with `~` one that
/// contains the text.
fn contains(
    field: &Field,
    columns: &Columns,
    value: &Literal,
    at: usize,
    is_within_items: bool,
) -> Result<BooleanChunked, QueryError> {
    let column = column(field, columns);
    let items = column.lists.as_ref().map(|lists| &lists.items);
    let is_text = matches!(value, Literal::Text(_)) && column.texts.is_some();
    let is_empty = column.is_there.iter().all(|is_there| !is_there);
    if !(is_text || is_empty || items.is_some_and(|items| has_type(items, value))) {
        return Err(wrong_type(field, column, value, at));
    }
    let part = if let Literal::Text(text) = value { text.to_lowercase() } else { String::new() };
    let within = |texts: &StringChunked| -> BooleanChunked {
        texts.iter().map(|text| text.map(|text| text.to_lowercase().contains(&part))).collect()
    };
    let texts = if is_text { column.texts.as_ref().map(within) } else { None };
    let of_scalars = fill(texts, &column.is_there);
    Ok(match &column.lists {
        None => of_scalars,
        Some(lists) => {
            let items = if is_within_items {
                fill(lists.items.texts.as_ref().map(within), &lists.items.is_there)
            } else {
                scalars(&lists.items, Comparison::Equal, value)
            };
            or_any_item(&of_scalars, lists, &items)
        }
    })
}
