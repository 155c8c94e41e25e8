//! The live pages in a real browser.

use serde_json::json;

use super::client::Live;
use super::{id_of, with_runs};
use crate::common::{self, edit, events::wait_for};
use crate::page::browser::{self, Browser};

#[test]
#[ignore = "needs a Chromium: on the PATH, or named by CHROMIUM"]
fn a_browser_shows_live_pages_on_every_screen_and_by_keyboard() {
    let program = browser::find().expect("a Chromium is on the PATH or named by CHROMIUM");
    let home = with_runs();
    let id = id_of(home.path(), "spotify-dense");
    let live = Live::start(home.path(), &[]);
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&program, profile.path());
    let pages = [
        "/".to_owned(),
        "/?group=experiment&sort=-accuracy".to_owned(),
        format!("/run/{id}"),
        format!("/run/{id}/wrong"),
        "/curves?run=spotify-dense&smooth=0.5".to_owned(),
        "/compare?run=spotify-dense&run=spotify-logistic".to_owned(),
        "/data".to_owned(),
        "/data/synth-songs".to_owned(),
        "/claims".to_owned(),
        "/sweeps".to_owned(),
    ];
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")] {
        browser.pretend(width, "screen", scheme);
        for page in &pages {
            let at = format!("{page}, {width} px, {scheme}");
            browser.go(&format!("{}{}", live.url.trim_end_matches('/'), page));
            browser.evaluate(
                "document.querySelectorAll('details').forEach((part) => (part.open = true))",
            );
            let [wide, shown] = ["scrollWidth", "clientWidth"].map(|what| {
                browser.evaluate(&format!("document.scrollingElement.{what}")).as_u64().unwrap()
            });
            assert!(wide <= shown, "{at}: the page is {wide} px wide");
            let audit = browser.evaluate(include_str!("../page/audit.js"));
            assert_eq!(audit["faults"], json!([]), "{at}: too little contrast");
            browser.look(&at);
        }
    }
    // The table: a condition and marks, by keyboard alone.
    browser.pretend(1280, "screen", "light");
    browser.go(&live.url);
    browser.evaluate("document.querySelector('[name=where]').focus()");
    browser.write("experiment = \"spotify-dense\"");
    browser.press_and_wait("Enter");
    let n_rows = browser.evaluate("document.querySelectorAll('.runs tbody tr').length");
    assert_eq!(n_rows, 2);
    browser.evaluate(
        "document.querySelectorAll('.runs input').forEach((it) => (it.checked = true));\
         document.querySelector('.selection button').focus()",
    );
    browser.press_and_wait("Enter");
    let n_lines = browser.evaluate("document.querySelectorAll('[name=run]').length");
    assert_eq!(n_lines, 3, "two marked runs, and a field for another");
    assert_eq!(browser.evaluate("document.querySelectorAll('#figure svg').length"), 1);
    assert_eq!(browser.complaints(&live.url), Vec::<String>::new());
}

#[test]
#[ignore = "needs a Chromium: on the PATH, or named by CHROMIUM"]
fn a_browser_shows_epochs_as_they_end() {
    let program = browser::find().expect("a Chromium is on the PATH or named by CHROMIUM");
    let home = common::project();
    edit(&home.path().join("experiments/spotify-dense.toml"), "epochs = 100", "epochs = 400");
    let live = Live::start(home.path(), &[]);
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&program, profile.path());
    browser.pretend(1280, "screen", "light");
    browser.go(&live.url);
    let mut run = common::command(home.path(), &["run", "spotify-dense", "--seeds", "1"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The table shows the run by itself.
    let there = wait_for("the run in the table", || {
        let link = "document.querySelector('.runs tbody a')?.getAttribute('href') ?? ''";
        let link = browser.evaluate(link).as_str().unwrap().to_owned();
        (!link.is_empty()).then_some(link)
    });
    browser.go(&format!("{}{there}", live.url.trim_end_matches('/')));
    let mut seen = vec![];
    // The same page shows one epoch after the other, and the results when the run has ended.
    wait_for("the end of the run on its page", || {
        let epoch =
            browser.evaluate("document.querySelector('[data-epoch]')?.dataset.epoch ?? 'done'");
        let epoch = epoch.as_str().unwrap().to_owned();
        if seen.last() != Some(&epoch) {
            seen.push(epoch.clone());
        }
        (epoch == "done").then_some(())
    });
    assert!(seen.len() > 4, "{seen:?}");
    wait_for("the confusion matrix", || {
        let shown = browser.evaluate("Boolean(document.querySelector('table.matrix'))");
        (shown == true).then_some(())
    });
    assert!(run.wait().unwrap().success());
    assert_eq!(browser.complaints(&live.url), Vec::<String>::new());
}
