use std::sync::LazyLock;

use super::*;
use crate::model::Examples;
use crate::schema::{Tree, read};
use crate::vocab::{Seed, Targets};

const NAN: f32 = f32::NAN;

fn settings(text: &str) -> Result<Preprocess, String> {
    let columns = ["tempo", "key"].map(str::to_owned);
    let tree = Tree::parse("x.toml", text).unwrap();
    let made = read(&tree, |fields| Preprocess::read(fields, &columns));
    made.map(|(made, _)| made).map_err(|faults| faults.to_string())
}

fn examples<'a>(matrix: &'a [f32], rows: &'a [usize]) -> Examples<'a> {
    static TARGETS: LazyLock<Targets> = LazyLock::new(|| Targets::Classes(vec![0; 100]));
    Examples { shape: &[2], matrix, targets: &TARGETS, rows, n_outputs: 1 }
}

/// Tempo and key of six rows; the last two are not used for training.
const ROWS: [f32; 12] = [1.0, 0.0, NAN, 2.0, 3.0, 2.0, 8.0, NAN, NAN, 1.0, 100.0, 7.0];
const TRAIN: [usize; 4] = [0, 1, 2, 3];

fn made(text: &str) -> Vec<f32> {
    let fitted = settings(text).unwrap().fit(&examples(&ROWS, &TRAIN)).unwrap();
    fitted.apply(&ROWS).unwrap()
}

fn column(made: &[f32], width: usize, place: usize) -> Vec<f32> {
    made.chunks(width).map(|row| row[place]).collect()
}

#[test]
fn missing_numbers_are_imputed_by_what_the_training_rows_have() {
    let tempo = |impute: &str| column(&made(&format!("impute = {impute}\n")), 2, 0);
    // The training rows have 1, 3 and 8.
    assert_eq!(tempo("\"median\""), [1.0, 3.0, 3.0, 8.0, 3.0, 100.0]);
    assert_eq!(tempo("\"mean\""), [1.0, 4.0, 3.0, 8.0, 4.0, 100.0]);
    assert_eq!(tempo("\"most_frequent\""), [1.0, 1.0, 3.0, 8.0, 1.0, 100.0]);
    assert_eq!(tempo("-1"), [1.0, -1.0, 3.0, 8.0, -1.0, 100.0]);
    let key = column(&made("impute = \"most_frequent\"\n"), 2, 1);
    assert_eq!(key, [0.0, 2.0, 2.0, 2.0, 1.0, 7.0]);
}

