//! A server under test, and a client that can say anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::common::command;

/// The longest time until a reply has to be there.
const PATIENCE: Duration = Duration::from_mins(5);

/// A server.
pub struct Live {
    child: Child,
    /// Host and port to connect to.
    pub address: String,
    /// What it printed to be opened.
    pub url: String,
}

impl Live {
    /// Starts a server on a free port and waits for its address.
    pub fn start(project: &Path, more: &[&str]) -> Self {
        Self::start_with(project, &[&["serve", "--port", "0"], more].concat())
    }

    /// Starts a command that serves, and waits for its address.
    pub fn start_with(project: &Path, arguments: &[&str]) -> Self {
        let mut child = command(project, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let address = address.replace("0.0.0.0", "127.0.0.1");
        Self { child, address, url }
    }

    pub fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap()
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Reads events until one has what is wanted.
    pub fn events<T>(&self, mut wanted: impl FnMut(&Value) -> Option<T>) -> T {
        loop {
            let mut stream = TcpStream::connect(&self.address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let head = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
            stream.write_all(head.as_bytes()).unwrap();
            // The server ends old streams, and the client asks again.
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data: ") else { continue };
                if let Some(found) = wanted(&serde_json::from_str(data).unwrap()) {
                    return found;
                }
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A reply.
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn get(live: &Live, path: &str) -> Reply {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", live.address);
    request(live, head.as_bytes())
}

pub fn post(live: &Live, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        live.address,
        form.len()
    );
    request(live, head.as_bytes())
}

/// Sends bytes and reads one reply.
pub fn request(live: &Live, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(&live.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that refuses may close before all is said.
    let _ = stream.write_all(bytes);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no reply but {line:?}"));
    let mut headers = vec![];
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    Reply { status, headers, body }
}
