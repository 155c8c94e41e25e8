//! Targets of specs: what is read, what is a fault, what examples get.

use super::*;
use crate::dataset::Catalogue;
use crate::experiment::{Options, Plan};
use crate::features::Matrix;
use crate::vocab::ExampleId;

const TABLE: &str = "[features.table]\ncolumns = [\"energy\", \"tempo\"]\n";
const AUDIO: &str = "[segments]\nseconds = 3.0\nper_track = 1\n[features.mfcc_statistics]\n";

fn plan(dataset: &str, target: &str, more: &str, stratify: bool) -> Result<Plan, String> {
    let features = if dataset == "synth-songs" { TABLE } else { AUDIO };
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"{dataset}\"\nseeds = [1]\n{target}{features}\
         [split.random]\nby = \"track\"\nstratify = {stratify}\ntest = 0.3\nvalid = 0.0\n{more}"
    );
    let home = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::open(home.path()).unwrap();
    let plan = Plan::from_text("x".into(), "x.toml", text, &catalogue, &Options::default());
    plan.map_err(|error| error.to_string())
}

fn said(dataset: &str, target: &str) -> String {
    plan(dataset, target, "[model.majority]\n", false).err().unwrap_or_default()
}

#[test]
fn a_spec_has_one_target_which_its_dataset_has_and_its_model_can_learn() {
    for (target, part) in [
        ("[target]\n", "must have exactly one of `number` and `tags`"),
        ("[target]\nnumber = \"valence\"\ntags = [\"a\"]\n", "exactly one of"),
        ("[target]\nnumber = \"valens\"\n", "has no column `valens`; did you mean `valence`?"),
        ("[target]\nnumber = \"energy\"\n", "which is also in features.table.columns"),
        ("[target]\nnumber = \"valence\"\nprefix = \"x\"\n", "prefix applies to tags"),
        (
            "[target]\ntags = [\"mode\", \"key\"]\nseparator = \";\"\n",
            "applies to one column of lists",
        ),
        ("[target]\nnumber = \"valence\"\n[classes]\nminimum_rows = 3\n", "applies to classes"),
    ] {
        let found = said("synth-songs", target);
        assert!(found.contains(part), "{target}: {found}");
    }
    let number = "[target]\nnumber = \"valence\"\n";
    let found = plan("synth-songs", number, "[model.majority]\n", true).err().unwrap();
    assert!(found.contains("has stratify = true, which applies to classes and tags"), "{found}");
    let found = plan("synth-songs", number, "[model.svm]\n", false).err().unwrap();
    assert!(found.contains("model is `svm`, which can't learn a number; "), "{found}");
    assert!(said("synth-genres", "[target]\ntags = [\"instruments\"]\n").is_empty());
}

#[test]
fn the_target_is_a_part_of_the_run() {
    let hash = |target: &str| {
        plan("synth-genres", target, "[model.majority]\n", false).ok().unwrap().spec_hash
    };
    let tempo = hash("[target]\nnumber = \"tempo_bpm\"\n");
    assert_ne!(tempo, hash(""));
    assert_ne!(tempo, hash("[target]\ntags = [\"instruments\"]\n"));
}

fn examples() -> Examples {
    let id = |track: &str, segment| ExampleId { track: track.to_owned(), segment };
    Examples {
        matrix: Matrix::Owned((0..10).map(|i| i as f32).collect()),
        shape: vec![2],
        ids: vec![id("a", 0), id("a", 1), id("b", 0), id("c", 0), id("d", 0)],
        targets: Targets::Classes(vec![0, 0, 0, 1, 1]),
        classes: vec!["x".to_owned(), "y".to_owned()],
        hash: "h".to_owned(),
        excluded: vec![],
        n_tracks_without: 0,
    }
}

fn selected(
    target: &Target,
    cells: &[(&str, &[(&str, &str)])],
) -> Result<(Examples, Vec<String>), String> {
    let mut columns = TrackColumns::default();
    for (name, cells) in cells {
        columns.add(name, cells.iter().copied()).unwrap();
    }
    let catalogue = Catalogue::open(tempfile::tempdir().unwrap().path()).unwrap();
    let cut = crate::dataset::Cut { tracks_per_genre: Some(1), n_rows: None };
    let data = catalogue.load(catalogue.find("synth-genres").unwrap(), cut).unwrap();
    let mut notes = vec![];
    let examples = target.select(examples(), &data, &columns, &mut notes);
    examples.map(|examples| (examples, notes)).map_err(|error| error.to_string())
}

