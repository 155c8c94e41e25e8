//! What is in the columns of a file that nothing is known about: to propose a manifest.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::patterns::{Commas, Pattern, Patterns, commas};
use super::{Csv, OddCells, TableError, header, packing, parquet};
use crate::delimited::Records;

/// Different cells of a column that are counted one by one.
const MAX_COUNTED: usize = 2000;
/// Different cells up to which a column can be found to repeat none.
const MAX_DISTINCT: usize = 1_000_000;
/// Records that decide which character separates cells.
const N_TRIED: usize = 50;

/// What a file holds.
#[derive(Debug)]
pub(crate) struct Survey {
    /// What separates cells.
    pub delimiter: char,
    /// Rows below the header.
    pub n_rows: usize,
    /// Its columns, in their order.
    pub columns: Vec<ColumnSurvey>,
    /// What separates decimal digits.
    pub decimal: char,
    /// What separates groups of three digits, if anything does.
    pub thousands: Option<char>,
    /// Whether nothing but a guess says what commas separate.
    pub is_guess: bool,
}

/// What a column holds.
#[derive(Debug)]
pub(crate) struct ColumnSurvey {
    /// Its name in the file.
    pub name: String,
    /// What its cells are.
    pub cells: Cells,
    /// Cells with something in them.
    pub n_filled: usize,
    /// Usual words for a missing value that are among its cells.
    pub markers: Vec<String>,
    /// How often each cell occurs. `None` if there are too many different cells.
    pub counts: Option<BTreeMap<String, usize>>,
    /// Whether no cell occurs twice.
    pub is_unique: bool,
    /// Whether all its numbers are whole ones.
    pub is_whole: bool,
}

/// The kind of a column's cells, apart from those that are empty or stand for a missing value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cells {
    /// All cells are empty.
    None,
    /// Numbers.
    Numbers,
    /// `True` and `False`, `yes` and `no`, and similar pairs.
    Booleans,
    /// `30%`.
    Percent,
    /// Numbers with one unit.
    Unit(String),
    /// Mostly numbers: so many cells are none, of which this is one.
    MostlyNumbers(usize, String),
    /// Anything.
    Texts,
}

/// The cells of one column as they come.
struct Collected {
    name: String,
    n_filled: usize,
    n_plain: usize,
    patterns: Patterns,
    n_of: BTreeMap<Pattern, usize>,
    other: Option<String>,
    markers: BTreeSet<String>,
    counts: BTreeMap<String, usize>,
    seen: HashSet<u64>,
    is_unique: bool,
    is_whole: bool,
}

impl Collected {
    fn new(name: String) -> Self {
        Self {
            name,
            n_filled: 0,
            n_plain: 0,
            patterns: Patterns::default(),
            n_of: BTreeMap::new(),
            other: None,
            markers: BTreeSet::new(),
            counts: BTreeMap::new(),
            seen: HashSet::new(),
            is_unique: true,
            is_whole: true,
        }
    }

    fn push(&mut self, cell: &str) {
        let cell = cell.trim();
        if cell.is_empty() {
            return;
        }
        self.n_filled += 1;
        if self.is_unique {
            let mut hasher = DefaultHasher::new();
            cell.hash(&mut hasher);
            self.is_unique = self.seen.len() < MAX_DISTINCT && self.seen.insert(hasher.finish());
        }
        if let Some(n) = self.counts.get_mut(cell) {
            *n += 1;
        } else if self.counts.len() <= MAX_COUNTED {
            self.counts.insert(cell.to_owned(), 1);
        }
        if let Some(number) = cell.parse::<f64>().ok().filter(|x| x.is_finite()) {
            self.n_plain += 1;
            self.is_whole &= number.fract() == 0.0;
            self.patterns.has_point |= cell.contains('.');
            return;
        }
        let pattern = Pattern::of(cell);
        match pattern {
            Pattern::MissingWord => {
                self.markers.insert(cell.to_owned());
            }
            Pattern::OneComma | Pattern::Boolean | Pattern::Thousands(_) => {}
            _ => self.is_whole = false,
        }
        if pattern == Pattern::Other {
            self.other.get_or_insert_with(|| cell.chars().take(40).collect());
        }
        self.patterns.add(cell, pattern.clone());
        *self.n_of.entry(pattern).or_default() += 1;
    }

    fn n(&self, pattern: &Pattern) -> usize {
        self.n_of.get(pattern).copied().unwrap_or(0)
    }

