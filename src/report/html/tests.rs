//! The browser's page as a text; how a browser takes it is looked at in `tests/page/`.

use std::fs;

use crate::record::Run;
use crate::report::fake::{self, Fake, gtzan};
use crate::report::fake_data;
use crate::report::{Options, write};

fn page(runs: &[Run], options: &Options, folder: &std::path::Path) -> String {
    fs::read_to_string(write(runs, options, folder).unwrap().page).unwrap()
}

fn named(order: &[&str]) -> Options {
    let order = order.iter().map(|name| (*name).to_owned()).collect();
    Options { title: "Does it hold?".to_owned(), order, ..Options::default() }
}

#[test]
fn nothing_that_a_record_says_becomes_markup() {
    let folder = tempfile::tempdir().unwrap();
    let evil = "\"><img src=x onerror=alert(1)><script>'&";
    let fake = gtzan("cnn-3", 1, 0.84, 0.838);
    let mut record = fake::record(&fake);
    for text in [
        &mut record.experiment,
        &mut record.title,
        &mut record.question,
        &mut record.spec_hash,
        &mut record.claims[0].source,
        &mut record.split.protocol,
        &mut record.model.name,
        &mut record.code.version,
        &mut record.code.device,
        &mut record.timings.started,
    ] {
        *text = evil.to_owned();
    }
    record.claims[0].dataset = evil.to_owned();
    let data = &mut *record.data;
    for text in [&mut data.dataset, &mut data.hash, &mut data.features_hash] {
        *text = evil.to_owned();
    }
    data.excluded[0].reason = evil.to_owned();
    data.excluded[0].name = evil.to_owned();
    record.code.git_commit = Some(evil.to_owned());
    record.cut = vec![evil.to_owned()];
    record.overrides = vec![evil.to_owned()];
    record.data.notes = vec![evil.to_owned()];
    record.data.classes[3] = evil.to_owned();
    record.spec = serde_json::json!({ evil: evil }).into();
    let mut run = fake::write(folder.path(), &fake, record, &fake::predictions(&fake));
    run.id = evil.to_owned();
    let at = folder.path().join("page");
    let options = Options {
        title: evil.to_owned(),
        text: evil.to_owned(),
        groups: vec![(evil.to_owned(), vec![evil.to_owned()])],
        order: vec![evil.to_owned(), "<b>".to_owned()],
        data: vec![],
        scores: None,
        degraded: None,
        skipped: vec![],
        pending: vec![],
        tasks: std::collections::BTreeMap::new(),
        ..Options::default()
    };
    let text = page(&[run], &options, &at);
    assert_eq!(text.matches("<script>").count(), 1, "the page's own script alone");
    assert!(!text.contains("<img") && !text.contains("<b>"));
    let said = text.matches("&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;&#39;&amp;");
    assert!(said.count() > 20);
}

#[test]
fn the_page_needs_no_other_file_and_no_network() {
    let folder = tempfile::tempdir().unwrap();
    let runs = fake::report_like(folder.path());
    let data =
        fake_data::summaries().into_iter().map(|summary| ("gtzan".to_owned(), summary)).collect();
    let options = Options { data, ..fake::options() };
    let text = page(&runs, &options, &folder.path().join("page"));
    assert!(text.contains("<h2 id=\"data-title\">The data</h2>"));
    assert!(text.matches("src=\"data:image/svg+xml;base64,").count() >= 5 + 3);
    // What stands in the page itself is not loaded.
    let text = text.replace("src=\"data:", "");
    for loads in ["src=", "@import", "url(", "<link rel=\"stylesheet", "http://", "https://"] {
        assert!(!text.contains(loads), "{loads}");
    }
    assert!(text.len() < 2_000_000, "{} bytes", text.len());
    for run in &runs {
        assert!(text.contains(&format!("<a href=\"../{}/record.json\">", run.id)), "{}", run.id);
    }
}

