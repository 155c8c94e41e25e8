//! Projects of one's own: `init`, built-in specs and datasets, `encore.toml`, and how a project is found.

use std::fs;
use std::path::Path;

use crate::common::{command, fails, ok, repository, stderr, stdout_of};

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_new_project_makes_a_page_of_its_own_experiments() {
    for (example, experiments) in [
        ("tables", &["dense", "forest", "logistic", "majority"][..]),
        ("audio", &["cnn", "forest", "majority"]),
    ] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("mine");
        let output = stdout_of(home.path(), &["init", "mine", "--example", example]);
        assert!(output.ends_with("next: cd mine, then encore reproduce --quick\n"), "{output}");
        for file in ["encore.toml", ".gitignore", "README.md", ".github/workflows/encore.yml"] {
            assert!(output.contains(&format!("wrote mine/{file}\n")), "{output}");
        }
        let n = experiments.len();
        let checked = stdout_of(&folder, &["check"]);
        assert_eq!(checked, format!("{n} experiments and 1 dataset are valid\n"));
        let table = stdout_of(&folder, &["reproduce", "--quick"]);
        let page = text(&folder.join("reports/quick/README.md"));
        let sections: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let names = sections.iter().filter_map(|section| Some(section.split_once(": ")?.0));
        assert_eq!(names.collect::<Vec<_>>(), experiments, "{page}");
        assert!(page.starts_with("# Which genre does a "), "{page}");
        assert!(page.contains("\nA first page on synthetic "), "{page}");
        assert!(!table.contains("not run") && !page.contains("spotify"), "{table}");
        // What encore writes is not committed, and what is committed is not ignored.
        let ignored = text(&folder.join(".gitignore"));
        for folder in ["/reports/runs", "/reports/quick", "/datasets/cache"] {
            assert!(ignored.lines().any(|line| line == folder), "{ignored}");
        }
        // A second time, nothing is replaced.
        fs::write(folder.join("encore.toml"), "").unwrap();
        fs::remove_file(folder.join("README.md")).unwrap();
        let again = fails(&folder, &["init", "--example", example], 2);
        assert!(again.contains("nothing was written, because these exist: datasets/"), "{again}");
        assert!(again.contains(", encore.toml, ") && !again.contains("README"), "{again}");
        assert_eq!(text(&folder.join("encore.toml")), "");
        assert!(!folder.join("README.md").exists());
    }
}

#[test]
fn built_in_specs_and_datasets_are_at_hand_in_every_project() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["init"]);
    let error = fails(home.path(), &["run", "cnn-3"], 2);
    let hint = "experiment `cnn-3` is built into encore, but not part of this project\n\
                hint: encore new cnn-3 --from cnn-3";
    assert!(error.contains(hint), "{error}");
    // Under its own name, a spec keeps its claims.
    ok(home.path(), &["new", "cnn-3", "--from", "cnn-3"]);
    let ours = text(&repository().join("experiments/cnn-3.toml"));
    assert_eq!(text(&home.path().join("experiments/cnn-3.toml")), ours);
    ok(home.path(), &["new", "my-songs", "--from", "spotify-logistic"]);
    let spec = text(&home.path().join("experiments/my-songs.toml"));
    assert!(
        spec.contains("dataset  = \"spotify-songs\"") && !spec.contains("[[claims]]"),
        "{spec}"
    );
    let error = fails(home.path(), &["new", "x", "--from", "cnn-33"], 2);
    assert!(error.contains("unknown experiment `cnn-33`; did you mean `cnn-3`?"));
    // Its dataset is built in too, with its stand-in, and so are GTZAN's artists.
    let table = stdout_of(home.path(), &["run", "my-songs", "--seeds", "1"]);
    assert!(table.contains("synth-songs"), "{table}");
    let listed = stdout_of(home.path(), &["data", "list"]);
    assert!(listed.contains("built in; not imported; encore data fetch gtzan"), "{listed}");
    let own = listed.lines().find(|line| line.starts_with("songs ")).unwrap();
    assert!(!own.contains("built in"), "{own}");
    let described = stdout_of(home.path(), &["data", "describe", "gtzan"]);
    assert!(described.contains("  columns     artist, "), "{described}");
    let error = fails(home.path(), &["data", "new", "gtzan", "."], 2);
    assert!(error.contains("dataset `gtzan` is built into encore; choose another name"));
    // A manifest of the project replaces the built-in one.
    let mine = text(&home.path().join("datasets/songs.toml"));
    fs::write(home.path().join("datasets/gtzan.toml"), mine).unwrap();
    let described = stdout_of(home.path(), &["data", "describe", "gtzan"]);
    assert!(described.starts_with("gtzan: Songs (synthetic"), "{described}");
}