    /// Cells that are numbers once the file's separators are known.
    fn n_numbers(&self, decimal: char, thousands: Option<char>) -> usize {
        let plain = if decimal == ',' && self.patterns.has_point { 0 } else { self.n_plain };
        let of = |(pattern, n): (&Pattern, &usize)| {
            let is_read = match pattern {
                Pattern::DecimalComma => decimal == ',',
                Pattern::PointThenComma => decimal == ',' && thousands == Some('.'),
                Pattern::OneComma => decimal == ',' || thousands == Some(','),
                Pattern::Thousands(separator) => thousands == Some(*separator),
                _ => false,
            };
            if is_read { *n } else { 0 }
        };
        plain + self.n_of.iter().map(of).sum::<usize>()
    }

    fn cells(&self, decimal: char, thousands: Option<char>) -> Cells {
        let n = self.n_filled - self.n(&Pattern::MissingWord);
        let numbers = self.n_numbers(decimal, thousands);
        let units: Vec<(&str, usize)> = self
            .n_of
            .iter()
            .filter_map(|(pattern, n)| match pattern {
                Pattern::Unit(unit) => Some((unit.as_str(), *n)),
                _ => None,
            })
            .collect();
        match units.as_slice() {
            _ if n == 0 => Cells::None,
            _ if numbers == n => Cells::Numbers,
            _ if self.n(&Pattern::Boolean) == n => Cells::Booleans,
            _ if self.n(&Pattern::Percent) == n => Cells::Percent,
            [(unit, n_unit)] if numbers + n_unit == n => Cells::Unit((*unit).to_owned()),
            _ if numbers * 2 > n => {
                let known = || self.n_of.keys().map(|pattern| format!("{pattern:?}"));
                let example = self.other.clone().or_else(|| known().next());
                Cells::MostlyNumbers(n - numbers, example.unwrap_or_default())
            }
            _ => Cells::Texts,
        }
    }
}

impl Survey {
    /// Looks at every cell of a file.
    ///
    /// # Errors
    /// Where it can't be read, or a row has more or fewer cells than the header.
    pub(crate) fn of(path: &Path) -> Result<Self, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let bytes = packing::unpacked(bytes).map_err(unreadable)?;
        if bytes.starts_with(parquet::MAGIC) {
            return Self::of_parquet(path, &bytes);
        }
        let delimiter = delimiter(&bytes);
        let mut records = Records::new(&bytes, delimiter);
        let header = header::named(records.header().map_err(unreadable)?);
        let mut columns: Vec<Collected> = header.into_iter().map(Collected::new).collect();
        let mut n_rows = 0;
        while let Some(record) = records.next().map_err(unreadable)? {
            if record.len() != columns.len() {
                let (n, line, wanted) = (record.len(), record.line, columns.len());
                let message = format!(
                    "line {line} has {n} cells, expected the {wanted} of the header\n\
                     hint: a cell with the delimiter {:?} in it must be in double quotes",
                    char::from(delimiter)
                );
                return Err(TableError::Ragged { path: path.to_owned(), message });
            }
            n_rows += 1;
            columns.iter_mut().zip(record.iter()).for_each(|(column, cell)| column.push(&cell));
        }
        Ok(Self::from_columns(char::from(delimiter), n_rows, columns))
    }

    fn of_parquet(path: &Path, bytes: &[u8]) -> Result<Self, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let (mut columns, mut n_rows) = (vec![], 0);
        for name in parquet::header(std::io::Cursor::new(bytes)).map_err(unreadable)? {
            let csv = Csv {
                delimiter: ',',
                texts: vec![&name],
                numbers: vec![],
                odd_cells: OddCells::Error,
            };
            let mut column = Collected::new(name.clone());
            // A column that is no text or number, such as one of lists, has no cells for our purpose.
            if let Ok(read) = parquet::read(&csv, path, bytes) {
                n_rows = read.lines.len();
                read.texts[0].iter().for_each(|cell| column.push(cell));
            }
            columns.push(column);
        }
        Ok(Self::from_columns(',', n_rows, columns))
    }

    fn from_columns(delimiter: char, n_rows: usize, columns: Vec<Collected>) -> Self {
        let patterns: Vec<&Patterns> = columns.iter().map(|column| &column.patterns).collect();
        let commas = commas(&patterns);
        let has = |pattern: &Pattern| columns.iter().any(|column| column.n(pattern) > 0);
        let separator = [',', ' ', '\''].into_iter().find(|c| has(&Pattern::Thousands(*c)));
        let is_guess = commas == Commas::Unknown && has(&Pattern::OneComma);
        // Files whose cells are separated by commas rarely have decimal commas.
        let is_decimal = commas == Commas::Decimal || is_guess && delimiter != ',';
        let (decimal, thousands) = if is_decimal {
            let points = has(&Pattern::PointThenComma).then_some('.');
            (',', points.or(separator.filter(|c| *c != ',')))
        } else {
            ('.', has(&Pattern::OneComma).then_some(',').or(separator))
        };
        let finished = |column: Collected| ColumnSurvey {
            cells: column.cells(decimal, thousands),
            is_whole: column.is_whole && column.n_filled > 0,
            name: column.name,
            n_filled: column.n_filled,
            markers: column.markers.into_iter().collect(),
            counts: (column.counts.len() <= MAX_COUNTED).then_some(column.counts),
            is_unique: column.is_unique && column.n_filled == n_rows,
        };
        let columns = columns.into_iter().map(finished).collect();
        Self { delimiter, n_rows, columns, decimal, thousands, is_guess }
    }
}

