//! What unparseable cells look like, and which setting of the manifest reads them.

use std::collections::{BTreeMap, BTreeSet};

use super::notation::{grouped, truth};

/// Words that stand for a missing value in the files of others.
pub(crate) const MISSING_WORDS: [&str; 14] = [
    "?",
    "-",
    "--",
    ".",
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "missing",
    "unknown",
    "undefined",
];
/// Different texts of a column that are kept, to suggest them as categories or markers.
const MAX_TEXTS: usize = 24;

/// Whether a text is a usual word for a missing value, in any case.
#[must_use]
pub(crate) fn is_missing_word(text: &str) -> bool {
    MISSING_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The pattern of a cell that is not a plain number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pattern {
    /// `0,504`.
    DecimalComma,
    /// `1.234,5` or `1.234.567`.
    PointThenComma,
    /// `1,132`: a decimal comma or a thousands separator.
    OneComma,
    /// `1,234,567`, `1 132` or `1'132.5`.
    Thousands(char),
    /// `30%`.
    Percent,
    /// `True`, `no`.
    Boolean,
    /// `100 BPM`.
    Unit(String),
    /// `?`, `NaN`.
    MissingWord,
    /// A number outside of the declared range.
    OutOfRange,
    /// Anything else.
    Other,
}

impl Pattern {
    /// What a cell looks like; it is not empty and has no white space around it.
    pub(crate) fn of(cell: &str) -> Self {
        let number = cell.trim_start_matches(['+', '-']);
        if is_missing_word(cell) {
            return Self::MissingWord;
        }
        if truth(cell).is_some() {
            return Self::Boolean;
        }
        if let Some(rest) = cell.strip_suffix('%') {
            return if is_number(rest.trim_end()) { Self::Percent } else { Self::Other };
        }
        if let Some(pattern) = separated(number) {
            return pattern;
        }
        let end = number.trim_start_matches(|c: char| c.is_ascii_digit() || ".,".contains(c));
        let begin = cell.trim_end_matches(|c: char| c.is_ascii_digit() || ".,".contains(c));
        for (unit, rest, is_before) in
            [(end, &number[..number.len() - end.len()], false), (begin, &cell[begin.len()..], true)]
        {
            let unit = unit.trim();
            // Letters before a number are rather a name than a unit.
            let is_name = is_before && unit.chars().any(char::is_alphabetic);
            let is_unit = !(unit.is_empty() || is_name)
                && unit.chars().count() <= 12
                && unit.chars().all(|c| !c.is_ascii_digit() && !":+-".contains(c));
            if is_unit && is_number(rest) {
                return Self::Unit(unit.to_owned());
            }
        }
        Self::Other
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
        || separated(text.trim_start_matches(['+', '-'])).is_some()
}

/// What a number without its sign looks like that has separators.
fn separated(number: &str) -> Option<Pattern> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (before, behind) = number.rsplit_once(['.', ',']).unwrap_or((number, ""));
    let is_fraction = |text: &str| {
        let digits = text.split(['e', 'E']).next().unwrap_or_default();
        is_digits(digits)
            && text.replace(['e', 'E', '-', '+'], "").bytes().all(|b| b.is_ascii_digit())
    };
    for separator in [' ', '\''] {
        let is_whole = grouped(number, separator).is_some();
        if is_whole || (is_fraction(behind) && grouped(before, separator).is_some()) {
            return Some(Pattern::Thousands(separator));
        }
    }
    let n_commas = number.matches(',').count();
    if grouped(number, '.').is_some() && number.matches('.').count() > 1
        || n_commas == 1
            && number.contains('.')
            && is_fraction(behind)
            && grouped(before, '.').is_some()
    {
        return Some(Pattern::PointThenComma);
    }
    if number.contains('.') {
        let is_grouped = is_fraction(behind) && grouped(before, ',').is_some();
        return is_grouped.then_some(Pattern::Thousands(','));
    }
    match (n_commas, grouped(number, ',')) {
        (0, _) => None,
        (1, Some(digits)) if !digits.starts_with('0') => Some(Pattern::OneComma),
        (1, _) => {
            let is_decimal = is_fraction(behind) && (before.is_empty() || is_digits(before));
            is_decimal.then_some(Pattern::DecimalComma)
        }
        (_, Some(_)) => Some(Pattern::Thousands(',')),
        (_, None) => None,
    }
}

/// The unparseable cells of one column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    /// How many look how, with the first of each.
    counts: BTreeMap<Pattern, (usize, String)>,
    /// The different words for a missing value, and the different other texts, of which there may be more.
    markers: BTreeSet<String>,
    others: Vec<String>,
    has_more: bool,
    /// Whether a cell of the column is a number with a decimal point.
    pub(super) has_point: bool,
}