#[test]
fn a_project_is_found_from_its_folders_and_by_name() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["init", "mine"]);
    let mine = home.path().join("mine");
    let deep = mine.join("notes/today");
    fs::create_dir_all(&deep).unwrap();
    let table = stdout_of(&deep, &["run", "majority", "--seeds", "1"]);
    let folder = table.lines().last().unwrap();
    assert!(folder.starts_with("../../reports/runs/majority."), "{table}");
    assert!(deep.join(folder).join("record.json").is_file(), "{folder}");
    // A path to a spec is as it is typed.
    ok(&mine.join("experiments"), &["run", "majority.toml", "--seeds", "1"]);
    let list = stdout_of(&mine, &["list"]);
    assert_eq!(stdout_of(&deep, &["list"]), list);
    assert_eq!(stdout_of(home.path(), &["list", "--project", "mine"]), list);
    let named = command(home.path(), &["list"]).env("ENCORE_PROJECT", "mine").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&named.stdout), list);
    // `--project` wins over the environment.
    let wins = command(home.path(), &["list", "--project", "mine"])
        .env("ENCORE_PROJECT", "nowhere")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&wins.stdout), list);
    let nowhere = fails(home.path(), &["list"], 2);
    let hint = "hint: run encore in a project, or make one: encore init";
    assert!(nowhere.contains(hint), "{nowhere}");
}

#[test]
fn encore_toml_orders_the_page_and_its_faults_take_nothing_with_them() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["init"]);
    let settings = "[project]\ntitle = \"Mine\"\ntext = \"Why & how.\"\n\n[[project.groups]]\n\
                    title = \"Models\"\nexperiments = [\"logistic\"]\n\n[[project.groups]]\n\
                    title = \"Baseline\"\nexperiments = [\"majority\"]\n";
    fs::write(home.path().join("encore.toml"), settings).unwrap();
    let table = stdout_of(home.path(), &["reproduce", "--quick"]);
    let order: Vec<usize> = ["\nModels\n", "\nlogistic ", "\nBaseline\n", "\nmajority "]
        .iter()
        .map(|part| table.find(part).unwrap_or_else(|| panic!("{part:?} is not in {table}")))
        .collect();
    assert!(order.is_sorted(), "{table}");
    // Only the groups are run, and only they are on the page.
    assert!(!table.contains("forest"), "{table}");
    let page = text(&home.path().join("reports/quick/index.html"));
    for part in [
        "<h1>Mine</h1>\n<p>Why &amp; how.</p>",
        "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"9\">Models</th></tr>",
        "</tbody>\n<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"9\">Baseline</th></tr>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let page = text(&home.path().join("reports/quick/README.md"));
    assert!(
        page.starts_with("# Mine\n\nWhy & how.\n") && page.contains("| **Baseline** "),
        "{page}"
    );
    let tex = text(&home.path().join("reports/quick/table.tex"));
    assert!(tex.contains("\\midrule\n\\multicolumn{10}{l}{\\textbf{Models}} \\\\\n"), "{tex}");

    fs::write(home.path().join("encore.toml"), settings.replace("logistic", "logistik")).unwrap();
    let fault = "encore.toml:7: project.groups[0].experiments names the unknown experiment `logistik`; \
                 did you mean `logistic`?";
    for arguments in [&["check"][..], &["reproduce", "--quick"]] {
        let error = fails(home.path(), arguments, 2);
        assert!(error.contains(fault), "{error}");
    }
    let output = ok(home.path(), &["report", "--quick"]);
    assert!(stderr(&output).contains(&format!("invalid: {fault}")), "{}", stderr(&output));
    assert!(text(&home.path().join("reports/quick/README.md")).starts_with("# Experiments\n"));
}

#[test]
fn the_number_of_jobs_may_come_from_the_environment() {
    let home = tempfile::tempdir().unwrap();
    ok(home.path(), &["init"]);
    let run = |jobs: &str, seed: &str| {
        let mut command = command(home.path(), &["run", "majority", "--seeds", seed]);
        command.env("ENCORE_JOBS", jobs).output().unwrap()
    };
    assert!(run("1", "1").status.success());
    let wrong = run("many", "2");
    assert_eq!(wrong.status.code(), Some(2));
    let message = "ENCORE_JOBS must be an integer in [1, 65535], found \"many\"";
    assert!(stderr(&wrong).contains(message), "{}", stderr(&wrong));
}
