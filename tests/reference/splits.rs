//! Compares `datasets/gtzan-tracks.csv` with the published lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::gtzan_tracks::columns;

#[test]
#[ignore = "needs the real data that ENCORE_TEST_DATA names"]
fn members_are_those_of_the_published_lists() {
    let folder = super::data().join("gtzan-splits");
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
        // The published list spells two names in two ways each; ours spells them in one.
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
