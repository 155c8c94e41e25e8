//! Requests and replies over HTTP/1.1 on one port, with limits on all that a client can make long or large.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::TcpListener;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as _, Bytes, Frame, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

pub(super) use hyper::{Method, StatusCode};

/// What a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body of a request.
    pub body_bytes: usize,
    /// Requests that are answered at a time. Others wait.
    pub at_a_time: usize,
    /// Requests that wait; the next one is refused.
    pub waiting: usize,
    /// The time in which a request must have arrived and been answered.
    pub time: Duration,
}

/// Connections at a time; the next one is closed.
const MAX_CONNECTIONS: usize = 512;
/// The age at which a connection ends after its current reply; a browser opens the next one.
const MAX_AGE: Duration = Duration::from_mins(1);
/// The time from one request of a connection to the end of the head of the next.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Bytes of the head of a request.
const HEAD_BYTES: usize = 64 << 10;
/// The longest time until a request to stop is seen.
const ATTENTION: Duration = Duration::from_millis(50);

/// A request that has arrived as a whole.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The path, percent-decoded.
    pub(super) path: String,
    /// Names and values behind the `?`, decoded, in their order.
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The first value of a name behind the `?`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name behind the `?`, without empty ones.
    pub(super) fn values<'a>(&'a self, name: &str) -> Vec<&'a str> {
        let mine = self.query.iter().filter(|(known, value)| known == name && !value.is_empty());
        mine.map(|(_, value)| value.as_str()).collect()
    }
}

/// The head of a request, before its body is read.
pub(super) struct Head<'a> {
    /// By their names in lower case. Those that are not text are left out.
    pub(super) headers: &'a BTreeMap<String, String>,
    pub(super) method: &'a Method,
    pub(super) query: &'a [(String, String)],
}

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: ReplyBody,
}

/// The body of a reply.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// All of it.
    Whole(Vec<u8>),
    /// Pieces as they come, until their sender is dropped.
    Pieces(mpsc::Receiver<Vec<u8>>),
}

impl Reply {
    pub(super) fn new(status: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status, headers, body: ReplyBody::Whole(body.into()) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What answers requests. It is called from several threads and may block.
pub(super) trait Handler: Send + Sync + 'static {
    /// Refuses a request by its head; its body is not read then.
    fn refuse(&self, head: &Head) -> Option<Reply>;

    /// Answers a request.
    fn answer(&self, request: Request) -> Reply;

    /// The reply for a request that could not be read or took too long.
    fn failed(&self, status: StatusCode, message: &str) -> Reply;
}

/// Answers requests until `stop` is set.
///
/// # Errors
/// If the runtime can't be started or the listener can't be used.
pub(super) fn serve(
    listener: TcpListener,
    limits: Limits,
    handler: Arc<dyn Handler>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(limits.at_a_time + 1)
        .build()?;
    let ended = runtime.block_on(accept(listener, limits, handler, stop));
    // A reply that is still being computed is not waited for.
    runtime.shutdown_background();
    ended
}

async fn accept(
    listener: TcpListener,
    limits: Limits,
    handler: Arc<dyn Handler>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let shared = Arc::new(Shared {
        limits,
        handler,
        turns: Semaphore::new(limits.at_a_time),
        places: Semaphore::new(limits.at_a_time + limits.waiting),
    });
    while !stop.load(Ordering::Relaxed) {
        let Ok(accepted) = timeout(ATTENTION, listener.accept()).await else { continue };
        // One connection that failed is no reason to end; without file descriptors, those that are open must end first.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ATTENTION).await;
            continue;
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok::<_, Infallible>(shared.reply(request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(connection);
            // A client that is gone or speaks another protocol needs no reply.
            if timeout(MAX_AGE, connection.as_mut()).await.is_err() {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(limits.time.max(MAX_AGE), connection).await;
            }
            drop(permit);
        });
    }
    Ok(())
}

struct Shared {
    limits: Limits,
    handler: Arc<dyn Handler>,
    /// One for each request that is being answered.
    turns: Semaphore,
    /// One for each request that is being answered or waits.
    places: Semaphore,
}

impl Shared {
    async fn reply(&self, request: hyper::Request<Incoming>) -> hyper::Response<Out> {
        let answered = timeout(self.limits.time, self.answered(request)).await;
        let reply = answered.unwrap_or_else(|_| {
            let message = format!("not answered within {} s", self.limits.time.as_secs());
            self.handler.failed(StatusCode::SERVICE_UNAVAILABLE, &message)
        });
        response(reply)
    }

    async fn answered(&self, request: hyper::Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let headers: BTreeMap<String, String> = (head.headers.iter())
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let query: Vec<(String, String)> =
            form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let seen = Head { headers: &headers, method: &head.method, query: &query };
        if let Some(refused) = self.handler.refuse(&seen) {
            return refused;
        }
        let Ok(_place) = self.places.try_acquire() else {
            let message = "too many requests at a time; try again in a moment";
            let reply = self.handler.failed(StatusCode::SERVICE_UNAVAILABLE, message);
            return reply.with("retry-after", "1");
        };
        let body = match whole(body, self.limits.body_bytes).await {
            Ok(body) => body,
            Err((status, message)) => return self.handler.failed(status, &message),
        };
        let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8();
        let Ok(path) = path.map(std::borrow::Cow::into_owned) else {
            return self.handler.failed(StatusCode::BAD_REQUEST, "the path is not UTF-8");
        };
        let request = Request { method: head.method, path, query, body };
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let handler = Arc::clone(&self.handler);
        let answered = tokio::task::spawn_blocking(move || handler.answer(request)).await;
        answered.unwrap_or_else(|_| {
            let message = "encore failed while it answered; please report this";
            self.handler.failed(StatusCode::INTERNAL_SERVER_ERROR, message)
        })
    }
}

/// Reads a body to its end.
async fn whole(body: Incoming, limit: usize) -> Result<Vec<u8>, (StatusCode, String)> {
    let too_large =
        || (StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {limit} bytes"));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let mut bytes = vec![];
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        let frame = frame.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// The body of a reply as hyper sends it.
enum Out {
    Whole(Option<Bytes>),
    Pieces(mpsc::Receiver<Vec<u8>>),
}

impl hyper::body::Body for Out {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces(pieces) => pieces
                .poll_recv(context)
                .map(|piece| piece.map(|piece| Ok(Frame::data(Bytes::from(piece))))),
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(bytes) => {
                hyper::body::SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Pieces(_) => hyper::body::SizeHint::default(),
        }
    }
}

fn response(reply: Reply) -> hyper::Response<Out> {
    let body = match reply.body {
        ReplyBody::Whole(bytes) => Out::Whole(Some(bytes.into())),
        ReplyBody::Pieces(pieces) => Out::Pieces(pieces),
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() = reply.status;
    for (name, value) in reply.headers {
        // Values are ours, but for names of files and the like: one that no header can have is left out.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}
