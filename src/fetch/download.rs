//! One file from its mirrors: resumed where it was, tried again where a connection broke, checked before
//! it gets its name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::io as at;
use super::partial::{Partial, remove};
use super::{Algorithm, Event, FetchContext, FetchError, Remote, Step, Sum};

/// An attempt with at least this many new bytes counts as progress.
const WORTH_IT: u64 = 1 << 20;

/// A complete and checked file.
#[derive(Debug)]
pub(super) struct Got {
    pub path: PathBuf,
    /// Its source; `None` if the file existed before and its source is unknown.
    pub url: Option<String>,
    pub n: u64,
    /// The declared checksum, or SHA-256 if none is declared.
    pub sum: Sum,
}

/// What ends an attempt other than well.
pub(super) enum Trouble {
    /// Retry, after the given time if the server sends one.
    Passing(String, Option<Duration>),
    /// This address is of no use.
    Mirror(String),
    /// Nothing is of use.
    Fatal(FetchError),
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Self::Fatal(error)
    }
}

/// Gets a file into a folder, from the first address that gives it whole and right.
///
/// # Errors
/// Where no address does, the disk is full, or it was asked to stop; the bytes so far are kept.
pub(super) fn download(
    remote: &Remote,
    folder: &Path,
    setting: &FetchContext,
) -> Result<Got, FetchError> {
    let mut download = Download {
        remote,
        partial: Partial::open(folder, &remote.file),
        folder,
        setting,
        has_answered: false,
    };
    let path = folder.join(&remote.file);
    if let Ok(file) = fs::metadata(&path) {
        // Somebody may have put the file here, so only its checksum counts.
        let sum = download.sum(&path, file.len())?;
        match download.misfit(file.len(), &sum) {
            None => {
                let url = download.partial.finished_from();
                return Ok(Got { path, url, n: file.len(), sum });
            }
            Some(reason) => {
                setting.note(&format!("{}: {reason}; downloading again", path.display()));
                remove(&path).map_err(|source| at(&path, source))?;
            }
        }
    }
    let mut reasons = vec![];
    for url in &remote.urls {
        match download.mirror(url) {
            Ok(sum) => {
                let n = download.partial.n;
                let url = download.partial.origin.as_ref().map(|origin| origin.url.clone());
                download.partial.finish(&path).map_err(|source| at(&path, source))?;
                return Ok(Got { path, url, n, sum });
            }
            Err(Trouble::Fatal(error)) => return Err(error),
            Err(Trouble::Mirror(reason) | Trouble::Passing(reason, _)) => {
                setting.note(&format!("{url}: {reason}"));
                reasons.push((url.clone(), reason));
            }
        }
    }
    Err(FetchError::Unreachable { file: remote.file.clone(), reasons })
}

/// One file and its progress.
pub(super) struct Download<'a> {
    pub remote: &'a Remote,
    pub partial: Partial,
    pub folder: &'a Path,
    pub setting: &'a FetchContext<'a>,
    /// Whether the address that is asked has ever answered.
    pub has_answered: bool,
}

impl Download<'_> {
    /// Gets the file from one address, or says why not.
    fn mirror(&mut self, url: &str) -> Result<Sum, Trouble> {
        self.has_answered = false;
        let mut may_be_a_mix = self.partial.n > 0;
        loop {
            self.fill(url)?;
            let (path, n) = (self.partial.path().to_owned(), self.partial.n);
            let sum = self.sum(&path, n)?;
            let Some(reason) = self.misfit(n, &sum) else { return Ok(sum) };
            let n_answers = self.partial.origin.as_ref().map_or(1, |origin| origin.n_answers);
            self.clear()?;
            if n_answers == 1 && !may_be_a_mix {
                return Err(Trouble::Mirror(reason));
            }
            // Of several answers one may have been about another file: this address gets its chance.
            may_be_a_mix = false;
            self.setting.note(&format!(
                "{url}: {reason}; the file was assembled from several responses; downloading again"
            ));
        }
    }

    /// Downloads from one address until all bytes are complete.
    fn fill(&mut self, url: &str) -> Result<(), Trouble> {
        let mut n_in_vain = 0;
        loop {
            let before = self.partial.n;
            let whole = self.partial.origin.as_ref().and_then(|origin| origin.whole);
            if before > 0 && whole == Some(before) {
                return Ok(());
            }
            let (reason, asked_for) = match self.attempt(url) {
                Err(Trouble::Passing(reason, asked_for)) => (reason, asked_for),
                other => return other,
            };
            let gained = self.partial.n.saturating_sub(before);
            n_in_vain = if gained >= WORTH_IT { 1 } else { n_in_vain + 1 };
            let patience = &self.setting.patience;
            // If there was never a response, the next address is a better choice.
            let most = if self.has_answered { patience.n_tries } else { patience.n_tries.min(2) };
            if n_in_vain >= most {
                return Err(Trouble::Mirror(format!("{reason}, {n_in_vain} times")));
            }
            let doubled = patience.pause.saturating_mul(1 << (n_in_vain - 1).min(16));
            let pause = asked_for.unwrap_or_else(|| doubled.min(patience.max_pause));
            if pause > patience.max_pause {
                let said = format!("{reason}, and asks to retry in {} s", pause.as_secs());
                return Err(Trouble::Mirror(said));
            }
            let seconds = pause.as_secs_f64();
            self.setting.note(&format!("{url}: {reason}; retrying in {seconds:.0} s"));
            self.wait(pause)?;
        }
    }

    /// The file's sum of the declared kind.
    fn sum(&self, path: &Path, n: u64) -> Result<Sum, FetchError> {
        let algorithm = self.remote.sum.as_ref().map_or(Algorithm::Sha256, |sum| sum.algorithm);
        let made = Sum::of_file(path, algorithm, &mut |n_done| {
            self.progress(Step::Check, n_done, Some(n));
            !self.setting.is_stopped()
        });
        made.map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => FetchError::Stopped { n, path: path.to_owned() },
            _ => at(path, source),
        })
    }

    /// What of a whole file is not as declared.
    fn misfit(&self, n: u64, sum: &Sum) -> Option<String> {
        if let Some(wanted) = self.remote.bytes.filter(|wanted| *wanted != n) {
            return Some(format!("expected {wanted} bytes, found {n}"));
        }
        let wanted = self.remote.sum.as_ref().filter(|wanted| *wanted != sum)?;
        Some(format!("expected {wanted}, found {sum}"))
    }

    pub(super) fn clear(&mut self) -> Result<(), FetchError> {
        let path = self.partial.path().to_owned();
        self.partial.clear().map_err(|source| at(&path, source))
    }

    pub(super) fn progress(&self, step: Step, n: u64, whole: Option<u64>) {
        (self.setting.tell)(Event::Progress { step, file: &self.remote.file, n, whole });
    }

    pub(super) fn stopped(&self) -> FetchError {
        FetchError::Stopped { n: self.partial.n, path: self.partial.path().to_owned() }
    }

    fn wait(&self, pause: Duration) -> Result<(), FetchError> {
        let until = Instant::now() + pause;
        loop {
            if self.setting.is_stopped() {
                return Err(self.stopped());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left.min(Duration::from_millis(50)));
        }
    }
}
