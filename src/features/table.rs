//! `[features.table]`: columns of a table, with one-hot categories, and the selection of rows.

use super::{Examples, FeatureError, Matrix};
use crate::dataset::TableData;
use crate::record::Excluded;
use crate::schema::{Fields, Int, Keyed, List, Text};
use crate::vocab::{ExampleId, Sha256, Targets, nearest};

/// The columns that become numbers of an example, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// Columns in the order of use.
    columns: Vec<String>,
    /// Categories with their number of levels: `0..levels`; the first level is dropped.
    one_hot: Vec<(String, usize)>,
    selection: Selection,
}

/// The rows of a table that become examples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection {
    /// The treatment of rows with a missing number in a used column.
    pub missing: MissingNumbers,
    /// Minimum number of rows of a class; smaller classes are left out. Rows dropped for missing
    /// numbers do not count.
    pub minimum_rows: Option<usize>,
}

/// The treatment of rows with a missing number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingNumbers {
    /// They are dropped and counted.
    #[default]
    Drop,
    /// They are kept as NaN, to be imputed during the fit.
    Keep,
}

impl TableColumns {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let columns = fields.required("columns", &List::of_some(Text));
        let one_hot = fields.with_default("one_hot", &Keyed(Int::within(2..=10_000)), vec![]);
        for (name, _) in &one_hot {
            if !columns.contains(name) {
                fields.fault_at("one_hot", &format!("contains `{name}`, which is not in columns"));
            }
        }
        Self { columns, one_hot, selection: Selection::default() }
    }

    /// Returns the same columns with a selection of rows.
    #[must_use]
    pub fn of(self, selection: Selection) -> Self {
        Self { selection, ..self }
    }

    /// Returns the name of every number of an example; that of a category is like `key=3`.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let of = |column: &String| match self.levels(column) {
            None => vec![column.clone()],
            Some(levels) => (1..levels).map(|level| format!("{column}={level}")).collect(),
        };
        self.columns.iter().flat_map(of).collect()
    }

    /// Returns how many numbers one example has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| self.levels(column).map_or(1, |levels| levels - 1)).sum()
    }

    /// The columns in the order in which they are used.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Adds the numbers of one example, from a value per column; NaN where one is missing.
    ///
    /// # Errors
    /// Where a number is missing and is not to be imputed, or is no level of its category: the reason.
    ///
    /// # Panics
    /// If there is not one value per column.
    pub fn push_example(&self, values: &[f64], numbers: &mut Vec<f32>) -> Result<(), String> {
        assert_eq!(values.len(), self.columns.len(), "one value per column");
        for (name, &value) in self.columns.iter().zip(values) {
            match self.levels(name) {
                _ if value.is_nan() && self.selection.missing == MissingNumbers::Drop => {
                    return Err(format!("has no number as {name}"));
                }
                Some(levels) if !is_level(value, levels) => {
                    return Err(format!(
                        "{name} must be a whole number in [0, {levels}), found {value}"
                    ));
                }
                _ => {}
            }
        }
        for (name, &value) in self.columns.iter().zip(values) {
            push(value, self.levels(name), numbers);
        }
        Ok(())
    }

    fn levels(&self, column: &str) -> Option<usize> {
        self.one_hot.iter().find(|(name, _)| name == column).map(|(_, levels)| *levels)
    }

    pub(super) fn examples(&self, table: &TableData) -> Result<Examples, FeatureError> {
        let mut columns: Vec<(&str, &[f64], Option<usize>)> = vec![];
        for name in &self.columns {
            let values = table.columns.get(name).ok_or_else(|| no_column(name, table))?;
            columns.push((name, values, self.levels(name)));
        }
        let mut excluded = vec![];
        let mut rows: Vec<usize> = (0..table.ids.len()).collect();
        for (name, values, levels) in &columns {
            let n_before = rows.len();
            if self.selection.missing == MissingNumbers::Drop {
                rows.retain(|&row| !values[row].is_nan());
                count(
                    &mut excluded,
                    n_before - rows.len(),
                    table,
                    format!("have no number in {name}"),
                );
            }
            if let Some(levels) = levels {
                check_levels(name, values, *levels, table, &rows)?;
            }
        }
        let (classes, new_class) = self.classes(table, &rows);
        let n_before = rows.len();
        rows.retain(|&row| new_class[table.labels[row]].is_some());
        let least = self.selection.minimum_rows.unwrap_or(0);
        let reason = format!("belong to a class with fewer than {least} rows");
        count(&mut excluded, n_before - rows.len(), table, reason);
        if rows.is_empty() {
            let said = excluded.iter().map(|out| format!("; {} {}", out.name, out.reason));
            let message = format!("no row of the dataset can be used{}", said.collect::<String>());
            return Err(FeatureError::Mismatch(message));
        }
        let mut numbers = Vec::with_capacity(rows.len() * self.width());
        for &row in &rows {
            for (_, values, levels) in &columns {
                push(values[row], *levels, &mut numbers);
            }
        }
        let id = |&row: &usize| ExampleId { track: table.ids[row].clone(), segment: 0 };
        let label =
            |&row: &usize| new_class[table.labels[row]].expect("only kept classes are left");
        Ok(Examples {
            matrix: Matrix::Owned(numbers),
            shape: vec![self.width()],
            ids: rows.iter().map(id).collect(),
            targets: Targets::Classes(rows.iter().map(label).collect()),
            classes,
            hash: self.hash(table),
            excluded,
            n_tracks_without: 0,
        })
    }

    /// Returns the classes that are kept, and the new number of every kept class.
    fn classes(&self, table: &TableData, rows: &[usize]) -> (Vec<String>, Vec<Option<usize>>) {
        let least = self.selection.minimum_rows.unwrap_or(0);
        let mut n_rows = vec![0; table.classes.len()];
        rows.iter().for_each(|&row| n_rows[table.labels[row]] += 1);
        let mut kept = vec![];
        let number = |(name, n): (&String, usize)| {
            (n >= least).then(|| {
                kept.push(name.clone());
                kept.len() - 1
            })
        };
        let numbers = table.classes.iter().zip(n_rows).map(number).collect();
        (kept, numbers)
    }

    fn hash(&self, table: &TableData) -> String {
        let Self { columns, one_hot, selection } = self;
        // The text is the same as before rows could be selected, so that existing runs are still
        // found.
        let settings = format!("TableColumns {{ columns: {columns:?}, one_hot: {one_hot:?} }}");
        let hash = Sha256::new().piece(&table.hash).piece(settings);
        if *selection == Selection::default() {
            return hash.hex();
        }
        hash.piece(format!("{selection:?}")).hex()
    }
}

