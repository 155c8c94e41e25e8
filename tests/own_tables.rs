//! A user's own table: `data new`, import and run without an edit, and manifests that declare how cells are written.

use crate::common;
use std::fs;
use std::path::Path;

use encore::table::{Values, parquet_bytes};

/// 80 rows of two genres whose cells are written by `cell`, which gets a row's number and its genre.
fn rows(header: &str, cells: impl Fn(usize, &str) -> String) -> String {
    let row = |i: usize| cells(i, ["pop", "rock"][i % 2]) + "\n";
    format!("{header}\n") + &(0..80).map(row).collect::<String>()
}

fn manifest(home: &Path, name: &str, settings: &str) {
    let text = format!(
        "[table]\nid = [\"id\"]\n{settings}\n[table.label]\ncolumn = \"genre\"\n\
         [table.columns]\nenergy = \"energy\"\ntempo = \"tempo\"\n"
    );
    fs::write(home.join(format!("datasets/{name}.toml")), text).unwrap();
}

#[test]
fn own_tables_are_imported_and_run_without_an_edit() {
    let home = common::project();
    let home = home.path();
    let energy = |i: usize, genre: &str| {
        (i * 37 % 10) as f64 / 20.0 + if genre == "pop" { 0.5 } else { 0.0 }
    };
    let comma = |x: f64| x.to_string().replace('.', ",");
    let kaggle = rows(",track_id,artists,explicit,energy,tempo,track_genre", |i, genre| {
        format!(
            "{i},t{},\"A {}, B\",{},{},{i}.5,{genre}",
            i / 2,
            i % 30,
            ["True", "False"][i / 2 % 2],
            energy(i, genre)
        )
    });
    let exportify = rows("Track ID,Artist Name(s),Genres,\t\t\t\tEnergy,Tempo", |i, genre| {
        format!("id{i},\"A{i}, B\",\"{genre},other\",{},1{i}.25", energy(i, genre))
    });
    let units = rows("id,genre,energy,tempo,key", |i, genre| {
        format!("s{i},{genre},{i}%,{} BPM,{}", 100 + i, ["C", "C#"][i % 2])
    });
    let semicolon = "\u{FEFF}".to_owned()
        + &rows("id;genre;energy;tempo", |i, genre| {
            format!("s{i};{genre};{};1{i},25\r", comma(energy(i, genre)))
        });
    let thousands = rows("id,genre,energy,tempo", |i, genre| {
        let tempo = if i % 3 == 0 { "\"1,132\"".to_owned() } else { (500 + i).to_string() };
        format!("s{i},{genre},{},{tempo}", energy(i, genre))
    });
    let missing = rows("id,genre,energy,tempo", |i, genre| {
        let genre = if i % 9 == 4 { "nan" } else { genre };
        format!("s{i},{genre},{},{}", energy(i, genre), if i % 8 == 1 { "NA" } else { "100.5" })
    });
    let classic = rows("id,genre,energy", |i, genre| format!("s{i},{genre},{}", energy(i, genre)))
        .replace('\n', "\r");
    let files: [(&str, Vec<u8>, &str); 8] = [
        ("kaggle.csv", kaggle.into_bytes(), "booleans = [\"explicit\"]"),
        ("exportify.csv", exportify.into_bytes(), "first_of_list = \",\""),
        ("units.csv", units.into_bytes(), "units = { tempo = \"BPM\" }"),
        ("semicolon.csv", semicolon.into_bytes(), "decimal = \",\""),
        ("thousands.csv", thousands.into_bytes(), "thousands = \",\""),
        ("missing.csv", missing.into_bytes(), "drop = [\"nan\"]"),
        ("classic.csv", classic.into_bytes(), "energy = \"energy\""),
        (
            "parquet",
            parquet_bytes(&[
                ("name", Values::Texts((0..80).map(|i| format!("s{i}")).collect())),
                ("style", Values::Texts((0..80).map(|i| ["a", "b"][i % 2].to_owned()).collect())),
                ("energy", Values::Numbers((0..80).map(|i| f64::from(i % 7)).collect())),
            ]),
            "column = \"style\"",
        ),
    ];
    for (file, bytes, line) in files {
        let name = file.split('.').next().unwrap();
        fs::write(home.join(file), bytes).unwrap();
        let said = common::stdout_of(home, &["data", "new", name, file]);
        let manifest = fs::read_to_string(home.join(format!("datasets/{name}.toml"))).unwrap();
        assert!(manifest.lines().any(|found| found == line), "{line}\n{said}\n{manifest}");
        common::ok(home, &["data", "import", name, file]);
        common::ok(home, &["run", name, "--seeds", "1"]);
        let run = common::runs(home).into_iter().find(|run| {
            run.file_name().unwrap().to_string_lossy().starts_with(&format!("{name}.{name}."))
        });
        let record = common::record(&run.unwrap());
        assert!(record["data"]["n_examples"].as_u64().unwrap() >= 60, "{name}: {}", record["data"]);
        assert_eq!(record["data"]["classes"].as_array().unwrap().len(), 2, "{name}");
    }
}

