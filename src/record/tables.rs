//! The tables of a run: predictions and set members, as CSV with a header.

use std::borrow::Cow;

use crate::delimited::{Records, Writer};
use crate::vocab::{ExampleId, SplitName, Targets, Task};

/// The predictions for all test examples.
#[derive(Debug, Clone, PartialEq)]
pub enum Predictions {
    /// Of classes.
    Classes(Vec<Prediction>),
    /// Of tags.
    Tags(Vec<TagsPrediction>),
    /// Of a number.
    Number(Vec<NumberPrediction>),
}

/// The prediction of a class for one test example.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The example.
    pub example: ExampleId,
    /// The actual class.
    pub actual: usize,
    /// The class with the highest probability.
    pub predicted: usize,
    /// A probability per class.
    pub probabilities: Vec<f32>,
}

/// The prediction of tags for one test example.
#[derive(Debug, Clone, PartialEq)]
pub struct TagsPrediction {
    /// The example.
    pub example: ExampleId,
    /// Whether it has each tag.
    pub actual: Vec<bool>,
    /// A probability per tag.
    pub probabilities: Vec<f32>,
}

/// The prediction of a number for one test example.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberPrediction {
    /// The example.
    pub example: ExampleId,
    /// The actual number.
    pub actual: f32,
    /// The predicted number.
    pub predicted: f32,
}

impl Predictions {
    /// Returns the number of test examples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(rows) => rows.len(),
            Self::Tags(rows) => rows.len(),
            Self::Number(rows) => rows.len(),
        }
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the test examples.
    #[must_use]
    pub fn examples(&self) -> Vec<&ExampleId> {
        match self {
            Self::Classes(rows) => rows.iter().map(|row| &row.example).collect(),
            Self::Tags(rows) => rows.iter().map(|row| &row.example).collect(),
            Self::Number(rows) => rows.iter().map(|row| &row.example).collect(),
        }
    }

    /// Returns what is true of the test examples.
    #[must_use]
    pub fn targets(&self) -> Targets {
        match self {
            Self::Classes(rows) => Targets::Classes(rows.iter().map(|row| row.actual).collect()),
            Self::Tags(rows) => {
                Targets::Tags(rows.iter().flat_map(|row| row.actual.iter().copied()).collect())
            }
            Self::Number(rows) => Targets::Numbers(rows.iter().map(|row| row.actual).collect()),
        }
    }

    /// Returns what the model put out for them, row-major `[n, n_outputs]`: probabilities, or numbers.
    #[must_use]
    pub fn outputs(&self) -> Vec<f32> {
        match self {
            Self::Classes(rows) => {
                rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect()
            }
            Self::Tags(rows) => {
                rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect()
            }
            Self::Number(rows) => rows.iter().map(|row| row.predicted).collect(),
        }
    }

    /// Returns the predicted classes; empty if no classes were predicted.
    #[must_use]
    pub fn predicted(&self) -> Vec<usize> {
        match self {
            Self::Classes(rows) => rows.iter().map(|row| row.predicted).collect(),
            Self::Tags(_) | Self::Number(_) => vec![],
        }
    }

    /// Adds those of another run with the same task, behind these; those of another task are dropped.
    pub fn append(&mut self, others: Self) {
        match (self, others) {
            (Self::Classes(rows), Self::Classes(mut others)) => rows.append(&mut others),
            (Self::Tags(rows), Self::Tags(mut others)) => rows.append(&mut others),
            (Self::Number(rows), Self::Number(mut others)) => rows.append(&mut others),
            _ => {}
        }
    }

    /// Sorts them by example.
    pub fn sort(&mut self) {
        match self {
            Self::Classes(rows) => rows.sort_by(|a, b| a.example.cmp(&b.example)),
            Self::Tags(rows) => rows.sort_by(|a, b| a.example.cmp(&b.example)),
            Self::Number(rows) => rows.sort_by(|a, b| a.example.cmp(&b.example)),
        }
    }
}

/// One example's set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The example.
    pub example: ExampleId,
    /// Its set.
    pub set: SplitName,
}

