//! Numbers and lists in the format of the page.

use crate::metrics::{Interval, Metric};

/// Columns of a terminal that text may fill.
pub(super) const MOST_COLUMNS: usize = 100;

/// A fraction as published ones are given: three decimals.
pub(super) fn fraction(value: f64) -> String {
    format!("{value:.3}")
}

/// `0.838 [0.832, 0.844]`.
pub(super) fn interval(interval: &Interval) -> String {
    let Interval { mean, low, high } = interval;
    format!("{} [{}, {}]", fraction(*mean), fraction(*low), fraction(*high))
}

/// A difference of fractions, its sign always there.
pub(super) fn signed(value: f64) -> String {
    signed_number(value, 3)
}

/// A difference of fractions with its interval: `+0.012 [-0.004, +0.028]`.
pub(super) fn signed_interval(interval: &Interval) -> String {
    let [mean, low, high] = [interval.mean, interval.low, interval.high].map(signed);
    format!("{mean} [{low}, {high}]")
}

/// Decimals of a score: three, and of an error in a unit as many as show three digits of a typical value.
pub(super) fn decimals(metric: Metric, typical: f64) -> usize {
    if !metric.has_unit() || typical == 0.0 || !typical.is_finite() {
        return 3;
    }
    (2.0 - typical.abs().log10().floor()).clamp(0.0, 12.0) as usize
}

/// A number with so many decimals.
pub(super) fn number(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// `0.838 [0.832, 0.844]`, as exact as a metric's values are shown.
pub(super) fn metric_interval(metric: Metric, interval: &Interval) -> String {
    let decimals = decimals(metric, interval.mean);
    let [mean, low, high] =
        [interval.mean, interval.low, interval.high].map(|it| number(it, decimals));
    format!("{mean} [{low}, {high}]")
}

/// A difference with so many decimals, its sign always there.
pub(super) fn signed_number(value: f64, decimals: usize) -> String {
    let text = format!("{value:+.decimals$}");
    let is_zero = text.strip_prefix('-').is_some_and(|it| it.chars().all(|c| "0.".contains(c)));
    if is_zero { text.replacen('-', "+", 1) } else { text }
}

/// A count with a comma every three digits.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 seed`, `2 seeds`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// One count, or the least and the largest where they differ: `250` or `98 to 134`.
pub(super) fn span(counts: impl IntoIterator<Item = usize> + Clone) -> String {
    let low = counts.clone().into_iter().min().unwrap_or(0);
    let high = counts.into_iter().max().unwrap_or(0);
    if low == high { count(low) } else { format!("{} to {}", count(low), count(high)) }
}

/// A time in its two largest units: `0.4 s`, `12 s`, `15 min 11 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => {
            let minutes = (seconds / 60.0).round() as u64;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
    }
}

/// A hash, as much of it as tells it apart.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Text that Markdown takes as text, on one line, in a table's cell too.
pub(super) fn plain(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|").replace('<', "&lt;")
}

/// What a page is written in: the same sentences stand on both pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    Markdown,
    Html,
}

impl Markup {
    /// Text that the page takes as text.
    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Markdown => plain(text),
            Self::Html => escaped(text),
        }
    }

    /// What is more important than the rest; `inner` is markup already.
    pub(super) fn strong(self, inner: &str) -> String {
        match self {
            Self::Markdown => format!("**{inner}**"),
            Self::Html => format!("<strong>{inner}</strong>"),
        }
    }

    /// Text from a machine.
    pub(super) fn code(self, text: &str) -> String {
        match self {
            Self::Markdown => format!("`{}`", plain(text)),
            Self::Html => format!("<code>{}</code>", escaped(text)),
        }
    }
}

/// Text that HTML takes as text, within an attribute's quotes too.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
    }
    safe
}

/// Text as lines of at most 100 columns, the first begun with `first`, the others with `others`.
pub(super) fn wrapped(first: &str, others: &str, text: &str) -> String {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            None => lines.push(format!("{first}{word}")),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= MOST_COLUMNS => {
                *line += &format!(" {word}");
            }
            Some(_) => lines.push(format!("{others}{word}")),
        }
    }
    lines.join("\n") + "\n"
}

/// Columns padded to their widest cell, two spaces between.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().enumerate().map(|(column, cell)| {
            let space = width(column).unwrap_or(0) - cell.chars().count();
            format!("{cell}{}", " ".repeat(space))
        });
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A Markdown table whose columns are padded, so that it reads as plain text too.
///
/// The first row is the head. Columns named in `right` are right-aligned.
pub(super) fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let width = |text: &str| text.chars().count();
    let n_columns = rows.first().map_or(0, Vec::len);
    let widest =
        |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..n_columns).map(widest).collect();
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[column] - width(cell));
            text += &if right.contains(&column) {
                format!("| {space}{cell} ")
            } else {
                format!("| {cell}{space} ")
            };
        }
        text += "|\n";
        if i == 0 {
            for (column, width) in widths.iter().enumerate() {
                let end = if right.contains(&column) { ":" } else { "-" };
                text += &format!("|{}{end}", "-".repeat(width + 1));
            }
            text += "|\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_print() {
        assert_eq!(fraction(0.8384), "0.838");
        assert_eq!(
            (signed(0.0124), signed(-0.25), signed(-0.0001)),
            ("+0.012".to_owned(), "-0.250".to_owned(), "+0.000".to_owned())
        );
        assert_eq!((count(999), count(1_014_218)), ("999".to_owned(), "1,014,218".to_owned()));
        assert_eq!(counted(1, "seed"), "1 seed");
        assert_eq!(span([250, 250]), "250");
        assert_eq!(span([134, 98]), "98 to 134");
    }

    #[test]
    fn errors_in_units_have_three_digits() {
        for (typical, wanted) in
            [(12.34, "12.3"), (153.4, "153"), (0.012_34, "0.0123"), (0.0, "0.000")]
        {
            assert_eq!(number(typical, decimals(Metric::Mae, typical)), wanted);
        }
        assert_eq!(number(12.34, decimals(Metric::LogLoss, 12.34)), "12.340");
        let interval = Interval { mean: 15.32, low: 9.01, high: 101.77 };
        assert_eq!(metric_interval(Metric::Mse, &interval), "15.3 [9.0, 101.8]");
        assert_eq!(
            (signed_number(-0.04, 1), signed_number(-0.06, 1)),
            ("+0.0".into(), "-0.1".into())
        );
    }

    #[test]
    fn times_have_their_two_largest_units() {
        let times = [0.42, 12.3, 59.7, 911.0, 3599.9, 7530.0];
        assert_eq!(
            times.map(duration),
            ["0.4 s", "12 s", "1 min 0 s", "15 min 11 s", "1 h 0 min", "2 h 6 min"]
        );
    }

    #[test]
    fn text_stays_text_in_either_markup() {
        assert_eq!(Markup::Html.text("<b a='1'>&\"|"), "&lt;b a=&#39;1&#39;&gt;&amp;&quot;|");
        assert_eq!(Markup::Markdown.text("<b>|\n"), "&lt;b>\\| ");
        assert_eq!(Markup::Html.code("<"), "<code>&lt;</code>");
        assert_eq!(Markup::Markdown.strong("a"), "**a**");
    }

    #[test]
    fn a_table_is_aligned_and_keeps_bars_out_of_its_cells() {
        let rows = [["a", "n"], ["x|y", "10"]].map(|row| row.map(plain).to_vec());
        assert_eq!(table(&rows, &[1]), "| a    |   n |\n|------|----:|\n| x\\|y |  10 |\n");
    }
}
