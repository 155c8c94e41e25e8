//! The contents of `datasets/gtzan-tracks.csv`: published sets, folds and artists of GTZAN.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use encore::dataset::{Catalogue, TrackColumns};
use encore::experiment::{DataChoice, Library, Options, Plan};
use encore::record::spec_differences;
use encore::split::{By, Items, KFold, Protocol, Random, Split};
use encore::vocab::{ExampleId, Seed, Targets};

pub fn columns() -> TrackColumns {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let catalogue = Catalogue::open(&datasets).unwrap();
    let gtzan = catalogue.find("gtzan").unwrap();
    gtzan.track_file.as_ref().unwrap().load(&datasets).unwrap()
}

/// Counts the tracks by their cell in a column.
fn counts(columns: &TrackColumns, column: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for cell in columns.column(column).unwrap().values() {
        *counts.entry(cell.clone()).or_default() += 1;
    }
    counts
}

/// Returns the cells that occur in two sets, with the sets.
fn in_two<'a>(
    columns: &'a TrackColumns,
    groups: &str,
    sets: &str,
) -> Vec<(&'a str, BTreeSet<&'a str>)> {
    let groups = columns.column(groups).unwrap();
    let mut sets_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (track, set) in columns.column(sets).unwrap() {
        if let Some(group) = groups.get(track) {
            sets_of.entry(group).or_default().insert(set);
        }
    }
    sets_of.into_iter().filter(|(_, sets)| sets.len() > 1).collect()
}

#[test]
fn sets_and_folds_are_as_large_as_published() {
    let columns = columns();
    let counted = |column| counts(&columns, column).into_iter().collect::<Vec<_>>();
    let expected = |pairs: [(&str, usize); 3]| pairs.map(|(name, n)| (name.to_owned(), n)).to_vec();
    assert_eq!(counted("filtered"), expected([("test", 290), ("train", 443), ("valid", 197)]));
    assert_eq!(counted("stratified"), expected([("test", 250), ("train", 500), ("valid", 250)]));
    assert_eq!(counted("fold"), expected([("1", 315), ("2", 316), ("3", 317)]));
    assert_eq!(counts(&columns, "artist_group").values().sum::<usize>(), 948);
    assert_eq!(counts(&columns, "artist").values().sum::<usize>(), 919);
    // Most copies lack this track; without it, there are 442 training tracks.
    assert_eq!(columns.column("filtered").unwrap()["jazz.00054"], "train");
}

#[test]
fn no_artist_is_in_two_sets_and_no_group_in_two_folds() {
    let columns = columns();
    assert_eq!(in_two(&columns, "artist", "filtered"), []);
    assert_eq!(in_two(&columns, "artist_group", "fold"), []);
    // The two numberings of artists differ. A group there may be two artists here, and an artist in
    // the folds may have several groups. Each must be used with its own division.
    let [(group, _)] = in_two(&columns, "artist_group", "filtered")[..] else { panic!() };
    assert_eq!(group, "138");
    assert_eq!(in_two(&columns, "artist", "fold").len(), 24);
}

/// Returns the 1,000 tracks as one example each, ten classes of 100.
fn tracks() -> (Vec<ExampleId>, Vec<usize>) {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let text = fs::read_to_string(datasets.join("gtzan-tracks.csv")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("# ")).skip(1);
    let id =
        |line: &str| ExampleId { track: line.split(',').next().unwrap().to_owned(), segment: 0 };
    let ids: Vec<ExampleId> = lines.map(id).collect();
    assert_eq!(ids.len(), 1_000);
    let labels = (0..1_000).map(|row| row / 100).collect();
    (ids, labels)
}

/// Returns the largest deviation of a class's number of tested tracks from its share.
fn worst(split: &Split, wanted: usize) -> usize {
    let count = |class: usize| split.test.iter().filter(|&&row| row / 100 == class).count();
    (0..10).map(|class| count(class).abs_diff(wanted)).max().unwrap()
}