#[test]
fn the_hint_names_the_setting_that_reads_every_cell() {
    let home = common::project();
    let home = home.path();
    let text = rows("id,genre,energy,tempo", |i, genre| {
        let tempo = if i % 4 == 0 { format!("\"1,{i:03}\"") } else { (500 + i).to_string() };
        format!("s{i},{genre},0.{},{tempo}", i % 10)
    });
    fs::write(home.join("t.csv"), text).unwrap();
    manifest(home, "t", "");
    let error = common::fails(home, &["data", "import", "t", "t.csv"], 3);
    let hint = "hint: in the manifest's [table], thousands = \",\" reads 20 of the 80 cells of tempo, such as \"1,000\"";
    assert!(error.contains(hint) && !error.contains("odd_cells"), "{error}");
    manifest(home, "t", "thousands = \",\"");
    let said = common::stdout_of(home, &["data", "import", "t", "t.csv"]);
    assert!(said.contains("80 valid rows") && !said.contains("note:"), "{said}");
    let table = encore::dataset::Catalogue::open(&home.join("datasets")).unwrap();
    let data = table.load(table.find("t").unwrap(), encore::dataset::Cut::default()).unwrap();
    let encore::dataset::Data::Table(data) = data else { panic!("a table") };
    assert_eq!(data.columns["tempo"][..5], [1000.0, 501.0, 502.0, 503.0, 1004.0]);
}

#[test]
fn a_column_that_is_imputed_much_is_printed() {
    let home = common::project();
    let home = home.path();
    let text = rows("id,genre,energy,tempo", |i, genre| {
        let (energy, tempo) = (
            if i == 3 { "" } else { ["0.5", "0.75"][i / 2 % 2] },
            if i % 10 == 0 { "?".to_owned() } else { (100 + i % 7).to_string() },
        );
        format!("s{i},{genre},{energy},{tempo}")
    });
    fs::write(home.join("t.csv"), text).unwrap();
    common::ok(home, &["data", "new", "t", "t.csv"]);
    common::ok(home, &["data", "import", "t", "t.csv"]);
    let said = common::stderr(&common::ok(home, &["run", "t"]));
    let line = "tempo is missing in 8 of 80 rows (10.0 %) and is imputed";
    assert_eq!(said.matches(line).count(), 1, "{said}");
    assert!(!said.contains("energy is missing"), "{said}");
}

#[test]
fn files_of_a_folder_are_one_table_with_a_published_split_or_a_label_each() {
    let home = common::project();
    let home = home.path();
    let part = |n: usize, genres: [&str; 2]| {
        let row = |i: usize| format!("{},{}.5,{}\n", genres[i % 2], i % 7, i % 5);
        "genre,a,b\n".to_owned() + &(0..n).map(row).collect::<String>()
    };
    fs::create_dir(home.join("split")).unwrap();
    fs::write(home.join("split/songs_train.csv"), part(60, ["x", "y"])).unwrap();
    fs::write(home.join("split/songs_test.csv"), part(20, ["x", "y"])).unwrap();
    fs::write(home.join("split/README.txt"), "about").unwrap();
    common::ok(home, &["data", "new", "split", "split"]);
    let said = common::stdout_of(home, &["data", "import", "split", "split"]);
    assert!(said.contains("80 valid rows in 2 files"), "{said}");
    let printed = common::stdout_of(home, &["run", "split", "--seeds", "1"]);
    let record = common::printed_record(home, &printed);
    assert_eq!(record["data"]["n_examples"], 80);
    let run = common::runs(home).pop().unwrap();
    let split = fs::read_to_string(run.join("split.csv")).unwrap();
    assert_eq!(
        split.matches("test").count() - split.matches("songs_test.csv line").count(),
        20,
        "{split}"
    );
    common::ok(home, &["data", "check", "split"]);
    fs::write(home.join("split/songs_test.csv"), part(21, ["x", "y"])).unwrap();
    assert!(common::fails(home, &["data", "check", "split"], 3).contains("songs_test.csv"));

    fs::create_dir(home.join("lists")).unwrap();
    for name in ["Rock.csv", "Jazz.csv"] {
        fs::write(home.join("lists").join(name), part(30, ["x", "y"]).replace("genre", "user"))
            .unwrap();
    }
    fs::write(
        home.join("datasets/lists.toml"),
        "[table]\nfiles = [\"*.csv\"]\nfile_column = \"playlist\"\ncolumns = \"all\"\n\
         [table.label]\ncolumn = \"playlist\"\n",
    )
    .unwrap();
    // The column `user` holds texts: the error names it, and a pattern takes it out.
    let error = common::fails(home, &["data", "import", "lists", "lists"], 3);
    assert!(error.contains("Jazz.csv: 30 cells are not numbers: line 2, user: \"x\""), "{error}");
    common::edit(&home.join("datasets/lists.toml"), "\"all\"", "[\"*\", \"!user\"]");
    common::ok(home, &["data", "import", "lists", "lists"]);
    let said = common::stdout_of(home, &["data", "describe", "lists"]);
    assert!(said.contains("60 rows in 2 classes") && said.contains("Jazz"), "{said}");
    let error = common::fails(home, &["data", "import", "lists", "lists/Rock.csv"], 3);
    assert!(error.contains("is not a folder; this dataset is a folder with *.csv"), "{error}");
}

