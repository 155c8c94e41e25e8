//! Preprocessing fitted on the training rows, and its application to any rows.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Impute, Preprocess};
use crate::model::files::{read_json, write_json};
use crate::model::scaler::Scaler;
use crate::model::{Examples, ModelError};

const FILE: &str = "preprocess.json";

/// Fitted preprocessing of every column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessor {
    columns: Vec<Column>,
    /// Indices of the columns with an additional number that says whether the value was imputed.
    indicator: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Column {
    name: String,
    /// The replacement for a missing number; absent if rows with missing numbers are dropped.
    fill: Option<f32>,
    make: Make,
}

/// The transformation of a number after imputation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Make {
    /// `(x - mean) / scale`.
    Number { mean: f32, scale: f32 },
    /// One number per level: 1 at its own level; all zeros if training never saw it.
    OneHot { seen: Vec<bool> },
}

impl Preprocess {
    /// Fits to the training rows; no other row is used.
    ///
    /// # Errors
    /// If a column has no number to impute with, or a level is not an integer in its range.
    pub fn fit(&self, train: &Examples) -> Result<Preprocessor, ModelError> {
        if train.is_empty() {
            return Err(ModelError::Examples("no training examples".to_owned()));
        }
        let mut columns = vec![];
        for (place, name) in self.columns.iter().enumerate() {
            let levels = self.levels(name);
            let fill = self.impute.map(|impute| match levels {
                Some(_) if !matches!(impute, Impute::Constant(_)) => {
                    fill(Impute::MostFrequent, name, place, train)
                }
                _ => fill(impute, name, place, train),
            });
            let fill = fill.transpose()?;
            let make = match levels {
                None => Make::Number { mean: 0.0, scale: 1.0 },
                Some(levels) => Make::OneHot { seen: seen(name, place, levels, fill, train)? },
            };
            columns.push(Column { name: name.clone(), fill, make });
        }
        let place = |name: &String| self.columns.iter().position(|column| column == name);
        let mut indicator: Vec<usize> = self.indicator.iter().filter_map(place).collect();
        indicator.sort_unstable();
        let mut fitted = Preprocessor { columns, indicator };
        if self.standardize {
            fitted.standardize(train);
        }
        Ok(fitted)
    }
}

impl Preprocessor {
    /// Returns how many numbers an example has afterwards.
    #[must_use]
    pub fn width(&self) -> usize {
        let of = |column: &Column| match &column.make {
            Make::Number { .. } => 1,
            Make::OneHot { seen } => seen.len(),
        };
        self.columns.iter().map(of).sum::<usize>() + self.indicator.len()
    }

    /// Converts rows, `[n, columns]` with NaN for missing numbers, to `[n, width]`.
    ///
    /// # Errors
    /// If the number of columns differs from the fit.
    pub fn apply(&self, matrix: &[f32]) -> Result<Vec<f32>, ModelError> {
        let n_columns = self.columns.len();
        if !matrix.len().is_multiple_of(n_columns) {
            let said = format!("{} numbers are not rows of {n_columns} columns", matrix.len());
            return Err(ModelError::Examples(said));
        }
        let mut out = Vec::with_capacity(matrix.len() / n_columns * self.width());
        matrix.chunks_exact(n_columns).for_each(|row| self.push(row, &mut out));
        Ok(out)
    }

    fn push(&self, row: &[f32], out: &mut Vec<f32>) {
        for (column, &x) in self.columns.iter().zip(row) {
            let x = column.filled(x);
            match &column.make {
                Make::Number { mean, scale } => out.push((x - mean) / scale),
                Make::OneHot { seen } => {
                    let level = level(x, seen.len()).filter(|&level| seen[level]);
                    out.extend((0..seen.len()).map(|k| f32::from(u8::from(Some(k) == level))));
                }
            }
        }
        let is_missing = |&place: &usize| f32::from(u8::from(row[place].is_nan()));
        out.extend(self.indicator.iter().map(is_missing));
    }

    /// Fits mean and standard deviation of all numbers that are not levels, after imputation.
    fn standardize(&mut self, train: &Examples) {
        let width = self.columns.len();
        let mut filled = Vec::with_capacity(train.len() * width);
        for index in 0..train.len() {
            let row = self.columns.iter().zip(train.example(index));
            filled.extend(row.map(|(column, &x)| column.filled(x)));
        }
        let rows: Vec<usize> = (0..train.len()).collect();
        let scaler =
            Scaler::fit(&Examples { shape: &[width], matrix: &filled, rows: &rows, ..*train });
        for (place, column) in self.columns.iter_mut().enumerate() {
            if let Make::Number { mean, scale } = &mut column.make {
                (*mean, *scale) = (scaler.mean[place], scaler.scale[place]);
            }
        }
    }

