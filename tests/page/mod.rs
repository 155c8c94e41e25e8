//! The report's page in a real browser: no errors, fits a phone's width, usable by keyboard,
//! legible in light and dark, sorted by its buttons, printed completely.
//!
//! These tests need a Chromium or Chrome on the PATH, or one named by the variable CHROMIUM. Run
//! them with `cargo test --release --test integration page:: -- --ignored`. ENCORE_PAGE names a
//! different page to check; screenshots are written into the folder ENCORE_LOOK, in base64.

pub mod browser;

use crate::common;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use browser::Browser;

const LONG: &str = "an-experiment-whose-name-is-much-longer-than-any-that-a-sensible-person-gives";

/// Creates a small page of real runs: with and without curves, with a leak and its honest twin, and
/// with a very long name, in two groups.
fn small_page(home: &Path) -> PathBuf {
    let spec = |name: &str| home.join(format!("experiments/{name}.toml"));
    fs::copy(spec("spotify-logistic-final"), spec(LONG)).unwrap();
    fs::create_dir(home.join("experiments/honest")).unwrap();
    let ours = common::repository().join("experiments/honest/dnn.toml");
    fs::copy(ours, spec("honest/dnn")).unwrap();
    let groups = format!(
        "[[project.groups]]\ntitle = \"Recordings\"\nexperiments = [\"baseline-audio\", \"dnn\", \"honest/dnn\"]\n\
         [[project.groups]]\ntitle = \"Tables\"\nexperiments = [\"spotify-dense\", \"{LONG}\"]\n"
    );
    fs::write(home.join("encore.toml"), format!("[project]\n{groups}")).unwrap();
    let only = format!("--only=baseline-audio,dnn,honest/dnn,spotify-dense,{LONG}");
    common::ok(home, &["reproduce", "--quick", &only]);
    home.join("reports/quick/index.html")
}

#[test]
#[ignore = "needs a Chromium: on the PATH, or named by CHROMIUM"]
fn a_browser_shows_the_page_as_it_is_meant() {
    let program = browser::find().expect("a Chromium is on the PATH or named by CHROMIUM");
    let home = common::project();
    let page = match std::env::var_os("ENCORE_PAGE") {
        Some(page) => std::path::absolute(page).unwrap(),
        None => small_page(home.path()),
    };
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&program, profile.path());
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")] {
        browser.pretend(width, "screen", scheme);
        browser.open(&page);
        browser
            .evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))");
        fits(&mut browser, &format!("{width} px, {scheme}"));
        is_legible(&mut browser, &format!("{width} px, {scheme}"));
        look(&mut browser, &format!("{width}-{scheme}"));
    }
    browser.pretend(375, "screen", "light");
    browser.open(&page);
    is_reachable_by_keyboard(&mut browser);
    browser.pretend(1280, "screen", "light");
    browser.open(&page);
    is_sorted_by_keyboard(&mut browser);
    is_printed_whole(&mut browser);
    assert_eq!(browser.complaints("file:"), Vec::<String>::new());
}

/// Checks that the page does not scroll sideways.
fn fits(browser: &mut Browser, at: &str) {
    let [wide, shown] = ["scrollWidth", "clientWidth"].map(|what| {
        browser.evaluate(&format!("document.scrollingElement.{what}")).as_u64().unwrap()
    });
    assert!(wide <= shown, "{at}: the page is {wide} px wide");
}

fn is_legible(browser: &mut Browser, at: &str) {
    let audit = browser.evaluate(include_str!("audit.js"));
    assert_eq!(audit["faults"], json!([]), "{at}: too little contrast");
    let n = audit["checked"].as_u64().unwrap();
    assert!(n > 500, "{at}: only {n} texts and marks were looked at");
}

/// Checks that Tab reaches every control, in the order of the page, and that the focus is visible.
fn is_reachable_by_keyboard(browser: &mut Browser) {
    browser.evaluate(
        "window.all = [...document.querySelectorAll('a[href], button, summary, [tabindex]')]\
         .filter((one) => one.checkVisibility()); 0",
    );
    let n = browser.evaluate("window.all.length").as_u64().unwrap();
    assert!(n > 50, "only {n} links and buttons");
    let kinds = browser.evaluate("[...new Set(window.all.map((one) => one.localName))].sort()");
    assert_eq!(kinds, json!(["a", "button", "div", "summary"]));
    let mut reached = vec![];
    for _ in 0..n {
        browser.press("Tab");
        reached.push(browser.evaluate("window.all.indexOf(document.activeElement)").as_u64());
        let outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle");
        assert_eq!(outline, "solid", "nothing shows that stop {} has the focus", reached.len());
    }
    assert_eq!(reached, (0..n).map(Some).collect::<Vec<_>>());
}

