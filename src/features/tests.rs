//! Every audio feature, and which features are for which datasets.

use super::*;
use crate::dataset::ArrayFile;
use crate::schema::{Tree, read};

#[test]
fn every_feature_reads_an_empty_table_and_computes_finite_numbers() {
    let mut n_seen = 0;
    for entry in AUDIO_FEATURES {
        let tree = Tree::parse("x.toml", "").unwrap();
        let (feature, _) = read(&tree, |fields| (entry.read)(fields, 22_050)).unwrap();
        let samples: Vec<f32> = (0..66_150).map(|i| ((i * i) % 97) as f32 / 97.0 - 0.5).collect();
        let shape = feature.shape(samples.len());
        let mut out = vec![f32::NAN; shape.iter().product()];
        feature.worker().compute(&samples, &mut out);
        assert!(out.iter().all(|x| x.is_finite()), "{}", entry.name);
        let n_names = feature.column_names().len();
        assert!(n_names == 0 || n_names == out.len(), "{}: {n_names} names", entry.name);
        assert!(!entry.doc.is_empty() && entry.name == entry.name.to_lowercase());
        n_seen += 1;
    }
    assert_eq!(n_seen, 6);
}

#[test]
fn a_table_has_no_segments_and_audio_no_columns() {
    let text = "[segments]\nseconds = 3.0\nper_track = 10\n[features.mfcc]\n";
    let tree = Tree::parse("x.toml", text).unwrap();
    let faults =
        read(&tree, |fields| Features::read(fields, Kind::Table, Path::new(""))).err().unwrap();
    assert_eq!(
        faults.to_string(),
        "x.toml:1: segments applies to audio, but the dataset is a table\n\
         x.toml:4: features.mfcc applies to audio, but the dataset is a table"
    );
}

#[test]
fn arrays_are_for_arrays_and_named_as_the_manifest_does() {
    let arrays = [ArrayFile {
        name: "mfcc13".to_owned(),
        file: "x.npy".to_owned(),
        shape: vec![130, 13],
        transpose: false,
    }];
    let said = |text: &str, kind: Kind| {
        let tree = Tree::parse("x.toml", text).unwrap();
        let read = read(&tree, |fields| {
            Features::read(fields, kind, Path::new("")).map(|f| f.shape(kind))
        });
        read.map(|(shape, _)| shape).map_err(|faults| faults.to_string())
    };
    let array = "[features.array]\nname = \"mfcc13\"\n";
    let audio = Kind::Audio { sample_rate_hz: 22_050 };
    assert_eq!(said(array, Kind::Arrays(&arrays)), Ok(Some(vec![130, 13])));
    assert_eq!(
        said("[features.array]\nname = \"mfcc\"\n", Kind::Arrays(&arrays)).unwrap_err(),
        "x.toml:2: features.array.name must be `mfcc13`, found \"mfcc\", did you mean `mfcc13`?"
    );
    assert_eq!(
        said("[features.mfcc]\n", Kind::Arrays(&arrays)).unwrap_err(),
        "x.toml:1: features.mfcc applies to audio, but the dataset is arrays"
    );
    let segments = "[segments]\nseconds = 3.0\nper_track = 10\n";
    assert_eq!(
        said(&format!("{segments}{array}"), audio).unwrap_err(),
        "x.toml:4: features.array applies to arrays, but the dataset is audio"
    );
}