impl Patterns {
    /// Counts a cell.
    pub(crate) fn add(&mut self, cell: &str, pattern: Pattern) {
        match pattern {
            Pattern::MissingWord if self.markers.len() < MAX_TEXTS => {
                self.markers.insert(cell.to_owned());
            }
            Pattern::Other | Pattern::Boolean if self.others.iter().all(|text| text != cell) => {
                if self.others.len() < MAX_TEXTS {
                    self.others.push(cell.to_owned());
                } else {
                    self.has_more = true;
                }
            }
            _ => {}
        }
        let first = || cell.chars().take(40).collect();
        self.counts.entry(pattern).or_insert_with(|| (0, first())).0 += 1;
    }
}

/// How the numbers of a file seem to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commas {
    /// Commas separate decimal digits.
    Decimal,
    /// Commas separate groups of three digits.
    Thousands,
    /// Nothing decides.
    Unknown,
}

/// What commas mean in a file, by all its columns together.
pub(super) fn commas(columns: &[&Patterns]) -> Commas {
    let has = |wanted: &dyn Fn(&Pattern) -> bool| {
        columns.iter().any(|column| column.counts.keys().any(wanted))
    };
    if has(&|pattern| matches!(pattern, Pattern::DecimalComma | Pattern::PointThenComma)) {
        Commas::Decimal
    } else if has(&|pattern| *pattern == Pattern::Thousands(','))
        || columns.iter().any(|column| column.has_point)
    {
        Commas::Thousands
    } else {
        Commas::Unknown
    }
}

/// A setting that reads cells of one column.
struct Setting {
    key: &'static str,
    /// What it is set to; settings of several columns with the same key are put together.
    items: Vec<String>,
    /// How many cells it reads, and one of them.
    n: usize,
    example: String,
}

/// The settings of a manifest that read unparseable cells; each column with our name of it and the number of
/// its cells.
pub(super) fn hint(columns: &[(&str, &Patterns, usize)]) -> String {
    let commas = commas(&columns.iter().map(|(_, patterns, _)| *patterns).collect::<Vec<_>>());
    let mut parts: Vec<(&str, Vec<String>, Vec<String>)> = vec![];
    for (name, patterns, n_cells) in columns {
        for Setting { key, items, n, example } in settings(name, patterns, *n_cells, commas) {
            let cells = format!("{n} of the {n_cells} cells of {name}, such as {example:?}");
            let place = parts.iter().position(|(known, ..)| *known == key).unwrap_or_else(|| {
                parts.push((key, vec![], vec![]));
                parts.len() - 1
            });
            let (_, all_items, all_cells) = &mut parts[place];
            for item in items {
                if !all_items.contains(&item) {
                    all_items.push(item);
                }
            }
            all_cells.push(cells);
        }
    }
    // What loses data comes last.
    parts.sort_by_key(|(key, ..)| *key == "odd_cells");
    let text = |(key, items, cells): &(&str, Vec<String>, Vec<String>)| {
        let value = match *key {
            "units" | "categories" => format!("{{ {} }}", items.join(", ")),
            "percent" | "booleans" | "missing" => format!("[{}]", items.join(", ")),
            _ => items.join(" or "),
        };
        if *key == "columns" {
            return format!("columns without {} skips {}", items.join(", "), cells.join(" and "));
        }
        let verb = if *key == "odd_cells" { "discards" } else { "reads" };
        format!("{key} = {value} {verb} {}", cells.join(" and "))
    };
    let parts = parts.iter().map(text).collect::<Vec<_>>();
    format!("hint: in the manifest's [table], {}", parts.join("; "))
}

fn settings(name: &str, patterns: &Patterns, n_cells: usize, commas: Commas) -> Vec<Setting> {
    let mut settings: Vec<Setting> = vec![];
    let n_of = |pattern: &Pattern| patterns.counts.get(pattern).map_or(0, |(n, _)| *n);
    // Among other texts, `y` or `no` is a text too.
    let n_other = n_of(&Pattern::Other);
    let n_texts = n_other + if n_other > 0 { n_of(&Pattern::Boolean) } else { 0 };
    for (pattern, (n, example)) in &patterns.counts {
        let n = match pattern {
            Pattern::Boolean if n_other > 0 => continue,
            Pattern::Other => &n_texts,
            _ => n,
        };
        let are_texts = *pattern == Pattern::Other && n_texts == n_cells;
        let is_category = are_texts && !patterns.has_more && patterns.others.len() < n_cells;
        let (key, items) = match pattern {
            Pattern::DecimalComma => ("decimal", vec![quoted(",")]),
            Pattern::OneComma => match commas {
                Commas::Decimal => ("decimal", vec![quoted(",")]),
                Commas::Thousands => ("thousands", vec![quoted(",")]),
                Commas::Unknown => ("thousands or decimal", vec![quoted(",")]),
            },
            Pattern::Thousands(separator) => ("thousands", vec![quoted(&separator.to_string())]),
            Pattern::PointThenComma => ("decimal = \",\" with thousands", vec![quoted(".")]),
            Pattern::Percent => ("percent", vec![quoted(name)]),
            Pattern::Boolean => ("booleans", vec![quoted(name)]),
            Pattern::Unit(unit) => ("units", vec![format!("{} = {}", key(name), quoted(unit))]),
            Pattern::MissingWord => {
                ("missing", patterns.markers.iter().map(|marker| quoted(marker)).collect())
            }
            Pattern::Other if is_category => {
                ("categories", vec![format!("{} = {}", key(name), list(&patterns.others))])
            }
            Pattern::Other if are_texts => ("columns", vec![name.to_owned()]),
            Pattern::Other | Pattern::OutOfRange => ("odd_cells", vec![quoted("missing")]),
        };
        match settings.iter_mut().find(|setting| setting.key == key && setting.items == items) {
            Some(setting) => setting.n += n,
            None => settings.push(Setting { key, items, n: *n, example: example.clone() }),
        }
    }
    settings
}

