//! `encore serve`: pages, live events, changes, hostile requests, and a real browser.

mod browser;
mod client;
mod model;

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use crate::common::{self, edit, encore, ok, project, runs, stdout_of};
use crate::json::fits;
use client::{Live, get, post, request};

/// A project with two experiments that take a second, each with finished runs.
fn with_runs() -> tempfile::TempDir {
    let home = project();
    let spec = home.path().join("experiments/spotify-dense.toml");
    edit(&spec, "epochs = 100", "epochs = 4");
    ok(home.path(), &["run", "spotify-dense", "spotify-logistic", "--seeds", "1,2"]);
    home
}

fn id_of(home: &std::path::Path, start: &str) -> String {
    let names =
        runs(home).into_iter().map(|run| run.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(start)).min().unwrap()
}

#[test]
fn pages_show_runs_curves_comparisons_claims_data_and_the_report() {
    let home = with_runs();
    let live = Live::start(home.path(), &[]);
    let page = |path: &str| {
        let reply = get(&live, path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        reply.text()
    };
    let table = page("/?where=experiment+%3D+%22spotify-dense%22&columns=id,seed&sort=-seed");
    let id = id_of(home.path(), "spotify-dense.synth-songs.seed-1");
    assert!(table.contains("2 runs.") && table.contains(&format!("href=\"/run/{id}\"")), "{table}");
    assert!(
        page("/?group=experiment")
            .contains("experiment = spotify-logistic <small>2 runs; accuracy: mean")
    );
    assert!(page("/?where=nonsense").contains("role=\"alert\""));
    let run = page(&format!("/run/{id}"));
    assert!(run.contains("accuracy over the epochs") && run.contains("Confusion matrix"));
    let curves =
        page("/curves?run=spotify-dense&metric=valid_loss&by=seconds&scale=log&smooth=0.5");
    assert!(curves.contains("<svg class=\"plot\"") && curves.contains("(2 runs, last"), "{curves}");
    assert!(page("/curves?run=spotify-logistic").contains("not trained over epochs"));
    let compared = page("/compare?run=spotify-dense&run=spotify-logistic");
    let said = stdout_of(home.path(), &["compare", "spotify-dense", "spotify-logistic"]);
    let first = said.lines().find(|line| line.starts_with("per ")).unwrap();
    assert!(compared.contains(first), "the page says what the command says: {first}");
    assert!(compared.contains("percent points of the row"));
    assert!(page("/claims").contains("report, dense net"));
    assert!(page("/sweeps").contains("encore sweep"));
    assert!(page("/data").contains("href=\"/data/synth-songs\""));
    assert!(page("/data/synth-songs").contains("data:image/svg+xml"));
    ok(home.path(), &["report"]);
    let written = fs::read_to_string(home.path().join("reports/index.html")).unwrap();
    assert_eq!(page("/report"), written, "the report is that of `encore report`");
    assert!(page(&format!("/run/{id}/wrong")).contains("Here are those whose wrong class"));
    let record = get(&live, &format!("/run/{id}/record.json"));
    let file = home.path().join("reports/runs").join(&id).join("record.json");
    assert_eq!(record.body, fs::read(file).unwrap());
}

#[test]
fn recordings_are_heard_and_seen() {
    let home = project();
    let live = Live::start(home.path(), &[]);
    let there = "/data/synth-genres";
    let page = get(&live, &format!("{there}?track=jazz.00001")).text();
    assert!(page.contains("<audio controls"), "{page}");
    let sound = get(&live, &format!("{there}/sound?track=jazz.00001&start=1&seconds=0.5"));
    assert_eq!(sound.header("content-type"), Some("audio/wav"));
    assert_eq!(sound.body.len(), 44 + 2 * 11_025);
    let picture = get(&live, &format!("{there}/mel?track=jazz.00001&start=1&seconds=3")).text();
    assert!(picture.starts_with("<svg") && picture.contains("mel"), "{picture}");
    for (path, status) in [
        ("/sound?track=no-such", 404),
        ("/sound?track=jazz.00001&start=minus", 400),
        ("/mel?track=jazz.00001&start=1000", 400),
    ] {
        assert_eq!(get(&live, &format!("{there}{path}")).status, status, "{path}");
    }
}

#[test]
fn tags_and_notes_are_written_with_the_page_s_token_alone() {
    let home = with_runs();
    let live = Live::start(home.path(), &[]);
    let id = id_of(home.path(), "spotify-logistic");
    let there = format!("/run/{id}/notes");
    let page = get(&live, &format!("/run/{id}")).text();
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(token.len(), 32);
    let form = |token: &str| format!("token={token}&tags=best%2C+paper&note=a+%3Cb%3E");
    assert_eq!(post(&live, &there, &form("0"), &[]).status, 400);
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(post(&live, &there, &form(token), &foreign).status, 403);
    assert!(!home.path().join(format!("reports/runs/{id}/notes.json")).exists());
    let written = post(&live, &there, &form(token), &[]);
    assert_eq!((written.status, written.header("location")), (303, Some(&*format!("/run/{id}"))));
    let found = stdout_of(
        home.path(),
        &["runs", "--where", "tags contains \"best\"", "--columns", "id,note"],
    );
    assert!(found.contains(&id) && found.contains("a <b>"), "{found}");
    assert!(get(&live, &format!("/run/{id}")).text().contains("a &lt;b&gt;"));
    assert!(get(&live, "/?where=tags+contains+%22paper%22").text().contains("1 run."));
    assert_eq!(post(&live, "/run/none/notes", &form(token), &[]).status, 404);
}

#[test]
fn hostile_requests_are_refused_and_the_server_goes_on() {
    let home = with_runs();
    fs::write(home.path().join("reports/runs/secret"), "hidden").unwrap();
    let live = Live::start(home.path(), &[]);
    let before = common::files(&home.path().join("reports/runs"));
    // Paths that lead elsewhere.
    for path in [
        "/../../../../etc/passwd",
        "/run/../record.json",
        "/run/..%2F..%2F..%2Fetc%2Fpasswd/record.json",
        "/run/%2e%2e/record.json",
        "/run/secret/record.json",
        "/run/x%00y/record.json",
        "/data/..%2F..%2Fetc/sound",
        "/style.css/..",
    ] {
        let reply = get(&live, path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        assert!(!reply.text().contains("root:") && !reply.text().contains("hidden"), "{path}");
    }
    let id = id_of(home.path(), "spotify-logistic");
    for file in ["notes.json", "model", "..%2F..%2Fencore.toml", "archived"] {
        assert_eq!(get(&live, &format!("/run/{id}/{file}")).status, 404, "{file}");
    }
    // Other sites, and names of other sites that lead here.
    let asked = |head: &str| request(&live, format!("{head}\r\n\r\n").as_bytes()).status;
    assert_eq!(asked("GET / HTTP/1.1\r\nHost: evil.example"), 403);
    assert_eq!(asked(&format!("GET / HTTP/1.1\r\nHost: evil.example:{}", live.port())), 403);
    let host = format!("Host: {}", live.address);
    assert_eq!(asked(&format!("GET / HTTP/1.1\r\n{host}\r\nOrigin: null")), 403);
    assert_eq!(
        asked(&format!("GET /events HTTP/1.1\r\n{host}\r\nSec-Fetch-Site: cross-site")),
        403
    );
    assert_eq!(asked(&format!("DELETE /run/{id} HTTP/1.1\r\n{host}")), 400);
    assert_eq!(asked(&format!("POST / HTTP/1.1\r\n{host}\r\nContent-Length: 0")), 404);
    // A body that is too large, said or unsaid.
    assert_eq!(
        asked(&format!("POST /run/{id}/notes HTTP/1.1\r\n{host}\r\nContent-Length: 99999999")),
        413
    );
    let mut chunks =
        format!("POST /run/{id}/notes HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    for _ in 0..40 {
        chunks.extend(b"10000\r\n");
        chunks.extend(vec![b'a'; 0x10000]);
        chunks.extend(b"\r\n");
    }
    assert_eq!(request(&live, &chunks).status, 413);
    assert_eq!(asked(&format!("GET /?{} HTTP/1.1\r\n{host}", "a".repeat(100_000))), 414);
    assert_eq!(request(&live, b"\x16\x03\x01nonsense\r\n\r\n").status, 400);
    // Clients that say half a request, and nothing more.
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&live.address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
            stream
        })
        .collect();
    // Many at once.
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..200).map(|_| scope.spawn(|| get(&live, "/").status)).collect();
        assert!(all.into_iter().all(|one| one.join().unwrap() == 200));
    });
    drop(slow);
    assert_eq!(get(&live, "/claims").status, 200);
    assert_eq!(common::files(&home.path().join("reports/runs")), before, "nothing was written");
}

