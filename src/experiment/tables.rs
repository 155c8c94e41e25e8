//! What a spec says of a table's rows and numbers: `[classes]` and `[preprocess]`.

use crate::dataset::Kind;
use crate::features::{Features, MissingNumbers, Selection};
use crate::model::Preprocess;
use crate::schema::{Fields, Int};

/// Reads both tables; the features then take the rows that these say, and the preprocessing fits them.
pub(super) fn read(
    fields: &mut Fields,
    features: Option<Features>,
    kind: Kind,
) -> (Option<Features>, Option<Preprocess>) {
    let names = match &features {
        Some(Features::Table(columns)) => columns.names(),
        _ => vec![],
    };
    for key in ["classes", "preprocess"] {
        if fields.is_given(key) && kind != Kind::Table {
            let said = format!("applies to tables, but the dataset is {}", kind.as_str());
            fields.fault_at(key, &said);
        }
    }
    let minimum_rows = fields
        .table("classes", |inner| inner.required("minimum_rows", &Int::within(1..=1_000_000_000)));
    // Where the features have a fault of their own, names can't be checked against them.
    let is_known = !names.is_empty() && names.iter().all(|name| !name.is_empty());
    let preprocess = if is_known || fields.is_exploring() {
        fields.table("preprocess", |inner| Preprocess::read(inner, &names))
    } else {
        fields.pass_over("preprocess");
        None
    };
    let missing = match &preprocess {
        Some(preprocess) if preprocess.imputes() => MissingNumbers::Keep,
        _ => MissingNumbers::Drop,
    };
    (features.map(|features| features.of(Selection { missing, minimum_rows })), preprocess)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::schema::{Tree, read as read_tree};

    fn said(kind: Kind, text: &str) -> Result<(Option<Vec<usize>>, Option<usize>), String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let made = read_tree(&tree, |fields| {
            let features = Features::read(fields, kind, Path::new(""));
            let (features, preprocess) = read(fields, features, kind);
            (features.map(|features| features.shape(kind)), preprocess.map(|made| made.width()))
        });
        made.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn preprocessing_knows_the_features_columns() {
        let text = "[features.table]\ncolumns = [\"key\", \"tempo\"]\n[classes]\nminimum_rows = 2\n\
                    [preprocess]\nimpute = \"mean\"\none_hot = { key = 12 }\nindicator = [\"tempo\"]\n";
        assert_eq!(said(Kind::Table, text), Ok((Some(vec![2]), Some(14))));
        let wrong = text.replace("indicator = [\"tempo\"]", "indicator = [\"temp\"]");
        assert!(said(Kind::Table, &wrong).unwrap_err().contains("did you mean `tempo`?"));
        // One fault, not two, where the features are wrong themselves.
        let wrong = text.replace("columns =", "column =");
        assert_eq!(said(Kind::Table, &wrong).unwrap_err().lines().count(), 2);
    }

    #[test]
    fn audio_has_neither() {
        let text = "[segments]\nseconds = 3.0\nper_track = 10\n[features.mfcc]\n[classes]\nminimum_rows = 2\n\
                    [preprocess]\nimpute = \"mean\"\n";
        assert_eq!(
            said(Kind::Audio { sample_rate_hz: 22_050 }, text).unwrap_err(),
            "x.toml:5: classes applies to tables, but the dataset is audio\n\
             x.toml:7: preprocess applies to tables, but the dataset is audio"
        );
    }
}
