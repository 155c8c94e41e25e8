//! How numbers are written: decimal comma, thousands separator, percentages, truth values, units, categories.

/// How the cells of a column of numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notation {
    /// What separates whole from decimal digits: a point or a comma.
    pub decimal: char,
    /// What may separate groups of three digits: a comma, a point, a space (also a narrow or unbreakable
    /// one) or an apostrophe.
    pub thousands: Option<char>,
    /// What the cells hold.
    pub kind: NumberKind,
}

/// What the cells of a column of numbers hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberKind {
    /// Numbers.
    Plain,
    /// `true` or `false`, `yes` or `no`, `t` or `f`, `y` or `n`, 1 or 0, in any case: read as 1 or 0.
    Boolean,
    /// Numbers with a percent sign: `30%` is read as 0.3.
    Percent,
    /// Numbers with or without this text before or behind them.
    Unit(String),
    /// Texts, read as their place in this list, from 0.
    Categories(Vec<String>),
}

impl Default for Notation {
    fn default() -> Self {
        Self { decimal: '.', thousands: None, kind: NumberKind::Plain }
    }
}

impl Notation {
    /// The number in a cell, without white space around it. `None` if it is not a number.
    pub(super) fn number(&self, cell: &str) -> Option<f64> {
        let number = match &self.kind {
            NumberKind::Plain => self.plain(cell),
            NumberKind::Boolean => truth(cell).map(|is_true| f64::from(u8::from(is_true))),
            NumberKind::Percent => {
                let number = cell.strip_suffix('%').and_then(|rest| self.plain(rest.trim_end()));
                number.map(|x| x / 100.0)
            }
            NumberKind::Unit(unit) => self.plain(without(cell, unit)),
            NumberKind::Categories(names) => {
                names.iter().position(|name| name == cell).map(|place| place as f64)
            }
        };
        number.filter(|x| x.is_finite())
    }

    fn plain(&self, cell: &str) -> Option<f64> {
        if self.decimal == '.' && self.thousands.is_none() {
            return cell.parse().ok();
        }
        let sign = cell.len() - cell.trim_start_matches(['+', '-']).len();
        let (whole, rest) = match cell.find(self.decimal) {
            Some(place) => (cell.get(sign..place)?, Some(&cell[place + 1..])),
            None => (&cell[sign..], None),
        };
        let digits = match self.thousands {
            Some(separator) if whole.contains(|c| is_separator(c, separator)) => {
                grouped(whole, separator)?
            }
            _ => whole.to_owned(),
        };
        let rest = rest.map_or(String::new(), |rest| format!(".{rest}"));
        // With a decimal comma, a point that separates nothing is a fault.
        if digits.contains('.') || rest[rest.len().min(1)..].contains('.') {
            return None;
        }
        format!("{}{digits}{rest}", &cell[..sign]).parse().ok()
    }
}

/// Whether a character is a declared separator, or one that only looks different in print.
pub(super) fn is_separator(c: char, separator: char) -> bool {
    match separator {
        ' ' => matches!(c, ' ' | '\u{A0}' | '\u{202F}'),
        '\'' => matches!(c, '\'' | '\u{2019}'),
        _ => c == separator,
    }
}

/// The digits of groups of three, of which the first may be shorter. `None` for any other text.
pub(super) fn grouped(text: &str, separator: char) -> Option<String> {
    let groups: Vec<&str> = text.split(|c| is_separator(c, separator)).collect();
    let is_group = |(i, group): (usize, &&str)| {
        group.bytes().all(|byte| byte.is_ascii_digit())
            && if i == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 }
    };
    (groups.len() > 1 && groups.iter().enumerate().all(is_group)).then(|| groups.concat())
}

/// What a word says of truth.
pub(super) fn truth(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

fn without<'a>(cell: &'a str, unit: &str) -> &'a str {
    let is_unit = |part: &str| part.eq_ignore_ascii_case(unit);
    let n = cell.len().saturating_sub(unit.len());
    match (cell.get(n..), cell.get(..unit.len())) {
        (Some(end), _) if is_unit(end) => cell[..n].trim_end(),
        (_, Some(begin)) if is_unit(begin) => cell[unit.len()..].trim_start(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(decimal: char, thousands: Option<char>, cell: &str) -> Option<f64> {
        Notation { decimal, thousands, kind: NumberKind::Plain }.number(cell)
    }

    fn of(kind: NumberKind, cell: &str) -> Option<f64> {
        Notation { kind, ..Notation::default() }.number(cell)
    }

    #[test]
    fn decimal_commas_and_thousands_are_read_as_declared_and_nothing_else_is() {
        assert_eq!(read(',', None, "-0,504"), Some(-0.504));
        assert_eq!(read(',', None, "12"), Some(12.0));
        assert_eq!(read(',', None, "1,5e-3"), Some(0.0015));
        assert_eq!(read(',', None, "0.504"), None);
        assert_eq!(read(',', None, "1,2,3"), None);
        assert_eq!(read('.', Some(','), "1,132"), Some(1132.0));
        assert_eq!(read('.', Some(','), "-1,234,567.25"), Some(-1_234_567.25));
        assert_eq!(read('.', Some(','), "616"), Some(616.0));
        assert_eq!(read('.', Some(','), "1e5"), Some(1e5));
        for cell in ["1,13", "1,1320", ",132", "1,,132", "1.5,132", "+,1", "1,132,"] {
            assert_eq!(read('.', Some(','), cell), None, "{cell}");
        }
        assert_eq!(read(',', Some('.'), "1.234,5"), Some(1234.5));
        assert_eq!(read(',', Some('.'), "1.23,5"), None);
        assert_eq!(read('.', Some(' '), "1\u{A0}234\u{202F}567.5"), Some(1_234_567.5));
        assert_eq!(read('.', Some('\''), "1’234"), Some(1234.0));
        assert_eq!(read('.', None, "1,132"), None);
    }

    #[test]
    fn other_kinds_of_cells_are_numbers_too() {
        for (cell, x) in [("True", 1.0), ("no", 0.0), ("F", 0.0), ("1", 1.0), ("YES", 1.0)] {
            assert_eq!(of(NumberKind::Boolean, cell), Some(x), "{cell}");
        }
        assert_eq!(of(NumberKind::Boolean, "maybe"), None);
        assert_eq!(of(NumberKind::Percent, "30 %"), Some(0.3));
        assert_eq!(of(NumberKind::Percent, "30"), None);
        let unit = |cell| of(NumberKind::Unit("BPM".to_owned()), cell);
        assert_eq!(
            (unit("100 bpm"), unit("100"), unit("100 Hz")),
            (Some(100.0), Some(100.0), None)
        );
        assert_eq!(of(NumberKind::Unit("$".to_owned()), "$ 5"), Some(5.0));
        assert_eq!(of(NumberKind::Unit("é".to_owned()), "5€"), None);
        let keys = NumberKind::Categories(["C", "C#"].map(str::to_owned).to_vec());
        assert_eq!((of(keys.clone(), "C#"), of(keys, "c")), (Some(1.0), None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_stops_it(cell in "[-+0-9., '%éa\u{A0}]{0,9}", decimal in "[.,]", thousands in "[., ']") {
            let first = |text: &str| text.chars().next().unwrap();
            for thousands in [None, Some(first(&thousands))] {
                let number = read(first(&decimal), thousands, &cell);
                proptest::prop_assert!(number.is_none_or(f64::is_finite));
                of(NumberKind::Unit("é".to_owned()), &cell);
            }
        }
    }
}
