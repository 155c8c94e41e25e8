//! Predictions in a file of another program: a row per test example, checked against the dataset.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use super::error::RunError;
use super::foreign_rows::{Header, Row, once, read, same_test};
use crate::features::Examples;
use crate::metrics;
use crate::model::command::ROW_SUM_TOLERANCE;
use crate::record::ForeignFile;
use crate::vocab::{Targets, Task};

/// By which share of it a number in the column `actual` may differ from the dataset's, because it was rounded.
const ROUNDING: f32 = 1e-3;

/// The columns of a file of predictions.
struct Columns {
    outputs: Outputs,
    /// What is true of an example, if the file tells: the class or the number, or each of the tags.
    actual: Vec<Option<usize>>,
}

enum Outputs {
    /// The probability of each class, and the predicted class.
    Classes(Vec<usize>, Option<usize>),
    /// The probability of each tag.
    Tags(Vec<usize>),
    /// The number.
    Number(NumberColumn),
}

struct NumberColumn {
    place: usize,
    name: String,
    /// Whether it has the name of the number in the dataset, which may be that of the true numbers too.
    is_own: bool,
}

impl Columns {
    fn find(header: &Header, task: Task, names: &[String]) -> Result<Self, String> {
        let actual = || Ok::<_, String>(vec![header.find("actual")?]);
        Ok(match task {
            Task::Classes => {
                let outputs = Outputs::Classes(
                    probabilities(header, names, "class")?,
                    header.find("predicted")?,
                );
                Self { outputs, actual: actual()? }
            }
            Task::Tags => {
                let has = |tag: &String| header.find(&format!("tag_{tag}"));
                Self {
                    outputs: Outputs::Tags(probabilities(header, names, "tag")?),
                    actual: names.iter().map(has).collect::<Result<_, _>>()?,
                }
            }
            Task::Number => {
                let number = NumberColumn::find(header, &names[0])?;
                Self { outputs: Outputs::Number(number), actual: actual()? }
            }
        })
    }

    /// Reads and checks one row.
    fn read(&self, row: &Row, examples: &Examples, into: &mut [f32]) -> Result<(), String> {
        let (names, n_outputs) = (&examples.classes, into.len());
        match (&self.outputs, &examples.targets) {
            (Outputs::Classes(columns, predicted), Targets::Classes(classes)) => {
                read_probabilities(row, columns, names, "softmax", into)?;
                check_sum(into)?;
                clamp(into);
                let says = |column: Option<usize>| column.map(|column| row.text(column));
                let actual = says(self.actual[0]);
                check_classes(names, classes[row.example], into, actual, says(*predicted))
            }
            (Outputs::Tags(columns), Targets::Tags(tags)) => {
                read_probabilities(row, columns, names, "sigmoid", into)?;
                clamp(into);
                let has = &tags[row.example * n_outputs..][..n_outputs];
                for ((tag, &has), column) in names.iter().zip(has).zip(&self.actual) {
                    column.map_or(Ok(()), |column| check_tag(tag, has, &row.text(column)))?;
                }
                Ok(())
            }
            (Outputs::Number(NumberColumn { place, name, .. }), Targets::Numbers(numbers)) => {
                into[0] = read_number(row, *place, name)?;
                let Some(column) = self.actual[0] else { return Ok(()) };
                let (said, is) = (read_number(row, column, "actual")?, numbers[row.example]);
                if (said - is).abs() <= ROUNDING * is.abs() {
                    return Ok(());
                }
                Err(format!(
                    "actual: the number is {is} in the dataset, found {:?}",
                    row.text(column)
                ))
            }
            _ => unreachable!("the columns were found for these targets"),
        }
    }
}

/// The columns `p_NAME` of all classes or tags.
fn probabilities(header: &Header, names: &[String], kind: &str) -> Result<Vec<usize>, String> {
    let of = |name: &String| {
        let column = format!("p_{name}");
        // The name alone may be the column of what is true.
        if header.find(&column)?.is_none() && header.find(name)?.is_some() {
            return Err(format!(
                "has a column `{name}` and no column `{column}`; the probability of a {kind} is expected \
                 in `p_{}`",
                kind.to_uppercase()
            ));
        }
        header.column(&column)
    };
    let found = names.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let is_other = |(i, name): &(usize, &str)| !found.contains(i) && name.starts_with("p_");
    if let Some((_, name)) = header.names().enumerate().find(is_other) {
        return Err(format!(
            "has a column `{name}`, and the spec has no {kind} `{}`; expected one column `p_{}` for each of the \
             {} in classes.csv of `encore split`",
            &name[2..],
            kind.to_uppercase(),
            names.len()
        ));
    }
    Ok(found)
}

impl NumberColumn {
    fn find(header: &Header, own: &str) -> Result<Self, String> {
        let find = |name: &str, is_own: bool| {
            let place = header.find(name)?;
            Ok::<_, String>(place.map(|place| Self { place, name: name.to_owned(), is_own }))
        };
        match (find("predicted", false)?, find("prediction", false)?) {
            (Some(found), None) | (None, Some(found)) => Ok(found),
            (Some(_), Some(_)) => {
                Err("has the columns `predicted` and `prediction`, expected one of them".to_owned())
            }
            (None, None) => match find(own, true)? {
                Some(found) => Ok(found),
                None => {
                    let place = header.column("predicted")?;
                    Ok(Self { place, name: "predicted".to_owned(), is_own: false })
                }
            },
        }
    }
}

