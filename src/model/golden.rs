//! Comparison with scikit-learn's models on the same table (`tests/golden/make_tables.py`).

use serde::Deserialize;

use super::tests::{Silent, job};
use super::*;
use crate::schema::{self, Tree};
use crate::vocab::Targets;

#[derive(Deserialize)]
pub(super) struct Golden {
    /// Integers, in units of 1/1024.
    x: Vec<Vec<i32>>,
    pub(super) y: Vec<usize>,
    pub(super) n_train: usize,
    knn_uniform: Vec<Vec<f64>>,
    knn_distance: Vec<Vec<f64>>,
    knn_manhattan: Vec<Vec<f64>>,
    boosting: Vec<Vec<f64>>,
    boosting_few_bins: Vec<Vec<f64>>,
    boosting_two_classes: Vec<f64>,
    pub(super) svm_rbf: Machine,
    pub(super) svm_linear: Machine,
    tags: Vec<Vec<u8>>,
    /// Integers, in units of 1/1024.
    number: Vec<i32>,
    logistic_tags: Vec<Vec<f64>>,
    knn_tags: Vec<Vec<f64>>,
    knn_number: Vec<f64>,
    boosting_tags: Vec<Vec<f64>>,
    boosting_number: Vec<f64>,
    /// Mean squared errors of forests with ten seeds.
    forest_tags: Vec<f64>,
    forest_number: Vec<f64>,
    linear: Vec<f64>,
    linear_ridge: Vec<f64>,
    linear_ridge_standardized: Vec<f64>,
}

/// The decisions of support vector machines on the test rows.
#[derive(Deserialize)]
pub(super) struct Machine {
    /// By pair of classes: 0 and 1, 0 and 2, 1 and 2.
    pub(super) decision: Vec<Vec<f64>>,
    pub(super) predicted: Vec<usize>,
    /// By class.
    pub(super) n_support: Vec<usize>,
}

impl Golden {
    pub(super) fn read() -> Self {
        serde_json::from_str(include_str!("../../tests/golden/tables.json")).unwrap()
    }

    pub(super) fn matrix(&self) -> Vec<f32> {
        self.x.iter().flatten().map(|x| *x as f32 / 1024.0).collect()
    }

    /// Predicts the test rows with a model fitted to those train rows whose class is accepted.
    fn ours(&self, text: &str, wanted: impl Fn(usize) -> bool) -> Vec<Vec<f64>> {
        self.predicted(text, &Targets::Classes(self.y.clone()), 3, wanted)
    }

    /// Predicts the tags of the test rows.
    fn our_tags(&self, text: &str) -> Vec<Vec<f64>> {
        let tags = Targets::Tags(self.tags.iter().flatten().map(|tag| *tag == 1).collect());
        self.predicted(text, &tags, 3, |_| true)
    }

    /// Predicts the numbers of the test rows.
    fn our_numbers(&self, text: &str) -> Vec<f64> {
        let numbers = Targets::Numbers(self.number.iter().map(|x| *x as f32 / 1024.0).collect());
        self.predicted(text, &numbers, 1, |_| true).concat()
    }

