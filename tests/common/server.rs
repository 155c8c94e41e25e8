//! A local web server for tests, which can fail in the ways that real servers do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A request of a client.
#[derive(Debug, Clone)]
pub struct Request {
    /// The path with its query, e.g. `/v1/tracks?ids=a,b`, unchanged.
    pub target: String,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
    }

    /// Returns the target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns a parameter of the query, unchanged.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// The server's reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status: 200, 404, …
    pub status: u16,
    /// Headers besides `Content-Length` and `Connection: close`, which every reply has.
    pub headers: Vec<(String, String)>,
    /// The whole body, whose length is announced.
    pub body: Vec<u8>,
    /// Closes the connection after this many bytes of the body.
    pub cut: Option<usize>,
    /// Waits this long before replying.
    pub delay: Duration,
    /// Sends the body in pieces of this many bytes, with a pause before each.
    pub drip: Option<(usize, Duration)>,
}

impl Reply {
    /// Creates a reply with a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![],
            body: body.into(),
            cut: None,
            delay: Duration::ZERO,
            drip: None,
        }
    }

    /// Adds a header.
    #[expect(clippy::needless_pass_by_value, reason = "callers give numbers and texts as they are")]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Cuts the reply off after `n` bytes of its body.
    pub fn cut_after(mut self, n: usize) -> Self {
        self.cut = Some(n);
        self
    }

    /// Delays the reply.
    pub fn late(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in pieces of `n` bytes with a pause before each.
    pub fn drip(mut self, n: usize, pause: Duration) -> Self {
        self.drip = Some((n, pause));
        self
    }

    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        thread::sleep(self.delay);
        let mut head = format!("HTTP/1.1 {} -\r\nConnection: close\r\n", self.status);
        head += &format!("Content-Length: {}\r\n", self.body.len());
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        let body = &self.body[..self.cut.unwrap_or(self.body.len())];
        let (n, pause) = self.drip.unwrap_or((body.len().max(1), Duration::ZERO));
        for piece in body.chunks(n) {
            thread::sleep(pause);
            stream.write_all(piece)?;
        }
        stream.flush()
    }
}

/// A server that calls a function for each request until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<Request>>>,
    listening: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(vec![]));
        let (stopped, seen, answer) = (stop.clone(), asked.clone(), Arc::new(answer));
        let listening = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(mut stream), seen, answer) = (stream, seen.clone(), answer.clone()) else {
                    continue;
                };
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    seen.lock().unwrap().push(request.clone());
                    // A client may have disconnected, which is not a fault of the server.
                    let _ = answer(&request).send(&mut stream);
                });
            }
        });
        Self { address, stop, asked, listening: Some(listening) }
    }

    /// Returns `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every request so far, in order.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The listener blocks until somebody connects; this connection ends it.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (_method, target) = (words.next()?, words.next()?);
    let mut headers = vec![];
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { target, headers, body })
}
