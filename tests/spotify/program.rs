//! The program as a user sees it: output, exit codes, files, and no secret in any of them.

use std::fs;
use std::process::{Command, Output as Ended, Stdio};
use std::sync::mpsc;

use super::*;
use crate::common;
use crate::common::server::{Reply, Request};
use crate::json::fits;
use api::refusal;

/// Creates a project, a folder for the user's configuration, and an app's credentials in it.
struct Home {
    project: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { project: common::project() };
        fs::create_dir_all(home.path("config/encore")).unwrap();
        api::write_private(&home.path("config/encore/spotify.env"), api::CREDENTIALS);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    fn encore(&self, arguments: &[&str]) -> Command {
        let mut command = common::command(self.project.path(), arguments);
        command.env_remove("RSPOTIFY_CLIENT_ID").env_remove("RSPOTIFY_CLIENT_SECRET");
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    fn collect(&self, api: &Api, more: &[&str]) -> Command {
        let mut command = self.encore(&["spotify", "collect", PLAYLIST, "--out", "mine.parquet"]);
        command.args(["--api-url", &format!("{}/v1", api.url()), "--auth-url", &api.url()]);
        command.args(["--features-url", &api.url()]).args(more);
        command
    }
}

fn said(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr)
}

#[test]
fn nothing_is_asked_before_the_terms_are_accepted() {
    let api = Api::new(small());
    let home = Home::new();
    for ended in [
        home.collect(&api, &[]).output().unwrap(),
        home.encore(&["spotify", "login", "--auth-url", &api.url()]).output().unwrap(),
    ] {
        assert_eq!(ended.status.code(), Some(2));
        let said = said(&ended);
        assert!(
            said.contains("Do not use the Spotify Platform or any Spotify Content to train"),
            "{said}"
        );
        assert!(
            said.contains("error: no request was sent to Spotify\nhint: confirm with"),
            "{said}"
        );
    }
    assert_eq!(api.asked().len(), 0);
    assert!(!home.path("mine.journal.jsonl").exists());
}

#[test]
fn a_playlist_becomes_a_dataset_that_runs_at_once_and_no_secret_is_anywhere() {
    let api = Api::with(small(), |what, nth, _| {
        (what == "items" && nth == 1).then(|| refusal(401, "The access token expired"))
    });
    let home = Home::new();
    let ended = home.collect(&api, &["--accept-terms"]).output().unwrap();
    let told = said(&ended);
    assert!(ended.status.success(), "{told}");
    for part in [
        "mine: 349 songs of 400 places of \"Mixed \"bag\"\"",
        "  dropped:     4 is a local file: file 13, file 110, file 207, …",
        "  dropped:     8 was removed from Spotify: place 16, place 17, place 113, …",
        "genres that 100 or more have in first place:",
        "next: encore run spotify-logistic --data mine",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert_eq!(
        fs::read_to_string(home.path("mine.csv")).unwrap(),
        api.world.expected(From::Spotify).0
    );
    assert!(fs::read(home.path("mine.parquet")).unwrap().starts_with(b"PAR1"));
    let ran = home
        .encore(&["run", "spotify-logistic", "--data", "mine", "--seeds", "1"])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", said(&ran));
    let checked = home.encore(&["data", "check", "mine"]).output().unwrap();
    assert!(said(&checked).contains("mine has not changed"), "{}", said(&checked));
    let described = said(&home.encore(&["data", "describe", "mine"]).output().unwrap());
    assert!(
        described.contains("Spotify playlist Mixed") && described.contains("artist"),
        "{described}"
    );
    // Both files are the same dataset.
    let import = |file: &str| {
        let imported = home.encore(&["data", "import", "mine", file]).output().unwrap();
        assert!(imported.status.success(), "{}", said(&imported));
        said(&imported).replace(file, "FILE")
    };
    let of_csv = import("mine.csv");
    assert!(of_csv.contains("valid rows in "), "{of_csv}");
    assert_eq!(of_csv, import("mine.parquet"));
    // Once more over what is there: the same bytes, from the journal.
    let before = fs::read(home.path("datasets/mine.toml")).unwrap();
    let n_items = api.n_asked("items");
    assert!(home.collect(&api, &["--accept-terms"]).output().unwrap().status.success());
    assert_eq!(
        (fs::read(home.path("datasets/mine.toml")).unwrap(), api.n_asked("items")),
        (before, n_items)
    );
    let mut all = vec![told, said(&ran), described];
    texts(home.project.path(), &mut all);
    for secret in [api::SECRET, "hush", "the-id-of-the-app"] {
        for text in &all {
            assert!(!text.contains(secret), "{secret} is in {text:.300}");
        }
    }
}

/// Returns the contents of all files of a folder, except the user's credentials and programs.
fn texts(folder: &Path, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, all);
        } else if path.file_name().unwrap() != "spotify.env" {
            all.push(String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
        }
    }
}