/// A list of texts as TOML writes it.
pub(crate) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// A key as TOML writes it.
pub(crate) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A text as TOML writes it, which is as JSON does.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_recognized_by_how_they_look() {
        let unit = |unit: &str| Pattern::Unit(unit.to_owned());
        for (cell, pattern) in [
            ("0,504", Pattern::DecimalComma),
            ("-61,5", Pattern::DecimalComma),
            (",5", Pattern::DecimalComma),
            ("1,5e-3", Pattern::DecimalComma),
            ("61,665", Pattern::OneComma),
            ("1,234,567", Pattern::Thousands(',')),
            ("1,234.5", Pattern::Thousands(',')),
            ("1 234", Pattern::Thousands(' ')),
            ("1'234.5", Pattern::Thousands('\'')),
            ("1.234,5", Pattern::PointThenComma),
            ("1.234.567", Pattern::PointThenComma),
            ("30%", Pattern::Percent),
            ("3,5 %", Pattern::Percent),
            ("True", Pattern::Boolean),
            ("no", Pattern::Boolean),
            ("100 BPM", unit("BPM")),
            ("-5 dB", unit("dB")),
            ("$5", unit("$")),
            ("NaN", Pattern::MissingWord),
            ("?", Pattern::MissingWord),
            ("3:45", Pattern::Other),
            ("C#", Pattern::Other),
            ("A3", Pattern::Other),
            ("1,2,3", Pattern::Other),
            ("inf", Pattern::Other),
            ("%", Pattern::Other),
            (",", Pattern::Other),
        ] {
            assert_eq!(Pattern::of(cell), pattern, "{cell}");
        }
    }

    fn patterns(cells: &[&str]) -> Patterns {
        let mut patterns = Patterns::default();
        cells.iter().for_each(|cell| patterns.add(cell, Pattern::of(cell)));
        patterns
    }

    #[test]
    fn other_cells_of_the_file_say_what_a_comma_means() {
        let tempo = patterns(&["1,132", "61,665"]);
        let said = |other: &Patterns| hint(&[("tempo", &tempo, 9), ("other", other, 9)]);
        let cells = "reads 2 of the 9 cells of tempo, such as \"1,132\"";
        let thousands = format!("hint: in the manifest's [table], thousands = \",\" {cells}");
        assert_eq!(said(&Patterns { has_point: true, ..Patterns::default() }), thousands);
        let decimal = said(&patterns(&["0,5"]));
        let both =
            format!("decimal = \",\" {cells} and 1 of the 9 cells of other, such as \"0,5\"");
        assert!(decimal.ends_with(&both), "{decimal}");
        let unknown = said(&Patterns::default());
        assert!(unknown.ends_with(&format!(", thousands or decimal = \",\" {cells}")), "{unknown}");
    }

    #[test]
    fn only_texts_that_no_setting_reads_are_discarded() {
        let said = |cells: &[&str]| {
            let hint = hint(&[("x", &patterns(cells), cells.len())]);
            hint.strip_prefix("hint: in the manifest's [table], ").unwrap().to_owned()
        };
        assert_eq!(
            said(&["?", "x", "NaN", "30%"]),
            "percent = [\"x\"] reads 1 of the 4 cells of x, such as \"30%\"; missing = [\"?\", \"NaN\"] \
             reads 2 of the 4 cells of x, such as \"?\"; odd_cells = \"missing\" discards 1 of the 4 cells of x, \
             such as \"x\""
        );
        assert_eq!(
            said(&["x", "y", "x"]),
            "categories = { x = [\"x\", \"y\"] } reads 3 of the 3 cells of x, such as \"x\""
        );
        assert_eq!(
            said(&["a song", "another"]),
            "columns without x skips 2 of the 2 cells of x, such as \"a song\""
        );
        assert_eq!(
            said(&["y", "n"]),
            "booleans = [\"x\"] reads 2 of the 2 cells of x, such as \"y\""
        );
        assert_eq!(
            said(&["C", "C#", "C"]),
            "categories = { x = [\"C\", \"C#\"] } reads 3 of the 3 cells of x, such as \"C\""
        );
    }
}
