//! `encore predict` for tables and for folders of recordings, as a user meets it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{
    command, edit, encore, fails, ok, project, repository, runs, stderr, stdout, stdout_of,
};

const MANIFEST: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
    [table]\nid = [\"song\", \"mix\"]\nn_rows = 200\nmissing = { tempo = [\"?\"] }\n\
    range = { energy = [0, 1] }\n[table.label]\ncolumn = \"genre\"\n\
    [table.columns]\ntempo = \"Tempo (BPM)\"\nkey = \"key\"\nenergy = \"energy\"\n";

/// Every model that learns from tables, with a preprocessing where it has one.
const MODELS: [(&str, &str); 8] = [
    ("majority", "[model.majority]\n"),
    ("logistic", "[model.logistic]\npenalty = \"l2\"\nmax_iterations = 200\n"),
    ("knn", "[model.knn]\nn_neighbors = 5\nweights = \"distance\"\n"),
    ("svm", "[model.svm]\nkernel = \"rbf\"\nc = 1.0\n"),
    ("forest", "[model.forest]\nn_trees = 20\nmin_samples_leaf = 1\n"),
    ("boosting", "[model.gradient_boosting]\nn_estimators = 20\nlearning_rate = 0.1\n"),
    (
        "dense",
        "[model.dense]\nlayers = [{ units = 17, dropout = 0.2 }]\n[training]\n\
         optimizer.adam = { learning_rate = 0.01 }\nbatch_size = 32\nepochs = 3\n",
    ),
    ("plain", "[model.logistic]\npenalty = \"l2\"\nmax_iterations = 200\n"),
];

fn spec(name: &str, model: &str) -> String {
    let preprocess = match name {
        "plain" => "",
        _ => {
            "[preprocess]\nimpute = \"median\"\nindicator = [\"tempo\"]\none_hot = { key = 12 }\n\
             standardize = true\n"
        }
    };
    format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"songs\"\nseeds = [1]\n\
         [features.table]\ncolumns = [\"energy\", \"tempo\", \"key\"]\n{preprocess}\
         [split.random]\nby = \"track\"\nstratify = true\ntest = 0.4\nvalid = 0.2\n{model}"
    )
}

/// 200 songs of three genres; every tenth tempo is missing. Columns that no spec uses come in between.
fn table() -> String {
    let mut text = "genre,Tempo (BPM),song,comment,key,mix,energy\n".to_owned();
    for i in 0..200_u32 {
        let genre = ["jazz", "pop, rock", "r\"&b"][i as usize % 3].replace('"', "\"\"");
        let noise = f64::from(i * 7919 % 101) / 101.0;
        let tempo = if i % 10 == 3 { "?".to_owned() } else { format!("{}", 90.0 + 40.0 * noise) };
        let energy = (f64::from(i % 3) + noise) / 4.0;
        text += &format!(
            "\"{genre}\",{tempo},\"song, {}\",\"a\nb\",{},{},{energy}\n",
            i / 2,
            i % 12,
            i % 2
        );
    }
    text
}

fn home(models: &[(&str, &str)]) -> tempfile::TempDir {
    let home = project();
    let path = |name: &str| home.path().join(name);
    fs::write(path("datasets/songs.toml"), MANIFEST).unwrap();
    for (name, model) in models {
        fs::write(path(&format!("experiments/{name}.toml")), spec(name, model)).unwrap();
    }
    fs::write(path("songs.csv"), table()).unwrap();
    ok(home.path(), &["data", "import", "songs", "songs.csv"]);
    for (name, _) in models {
        ok(home.path(), &["run", name]);
    }
    home
}

/// The rows of a CSV text without line breaks in its cells, as maps from column to cell.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().map(cells);
    let head = lines.next().unwrap();
    lines.map(|cells| head.iter().cloned().zip(cells).collect()).collect()
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    for c in line.replace("\"\"", "\u{1}").chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(if c == '\u{1}' { '"' } else { c }),
        }
    }
    cells
}

