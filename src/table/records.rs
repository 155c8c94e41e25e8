//! A delimited file, record by record: cells, and the line each record begins on.
//!
//! Ours, because every kind of dirt needs its line: a record with too few cells, bytes that are no
//! UTF-8, a quote that is never closed. One record is in memory at a time.
//!
//! # Source
//! RFC 4180, with any one-byte delimiter, LF or CRLF, and a quote that means itself inside a cell that
//! does not begin with one. Where a tab delimits, nothing is quoted (IANA's `text/tab-separated-values`).

use std::borrow::Cow;
use std::io::BufRead;

/// Walks over the records of a file.
pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    /// Whether bytes that are no UTF-8 become U+FFFD instead of an error.
    is_lossy: bool,
    /// The record as it stands in the file, without its last line break.
    raw: Vec<u8>,
    /// What its cells are pieces of: the record, without quotes where it has some.
    text: String,
    /// Where each cell begins and ends in `text`.
    bounds: Vec<(usize, usize)>,
    /// One-based line that the record begins on.
    line: usize,
    /// Lines read so far.
    n_lines: usize,
}

/// One record's cells.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) line: usize,
    text: &'a str,
    bounds: &'a [(usize, usize)],
}

impl<'a> Cells<'a> {
    pub(super) fn len(self) -> usize {
        self.bounds.len()
    }

    /// The cell of a column, as it stands in the file, without its quotes.
    pub(super) fn cell(self, column: usize) -> &'a str {
        let (start, end) = self.bounds[column];
        &self.text[start..end]
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |column| self.cell(column))
    }
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        let (raw, text, bounds) = (vec![], String::new(), vec![]);
        Self { input, delimiter, is_lossy: false, raw, text, bounds, line: 0, n_lines: 0 }
    }

    /// The header: passes over lines that begin with `# `.
    pub(super) fn header(&mut self) -> Result<Vec<String>, String> {
        loop {
            if !self.read_line()? {
                return Err("is empty: it has no header".to_owned());
            }
            if !self.raw.starts_with(b"# ") {
                break;
            }
            self.raw.clear();
        }
        self.divide()?;
        let cells = Cells { line: self.line, text: &self.text, bounds: &self.bounds };
        Ok(cells.iter().map(str::to_owned).collect())
    }

    /// The next record; lines with nothing on them are none.
    pub(super) fn next(&mut self) -> Result<Option<Cells<'_>>, String> {
        loop {
            self.raw.clear();
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.raw.is_empty() {
                break;
            }
        }
        self.divide()?;
        Ok(Some(Cells { line: self.line, text: &self.text, bounds: &self.bounds }))
    }

    /// Adds a line to what is there of the record, without its line break or, in front of the first, a
    /// byte order mark.
    fn read_line(&mut self) -> Result<bool, String> {
        if self.raw.is_empty() {
            self.line = self.n_lines + 1;
        }
        let n = self.input.read_until(b'\n', &mut self.raw).map_err(|error| error.to_string())?;
        if n == 0 {
            return Ok(false);
        }
        self.n_lines += 1;
        if self.n_lines == 1 {
            if self.raw.starts_with(&[0xFF, 0xFE]) || self.raw.starts_with(&[0xFE, 0xFF]) {
                return Err("is UTF-16, and UTF-8 can be read\n\
                            hint: iconv -f UTF-16 -t UTF-8 OLD > NEW"
                    .to_owned());
            }
            if self.raw.starts_with(b"\xEF\xBB\xBF") {
                self.raw.drain(..3);
            }
        }
        if self.raw.ends_with(b"\n") {
            self.raw.pop();
            if self.raw.ends_with(b"\r") {
                self.raw.pop();
            }
        }
        Ok(true)
    }

    /// Takes the record apart, and reads on where a quoted cell does.
    fn divide(&mut self) -> Result<(), String> {
        self.text.clear();
        self.bounds.clear();
        if self.delimiter != b'\t' && self.raw.contains(&b'"') {
            return self.divide_quoted();
        }
        self.text.push_str(&utf8(&self.raw, self.line, self.is_lossy)?);
        let mut start = 0;
        for (place, _) in self.text.bytes().enumerate().filter(|(_, b)| *b == self.delimiter) {
            self.bounds.push((start, place));
            start = place + 1;
        }
        self.bounds.push((start, self.text.len()));
        Ok(())
    }

    fn divide_quoted(&mut self) -> Result<(), String> {
        let mut cell = vec![];
        let mut place = 0;
        loop {
            let is_quoted = self.raw.get(place) == Some(&b'"');
            if is_quoted {
                place += 1;
                loop {
                    match (self.raw.get(place), self.raw.get(place + 1)) {
                        (Some(b'"'), Some(b'"')) => {
                            cell.push(b'"');
                            place += 2;
                        }
                        (Some(b'"'), _) => break,
                        (Some(&byte), _) => {
                            cell.push(byte);
                            place += 1;
                        }
                        (None, _) => {
                            self.raw.push(b'\n');
                            cell.push(b'\n');
                            place += 1;
                            if !self.read_line()? {
                                let (line, column) = (self.line, self.bounds.len() + 1);
                                return Err(format!(
                                    "line {line}: the quote that opens cell {column} is never closed"
                                ));
                            }
                        }
                    }
                }
                place += 1;
            }
            let rest = &self.raw[place..];
            let end = rest.iter().position(|b| *b == self.delimiter).unwrap_or(rest.len());
            if is_quoted && end > 0 {
                let (line, column) = (self.n_lines, self.bounds.len() + 1);
                let got = String::from_utf8_lossy(&rest[..end.min(20)]).into_owned();
                return Err(format!(
                    "line {line}: cell {column} goes on behind its closing quote with {got:?}"
                ));
            }
            cell.extend(&rest[..end]);
            let start = self.text.len();
            self.text.push_str(&utf8(&cell, self.line, self.is_lossy)?);
            self.bounds.push((start, self.text.len()));
            cell.clear();
            place += end;
            if place >= self.raw.len() {
                return Ok(());
            }
            place += 1;
        }
    }
}

