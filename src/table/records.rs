//! Rows of a delimited text, each with its line: for files whose rows are of different lengths, or whose
//! header is not one row of names.

use std::borrow::Cow;

/// One row of a delimited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The one-based line on which it begins.
    pub line: usize,
    /// Its cells, without the white space around them; at least one is not empty.
    pub cells: Vec<String>,
}

/// Goes over the rows of a delimited text; empty ones are passed over.
///
/// Cells that begin with `"` may hold delimiters, line breaks and doubled quotes, but not where a tab
/// delimits: such files quote nothing. Bytes that are no UTF-8 become U+FFFD.
///
/// # Source
/// RFC 4180.
pub struct Records<'a> {
    rest: &'a [u8],
    line: usize,
    delimiter: u8,
}

impl<'a> Records<'a> {
    /// The rows of a file's bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        Self { rest, line: 1, delimiter }
    }

    /// Reads one cell; tells whether the row goes on behind it, or why there is no end to it.
    fn cell(&mut self) -> Result<(String, bool), String> {
        let quotes = self.delimiter != b'\t' && self.rest.first() == Some(&b'"');
        let mut quoted = vec![];
        if quotes {
            let start = self.line;
            let unclosed = || format!("line {start}: a quote is opened and never closed");
            self.rest = &self.rest[1..];
            loop {
                let end = self.rest.iter().position(|&byte| byte == b'"').ok_or_else(unclosed)?;
                self.line += self.rest[..end].split(|&byte| byte == b'\n').count() - 1;
                quoted.extend_from_slice(&self.rest[..end]);
                self.rest = &self.rest[end + 1..];
                if self.rest.first() != Some(&b'"') {
                    break;
                }
                quoted.push(b'"');
                self.rest = &self.rest[1..];
            }
        }
        let is_end = |&byte: &u8| byte == self.delimiter || byte == b'\n';
        let end = self.rest.iter().position(is_end).unwrap_or(self.rest.len());
        let (plain, rest) = self.rest.split_at(end);
        let goes_on = rest.first() == Some(&self.delimiter);
        self.line += usize::from(rest.first() == Some(&b'\n'));
        self.rest = rest.get(1..).unwrap_or_default();
        let bytes: Cow<[u8]> =
            if quoted.is_empty() { plain.into() } else { [&quoted, plain].concat().into() };
        Ok((String::from_utf8_lossy(&bytes).trim().to_owned(), goes_on))
    }
}

impl Iterator for Records<'_> {
    /// A row; or which quote is never closed, after which there is nothing.
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let line = self.line;
            let mut cells = vec![];
            loop {
                match self.cell() {
                    Ok((cell, goes_on)) => {
                        cells.push(cell);
                        if !goes_on {
                            break;
                        }
                    }
                    Err(message) => {
                        self.rest = &[];
                        return Some(Err(message));
                    }
                }
            }
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Ok(Record { line, cells }));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &[u8], delimiter: u8) -> Vec<(usize, Vec<String>)> {
        let rows = Records::new(text, delimiter).map(Result::unwrap);
        rows.map(|record| (record.line, record.cells)).collect()
    }

    fn cells(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn quotes_hold_delimiters_and_lines_and_rows_know_theirs() {
        let text = b"\xEF\xBB\xBFa,b\r\n\r\n\"x, \"\"y\"\"\n2\",3\n,\n\"\",last";
        assert_eq!(
            records(text, b','),
            [(1, cells(&["a", "b"])), (3, cells(&["x, \"y\"\n2", "3"])), (6, cells(&["", "last"])),]
        );
    }

    #[test]
    fn rows_of_tabs_may_differ_in_length_and_quote_nothing() {
        let text = b"a\tb\n\"1\t2\t3\nx\t\n";
        assert_eq!(
            records(text, b'\t'),
            [(1, cells(&["a", "b"])), (2, cells(&["\"1", "2", "3"])), (3, cells(&["x", ""])),]
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_comes_back(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a-z\",;\n\u{e9}]{0,6}z", 1..4), 1..5),
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
            let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
            let got: Vec<Vec<String>> =
                Records::new(text.as_bytes(), b',').map(|row| row.unwrap().cells).collect();
            let rows: Vec<Vec<String>> = rows
                .iter()
                .map(|row| row.iter().map(|cell| cell.trim().to_owned()).collect())
                .collect();
            proptest::prop_assert_eq!(got, rows);
        }

        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(0..=255_u8, 0..60)) {
            let lines = bytes.iter().filter(|&&byte| byte == b'\n').take(99).count() + 1;
            for record in Records::new(&bytes, b',').flatten() {
                proptest::prop_assert!(record.line <= lines);
            }
        }
    }

    #[test]
    fn an_open_quote_and_odd_bytes_are_seen() {
        let mut rows = Records::new(b"a\n\"b,c\n", b',');
        assert!(rows.next().unwrap().is_ok());
        assert_eq!(rows.next().unwrap().unwrap_err(), "line 2: a quote is opened and never closed");
        assert!(rows.next().is_none());
        assert_eq!(records(b"caf\xE9", b','), [(1, cells(&["caf\u{FFFD}"]))]);
    }
}