/// Writes the predictions; `classes` are the names of the classes or tags.
///
/// | task | columns |
/// |---|---|
/// | classes | `track,segment,actual,predicted,p_<class>,…`, with classes by name |
/// | tags | `track,segment,tag_<tag>,…,p_<tag>,…`, the first 1 if the example has the tag, else 0 |
/// | number | `track,segment,actual,predicted` |
pub(super) fn predictions_csv(predictions: &Predictions, classes: &[String]) -> String {
    let mut csv = Writer::default();
    let named = |columns: &[&str]| columns.iter().map(|name| (*name).to_owned()).collect();
    let mut head: Vec<String> = match predictions {
        Predictions::Tags(_) => named(&["track", "segment"]),
        _ => named(&["track", "segment", "actual", "predicted"]),
    };
    let columns = |start: &'static str| classes.iter().map(move |name| format!("{start}_{name}"));
    match predictions {
        Predictions::Classes(_) => head.extend(columns("p")),
        Predictions::Tags(_) => head.extend(columns("tag").chain(columns("p"))),
        Predictions::Number(_) => {}
    }
    csv.row(head);
    let id = |ExampleId { track, segment }: &ExampleId| [track.clone(), segment.to_string()];
    match predictions {
        Predictions::Classes(rows) => {
            for row in rows {
                let said = [row.actual, row.predicted].map(|class| classes[class].clone());
                let probabilities = row.probabilities.iter().map(f32::to_string);
                csv.row(id(&row.example).into_iter().chain(said).chain(probabilities));
            }
        }
        Predictions::Tags(rows) => {
            for row in rows {
                let actual = row.actual.iter().map(|has| u8::from(*has).to_string());
                let probabilities = row.probabilities.iter().map(f32::to_string);
                csv.row(id(&row.example).into_iter().chain(actual).chain(probabilities));
            }
        }
        Predictions::Number(rows) => {
            for row in rows {
                let said = [row.actual, row.predicted].map(|number| number.to_string());
                csv.row(id(&row.example).into_iter().chain(said));
            }
        }
    }
    csv.text()
}

/// Reads predictions from the text of [`predictions_csv`]; an error names the line.
pub(super) fn parse_predictions(
    text: &str,
    task: Task,
    classes: &[String],
) -> Result<Predictions, String> {
    match task {
        Task::Classes => rows(text, |example, cells| class_row(example, cells, classes))
            .map(Predictions::Classes),
        Task::Tags => rows(text, |example, cells| tags_row(example, cells, classes.len()))
            .map(Predictions::Tags),
        Task::Number => rows(text, number_row).map(Predictions::Number),
    }
}

/// Reads every line after the header by what follows its track and segment.
fn rows<T>(
    text: &str,
    row: impl Fn(ExampleId, &[Cow<str>]) -> Option<T>,
) -> Result<Vec<T>, String> {
    let parse = |cells: &[Cow<str>]| {
        let [track, segment, rest @ ..] = cells else { return None };
        row(ExampleId { track: track.to_string(), segment: segment.parse().ok()? }, rest)
    };
    let mut records = Records::new(text.as_bytes(), b',');
    records.next()?; // the header
    let mut predictions = vec![];
    while let Some(cells) = records.next()? {
        let prediction = parse(&cells.iter().collect::<Vec<_>>()).ok_or_else(|| {
            let raw = String::from_utf8_lossy(cells.raw);
            format!("line {} is not a prediction: {raw}", cells.line)
        })?;
        predictions.push(prediction);
    }
    Ok(predictions)
}

/// Reads `track,segment,set` as [`members_csv`] writes it.
pub(super) fn parse_members(text: &str) -> Result<Vec<Member>, String> {
    rows(text, |example, cells| match cells {
        [name] => {
            let set = SplitName::ALL.into_iter().find(|set| set.as_str() == name)?;
            Some(Member { example, set })
        }
        _ => None,
    })
}

fn class_row(example: ExampleId, cells: &[Cow<str>], classes: &[String]) -> Option<Prediction> {
    let class = |name: &str| classes.iter().position(|class| class == name);
    let [actual, predicted, probabilities @ ..] = cells else { return None };
    (probabilities.len() == classes.len()).then_some(())?;
    let (actual, predicted) = (class(actual)?, class(predicted)?);
    Some(Prediction { example, actual, predicted, probabilities: numbers(probabilities)? })
}

fn tags_row(example: ExampleId, cells: &[Cow<str>], n_tags: usize) -> Option<TagsPrediction> {
    (cells.len() == 2 * n_tags).then_some(())?;
    let (actual, probabilities) = cells.split_at(n_tags);
    let has = |cell: &Cow<str>| match cell.as_ref() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let actual = actual.iter().map(has).collect::<Option<_>>()?;
    Some(TagsPrediction { example, actual, probabilities: numbers(probabilities)? })
}

fn number_row(example: ExampleId, cells: &[Cow<str>]) -> Option<NumberPrediction> {
    let [actual, predicted] = cells else { return None };
    Some(NumberPrediction {
        example,
        actual: actual.parse().ok()?,
        predicted: predicted.parse().ok()?,
    })
}

