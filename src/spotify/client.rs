//! Sends requests to Spotify, as an app or as a user who has signed in.
//!
//! Works around faults of rspotify 0.16.1: it does not retry after 429, 500 or an interrupted connection; it
//! does not renew a token that expires early with 401; renewing a login's token loses its refresh token, which
//! Spotify stopped sending again in July 2026; a client without a secret panics; everybody can read its token
//! cache.

use std::path::PathBuf;

use rspotify::clients::BaseClient;
use rspotify::http::{HttpError, Query};
use rspotify::{AuthCodePkceSpotify, ClientCredsSpotify, ClientError, Config, OAuth, Token};
use serde_json::Value;

use super::endpoint::{Endpoint, TOKEN};
use super::private::Cache;
use super::retry::{Outcome, Refusal, RetryPolicy};
use super::{Credentials, SpotifyError};

/// Where Spotify is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Of the Web API, up to `/v1`.
    pub api: String,
    /// Of the accounts service.
    pub accounts: String,
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            api: rspotify::DEFAULT_API_BASE_URL.to_owned(),
            accounts: rspotify::DEFAULT_AUTH_BASE_URL.to_owned(),
        }
    }
}

impl Addresses {
    /// Nothing of a token is done behind our back.
    pub(super) fn config(&self) -> Config {
        Config {
            api_base_url: self.api.clone(),
            auth_base_url: self.accounts.clone(),
            token_cached: false,
            token_refreshing: false,
            ..Config::default()
        }
    }
}

/// An address that secrets may be sent to: by https, or to this machine.
///
/// # Errors
/// Where it is any other.
pub fn checked_address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://127.0.0.1");
    let is_here = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    // `http://127.0.0.1:x@host/` is an address of another machine.
    if (is_here || text.starts_with("https://")) && !text.contains('@') {
        return Ok(text.to_owned());
    }
    Err("must begin with https:// or http://127.0.0.1".to_owned())
}

enum Client {
    App(ClientCredsSpotify),
    User { client: AuthCodePkceSpotify, cache: PathBuf },
}

/// Spotify, as one asker sees it.
pub struct Spotify<'a> {
    client: Client,
    patience: &'a RetryPolicy<'a>,
}

impl<'a> Spotify<'a> {
    /// As the user of a login where there is one at `cache`, else as the app itself.
    ///
    /// # Errors
    /// Where the login is of another app, or there is neither login nor secret.
    pub fn new(
        credentials: &Credentials,
        cache: Option<PathBuf>,
        addresses: &Addresses,
        patience: &'a RetryPolicy<'a>,
    ) -> Result<Self, SpotifyError> {
        let config = addresses.config();
        if let Some(path) = cache
            && let Some(cache) = Cache::read(&path)?
        {
            if cache.client_id != credentials.id {
                let path = path.display();
                return Err(SpotifyError::Usage(format!(
                    "{path}: is the login of another app\n\
                     hint: `encore spotify login` again, or remove the file to ask as the app"
                )));
            }
            let creds = rspotify::Credentials::new_pkce(&credentials.id);
            let client = AuthCodePkceSpotify::from_token_with_config(
                cache.token,
                creds,
                OAuth::default(),
                config,
            );
            return Ok(Self { client: Client::User { client, cache: path }, patience });
        }
        let Some(secret) = &credentials.secret else {
            return Err(SpotifyError::Usage(
                "no login and no RSPOTIFY_CLIENT_SECRET found\nhint: run `encore spotify login`, or set the variable"
                    .to_owned(),
            ));
        };
        let creds = rspotify::Credentials::new(&credentials.id, secret);
        Ok(Self { client: Client::App(ClientCredsSpotify::with_config(creds, config)), patience })
    }