/// What a number becomes: itself, or its level's dummies without the first.
fn push(value: f64, levels: Option<usize>, numbers: &mut Vec<f32>) {
    match levels {
        None => numbers.push(value as f32),
        Some(levels) => {
            let level = value as usize;
            numbers.extend((1..levels).map(|k| f32::from(u8::from(k == level))));
        }
    }
}

fn is_level(x: f64, levels: usize) -> bool {
    x >= 0.0 && x < levels as f64 && x.fract() == 0.0
}

fn count(excluded: &mut Vec<Excluded>, n: usize, table: &TableData, reason: String) {
    let name = format!("{n} of {} rows", table.ids.len());
    excluded.extend((n > 0).then_some(Excluded { name, reason }));
}

fn no_column(name: &str, table: &TableData) -> FeatureError {
    let known = || table.columns.keys().map(String::as_str);
    let near = match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
    };
    FeatureError::Mismatch(format!("the dataset has no column `{name}`; {near}"))
}

fn check_levels(
    name: &str,
    values: &[f64],
    levels: usize,
    table: &TableData,
    rows: &[usize],
) -> Result<(), FeatureError> {
    let Some(&row) = rows.iter().find(|&&row| !is_level(values[row], levels)) else {
        return Ok(());
    };
    let (id, got) = (&table.ids[row], values[row]);
    Err(FeatureError::Mismatch(if got.is_nan() {
        format!(
            "{id}: {name} is missing, and one_hot of [features.table] can't go with an imputed \
             number: name {name} in one_hot of [preprocess] instead"
        )
    } else {
        format!("{id}: {name} must be a whole number in [0, {levels}), found {got}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn table() -> TableData {
        TableData {
            classes: vec!["a".to_owned()],
            ids: vec!["x".to_owned(), "y".to_owned()],
            labels: vec![0, 0],
            columns: [("tempo".to_owned(), vec![100.0, 90.5]), ("key".to_owned(), vec![0.0, 2.0])]
                .into(),
            track_columns: crate::dataset::TrackColumns::default(),
            hash: "h".to_owned(),
            synthetic: true,
            excluded: vec![],
            notes: vec![],
            part: None,
        }
    }

    fn columns(text: &str) -> TableColumns {
        read(&Tree::parse("x.toml", text).unwrap(), TableColumns::read).unwrap().0
    }

    #[test]
    fn categories_become_dummies_without_their_first_level() {
        let columns = columns("columns = [\"key\", \"tempo\"]\none_hot = { key = 3 }");
        assert_eq!(columns.width(), 3);
        let examples = columns.examples(&table()).unwrap();
        assert_eq!(examples.matrix.as_slice(), [0.0, 0.0, 100.0, 0.0, 1.0, 90.5]);
        assert_eq!(columns.names(), ["key=1", "key=2", "tempo"]);
        // Runs from before rows could be selected are still found.
        let settings = "TableColumns { columns: [\"key\", \"tempo\"], one_hot: [(\"key\", 3)] }";
        assert_eq!(examples.hash, Sha256::new().piece("h").piece(settings).hex());
    }

    #[test]
    fn rows_with_missing_numbers_are_dropped_and_counted_or_stay() {
        let mut table = table();
        table.columns.insert("tempo".to_owned(), vec![f64::NAN, 90.5]);
        table.columns.insert("unused".to_owned(), vec![1.0, f64::NAN]);
        let both = columns("columns = [\"key\", \"tempo\"]");
        let dropped = both.examples(&table).unwrap();
        assert_eq!(dropped.matrix.as_slice(), [2.0, 90.5]);
        assert_eq!(dropped.ids[0].track, "y");
        let reason = "have no number in tempo".to_owned();
        assert_eq!(dropped.excluded, [Excluded { name: "1 of 2 rows".to_owned(), reason }]);
        let keep = Selection { missing: MissingNumbers::Keep, minimum_rows: None };
        let kept = both.of(keep).examples(&table).unwrap();
        assert!(kept.matrix.as_slice()[1].is_nan() && kept.ids.len() == 2);
        assert!(kept.hash != dropped.hash && kept.excluded.is_empty());
        let text = "columns = [\"tempo\"]\none_hot = { tempo = 100 }";
        let error = columns(text).of(keep).examples(&table).err().unwrap().to_string();
        assert!(
            error.starts_with("x: tempo is missing, and one_hot of [features.table]"),
            "{error}"
        );
        table.columns.insert("tempo".to_owned(), vec![f64::NAN; 2]);
        let error = columns("columns = [\"tempo\"]").examples(&table).err().unwrap().to_string();
        assert_eq!(error, "no row of the dataset can be used; 2 of 2 rows have no number in tempo");
    }

    #[test]
    fn classes_with_too_few_rows_are_left_out_and_the_others_numbered_anew() {
        let mut table = table();
        table.classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        table.labels = vec![0, 1, 2, 2, 1];
        table.ids = (0..5).map(|i| i.to_string()).collect();
        table.columns = [("tempo".to_owned(), vec![1.0, f64::NAN, 3.0, 4.0, 5.0])].into();
        let selection = Selection { minimum_rows: Some(2), ..Selection::default() };
        let examples = columns("columns = [\"tempo\"]").of(selection).examples(&table).unwrap();
        assert_eq!(
            (examples.classes.as_slice(), examples.targets.classes()),
            (&["c".to_owned()][..], &[0, 0][..])
        );
        assert_eq!(examples.ids[0].track, "2");
        let out: Vec<String> =
            examples.excluded.iter().map(|out| format!("{} {}", out.name, out.reason)).collect();
        assert_eq!(
            out,
            [
                "1 of 5 rows have no number in tempo",
                "2 of 5 rows belong to a class with fewer than 2 rows"
            ]
        );
    }

    #[test]
    fn an_example_by_itself_has_the_numbers_that_it_has_in_its_dataset() {
        let columns = columns("columns = [\"key\", \"tempo\"]\none_hot = { key = 3 }");
        let mut numbers = vec![];
        for values in [[0.0, 100.0], [2.0, 90.5]] {
            columns.push_example(&values, &mut numbers).unwrap();
        }
        assert_eq!(numbers, columns.examples(&table()).unwrap().matrix.as_slice());
        let mut said = |values: [f64; 2]| columns.push_example(&values, &mut numbers).unwrap_err();
        assert_eq!(said([1.0, f64::NAN]), "has no number as tempo");
        assert_eq!(said([3.0, 1.0]), "key must be a whole number in [0, 3), found 3");
        let keep = Selection { missing: MissingNumbers::Keep, minimum_rows: None };
        let plain = super::tests::columns("columns = [\"tempo\"]").of(keep);
        let mut numbers = vec![];
        plain.push_example(&[f64::NAN], &mut numbers).unwrap();
        assert!(numbers[0].is_nan());
    }

    #[test]
    fn a_level_out_of_range_and_a_missing_column_are_named() {
        let few = columns("columns = [\"key\"]\none_hot = { key = 2 }");
        let error = few.examples(&table()).err().unwrap().to_string();
        assert_eq!(error, "y: key must be a whole number in [0, 2), found 2");
        let typo = columns("columns = [\"temp\"]");
        let error = typo.examples(&table()).err().unwrap().to_string();
        assert_eq!(error, "the dataset has no column `temp`; did you mean `tempo`?");
    }
}