#[test]
fn every_link_within_the_page_has_one_target() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = fake::report_like(folder.path());
    runs.push(fake::run(folder.path(), &gtzan("summary", 1, 0.5, 0.5)));
    let text = page(&runs, &fake::options(), &folder.path().join("page"));
    let quoted = |start: &str| -> Vec<String> {
        let parts = text.split(start).skip(1);
        parts.map(|rest| rest[..rest.find('"').unwrap()].to_owned()).collect()
    };
    let ids = quoted(" id=\"");
    let links = quoted("href=\"#");
    assert!(links.len() > 50, "{}", links.len());
    for link in &links {
        assert_eq!(ids.iter().filter(|id| *id == link).count(), 1, "#{link}");
    }
    assert!(ids.contains(&"summary-2".to_owned()), "an experiment called as a part of the page is");
}

#[test]
fn the_headline_says_what_the_leak_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let leaking = fake::run(folder.path(), &gtzan("cnn-3", 1, 0.84, 0.838));
    let honest = Fake { leaks: false, claim: None, ..gtzan("honest/cnn-3", 1, 0.6, 0.0) };
    let honest = fake::run(folder.path(), &honest);
    let (with, without) = (leaking.record.scored().main(), honest.record.scored().main());
    let at = folder.path().join("page");
    let options = named(&["cnn-3"]);
    let text = page(&[leaking.clone(), honest.clone()], &options, &at);
    let wanted = format!(
        "cnn-3: 2,992 of 2,996 test examples leak. Accuracy {with:.3}; split by track it is \
         {without:.3} (<strong>{:+.3}</strong>).",
        without - with
    );
    assert!(text.contains(&wanted), "{wanted}");
    let leaks = text.find("id=\"leaks\"").unwrap();
    assert!(leaks < text.find("id=\"summary\"").unwrap(), "before the summary");
    let alone = page(&[leaking], &options, &at);
    assert!(alone.contains("the same split by track was not run"));
    assert!(!page(&[honest], &options, &at).contains("id=\"leaks\""));
}

#[test]
fn every_claim_stands_in_the_ledger_with_its_verdict_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        fake::run(folder.path(), &gtzan("cnn-3", 1, 0.84, 0.838)),
        fake::run(folder.path(), &gtzan("cnn-3", 2, 0.84, 0.838)),
        fake::run(folder.path(), &gtzan("cnn-3", 3, 0.84, 0.838)),
        fake::run(folder.path(), &gtzan("dnn", 1, 0.72, 0.578)),
        fake::run(folder.path(), &Fake { cut: true, ..gtzan("cnn-1", 1, 0.4, 0.691) }),
        fake::run(folder.path(), &gtzan("cnn-2", 1, 0.795, 0.82)),
    ];
    let text = page(&runs, &named(&[]), &folder.path().join("page"));
    let start = text.find("id=\"claims\"").unwrap();
    let ledger = &text[start..text[start..].find("</section>").unwrap() + start];
    assert_eq!(ledger.matches("<tr><th scope=\"row\">").count(), 4);
    let by = runs[3].record.scored().main() - 0.578;
    for part in [
        "</span> reproduced</span></td><td>ours minus published is ".to_owned(),
        "</span> inconclusive</span></td><td>ours minus published is -0.0".to_owned(),
        format!("</span> differs</span></td><td>ours is above it by {by:.3}"),
        "</span> not comparable</span></td><td>shortened run (3 of 250 epochs)".to_owned(),
        "data-key=\"0.691\">0.691</td><td>report, table 1</td><td>gtzan</td>".to_owned(),
    ] {
        assert!(ledger.contains(&part), "{part}\nis not in\n{ledger}");
    }
}

#[test]
fn a_page_without_runs_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = page(&[], &named(&["dnn"]), folder.path());
    assert!(text.contains("Not run: 1 of 1 experiment."), "{text}");
    assert!(text.contains("No finished run yet"));
    assert!(!text.contains("id=\"experiments\"") && !text.contains("class=\"strips\""));
}