#[test]
fn labels_that_are_hardly_meant_are_pointed_out_and_can_be_joined() {
    let home = common::project();
    let home = home.path();
    let text = rows("id,genre,energy,tempo", |i, genre| {
        let genre = match i % 20 {
            3 => "Rock",
            4 => "nan",
            5 => "None",
            _ => genre,
        };
        format!("s{i},{genre},0.{},{i}", i % 10)
    });
    fs::write(home.join("t.csv"), text).unwrap();
    manifest(home, "t", "");
    let said = common::stdout_of(home, &["data", "import", "t", "t.csv"]);
    let drop = "note: 8 rows have a label that usually means a missing value; drop = [\"None\", \"nan\"] in [table.label]";
    assert!(said.contains(drop), "{said}");
    assert!(
        said.contains("`rock` (32 rows), `Rock` (4 rows); rename = { Rock = \"rock\" }"),
        "{said}"
    );
    let path = home.join("datasets/t.toml");
    common::edit(
        &path,
        "column = \"genre\"\n",
        "column = \"genre\"\ndrop = [\"None\", \"nan\"]\nrename = { Rock = \"rock\" }\n",
    );
    let said = common::stdout_of(home, &["data", "import", "t", "t.csv"]);
    assert!(!said.contains("note:") && said.contains("72 valid rows"), "{said}");
}

#[test]
fn numbers_as_labels_one_label_and_no_rows_are_refused() {
    let home = common::project();
    let home = home.path();
    let numbers = rows("id,genre,energy,tempo", |i, _| format!("s{i},{},0.{},{i}", i % 60, i % 10));
    fs::write(home.join("numbers.csv"), numbers).unwrap();
    manifest(home, "numbers", "");
    for arguments in [
        &["data", "import", "numbers", "numbers.csv"][..],
        &["data", "new", "other", "numbers.csv", "--label", "genre"],
    ] {
        let error = common::fails(home, arguments, 2);
        assert!(error.contains("the label column genre has 60 different numbers"), "{error}");
        assert!(error.contains("confirm this one with --yes"), "{error}");
        common::ok(home, &[arguments, &["--yes"][..]].concat());
    }
    common::ok(home, &["data", "import", "other", "numbers.csv"]);

    let one = rows("id,genre,energy,tempo", |i, _| format!("s{i},pop,0.{},{i}", i % 10));
    fs::write(home.join("one.csv"), one).unwrap();
    common::ok(home, &["data", "new", "one", "one.csv"]);
    let said = common::stdout_of(home, &["data", "import", "one", "one.csv"]);
    assert!(said.contains("note: every row has the label `pop`"), "{said}");
    let error = common::fails(home, &["run", "one"], 3);
    assert!(
        error.contains("every row of one has the label `pop`; a model needs two labels"),
        "{error}"
    );

    fs::write(home.join("none.csv"), "id,genre,energy,tempo\n").unwrap();
    let error = common::fails(home, &["data", "import", "numbers", "none.csv"], 3);
    assert!(error.contains("none.csv: has a header and no rows"), "{error}");
    let error = common::fails(home, &["data", "new", "none", "none.csv"], 3);
    assert!(error.ends_with("none.csv: has a header and no rows\n"), "{error}");
}

/// On a terminal (that of `script`, of util-linux), the question waits for an answer.
#[cfg(target_os = "linux")]
#[test]
fn a_label_of_many_numbers_is_asked_for_on_a_terminal() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let home = common::project();
    let home = home.path();
    let rows: String = (0..120).map(|i| format!("s{i},{},{}\n", i % 60, i % 7)).collect();
    fs::write(home.join("t.csv"), format!("name,popularity,x\n{rows}")).unwrap();
    let new = ["data", "new", "t", "t.csv", "--label", "popularity"];
    assert!(common::fails(home, &new, 2).contains("confirm this one with --yes"));
    for (answer, is_written) in [("n", false), ("\u{4}", false), ("Yes", true)] {
        let program = common::command(home, &new);
        let words = program.get_args().map(|word| word.to_string_lossy().into_owned());
        let line = [program.get_program().to_string_lossy().into_owned()].into_iter().chain(words);
        let line = line.map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, of util-linux, is installed");
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{answer}").unwrap();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let told = common::stdout(&output);
        assert!(told.contains("use it as label? [y/N]"), "{answer}: {told}");
        assert_eq!(output.status.success(), is_written, "{answer}: {told}");
        assert_eq!(home.join("datasets/t.toml").exists(), is_written, "{answer}: {told}");
    }
}
