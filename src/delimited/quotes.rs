//! Whether quotes are where they must be: around whole cells, doubled inside them.
//!
//! The csv crate and polars read broken quotes as something, without a word.

/// What is wrong with a quoted cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// The quote that opens the cell, counted from 1, is never closed.
    Open {
        /// Which cell.
        column: usize,
    },
    /// The cell continues after its closing quote.
    Behind {
        /// Which cell.
        column: usize,
        /// Line breaks of the record before that.
        n_breaks: usize,
        /// What stands there, at most 20 bytes.
        found: String,
    },
}

impl QuoteFault {
    /// The fault in words, of a record that begins on a line.
    pub(super) fn describe(&self, line: usize) -> String {
        match self {
            Self::Open { column } => {
                format!("line {line}: the quote that opens cell {column} is never closed")
            }
            Self::Behind { column, n_breaks, found } => {
                let line = line + n_breaks;
                format!(
                    "line {line}: cell {column} continues after its closing quote with {found:?}"
                )
            }
        }
    }
}

/// Checks the cells of one record. A cell that does not begin with a quote may have some inside.
pub(super) fn check(raw: &[u8], delimiter: u8) -> Result<(), QuoteFault> {
    let (mut place, mut column) = (0, 1);
    loop {
        let rest = &raw[place..];
        let is_quoted = rest.first() == Some(&b'"');
        let n_quoted =
            if is_quoted { quoted(rest).ok_or(QuoteFault::Open { column })? } else { 0 };
        let behind = &rest[n_quoted..];
        let end = behind.iter().position(|byte| *byte == delimiter).unwrap_or(behind.len());
        if is_quoted && end > 0 {
            let n_breaks = raw[..place + n_quoted].split(|byte| *byte == b'\n').count() - 1;
            let found = String::from_utf8_lossy(&behind[..end.min(20)]).into_owned();
            return Err(QuoteFault::Behind { column, n_breaks, found });
        }
        place += n_quoted + end + 1;
        column += 1;
        if place > raw.len() {
            return Ok(());
        }
    }
}

/// The length of a quoted cell, quotes included. `None` if the closing quote is missing.
fn quoted(cell: &[u8]) -> Option<usize> {
    let mut place = 1;
    loop {
        place += cell[place..].iter().position(|byte| *byte == b'"')? + 1;
        if cell.get(place) != Some(&b'"') {
            return Some(place);
        }
        place += 1;
    }
}