/// What another program put out for the test examples in their order, row-major `[n_test, n_outputs]`.
pub(super) fn predictions(
    path: &Path,
    examples: &Examples,
    test: &[usize],
) -> Result<(Vec<f32>, ForeignFile), RunError> {
    let (task, names) = (examples.targets.task(), &examples.classes);
    let n_outputs = names.len();
    let mut all = vec![0.0; test.len() * n_outputs];
    let (mut lines, mut outside) = (BTreeMap::new(), BTreeMap::new());
    let is_own = Cell::new(false);
    let columns = |header: &Header| {
        let found = Columns::find(header, task, names)?;
        is_own.set(matches!(&found.outputs, Outputs::Number(number) if number.is_own));
        Ok(found)
    };
    let file = read(path, examples, columns, |columns, row: &Row| {
        // Those outside are counted, so that a wrong seed is told from a wrong row.
        let Ok(place) = test.binary_search(&row.example) else {
            return once(&mut outside, row, examples);
        };
        once(&mut lines, row, examples)?;
        columns.read(row, examples, &mut all[place * n_outputs..][..n_outputs])
    })?;
    let mut found: Vec<usize> = lines.into_keys().chain(outside.into_keys()).collect();
    found.sort_unstable();
    same_test(path, examples, test, &found)?;
    if is_own.get()
        && let Targets::Numbers(numbers) = examples.targets.of_rows(test, n_outputs)
        && numbers == all
    {
        return Err(RunError::Incompatible(format!(
            "{}: the column `{}` has the numbers of the dataset, expected predictions\n\
             hint: if they are predictions, name the column `predicted`",
            path.display(),
            names[0]
        )));
    }
    Ok((all, file))
}

fn read_number(row: &Row, column: usize, name: &str) -> Result<f32, String> {
    let cell = row.text(column);
    let number: Option<f32> = cell.trim().parse().ok();
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("{name}: expected a number, found {cell:?}"))
}

/// Reads the probabilities of one row; `function` is what makes logits probabilities.
fn read_probabilities(
    row: &Row,
    columns: &[usize],
    names: &[String],
    function: &str,
    into: &mut [f32],
) -> Result<(), String> {
    let tolerance = ROW_SUM_TOLERANCE as f32;
    for ((name, &column), p) in names.iter().zip(columns).zip(into) {
        let cell = row.text(column);
        let number: Option<f32> = cell.trim().parse().ok();
        let fits = |p: f32| (-tolerance..=1.0 + tolerance).contains(&p);
        let Some(found) = number.filter(|found| fits(*found)) else {
            let is_logit = number.is_some_and(f32::is_finite);
            let hint = format!("\nhint: logits need a {function}");
            let hint = if is_logit { hint } else { String::new() };
            return Err(format!(
                "p_{name}: expected a probability in [0, 1], found {cell:?}{hint}"
            ));
        };
        *p = found;
    }
    Ok(())
}

fn check_sum(probabilities: &[f32]) -> Result<(), String> {
    let sum: f64 = probabilities.iter().copied().map(f64::from).sum();
    if (sum - 1.0).abs() <= ROW_SUM_TOLERANCE {
        return Ok(());
    }
    Err(format!("the probabilities sum to {sum:.6}, expected 1 within {ROW_SUM_TOLERANCE}"))
}

/// Rounding may leave a probability just outside.
fn clamp(probabilities: &mut [f32]) {
    probabilities.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
}

/// Checks what a row says of the actual and of the most probable class.
fn check_classes(
    classes: &[String],
    label: usize,
    probabilities: &[f32],
    actual: Option<String>,
    predicted: Option<String>,
) -> Result<(), String> {
    let is = |text: &str, class: usize| text == classes[class] || text.trim() == classes[class];
    if let Some(actual) = actual.filter(|actual| !is(actual, label)) {
        return Err(format!(
            "actual: the class is {:?} in the dataset, found {actual:?}",
            classes[label]
        ));
    }
    let most = metrics::most_likely(probabilities, classes.len())[0];
    let is_most = |text: &str| {
        (0..classes.len()).any(|c| is(text, c) && probabilities[c] >= probabilities[most])
    };
    if let Some(predicted) = predicted.filter(|text| !is_most(text)) {
        return Err(format!(
            "predicted: the most probable class is {:?}, found {predicted:?}; encore scores the most probable \
             class, so the columns of the probabilities may be mixed up\n\
             hint: leave the column `predicted` out if it is meant to be another class",
            classes[most]
        ));
    }
    Ok(())
}

/// Checks what a row says of whether the example has a tag.
fn check_tag(tag: &str, has: bool, cell: &str) -> Result<(), String> {
    let said: Option<f32> = cell.trim().parse().ok();
    let is = f32::from(u8::from(has));
    if said == Some(is) {
        return Ok(());
    }
    Err(format!("tag_{tag}: the example has {is} in the dataset, found {cell:?}"))
}
