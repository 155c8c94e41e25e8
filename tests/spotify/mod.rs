//! A playlist from the first request to the dataset, with a server that answers as Spotify and
//! ReccoBeats do, including their failures.

mod broken;
mod closed;
mod collected;
#[cfg(unix)]
mod kills;
mod login;
mod program;
mod resumed;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use encore::spotify::{
    Addresses, Clock, Collected, Credentials, FeatureSource, Journal, Output, ProgressEvent,
    ReccoBeats, RetryPolicy, Spotify, SpotifyError, SpotifyFeatures, collect,
};
use encore::vocab::Seed;

use crate::common::api::{self, Api, PLAYLIST};
use crate::common::world::From;

/// A time in November 2026; the clock only advances when the program waits.
struct Clockwork {
    now_ms: Cell<u64>,
    slept_s: RefCell<f64>,
}

impl Clockwork {
    fn new() -> Self {
        Self { now_ms: Cell::new(1_795_000_000_000), slept_s: RefCell::new(0.0) }
    }

    fn pass_s(&self, seconds: u64) {
        self.now_ms.set(self.now_ms.get() + seconds * 1000);
    }
}

impl Clock for Clockwork {
    fn now_s(&self) -> u64 {
        self.now_ms.get() / 1000
    }

    fn sleep(&self, duration: Duration) {
        *self.slept_s.borrow_mut() += duration.as_secs_f64();
        self.now_ms.set(self.now_ms.get() + duration.as_millis() as u64);
    }
}

/// A user at a machine: a folder, a clock, the notes shown.
struct User {
    folder: tempfile::TempDir,
    clock: Clockwork,
    told: RefCell<Vec<ProgressEvent>>,
    stop: AtomicBool,
    ask_again: bool,
    wait_at_most_s: u64,
}

impl User {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Clockwork::new(),
            told: RefCell::new(vec![]),
            stop: AtomicBool::new(false),
            ask_again: false,
            wait_at_most_s: 60,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn journal(&self) -> PathBuf {
        self.path("x.journal.jsonl")
    }

    fn token(&self) -> PathBuf {
        self.path("token.json")
    }

    fn with_patience<T>(&self, act: impl FnOnce(&RetryPolicy) -> T) -> T {
        let tell = |told: &ProgressEvent| self.told.borrow_mut().push(told.clone());
        let at_most = Duration::from_secs(self.wait_at_most_s);
        act(&RetryPolicy::new(&self.clock, &self.stop, &tell, at_most, Seed(7)))
    }

    fn collect(&self, api: &Api, from: From) -> Result<Collected, SpotifyError> {
        self.with_patience(|patience| {
            let credentials = credentials(self.folder.path());
            let spotify =
                Spotify::new(&credentials, Some(self.token()), &addresses(api), patience)?;
            let own = SpotifyFeatures(&spotify);
            let open = ReccoBeats::new(&api.url(), Duration::from_millis(300), patience);
            let source: &dyn FeatureSource = if from == From::Spotify { &own } else { &open };
            let mut journal = Journal::open(&self.journal(), PLAYLIST, self.clock.now_s())?;
            collect(PLAYLIST, &mut journal, &spotify, source, self.ask_again)
        })
    }

    /// Returns the bytes of the table as CSV, and of the list of dropped places.
    fn files(&self, collected: &Collected) -> (String, String) {
        let datasets = self.path("datasets");
        std::fs::create_dir_all(&datasets).unwrap();
        let output = Output::new(&self.path("x.parquet"), &datasets, PLAYLIST).unwrap();
        output.write(collected, Some(1)).unwrap();
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        (text(&output.csv), text(&output.dropped))
    }

    /// Checks that the table and the list of dropped places are the expected ones, byte by byte.
    fn expect(&self, api: &Api, from: From) {
        let collected = self.collect(api, from).unwrap();
        assert_eq!(self.files(&collected), api.world.expected(from));
    }

    fn notes(&self) -> String {
        let told = self.told.borrow();
        let notes = told.iter().filter_map(|told| match told {
            ProgressEvent::Note(text) => Some(text.as_str()),
            _ => None,
        });
        notes.collect::<Vec<_>>().join("\n")
    }
}

fn addresses(api: &Api) -> Addresses {
    Addresses { api: format!("{}/v1", api.url()), accounts: api.url() }
}

fn credentials(folder: &Path) -> Credentials {
    let path = folder.join("spotify.env");
    api::write_private(&path, api::CREDENTIALS);
    Credentials::find(Some(&path), None, &|_| None).unwrap()
}

/// Creates an API with a small playlist in which every case occurs at least once.
fn small() -> Arc<api::World> {
    Arc::new(api::World::of(400))
}
