//! The tables of a run: predictions and set members, as CSV with a header.

use std::borrow::Cow;

use crate::delimited::{Records, Writer};
use crate::vocab::{ExampleId, SplitName};

/// The prediction for one test example.
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

/// One example's set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The example.
    pub example: ExampleId,
    /// Its set.
    pub set: SplitName,
}

/// Writes `track,segment,actual,predicted,p_<class>,…`, with classes by name.
pub(super) fn predictions_csv(predictions: &[Prediction], classes: &[String]) -> String {
    let mut csv = Writer::default();
    let columns = ["track", "segment", "actual", "predicted"].map(str::to_owned);
    csv.row(columns.into_iter().chain(classes.iter().map(|class| format!("p_{class}"))));
    for row in predictions {
        let ExampleId { track, segment } = &row.example;
        let (actual, predicted) = (&classes[row.actual], &classes[row.predicted]);
        let example = [track.clone(), segment.to_string(), actual.clone(), predicted.clone()];
        csv.row(example.into_iter().chain(row.probabilities.iter().map(f32::to_string)));
    }
    csv.text()
}

/// Reads predictions from the text of [`predictions_csv`]; an error names the line.
pub(super) fn parse_predictions(text: &str, classes: &[String]) -> Result<Vec<Prediction>, String> {
    let class = |name: &str| classes.iter().position(|class| class == name);
    let parse = |cells: &[Cow<str>]| {
        let [track, segment, actual, predicted, probabilities @ ..] = cells else {
            return None;
        };
        let probabilities: Vec<f32> =
            probabilities.iter().map(|p| p.parse().ok()).collect::<Option<_>>()?;
        (probabilities.len() == classes.len()).then_some(())?;
        Some(Prediction {
            example: ExampleId { track: track.to_string(), segment: segment.parse().ok()? },
            actual: class(actual)?,
            predicted: class(predicted)?,
            probabilities,
        })
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
        let predictions = vec![Prediction {
            example: ExampleId { track: "x, \"y\"".to_owned(), segment: 3 },
            actual: 0,
            predicted: 1,
            probabilities: vec![0.1, 0.9],
        }];
        let text = predictions_csv(&predictions, &classes);
        assert_eq!(parse_predictions(&text, &classes), Ok(predictions));
    }

    #[test]
    fn a_damaged_prediction_names_its_line() {
        let classes = vec!["a".to_owned()];
        let error = parse_predictions("track,segment,actual,predicted,p_a\nx,0,a,b,1\n", &classes);
        assert_eq!(error, Err("line 2 is not a prediction: x,0,a,b,1".to_owned()));
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
            let text = predictions_csv(&predictions, &classes);
            prop_assert_eq!(parse_predictions(&text, &classes), Ok(predictions.clone()));

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
