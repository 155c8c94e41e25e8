//! One GET: the head of the response, then its body. A separate thread reads the body, so that the caller can
//! stop waiting at any time.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::RetryPolicy;

/// Bytes of a piece, and pieces that wait for the disk, at most.
const PIECE: usize = 1 << 17;
const N_WAITING: usize = 16;
const N_REDIRECTS: u32 = 10;
/// How soon a wish to stop is seen.
const GLANCE: Duration = Duration::from_millis(50);

/// The headers of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub status: u16,
    /// `Content-Length`, if sent.
    pub length: Option<u64>,
    pub range: Option<ContentRange>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// `Content-Encoding`, unless identity.
    pub encoding: Option<String>,
    /// Whether the end of the body can be distinguished from a broken connection.
    pub has_end: bool,
    /// `Retry-After`, if given in seconds.
    pub retry_after: Option<Duration>,
}

/// `Content-Range`, with optional parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// The first byte that follows.
    pub first: Option<u64>,
    /// Bytes of the whole file.
    pub whole: Option<u64>,
}

/// What comes, in this order: one head, pieces, an end; or a break at any time.
#[derive(Debug)]
pub(super) enum Message {
    Head(Head),
    Piece(Vec<u8>),
    End,
    /// No answer, or no more of it, and why.
    Broken(String),
    /// The address redirects from https to http.
    Insecure,
}

/// A request that is under way.
pub(super) struct Request(Receiver<Message>);

impl Request {
    /// Asks for an address, with headers.
    pub(super) fn get(
        url: &str,
        headers: Vec<(&'static str, String)>,
        patience: &RetryPolicy,
    ) -> Self {
        let (tell, heard) = sync_channel(N_WAITING);
        let agent = ureq::AgentBuilder::new()
            .user_agent(concat!("encore/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(patience.connect)
            .timeout_read(patience.read)
            .timeout_write(patience.read)
            .redirects(N_REDIRECTS)
            // The data are not secret, but a file without a checksum is only as trustworthy as its connection.
            .https_only(url.starts_with("https://"))
            .try_proxy_from_env(!is_local(url))
            .build();
        let mut request = agent.get(url).set("Accept-Encoding", "identity");
        for (name, value) in headers {
            request = request.set(name, &value);
        }
        // Nobody waits for this thread: it ends with the answer, with a time-out, or with the program.
        thread::spawn(move || answer(request, &tell));
        Self(heard)
    }

    /// The next message; nothing once `stop` is up.
    pub(super) fn next(&self, stop: &AtomicBool) -> Option<Message> {
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            match self.0.recv_timeout(GLANCE) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Message::Broken("the connection was closed".to_owned()));
                }
            }
        }
    }
}

/// Whether an address is this machine's own, where no proxy leads.
fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// Sends a response as messages; the receiver may disconnect at any time.
fn answer(request: ureq::Request, tell: &SyncSender<Message>) {
    let response = match request.call() {
        Ok(response) | Err(ureq::Error::Status(_, response)) => response,
        Err(ureq::Error::Transport(error)) => {
            let message = match error.kind() {
                ureq::ErrorKind::InsecureRequestHttpsOnly => Message::Insecure,
                _ => Message::Broken(reason(&error)),
            };
            let _ = tell.send(message);
            return;
        }
    };
    if tell.send(Message::Head(head(&response))).is_err() {
        return;
    }
    let mut body = response.into_reader();
    loop {
        let mut piece = vec![0; PIECE];
        let message = match body.read(&mut piece) {
            Ok(0) => Message::End,
            Ok(n) => {
                piece.truncate(n);
                Message::Piece(piece)
            }
            Err(error) => Message::Broken(error.to_string()),
        };
        let is_last = !matches!(message, Message::Piece(_));
        if tell.send(message).is_err() || is_last {
            return;
        }
    }
}

/// What ureq says of a failure, without the address, which may hold a mirror's signature.
fn reason(error: &ureq::Transport) -> String {
    let mut text = error.kind().to_string();
    if let Some(message) = error.message() {
        text += &format!(": {message}");
    }
    if let Some(source) = std::error::Error::source(error) {
        text += &format!(": {source}");
    }
    text
}

fn head(response: &ureq::Response) -> Head {
    let text = |name: &str| response.header(name).map(str::to_owned);
    let length: Option<u64> = response.header("content-length").and_then(|n| n.trim().parse().ok());
    let is_chunked = response
        .header("transfer-encoding")
        .is_some_and(|encoding| encoding.to_ascii_lowercase().contains("chunked"));
    Head {
        status: response.status(),
        length: length.filter(|_| !is_chunked),
        range: response.header("content-range").and_then(content_range),
        etag: text("etag"),
        last_modified: text("last-modified"),
        encoding: text("content-encoding").filter(|name| !name.eq_ignore_ascii_case("identity")),
        has_end: length.is_some() || is_chunked,
        retry_after: response
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs),
    }
}

/// `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
///
/// # Source
/// RFC 9110, HTTP Semantics, section 14.4.
fn content_range(text: &str) -> Option<ContentRange> {
    let (range, whole) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let first = match range.split_once('-') {
        None if range == "*" => None,
        None => return None,
        Some((first, last)) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            Some(first).filter(|first| *first <= last)?;
            Some(first)
        }
    };
    let whole = if whole == "*" { None } else { Some(whole.parse().ok()?) };
    Some(ContentRange { first, whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read() {
        let read = |first, whole| Some(ContentRange { first, whole });
        assert_eq!(content_range("bytes 5-9/10"), read(Some(5), Some(10)));
        assert_eq!(content_range("bytes 5-9/*"), read(Some(5), None));
        assert_eq!(content_range("bytes */10"), read(None, Some(10)));
        for wrong in ["", "bytes", "bytes 5/10", "bytes 9-5/10", "items 5-9/10", "bytes a-b/c"] {
            assert_eq!(content_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_proxy_leads_to_this_machine() {
        assert!(is_local("http://127.0.0.1:8080/a") && is_local("http://localhost/a"));
        assert!(!is_local("https://huggingface.co/127.0.0.1"));
    }
}