fn utf8(bytes: &[u8], line: usize, is_lossy: bool) -> Result<Cow<'_, str>, String> {
    if is_lossy {
        return Ok(String::from_utf8_lossy(bytes));
    }
    str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let byte = bytes[error.valid_up_to()];
        format!(
            "line {line} holds the byte 0x{byte:02X}, which is no UTF-8; the file may be Latin-1\n\
             hint: iconv -f ISO-8859-1 -t UTF-8 OLD > NEW"
        )
    })
}

/// A record of a small file, with cells of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The one-based line on which it begins.
    pub line: usize,
    /// Its cells, without the white space around them; at least one is not empty.
    pub cells: Vec<String>,
}

/// The records of a file's bytes, which may differ in length; those whose cells are all empty are passed over,
/// and bytes that are no UTF-8 become U+FFFD.
///
/// A fault of the whole file, such as a quote that is never closed, is the last item.
pub fn records(bytes: &[u8], delimiter: u8) -> impl Iterator<Item = Result<Record, String>> {
    let mut records = Records::new(bytes, delimiter);
    records.is_lossy = true;
    let mut is_over = false;
    std::iter::from_fn(move || {
        while !is_over {
            let cells = match records.next() {
                Ok(None) => return None,
                Ok(Some(cells)) => cells,
                Err(message) => {
                    is_over = true;
                    return Some(Err(message));
                }
            };
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                let line = cells.line;
                let cells = cells.iter().map(|cell| cell.trim().to_owned()).collect();
                return Some(Ok(Record { line, cells }));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8], delimiter: u8) -> Result<Vec<(usize, Vec<String>)>, String> {
        let mut records = Records::new(text, delimiter);
        let mut found = vec![(0, records.header()?)];
        while let Some(record) = records.next()? {
            found.push((record.line, record.iter().map(str::to_owned).collect()));
        }
        Ok(found)
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        all(text.as_bytes(), b',').unwrap().into_iter().map(|(_, cells)| cells).collect()
    }

    #[test]
    fn cells_end_at_delimiters_and_line_breaks_of_either_kind() {
        assert_eq!(cells("a,b\n1,2\n,\n"), [["a", "b"], ["1", "2"], ["", ""]]);
        assert_eq!(cells("a,b\r\n1,2\r\n\r\n3,4"), [["a", "b"], ["1", "2"], ["3", "4"]]);
        assert_eq!(all(b"a;b\n1,5;2\n", b';').unwrap()[1].1, ["1,5", "2"]);
        assert_eq!(all(b"a\tb\n\xC3\xA9\t\n", b'\t').unwrap()[1].1, ["é", ""]);
    }

    #[test]
    fn quotes_keep_delimiters_quotes_and_line_breaks() {
        let text = "a,b\n\"x, \"\"y\"\"\",\"\"\n\"1\r\n2\n3\",4\n5,6\" tall\n";
        let found = all(text.as_bytes(), b',').unwrap();
        let wanted = [["x, \"y\"", ""], ["1\n2\n3", "4"], ["5", "6\" tall"]];
        assert_eq!(found[1..].iter().map(|(_, cells)| cells.clone()).collect::<Vec<_>>(), wanted);
        assert_eq!(found[1..].iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 6]);
    }

    #[test]
    fn a_byte_order_mark_and_remarks_come_before_the_header() {
        assert_eq!(cells("\u{FEFF}a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
        assert_eq!(cells("# by \"X\n# and Y\na\n# no remark\n"), [["a"], ["# no remark"]]);
    }

    #[test]
    fn broken_files_are_named_with_the_line() {
        let said = |text: &[u8]| all(text, b',').unwrap_err().lines().next().unwrap().to_owned();
        assert_eq!(said(b""), "is empty: it has no header");
        assert_eq!(said(b"\xFF\xFEa\0"), "is UTF-16, and UTF-8 can be read");
        assert_eq!(
            said(b"a,b\n1,2\n1,\"2\n"),
            "line 3: the quote that opens cell 2 is never closed"
        );
        assert_eq!(
            said(b"a,b\n\"1\" x,2\n"),
            "line 2: cell 1 goes on behind its closing quote with \" x\""
        );
        let latin = "line 3 holds the byte 0xE9, which is no UTF-8; the file may be Latin-1";
        assert_eq!(said(b"a\n1\nBeyonc\xE9\n"), latin);
        assert_eq!(said(b"a\n1\n\"Beyonc\xE9\"\n"), latin);
    }
    fn owned(text: &[u8], delimiter: u8) -> Vec<(usize, Vec<String>)> {
        records(text, delimiter).map(|record| record.map(|r| (r.line, r.cells)).unwrap()).collect()
    }

    #[test]
    fn records_of_their_own_may_differ_in_length_and_empty_ones_are_none() {
        let text = b"\xEF\xBB\xBFa,b\r\n\r\n\"x, \"\"y\"\"\n2\", 3 \n,\n\"\",last";
        let wanted = [(1, vec!["a", "b"]), (3, vec!["x, \"y\"\n2", "3"]), (6, vec!["", "last"])];
        assert_eq!(
            owned(text, b','),
            wanted.map(|(line, cells)| (line, cells.iter().map(ToString::to_string).collect()))
        );
        let lossy = "caf\u{FFFD}".to_owned();
        assert_eq!(owned(b"caf\xE9,b", b','), [(1, vec![lossy, "b".to_owned()])]);
    }

    #[test]
    fn tabs_quote_nothing() {
        let wanted = vec!["\"1".to_owned(), "2\"".to_owned(), "3".to_owned()];
        assert_eq!(owned(b"a\tb\n\"1\t2\"\t3\n", b'\t')[1], (2, wanted));
    }

    #[test]
    fn an_open_quote_is_the_last_item() {
        let mut rows = records(b"a\n\"b,c\n", b',');
        assert!(rows.next().unwrap().is_ok());
        let message = rows.next().unwrap().unwrap_err();
        assert_eq!(message, "line 2: the quote that opens cell 1 is never closed");
        assert!(rows.next().is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(0..=255_u8, 0..60)) {
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').take(99).count() + 1;
            for record in records(&bytes, b',').flatten() {
                proptest::prop_assert!(record.line <= lines);
            }
        }
    }
}
