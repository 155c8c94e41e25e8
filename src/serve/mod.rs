//! The project in a browser, on this host; a model behind HTTP.
//!
//! | file | what it does |
//! |---|---|
//! | `http` | requests and replies, with limits on all that a client can make long or large |
//! | `guard` | who may ask: this host's own pages, or whoever knows the token |
//! | `site` | the runs of the project, renewed when their files change |
//! | `answer` | what all answers have in common |
//! | `routes` | an address -> what answers it |
//! | `run_pages` | one run; its notes; the examples that it gets most wrong |
//! | `data_pages` | datasets with figures and sound |
//! | `model` | predictions for recordings and rows that are posted |
//!
//! The server reads records and writes nothing but tags and notes. No run needs it, and it may be started, killed and
//! started again at any time. This room must never know how runs are made.

mod answer;
mod data_pages;
mod guard;
mod http;
mod model;
mod routes;
mod run_pages;
mod site;

pub use self::http::Limits;
pub use self::model::ServedModel;

use std::hash::{BuildHasher, Hasher};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::answer::Pages;
use self::guard::Guard;
use self::site::Site;
use crate::record::StoreError;

/// What a client of the live page may take.
const LIMITS: Limits =
    Limits { body_bytes: 1 << 20, at_a_time: 8, waiting: 1_000, time: Duration::from_mins(1) };

/// Ports that are tried after the usual one.
const N_PORTS: u16 = 20;

/// Why a project can't be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be used.
    #[error("cannot listen on {address}: {source}\nhint: {hint}")]
    Address {
        /// Which one.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// The runs can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server could not go on.
    #[error("the server stopped: {0}")]
    Io(#[from] std::io::Error),
}

/// A port of this host that waits for browsers.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    guard: Guard,
}

impl Port {
    /// Takes a port. Port 0 is any free one. Without a port it is `usual`, or one of the next ones if that is taken.
    ///
    /// # Errors
    /// If the address can't be used.
    pub fn take(ip: IpAddr, port: Option<u16>, usual: u16) -> Result<Self, ServeError> {
        let ports = match port {
            Some(port) => port..=port,
            None => usual..=usual + N_PORTS,
        };
        let mut last = None;
        for port in ports {
            let address = SocketAddr::new(ip, port);
            match TcpListener::bind(address) {
                Ok(listener) => {
                    let address = listener.local_addr()?;
                    return Ok(Self { listener, guard: Guard::new(address, random_token()) });
                }
                Err(source) => last = Some((address, source)),
            }
            if last.as_ref().is_some_and(|(_, error)| error.kind() != ErrorKind::AddrInUse) {
                break;
            }
        }
        let (address, source) = last.expect("a range of ports is not empty");
        let hint = match source.kind() {
            ErrorKind::AddrInUse => "another program uses it; choose another with --port",
            ErrorKind::PermissionDenied => "ports below 1024 need rights that encore does not have",
            _ => "--host takes an address of this computer, e.g. 127.0.0.1 or 0.0.0.0",
        };
        Err(ServeError::Address { address, source, hint })
    }

    /// The address to open. Where other hosts can reach it, it has the token.
    #[must_use]
    pub fn url(&self) -> String {
        let address = self.listener.local_addr().map(|it| it.to_string()).unwrap_or_default();
        if self.guard.is_open() {
            format!("http://{address}/?token={}", self.guard.token())
        } else {
            format!("http://{address}/")
        }
    }

    /// What other computers need to be let in; `None` if only this one can reach the port.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.guard.is_open().then(|| self.guard.token())
    }

    /// Serves a project until `stop` is set.
    ///
    /// # Errors
    /// If the folder of runs can't be read, or the server can't go on.
    pub fn serve_project(self, root: &Path, stop: &AtomicBool) -> Result<(), ServeError> {
        let Self { listener, guard } = self;
        let site = Arc::new(Site::open(root, guard)?);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| site.watch(&is_over));
            let pages = Arc::new(Pages(Arc::clone(&site)));
            let ended = http::serve(listener, LIMITS, pages, stop);
            is_over.store(true, Ordering::Relaxed);
            ended
        })?;
        Ok(())
    }
}

/// 128 random bits. The standard library's hashers are keyed by the operating system's randomness.
fn random_token() -> String {
    let part = || {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", part(), part())
}
