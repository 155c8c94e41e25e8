//! A delimited file in blocks of whole records, so that a large one need not fit into the memory.

use std::io::{self, Read};

use super::records::BYTE_ORDER_MARK;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;
/// The longest record, in bytes. A longer one is a quote that is never closed.
const LONGEST: usize = 1 << 26;

/// Reads blocks of whole records from a file's bytes.
pub(crate) struct Blocks<R> {
    reader: R,
    delimiter: u8,
    /// The block, and behind it the beginning of a record that is not whole.
    bytes: Vec<u8>,
    /// The length of the block before, which is used up.
    n_used: usize,
    is_first: bool,
    is_over: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(reader: R, delimiter: u8) -> Self {
        Self { reader, delimiter, bytes: vec![], n_used: 0, is_first: true, is_over: false }
    }

    /// What the bytes were read from.
    pub(crate) fn into_reader(self) -> R {
        self.reader
    }

    /// The next block; `None` at the end. The last record of the file may lack its line break.
    ///
    /// # Errors
    /// Where the file can't be read, or a record is longer than 64 MiB.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.bytes.drain(..self.n_used);
        self.n_used = 0;
        let mut ends = Ends::new(self.delimiter);
        let mut n_scanned = 0;
        loop {
            if self.is_over {
                self.n_used = self.bytes.len();
                return Ok((self.n_used > 0).then_some(&self.bytes));
            }
            let n_before = self.bytes.len();
            let n_read = (&mut self.reader).take(BLOCK as u64).read_to_end(&mut self.bytes)?;
            self.is_over = n_read == 0;
            debug_assert_eq!(self.bytes.len(), n_before + n_read);
            if std::mem::take(&mut self.is_first) {
                n_scanned = before_header(&self.bytes);
                ends.n_scanned = n_scanned;
            }
            ends.scan(&self.bytes[n_scanned..]);
            n_scanned = self.bytes.len();
            if let Some(end) = ends.last {
                self.n_used = end;
                return Ok(Some(&self.bytes[..end]));
            }
            if self.bytes.len() > LONGEST {
                let message = "a record is longer than 64 MiB; a quote may never be closed";
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
    }
}

/// The length of what comes before the header: a byte order mark, and lines that begin with `# `.
fn before_header(bytes: &[u8]) -> usize {
    let mut place = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    while bytes[place..].starts_with(b"# ") {
        let rest = &bytes[place..];
        place += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    }
    place
}

/// Where records end: at line breaks that are not in a quoted cell.
struct Ends {
    delimiter: u8,
    state: State,
    n_scanned: usize,
    /// Behind the last line break that ends a record.
    last: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first byte of a cell.
    Start,
    /// In a cell that does not begin with a quote: quotes in it mean nothing.
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: it closes the cell, or is doubled.
    Quote,
}

impl Ends {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, state: State::Start, n_scanned: 0, last: None }
    }

    fn scan(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.n_scanned += 1;
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) | (State::Quote, b'"') => State::Quoted,
                (State::Start, b'"') if self.delimiter != b'\t' => State::Quoted,
                (_, b'\n') => {
                    self.last = Some(self.n_scanned);
                    State::Start
                }
                (_, byte) if byte == self.delimiter => State::Start,
                _ => State::Plain,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Records, records};
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(into.len()).min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Where records end, found in pieces of so many bytes.
    fn ends(text: &[u8], delimiter: u8, n: usize) -> Vec<usize> {
        let mut ends = Ends::new(delimiter);
        let mut found = vec![];
        for piece in text.chunks(n) {
            for &byte in piece {
                ends.scan(&[byte]);
                if ends.last == Some(ends.n_scanned) {
                    found.push(ends.n_scanned);
                }
            }
        }
        found
    }

    #[test]
    fn line_breaks_in_quoted_cells_end_no_record() {
        let text = b"a,b\n\"x\n\"\"y\",5\" tall\n\"\",1\r\nlast";
        for n in [1, 3, 100] {
            assert_eq!(ends(text, b',', n), [4, 20, 26]);
        }
        assert_eq!(ends(b"\"a\t1\n\"b\t2\n", b'\t', 9), [5, 10]);
    }

    #[test]
    fn blocks_together_are_the_file_and_have_whole_records() {
        let row = |i: usize| format!("{i},\"{}\n{i}\"\r\n", "x".repeat(i % 70));
        let text: String = (0..60_000).map(row).collect();
        let mut blocks = Blocks::new(Slow(text.as_bytes(), 4_001), b',');
        let (mut whole, mut n_blocks, mut n_records) = (vec![], 0, 0);
        while let Some(block) = blocks.next().unwrap() {
            n_records += records(block, b',').map(Result::unwrap).count();
            assert!(block.len() < 2 * BLOCK && block.ends_with(b"\"\r\n"));
            whole.extend_from_slice(block);
            n_blocks += 1;
        }
        assert!(whole == text.as_bytes() && n_records == 60_000);
        assert!(n_blocks >= text.len() / BLOCK, "{n_blocks}");
    }

    #[test]
    fn an_open_quote_is_the_last_block_and_an_empty_file_has_none() {
        let mut blocks = Blocks::new(&b"a\n\"b\n"[..], b',');
        assert_eq!(blocks.next().unwrap(), Some(&b"a\n"[..]));
        assert_eq!(blocks.next().unwrap(), Some(&b"\"b\n"[..]));
        assert_eq!(blocks.next().unwrap(), None);
        assert_eq!(Blocks::new(&b""[..], b',').next().unwrap(), None);
    }

    #[test]
    fn quotes_before_the_header_open_nothing() {
        let text = b"\xEF\xBB\xBF# by A,\"B\n\"a\nb\",c\n1,2\n3";
        let mut blocks = Blocks::new(&text[..], b',');
        assert_eq!(blocks.next().unwrap(), Some(&text[..text.len() - 1]));
        assert_eq!(blocks.next().unwrap(), Some(&b"3"[..]));
    }

    #[test]
    fn lines_are_counted_over_blocks() {
        let mut records = Records::behind(b"5,6\n", b',', 3);
        assert_eq!(records.next().unwrap().unwrap().line, 4);
    }
}
