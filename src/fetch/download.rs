//! One file from its mirrors: resumed where it was, tried again where a connection broke, checked before
//! it gets its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::io as at;
use super::http::{Head, Message, Request};
use super::partial::{Origin, Partial, remove};
use super::{Algorithm, Event, FetchError, Remote, Setting, Step, Sum, readable, space};

/// An attempt that brought so many bytes was not in vain.
const WORTH_IT: u64 = 1 << 20;

/// A file that is there and checked.
#[derive(Debug)]
pub(super) struct Got {
    pub path: PathBuf,
    /// Where it came from; nothing where it was there, and nothing says how it came.
    pub url: Option<String>,
    pub n: u64,
    /// The declared sum, or the SHA-256 where none is.
    pub sum: Sum,
}

/// What ends an attempt other than well.
enum Trouble {
    /// It may be better the next time, after so long if the server says so.
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
    setting: &Setting,
) -> Result<Got, FetchError> {
    let mut download =
        Download { remote, partial: Partial::open(folder, &remote.file), folder, setting };
    let path = folder.join(&remote.file);
    if let Ok(file) = fs::metadata(&path) {
        // Ours, or laid here by hand: its sum is what counts.
        let sum = download.sum(&path, file.len())?;
        match download.misfit(file.len(), &sum) {
            None => return Ok(Got { path, url: None, n: file.len(), sum }),
            Some(reason) => {
                setting.note(&format!("{}: {reason}; it is got anew", path.display()));
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

struct Download<'a> {
    remote: &'a Remote,
    partial: Partial,
    folder: &'a Path,
    setting: &'a Setting<'a>,
}

impl Download<'_> {
    /// Gets the file from one address, or says why not.
    fn mirror(&mut self, url: &str) -> Result<Sum, Trouble> {
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
            self.setting.note(&format!("{url}: {reason}; it was put together, and is got anew"));
        }
    }

    /// Asks one address until all bytes are there.
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
            if n_in_vain >= patience.n_tries {
                return Err(Trouble::Mirror(format!("{reason}, {n_in_vain} times")));
            }
            let doubled = patience.pause.saturating_mul(1 << (n_in_vain - 1).min(16));
            let pause = asked_for.unwrap_or_else(|| doubled.min(patience.max_pause));
            if pause > patience.max_pause {
                let said = format!("{reason}, and asks to come back in {} s", pause.as_secs());
                return Err(Trouble::Mirror(said));
            }
            let seconds = pause.as_secs_f64();
            self.setting.note(&format!("{url}: {reason}; again in {seconds:.0} s"));
            self.wait(pause)?;
        }
    }

    /// One request: from where we are, if the server can do so.
    fn attempt(&mut self, url: &str) -> Result<(), Trouble> {
        let n_had = self.goes_on_from(url);
        let mut headers = vec![];
        if n_had > 0 {
            headers.push(("Range", format!("bytes={n_had}-")));
            let origin = self.partial.origin.as_ref().filter(|origin| origin.url == url);
            if let Some(validator) = origin.and_then(Origin::validator) {
                headers.push(("If-Range", validator.to_owned()));
            }
        }
        let request = Request::get(url, headers, &self.setting.patience);
        let head = match request.next(self.setting.stop) {
            None => return Err(self.stopped().into()),
            Some(Message::Head(head)) => head,
            Some(Message::Insecure) => {
                let said = "leads from https to http, which is refused";
                return Err(Trouble::Mirror(said.to_owned()));
            }
            Some(Message::Broken(reason)) => return Err(Trouble::Passing(reason, None)),
            Some(Message::Piece(_) | Message::End) => unreachable!("a head comes first"),
        };
        let Some((start, whole)) = self.place(url, &head, n_had)? else { return Ok(()) };
        if let Some(encoding) = head.encoding {
            return Err(Trouble::Mirror(format!("sends the file as {encoding}, unasked")));
        }
        if !head.has_end && self.remote.sum.is_none() {
            let said = "says no length, and there is no checksum: its end could not be told";
            return Err(Trouble::Mirror(said.to_owned()));
        }
        if let (Some(there), Some(wanted)) = (whole, self.remote.bytes)
            && there != wanted
        {
            let said = format!("is {there} bytes long there, {wanted} were expected");
            return Err(Trouble::Mirror(said));
        }
        let rest = whole.or(self.remote.bytes).map_or(0, |whole| whole.saturating_sub(start));
        let file = || format!("the rest of {}", self.remote.file);
        space::require(self.folder, rest, file, self.setting.free)?;
        let n_answers = match &self.partial.origin {
            Some(origin) if start > 0 => origin.n_answers + 1,
            _ => 1,
        };
        let origin = Origin {
            url: url.to_owned(),
            etag: head.etag,
            last_modified: head.last_modified,
            whole,
            n_answers,
        };
        let file = self.partial.write_from(start, origin);
        let mut file = file.map_err(|source| at(self.partial.path(), source))?;
        self.receive(&request, &mut file, whole.or(self.remote.bytes))
    }

    /// How many of our bytes the file at an address can be trusted to begin with.
    fn goes_on_from(&self, url: &str) -> u64 {
        let Some(origin) = &self.partial.origin else { return 0 };
        // Where there is a sum, a mix of two files would be noticed, mirrors' or an old and a new one.
        let is_sure = origin.url == url && origin.validator().is_some();
        let fits = self.remote.bytes.is_none_or(|whole| self.partial.n <= whole);
        if fits && (is_sure || self.remote.sum.is_some()) { self.partial.n } else { 0 }
    }

    /// Where an answer's bytes belong and how long the file is; nothing where none are missing.
    fn place(
        &mut self,
        url: &str,
        head: &Head,
        n_had: u64,
    ) -> Result<Option<(u64, Option<u64>)>, Trouble> {
        let status = head.status;
        match status {
            200 => {
                if n_had > 0 {
                    let said =
                        "does not go on from a byte, or has another file now: it begins anew";
                    self.setting.note(&format!("{url}: {said}"));
                }
                Ok(Some((0, head.length)))
            }
            206 if n_had > 0 => {
                let (range, whole) = head.range.unwrap_or_default();
                let origin = self.partial.origin.as_ref();
                let known = origin.and_then(|origin| origin.whole).or(self.remote.bytes);
                let of_origin = origin.filter(|origin| origin.url == url);
                let is_same_tag = match (of_origin.and_then(|old| old.etag.as_ref()), &head.etag) {
                    (Some(old), Some(new)) => old == new,
                    _ => true,
                };
                let goes_on = range.is_some_and(|(first, _)| first == n_had);
                let is_same_length = known.is_none() || whole.is_none() || known == whole;
                if goes_on && is_same_tag && is_same_length {
                    return Ok(Some((n_had, whole.or(known))));
                }
                self.clear()?;
                let said = "answers with a part of another file: it begins anew";
                Err(Trouble::Passing(said.to_owned(), Some(Duration::ZERO)))
            }
            416 if n_had > 0 => {
                let there = head.range.and_then(|(_, whole)| whole);
                if there == Some(n_had) {
                    let origin = self.partial.origin.as_mut();
                    origin.expect("there are bytes").whole = there;
                    return Ok(None);
                }
                self.clear()?;
                let said = "has no byte where ours end: it begins anew";
                Err(Trouble::Passing(said.to_owned(), Some(Duration::ZERO)))
            }
            408 | 425 | 429 | 500..=599 => {
                Err(Trouble::Passing(format!("answers {status}"), head.retry_after))
            }
            _ => Err(Trouble::Mirror(format!("answers {status}"))),
        }
    }

    /// Writes an answer's bytes down as they come.
    fn receive(
        &mut self,
        request: &Request,
        file: &mut File,
        whole: Option<u64>,
    ) -> Result<(), Trouble> {
        let limit = match whole {
            Some(whole) => whole,
            // Nobody says how long it is: it must not fill the disk.
            None => {
                let free = (self.setting.free)(self.folder);
                self.partial.n + free.map_err(|source| at(self.folder, source))?
            }
        };
        self.progress(Step::Download, self.partial.n, whole);
        loop {
            match request.next(self.setting.stop) {
                None => return Err(self.stopped().into()),
                Some(Message::Piece(piece)) => {
                    if self.partial.n + piece.len() as u64 > limit {
                        self.clear()?;
                        let said = format!("sends more than {limit} bytes");
                        return Err(Trouble::Mirror(said));
                    }
                    let written = file.write_all(&piece);
                    written.map_err(|source| at(self.partial.path(), source))?;
                    self.partial.n += piece.len() as u64;
                    self.progress(Step::Download, self.partial.n, whole);
                }
                Some(Message::End) => {
                    let n = self.partial.n;
                    if whole.is_some_and(|whole| n < whole) {
                        return Err(Trouble::Passing(self.cut(whole, "ended early"), None));
                    }
                    self.partial.origin.as_mut().expect("there are bytes").whole = Some(n);
                    return Ok(());
                }
                Some(Message::Broken(reason)) => {
                    return Err(Trouble::Passing(self.cut(whole, &reason), None));
                }
                Some(Message::Head(_) | Message::Insecure) => {
                    unreachable!("a head comes first and once")
                }
            }
        }
    }

    fn cut(&self, whole: Option<u64>, reason: &str) -> String {
        let of = whole.map_or(String::new(), |whole| format!(" of {}", readable(whole)));
        format!("cut off after {}{of} ({reason})", readable(self.partial.n))
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
            return Some(format!("gives {n} bytes, {wanted} were expected"));
        }
        let wanted = self.remote.sum.as_ref().filter(|wanted| *wanted != sum)?;
        Some(format!("gives a file with the {sum}, expected was {wanted}"))
    }

    fn clear(&mut self) -> Result<(), FetchError> {
        let path = self.partial.path().to_owned();
        self.partial.clear().map_err(|source| at(&path, source))
    }

    fn progress(&self, step: Step, n: u64, whole: Option<u64>) {
        (self.setting.tell)(Event::Progress { step, file: &self.remote.file, n, whole });
    }

    fn stopped(&self) -> FetchError {
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