#[test]
fn messages_and_codes_of_what_can_t_end_well_name_no_secret() {
    type Fault = fn(&'static str, usize, &Request) -> Option<Reply>;
    let faults: [(Fault, i32, &str); 5] = [
        (
            |what, _, _| (what == "token").then(|| refusal(400, "invalid_client")),
            2,
            "status 400 invalid_client",
        ),
        (|what, _, _| (what == "items").then(|| refusal(403, "Forbidden")), 3, "closed to the app"),
        (|what, _, _| (what == "playlist").then(|| refusal(404, "no")), 3, "there is no playlist"),
        (
            |what, _, _| (what == "artists").then(|| Reply::new(200, "[]")),
            3,
            "must be an object, found []",
        ),
        (
            |what, _, _| (what == "items").then(|| refusal(429, "").with("Retry-After", 86_400)),
            5,
            "asked to retry at",
        ),
    ];
    for (fault, code, words) in faults {
        let api = Api::with(small(), fault);
        let home = Home::new();
        let ended = home.collect(&api, &["--accept-terms"]).output().unwrap();
        let told = said(&ended);
        assert_eq!(ended.status.code(), Some(code), "{told}");
        assert!(told.contains(words) && !told.contains("panicked"), "{told}");
        assert!(!told.contains("hush") && !home.path("mine.csv").exists(), "{told}");
        if code == 5 {
            assert!(!told.contains("error:"), "{told}");
            let n = api.asked().len();
            let again = home.collect(&api, &["--accept-terms"]).output().unwrap();
            assert_eq!((again.status.code(), api.asked().len()), (Some(5), n));
        }
    }
}

#[cfg(unix)]
#[test]
fn credentials_that_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;

    let api = Api::new(small());
    let home = Home::new();
    let file = home.path("config/encore/spotify.env");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = home.collect(&api, &["--accept-terms"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let told = said(&ended);
    assert!(told.contains("found mode 0644\nhint: chmod 600 ") && !told.contains("hush"), "{told}");
    assert_eq!(api.asked().len(), 0);
}

#[test]
fn addresses_that_would_send_secrets_in_the_clear_are_refused() {
    let home = Home::new();
    let ended = home
        .encore(&[
            "spotify",
            "collect",
            PLAYLIST,
            "--out",
            "x.csv",
            "--api-url",
            "http://example.org/v1",
        ])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        said(&ended).contains("must begin with https:// or http://127.0.0.1"),
        "{}",
        said(&ended)
    );
}

#[test]
fn what_is_no_playlist_and_no_credentials_are_said_before_anything_is_asked() {
    let home = Home::new();
    fs::remove_file(home.path("config/encore/spotify.env")).unwrap();
    let run = |arguments: &[&str]| {
        let ended = home.encore(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        said(&ended)
    };
    let told = run(&["spotify", "collect", "spotify:album:x", "--out", "x.csv", "--accept-terms"]);
    assert!(
        told.contains("is an album, not a playlist\nhint: in Spotify, add its songs"),
        "{told}"
    );
    let told = run(&["spotify", "collect", PLAYLIST, "--out", "x.csv", "--accept-terms"]);
    assert!(told.contains("no credentials of a Spotify app"), "{told}");
    let told =
        run(&["spotify", "collect", PLAYLIST, "--out", "spotify-songs.csv", "--accept-terms"]);
    assert!(told.contains("another dataset's manifest"), "{told}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_the_next_start_goes_on() {
    let (here, reached) = mpsc::channel();
    let here = std::sync::Mutex::new(here);
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let api = Api::with(small(), move |what, nth, _| {
        if what == "items" && nth == 4 {
            here.lock().unwrap().send(()).unwrap();
            gone.lock().unwrap().recv().unwrap();
        }
        None
    });
    let home = Home::new();
    let mut command = home.collect(&api, &["--accept-terms"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    reached.recv().unwrap();
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    go.send(()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", said(&ended));
    assert!(said(&ended).contains("stopped; all responses are saved"), "{}", said(&ended));
    let ended = home.collect(&api, &["--accept-terms"]).output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert_eq!(api.n_asked("items"), 8);
    assert_eq!(
        fs::read_to_string(home.path("mine.csv")).unwrap(),
        api.world.expected(From::Spotify).0
    );
}

#[test]
fn a_login_by_pasting_is_used_by_the_next_collection() {
    use std::io::{BufRead, BufReader, Read, Write};

    let api = Api::new(small());
    let home = Home::new();
    let login = |more: &[&str]| {
        let arguments = ["spotify", "login", "--accept-terms", "--paste", "--auth-url", &api.url()];
        let mut command = home.encore(&arguments);
        command.args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.find(|line| line.contains("/authorize?")).unwrap();
        let state = url.split(['?', '&']).find_map(|pair| pair.strip_prefix("state=")).unwrap();
        let address = format!("http://127.0.0.1:8888/callback?code=c&state={state}\n");
        child.stdin.take().unwrap().write_all(address.as_bytes()).unwrap();
        let told: Vec<String> = lines.collect();
        let mut said_last = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said_last).unwrap();
        assert!(child.wait().unwrap().success(), "{told:?}");
        said_last
    };
    let said_last = login(&[]);
    assert!(said_last.contains("signed in; the token is stored in "), "{said_last}");
    let n_tokens = api.n_asked("token");
    let token = fits("spotify login", &login(&["--json"]))["token"].as_str().unwrap().to_owned();
    assert!(token.ends_with("spotify-token.json"), "{token}");
    assert!(home.path("config/encore/spotify-token.json").exists());
    let ended = home.collect(&api, &["--accept-terms", "--json"]).output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert_eq!(api.n_asked("token"), 2 * n_tokens, "no token of the app was asked for");
    assert_eq!(n_tokens, 1);
    let collected = fits("spotify collect", &String::from_utf8_lossy(&ended.stdout));
    assert_eq!(collected["n_songs"], 349);
}

/// Without locks that exclude others, each process keeps its own journal, and none damages another's.
#[cfg(target_os = "linux")]
#[test]
fn without_locks_two_collections_at_once_both_succeed_and_leave_one_whole_journal() {
    use crate::common::preload::{Locks, library};
    for locks in [Locks::Fail, Locks::Succeed] {
        let tools = tempfile::tempdir().unwrap();
        let library = library(tools.path(), locks);
        // Neither process gets the second page before both have asked for it.
        let both = Arc::new(std::sync::Barrier::new(2));
        let api = Api::with(small(), move |what, nth, _| {
            if what == "items" && (nth == 1 || nth == 2) {
                both.wait();
            }
            None
        });
        let home = Home::new();
        let start = || {
            let mut command = home.collect(&api, &["--accept-terms"]);
            command.env("LD_PRELOAD", &library).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let children = [start(), start()];
        let mut told = String::new();
        for child in children {
            let ended = child.wait_with_output().unwrap();
            told += &said(&ended);
            assert!(ended.status.success(), "{told}");
        }
        assert_eq!(told.contains("has no locks ("), locks == Locks::Fail, "{told}");
        let table = fs::read_to_string(home.path("mine.csv")).unwrap();
        assert_eq!(table, api.world.expected(From::Spotify).0);
        let names = fs::read_dir(home.project.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        let journals: Vec<String> = names.filter(|name| name.contains("journal")).collect();
        assert_eq!(journals, ["mine.journal.jsonl"]);
        // The journal is whole: nothing is asked again.
        let n_items = api.n_asked("items");
        assert!(home.collect(&api, &["--accept-terms"]).status().unwrap().success());
        assert_eq!(api.n_asked("items"), n_items);
    }
}
