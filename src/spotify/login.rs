//! Signing in: the authorization code flow with PKCE, which needs no secret.
//!
//! # Source
//! RFC 7636, and Spotify's "Authorization Code with PKCE Flow"; redirects to 127.0.0.1 as its rules of 2025
//! ask for.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use rspotify::clients::{BaseClient, OAuthClient};
use rspotify::{AuthCodePkceSpotify, OAuth};

use super::client::refusal;
use super::endpoint::TOKEN;
use super::private::Cache;
use super::retry::{Outcome, RetryPolicy};
use super::{Addresses, Credentials, SpotifyError};

/// What a playlist's items need.
const SCOPES: [&str; 2] = ["playlist-read-private", "playlist-read-collaborative"];
/// More than a browser's first line ever has.
const MOST_BYTES: u64 = 16 * 1024;

/// A login in progress.
pub struct Login {
    client: AuthCodePkceSpotify,
    url: String,
}

impl Login {
    /// Begins one; the browser comes back to `http://127.0.0.1:PORT/callback`, which the app's dashboard must
    /// list as a redirect URI.
    ///
    /// # Errors
    /// Where the accounts service has no proper address.
    pub fn begin(
        credentials: &Credentials,
        addresses: &Addresses,
        port: u16,
    ) -> Result<Self, SpotifyError> {
        let oauth = OAuth {
            redirect_uri: format!("http://127.0.0.1:{port}/callback"),
            scopes: SCOPES.into_iter().map(str::to_owned).collect(),
            ..OAuth::default()
        };
        let creds = rspotify::Credentials::new_pkce(&credentials.id);
        let mut client = AuthCodePkceSpotify::with_config(creds, oauth, addresses.config());
        let url = client
            .get_authorize_url(Some(64))
            .map_err(|error| SpotifyError::Usage(format!("{}: {error}", addresses.accounts)))?;
        Ok(Self { client, url })
    }

    /// The page at which the user signs in.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the browser comes back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.client.oauth.redirect_uri
    }

    /// Waits for the browser to come back, and returns the address it came back with.
    ///
    /// # Errors
    /// Where the listener fails, or the wait is stopped.
    pub fn wait(
        &self,
        listener: &TcpListener,
        patience: &RetryPolicy,
    ) -> Result<String, SpotifyError> {
        let failed = |error: std::io::Error| {
            SpotifyError::Usage(format!("waiting for the browser: {error}"))
        };
        listener.set_nonblocking(true).map_err(failed)?;
        loop {
            patience.go_on()?;
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some(path) = asked_path(&stream) {
                        let is_it = path.starts_with("/callback?");
                        // A browser that has gone meanwhile is no reason to stop.
                        let _ = reply(&stream, is_it);
                        if is_it {
                            let origin = self.redirect_uri().trim_end_matches("/callback");
                            return Ok(format!("{origin}{path}"));
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    patience.clock().sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Ends the login with the address that the browser came back with, and keeps its token at `cache`.
    ///
    /// # Errors
    /// Where the user declined, the address is of another login, or Spotify does not accept it.
    pub fn finish(
        &self,
        address: &str,
        cache: &Path,
        patience: &RetryPolicy,
    ) -> Result<(), SpotifyError> {
        let address = address.trim();
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let value = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let usage = |message: &str| {
            SpotifyError::Usage(format!("{message}\nhint: `encore spotify login` again"))
        };
        if value("state") != Some(self.client.oauth.state.as_str()) {
            return Err(usage(
                "the response belongs to another login: its state differs from the one sent",
            ));
        }
        if let Some(error) = value("error") {
            return Err(usage(&format!("Spotify came back without a login: {error}")));
        }
        let code = self.client.parse_response_code(address);
        let code = code.ok_or_else(|| usage("the response has no code"))?;
        match patience.ask(TOKEN.name, || self.client.request_token(&code).map_err(refusal))? {
            Outcome::Got(()) => {}
            Outcome::Refused { code, message } => {
                return Err(usage(&format!(
                    "{}: refused with status {code} {message}",
                    TOKEN.name
                )));
            }
        }
        let token = self.client.get_token().lock().expect("no holder of the token panics").clone();
        let token = token.expect("a token was just got");
        Cache { client_id: self.client.creds.id.clone(), token }.write(cache)
    }
}

/// Returns the path in the first line of a request; `None` if it is not a request.
fn asked_path(stream: &TcpStream) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    // Browsers open connections in advance and say nothing on them.
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let mut reader = BufReader::new(stream.take(MOST_BYTES));
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        line.clear();
    }
    let mut words = first.split_whitespace();
    (words.next()? == "GET").then(|| words.next().map(str::to_owned))?
}

fn reply(mut stream: &TcpStream, is_it: bool) -> std::io::Result<()> {
    let (status, body) = if is_it {
        ("200 OK", "<p>Signed in, or not: the terminal says which. This page can be closed.")
    } else {
        ("404 Not Found", "<p>Nothing is here.")
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}