#[test]
fn tracks_without_a_number_are_left_out_and_counted() {
    let target = Target::Number("bpm".to_owned());
    let cells = [("a", "120"), ("c", " 90.5"), ("d", ""), ("elsewhere", "x")];
    let (found, _) = selected(&target, &[("bpm", &cells)]).unwrap();
    assert_eq!(found.targets, Targets::Numbers(vec![120.0, 120.0, 90.5]));
    assert_eq!(found.matrix.as_slice(), [0.0, 1.0, 2.0, 3.0, 6.0, 7.0]);
    assert_eq!(found.classes, ["bpm"]);
    let out = &found.excluded[0];
    assert_eq!(format!("{} {}", out.name, out.reason), "2 of 4 tracks have no number in `bpm`");
    // Another number is another run.
    let cells = [("a", "121"), ("c", " 90.5")];
    assert_ne!(selected(&target, &[("bpm", &cells)]).unwrap().0.hash, found.hash);
    let wrong = |cells: &[(&str, &str)]| selected(&target, &[("bpm", cells)]).err().unwrap();
    assert!(
        wrong(&[("a", "fast")]).contains("a has \"fast\" in the column bpm, expected a number")
    );
    assert!(wrong(&[("a", "inf")]).contains("expected a number"));
    assert!(wrong(&[("a", "1"), ("b", "1")]).contains("there is nothing to learn"));
    assert!(wrong(&[("z", "1")]).contains("none of the 4 tracks has a number in `bpm`"));
}

#[test]
fn tags_come_from_a_list_or_from_several_columns() {
    let lists = |prefix: &str, minimum_tracks| {
        Target::Tags(TagColumns {
            columns: vec!["tags".to_owned()],
            separator: ",".to_owned(),
            prefix: prefix.to_owned(),
            minimum_tracks,
        })
    };
    let cells = [("a", "g:rock, g:loud"), ("b", "g:rock,other"), ("c", "other")];
    let (found, notes) = selected(&lists("g:", 1), &[("tags", &cells)]).unwrap();
    assert_eq!(found.classes, ["loud", "rock"]);
    let of = |found: &Examples| match &found.targets {
        Targets::Tags(tags) => tags.iter().map(|tag| u8::from(*tag)).collect::<Vec<_>>(),
        _ => vec![],
    };
    // Track c has none of the tags, track d is unknown.
    assert_eq!(of(&found), [1, 1, 1, 1, 0, 1, 0, 0]);
    assert!(notes.is_empty() && found.ids.len() == 4);
    let (found, notes) = selected(&lists("g:", 2), &[("tags", &cells)]).unwrap();
    assert_eq!(
        (found.classes.as_slice(), of(&found)),
        (&["rock".to_owned()][..], vec![1, 1, 1, 0])
    );
    assert_eq!(notes, ["1 tags on fewer than 2 tracks are left out"]);
    let none = selected(&lists("h:", 1), &[("tags", &cells)]).err().unwrap();
    assert!(none.contains("no tag that begin with `h:` in tags is on 1 or more tracks"), "{none}");
    let flags = Target::Tags(TagColumns {
        columns: vec!["slow".to_owned(), "loud".to_owned()],
        separator: ",".to_owned(),
        prefix: String::new(),
        minimum_tracks: 1,
    });
    let slow = [("a", "0"), ("b", "1"), ("c", "0"), ("d", "0")];
    let loud = [("a", "1"), ("b", "1.0"), ("c", "0")];
    let (found, _) = selected(&flags, &[("slow", &slow), ("loud", &loud)]).unwrap();
    assert_eq!(found.classes, ["loud", "slow"]);
    assert_eq!(of(&found), [1, 0, 1, 0, 1, 1, 0, 0]);
    let loud = [("a", "2"), ("b", "1.0")];
    let wrong = selected(&flags, &[("slow", &slow), ("loud", &loud)]).err().unwrap();
    assert!(wrong.contains("a has 2 in the column loud, expected 0 or 1"), "{wrong}");
}