/// A row's cells but for those that name it.
fn said(row: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let is_said = |name: &&String| name.starts_with("p_") || *name == "predicted";
    row.keys().filter(is_said).map(|name| (name.clone(), row[name].clone())).collect()
}

#[test]
fn rows_have_the_very_predictions_that_the_run_has_of_them() {
    let home = home(&MODELS);
    let mut n_compared = 0;
    for (name, _) in MODELS {
        let output = ok(home.path(), &["predict", "songs.csv", "--with", name, "-o", "out.csv"]);
        let n_unusable = if name == "plain" { 20 } else { 0 };
        let counted = format!("{} of 200 rows predicted", 200 - n_unusable);
        assert!(stderr(&output).contains(&counted), "{}", stderr(&output));
        let text = fs::read_to_string(home.path().join("out.csv")).unwrap();
        let head = "song,mix,predicted,p_jazz,\"p_pop, rock\",\"p_r\"\"&b\"\n";
        assert!(text.starts_with(head), "{text}");
        let new = rows(&text);
        assert_eq!(new.len(), 200);
        // In the order of the file, whatever can be used.
        for (i, row) in new.iter().enumerate() {
            assert_eq!(
                (&row["song"], &row["mix"]),
                (&format!("song, {}", i / 2), &format!("{}", i % 2))
            );
        }
        let run = runs(home.path())
            .into_iter()
            .find(|run| run.file_name().unwrap().to_str().unwrap().starts_with(&format!("{name}.")))
            .unwrap();
        let own = rows(&fs::read_to_string(run.join("predictions.csv")).unwrap());
        assert!(own.len() > 60, "{}", own.len());
        let ids: BTreeMap<String, &BTreeMap<String, String>> =
            new.iter().map(|row| (format!("{}|{}", row["song"], row["mix"]), row)).collect();
        for row in &own {
            let id = row["track"].replace(" / ", "|");
            let new = ids.get(&id).unwrap_or_else(|| panic!("{id} of {:?}", ids.keys().next()));
            assert_eq!(said(new), said(row), "{name}: {id}");
            n_compared += 1;
        }
    }
    assert!(n_compared > 8 * 60);
}

