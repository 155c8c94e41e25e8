use std::fs;
use std::path::Path;

use super::*;
use crate::audio::{Waveform, write_wav};
use crate::dataset::{Catalogue, Cut, Data};

const HEAD: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"get it\"\n";

/// Writes a wav file of half a second; the samples depend on `number`.
fn recording(path: &Path, number: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let sample = |i: usize| ((i * (number + 3)) % 97) as f32 / 200.0;
    let samples = (0..4_000).map(sample).collect();
    write_wav(path, &Waveform { samples, sample_rate_hz: 8_000 }).unwrap();
}

/// A folder with a catalogue of one dataset, `mine`, and the folder `music`.
struct Home(tempfile::TempDir);

impl Home {
    fn new(layout: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.0.path().join("datasets")).unwrap();
        fs::create_dir(home.music()).unwrap();
        home.declare(layout);
        home
    }

    fn declare(&self, layout: &str) {
        let text = format!("{HEAD}[listed]\nsample_rate_hz = 8000\n{layout}");
        fs::write(self.0.path().join("datasets/mine.toml"), text).unwrap();
    }

    fn music(&self) -> PathBuf {
        self.0.path().join("music")
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.music().join(file), text).unwrap();
    }

    fn recordings(&self, paths: &[&str]) {
        for (number, path) in paths.iter().enumerate() {
            recording(&self.music().join(path), number);
        }
    }

    fn catalogue(&self) -> Catalogue {
        Catalogue::open(&self.0.path().join("datasets")).unwrap()
    }

    fn import(&self) -> Result<Index, String> {
        let catalogue = self.catalogue();
        let mine = catalogue.find("mine").unwrap();
        let index = catalogue.import(mine, &self.music(), false, &|_, _| {});
        index.map_err(|error| error.to_string())
    }

    fn load(&self) -> Result<AudioData, String> {
        let catalogue = self.catalogue();
        match catalogue.load(catalogue.find("mine").unwrap(), Cut::default()) {
            Ok(Data::Audio(audio)) => Ok(audio),
            Ok(_) => panic!("recordings are audio"),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn out(index: &Index) -> Vec<String> {
    index.excluded.iter().map(|out| format!("{}: {}", out.name, out.reason)).collect()
}

const PLAIN: &str = "path = \"{path}\"\nlabel = { from = \"{label}\" }\n\
                     [[listed.list]]\nfile = \"list.csv\"\n";

#[test]
fn every_row_that_is_no_track_is_named_with_its_line() {
    let home = Home::new(&format!(
        "genres = [\"rock\", \"jazz\"]\nid = \"{{id}}\"\nonly = {{ use = [\"yes\"] }}\n\
         track_columns = {{ artist = \"{{by}}\" }}\n{PLAIN}"
    ));
    home.recordings(&["a.wav", "b.wav", "sub/c.wav", "spare.wav", "unused.wav"]);
    home.write("broken.wav", "no music");
    home.write(
        "list.csv",
        "id,path,label,by,use\n\
         1,a.wav,rock,X,yes\n\
         2,./b.wav,jazz,,yes\n\
         1,sub/c.wav,rock,Y,yes\n\
         3,a.wav,rock,Y,yes\n\
         4,c.wav,rock\n\
         5,sub\\c.wav,polka,Y,yes\n\
         6,gone.wav,jazz,Y,yes\n\
         7,broken.wav,jazz,Y,yes\n\
         8,,jazz,Y,yes\n\
         9,sub/c.wav,,Y,yes\n\
         ,sub/c.wav,rock,Y,yes\n\
         \"1\n0\",sub/c.wav,rock,Y,yes\n\
         11,unused.wav,rock,Y,no\n",
    );
    let index = home.import().unwrap();
    assert_eq!(
        out(&index),
        [
            "list.csv:6 (has 3): does not have 5 cells",
            "list.csv:13: has a control character in a cell",
            "list.csv:11: has no genre",
            "list.csv:12: has no name",
            "list.csv:10: has no path",
            "list.csv:7: has the genre polka, which is not in this dataset",
            "list.csv:5 (a.wav, as list.csv:2): repeats the path of an earlier row",
            "list.csv:4 (1, as list.csv:2): repeats the track of an earlier row",
            "gone.wav: is listed but does not exist",
            "broken.wav: not a supported audio file, found text that starts with \"no music\"",
        ]
    );
    assert_eq!(
        index.notes,
        [
            "list.csv: 1 of 13 rows are excluded by use",
            "1 files are in no list and are not used: spare.wav",
            "2 of the 4 tracks of a complete copy: rock 1, jazz 1",
        ]
    );
    let audio = home.load().unwrap();
    let tracks: Vec<(&str, usize)> =
        audio.tracks.iter().map(|track| (track.id.as_str(), track.class)).collect();
    assert_eq!(
        (tracks, audio.classes.clone()),
        (vec![("1", 0), ("2", 1)], ["rock", "jazz"].map(str::to_owned).to_vec())
    );
    // The track without an artist has no cell.
    assert_eq!(audio.track_columns.column("artist").unwrap().len(), 1);
    assert_eq!(audio.part.as_deref(), Some("2 of 4 tracks"));
    assert!(audio.waveform(&audio.tracks[0]).is_ok());
}

#[test]
fn what_is_wrong_with_a_whole_list_is_an_error_with_file_and_line() {
    let home = Home::new(PLAIN);
    home.recordings(&["a.wav"]);
    let import = |text: &str| {
        home.write("list.csv", text);
        home.import().unwrap_err()
    };
    let said = import("path,label\na.wav,rock\n../a.wav,rock\n");
    assert!(
        said.contains("music/list.csv: line 3: the path \"../a.wav\" leaves the folder"),
        "{said}"
    );
    let said = import("path,label\n/etc/passwd,rock\n");
    assert!(said.contains("line 2: the path \"/etc/passwd\" leaves the folder"), "{said}");
    let said = import("path,label\n..\\a.wav,rock\n");
    assert!(said.contains("line 2: the path \"../a.wav\" leaves the folder"), "{said}");
    let said = import("path,labels\na.wav,rock\n");
    assert!(said.ends_with("list.csv: has no column `label`; did you mean `labels`?"), "{said}");
    let said = import("path,label,path\na.wav,rock,b\n");
    assert!(said.ends_with("list.csv: has the column `path` twice"), "{said}");
    let said = import("path,label\na.wav,\"rock\n");
    assert!(said.ends_with("line 2: the quote that opens cell 2 is never closed"), "{said}");
    let said = import("");
    assert!(said.ends_with("list.csv: has no rows"), "{said}");
    let said = import("path,label\nb.wav,rock\n");
    assert!(
        said.contains("none of the 1 files is valid: e.g. b.wav is listed but does not exist"),
        "{said}"
    );
    fs::remove_file(home.music().join("list.csv")).unwrap();
    let said = home.import().unwrap_err();
    assert!(said.ends_with("list list.csv not found\nhint: get it"), "{said}");
}

#[test]
fn a_list_is_part_of_what_the_dataset_is() {
    let home = Home::new(PLAIN);
    home.recordings(&["a.wav", "b.wav"]);
    home.write("list.csv", "path,label,note\na.wav,rock,\nb.wav,jazz,\n");
    let before = home.import().unwrap().hash();
    assert_eq!(home.load().unwrap().classes, ["jazz", "rock"]);
    home.write("list.csv", "path,label,note\na.wav,rock,x\nb.wav,jazz,\n");
    assert_ne!(before, home.import().unwrap().hash());
    // A manifest that reads the list differently cannot use the old index.
    home.declare(&PLAIN.replace("{label}", "{note}"));
    let said = home.load().err().unwrap();
    assert!(said.contains("was imported with another datasets/mine.toml"), "{said}");
    assert!(said.contains("\nhint: encore data import mine /"), "{said}");
}

#[test]
fn of_several_labels_exactly_one_must_be_a_genre_of_the_dataset() {
    let home = Home::new(
        "genres = [\"rock\", \"jazz\"]\ndelimiter = \"\\t\"\npath = \"{PATH}\"\n\
         label = { from = \"{TAGS}\", several = true, prefix = \"genre---\" }\n\
         track_columns = { split = \"{set}\" }\n\
         rename.split = { one = \"train\" }\n\
         [[listed.list]]\nfile = \"one.tsv\"\nset = { set = \"one\" }\n\
         [[listed.list]]\nfile = \"two.tsv\"\nset = { set = \"test\" }\n",
    );
    home.recordings(&["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"]);
    home.write(
        "one.tsv",
        "PATH\tTAGS\na.wav\tgenre---rock\tgenre---funk\nb.wav\tgenre---rock\tgenre---jazz\n\
         c.wav\tmood---rock\n",
    );
    home.write(
        "two.tsv",
        "PATH\tTAGS\nd.wav\tgenre---jazz\nb.wav\tgenre---rock\ne.wav\tgenre---funk\n",
    );
    let index = home.import().unwrap();
    assert_eq!(
        out(&index),
        [
            "one.tsv:4: has no genre",
            "two.tsv:4: has no genre of this dataset",
            "one.tsv:3: has several genres of this dataset",
        ]
    );
    let audio = home.load().unwrap();
    let split = audio.track_columns.column("split").unwrap();
    let sets: Vec<(&str, &str)> =
        split.iter().map(|(id, set)| (id.as_str(), set.as_str())).collect();
    assert_eq!(sets, [("a", "train"), ("b", "test"), ("d", "test")]);
    home.write("one.tsv", "TAGS\tPATH\ngenre---rock\ta.wav\n");
    let said = home.import().unwrap_err();
    assert!(
        said.ends_with("must have the column `TAGS`, with several labels, as its last"),
        "{said}"
    );
}

#[test]
fn a_header_may_have_several_rows_or_none() {
    let home = Home::new(
        "header_rows = 3\npath = \"{id|pad 3|first 1}/{id|pad 3}.wav\"\n\
         label = { from = \"{track.genre}\" }\nonly = { \"set.subset\" = [\"small\"] }\n\
         [[listed.list]]\nfile = \"list.csv\"\n",
    );
    home.recordings(&["0/002.wav", "1/100.wav"]);
    let list =
        ",set,track,track\n,subset,genre,title\nid,,,\n2,small,Old / New,\"a\nb\"\n100,large,,x\n";
    home.write("list.csv", list);
    let index = home.import().unwrap();
    let good = &index.files[0];
    // A genre becomes the name of a folder when a dataset is exported.
    assert_eq!((&good.track[..], &good.genre[..]), ("0.002", "Old - New"));
    assert_eq!(index.notes, ["list.csv: 1 of 2 rows are excluded by set.subset"]);

    let home = Home::new(
        "header_rows = 0\npath = \"{1}\"\nid = \"{1|stem}\"\n\
         label = { from = \"{1|folder}\" }\nrename.label = { Rumba-Misc = \"Rumba\" }\n\
         [[listed.list]]\nfile = \"all\"\n",
    );
    home.recordings(&["Rumba-Misc/x.wav", "Waltz/y.1.wav"]);
    home.write("all", "./Rumba-Misc/x.wav\n./Waltz/y.1.wav\n");
    let index = home.import().unwrap();
    let tracks: Vec<(&str, &str)> =
        index.files.iter().map(|file| (file.track.as_str(), file.genre.as_str())).collect();
    assert_eq!(tracks, [("x", "Rumba"), ("y.1", "Waltz"), ("all", "")]);
}

#[test]
fn many_rows_of_a_kind_are_counted_and_some_are_named() {
    let home = Home::new(PLAIN);
    home.recordings(&["a.wav"]);
    let rows: String = (0..50).map(|i| format!("gone-{i:02}.wav,rock\n")).collect();
    home.write("list.csv", &format!("path,label\na.wav,rock\n{rows}"));
    let index = home.import().unwrap();
    let out = out(&index);
    assert_eq!(out.len(), 1);
    assert!(out[0].starts_with("50 files: gone-00.wav, gone-01.wav, "), "{}", out[0]);
    assert!(
        out[0].ends_with("gone-19.wav and 30 more: is listed but does not exist"),
        "{}",
        out[0]
    );
}

#[test]
fn faults_of_a_layout_are_said_with_their_line() {
    let text = format!(
        "{HEAD}[listed]\nsample_rate_hz = 8000\npath = \"a.wav\"\nid = \"{{a|stemm}}\"\n\
         label = {{ from = \"{{a|stem}}\", several = true }}\nrename.artist = {{ a = \"b\" }}\n"
    );
    let said = Manifest::parse("x", "x.toml", &text).unwrap_err().to_string();
    for part in [
        "x.toml:5: listed.list must be a list of at least one table with a file",
        "x.toml:7: listed.path must be a text with a column in braces, e.g. \"{path}\", found",
        "x.toml:8: listed.id has an unknown filter `stemm`; did you mean `stem`?, found",
        "x.toml:9: listed.label.from must be a single column in braces if several = true",
        "x.toml:10: listed.rename.artist is an unknown key; known here: `label`",
    ] {
        assert!(said.contains(part), "{part}\n---\n{said}");
    }
}
