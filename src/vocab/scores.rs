//! The scores of a model on one set of examples, by what it tells.

use serde::{Deserialize, Serialize};

use super::Task;

/// The scores of a model on one set of examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "AnyScores")]
pub enum Scores {
    /// Of a model that tells a class.
    Classes(ClassificationScores),
    /// Of a model that tells tags.
    Tags(TaggingScores),
    /// Of a model that tells a number.
    Number(RegressionScores),
}

/// The scores of a classifier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassificationScores {
    /// Number of examples.
    pub n: usize,
    /// Fraction right, `[0, 1]`.
    pub accuracy: f64,
    /// Mean over classes of the F1 score, `[0, 1]`; a class that is neither present nor predicted
    /// counts 0.
    pub macro_f1: f64,
    /// Mean negative log-probability of the actual class, natural log, without penalties.
    pub log_loss: f64,
    /// Rows actual, columns predicted, in the order of the classes.
    pub confusion: Vec<Vec<usize>>,
}

/// The scores of a model that tells tags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaggingScores {
    /// Number of examples.
    pub n: usize,
    /// Area under the ROC curve, `[0, 1]`, averaged over the tags that some examples have and others do
    /// not; `None` if there is no such tag.
    pub roc_auc: Option<f64>,
    /// Average precision, `[0, 1]`, averaged over the same tags.
    pub average_precision: Option<f64>,
    /// Mean binary cross-entropy over examples and tags, natural log, without penalties.
    pub log_loss: f64,
    /// The scores of each tag, in the order of the tags.
    pub tags: Vec<TagScores>,
}

/// The scores of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TagScores {
    /// Number of examples that have it.
    pub n_positive: usize,
    /// Area under its ROC curve, `[0, 1]`; `None` if all or no examples have the tag.
    pub roc_auc: Option<f64>,
    /// Its average precision, `[0, 1]`; `None` in the same cases.
    pub average_precision: Option<f64>,
}

/// The scores of a regressor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegressionScores {
    /// Number of examples.
    pub n: usize,
    /// The coefficient of determination, at most 1; 0 for a model that tells the mean of the examples. Where
    /// all examples have the same number, 1 if every prediction is that number, else 0.
    pub r2: f64,
    /// Mean absolute error, in the number's unit.
    pub mae: f64,
    /// Mean squared error, in the number's unit squared.
    pub mse: f64,
}

impl Scores {
    /// Returns the number of examples.
    #[must_use]
    pub fn n(&self) -> usize {
        match self {
            Self::Classes(scores) => scores.n,
            Self::Tags(scores) => scores.n,
            Self::Number(scores) => scores.n,
        }
    }

    /// Returns what the model tells.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Classes(_) => Task::Classes,
            Self::Tags(_) => Task::Tags,
            Self::Number(_) => Task::Number,
        }
    }

    /// Returns the main score: accuracy, area under the ROC curve or R2. NaN if the examples don't define
    /// it: no tag that some have and others do not.
    #[must_use]
    pub fn main(&self) -> f64 {
        match self {
            Self::Classes(scores) => scores.accuracy,
            Self::Tags(scores) => scores.roc_auc.unwrap_or(f64::NAN),
            Self::Number(scores) => scores.r2,
        }
    }

    /// Returns the scores of a classifier, if it is one.
    #[must_use]
    pub fn classes(&self) -> Option<&ClassificationScores> {
        if let Self::Classes(scores) = self { Some(scores) } else { None }
    }

    /// Returns the scores of a model that tells tags, if it is one.
    #[must_use]
    pub fn tags(&self) -> Option<&TaggingScores> {
        if let Self::Tags(scores) = self { Some(scores) } else { None }
    }

    /// Returns the scores of a regressor, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<&RegressionScores> {
        if let Self::Number(scores) = self { Some(scores) } else { None }
    }

    /// Returns every score beside the number of examples and the scores per class or tag, by its name in
    /// records. A score that the examples don't define is absent.
    #[must_use]
    pub fn by_name(&self) -> Vec<(&'static str, f64)> {
        let found = |all: [(&'static str, Option<f64>); 3]| {
            all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        };
        match self {
            Self::Classes(scores) => found([
                ("accuracy", Some(scores.accuracy)),
                ("macro_f1", Some(scores.macro_f1)),
                ("log_loss", Some(scores.log_loss)),
            ]),
            Self::Tags(scores) => found([
                ("roc_auc", scores.roc_auc),
                ("average_precision", scores.average_precision),
                ("log_loss", Some(scores.log_loss)),
            ]),
            Self::Number(scores) => found([
                ("r2", Some(scores.r2)),
                ("mae", Some(scores.mae)),
                ("mse", Some(scores.mse)),
            ]),
        }
    }
}

