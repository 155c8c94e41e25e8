//! `[preprocess]`: imputation, encoding and scaling of a table, fitted on the training rows only and saved
//! with the model.
//!
//! ```toml
//! [preprocess]
//! impute = "median"            # or "mean", "most_frequent", a number; left out: such rows are dropped
//! indicator = ["tempo"]        # for each, a number more: 1 where it was imputed
//! one_hot = { key = 12 }       # a number for every level 0..12
//! standardize = true           # all other numbers, by mean and deviation
//! ```
//!
//! The steps run in this order. A column in `one_hot` is always imputed by its most frequent level.
//! A level that training never saw becomes zeros and is counted.
//!
//! # Source
//! scikit-learn: `SimpleImputer` (`add_indicator`), `OneHotEncoder(handle_unknown="ignore")` and
//! `StandardScaler`, in a `ColumnTransformer`.

mod fitted;

pub use fitted::Preprocessor;

use crate::schema::{Fields, Flag, Int, Keyed, List, Node, OneOf, Real, Rule, Text};

/// The replacement for missing numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Impute {
    /// The mean of the training rows.
    Mean,
    /// Their median; the mean of the two middle values if their number is even.
    Median,
    /// Their most frequent number; the smallest one in a tie.
    MostFrequent,
    /// A fixed number.
    Constant(f64),
}

/// Checked settings; columns are in the order of the features.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocess {
    /// The names of the input columns.
    columns: Vec<String>,
    impute: Option<Impute>,
    indicator: Vec<String>,
    one_hot: Vec<(String, usize)>,
    standardize: bool,
}

impl Preprocess {
    /// Reads the table; `columns` are the names of an example's numbers.
    pub fn read(fields: &mut Fields, columns: &[String]) -> Self {
        let read = Self {
            columns: columns.to_vec(),
            impute: fields.optional("impute", &ImputeRule),
            indicator: fields.with_default("indicator", &List::of(Text), vec![]),
            one_hot: fields.with_default("one_hot", &Keyed(Int::within(2..=10_000)), vec![]),
            standardize: fields.with_default("standardize", &Flag, false),
        };
        let named = read.one_hot.iter().map(|(name, _)| ("one_hot", name));
        for (key, name) in named.chain(read.indicator.iter().map(|name| ("indicator", name))) {
            if !columns.contains(name) {
                let near = crate::vocab::nearest(name, columns.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!(", did you mean `{near}`?"));
                let said = format!(
                    "contains `{name}`, which is not a numeric column of [features.table]{near}"
                );
                fields.fault_at(key, &said);
            }
        }
        if read.impute.is_none() && !read.indicator.is_empty() {
            fields.fault_at("indicator", "has no effect without impute");
        }
        read
    }

    /// Returns whether missing numbers are imputed, so that their rows are kept.
    #[must_use]
    pub fn imputes(&self) -> bool {
        self.impute.is_some()
    }

    /// Returns how many numbers an example has afterwards.
    #[must_use]
    pub fn width(&self) -> usize {
        let of = |column: &String| self.levels(column).unwrap_or(1);
        self.columns.iter().map(of).sum::<usize>() + self.indicator.len()
    }

    fn levels(&self, column: &str) -> Option<usize> {
        self.one_hot.iter().find(|(name, _)| name == column).map(|(_, levels)| *levels)
    }
}

/// `"mean"`, `"median"`, `"most_frequent"` or a number.
struct ImputeRule;

const NAMES: OneOf<Impute> = OneOf(&[
    ("mean", Impute::Mean),
    ("median", Impute::Median),
    ("most_frequent", Impute::MostFrequent),
]);

fn any_number() -> Real {
    Real::between(f64::NEG_INFINITY, f64::INFINITY)
}

impl Rule for ImputeRule {
    type Made = Impute;

    fn allowed(&self) -> String {
        "`mean`, `median`, `most_frequent` or a number".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Impute, Option<String>> {
        match any_number().check(node) {
            Ok(number) => Ok(Impute::Constant(number)),
            Err(_) => NAMES.check(node).map_err(|_| None),
        }
    }

    fn keep(&self, made: &Impute) -> serde_json::Value {
        match made {
            Impute::Constant(number) => any_number().keep(number),
            named => NAMES.keep(named),
        }
    }

    fn stand_in(&self) -> Impute {
        Impute::Mean
    }
}

#[cfg(test)]
mod tests;
