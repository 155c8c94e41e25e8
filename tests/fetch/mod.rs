//! Fetching from servers that fail: the result is either the right bytes, or a clear message and
//! nothing that looks complete.

mod faults;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
use crate::common::preload;
#[cfg(unix)]
mod program;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::downloads::{serve, tar_gz};
use crate::common::events::wait_until;
use crate::common::server::{Reply, Request, Server};
use crate::common::{self, random};
use encore::fetch::{
    Algorithm, Event, FetchContext, FetchError, Fetched, Packing, Remote, RetryPolicy,
};
use encore::fetch::{Sum, Work};

/// Bytes that cannot be compressed.
fn noise(n: usize, seed: u64) -> Vec<u8> {
    (0..n as u64).map(|i| random(seed * 1_000_003 + i) as u8).collect()
}

fn sha256(bytes: &[u8]) -> Sum {
    Sum { algorithm: Algorithm::Sha256, hex: encore::vocab::sha256_hex(bytes) }
}

/// Declares a file with its mirrors, length and checksum.
fn remote(file: &str, urls: &[String], bytes: &[u8]) -> Remote {
    Remote {
        file: file.to_owned(),
        urls: urls.to_vec(),
        bytes: Some(bytes.len() as u64),
        sum: Some(sha256(bytes)),
        unpack: None,
        unpacked_bytes: None,
    }
}

/// A download folder, and the notes of the fetch.
struct Place {
    home: tempfile::TempDir,
    notes: Mutex<Vec<String>>,
    stop: AtomicBool,
    free: u64,
    n_tries: u32,
}

impl Place {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            notes: Mutex::new(vec![]),
            stop: AtomicBool::new(false),
            free: 1 << 40,
            n_tries: 3,
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join("data.fetching").join(name)
    }

    fn notes(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }

    fn fetch(&self, remotes: &[Remote]) -> Result<Fetched, FetchError> {
        self.fetch_and(remotes, &|_| {})
    }

    /// Fetches as the program does, and records its notes.
    fn fetch_and(&self, remotes: &[Remote], look: &dyn Fn(Event)) -> Result<Fetched, FetchError> {
        let tell = |event: Event| {
            if let Event::Note(text) = event {
                self.notes.lock().unwrap().push(text.to_owned());
            }
            look(event);
        };
        let free = |_: &Path| -> io::Result<u64> { Ok(self.free) };
        let setting = FetchContext {
            stop: &self.stop,
            tell: &tell,
            patience: RetryPolicy {
                connect: Duration::from_secs(5),
                read: Duration::from_millis(400),
                n_tries: self.n_tries,
                pause: Duration::from_millis(1),
                max_pause: Duration::from_millis(50),
            },
            free: &free,
        };
        let work = Work::begin(&self.folder(), &setting)?;
        let fetched = work.fetch(remotes, &setting)?;
        work.end()?;
        Ok(fetched)
    }

    /// Lists the files of the folder except its index, and checks that nothing else is left.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        assert!(!self.beside("").exists(), "something is left beside");
        files(&self.folder())
    }
}

/// Lists all files below a folder except `fetched.json`, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = common::files(folder);
    files.retain(|(name, _)| !name.ends_with("fetched.json"));
    files
}

/// Returns an address that nobody listens on.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/a", listener.local_addr().unwrap())
}

/// Returns the targets that a server was asked for, with the ranges.
fn asked(server: &Server) -> Vec<(String, Option<String>)> {
    let one = |request: Request| {
        let range = request.header("range").map(str::to_owned);
        (request.target, range)
    };
    server.asked().into_iter().map(one).collect()
}

#[test]
fn archives_and_files_become_one_folder_and_are_not_asked_for_again() {
    let archive = tar_gz(&[("genres/a.au", noise(9_000, 1)), ("genres/._a.au", vec![1; 10])]);
    let table = noise(500, 2);
    let (one, two) = (archive.clone(), table.clone());
    let server = Server::start(move |request| match request.path() {
        "/moved" => Reply::new(302, "").with("Location", "/a.tar.gz"),
        "/a.tar.gz" => serve(request, &one, "\"1\""),
        _ => serve(request, &two, "\"2\""),
    });
    let url = |path: &str| vec![format!("{}{path}", server.url())];
    let mut packed = remote("a.tar.gz", &url("/moved"), &archive);
    packed.unpack = Some(Packing::TarGz);
    let mut plain = remote("b.csv", &url("/b.csv"), &table);
    (plain.sum, plain.bytes) = (None, None);
    let remotes = [packed, plain];
    let place = Place::new();
    let fetched = place.fetch(&remotes).unwrap();
    let wanted = [("b.csv".to_owned(), table.clone()), ("genres/a.au".to_owned(), noise(9_000, 1))];
    assert_eq!(place.files(), wanted);
    let unpacked = fetched.files[0].unpacked.as_ref().unwrap();
    assert_eq!((unpacked.n_files, unpacked.bytes, unpacked.n_dropped), (1, 9_000, 1));
    assert_eq!(fetched.files[0].sum, sha256(&archive).to_string());
    assert_eq!(fetched.files[0].url.as_ref(), Some(&remotes[0].urls[0]));
    // No checksum was declared, so that of the download is kept.
    assert_eq!(fetched.files[1].sum, sha256(&table).to_string());
    let n = server.asked().len();
    assert_eq!(n, 3);
    assert_eq!(place.fetch(&remotes).unwrap(), fetched);
    assert_eq!(server.asked().len(), n, "it was asked again");
    // A different file is requested: the fetch reports that and keeps the existing one.
    let mut other = remotes.clone();
    other[0].sum = Some(sha256(b"other"));
    let error = place.fetch(&other).unwrap_err().to_string();
    assert!(error.contains("contains files of another download"), "{error}");
    assert_eq!(files(&place.folder()), wanted);
}

#[test]
fn a_folder_of_somebody_elses_is_left_alone() {
    let place = Place::new();
    fs::create_dir(place.folder()).unwrap();
    let remotes = [remote("a", &[nobody()], b"a")];
    // An empty folder is used like a missing one.
    assert!(matches!(place.fetch(&remotes), Err(FetchError::Unreachable { .. })));
    fs::write(place.folder().join("mine"), "mine").unwrap();
    let error = place.fetch(&remotes).unwrap_err().to_string();
    assert!(error.contains("contains files that encore did not download\nhint: "), "{error}");
    assert_eq!(files(&place.folder()), [("mine".to_owned(), b"mine".to_vec())]);
}

#[test]
fn two_at_a_time_ask_once() {
    let body = noise(200_000, 3);
    let served = body.clone();
    let server = Server::start(move |request| serve(request, &served, "\"1\""));
    let remotes = [remote("a", &[format!("{}/a", server.url())], &body)];
    let place = Place::new();
    let has_begun = AtomicBool::new(false);
    let both = std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            // The first fetch waits until the second one waits for it.
            let look = |_: Event| {
                if !has_begun.swap(true, Ordering::SeqCst) {
                    wait_until("the other waits", || place.notes().contains("waiting"));
                }
            };
            place.fetch_and(&remotes, &look).unwrap()
        });
        let second = scope.spawn(|| {
            wait_until("the other begins", || has_begun.load(Ordering::SeqCst));
            place.fetch(&remotes).unwrap()
        });
        [first, second].map(|thread| thread.join().unwrap())
    });
    assert_eq!(both[0], both[1]);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(place.notes(), "waiting for another encore process");
    assert_eq!(place.files(), [("a".to_owned(), body)]);
}
