//! What `run` says of its own runs: leaks with their count, solvers that did not converge, classes that a
//! set lacks; and rows of one id, which stay together.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{ok, project, runs, stdout_of};

const MANIFEST: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
    [table]\nid = [\"id\"]\nn_rows = 120\n[table.label]\ncolumn = \"genre\"\n\
    [table.columns]\ntempo = \"tempo\"\nenergy = \"energy\"\n";

fn spec(split: &str, model: &str) -> String {
    format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"ours\"\nseeds = \"1..2\"\n\
         [features.table]\ncolumns = [\"tempo\", \"energy\"]\n{split}\n{model}\n"
    )
}

const BY_TRACK: &str = "[split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3";
const LOGISTIC: &str =
    "[model.logistic]\npenalty = \"none\"\nmax_iterations = 1000\nstandardize = true";

/// Rows of two genres; every third id is repeated, once under the other genre, with other numbers.
fn repeated_ids() -> String {
    let mut text = "id,genre,tempo,energy\n".to_owned();
    for i in 0..90_u32 {
        let genre = ["pop", "rock"][i as usize % 2];
        let number = |x: u32| f64::from((i * x) % 101) / 101.0;
        text += &format!("s{i},{genre},{},{}\n", 90.0 + number(7919), number(104_729));
        if i % 3 == 0 {
            let other = if i % 6 == 0 { genre } else { "pop" };
            text += &format!("s{i},{other},{},{}\n", 200.0 + number(31), number(37));
        }
    }
    text
}

fn home(table: &str, spec: &str) -> tempfile::TempDir {
    let home = project();
    fs::write(home.path().join("datasets/ours.toml"), MANIFEST).unwrap();
    fs::write(home.path().join("experiments/ours.toml"), spec).unwrap();
    fs::write(home.path().join("ours.csv"), table).unwrap();
    ok(home.path(), &["data", "import", "ours", "ours.csv"]);
    home
}

/// The notes that `run` prints below its table, each on one line.
fn notes(home: &Path) -> Vec<String> {
    let mut notes: Vec<String> = vec![];
    for line in stdout_of(home, &["run", "ours"]).lines() {
        if let Some(note) = line.strip_prefix("- ") {
            notes.push(note.to_owned());
        } else if let (Some(more), Some(note)) = (line.strip_prefix("  "), notes.last_mut()) {
            *note += &format!(" {more}");
        }
    }
    notes
}

/// The sets of every id, over its rows, in the runs' own words.
fn sets_of_ids(home: &Path) -> Vec<BTreeMap<String, Vec<String>>> {
    let of = |text: String| {
        let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let id = cells[0].split(" #").next().unwrap().to_owned();
            sets.entry(id).or_default().push((*cells.last().unwrap()).to_owned());
        }
        sets
    };
    let splits = runs(home).into_iter().map(|run| fs::read_to_string(run.join("split.csv")));
    splits.map(|text| of(text.unwrap())).collect()
}

#[test]
fn by_track_rows_of_one_id_are_in_one_set() {
    for split in [
        BY_TRACK.to_owned(),
        "[split.k_fold]\nk = 3\nby = \"track\"\nstratify = true\nvalid = 0.2".to_owned(),
    ] {
        let mut text = spec(&split, LOGISTIC);
        if split.contains("k_fold") {
            text = text.replace("seeds = \"1..2\"\n", "");
        }
        let home = home(&repeated_ids(), &text);
        assert!(!notes(home.path()).iter().any(|note| note.contains("leaks")));
        let splits = sets_of_ids(home.path());
        assert!(splits.len() >= 2);
        for sets in splits {
            assert_eq!((sets.len(), sets.values().map(Vec::len).sum::<usize>()), (90, 120));
            assert!(sets.values().all(|sets| sets.iter().all(|set| *set == sets[0])), "{sets:?}");
        }
        ok(home.path(), &["report"]);
        let page = fs::read_to_string(home.path().join("reports/README.md")).unwrap();
        assert!(page.contains("60 rows repeat 30 ids; rows of one id stay together"), "{page}");
    }
}

#[test]
fn a_split_that_leaks_is_said_with_its_count() {
    let split = BY_TRACK.replace("\"track\"", "\"segment\"");
    let home = home(&repeated_ids(), &spec(&split, LOGISTIC));
    let leaks: Vec<String> =
        notes(home.path()).into_iter().filter(|note| note.contains("leaks")).collect();
    let [leak] = &leaks[..] else { panic!("one line: {leaks:?}") };
    // Every test row whose id has its other row in another set.
    let of_seed = |sets: BTreeMap<String, Vec<String>>| -> usize {
        let in_test = |sets: &Vec<String>| sets.iter().filter(|set| *set == "test").count();
        let leaking = sets.values().filter(|sets| in_test(sets) < sets.len());
        leaking.map(in_test).sum()
    };
    let mut counts: Vec<usize> = sets_of_ids(home.path()).into_iter().map(of_seed).collect();
    counts.sort_unstable();
    counts.dedup();
    assert!(counts[0] > 0);
    let n = counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" to ");
    let wanted = format!("the split leaks, {n} of 36 test examples have their track in train or");
    assert!(leak.contains(&wanted), "{wanted}\n{leak}");
    // Found again, it is said again.
    assert!(notes(home.path()).contains(leak));
}

#[test]
fn a_solver_that_did_not_converge_and_classes_that_a_set_lacks_are_said() {
    let mut table = "id,genre,tempo,energy\n".to_owned();
    for i in 0..119_u32 {
        let genre = ["pop", "rock"][i as usize % 2];
        let number = |x: u32| f64::from((i * x) % 101) / 101.0;
        table += &format!("s{i},{genre},{},{}\n", 1e9 * (1.0 + number(7919)), number(104_729));
    }
    table += "polka,polka,1e9,0.5\n";
    let home =
        home(&table, &spec(BY_TRACK, "[model.logistic]\npenalty = \"none\"\nmax_iterations = 3"));
    let notes = notes(home.path());
    let one = |words: &str| {
        let found: Vec<&String> = notes.iter().filter(|note| note.contains(words)).collect();
        assert_eq!(found.len(), 1, "{words}: {notes:?}");
        found[0].clone()
    };
    let stopped = one("the solver did not converge");
    assert!(stopped.starts_with("ours: ") && stopped.contains("largest gradient"), "{stopped}");
    let missing = one("examples of polka");
    let sets: Vec<String> =
        sets_of_ids(home.path()).into_iter().map(|sets| sets["polka"][0].clone()).collect();
    for (set, words) in [("train", "training"), ("valid", "validation"), ("test", "test")] {
        let lacks = sets.iter().any(|found| found != set);
        assert_eq!(missing.contains(&format!("no {words} examples of polka")), lacks, "{missing}");
    }
}
