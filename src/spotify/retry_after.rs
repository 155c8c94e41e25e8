//! The header `Retry-After`: seconds, or a date in any of the three forms of HTTP.

/// When a service asks to be asked again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum RetryAfter {
    /// After so many seconds.
    Seconds(f64),
    /// At a time, in seconds since 1970.
    At(u64),
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_S: i64 = 86_400;

impl RetryAfter {
    /// Reads the header. A text of no known form is as good as none.
    ///
    /// # Source
    /// RFC 7231, sections 7.1.1.1 and 7.1.3. Fractions of seconds are not in the standard, but some servers send them.
    pub(super) fn parse(text: &str, now_s: u64) -> Option<Self> {
        let text = text.trim();
        if let Some(seconds) = text.parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0) {
            return Some(Self::Seconds(seconds));
        }
        date(text, now_s).map(Self::At)
    }

    /// How long that is from now on, in seconds.
    pub(super) fn wait_s(self, now_s: u64) -> f64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::At(time) => time.saturating_sub(now_s) as f64,
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`, in
/// seconds since 1970.
fn date(text: &str, now_s: u64) -> Option<u64> {
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let words = words.as_slice();
    let ([_, day, month, year, time, "GMT" | "UTC"] | [_, month, day, time, year]) = *words else {
        return None;
    };
    let month = 1 + MONTHS.iter().position(|name| *name == month)? as i64;
    let (day, mut full_year): (i64, i64) = (number(day)?, number(year)?);
    if year.len() == 2 {
        // A year of two digits is never more than 50 years ahead.
        let this_year = year_of(now_s as i64 / DAY_S);
        full_year += this_year / 100 * 100;
        full_year -= if full_year > this_year + 50 { 100 } else { 0 };
    }
    let time: Vec<i64> = time.split(':').map(number).collect::<Option<_>>()?;
    let [hour, minute, second] = *time.as_slice() else { return None };
    let is_real = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let seconds = days(full_year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
    is_real.then(|| u64::try_from(seconds).ok())?
}

/// A number of digits alone.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Days from 1970 to a date of the Gregorian calendar.
///
/// # Source
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year of a day since 1970.
fn year_of(day: i64) -> i64 {
    let mut year = 1970 + day / 366;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    year
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-30.
    const NOW_S: u64 = 1_795_996_800;

    #[test]
    fn seconds_and_the_three_forms_of_a_date_are_read() {
        let parse = |text: &str| RetryAfter::parse(text, NOW_S);
        assert_eq!(parse(" 120 "), Some(RetryAfter::Seconds(120.0)));
        assert_eq!(parse("0.5"), Some(RetryAfter::Seconds(0.5)));
        // The example of RFC 7231.
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(RetryAfter::At(784_111_777)), "{text}");
        }
        assert_eq!(parse("Mon, 30 Nov 2026 00:02:05 GMT").unwrap().wait_s(NOW_S), 125.0);
        assert_eq!(parse("Monday, 30-Nov-26 00:02:05 GMT").unwrap().wait_s(NOW_S), 125.0);
        // In the past: at once.
        assert_eq!(parse("Sun, 29 Nov 2026 00:00:00 GMT").unwrap().wait_s(NOW_S), 0.0);
        assert_eq!(parse("Thu, 29 Feb 2024 12:00:00 GMT"), Some(RetryAfter::At(1_709_208_000)));
    }

    #[test]
    fn anything_else_is_as_good_as_nothing() {
        for text in [
            "",
            "soon",
            "-5",
            "NaN",
            "inf",
            "06 Nov 1994",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 46 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 28:49:37 GMT",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
            "Sun, 06 Nov 0001 08:49:37 GMT",
            "2026-11-30T00:00:00Z",
        ] {
            assert_eq!(RetryAfter::parse(text, NOW_S), None, "{text}");
        }
    }
}
