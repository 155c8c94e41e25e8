//! Rhythms as text: sixteen characters are one bar of four beats.

/// Number of steps in a bar.
#[cfg(test)]
pub(super) const STEPS: usize = 16;

/// One event of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The kind of event; its meaning depends on the part that plays it.
    pub symbol: char,
    /// Position in the bar, in sixteenths.
    pub at: usize,
    /// Length, in sixteenths.
    pub length: usize,
}

/// Reads a pattern: `.` is silence, `-` holds the current note, any other character begins an
/// event.
pub(super) fn steps(text: &str) -> Vec<Step> {
    let mut events: Vec<Step> = Vec::new();
    let mut holding = false;
    for (at, symbol) in text.chars().enumerate() {
        match symbol {
            '.' => holding = false,
            '-' => {
                if let Some(last) = events.last_mut().filter(|_| holding) {
                    last.length += 1;
                }
            }
            _ => {
                events.push(Step { symbol, at, length: 1 });
                holding = true;
            }
        }
    }
    events
}

/// The notes that swing: every second one of these is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swing {
    /// Eighths, as in jazz and shuffles.
    Eighths,
    /// Sixteenths, as in hip hop.
    Sixteenths,
}

impl Swing {
    /// Returns the position of a step in its bar, in beats; `amount` is 0 for straight, 1/6 for a
    /// full triplet.
    #[must_use]
    pub(super) fn beat(self, step: f64, amount: f64) -> f64 {
        let unit = match self {
            Self::Eighths => 1.0,
            Self::Sixteenths => 0.5,
        };
        let position = step / 4.0 / unit;
        let whole = libm::floor(position);
        let part = position - whole;
        let late = 0.5 + amount;
        let bent =
            if part < 0.5 { part / 0.5 * late } else { late + (part - 0.5) / 0.5 * (1.0 - late) };
        (whole + bent) * unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_reads_as_events_with_lengths() {
        let got = steps("x--.-s..");
        assert_eq!(
            got,
            [Step { symbol: 'x', at: 0, length: 3 }, Step { symbol: 's', at: 5, length: 1 }]
        );
    }

    #[test]
    fn swing_delays_the_off_beats_only() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(Swing::Eighths.beat(4.0, 1.0 / 6.0), 1.0);
        close(Swing::Eighths.beat(2.0, 1.0 / 6.0), 2.0 / 3.0);
        close(Swing::Sixteenths.beat(1.0, 0.1), 0.3);
        close(Swing::Sixteenths.beat(2.0, 0.1), 0.5);
        close(Swing::Eighths.beat(16.0, 0.1), 4.0);
    }
}