#[test]
fn rows_that_cannot_be_used_are_named_and_stay_empty() {
    let home = home(&MODELS[6..]);
    let text = "energy,key,Tempo (BPM),song\n0.5,1,100,a\n0.5,1,fast,b\n7,1,100,c\n0.5,1\n,1,100,d\n\
                0.5,99,100,e\n";
    fs::write(home.path().join("new.csv"), text).unwrap();
    let output = ok(home.path(), &["predict", "new.csv", "--with", "dense"]);
    let text = stdout(&output);
    let new = rows(&text);
    let empty: Vec<bool> = new.iter().map(|row| row["predicted"].is_empty()).collect();
    // The missing energy is imputed; a key that no training row has becomes zeros.
    assert_eq!(empty, [false, true, true, true, false, false], "{text}");
    assert!(new.iter().all(|row| row["predicted"].is_empty() == row["p_jazz"].is_empty()));
    assert_eq!(
        new.iter().map(|row| row["line"].clone()).collect::<Vec<_>>().join(" "),
        "2 3 4 5 6 7"
    );
    let error = stderr(&output);
    for part in [
        "note: new.csv has no column mix; rows are named by their line",
        "not predicted: line 3: Tempo (BPM) is \"fast\", which is not a number",
        "not predicted: line 4: energy is \"7\", which is not in [0, 1]",
        "not predicted: line 5: has 2 cells, and the header has 4",
        "note: energy is missing in 1 of 6 rows and was imputed",
        "note: 1 of 6 rows have a level of key that no training row has; it is encoded as zeros",
        "3 of 6 rows predicted; 3 with an empty prediction",
    ] {
        assert!(error.contains(part), "{part}\nis not in\n{error}");
    }
    // As JSON, with the reasons.
    let lines = stdout_of(home.path(), &["predict", "new.csv", "--with", "dense", "--json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["line"], 2);
    assert_eq!(lines[0]["probabilities"]["jazz"].to_string(), new[0]["p_jazz"]);
    assert_eq!(lines[0]["predicted"], new[0]["predicted"].as_str());
    assert_eq!(lines[1]["error"], "Tempo (BPM) is \"fast\", which is not a number");
    // Without imputing, a missing number is a reason as well. Many rows are counted.
    let many: String = (0..30).map(|_| "0.5,1,?,x,1\n").collect();
    let text = format!("energy,key,Tempo (BPM),song,mix\n{many}0.5,1,100,x,1\n");
    fs::write(home.path().join("new.csv"), text).unwrap();
    let error = stderr(&ok(home.path(), &["predict", "new.csv", "--with", "plain"]));
    assert_eq!(error.matches("has no number as tempo").count(), 20, "{error}");
    assert!(error.contains("not predicted: 10 more rows\n"), "{error}");
}

#[test]
fn parquet_and_packed_files_give_the_same_rows_and_files_are_whole_or_as_they_were() {
    let home = home(&MODELS[1..2]);
    let path = |name: &str| home.path().join(name);
    let of = |file: &str| stdout_of(home.path(), &["predict", file, "--with", "logistic"]);
    let plain = of("songs.csv");
    let packed = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(table().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    fs::write(path("songs.csv.gz"), packed).unwrap();
    assert_eq!(of("songs.csv.gz"), plain);
    let all = encore::table::Table::read_csv(
        &path("songs.csv"),
        &["song", "mix", "Tempo (BPM)", "energy", "key"],
        &[],
    )
    .unwrap();
    let texts = |name: &str| {
        encore::table::Values::Texts(all.texts[name].iter().map(str::to_owned).collect())
    };
    let numbers = |name: &str| {
        let numbers = all.texts[name].iter().map(|cell| cell.parse().unwrap());
        encore::table::Values::Numbers(numbers.collect())
    };
    let parquet = encore::table::parquet_bytes(&[
        ("key", numbers("key")),
        ("Tempo (BPM)", texts("Tempo (BPM)")),
        ("song", texts("song")),
        ("energy", numbers("energy")),
        ("mix", texts("mix")),
    ]);
    fs::write(path("songs.parquet"), parquet).unwrap();
    assert_eq!(of("songs.parquet"), plain);

    // What fails leaves the file of an earlier prediction.
    let to_file = ["predict", "songs.csv", "--with", "logistic", "--out", "out.csv"];
    ok(home.path(), &to_file);
    assert_eq!(fs::read_to_string(path("out.csv")).unwrap(), plain);
    fs::write(path("songs.csv"), "Tempo (BPM),key,energy\nx,1,1\n").unwrap();
    let error = fails(home.path(), &to_file, 3);
    assert!(error.contains("none of its 1 rows can be used"), "{error}");
    assert_eq!(fs::read_to_string(path("out.csv")).unwrap(), plain);
    let left = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("partial")));
    fs::write(path("songs.csv"), "tempo,key,energy\n1,1,1\n").unwrap();
    let error = fails(home.path(), &to_file, 3);
    assert!(error.contains("the column Tempo (BPM) is missing"), "{error}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = home(&MODELS[1..2]);
    let said = |arguments: &[&str]| fails(home.path(), arguments, 2);
    assert!(said(&["predict", "songs.csv"]).contains("--with is missing"));
    assert!(
        said(&["predict", "songs.csv", "songs.csv", "--with", "logistic"])
            .contains("the rows of one table at a time, found 2 files")
    );
    let over = ["predict", "songs.csv", "--with", "logistic", "-o", "./songs.csv"];
    assert!(said(&over).contains("would overwrite an input file"));
    assert!(
        fails(home.path(), &["predict", "songs.csv", "--with", "dense"], 3)
            .contains("encore run dense")
    );
    let missing = fails(home.path(), &["predict", "none.csv", "--with", "logistic"], 3);
    assert!(missing.contains("none.csv"), "{missing}");
}

#[test]
fn a_run_that_was_copied_to_another_project_predicts_rows() {
    let home = home(&MODELS[1..2]);
    let wanted = stdout_of(home.path(), &["predict", "songs.csv", "--with", "logistic"]);
    let run = runs(home.path()).remove(0);
    let id = run.file_name().unwrap().to_str().unwrap();
    let other = tempfile::tempdir().unwrap();
    for folder in ["experiments", "datasets"] {
        fs::create_dir_all(other.path().join(folder)).unwrap();
    }
    copy(&run, &other.path().join("reports/runs").join(id));
    fs::copy(home.path().join("songs.csv"), other.path().join("songs.csv")).unwrap();
    assert_eq!(stdout_of(other.path(), &["predict", "songs.csv", "--with", id]), wanted);
    // A manifest that was edited since the run does not change what the model sees.
    edit(&home.path().join("datasets/songs.toml"), "\"Tempo (BPM)\"", "\"energy\"");
    assert_eq!(stdout_of(home.path(), &["predict", "songs.csv", "--with", "logistic"]), wanted);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(path, to).unwrap();
        }
    }
}

