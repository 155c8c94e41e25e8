//! An MLflow server that is ours, and the real readers of TensorBoard, MLflow and tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::with_runs;
use crate::common::server::{Reply, Request, Server};
use crate::common::{self, ok, record, repository, runs, stdout};
use crate::json::fits;

/// What the fake server knows: runs by their id, each with tags.
#[derive(Default)]
struct State {
    runs: BTreeMap<String, BTreeMap<String, String>>,
    n_made: usize,
    /// A request that is refused once, counted from 1.
    refuses: Option<(String, usize)>,
    n_asked: BTreeMap<String, usize>,
}

/// As much of MLflow's API as an export uses.
pub struct Fake {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let known = Arc::clone(&state);
        let server = Server::start(move |request| answer(&mut known.lock().unwrap(), request));
        Self { server, state }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Refuses the n-th request of a kind.
    pub fn refuse(&self, what: &str, nth: usize) {
        self.state.lock().unwrap().refuses = Some((what.to_owned(), nth));
    }

    pub fn n_asked(&self, what: &str) -> usize {
        self.state.lock().unwrap().n_asked.get(what).copied().unwrap_or(0)
    }

    pub fn n_runs(&self) -> usize {
        self.state.lock().unwrap().runs.len()
    }

    /// The runs with all that they should have.
    pub fn whole(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let whole = state.runs.values().filter(|tags| tags.contains_key("encore.seal"));
        whole.map(|tags| tags["encore.run_id"].clone()).collect()
    }
}