    fn predicted(
        &self,
        text: &str,
        targets: &Targets,
        n_outputs: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<Vec<f64>> {
        let matrix = self.matrix();
        let rows: Vec<usize> = (0..self.n_train).filter(|row| wanted(self.y[*row])).collect();
        let all = Examples { shape: &[4], matrix: &matrix, targets, rows: &rows, n_outputs };
        let fitted = read(text).fit(&job(all), &mut Silent).unwrap();
        let test: Vec<usize> = (self.n_train..self.y.len()).collect();
        let got = fitted.model.predict(&Examples { rows: &test, ..all }).unwrap();
        got.chunks(n_outputs).map(|row| row.iter().map(|p| f64::from(*p)).collect()).collect()
    }
}

fn read(text: &str) -> Box<dyn Model> {
    let tree = Tree::parse("x.toml", text).unwrap();
    let names: Vec<&str> = MODELS.iter().map(|entry| entry.name).collect();
    let made = schema::read(&tree, |fields| {
        fields.choice("model", &names, |name, fields| {
            let entry = MODELS.iter().find(|entry| entry.name == name).unwrap();
            let Reader::AtOnce(read) = entry.read else { panic!("{name} is trained over epochs") };
            read(fields, Some(&[4]))
        })
    });
    made.unwrap_or_else(|faults| panic!("{faults}")).0.unwrap()
}

fn furthest(ours: &[Vec<f64>], theirs: &[Vec<f64>]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn neighbors_share_as_scikit_learns() {
    let golden = Golden::read();
    for (settings, theirs) in [
        ("", &golden.knn_uniform),
        ("weights = \"distance\"", &golden.knn_distance),
        ("metric = \"manhattan\"", &golden.knn_manhattan),
    ] {
        let ours = golden.ours(&format!("[model.knn]\nn_neighbors = 7\n{settings}"), |_| true);
        let apart = furthest(&ours, theirs);
        assert!(apart < 1e-6, "{settings}: {apart}");
    }
}

const BOOSTING: &str = "[model.gradient_boosting]\nn_estimators = 20\nmin_samples_leaf = 20\n";

#[test]
fn boosting_comes_to_scikit_learns_probabilities() {
    let golden = Golden::read();
    let few = "max_bins = 16\nmax_leaf_nodes = 5\nmax_depth = 3\nl2_regularization = 1.0";
    for (settings, theirs) in [("", &golden.boosting), (few, &golden.boosting_few_bins)] {
        let ours = golden.ours(&format!("{BOOSTING}{settings}"), |_| true);
        let apart = furthest(&ours, theirs);
        assert!(apart < 1e-6, "{settings}: {apart}");
    }
    let ours = golden.ours(&format!("{BOOSTING}learning_rate = 0.3"), |class| class < 2);
    let second: Vec<Vec<f64>> = ours.iter().map(|row| vec![row[1]]).collect();
    let theirs: Vec<Vec<f64>> = golden.boosting_two_classes.iter().map(|p| vec![*p]).collect();
    let apart = furthest(&second, &theirs);
    assert!(apart < 1e-6, "two classes: {apart}");
}

#[test]
fn linear_regression_comes_to_scikit_learns_numbers() {
    let golden = Golden::read();
    for (settings, theirs) in [
        ("alpha = 0.0", &golden.linear),
        ("alpha = 20.0", &golden.linear_ridge),
        ("alpha = 20.0\nstandardize = true", &golden.linear_ridge_standardized),
    ] {
        let ours = golden.our_numbers(&format!("[model.linear]\n{settings}"));
        let apart = furthest(&[ours], std::slice::from_ref(theirs));
        // The numbers are about 100, and f32 has steps of 8e-6 there.
        assert!(apart < 1e-5, "{settings}: {apart}");
    }
}

#[test]
fn a_regression_of_each_tag_comes_to_scikit_learns_probabilities() {
    let golden = Golden::read();
    let text = "[model.logistic]\npenalty = \"l2\"\nc = 0.5\ntolerance = 1e-9";
    let apart = furthest(&golden.our_tags(text), &golden.logistic_tags);
    assert!(apart < 1e-6, "{apart}");
}

#[test]
fn neighbors_share_tags_and_numbers_as_scikit_learns() {
    let golden = Golden::read();
    let text = "[model.knn]\nn_neighbors = 7\nweights = \"distance\"";
    let apart = furthest(&golden.our_tags(text), &golden.knn_tags);
    assert!(apart < 1e-6, "tags: {apart}");
    let apart = furthest(&[golden.our_numbers(text)], std::slice::from_ref(&golden.knn_number));
    assert!(apart < 1e-5, "number: {apart}");
}

#[test]
fn boosting_of_tags_and_numbers_comes_to_scikit_learns() {
    let golden = Golden::read();
    let apart = furthest(&golden.our_tags(BOOSTING), &golden.boosting_tags);
    assert!(apart < 1e-6, "tags: {apart}");
    let ours = golden.our_numbers(BOOSTING);
    let apart = furthest(&[ours], std::slice::from_ref(&golden.boosting_number));
    assert!(apart < 1e-5, "number: {apart}");
}

#[test]
fn forests_of_tags_and_numbers_are_as_good_as_scikit_learns() {
    let golden = Golden::read();
    let text = "[model.forest]\nn_trees = 200\nmin_samples_leaf = 3";
    let tags = golden.our_tags(text).concat();
    let wanted = golden.tags[golden.n_train..].concat();
    let square = |(p, tag): (&f64, &u8)| (p - f64::from(*tag)).powi(2);
    let ours = tags.iter().zip(&wanted).map(square).sum::<f64>() / tags.len() as f64;
    is_one_of(ours, &golden.forest_tags);
    let numbers = golden.our_numbers(text);
    let wanted = golden.number[golden.n_train..].iter().map(|x| f64::from(*x) / 1024.0);
    let ours = numbers.iter().zip(wanted).map(|(x, y)| (x - y).powi(2)).sum::<f64>();
    is_one_of(ours / numbers.len() as f64, &golden.forest_number);
}

/// Checks that an error lies among others that differ in their seeds: within four of their standard
/// deviations of their mean.
fn is_one_of(ours: f64, theirs: &[f64]) {
    let n = theirs.len() as f64;
    let mean = theirs.iter().sum::<f64>() / n;
    let deviation = (theirs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    assert!((ours - mean).abs() < 4.0 * deviation, "{ours}, scikit-learn {mean} +- {deviation}");
}