    /// Describes what was imputed and which levels training never saw, in one sentence each. `sets`
    /// are named sets of rows, the training rows first.
    #[must_use]
    pub fn notes(&self, sets: &[(&str, Examples)]) -> Vec<String> {
        let mut notes = vec![];
        for (place, column) in self.columns.iter().enumerate() {
            let counted = |is_meant: &dyn Fn(f32) -> bool| {
                let mut words = vec![];
                for (set, examples) in sets {
                    let rows = (0..examples.len()).map(|index| examples.example(index)[place]);
                    let n = rows.filter(|&x| is_meant(x)).count();
                    words.extend((n > 0).then(|| format!("{n} {set} rows")));
                }
                (!words.is_empty()).then(|| words.join(", "))
            };
            let name = &column.name;
            if let (Some(fill), Some(rows)) = (column.fill, counted(&|x: f32| x.is_nan())) {
                notes.push(format!("{name} was missing in {rows} and imputed by {fill}"));
            }
            if let Make::OneHot { seen } = &column.make {
                let is_unseen =
                    |x: f32| level(column.filled(x), seen.len()).is_none_or(|level| !seen[level]);
                if let Some(rows) = counted(&is_unseen) {
                    notes.push(format!(
                        "{rows} have a level of {name} that no training row has; it is encoded as zeros"
                    ));
                }
            }
        }
        notes
    }

    /// Columns of one row, `[columns]`, whose number is missing and imputed.
    pub fn imputed<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = &'a str> {
        let columns = self.columns.iter().zip(row);
        columns
            .filter(|(column, x)| x.is_nan() && column.fill.is_some())
            .map(|(column, _)| column.name.as_str())
    }

    /// Columns of one row, `[columns]`, that have a level which no training row has. It becomes zeros.
    pub fn unseen<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = &'a str> {
        let is_unseen = |(column, x): &(&Column, &f32)| match &column.make {
            Make::Number { .. } => false,
            Make::OneHot { seen } => {
                level(column.filled(**x), seen.len()).is_none_or(|level| !seen[level])
            }
        };
        self.columns.iter().zip(row).filter(is_unseen).map(|(column, _)| column.name.as_str())
    }

    /// Writes the preprocessing into a model's folder.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }

    /// Reads the file that [`Self::save`] wrote.
    ///
    /// # Errors
    /// If the file is missing or damaged.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        read_json(&folder.join(FILE))
    }
}

impl Column {
    fn filled(&self, x: f32) -> f32 {
        if x.is_nan() { self.fill.unwrap_or(x) } else { x }
    }
}

/// Returns the level for a number, if it is an integer in `0..levels`.
fn level(x: f32, levels: usize) -> Option<usize> {
    (x >= 0.0 && x < levels as f32 && x.fract() == 0.0).then_some(x as usize)
}

/// Returns which levels occur in the training rows.
fn seen(
    name: &str,
    place: usize,
    levels: usize,
    fill: Option<f32>,
    train: &Examples,
) -> Result<Vec<bool>, ModelError> {
    let mut seen = vec![false; levels];
    for index in 0..train.len() {
        let x = train.example(index)[place];
        let x = if x.is_nan() { fill.unwrap_or(x) } else { x };
        match level(x, levels) {
            Some(level) => seen[level] = true,
            None => {
                let said = format!(
                    "preprocess.one_hot: {name} must be a whole number in [0, {levels}), found {x}"
                );
                return Err(ModelError::Examples(said));
            }
        }
    }
    Ok(seen)
}

/// Returns the replacement for missing numbers of a column.
fn fill(impute: Impute, name: &str, place: usize, train: &Examples) -> Result<f32, ModelError> {
    if let Impute::Constant(number) = impute {
        return Ok(number as f32);
    }
    let numbers = (0..train.len()).map(|index| train.example(index)[place]);
    let mut numbers: Vec<f32> = numbers.filter(|x| !x.is_nan()).collect();
    if numbers.is_empty() {
        let said = format!("preprocess.impute: no training row has a number in {name}");
        return Err(ModelError::Examples(said));
    }
    if impute == Impute::Mean {
        let sum: f64 = numbers.iter().map(|x| f64::from(*x)).sum();
        return Ok((sum / numbers.len() as f64) as f32);
    }
    numbers.sort_unstable_by(f32::total_cmp);
    if impute == Impute::Median {
        let middle = [numbers[(numbers.len() - 1) / 2], numbers[numbers.len() / 2]];
        return Ok(f64::midpoint(f64::from(middle[0]), f64::from(middle[1])) as f32);
    }
    let runs = numbers.chunk_by(|a, b| a == b);
    // In a tie, the smallest number wins; `max_by_key` alone would take the last one.
    let most = runs.rev().max_by_key(|run| run.len()).expect("there is a number");
    Ok(most[0])
}