#[test]
fn other_computers_need_the_token() {
    let home = project();
    let live = Live::start(home.path(), &["--host", "0.0.0.0"]);
    assert_eq!(get(&live, "/").status, 403);
    assert_eq!(get(&live, "/style.css").status, 403);
    let token = live.url.split("?token=").nth(1).unwrap().to_owned();
    let welcome = get(&live, &format!("/?token={token}"));
    let cookie = welcome.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", live.address);
    assert_eq!(request(&live, head.as_bytes()).status, 200);
    assert_eq!(get(&live, &format!("/?token={token}0")).status, 403);
}

#[test]
fn a_run_is_seen_epoch_by_epoch_and_does_not_need_the_server() {
    let home = project();
    let spec = home.path().join("experiments/spotify-dense.toml");
    edit(&spec, "epochs = 100", "epochs = 40");
    let live = Live::start(home.path(), &[]);
    let run = common::command(home.path(), &["run", "spotify-dense", "--seeds", "1"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let epochs = live.events(|told| {
        let epochs = told["epochs"].as_object().unwrap();
        epochs
            .iter()
            .find(|(_, n)| n.as_u64() > Some(1))
            .map(|(id, n)| (id.clone(), n.as_u64().unwrap()))
    });
    let (id, n) = epochs;
    assert!(n < 40 && id.starts_with("spotify-dense.synth-songs.seed-1."), "{id}: {n}");
    let page = get(&live, &format!("/run/{id}")).text();
    // It may have ended meanwhile, on a fast machine.
    assert!(page.contains("It is going on.") || page.contains("Confusion matrix"), "{page}");
    let watched = stdout_of(home.path(), &["watch", "--once"]);
    assert!(watched.contains("spotify-dense"), "{watched}");
    // The server dies and comes back.
    live.kill();
    let again = Live::start(home.path(), &[]);
    let mut run = run;
    assert!(run.wait().unwrap().success());
    again.events(|told| told["epochs"].as_object().unwrap().is_empty().then_some(()));
    let page = get(&again, &format!("/run/{id}")).text();
    assert!(page.contains("Confusion matrix") && page.contains("All epochs in numbers"));
    let repeated = encore(home.path(), &["verify", &id]);
    assert!(repeated.status.success(), "a run that was watched has the bits of one that was not");
}

#[test]
fn what_can_t_be_served_is_said_at_once() {
    let home = project();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = common::fails(home.path(), &["serve", "--port", &port], 2);
    assert!(said.contains("another program uses it") && said.contains("--port"), "{said}");
    let said = common::fails(home.path(), &["serve", "--host", "203.0.113.7"], 2);
    assert!(said.contains("--host takes an address of this computer"), "{said}");
}

#[test]
fn ctrl_c_ends_the_server_with_its_address_as_json() {
    let home = project();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let mut command = common::command(home.path(), &["serve", "--port", &port, "--json"]);
    let child = common::kills::start_group(command.stdout(std::process::Stdio::piped()));
    let address = format!("127.0.0.1:{port}");
    common::events::wait_until("the server", || TcpStream::connect(&address).is_ok());
    assert!(common::kills::signal_group(&child, "-TERM"));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let data = fits("serve", &common::stdout(&output));
    assert_eq!(data["url"], format!("http://{address}/"));
}