    /// `the app` or `the user`.
    #[must_use]
    pub fn asks_as(&self) -> &'static str {
        match self.client {
            Client::App(_) => "the app",
            Client::User { .. } => "the user",
        }
    }

    pub(super) fn patience(&self) -> &RetryPolicy<'a> {
        self.patience
    }

    /// Asks one endpoint; a token that ran out is renewed, once.
    pub(super) fn get(
        &self,
        endpoint: &Endpoint,
        path: &str,
    ) -> Result<Outcome<Value>, SpotifyError> {
        if self.needs_token() {
            self.renew()?;
        }
        let outcome = self.patience.ask(endpoint.name, || self.fetch(path))?;
        if !matches!(outcome, Outcome::Refused { code: 401, .. }) {
            return Ok(outcome);
        }
        self.renew()?;
        match self.patience.ask(endpoint.name, || self.fetch(path))? {
            Outcome::Refused { code: 401, .. } => Err(SpotifyError::answer(
                endpoint.name,
                "refused with status 401 although the token is new".to_owned(),
            )),
            outcome => Ok(outcome),
        }
    }

    fn fetch(&self, path: &str) -> Result<Value, Refusal> {
        let body = match &self.client {
            Client::App(client) => client.api_get(path, &Query::new()),
            Client::User { client, .. } => client.api_get(path, &Query::new()),
        };
        let body = body.map_err(refusal)?;
        serde_json::from_str(&body)
            .map_err(|error| Refusal::Broken(format!("incomplete JSON: {error}")))
    }

    fn needs_token(&self) -> bool {
        let token = match &self.client {
            Client::App(client) => client.get_token(),
            Client::User { client, .. } => client.get_token(),
        };
        let token = token.lock().expect("no holder of the token panics");
        token.as_ref().is_none_or(Token::is_expired)
    }

    fn renew(&self) -> Result<(), SpotifyError> {
        match &self.client {
            Client::App(client) => {
                let token = self.new_token(|| client.refetch_token(), TOKEN.if_closed)?;
                *client.get_token().lock().expect("no holder of the token panics") = Some(token);
                Ok(())
            }
            Client::User { client, cache } => {
                let again = format!(
                    "The login has run out or was withdrawn (a login lasts six months since June 2026): \
                     `encore spotify login` again. Its token is in {}.",
                    cache.display()
                );
                let held = client.get_token();
                let old = held.lock().expect("no holder of the token panics").clone();
                let mut token = self.new_token(|| client.refetch_token(), &again)?;
                if token.refresh_token.is_none() {
                    token.refresh_token = old.and_then(|old| old.refresh_token);
                }
                let client_id = client.get_creds().id.clone();
                Cache { client_id, token: token.clone() }.write(cache)?;
                *held.lock().expect("no holder of the token panics") = Some(token);
                Ok(())
            }
        }
    }

    fn new_token(
        &self,
        ask: impl Fn() -> Result<Option<Token>, ClientError>,
        if_refused: &str,
    ) -> Result<Token, SpotifyError> {
        match self.patience.ask(TOKEN.name, || ask().map_err(refusal))? {
            Outcome::Got(Some(token)) => Ok(token),
            Outcome::Got(None) => Err(SpotifyError::Usage(if_refused.to_owned())),
            Outcome::Refused { code, message } => Err(SpotifyError::Usage(format!(
                "{}: refused with status {code} {message}\nhint: {if_refused}",
                TOKEN.name
            ))),
        }
    }
}

/// What rspotify's error is of.
pub(super) fn refusal(error: ClientError) -> Refusal {
    match error {
        ClientError::Http(error) => match *error {
            HttpError::StatusCode(response) => Refusal::of(response),
            HttpError::Transport(error) => Refusal::Broken(error.to_string()),
            HttpError::Io(error) => Refusal::Broken(error.to_string()),
        },
        // The parser's message might quote a token.
        ClientError::ParseJson(error) => Refusal::Broken(format!(
            "incomplete token (line {}, column {})",
            error.line(),
            error.column()
        )),
        error => Refusal::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_by_https_or_nowhere() {
        for good in ["https://api.spotify.com/v1/", "http://127.0.0.1:8080/v1", "http://127.0.0.1"]
        {
            assert_eq!(checked_address(good).as_deref(), Ok(good));
        }
        for bad in [
            "http://api.spotify.com",
            "http://127.0.0.1.example.org",
            "http://127.0.0.1:x@example.org",
            "ftp://x",
        ] {
            assert!(checked_address(bad).is_err(), "{bad}");
        }
    }
}
