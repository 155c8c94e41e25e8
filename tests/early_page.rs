//! `reproduce` has results early: seeds in rounds, and a page that is rewritten after every run.

use std::fs;
use std::process::Stdio;

use crate::common::events::wait_for;
use crate::common::kills::signal_group;
use crate::common::{edit, kills, ok, project, stderr};

const ONLY: &str = "spotify-dense,spotify-logistic,baseline-spotify";

#[test]
fn the_first_seed_of_every_experiment_comes_before_the_second_of_any() {
    let home = project();
    edit(&home.path().join("experiments/spotify-dense.toml"), "epochs = 100", "epochs = 2");
    let said = stderr(&ok(home.path(), &["reproduce", "--only", ONLY, "--jobs", "1"]));
    let ended: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with('['))
        .filter_map(|line| line.split(['/', ']', ':']).nth(2))
        .map(str::trim)
        .collect();
    let order = ["spotify-dense", "spotify-logistic", "baseline-spotify"];
    let wanted: Vec<String> =
        (1..=3).flat_map(|seed| order.map(|name| format!("{name} seed {seed}"))).collect();
    assert_eq!(ended, wanted, "{said}");
    // With one result each, the table is complete.
    let complete = said.find("every experiment has a result").expect("it is said");
    let last = said.find("[9/9]").unwrap();
    assert!(complete < last, "{said}");
    let page = fs::read_to_string(home.path().join("reports/index.html")).unwrap();
    assert!(!page.contains("still to come"));
}

#[test]
fn the_page_is_there_before_the_last_run_and_valid_after_a_stop() {
    let home = project();
    edit(&home.path().join("experiments/spotify-dense.toml"), "epochs = 100", "epochs = 2000");
    let mut command =
        crate::common::command(home.path(), &["reproduce", "--only", ONLY, "--jobs", "2"]);
    let child = kills::start_group(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let path = home.path().join("reports/index.html");
    let early = wait_for("a page with what is still to come", || {
        let page = fs::read_to_string(&path).ok()?;
        (page.contains("still to come") && page.contains("id=\"spotify-logistic\"")).then_some(page)
    });
    assert!(
        early.ends_with("</html>\n") && early.contains("<code>spotify-dense</code> (3 seeds)"),
        "{early}"
    );
    assert!(signal_group(&child, "-INT"));
    let mut child = child;
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let stopped = fs::read_to_string(&path).unwrap();
    assert!(
        stopped.ends_with("</html>\n") && stopped.contains("<code>spotify-dense</code> (3 seeds)")
    );
    let readme = fs::read_to_string(home.path().join("reports/README.md")).unwrap();
    assert!(readme.contains("still to come: `spotify-dense` (3 seeds)"), "{readme}");
    // A page that is made anew knows of no runs that go on.
    ok(home.path(), &["report"]);
    assert!(!fs::read_to_string(&path).unwrap().contains("still to come"));
}
