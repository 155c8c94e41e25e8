//! `[features.table]`: columns of a table as they are, categories one-hot.

use super::{Examples, FeatureError, Matrix};
use crate::dataset::TableData;
use crate::schema::{Fields, Int, Keyed, List, Text};
use crate::vocab::{ExampleId, Sha256, nearest};

/// Which columns become numbers of an example, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// Columns in the order in which they are used.
    columns: Vec<String>,
    /// Categories with their number of levels: `0..levels`, the first level dropped.
    one_hot: Vec<(String, usize)>,
}

impl TableColumns {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let columns = fields.required("columns", &List::of_some(Text));
        let one_hot = fields.or("one_hot", &Keyed(Int::within(2..=10_000)), vec![]);
        for (name, _) in &one_hot {
            if !columns.contains(name) {
                fields.fault_at("one_hot", &format!("names `{name}`, which is not among columns"));
            }
        }
        Self { columns, one_hot }
    }

    /// Numbers of one example.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| self.levels(column).map_or(1, |levels| levels - 1)).sum()
    }

    fn levels(&self, column: &str) -> Option<usize> {
        self.one_hot.iter().find(|(name, _)| name == column).map(|(_, levels)| *levels)
    }

    pub(super) fn examples(&self, table: &TableData) -> Result<Examples, FeatureError> {
        let mut columns: Vec<(&[f64], Option<usize>)> = vec![];
        for name in &self.columns {
            let values = table.columns.get(name).ok_or_else(|| no_column(name, table))?;
            let levels = self.levels(name);
            if let Some(levels) = levels {
                check_levels(name, values, levels, table)?;
            }
            columns.push((values, levels));
        }
        let mut numbers = Vec::with_capacity(table.ids.len() * self.width());
        for row in 0..table.ids.len() {
            for (values, levels) in &columns {
                match levels {
                    None => numbers.push(values[row] as f32),
                    Some(levels) => {
                        let level = values[row] as usize;
                        numbers.extend((1..*levels).map(|k| f32::from(u8::from(k == level))));
                    }
                }
            }
        }
        let id = |track: &String| ExampleId { track: track.clone(), segment: 0 };
        Ok(Examples {
            matrix: Matrix::Owned(numbers),
            shape: vec![self.width()],
            ids: table.ids.iter().map(id).collect(),
            labels: table.labels.clone(),
            classes: table.classes.clone(),
            hash: Sha256::new().piece(&table.hash).piece(format!("{self:?}")).hex(),
            excluded: vec![],
        })
    }
}

fn no_column(name: &str, table: &TableData) -> FeatureError {
    let known = || table.columns.keys().map(String::as_str);
    let near = match nearest(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
    };
    FeatureError::Mismatch(format!("the dataset has no column `{name}`, {near}"))
}

fn check_levels(
    name: &str,
    values: &[f64],
    levels: usize,
    table: &TableData,
) -> Result<(), FeatureError> {
    let is_level = |x: f64| x >= 0.0 && x < levels as f64 && x.fract() == 0.0;
    match values.iter().position(|&x| !is_level(x)) {
        None => Ok(()),
        Some(row) => Err(FeatureError::Mismatch(format!(
            "{}: {name} must be a whole number in [0, {levels}), got {}",
            table.ids[row], values[row]
        ))),
    }
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
    }

    #[test]
    fn a_level_out_of_range_and_a_missing_column_are_named() {
        let few = columns("columns = [\"key\"]\none_hot = { key = 2 }");
        let error = few.examples(&table()).err().unwrap().to_string();
        assert_eq!(error, "y: key must be a whole number in [0, 2), got 2");
        let typo = columns("columns = [\"temp\"]");
        let error = typo.examples(&table()).err().unwrap().to_string();
        assert_eq!(error, "the dataset has no column `temp`, did you mean `tempo`?");
    }
}
