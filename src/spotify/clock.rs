//! The time, and waiting: given from outside, so that no test has to wait.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time and lets it pass.
pub trait Clock {
    /// Seconds since 1970, UTC.
    fn now_s(&self) -> u64;

    /// Waits for a duration.
    fn sleep(&self, duration: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_s(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

/// A duration for people: `2h 5m`; seconds count below an hour.
pub(super) fn duration(seconds: u64) -> String {
    let seconds = if seconds < 3600 { seconds } else { seconds.div_ceil(60).saturating_mul(60) };
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// The last second of the year 9999.
const LAST_S: u64 = 253_402_300_799;

/// A time for people: `2026-11-24T21:38:36Z`.
pub(super) fn date(seconds: u64) -> String {
    let seconds = seconds.min(LAST_S);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}