/// The character that separates the cells of a file: with it, most of the first records have as many cells as
/// the first, and more than one.
fn delimiter(bytes: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut records = Records::new(bytes, delimiter);
        let Ok(header) = records.header() else { return (0, 0) };
        let (mut n, mut n_equal) = (0, 0);
        while n < N_TRIED {
            let Ok(Some(record)) = records.next() else { break };
            n += 1;
            n_equal += usize::from(record.len() == header.len());
        }
        let is_table = header.len() > 1 && n_equal * 2 >= n;
        (usize::from(is_table), header.len())
    };
    // The last of several maxima counts.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(text: &str) -> Survey {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Survey::of(file.path()).unwrap()
    }

    fn cells(text: &str) -> Vec<Cells> {
        survey(text).columns.into_iter().map(|column| column.cells).collect()
    }

    #[test]
    fn columns_are_known_by_their_cells() {
        let text = "a,b,c,d,e,f,g\n1,True,30%,1 BPM,x,,1\n?,False,5 %,2 BPM,1,,2\n3,,NA,3,y,,x\n";
        assert_eq!(
            cells(text),
            [
                Cells::Numbers,
                Cells::Booleans,
                Cells::Percent,
                Cells::Unit("BPM".to_owned()),
                Cells::Texts,
                Cells::None,
                Cells::MostlyNumbers(1, "x".to_owned()),
            ]
        );
        let survey = survey(text);
        assert_eq!((survey.n_rows, survey.delimiter), (3, ','));
        assert_eq!(survey.columns[0].markers, ["?"]);
        assert!(survey.columns[4].is_unique && !survey.columns[1].is_unique);
    }

    #[test]
    fn separators_are_found_by_all_columns_together() {
        let separators = |text: &str| {
            let survey = survey(text);
            assert!(survey.columns[1].cells == Cells::Numbers, "{survey:?}");
            (survey.delimiter, survey.decimal, survey.thousands, survey.is_guess)
        };
        assert_eq!(separators("a;b\n0,5;1,132\n"), (';', ',', None, false));
        assert_eq!(separators("a,b\n0.5,\"1,132\"\n"), (',', '.', Some(','), false));
        assert_eq!(separators("a,b\n5,\"1,132\"\n"), (',', '.', Some(','), true));
        assert_eq!(separators("a\tb\n5\t1,132\n"), ('\t', ',', None, true));
        assert_eq!(separators("a\tb\n5\t1.132,5\n"), ('\t', ',', Some('.'), false));
    }

    #[test]
    fn a_parquet_file_is_surveyed_as_its_csv() {
        use super::super::{Values, parquet_bytes};
        let file = tempfile::NamedTempFile::new().unwrap();
        let names = ["x", "y", "x"].map(str::to_owned).to_vec();
        let columns = [("name", Values::Texts(names)), ("n", Values::Numbers(vec![1.5, 2.0, 3.0]))];
        std::fs::write(file.path(), parquet_bytes(&columns)).unwrap();
        let survey = Survey::of(file.path()).unwrap();
        let cells: Vec<&Cells> = survey.columns.iter().map(|column| &column.cells).collect();
        assert_eq!((survey.n_rows, cells), (3, vec![&Cells::Texts, &Cells::Numbers]));
        assert_eq!(survey.columns[0].counts.as_ref().unwrap()["x"], 2);
    }
}