fn answer(state: &mut State, request: &Request) -> Reply {
    let path = request.path();
    let Some(what) = path.strip_prefix("/api/2.0/mlflow/") else {
        // A file.
        return Reply::new(200, "{}");
    };
    let count = state.n_asked.entry(what.to_owned()).or_default();
    *count += 1;
    if state.refuses.as_ref().is_some_and(|(refused, nth)| refused == what && nth == count) {
        return Reply::new(500, "{\"message\": \"the disk is full\"}");
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tags = |body: &Value| -> Vec<(String, String)> {
        let tags = body["tags"].as_array().into_iter().flatten();
        tags.map(|tag| (text(&tag["key"]), text(&tag["value"]))).collect()
    };
    let reply = match what {
        "experiments/get-by-name" => json!({"experiment": {"experiment_id": "1"}}),
        "runs/search" => {
            let filter = text(&body["filter"]);
            let wanted = filter.split('\'').nth(1).unwrap();
            let found = state.runs.iter().filter(|(_, tags)| tags["encore.run_id"] == wanted);
            let run = |(id, tags): (&String, &BTreeMap<String, String>)| {
                let tags = tags.iter().map(|(key, value)| json!({"key": key, "value": value}));
                json!({"info": {"run_id": id}, "data": {"tags": tags.collect::<Vec<_>>()}})
            };
            json!({ "runs": found.map(run).collect::<Vec<_>>() })
        }
        "runs/create" => {
            state.n_made += 1;
            let id = format!("r{}", state.n_made);
            state.runs.insert(id.clone(), tags(&body).into_iter().collect());
            json!({"run": {"info": {"run_id": id, "artifact_uri": format!("mlflow-artifacts:/1/{id}/artifacts")}}})
        }
        "runs/log-batch" => {
            let run = state.runs.get_mut(&text(&body["run_id"])).unwrap();
            run.extend(tags(&body));
            json!({})
        }
        "runs/delete" => {
            state.runs.remove(&text(&body["run_id"])).unwrap();
            json!({})
        }
        _ => json!({}),
    };
    Reply::new(200, reply.to_string())
}

/// The Python of an environment with the peers.
fn python() -> PathBuf {
    let named = std::env::var_os("ENCORE_PEERS");
    let named = named.expect("ENCORE_PEERS names the Python of tests/peers/setup.sh");
    PathBuf::from(named)
}

/// What a script prints as JSON.
fn script(name: &str, argument: &str) -> Value {
    let file = repository().join("tests/peers").join(name);
    let output = Command::new(python()).arg(file).arg(argument).output().unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The finished runs by their ids.
fn records(home: &Path) -> BTreeMap<String, PathBuf> {
    let id = |run: &PathBuf| run.file_name().unwrap().to_string_lossy().into_owned();
    runs(home).into_iter().map(|run| (id(&run), run)).collect()
}

fn epochs(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("epochs.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
#[ignore = "needs TensorBoard: ENCORE_PEERS names the Python of tests/peers/setup.sh"]
fn tensorboard_s_own_reader_gets_every_point_back() {
    let home = with_runs();
    ok(home.path(), &["export", "tensorboard", "--out", "events"]);
    let found = script("tensorboard_reads.py", &home.path().join("events").to_string_lossy());
    let records = records(home.path());
    assert_eq!(found.as_object().unwrap().len(), records.len());
    let mut n_points = 0;
    for (id, run) in &records {
        let scalars = &found[id]["scalars"];
        let record = record(run);
        for (i, epoch) in epochs(run).iter().enumerate() {
            for name in
                ["train_loss", "train_accuracy", "valid_loss", "valid_accuracy", "learning_rate"]
            {
                let point = &scalars[name][i];
                assert_eq!(point[0], epoch["epoch"], "{id}: {name}");
                let wanted = epoch[name].as_f64().unwrap() as f32;
                assert_eq!(point[1].as_f64().unwrap() as f32, wanted, "{id}: {name}");
                n_points += 1;
            }
        }
        let accuracy = record["test"]["accuracy"].as_f64().unwrap();
        assert_eq!(scalars["test/accuracy"][0][1].as_f64().unwrap() as f32, accuracy as f32);
        assert!(found[id]["images"]["confusion"][0][2].as_u64() > Some(1_000));
        let hparams = &found[id]["hparams"];
        assert_eq!(
            (&hparams["seed"], &hparams["status"]),
            (&record["seed"].as_f64().into(), &1.into())
        );
        if id.starts_with("spotify-dense") {
            assert_eq!(hparams["training.epochs"], 5.0);
            assert_eq!(hparams["training.optimizer.rmsprop.learning_rate"], 0.001);
        }
    }
    assert_eq!(n_points, 3 * 5 * 5);
}

/// A real MLflow server, on a free port, with its files in a folder of its own.
struct Mlflow {
    child: Child,
    url: String,
}

impl Mlflow {
    fn start(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(python());
        command
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--port"])
            .arg(port.to_string())
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.join("runs.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("files"))
            .current_dir(folder)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log));
        let child = common::kills::start_group(&mut command);
        let url = format!("http://127.0.0.1:{port}");
        let agent = ureq::get(&format!("{url}/health"));
        common::events::wait_until("the MLflow server", || agent.clone().call().is_ok());
        Self { child, url }
    }
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        common::kills::signal_group(&self.child, "-9");
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "needs MLflow 3: ENCORE_PEERS names the Python of tests/peers/setup.sh"]
fn a_real_mlflow_server_has_every_run_and_exporting_twice_changes_nothing() {
    let home = with_runs();
    let id = records(home.path()).into_keys().next().unwrap();
    ok(home.path(), &["runs", "tag", &id, "--add", "best"]);
    ok(home.path(), &["runs", "note", &id, "--text", "a note"]);
    let folder = tempfile::tempdir().unwrap();
    let server = Mlflow::start(folder.path());
    let words = ["export", "mlflow", "--to", &server.url, "--json"];
    let data = fits("export mlflow", &stdout(&ok(home.path(), &words)));
    assert_eq!(data["without_files"], json!([]));
    let found = script("mlflow_reads.py", &server.url);
    let records = records(home.path());
    let all = |name: &str| found[name].as_array().unwrap().clone();
    assert_eq!((all("spotify-dense").len(), all("spotify-logistic").len()), (3, 2));
    for run in all("spotify-dense").iter().chain(&all("spotify-logistic")) {
        let id = run["tags"]["encore.run_id"].as_str().unwrap();
        let (folder, record) = (&records[id], record(&records[id]));
        assert_eq!(run["status"], "FINISHED");
        assert_eq!(run["params"]["seed"], record["seed"].to_string());
        let history = &run["history"];
        let epochs = epochs(folder);
        for name in ["train_loss", "valid_accuracy"] {
            let points = history[name].as_array().cloned().unwrap_or_default();
            let got: Vec<(Value, Value)> =
                points.iter().map(|point| (point[0].clone(), point[1].clone())).collect();
            let wanted: Vec<(Value, Value)> =
                epochs.iter().map(|epoch| (epoch["epoch"].clone(), epoch[name].clone())).collect();
            assert_eq!(got, wanted, "{id}: {name}");
        }
        assert_eq!(history["test/accuracy"][0][1], record["test"]["accuracy"]);
        let files: BTreeMap<&str, u64> = (run["files"].as_array().unwrap().iter())
            .map(|file| (file[0].as_str().unwrap(), file[1].as_u64().unwrap()))
            .collect();
        for name in record["files"].as_object().unwrap().keys() {
            let size = std::fs::metadata(folder.join(name)).unwrap().len();
            assert_eq!(files.get(name.as_str()), Some(&size), "{id}: {name}");
        }
        assert!(files.contains_key("record.json") && files["confusion.png"] > 1_000);
    }
    let tagged = |run: &Value| {
        run["tags"]["tag.best"] == "true" && run["tags"]["mlflow.note.content"] == "a note"
    };
    assert!(all("spotify-dense").iter().any(tagged));
    let again = fits("export mlflow", &stdout(&ok(home.path(), &words)));
    assert_eq!(again["written"], json!([]));
    assert_eq!(script("mlflow_reads.py", &server.url), found);
}

/// The Python blocks of docs/exports.md, each with the import that it needs.
#[test]
#[ignore = "needs pandas, polars and DuckDB: ENCORE_PEERS names the Python of tests/peers/setup.sh"]
fn the_lines_of_the_documentation_work() {
    let home = with_runs();
    ok(home.path(), &["export", "parquet", "--out", "tables"]);
    let text = std::fs::read_to_string(repository().join("docs/exports.md")).unwrap();
    let (mut n_run, mut left_out) = (0, vec![]);
    for block in text.split("```python\n").skip(1) {
        let code = block.split("\n```").next().unwrap();
        let module = code.lines().find_map(|line| line.strip_prefix("import ")).unwrap();
        let module = module.split([' ', ',']).next().unwrap();
        let has =
            Command::new(python()).args(["-c", &format!("import {module}")]).output().unwrap();
        if !has.status.success() {
            left_out.push(module.to_owned());
            continue;
        }
        let ran =
            Command::new(python()).args(["-c", code]).current_dir(home.path()).output().unwrap();
        assert!(ran.status.success(), "{code}\n{}", common::stderr(&ran));
        assert!(!stdout(&ran).is_empty(), "{code} prints something");
        n_run += 1;
    }
    println!("not installed, so not tested: {left_out:?}");
    assert!(n_run >= 3, "only {n_run} blocks ran; not installed: {left_out:?}");
}
