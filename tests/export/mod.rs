//! `encore export`: tables, event files, an MLflow server; the peers' own readers get back what a record says.

mod peers;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::server::{Reply, Server};
use crate::common::{self, edit, fails, ok, project, runs, stdout, stdout_of};
use crate::json::fits;

/// A project with finished runs: three of a net, two of a model without epochs.
pub fn with_runs() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("experiments/spotify-dense.toml"), "epochs = 100", "epochs = 5");
    ok(home.path(), &["run", "spotify-dense", "--seeds", "1,2,3"]);
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1,2"]);
    home
}

#[test]
fn event_files_are_the_same_every_time_and_for_the_runs_that_are_named() {
    let home = with_runs();
    let export = |names: &[&str], out: &str| {
        let words = [&["export", "tensorboard"], names, &["--out", out, "--json"]].concat();
        fits("export tensorboard", &stdout(&ok(home.path(), &words)))
    };
    assert_eq!(export(&[], "a")["n_runs"], 5);
    export(&[], "b");
    let files = |folder: &str| common::files(&home.path().join(folder));
    assert_eq!(files("a").len(), 5);
    assert_eq!(files("a"), files("b"));
    let one = runs(home.path()).remove(0);
    let id = one.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(export(&[&id], "c")["n_runs"], 1);
    assert_eq!(export(&["spotify-logistic"], "d")["n_runs"], 2);
    let said = fails(home.path(), &["export", "tensorboard", "spotify-dens", "--out", "e"], 2);
    assert!(said.contains("did you mean spotify-dense?"), "{said}");
    let said = fails(home.path(), &["export", "tensorbord", "--out", "e"], 2);
    assert!(said.contains("tensorboard"), "{said}");
    assert!(!home.path().join("e").exists());
    fs::write(home.path().join("file"), "").unwrap();
    let said = fails(home.path(), &["export", "parquet", "--out", "file"], 3);
    assert!(said.contains("file"), "{said}");
    let empty = project();
    let said = fails(empty.path(), &["export", "parquet", "--out", "x"], 3);
    assert!(said.contains("no finished run to export"), "{said}");
}

#[test]
fn event_files_grow_with_a_run_and_a_resumed_run_has_every_epoch_once() {
    let home = project();
    edit(&home.path().join("experiments/spotify-dense.toml"), "epochs = 100", "epochs = 60");
    let words = [
        "run",
        "spotify-dense",
        "--seeds",
        "1",
        "--tensorboard",
        "events",
        "--checkpoint-every",
        "0",
    ];
    let events = home.path().join("events");
    let size = || -> u64 {
        let files = common::files(&events);
        files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    };
    let child = common::kills::start(home.path(), &words);
    common::events::wait_until("some epochs in the event file", || {
        events.exists() && size() > 2_000
    });
    common::kills::kill_all(child);
    ok(home.path(), &words);
    // As many points as the finished run has epochs, as those of the export afterwards.
    ok(home.path(), &["export", "tensorboard", "--out", "after"]);
    let (live, after) = (steps(&events), steps(&home.path().join("after")));
    assert_eq!(live, after);
    assert_eq!(live.len(), 1);
    let steps = live.values().next().unwrap();
    assert_eq!(
        steps.iter().filter(|step| **step > 0).count(),
        60 + 3,
        "epochs, scores, figure, end"
    );
}

/// The steps of the events of every file, by the run's folder.
fn steps(folder: &Path) -> BTreeMap<String, Vec<u64>> {
    let of = |bytes: &[u8]| {
        let (mut steps, mut at) = (vec![], 0);
        while at < bytes.len() {
            let n = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
            let event = &bytes[at + 12..at + 12 + n];
            // Behind the time (9 bytes) comes the step, if it is not the header.
            if event[9] == 0x10 {
                let (mut step, mut shift) = (0, 0);
                for byte in &event[10..] {
                    step |= u64::from(byte & 0x7F) << shift;
                    shift += 7;
                    if byte & 0x80 == 0 {
                        break;
                    }
                }
                steps.push(step);
            }
            at += 16 + n;
        }
        steps
    };
    let files = common::files(folder).into_iter();
    files.map(|(name, bytes)| (name.split('/').next().unwrap().to_owned(), of(&bytes))).collect()
}

#[test]
fn tables_have_a_row_for_every_run_epoch_and_prediction() {
    let home = with_runs();
    let words = ["export", "parquet", "--out", "tables", "--json"];
    let data = fits("export parquet", &stdout(&ok(home.path(), &words)));
    assert_eq!(data["n_runs"], 5);
    let files = common::files(&home.path().join("tables"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["epochs.parquet", "predictions.parquet", "runs.parquet"]);
    assert!(files.iter().all(|(_, bytes)| bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1")));
}

#[test]
fn a_server_that_is_away_or_is_no_mlflow_is_named() {
    let home = with_runs();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("http://127.0.0.1:{port}");
    let said = fails(home.path(), &["export", "mlflow", "--to", &nobody], 5);
    assert!(said.contains(&nobody) && said.contains("mlflow server --port 5000"), "{said}");
    let other = Server::start(|_| Reply::new(200, "<html>a page</html>"));
    let said = fails(home.path(), &["export", "mlflow", "--to", &other.url()], 5);
    assert!(said.contains("not JSON") && said.contains("MLflow server"), "{said}");
    let closed = Server::start(|_| Reply::new(401, "{\"message\": \"who are you?\"}"));
    let said = fails(home.path(), &["export", "mlflow", "--to", &closed.url()], 5);
    assert!(said.contains("who are you?") && said.contains("USER:PASSWORD"), "{said}");
}

/// What a fake server has been told.
#[test]
fn an_interrupted_export_is_completed_and_a_complete_one_is_left_alone() {
    let home = with_runs();
    let fake = peers::Fake::start();
    // The third run's metrics are refused.
    fake.refuse("runs/log-batch", 8);
    let words = ["export", "mlflow", "--to", &fake.url(), "--json"];
    let output = common::encore(home.path(), &words);
    assert_eq!(output.status.code(), Some(5));
    assert!(!fake.whole().is_empty() && fake.whole().len() < 5, "{:?}", fake.whole());
    let document = stdout(&ok(home.path(), &words));
    let data = fits("export mlflow", &document);
    let n = |name: &str| data[name].as_array().unwrap().len();
    assert_eq!(n("written") + n("there"), 5);
    assert!(n("there") > 0 && n("written") > 0);
    assert_eq!((fake.whole().len(), fake.n_runs()), (5, 5), "no run is there twice");
    let before = fake.n_asked("runs/create");
    let data = fits("export mlflow", &stdout_of(home.path(), &words));
    assert_eq!(data["written"], Value::Array(vec![]));
    assert_eq!(fake.n_asked("runs/create"), before, "nothing is made again");
}
