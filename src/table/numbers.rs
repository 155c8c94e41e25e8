//! Cells of a column of numbers: what is a number, what is missing, what is neither.

use super::N_NAMED;

/// A column that is read as numbers. An empty cell is always missing.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberColumn {
    /// Its name in the file.
    pub name: String,
    /// Its name in the table that is made.
    pub key: String,
    /// Cells that stand for a missing number: as text, or as the number that they are.
    pub missing: Vec<String>,
    /// The least and the largest number that a cell may hold.
    pub range: Option<[f64; 2]>,
}

impl NumberColumn {
    /// A column whose cells are numbers or empty; in the table it has its own name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), key: name.to_owned(), missing: vec![], range: None }
    }
}

/// What becomes of a cell that is no finite number, outside of its column's range, and no marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddCells {
    /// The file is refused.
    Error,
    /// It is missing, and counted.
    Missing,
}

/// Odd cells of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// How many.
    pub n: usize,
    /// The first one: line, column, what was got.
    pub first: String,
}

/// The cells of one column as they come.
pub(super) struct NumberCells<'a> {
    column: &'a NumberColumn,
    /// What a place is called: a line of a text, or a row.
    unit: &'static str,
    /// The markers that are numbers, as such.
    missing: Vec<f64>,
    values: Vec<f64>,
    /// Lines and cells, the first few.
    odd: Vec<(usize, String)>,
    n_odd: usize,
}

impl<'a> NumberCells<'a> {
    pub(super) fn new(column: &'a NumberColumn, unit: &'static str) -> Self {
        let missing = column.missing.iter().filter_map(|marker| marker.parse().ok()).collect();
        Self { column, unit, missing, values: vec![], odd: vec![], n_odd: 0 }
    }

    pub(super) fn push(&mut self, cell: &str, line: usize) {
        let cell = cell.trim();
        let value = if cell.is_empty() { Some(f64::NAN) } else { self.value(cell) };
        if value.is_none() {
            self.n_odd += 1;
            if self.odd.len() < N_NAMED {
                self.odd.push((line, cell.chars().take(40).collect()));
            }
        }
        self.values.push(value.unwrap_or(f64::NAN));
    }

    /// Adds a cell that has been read as a number; nothing where it is empty.
    pub(super) fn push_number(&mut self, number: Option<f64>, line: usize) {
        let is_plain = self.column.missing.is_empty() && self.column.range.is_none();
        match number {
            None => self.values.push(f64::NAN),
            Some(number) if is_plain && number.is_finite() => self.values.push(number),
            Some(number) => self.push(&number.to_string(), line),
        }
    }

    /// A number, NaN for a declared marker, nothing for an odd cell.
    fn value(&self, cell: &str) -> Option<f64> {
        let column = self.column;
        let number = cell.parse::<f64>().ok().filter(|x| x.is_finite());
        let is_missing = match number {
            Some(x) => self.missing.contains(&x),
            None => column.missing.iter().any(|marker| marker == cell),
        };
        if is_missing {
            return Some(f64::NAN);
        }
        number.filter(|x| column.range.is_none_or(|[low, high]| (low..=high).contains(x)))
    }

    fn describe(&self, (line, cell): &(usize, String)) -> String {
        let NumberColumn { name, range, .. } = self.column;
        let unit = self.unit;
        let is_number = cell.parse::<f64>().is_ok_and(f64::is_finite);
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

/// What is said of all odd cells together, in the order of their lines; nothing where there is none.
pub(super) fn odd_cells(columns: &[NumberCells]) -> Option<String> {
    let mut all: Vec<(&NumberCells, &(usize, String))> =
        columns.iter().flat_map(|column| column.odd.iter().map(move |odd| (column, odd))).collect();
    all.sort_by_key(|(column, (line, _))| (*line, &column.column.name));
    let (_, (_, example)) = all.first()?;
    let n: usize = columns.iter().map(|column| column.n_odd).sum();
    let named: Vec<String> =
        all.iter().take(N_NAMED).map(|(column, odd)| column.describe(odd)).collect();
    let cells =
        if n == 1 { "1 cell is no number".to_owned() } else { format!("{n} cells are no numbers") };
    let ranges = if columns.iter().any(|column| column.n_odd > 0 && column.column.range.is_some()) {
        ", or outside of their range"
    } else {
        ""
    };
    let more = if n > named.len() { "; …" } else { "" };
    Some(format!(
        "{cells}{ranges}: {}{more}\nhint: in the manifest, [table] missing = [{example:?}] declares a \
         marker, and odd_cells = \"missing\" takes all such cells as missing",
        named.join("; ")
    ))
}
