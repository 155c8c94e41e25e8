//! One request for a file or the rest of it: the response headers, and the bytes kept or discarded.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use super::download::{Download, Trouble};
use super::error::io as at;
use super::http::{Head, Message, Request};
use super::partial::Origin;
use super::{Step, readable, space};

impl Download<'_> {
    /// One request: from where we are, if the server can do so.
    pub(super) fn attempt(&mut self, url: &str) -> Result<(), Trouble> {
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
                let said = "redirects from https to http, which is refused";
                return Err(Trouble::Mirror(said.to_owned()));
            }
            Some(Message::Broken(reason)) => return Err(Trouble::Passing(reason, None)),
            Some(Message::Piece(_) | Message::End) => unreachable!("a head comes first"),
        };
        self.has_answered = true;
        let Some((start, whole)) = self.place(url, &head, n_had)? else { return Ok(()) };
        if let Some(encoding) = head.encoding {
            return Err(Trouble::Mirror(format!(
                "sends the file as {encoding}, which was not requested"
            )));
        }
        if !head.has_end && self.remote.sum.is_none() {
            let said = "sends no length, and there is no checksum; the end of the file is unknown";
            return Err(Trouble::Mirror(said.to_owned()));
        }
        if let (Some(there), Some(wanted)) = (whole, self.remote.bytes)
            && there != wanted
        {
            let said = format!("expected {wanted} bytes, found {there}");
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

    /// Where the bytes of a response belong and how long the file is. `None` if no bytes are missing.
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
                    let said = "cannot resume, or has another file now; downloading again";
                    self.setting.note(&format!("{url}: {said}"));
                }
                Ok(Some((0, head.length)))
            }
            206 if n_had > 0 => {
                let range = head.range.unwrap_or_default();
                let whole = range.whole;
                let origin = self.partial.origin.as_ref();
                let known = origin.and_then(|origin| origin.whole).or(self.remote.bytes);
                let of_origin = origin.filter(|origin| origin.url == url);
                let is_same_tag = match (of_origin.and_then(|old| old.etag.as_ref()), &head.etag) {
                    (Some(old), Some(new)) => old == new,
                    _ => true,
                };
                let goes_on = range.first == Some(n_had);
                let is_same_length = known.is_none() || whole.is_none() || known == whole;
                if goes_on && is_same_tag && is_same_length {
                    self.setting.note(&format!("{url}: resumes after {}", readable(n_had)));
                    return Ok(Some((n_had, whole.or(known))));
                }
                self.clear()?;
                let said = "sent part of another file; downloading again";
                Err(Trouble::Passing(said.to_owned(), Some(Duration::ZERO)))
            }
            416 if n_had > 0 => {
                let there = head.range.and_then(|range| range.whole);
                if there == Some(n_had) {
                    let origin = self.partial.origin.as_mut();
                    origin.expect("there are bytes").whole = there;
                    return Ok(None);
                }
                self.clear()?;
                let said = "has a shorter file now; downloading again";
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
        format!("interrupted after {}{of} ({reason})", readable(self.partial.n))
    }
}
