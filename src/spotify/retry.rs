//! Asks until there is a whole answer: waits as the service wishes, tries again where it stumbled, and gives
//! up where neither helps.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::retry_after::RetryAfter;
use super::{Clock, SpotifyError};
use crate::vocab::{Rng, Seed};

/// Attempts at one question before it is given up.
const N_ATTEMPTS: usize = 6;
/// The first pause after a stumble; every further one is twice as long.
const FIRST_PAUSE_S: f64 = 1.0;

/// Progress of a collection.
#[derive(Debug, Clone, PartialEq)]
pub enum ProgressEvent {
    /// So many of one step are done.
    Progress {
        /// Which step.
        what: &'static str,
        /// How many are done.
        n_done: usize,
        /// Of how many.
        n: usize,
    },
    /// Waiting for this long.
    Waiting {
        /// In seconds.
        seconds: f64,
        /// On whose account.
        why: String,
    },
    /// Something that a user should know.
    Note(String),
}

/// The outcome of a request that got no usable response.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A status other than 2xx.
    Status { code: u16, retry_after: Option<String>, message: String },
    /// No connection, an interrupted connection, or a body that is not JSON.
    Broken(String),
}

impl Refusal {
    /// Reads the refusal from a response with another status than 2xx.
    pub(super) fn of(response: ureq::Response) -> Self {
        let code = response.status();
        let retry_after = response.header("retry-after").map(str::to_owned);
        let message = response.into_string().map_or(String::new(), |body| said(&body));
        Self::Status { code, retry_after, message }
    }
}

/// The reason in an error's body: Spotify's, its accounts service's or ReccoBeats'.
fn said(body: &str) -> String {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return String::new() };
    let mut texts = ["/error/message", "/error_description", "/error"].into_iter();
    let text = texts.find_map(|at| body.pointer(at)?.as_str());
    text.unwrap_or_default().chars().take(200).collect()
}

/// An answer, or a status that waiting does not change.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    Got(T),
    Refused { code: u16, message: String },
}

/// How long one waits for whom.
pub struct RetryPolicy<'a> {
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    tell: &'a dyn Fn(&ProgressEvent),
    wait_at_most: Duration,
    jitter: RefCell<Rng>,
}

impl<'a> RetryPolicy<'a> {
    /// Waits no longer than `wait_at_most` at a time; `seed` keys by how much longer than asked, so that
    /// several who were sent away do not come back in one moment.
    pub fn new(
        clock: &'a dyn Clock,
        stop: &'a AtomicBool,
        tell: &'a dyn Fn(&ProgressEvent),
        wait_at_most: Duration,
        seed: Seed,
    ) -> Self {
        let jitter = RefCell::new(seed.rng("spotify jitter", &[]));
        Self { clock, stop, tell, wait_at_most, jitter }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock
    }

    pub(super) fn tell(&self, told: &ProgressEvent) {
        (self.tell)(told);
    }

    /// Asks one question until it is answered.
    pub(super) fn ask<T>(
        &self,
        endpoint: &str,
        mut attempt: impl FnMut() -> Result<T, Refusal>,
    ) -> Result<Outcome<T>, SpotifyError> {
        let mut last = String::new();
        let mut pause_s = FIRST_PAUSE_S;
        for n_attempts in 1..=N_ATTEMPTS {
            self.go_on()?;
            let (wished_s, why) = match attempt() {
                Ok(value) => return Ok(Outcome::Got(value)),
                Err(Refusal::Status { code, retry_after, message })
                    if code >= 500 || code == 408 || code == 429 =>
                {
                    let why = format!("status {code} {message}").trim_end().to_owned();
                    let now_s = self.clock.now_s();
                    let wished = retry_after.and_then(|text| RetryAfter::parse(&text, now_s));
                    (wished.map(|wished| wished.wait_s(now_s)), why)
                }
                Err(Refusal::Status { code, message, .. }) => {
                    return Ok(Outcome::Refused { code, message });
                }
                Err(Refusal::Broken(message)) => (None, message),
            };
            last = why;
            let least_s = wished_s.unwrap_or(pause_s);
            let is_last = n_attempts == N_ATTEMPTS;
            if least_s > self.wait_at_most.as_secs_f64() || is_last && wished_s.is_some() {
                let wait_s = least_s.ceil() as u64;
                let until_s = self.clock.now_s().saturating_add(wait_s);
                let (endpoint, why) = (endpoint.to_owned(), last);
                return Err(SpotifyError::Later { endpoint, until_s, wait_s, why });
            }
            if !is_last {
                // Never earlier than wished, up to a tenth and a second later.
                let extra = self.jitter.borrow_mut().uniform() * (1.0 + least_s / 10.0);
                self.wait(endpoint, least_s + extra, &last)?;
                pause_s *= 2.0;
            }
        }
        let endpoint = endpoint.to_owned();
        Err(SpotifyError::Unreachable { endpoint, n_attempts: N_ATTEMPTS, last })
    }

    fn wait(&self, endpoint: &str, seconds: f64, why: &str) -> Result<(), SpotifyError> {
        self.tell(&ProgressEvent::Waiting { seconds, why: format!("{endpoint}: {why}") });
        let mut left = Duration::from_secs_f64(seconds);
        while !left.is_zero() {
            self.go_on()?;
            // In pieces, so that Ctrl-C is heard.
            let piece = left.min(Duration::from_millis(200));
            self.clock.sleep(piece);
            left -= piece;
        }
        Ok(())
    }

    pub(super) fn go_on(&self) -> Result<(), SpotifyError> {
        if self.stop.load(Ordering::SeqCst) { Err(SpotifyError::Stopped) } else { Ok(()) }
    }
}
