//! `encore serve-model`: the bits of `encore predict`, and limits.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use super::client::{Live, get, request};
use crate::common::{self, edit, ok, project, stdout, stdout_of};
use crate::json::fits;

fn post(live: &Live, body: &[u8]) -> (u16, Value) {
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n",
        live.address,
        body.len()
    );
    let reply = request(live, &[head.as_bytes(), body].concat());
    (reply.status, serde_json::from_str(&reply.text()).unwrap())
}

#[test]
fn recordings_that_are_posted_have_the_predictions_of_the_command() {
    let home = project();
    let spec = home.path().join("experiments/dnn.toml");
    edit(&spec, "epochs = ", "epochs = 2 # ");
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 4",
    );
    ok(home.path(), &["run", "dnn", "--seeds", "1"]);
    ok(home.path(), &["data", "export", "synth-genres", "wavs", "--tracks-per-genre", "1"]);
    let live =
        Live::start_with(home.path(), &["serve-model", "dnn", "--port", "0", "--max-body", "2"]);
    let files: Vec<_> = common::files(&home.path().join("wavs")).into_iter().take(4).collect();
    assert_eq!(files.len(), 4);
    for (name, bytes) in &files {
        let file = format!("wavs/{name}");
        let line = stdout_of(home.path(), &["predict", &file, "--with", "dnn", "--json"]);
        let mut wanted: Value = serde_json::from_str(&line).unwrap();
        wanted.as_object_mut().unwrap().remove("file");
        assert_eq!(post(&live, bytes), (200, wanted), "{name}");
    }
    // All at once: the same answers.
    let one = post(&live, &files[0].1);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..12).map(|_| scope.spawn(|| post(&live, &files[0].1))).collect();
        assert!(all.into_iter().all(|it| it.join().unwrap() == one));
    });
    let about: Value = serde_json::from_str(&get(&live, "/").text()).unwrap();
    assert_eq!(
        (&about["task"], about["classes"].as_array().unwrap().len()),
        (&json!("classes"), 10)
    );
    assert_eq!(get(&live, "/health").status, 200);
    assert_eq!(get(&live, "/predict").status, 405);
    // What is no recording, is too short, or too large.
    let (status, said) = post(&live, b"not a recording");
    assert_eq!(status, 422, "{said}");
    assert!(!said["error"].as_str().unwrap().contains("/tmp"), "{said}");
    assert_eq!(post(&live, &files[0].1[..20_000]).0, 422, "shorter than a segment");
    assert_eq!(post(&live, b"").0, 400);
    assert_eq!(post(&live, &vec![0; 3 << 20]).0, 413);
    let foreign = format!(
        "POST /predict HTTP/1.1\r\nHost: {}\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n",
        live.address
    );
    assert_eq!(request(&live, foreign.as_bytes()).status, 403);
    // A client that stops in the middle holds nobody up.
    let mut slow = TcpStream::connect(&live.address).unwrap();
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: {}\r\nContent-Length: 100000\r\n\r\nRIFF",
        live.address
    );
    slow.write_all(head.as_bytes()).unwrap();
    assert_eq!(post(&live, &files[0].1), one);
}

#[test]
fn rows_that_are_posted_have_the_predictions_of_the_command() {
    let home = project();
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1"]);
    let id = super::id_of(home.path(), "spotify-logistic");
    let names = [
        "danceability",
        "energy",
        "key",
        "loudness",
        "mode",
        "speechiness",
        "acousticness",
        "instrumentalness",
        "liveness",
        "valence",
        "tempo",
        "duration_ms",
        "time_signature",
        "popularity",
    ];
    let value = |i: usize, j: usize| match names[j] {
        "key" => (i % 12) as f64,
        "mode" => (i % 2) as f64,
        "time_signature" => 4.0,
        "duration_ms" => 180_000.0 + i as f64,
        "popularity" => 50.0,
        "tempo" => 90.5 + i as f64,
        "loudness" => -7.25 - i as f64,
        _ => 0.1 + ((i * 7 + j * 3) % 11) as f64 / 12.5,
    };
    let row = |i: usize| -> Vec<f64> { (0..names.len()).map(|j| value(i, j)).collect() };
    let rows: Vec<Vec<f64>> = (0..5).map(row).collect();
    let mut csv = names.join(",") + "\n";
    for row in &rows {
        csv += &(row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n");
    }
    fs::write(home.path().join("rows.csv"), &csv).unwrap();
    let said = stdout_of(home.path(), &["predict", "rows.csv", "--with", &id, "--json"]);
    let wanted: Vec<Value> = said
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("line");
            line
        })
        .collect();
    assert_eq!(wanted.len(), 5);
    // A run's folder that was copied into another project predicts the same.
    let other = project();
    let copied = other.path().join("reports/runs").join(&id);
    for (name, bytes) in common::files(&home.path().join("reports/runs").join(&id)) {
        let to = copied.join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    fs::remove_dir_all(other.path().join("experiments")).unwrap();
    fs::create_dir(other.path().join("experiments")).unwrap();
    for place in [home.path(), other.path()] {
        let live = Live::start_with(place, &["serve-model", &id, "--port", "0"]);
        let objects: Vec<Value> = (rows.iter())
            .map(|row| {
                names
                    .iter()
                    .zip(row)
                    .map(|(name, value)| ((*name).to_owned(), json!(value)))
                    .collect()
            })
            .map(Value::Object)
            .collect();
        let (status, answered) = post(&live, json!(objects).to_string().as_bytes());
        assert_eq!((status, &answered["predictions"]), (200, &json!(wanted)), "{answered}");
        assert_eq!(post(&live, csv.as_bytes()), (200, answered));
        let (status, said) = post(&live, b"[{\"tempo\": 1}]");
        assert_eq!(status, 422);
        assert!(said["error"].as_str().unwrap().contains("the rows"), "{said}");
        assert_eq!(post(&live, b"[1, 2]").0, 400);
    }
}

#[test]
fn more_requests_than_may_wait_are_refused_and_the_others_answered() {
    let home = project();
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1"]);
    let words = ["serve-model", "spotify-logistic", "--port", "0", "--jobs", "1", "--waiting", "0"];
    let live = Live::start_with(home.path(), &words);
    // A request whose body does not come keeps the only place.
    let mut first = TcpStream::connect(&live.address).unwrap();
    let head =
        format!("POST /predict HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\n[", live.address);
    first.write_all(head.as_bytes()).unwrap();
    common::events::wait_until("the place is taken", || get(&live, "/health").status == 503);
    let refused = get(&live, "/health");
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(first);
    common::events::wait_until("the place is free", || get(&live, "/health").status == 200);
}

#[test]
fn a_served_model_says_where_it_is_as_json_when_it_ends() {
    let home = project();
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let words = ["serve-model", "spotify-logistic", "--port", &port, "--json"];
    let mut command = common::command(home.path(), &words);
    let child = common::kills::start_group(command.stdout(std::process::Stdio::piped()));
    let address = format!("127.0.0.1:{port}");
    common::events::wait_until("the server", || TcpStream::connect(&address).is_ok());
    assert!(common::kills::signal_group(&child, "-INT"));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let data = fits("serve-model", &stdout(&output));
    assert_eq!(data["url"], format!("http://{address}/predict"));
    let said = common::fails(home.path(), &["serve-model", "spotify-logistc"], 3);
    assert!(said.contains("no finished run of spotify-logistc"), "{said}");
}
