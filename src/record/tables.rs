//! The tables of a run: predictions and set members, as CSV with a header.

use crate::vocab::{ExampleId, SplitName};

/// What the model said of one test example.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Which example.
    pub example: ExampleId,
    /// Its class.
    pub actual: usize,
    /// The class with the highest probability.
    pub predicted: usize,
    /// A probability per class.
    pub probabilities: Vec<f32>,
}

/// One example's set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which example.
    pub example: ExampleId,
    /// Where it went.
    pub set: SplitName,
}

/// `track,segment,actual,predicted,p_<class>,…`; classes by name.
pub(super) fn predictions_csv(predictions: &[Prediction], classes: &[String]) -> String {
    let columns: String =
        classes.iter().map(|class| format!(",{}", quoted(&format!("p_{class}")))).collect();
    let mut text = format!("track,segment,actual,predicted{columns}\n");
    for row in predictions {
        text += &format!(
            "{},{},{},{}",
            quoted(&row.example.track),
            row.example.segment,
            quoted(&classes[row.actual]),
            quoted(&classes[row.predicted]),
        );
        for p in &row.probabilities {
            text += &format!(",{p}");
        }
        text.push('\n');
    }
    text
}

/// The predictions back from [`predictions_csv`]'s text; the error says which line is wrong.
pub(super) fn parse_predictions(text: &str, classes: &[String]) -> Result<Vec<Prediction>, String> {
    let class = |name: &str| classes.iter().position(|class| class == name);
    let parse = |line: &str| {
        let cells = split_line(line);
        let [track, segment, actual, predicted, probabilities @ ..] = cells.as_slice() else {
            return None;
        };
        let probabilities: Vec<f32> =
            probabilities.iter().map(|p| p.parse().ok()).collect::<Option<_>>()?;
        (probabilities.len() == classes.len()).then_some(())?;
        Some(Prediction {
            example: ExampleId { track: track.clone(), segment: segment.parse().ok()? },
            actual: class(actual)?,
            predicted: class(predicted)?,
            probabilities,
        })
    };
    let numbered = text.lines().enumerate().skip(1);
    numbered
        .map(|(i, line)| parse(line).ok_or(format!("line {} is no prediction: {line}", i + 1)))
        .collect()
}

/// `track,segment,set`.
pub(super) fn members_csv(members: &[Member]) -> String {
    let mut text = "track,segment,set\n".to_owned();
    for member in members {
        let ExampleId { track, segment } = &member.example;
        text += &format!("{},{segment},{}\n", quoted(track), member.set);
    }
    text
}

/// A CSV cell, quoted where it must be (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The cells of one line that [`quoted`] cells were joined into.
fn split_line(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut inside = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut().expect("starts with one cell");
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => inside = !inside,
            ',' if !inside => cells.push(String::new()),
            _ => cell.push(c),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(error, Err("line 2 is no prediction: x,0,a,b,1".to_owned()));
    }
}
