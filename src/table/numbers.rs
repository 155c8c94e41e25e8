//! Cells of a numeric column: numbers, missing values, and neither.

use super::N_NAMED;
use super::notation::{Notation, NumberKind};
use super::patterns::{self, Pattern, Patterns};

/// A column that is read as numbers. An empty cell is always missing.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberColumn {
    /// Its name in the file.
    pub name: String,
    /// Its name in the resulting table.
    pub key: String,
    /// Cells that stand for a missing number, compared as text or as a number.
    pub missing: Vec<String>,
    /// The least and the largest number that a cell may hold.
    pub range: Option<[f64; 2]>,
    /// How its cells are written.
    pub notation: Notation,
}

impl NumberColumn {
    /// A column whose cells are numbers or empty. It keeps its name in the table.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (name, key) = (name.to_owned(), name.to_owned());
        Self { name, key, missing: vec![], range: None, notation: Notation::default() }
    }

    /// Whether every cell is a number as Rust writes it, or empty.
    pub(super) fn is_plain(&self) -> bool {
        self.missing.is_empty() && self.notation == Notation::default()
    }
}

/// How to treat a cell that is neither a finite number within its column's range nor a declared marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddCells {
    /// The file is rejected.
    Error,
    /// It counts as missing, and its column's number of such cells is reported.
    Missing,
}

/// Odd cells of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// How many.
    pub n: usize,
    /// The first one: its line, its column and the text found.
    pub first: String,
}

/// The cells of one column as they come.
pub(super) struct NumberCells<'a> {
    column: &'a NumberColumn,
    /// What a position is called: a line of a text, or a row.
    unit: &'static str,
    /// The markers that are numbers.
    missing: Vec<f64>,
    values: Vec<f64>,
    /// The first few, with their lines.
    odd: Vec<(usize, String)>,
    n_odd: usize,
    /// The patterns of all unparseable cells.
    patterns: Patterns,
    /// How many unparseable cells are kept, to be named.
    n_named: usize,
}

impl<'a> NumberCells<'a> {
    pub(super) fn new(column: &'a NumberColumn, unit: &'static str) -> Self {
        let missing = column.missing.iter().filter_map(|marker| {
            let number = marker.parse().ok().filter(|x: &f64| x.is_finite());
            number.or_else(|| column.notation.number(marker))
        });
        let missing = missing.collect();
        let patterns = Patterns::default();
        Self {
            column,
            unit,
            missing,
            values: vec![],
            odd: vec![],
            n_odd: 0,
            patterns,
            n_named: N_NAMED,
        }
    }

    /// Keeps every unparseable cell for [`Self::faults`].
    pub(super) fn naming_all(self) -> Self {
        Self { n_named: usize::MAX, ..self }
    }

    /// Unparseable cells with their lines, each with its fault.
    pub(super) fn faults(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        let NumberColumn { name, range, .. } = self.column;
        self.odd.iter().map(move |(line, cell)| {
            let is_number = self.column.notation.number(cell).is_some();
            let reason = match range {
                Some([low, high]) if is_number => {
                    format!("{name} is {cell:?}, which is not in [{low}, {high}]")
                }
                _ => format!("{name} is {cell:?}, which is not a number"),
            };
            (*line, reason)
        })
    }

    pub(super) fn push(&mut self, cell: &str, line: usize) {
        let cell = cell.trim();
        let value = if cell.is_empty() { Some(f64::NAN) } else { self.value(cell) };
        self.keep(value, cell, line);
    }

    /// Adds a cell that was read as a number. `None` if it is empty.
    pub(super) fn push_number(&mut self, number: Option<f64>, line: usize) {
        let is_plain = self.column.is_plain() && self.column.range.is_none();
        match number {
            None => self.values.push(f64::NAN),
            Some(number) if is_plain && number.is_finite() => self.values.push(number),
            Some(number) => {
                let cell = number.to_string();
                match self.column.notation.kind {
                    NumberKind::Categories(_) => self.push(&cell, line),
                    _ => self.keep(self.allowed(number), &cell, line),
                }
            }
        }
    }

    fn keep(&mut self, value: Option<f64>, cell: &str, line: usize) {
        if value.is_some() {
            self.patterns.has_point |= cell.contains('.');
        } else {
            let is_number = self.column.notation.number(cell).is_some();
            let pattern = if is_number { Pattern::OutOfRange } else { Pattern::of(cell) };
            self.patterns.add(cell, pattern);
            self.n_odd += 1;
            if self.odd.len() < self.n_named {
                self.odd.push((line, cell.chars().take(40).collect()));
            }
        }
        self.values.push(value.unwrap_or(f64::NAN));
    }

    /// A number, or NaN for a declared marker. `None` for an unparseable cell.
    fn value(&self, cell: &str) -> Option<f64> {
        match self.column.notation.number(cell) {
            Some(number) => self.allowed(number),
            None => self.column.missing.iter().any(|marker| marker == cell).then_some(f64::NAN),
        }
    }

    /// A number, or NaN if it is declared as a marker. `None` if it is out of range.
    fn allowed(&self, number: f64) -> Option<f64> {
        if self.missing.contains(&number) {
            return Some(f64::NAN);
        }
        let is_in_range = |[low, high]: [f64; 2]| (low..=high).contains(&number);
        (number.is_finite() && self.column.range.is_none_or(is_in_range)).then_some(number)
    }

    fn describe(&self, (line, cell): &(usize, String)) -> String {
        let NumberColumn { name, range, .. } = self.column;
        let unit = self.unit;
        let is_number = self.column.notation.number(cell).is_some();
        match range {
            Some([low, high]) if is_number => {
                format!("{unit} {line}, {name}: {cell:?} is not in [{low}, {high}]")
            }
            _ => format!("{unit} {line}, {name}: {cell:?}"),
        }
    }

    pub(super) fn into_parts(self) -> (Vec<f64>, Option<Odd>) {
        let first = self.odd.first().map(|odd| self.describe(odd));
        (self.values, first.map(|first| Odd { n: self.n_odd, first }))
    }
}

/// The error for all unparseable cells, in the order of their lines. `None` without any.
pub(super) fn odd_cells(columns: &[NumberCells]) -> Option<String> {
    let mut all: Vec<(&NumberCells, &(usize, String))> =
        columns.iter().flat_map(|column| column.odd.iter().map(move |odd| (column, odd))).collect();
    all.sort_by_key(|(column, (line, _))| (*line, &column.column.name));
    all.first()?;
    let n: usize = columns.iter().map(|column| column.n_odd).sum();
    let named: Vec<String> =
        all.iter().take(N_NAMED).map(|(column, odd)| column.describe(odd)).collect();
    let cells = if n == 1 {
        "1 cell is not a number".to_owned()
    } else {
        format!("{n} cells are not numbers")
    };
    let ranges = if columns.iter().any(|column| column.n_odd > 0 && column.column.range.is_some()) {
        ", or outside of their range"
    } else {
        ""
    };
    let more = if n > named.len() { "; …" } else { "" };
    let patterns: Vec<(&str, &Patterns, usize)> = columns
        .iter()
        .map(|column| (column.column.key.as_str(), &column.patterns, column.values.len()))
        .collect();
    let hint = patterns::hint(&patterns);
    Some(format!("{cells}{ranges}: {}{more}\n{hint}", named.join("; ")))
}