#[test]
fn a_reader_that_leaves_early_ends_it_quietly() {
    let home = home(&MODELS[1..2]);
    let row = "x,100,a,b,1,c,0.5\n";
    let head = "genre,Tempo (BPM),song,comment,key,mix,energy\n";
    fs::write(home.path().join("large.csv"), head.to_owned() + &row.repeat(200_000)).unwrap();
    let mut child = command(home.path(), &["predict", "large.csv", "--with", "logistic"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("song,mix,predicted,"), "{first}");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

#[test]
fn folders_of_recordings_are_predicted_as_csv_and_json() {
    let home = project();
    let path = |name: &str| home.path().join(name);
    edit(&path("datasets/synth-genres.toml"), "tracks_per_genre = 40", "tracks_per_genre = 2");
    edit(&path("experiments/baseline-audio.toml"), "seconds = 3.0", "seconds = 0.2");
    ok(home.path(), &["run", "baseline-audio", "--seeds", "1"]);
    fs::create_dir_all(path("music/album")).unwrap();
    let tone = repository().join("tests/golden/tone.flac");
    fs::copy(&tone, path("music/album/b.flac")).unwrap();
    fs::copy(repository().join("tests/golden/tone.wav"), path("music/a.wav")).unwrap();
    fs::write(path("music/cover.jpg"), "no music").unwrap();
    let output = ok(home.path(), &["predict", "music", "-o", "out.csv"]);
    assert!(stderr(&output).contains("1 jpg"), "{}", stderr(&output));
    let new = rows(&fs::read_to_string(path("out.csv")).unwrap());
    let files: Vec<&str> = new.iter().map(|row| row["file"].as_str()).collect();
    assert_eq!(files, ["music/a.wav", "music/album/b.flac"]);
    assert_eq!(new[0].len(), 12, "file, predicted and ten classes");
    // A file that is no recording does not take down the others.
    fs::write(path("music/c.wav"), "no music").unwrap();
    let output = encore(home.path(), &["predict", "music", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let lines: Vec<Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["predicted"], new[0]["predicted"].as_str());
    assert_eq!(lines[1]["file"], "music/album/b.flac");
    assert!(lines[1]["n_segments"].as_u64().unwrap() > 0);
    assert!(lines[2]["error"].as_str().unwrap().contains("c.wav"));
    let sum: f64 =
        lines[0]["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    fs::create_dir(path("empty")).unwrap();
    assert!(fails(home.path(), &["predict", "empty"], 3).contains("no recordings in this folder"));
}