/// Checks that Enter on a heading of the summary sorts by it, and reverses the order when pressed
/// again.
fn is_sorted_by_keyboard(browser: &mut Browser) {
    let head = "document.querySelectorAll('#summary th button')[2]";
    browser.evaluate(&format!("{head}.focus()"));
    let seen = |browser: &mut Browser| {
        browser.press("Enter");
        let sort = browser.evaluate(&format!("{head}.parentElement.ariaSort"));
        // Every group is sorted by itself, below its heading.
        let groups = browser.evaluate(
            "[...document.querySelectorAll('#summary tbody')].map((body) =>\
             [...body.querySelectorAll('tr:not(.group)')].map((row) => row.cells[2].dataset.key)\
             .map((key) => key ? Number(key) : null))",
        );
        let is_first = "[...document.querySelectorAll('#summary .group')]\
                        .every((row) => row === row.parentElement.rows[0])";
        assert_eq!(browser.evaluate(is_first), true);
        let numbers = groups.as_array().unwrap().iter().map(|keys| {
            let keys: Vec<Option<f64>> =
                keys.as_array().unwrap().iter().map(Value::as_f64).collect();
            let numbers: Vec<f64> = keys.iter().copied().flatten().collect();
            assert!(keys[..numbers.len()].iter().all(Option::is_some), "{keys:?}");
            numbers
        });
        let numbers: Vec<Vec<f64>> = numbers.collect();
        assert!(numbers.iter().flatten().count() > 3, "{numbers:?}");
        (sort, numbers)
    };
    let (sort, mut numbers) = seen(browser);
    assert_eq!(sort, "ascending");
    assert!(numbers.iter().all(|group| group.is_sorted()), "{numbers:?}");
    let (sort, again) = seen(browser);
    assert_eq!(sort, "descending");
    numbers.iter_mut().for_each(|group| group.reverse());
    assert_eq!(again, numbers);
    let others = "document.querySelectorAll('#summary th[aria-sort]').length";
    assert_eq!(browser.evaluate(others), 1);
}

/// Checks that the printed page is unfolded, dark on white, and not cut off on the right.
fn is_printed_whole(browser: &mut Browser) {
    browser.evaluate(
        "window.unfolded = null; addEventListener('beforeprint', () => { window.unfolded = \
         document.querySelectorAll('details:not([open])').length; })",
    );
    browser.pretend(1280, "", "dark");
    let pdf = browser.call("Page.printToPDF", json!({"preferCSSPageSize": true}));
    assert!(pdf["data"].as_str().unwrap().len() > 10_000);
    keep("print.pdf.base64", || pdf["data"].as_str().unwrap().as_bytes().to_vec());
    assert_eq!(browser.evaluate("window.unfolded"), 0);
    let folded = browser.evaluate("document.querySelectorAll('details:not([open])').length");
    assert!(folded.as_u64() > Some(0), "as it was before");
    // A4 without its margins, in CSS pixels.
    browser.pretend(688, "print", "dark");
    fits(browser, "on paper");
    is_legible(browser, "on paper");
    let ground = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(255, 255, 255)");
    let cut = browser.evaluate(
        "[...document.querySelectorAll('.scroll')]\
         .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.ariaLabel)",
    );
    assert_eq!(cut, json!([]), "tables that are wider than the paper");
}

/// Takes a screenshot of the whole page if screenshots are requested.
fn look(browser: &mut Browser, name: &str) {
    if std::env::var_os("ENCORE_LOOK").is_some() {
        let whole = json!({"captureBeyondViewport": true, "format": "png"});
        let picture = browser.call("Page.captureScreenshot", whole);
        keep(&format!("{name}.png.base64"), || {
            picture["data"].as_str().unwrap().as_bytes().to_vec()
        });
    }
}

fn keep(name: &str, bytes: impl FnOnce() -> Vec<u8>) {
    if let Some(folder) = std::env::var_os("ENCORE_LOOK") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(name), bytes()).unwrap();
    }
}
