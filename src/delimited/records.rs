//! A delimited file, record by record: cells, and the line each record begins on.
//!
//! The csv crate divides the cells. It accepts broken quotes without a word, so every record that has
//! quotes is checked as well.

use std::borrow::Cow;

use csv::{ByteRecord, Reader, ReaderBuilder, Terminator};

use super::quotes;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The records of a file's bytes: RFC 4180 with any one-byte delimiter, LF or CRLF. Where a tab delimits,
/// nothing is quoted (IANA's `text/tab-separated-values`).
pub(crate) struct Records<'a> {
    /// The file, without its byte order mark.
    bytes: &'a [u8],
    delimiter: u8,
    /// Whether bytes that are not UTF-8 become U+FFFD instead of an error.
    is_lossy: bool,
    reader: Reader<&'a [u8]>,
    record: ByteRecord,
    /// Bytes that were read.
    place: usize,
    /// Lines that were read.
    n_lines: usize,
}

/// The cells of one record.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    /// The one-based line that the record begins on.
    pub line: usize,
    /// The record as it stands in the file, without its last line break.
    pub raw: &'a [u8],
    record: &'a ByteRecord,
}

impl<'a> Cells<'a> {
    /// How many cells there are.
    #[must_use]
    pub(crate) fn len(self) -> usize {
        self.record.len()
    }

    /// The cell of a column, without its quotes.
    ///
    /// # Panics
    /// If the column does not exist.
    #[must_use]
    pub(crate) fn cell(self, column: usize) -> Cow<'a, str> {
        String::from_utf8_lossy(&self.record[column])
    }

    /// All cells.
    pub(crate) fn iter(self) -> impl Iterator<Item = Cow<'a, str>> {
        self.record.iter().map(String::from_utf8_lossy)
    }
}

impl<'a> Records<'a> {
    /// The records of a file; bytes that are not UTF-8 are an error.
    #[must_use]
    pub(crate) fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let (reader, record) = (reader(bytes, delimiter), ByteRecord::new());
        Self { bytes, delimiter, is_lossy: false, reader, record, place: 0, n_lines: 0 }
    }

    /// The records of a part of a file, behind so many lines of it.
    #[must_use]
    pub(crate) fn behind(bytes: &'a [u8], delimiter: u8, n_lines: usize) -> Self {
        Self { n_lines, ..Self::new(bytes, delimiter) }
    }

    /// The header. Skips lines before it that begin with `# `.
    ///
    /// # Errors
    /// As [`Self::next`], and for a file that ends before its header.
    pub(crate) fn header(&mut self) -> Result<Vec<String>, String> {
        while self.rest().starts_with(b"# ") {
            self.skip_line();
        }
        if self.rest().is_empty() {
            return Err("is empty: it has no header".to_owned());
        }
        if self.rest().starts_with(b"\n") || self.rest().starts_with(b"\r\n") {
            self.skip_line();
            return Ok(vec![String::new()]);
        }
        let header = self.next()?;
        let cells = header.into_iter().flat_map(Cells::iter);
        Ok(cells.map(|cell| plain_breaks(&cell).into_owned()).collect())
    }

    /// The next record. Blank lines are not records.
    ///
    /// # Errors
    /// If the file is UTF-16 or not UTF-8, or a quote is never closed or closed too early. The error names the
    /// line and what was found.
    pub(crate) fn next(&mut self) -> Result<Option<Cells<'_>>, String> {
        if self.place == 0
            && (self.bytes.starts_with(&[0xFF, 0xFE]) || self.bytes.starts_with(&[0xFE, 0xFF]))
        {
            return Err("is UTF-16, and UTF-8 can be read\n\
                        hint: iconv -f UTF-16 -t UTF-8 OLD > NEW"
                .to_owned());
        }
        loop {
            let before = self.reader.position().byte();
            let is_there = self.reader.read_byte_record(&mut self.record);
            if !is_there.map_err(|error| error.to_string())? {
                return Ok(None);
            }
            let n_bytes = (self.reader.position().byte() - before) as usize;
            let raw = &self.bytes[self.place..][..n_bytes];
            self.place += n_bytes;
            // The crate passes over blank lines and takes them for a part of the next record.
            let n_blank = raw.iter().take_while(|byte| **byte == b'\n').count();
            let raw = &raw[n_blank..];
            let line = self.n_lines + n_blank + 1;
            self.n_lines += n_blank + raw.split(|byte| *byte == b'\n').count() - 1;
            let raw = raw.strip_suffix(b"\n").unwrap_or(raw);
            let is_crlf = raw.ends_with(b"\r");
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            if raw.is_empty() {
                continue;
            }
            if is_crlf {
                self.drop_last_byte();
            }
            self.check(raw, line)?;
            return Ok(Some(Cells { line, raw, record: &self.record }));
        }
    }

    /// What has not been read yet.
    #[must_use]
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.place..]
    }

    /// How many lines were read.
    #[must_use]
    pub(crate) fn n_lines(&self) -> usize {
        self.n_lines
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.place += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.n_lines += 1;
        self.reader = reader(self.rest(), self.delimiter);
    }

    /// Takes the carriage return of a line break off the last cell.
    fn drop_last_byte(&mut self) {
        let n_cells = self.record.len();
        let last = self.record[n_cells - 1].strip_suffix(b"\r").map(<[u8]>::to_vec);
        if let Some(last) = last {
            self.record.truncate(n_cells - 1);
            self.record.push_field(&last);
        }
    }

    fn check(&self, raw: &[u8], line: usize) -> Result<(), String> {
        if self.delimiter != b'\t' && raw.contains(&b'"') {
            quotes::check(raw, self.delimiter).map_err(|fault| fault.describe(line))?;
        }
        if self.is_lossy {
            return Ok(());
        }
        str::from_utf8(raw).map(drop).map_err(|error| {
            let byte = raw[error.valid_up_to()];
            format!(
                "line {line} holds the byte 0x{byte:02X}, which is not UTF-8; the file may be Latin-1\n\
                 hint: iconv -f ISO-8859-1 -t UTF-8 OLD > NEW"
            )
        })
    }
}

fn reader(bytes: &[u8], delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(delimiter != b'\t')
        // A carriage return alone ends no line.
        .terminator(Terminator::Any(b'\n'))
        .from_reader(bytes)
}

/// A cell of a file with either kind of line breaks, with plain ones.
#[must_use]
pub(crate) fn plain_breaks(cell: &str) -> Cow<'_, str> {
    if cell.contains("\r\n") { cell.replace("\r\n", "\n").into() } else { cell.into() }
}

/// A record of a small file, which owns its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The one-based line on which it begins.
    pub line: usize,
    /// Its cells, without the white space around them; at least one is not empty.
    pub cells: Vec<String>,
}

/// The records of a file's bytes, which may differ in length; those whose cells are all empty are skipped,
/// and bytes that are not UTF-8 become U+FFFD.
///
/// A fault of the whole file, such as a quote that is never closed, is the last item.
pub(crate) fn records(bytes: &[u8], delimiter: u8) -> impl Iterator<Item = Result<Record, String>> {
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
            let line = cells.line;
            let cells: Vec<String> =
                cells.iter().map(|cell| plain_breaks(cell.trim()).into_owned()).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
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
            found.push((
                record.line,
                record.iter().map(|cell| plain_breaks(&cell).into_owned()).collect(),
            ));
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
            "line 2: cell 1 continues after its closing quote with \" x\""
        );
        let latin = "line 3 holds the byte 0xE9, which is not UTF-8; the file may be Latin-1";
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