#[test]
fn draws_and_folds_by_artist_keep_the_genres_about_even() {
    let columns = columns();
    let (ids, labels) = tracks();
    let items = Items { ids: &ids, targets: &Targets::Classes(labels), columns: &columns };
    let by = By::Group("artist".to_owned());
    let artists = columns.column("artist").unwrap();
    let artist = |row: &usize| artists.get(&ids[*row].track);
    let disjoint = |split: &Split| {
        let [train, valid, test] = [&split.train, &split.valid, &split.test]
            .map(|rows| rows.iter().filter_map(artist).collect::<BTreeSet<_>>());
        train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test)
    };
    let random = Random {
        by: by.clone(),
        stratify: true,
        test: 0.3,
        valid: 0.3,
        watch_test: false,
        seed: None,
    };
    for seed in 1..=10 {
        let split = Protocol::Random(random.clone()).divide(items, Seed(seed)).unwrap();
        assert!(disjoint(&split));
        assert!(worst(&split, 30) <= 9, "seed {seed}: {}", worst(&split, 30));
        assert!(split.test.len().abs_diff(300) <= 20, "seed {seed}: {}", split.test.len());
    }
    let k_fold =
        KFold { k: 5, repeats: 1, by, stratify: true, valid: 0.2, column: None, fold: None };
    for fold in 1..=5 {
        let split = Protocol::KFold(k_fold.clone()).divide(items, Seed(fold)).unwrap();
        assert!(disjoint(&split));
        // A single artist has 35 reggae tracks, 15 more than a fold's share.
        assert!(worst(&split, 20) <= 15, "fold {fold}: {}", worst(&split, 20));
    }
}

#[test]
fn the_specs_on_published_splits_plan_and_say_that_they_want_gtzan_itself() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::open(&ours.join("datasets")).unwrap();
    let library = Library::open(&ours.join("experiments")).unwrap();
    let plan = |name: &str| {
        let options = Options { data: DataChoice::Embedded, ..Options::default() };
        Plan::read(name, &library, &catalogue, &options).unwrap()
    };
    let published: Vec<&str> = library
        .names()
        .iter()
        .map(String::as_str)
        // Specs of tables without a stand-in use no column of GTZAN.
        .filter(|name| !name.starts_with("tables/") && plan(name).unfit().is_some())
        .collect();
    assert_eq!(
        published,
        [
            "beyond/cnn-4-filtered",
            "beyond/cnn-4-folds",
            "beyond/stack-filtered",
            "beyond/stack-folds",
            "beyond/stats-logistic-filtered",
            "beyond/stats-logistic-folds",
            "honest/cnn-1-filtered",
            "honest/cnn-2-filtered",
            "honest/cnn-3-filtered",
            "honest/cnn-3-folds",
            "honest/dnn-filtered",
            "honest/forest-filtered",
        ]
    );
    // Most copies lack the track that can't be decoded.
    let (columns, (ids, labels)) = (columns(), tracks());
    let here = ids.iter().zip(labels).filter(|(id, _)| id.track != "jazz.00054");
    let (ids, labels): (Vec<ExampleId>, Vec<usize>) =
        here.map(|(id, label)| (id.clone(), label)).unzip();
    let items = Items { ids: &ids, targets: &Targets::Classes(labels), columns: &columns };
    let split = plan("honest/cnn-3-filtered").spec.split.divide(items, Seed(1)).unwrap();
    assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [442, 197, 290]);
    assert_eq!(
        split.notes,
        [
            "70 tracks are in no set of filtered and are not used",
            "1 listed tracks do not exist in the dataset: jazz.00054 (train)"
        ]
    );
    assert_eq!(plan("honest/cnn-3-folds").spec.seeds, [1, 2, 3]);
    assert_eq!(plan("honest/cnn-3-filtered").spec.split.describe(), "as published (filtered)");
    assert_eq!(
        plan("honest/cnn-3-folds").spec.split.describe(),
        "3 published folds (fold), 20 % of the other folds valid by group (artist_group), stratified"
    );
}

/// The page shows a leaking experiment beside the one that is named as its twin, as if only the split differed.
#[test]
fn experiments_named_as_twins_differ_in_the_split_alone() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::open(&ours.join("datasets")).unwrap();
    let library = Library::open(&ours.join("experiments")).unwrap();
    let options = Options { data: DataChoice::Embedded, ..Options::default() };
    let plan = |name: &str| Plan::read(name, &library, &catalogue, &options).unwrap();
    let mut n_twins = 0;
    for name in library.names() {
        let twins = [format!("honest/{name}"), format!("{name}-by-track")];
        for twin in twins.iter().filter(|twin| library.names().contains(twin)) {
            let differences = spec_differences(&plan(name).resolved, &plan(twin).resolved);
            let is_split = |line: &String| line.starts_with("split.random.by: ");
            assert!(
                differences.len() == 1 && differences.iter().all(is_split),
                "{twin}: {differences:?}"
            );
            n_twins += 1;
        }
    }
    assert_eq!(n_twins, 8, "six of the report's, CNN-4, and the lengths of segments");
}