#[test]
fn levels_become_numbers_of_their_own_and_those_unseen_in_training_zeros() {
    let text = "impute = \"median\"\none_hot = { key = 3 }\nindicator = [\"key\", \"tempo\"]\n";
    assert_eq!(settings(text).unwrap().width(), 6);
    let made = made(text);
    // Tempo, keys 0 to 2, whether tempo and key were imputed; the key of row 3 is the most frequent
    // one, 2.
    assert_eq!(made[..6], [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(made[6..12], [3.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(made[18..24], [8.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    // No training row has key 1, and 7 is not a level.
    assert_eq!(made[24..30], [3.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(made[30..36], [100.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let fitted = settings(text).unwrap().fit(&examples(&ROWS, &TRAIN)).unwrap();
    let sets = [
        ("train", examples(&ROWS, &TRAIN)),
        ("valid", examples(&ROWS, &[])),
        ("test", examples(&ROWS, &[4, 5])),
    ];
    assert_eq!(
        fitted.notes(&sets),
        [
            "tempo was missing in 1 train rows, 1 test rows and imputed by 3",
            "key was missing in 1 train rows and imputed by 2",
            "2 test rows have a level of key that no training row has; it is encoded as zeros",
        ]
    );
}

#[test]
fn a_row_names_what_is_imputed_and_which_levels_are_unseen() {
    let text = "impute = \"median\"\none_hot = { key = 3 }\n";
    let fitted = settings(text).unwrap().fit(&examples(&ROWS, &TRAIN)).unwrap();
    let names = |row: [f32; 2]| {
        let imputed: Vec<String> = fitted.imputed(&row).map(str::to_owned).collect();
        (imputed.join(" "), fitted.unseen(&row).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(names([1.0, 0.0]), (String::new(), String::new()));
    assert_eq!(names([NAN, NAN]), ("tempo key".to_owned(), String::new()));
    assert_eq!(names([1.0, 1.0]), (String::new(), "key".to_owned()));
    assert_eq!(names([1.0, 7.0]), (String::new(), "key".to_owned()));
}

#[test]
fn numbers_are_standardized_after_imputing_and_levels_are_not() {
    let text = "impute = 2\nstandardize = true\none_hot = { key = 3 }\n";
    let made = made(text);
    // 1, 2, 3, 8: mean 3.5, deviation sqrt(7.25).
    let tempo = column(&made, 4, 0);
    let wanted =
        [1.0, 2.0, 3.0, 8.0, 2.0, 100.0].map(|x: f64| ((x - 3.5) / 7.25_f64.sqrt()) as f32);
    for (got, wanted) in tempo.iter().zip(wanted) {
        assert!((got - wanted).abs() < 1e-5, "{got} {wanted}");
    }
    assert_eq!(column(&made, 4, 1), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn no_row_but_those_of_training_is_looked_at() {
    let text =
        "impute = \"mean\"\nstandardize = true\none_hot = { key = 3 }\nindicator = [\"tempo\"]\n";
    let settings = settings(text).unwrap();
    let fitted = settings.fit(&examples(&ROWS, &TRAIN)).unwrap();
    let mut rng = Seed(1).rng("test", &[]);
    for _ in 0..20 {
        let mut other = ROWS;
        other[8..].iter_mut().for_each(|x| *x = (100.0 * rng.normal()) as f32);
        assert_eq!(settings.fit(&examples(&other, &TRAIN)).unwrap(), fitted);
    }
    let mut other = ROWS;
    other[0] = 2.0;
    assert_ne!(settings.fit(&examples(&other, &TRAIN)).unwrap(), fitted);
}

#[test]
fn it_comes_back_from_its_file_to_the_same_bits() {
    let text = "impute = \"mean\"\nstandardize = true\none_hot = { key = 3 }\n";
    let mut rng = Seed(2).rng("test", &[]);
    let mut rows = ROWS;
    rows.iter_mut().step_by(2).for_each(|x| *x = rng.normal() as f32);
    let fitted = settings(text).unwrap().fit(&examples(&rows, &TRAIN)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fitted.save(folder.path()).unwrap();
    let loaded = Preprocessor::load(folder.path()).unwrap();
    assert_eq!(loaded, fitted);
    assert_eq!(loaded.apply(&rows).unwrap(), fitted.apply(&rows).unwrap());
    assert!(loaded.apply(&rows[..3]).is_err());
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let said = |text: &str, rows: &[f32]| {
        settings(text).unwrap().fit(&examples(rows, &TRAIN)).unwrap_err().to_string()
    };
    let mut rows = ROWS;
    (0..4).for_each(|row| rows[2 * row] = NAN);
    assert_eq!(
        said("impute = \"mean\"\n", &rows),
        "preprocess.impute: no training row has a number in tempo"
    );
    let mut rows = ROWS;
    rows[1] = 2.5;
    assert_eq!(
        said("impute = 0\none_hot = { key = 3 }\n", &rows),
        "preprocess.one_hot: key must be a whole number in [0, 3), found 2.5"
    );
}

#[test]
fn faults_of_a_spec_are_said_at_once() {
    let text =
        "impute = \"medain\"\nindicator = [\"temp\"]\none_hot = { keys = 3 }\nscale = true\n";
    assert_eq!(
        settings(text).unwrap_err(),
        "x.toml:1: impute must be `mean`, `median`, `most_frequent` or a number, found the text \"medain\"\n\
         x.toml:2: indicator contains `temp`, which is not a numeric column of [features.table], did you mean `tempo`?\n\
         x.toml:2: indicator has no effect without impute\n\
         x.toml:3: one_hot contains `keys`, which is not a numeric column of [features.table], did you mean `key`?\n\
         x.toml:4: scale is an unknown key; known here: `impute`, `indicator`, `one_hot` or `standardize`"
    );
}