impl TaggingScores {
    /// Returns the number of tags that all or no examples have. They don't count in the means over tags.
    #[must_use]
    pub fn n_left_out(&self) -> usize {
        self.tags.iter().filter(|tag| tag.roc_auc.is_none()).count()
    }
}

/// The fields of all three, to read them in one go and name what is missing.
#[derive(Deserialize)]
struct AnyScores {
    n: usize,
    accuracy: Option<f64>,
    macro_f1: Option<f64>,
    log_loss: Option<f64>,
    confusion: Option<Vec<Vec<usize>>>,
    roc_auc: Option<f64>,
    average_precision: Option<f64>,
    tags: Option<Vec<TagScores>>,
    r2: Option<f64>,
    mae: Option<f64>,
    mse: Option<f64>,
}

impl TryFrom<AnyScores> for Scores {
    type Error = String;

    fn try_from(any: AnyScores) -> Result<Self, String> {
        let n = any.n;
        let missing = |name: &str| format!("missing field `{name}`");
        if let Some(r2) = any.r2 {
            let mae = any.mae.ok_or_else(|| missing("mae"))?;
            let mse = any.mse.ok_or_else(|| missing("mse"))?;
            return Ok(Self::Number(RegressionScores { n, r2, mae, mse }));
        }
        let log_loss = any.log_loss.ok_or_else(|| missing("log_loss"))?;
        if let Some(tags) = any.tags {
            let (roc_auc, average_precision) = (any.roc_auc, any.average_precision);
            let scores = TaggingScores { n, roc_auc, average_precision, log_loss, tags };
            return Ok(Self::Tags(scores));
        }
        Ok(Self::Classes(ClassificationScores {
            n,
            accuracy: any.accuracy.ok_or_else(|| missing("accuracy"))?,
            macro_f1: any.macro_f1.ok_or_else(|| missing("macro_f1"))?,
            log_loss,
            confusion: any.confusion.ok_or_else(|| missing("confusion"))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_kept(text: &str) -> Scores {
        let scores: Scores = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&scores).unwrap(), text);
        scores
    }

    #[test]
    fn scores_of_every_task_are_read_and_written_as_they_were() {
        let classes = is_kept(
            r#"{"n":3,"accuracy":0.6666666666666666,"macro_f1":0.5,"log_loss":1.25,"confusion":[[1,1],[0,1]]}"#,
        );
        assert_eq!((classes.n(), classes.main(), classes.task()), (3, 2.0 / 3.0, Task::Classes));
        let tags = is_kept(concat!(
            r#"{"n":4,"roc_auc":0.75,"average_precision":0.5,"log_loss":0.7,"tags":["#,
            r#"{"n_positive":2,"roc_auc":0.75,"average_precision":0.5},"#,
            r#"{"n_positive":0,"roc_auc":null,"average_precision":null}]}"#
        ));
        assert_eq!((tags.main(), tags.tags().unwrap().n_left_out()), (0.75, 1));
        let number = is_kept(r#"{"n":4,"r2":-0.5,"mae":1.5,"mse":4.0}"#);
        assert_eq!(number.by_name(), [("r2", -0.5), ("mae", 1.5), ("mse", 4.0)]);
        let undefined =
            is_kept(r#"{"n":1,"roc_auc":null,"average_precision":null,"log_loss":0.7,"tags":[]}"#);
        assert!(undefined.main().is_nan());
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |text: &str| serde_json::from_str::<Scores>(text).unwrap_err().to_string();
        assert!(said(r#"{"n":1,"r2":0.5,"mae":1.0}"#).contains("missing field `mse`"));
        let text = r#"{"n":1,"macro_f1":0.5,"log_loss":1.0,"confusion":[]}"#;
        assert!(said(text).contains("missing field `accuracy`"));
    }
}
