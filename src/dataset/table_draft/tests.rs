//! Manifests and specs that are proposed for small tables.

use super::*;

fn draft_of(text: &str, wishes: TableWishes) -> Result<TableDraft, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("songs.csv");
    std::fs::write(&file, text).unwrap();
    draft_table("songs", &file, wishes).map_err(|error| error.to_string())
}

fn manifest(draft: &TableDraft) -> crate::dataset::Manifest {
    crate::dataset::Manifest::parse("songs", "songs.toml", &draft.manifest).unwrap()
}

#[test]
fn a_column_of_every_kind_gets_its_setting() {
    let mut text =
        "Track ID;Artist Name(s);Genres;Live;Share;Tempo (BPM);Loudness;Key\n".to_owned();
    for i in 0..24 {
        let (genre, key) = (["pop|rock", "jazz|pop"][i % 2], ["C", "D"][i / 2 % 2]);
        let live = ["True", "False"][i / 3 % 2];
        let loudness = if i == 5 { "NA".to_owned() } else { format!("-{i},5") };
        text += &format!("t{i};a{i};{genre};{live};{i}%;{i}00 BPM;{loudness};{key}\n");
    }
    let draft = draft_of(&text, TableWishes::default()).unwrap();
    for line in [
        "id = [\"Track ID\"]",
        "delimiter = \";\"",
        "decimal = \",\"",
        "booleans = [\"live\"]",
        "percent = [\"share\"]",
        "units = { tempo_bpm = \"BPM\" }",
        "missing = { loudness = [\"NA\"] }",
        "artist = \"Artist Name(s)\"",
        "column = \"Genres\"",
        "first_of_list = \"|\"",
        "tempo_bpm = \"Tempo (BPM)\"",
    ] {
        assert!(draft.manifest.lines().any(|found| found == line), "{line}:\n{}", draft.manifest);
    }
    let key =
        "not used: Key: texts; categories = { key = [\"C\", \"D\"] } would make numbers of them";
    assert!(draft.notes.iter().any(|note| note == key), "{:?}", draft.notes);
    assert!(
        draft.spec.contains("impute = \"median\"") && draft.spec.contains("group = \"artist\"")
    );
    assert_eq!(manifest(&draft).kind().as_str(), "table");
}

#[test]
fn rows_numbers_and_constants_are_no_features() {
    let mut text = ",id,genre,constant,x\n".to_owned();
    (0..40).for_each(|i| text += &format!("{i},s{i},{},1,{}\n", ["a", "b"][i % 2], i % 7));
    let draft = draft_of(&text, TableWishes::default()).unwrap();
    assert!(draft.manifest.ends_with("[table.columns]\nx = \"x\"\n"), "{}", draft.manifest);
    let notes = draft.notes.join("\n");
    assert!(notes.contains("not used: Unnamed: 0: numbers the rows"), "{notes}");
    assert!(notes.contains("not used: constant: the same in every row"), "{notes}");
    let by_index = TableWishes { id: Some("Unnamed: 0"), ..TableWishes::default() };
    assert!(draft_of(&text, by_index).unwrap().manifest.contains("id = [\"Unnamed: 0\"]"));
}

#[test]
fn many_numbers_as_labels_need_a_confirmation() {
    let mut text = "name,popularity,x\n".to_owned();
    (0..120).for_each(|i| text += &format!("s{i},{},{}\n", i % 60, i % 7));
    let said = draft_of(&text, TableWishes::default()).unwrap_err();
    assert!(said.contains("no column looks like one of labels"), "{said}");
    let wishes = TableWishes { label: Some("popularity"), ..TableWishes::default() };
    let said = draft_of(&text, wishes).unwrap_err();
    assert!(said.contains("the label column popularity has 60 different numbers"), "{said}");
    let draft = draft_of(&text, TableWishes { many_numbers: true, ..wishes }).unwrap();
    assert!(draft.manifest.contains("many_numbers = true\n"), "{}", draft.manifest);
    let said = draft_of(&text, TableWishes { label: Some("popularty"), ..wishes }).unwrap_err();
    assert!(said.contains("has no column `popularty`; did you mean `popularity`?"), "{said}");
}

#[test]
fn files_of_a_folder_are_sets_or_classes() {
    let write = |files: &[(&str, &str)]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, header) in files {
            let rows: String = (0..30).map(|i| format!("{i},{}\n", ["a", "b"][i % 2])).collect();
            std::fs::write(folder.path().join(name), format!("x,{header}\n{rows}")).unwrap();
        }
        let draft = draft_table("songs", folder.path(), TableWishes::default()).unwrap();
        manifest(&draft);
        draft
    };
    let draft = write(&[("songs_train.csv", "genre"), ("songs_test.csv", "genre")]);
    assert!(
        draft.manifest.contains("files = [\"*.csv\"]\nfile_column = \"split\"\n"),
        "{}",
        draft.manifest
    );
    let split =
        "[split.listed]\ncolumn = \"split\"\ntest = \"songs_test\"\ntrain = \"songs_train\"\n";
    assert!(draft.spec.contains(split), "{}", draft.spec);
    let draft = write(&[("Rock.csv", "fold"), ("Jazz.csv", "fold")]);
    assert!(draft.manifest.contains("file_column = \"file\"\n"), "{}", draft.manifest);
    assert!(draft.manifest.contains("[table.label]\ncolumn = \"file\"\n"), "{}", draft.manifest);
}

#[test]
fn columns_that_may_tell_the_label_or_the_row_are_pointed_out() {
    let mut text = "id,genre,genre_code,class_number,catalog,mode,tempo\n".to_owned();
    for i in 0..1200 {
        let class = [0, 0, 1, 2, 2, 2][i % 6];
        let genre = ["pop", "rock", "jazz"][class];
        text += &format!(
            "s{i},{genre},{class},{},{},{},{}\n",
            7 - class,
            90_000 - 7 * i,
            i % 2,
            i % 97
        );
    }
    let draft = draft_of(&text, TableWishes::default()).unwrap();
    let columns = draft.manifest.split_once("[table.columns]\n").unwrap().1;
    assert_eq!(
        columns,
        "genre_code = \"genre_code\" # its name contains that of the label, so it may be derived from the label\n\
         class_number = \"class_number\" # its values are as frequent as the labels, so it may be derived from the label\n\
         catalog = \"catalog\" # may be an identifier, which a model can use to recognize a row\n\
         mode = \"mode\"\ntempo = \"tempo\"\n"
    );
    let checks = draft.notes.iter().filter(|note| note.starts_with("check ")).count();
    assert_eq!(checks, 3, "{:?}", draft.notes);
    assert_eq!(manifest(&draft).kind().as_str(), "table");
}