fn numbers(cells: &[Cow<str>]) -> Option<Vec<f32>> {
    cells.iter().map(|cell| cell.parse().ok()).collect()
}
/// Writes `track,segment,set`.
pub(super) fn members_csv(members: &[Member]) -> String {
    let mut csv = Writer::default();
    csv.row(["track", "segment", "set"]);
    for Member { example, set } in members {
        csv.row([example.track.clone(), example.segment.to_string(), set.to_string()]);
    }
    csv.text()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{hash_set, vec};
    use proptest::prop_assert;
    use proptest::prop_assert_eq;

    use super::*;

    /// Texts with many characters that are special in CSV.
    const TEXT: &str = "[a,;\"\r\n\t #'é\u{FEFF}\u{0}]{0,6}|\\PC{0,4}";

    #[test]
    fn predictions_come_back_as_they_went() {
        let classes = vec!["a,b".to_owned(), "c\"d".to_owned()];
        let example = ExampleId { track: "x, \"y\"".to_owned(), segment: 3 };
        let predictions = Predictions::Classes(vec![Prediction {
            example,
            actual: 0,
            predicted: 1,
            probabilities: vec![0.1, 0.9],
        }]);
        let text = predictions_csv(&predictions, &classes);
        assert_eq!(parse_predictions(&text, Task::Classes, &classes), Ok(predictions));
    }

    #[test]
    fn tags_and_numbers_come_back_as_they_went() {
        let example = |segment: u32| ExampleId { track: "a,b".to_owned(), segment };
        let tags = vec!["rock".to_owned(), "\"loud\"".to_owned()];
        let row = |segment, actual: [bool; 2], probabilities: [f32; 2]| TagsPrediction {
            example: example(segment),
            actual: actual.to_vec(),
            probabilities: probabilities.to_vec(),
        };
        let predictions = Predictions::Tags(vec![
            row(0, [true, false], [0.1 + 0.2, 1e-9]),
            row(1, [true, true], [1.0, 0.0]),
        ]);
        let text = predictions_csv(&predictions, &tags);
        let head = "track,segment,tag_rock,\"tag_\"\"loud\"\"\",p_rock,\"p_\"\"loud\"\"\"\n";
        assert!(text.starts_with(&format!("{head}\"a,b\",0,1,0,0.3")), "{text}");
        assert_eq!(parse_predictions(&text, Task::Tags, &tags), Ok(predictions));

        let number = vec!["tempo".to_owned()];
        let row = |segment, actual: f32, predicted: f32| NumberPrediction {
            example: example(segment),
            actual,
            predicted,
        };
        let rows = vec![row(0, 120.1, -1.0 / 3.0), row(7, 1e-30, f32::MAX)];
        let predictions = Predictions::Number(rows);
        let text = predictions_csv(&predictions, &number);
        assert!(text.starts_with("track,segment,actual,predicted\n\"a,b\",0,120.1,-0.3"), "{text}");
        assert_eq!(parse_predictions(&text, Task::Number, &number), Ok(predictions));
    }

    #[test]
    fn a_damaged_prediction_names_its_line() {
        let classes = vec!["a".to_owned()];
        let error = |text: &str, task| parse_predictions(text, task, &classes).unwrap_err();
        for (task, head, line) in [
            (Task::Classes, "track,segment,actual,predicted,p_a", "x,0,a,b,1"),
            (Task::Tags, "track,segment,tag_a,p_a", "x,0,2,0.5"),
            (Task::Tags, "track,segment,tag_a,p_a", "x,0,1,0.5,0.5"),
            (Task::Number, "track,segment,actual,predicted", "x,0,1.5,loud"),
        ] {
            let said = error(&format!("{head}\n{line}\n"), task);
            assert_eq!(said, format!("line 2 is not a prediction: {line}"));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_in_ids_and_labels(
            rows in vec((TEXT, 0..9_u32, 0..3_usize, 0..3_usize, [0.0..1_f32, 0.0..1_f32, 0.0..1_f32]), 0..9),
            classes in hash_set(TEXT, 3),
        ) {
            let classes: Vec<String> = classes.into_iter().collect();
            let predictions: Vec<Prediction> = rows
                .into_iter()
                .map(|(track, segment, actual, predicted, probabilities)| Prediction {
                    example: ExampleId { track, segment },
                    actual,
                    predicted,
                    probabilities: probabilities.to_vec(),
                })
                .collect();
            let all = Predictions::Classes(predictions.clone());
            let text = predictions_csv(&all, &classes);
            prop_assert_eq!(parse_predictions(&text, Task::Classes, &classes), Ok(all));

            let set = |row: &Prediction| SplitName::ALL[row.actual];
            let member = |row: &Prediction| Member { example: row.example.clone(), set: set(row) };
            let text = members_csv(&predictions.iter().map(member).collect::<Vec<_>>());
            let mut records = Records::new(text.as_bytes(), b',');
            records.next().unwrap();
            for row in &predictions {
                let cells: Vec<String> =
                    records.next().unwrap().unwrap().iter().map(Cow::into_owned).collect();
                let ExampleId { track, segment } = &row.example;
                prop_assert_eq!(&cells, &[track.clone(), segment.to_string(), set(row).to_string()]);
            }
            prop_assert!(records.next().unwrap().is_none());
        }
    }
}
