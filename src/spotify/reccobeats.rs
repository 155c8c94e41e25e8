//! ReccoBeats: an open service that answers for Spotify's track ids with features of the same names.
//!
//! # Source
//! reccobeats.com/docs, "Get multiple audio features": up to 40 ids. `content` lists the known tracks in any
//! order and omits the others. `id` is ReccoBeats' own; `href` has the track's address at Spotify. The service
//! needs no key, has a limit of unknown size, and sends `Retry-After` with status 429.

use std::time::Duration;

use serde_json::Value;

use super::SpotifyError;
use super::answer::{Answer, is_id};
use super::endpoint::{Endpoint, RECCOBEATS};
use super::features::{Answered, Batch, FeatureSource, Features, Source, aligned, closed};
use super::retry::{Outcome, Refusal, RetryPolicy};

/// The service at one address.
pub struct ReccoBeats<'a> {
    address: String,
    agent: ureq::Agent,
    patience: &'a RetryPolicy<'a>,
}

impl<'a> ReccoBeats<'a> {
    /// The address at which it is known, up to `/v1`.
    pub const ADDRESS: &'static str = "https://api.reccobeats.com";

    /// At an address such as [`Self::ADDRESS`]; a request that takes longer than `timeout` is tried again.
    #[must_use]
    pub fn new(address: &str, timeout: Duration, patience: &'a RetryPolicy<'a>) -> Self {
        let agent = ureq::AgentBuilder::new().try_proxy_from_env(true).timeout(timeout).build();
        Self { address: address.trim_end_matches('/').to_owned(), agent, patience }
    }

    fn fetch(&self, ids: &[&str]) -> Result<Value, Refusal> {
        let address = format!("{}/v1/audio-features?ids={}", self.address, ids.join(","));
        let response = self.agent.get(&address).set("accept", "application/json").call();
        let body = match response {
            Ok(response) => {
                response.into_string().map_err(|error| Refusal::Broken(error.to_string()))?
            }
            Err(ureq::Error::Status(_, response)) => return Err(Refusal::of(response)),
            Err(ureq::Error::Transport(error)) => return Err(Refusal::Broken(error.to_string())),
        };
        serde_json::from_str(&body)
            .map_err(|error| Refusal::Broken(format!("incomplete JSON: {error}")))
    }
}

impl FeatureSource for ReccoBeats<'_> {
    fn source(&self) -> Source {
        Source::ReccoBeats
    }

    fn asks_as(&self) -> &'static str {
        "anybody"
    }

    fn endpoints(&self) -> &'static [&'static Endpoint] {
        static ALL: [&Endpoint; 1] = [&RECCOBEATS];
        &ALL
    }

    fn ask(&self, endpoint: &Endpoint, ids: &[&str]) -> Result<Answered<Batch>, SpotifyError> {
        let value = match self.patience.ask(endpoint.name, || self.fetch(ids))? {
            Outcome::Got(value) => value,
            Outcome::Refused { code, message } => return closed(endpoint, code, message),
        };
        let mut found = vec![];
        for features in Answer::of(endpoint.name, &value).field("content")?.list()? {
            let href = features.field("href")?;
            let link = href.text()?;
            let id = link.rsplit_once("/track/").map(|(_, id)| id).filter(|id| is_id(id));
            let id = id.ok_or_else(|| href.wrong("the address of a track at Spotify"))?;
            found.push((id.to_owned(), Features::read(&features)?));
        }
        Ok(Answered::Got(aligned(ids, found)))
    }
}
