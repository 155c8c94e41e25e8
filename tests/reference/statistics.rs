//! Compares `[features.statistics]` of real music with GTZAN's own `features_30_sec.csv`.

use std::{collections::BTreeMap, fs};

use encore::audio::decode;
use encore::features::AUDIO_FEATURES;
use encore::schema::{Tree, read};

/// The table was computed with an older librosa, which mirrored the signal at its ends, and its
/// tempo comes from `beat_track`.
const SETTINGS: &str = "pad_mode = \"reflect\"\naggregate = \"median\"\n";

/// Relative tolerance; absolute for the mean of an MFCC, which may be near 0.
const RELATIVE: f64 = 1e-4;
const ABSOLUTE_MFCC: f64 = 5e-4;

#[test]
#[ignore = "needs the real data that ENCORE_TEST_DATA names"]
fn statistics_of_gtzan_mini_equal_the_published_table() {
    let folder = super::data();
    let entry = AUDIO_FEATURES.iter().find(|entry| entry.name == "statistics");
    let tree = Tree::parse("settings", SETTINGS).expect("it is TOML");
    let (feature, _) = read(&tree, |fields| (entry.expect("it is listed").read)(fields, 22_050))
        .expect("the settings are known");
    let columns = feature.column_names();
    let mut worker = feature.worker();
    let text = fs::read_to_string(folder.join("gtzan-seg0/features_30_sec.csv"))
        .expect("the reference folder has the table");
    let (header, rows) = text.split_once('\n').expect("the table has a header");
    let header: Vec<&str> = header.trim().split(',').collect();
    // For each column, the relative and absolute differences of each clip.
    let mut differences: BTreeMap<usize, Vec<(f64, f64, String)>> = BTreeMap::new();
    let mut n_clips = 0;
    for row in rows.lines() {
        let row: Vec<&str> = row.trim().split(',').collect();
        let (track, _) = row[0].rsplit_once('.').expect("a file name has an extension");
        let (genre, _) = track.split_once('.').expect("GTZAN's names begin with the genre");
        let path = folder.join(format!("gtzan-mini/{genre}/{track}.flac"));
        if !path.exists() {
            continue;
        }
        let samples = decode(path).expect("the clip decodes").samples;
        let mut out = vec![0.0; columns.len()];
        worker.compute(&samples, &mut out);
        for (idx, (column, got)) in columns.iter().zip(&out).enumerate() {
            let at = header.iter().position(|name| name == column).expect("the table has it");
            let wanted: f64 = row[at].parse().expect("it is a number");
            let off = (f64::from(*got) - wanted).abs();
            let relative = off / wanted.abs().max(f64::MIN_POSITIVE);
            differences.entry(idx).or_default().push((relative, off, track.to_owned()));
        }
        n_clips += 1;
    }
    eprintln!("{n_clips} clips; relative difference: median, largest (absolute; of)");
    let mut faults = Vec::new();
    for (idx, mut column) in differences {
        column.sort_by(|a, b| a.0.total_cmp(&b.0));
        let median = column[column.len() / 2].0;
        let (largest, off, track) = column.last().expect("at least one clip");
        let name = &columns[idx];
        eprintln!("{name:26} {median:.1e} {largest:.1e} ({off:.1e}; {track})");
        let is_mfcc_mean = name.starts_with("mfcc") && name.ends_with("_mean");
        for (relative, off, track) in &column {
            if *relative > RELATIVE && !(is_mfcc_mean && *off <= ABSOLUTE_MFCC) {
                faults.push(format!("{name} of {track}: {relative:.1e} of the value, {off:.1e}"));
            }
        }
    }
    assert!(n_clips > 0, "no clip of the table was found");
    assert!(faults.is_empty(), "too far from the table:\n{}", faults.join("\n"));
}
