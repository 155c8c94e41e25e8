//! What `datasets/gtzan-tracks.csv` says of GTZAN: published sets, folds and artists.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use encore::dataset::{Catalogue, TrackColumns};
use encore::experiment::{DataChoice, Library, Options, Plan};

fn columns() -> TrackColumns {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets");
    let catalogue = Catalogue::open(&datasets).unwrap();
    let gtzan = catalogue.find("gtzan").unwrap();
    gtzan.track_file.as_ref().unwrap().load(&datasets).unwrap()
}

/// How many tracks a column has by what it says of them.
fn counts(columns: &TrackColumns, column: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for cell in columns.column(column).unwrap().values() {
        *counts.entry(cell.clone()).or_default() += 1;
    }
    counts
}

/// What is in two sets, with the sets.
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
    // The one that the usual copies lack: without it there are 442 to be fitted on.
    assert_eq!(columns.column("filtered").unwrap()["jazz.00054"], "train");
}

#[test]
fn no_artist_is_in_two_sets_and_no_group_in_two_folds() {
    let columns = columns();
    assert_eq!(in_two(&columns, "artist", "filtered"), []);
    assert_eq!(in_two(&columns, "artist_group", "fold"), []);
    // The two numberings of artists differ: what is a group there are two artists here, and one in
    // the folds may have several groups. So each is to be used with its own division.
    let [(group, _)] = in_two(&columns, "artist_group", "filtered")[..] else { panic!() };
    assert_eq!(group, "138");
    assert_eq!(in_two(&columns, "artist", "fold").len(), 24);
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
        .filter(|name| plan(name).unfit().is_some())
        .collect();
    assert_eq!(
        published,
        [
            "honest/cnn-1-filtered",
            "honest/cnn-2-filtered",
            "honest/cnn-3-filtered",
            "honest/cnn-3-folds",
            "honest/dnn-filtered",
            "honest/forest-filtered",
        ]
    );
    assert_eq!(plan("honest/cnn-3-folds").seeds, [1, 2, 3]);
    assert_eq!(plan("honest/cnn-3-filtered").split.describe(), "as published (filtered)");
    assert_eq!(
        plan("honest/cnn-3-folds").split.describe(),
        "3 published folds (fold), 20 % of the other folds valid by group (artist_group), stratified"
    );
}

/// Compares with the lists as they were published, in the folder that `ENCORE_GTZAN_SPLITS` names;
/// without it there is nothing to compare with, and that is said.
#[test]
fn members_are_those_of_the_published_lists() {
    let Some(folder) = std::env::var_os("ENCORE_GTZAN_SPLITS").map(PathBuf::from) else {
        println!("not compared: ENCORE_GTZAN_SPLITS names no folder of lists");
        return;
    };
    let columns = columns();
    let lines = |file: String| -> Vec<String> {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let of = |column: &str, cell: &str| -> BTreeSet<String> {
        let cells = columns.column(column).unwrap();
        cells.iter().filter(|(_, c)| *c == cell).map(|(track, _)| track.clone()).collect()
    };
    let track = |line: &str| {
        let path = line.split('\t').next().unwrap();
        path.rsplit('/').next().unwrap().trim_end_matches(".wav").replace('_', ".")
    };
    for column in ["filtered", "stratified"] {
        for set in ["train", "valid", "test"] {
            let listed: BTreeSet<String> =
                lines(format!("{set}_{column}.txt")).iter().map(|line| track(line)).collect();
            assert_eq!(listed, of(column, set), "{column} {set}");
        }
    }
    let mut groups = BTreeMap::new();
    for fold in 1..=3 {
        let listed: BTreeSet<String> =
            lines(format!("foleiss/f{fold}_test.txt")).iter().map(|line| track(line)).collect();
        assert_eq!(listed, of("fold", &fold.to_string()), "fold {fold}");
        for line in lines(format!("foleiss/f{fold}_evaluate_groups.txt")) {
            groups.insert(track(&line), line.split('\t').nth(1).unwrap().to_owned());
        }
    }
    assert_eq!(&groups, columns.column("artist_group").unwrap());
    let mut artists = BTreeMap::new();
    for line in lines("sturm-index.txt".to_owned()).iter().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(":::").map(str::trim).collect();
        // Two names are spelt in two ways there, and in one here.
        let artist = match parts[1] {
            "Rage Against the Machine" => "Rage Against The Machine",
            "Earth, Wind & Fire" => "Earth Wind and Fire",
            artist => artist,
        };
        if !artist.is_empty() {
            artists.insert(track(parts[0]), artist.to_owned());
        }
    }
    assert_eq!(&artists, columns.column("artist").unwrap());
}
