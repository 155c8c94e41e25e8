//! Conditions over named fields of rows: `accuracy > 0.8 and (dataset = "gtzan" or tags contains "best")`.
//!
//! | file | job |
//! |---|---|
//! | `token` | text -> words, numbers, signs |
//! | `parse` | those -> a condition |
//! | `column` | the values of a field -> typed columns of polars; the order of rows |
//! | `evaluate` | a condition over columns -> which rows match, by polars |

mod column;
mod evaluate;
mod parse;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use column::{Cell, FieldColumn, sorted};

use std::collections::BTreeMap;

use self::parse::{Condition, Field, Operand};

/// A value in a condition.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// What is wrong with a condition, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryError {
    /// The character, counted from 0.
    at: usize,
    message: String,
}

impl QueryError {
    fn new(at: usize, message: String) -> Self {
        Self { at, message }
    }

    /// The message with the place in the text that was parsed, which is shown with a mark below.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let mark = " ".repeat(self.at);
        format!("column {}: {}\n    {line}\n    {mark}^", self.at + 1, self.message)
    }
}

/// A condition, read and ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query(Condition);

impl Query {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it can't be understood, with the place.
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(Self)
    }

    /// The names of the fields in it, in their order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let mut fields = vec![];
        collect(&self.0, &mut fields);
        fields.into_iter().map(|field| field.name.as_str()).collect()
    }

    /// Refuses a field that no row has; `nearest` finds the one that was meant.
    ///
    /// # Errors
    /// The first such field, with its place.
    pub(crate) fn check<'a>(
        &self,
        is_known: impl Fn(&str) -> bool,
        nearest: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<(), QueryError> {
        let mut fields = vec![];
        collect(&self.0, &mut fields);
        let Some(unknown) = fields.into_iter().find(|field| !is_known(&field.name)) else {
            return Ok(());
        };
        // A text without quotes is the most common cause.
        let value = if self.0.value_of(unknown) {
            format!("; a text is written \"{}\"", unknown.name)
        } else {
            String::new()
        };
        let hint = match nearest(&unknown.name) {
            Some(near) if value.is_empty() => format!("; did you mean `{near}`?"),
            _ => value,
        };
        Err(QueryError::new(unknown.at, format!("unknown field `{}`{hint}", unknown.name)))
    }

    /// The rows that match. `columns` has every field of [`Self::fields`], each with `n` rows.
    ///
    /// # Errors
    /// Where a field holds values of another type than it is compared with, with the place.
    pub(crate) fn matching(
        &self,
        columns: &BTreeMap<String, FieldColumn>,
    ) -> Result<Vec<usize>, QueryError> {
        let mask = evaluate::mask(&self.0, columns)?;
        let rows = mask.iter().enumerate().filter(|(_, is_match)| *is_match == Some(true));
        Ok(rows.map(|(row, _)| row).collect())
    }
}

impl Condition {
    /// Whether a field stands where a value is expected: on the right side of a comparison.
    fn value_of(&self, field: &Field) -> bool {
        match self {
            Self::Or(sides) | Self::And(sides) => sides.iter().any(|side| side.value_of(field)),
            Self::Not(condition) => condition.value_of(field),
            Self::Compared(_, _, Operand::Field(other)) => other == field,
            _ => false,
        }
    }
}

fn collect<'a>(condition: &'a Condition, fields: &mut Vec<&'a Field>) {
    match condition {
        Condition::Or(sides) | Condition::And(sides) => {
            sides.iter().for_each(|side| collect(side, fields));
        }
        Condition::Not(condition) => collect(condition, fields),
        Condition::Compared(field, _, other) => {
            fields.push(field);
            if let Operand::Field(other) = other {
                fields.push(other);
            }
        }
        Condition::Holds(field)
        | Condition::In(field, _)
        | Condition::Contains { field, .. }
        | Condition::Missing(field) => fields.push(field),
    }
}
