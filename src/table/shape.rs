//! Checks whether every line of a delimited file is a row with as many cells as the header and with correct
//! quotes. polars does not report where that is not so.

use memchr::{memchr, memchr3_iter};

/// Counts the rows. `None` if a line is blank or has more or fewer cells, or a quoted cell contains a line
/// break or continues after its quotes.
pub(super) fn n_rows(body: &[u8], delimiter: u8, n_columns: usize) -> Option<usize> {
    // Where a tab delimits, nothing is quoted.
    let quote = if delimiter == b'\t' { b'\t' } else { b'"' };
    let is_end = |byte: Option<&u8>| {
        byte.is_none_or(|byte| *byte == delimiter || *byte == b'\n' || *byte == b'\r')
    };
    let (mut n_rows, mut n_cells, mut cell, mut line) = (0, 1, 0, 0);
    // Where the quoted cell ends whose quotes are passed over.
    let mut passed = 0;
    for place in memchr3_iter(delimiter, b'\n', quote, body) {
        if place < passed {
            continue;
        }
        match body[place] {
            b'\n' => {
                let is_blank = place == line || body[line..place] == *b"\r";
                if n_cells != n_columns || is_blank {
                    return None;
                }
                n_rows += 1;
                n_cells = 1;
                (cell, line) = (place + 1, place + 1);
            }
            byte if byte == delimiter => {
                n_cells += 1;
                cell = place + 1;
            }
            _ if place > cell => return None,
            _ => {
                passed = closed(body, place + 1)?;
                if body[place..passed].contains(&b'\n') || !is_end(body.get(passed)) {
                    return None;
                }
            }
        }
    }
    if line < body.len() {
        let is_row = n_cells == n_columns && body[line..] != *b"\r";
        is_row.then_some(n_rows + 1)
    } else {
        Some(n_rows)
    }
}

/// Behind the quote that closes a cell; two of them are one of the cell's.
fn closed(body: &[u8], mut place: usize) -> Option<usize> {
    loop {
        place += memchr(b'"', &body[place..])? + 1;
        if body.get(place) != Some(&b'"') {
            return Some(place);
        }
        place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::n_rows;

    #[test]
    fn regular_lines_are_counted() {
        for (body, delimiter, n) in [
            ("1,2\n3,4\n", b',', 2),
            ("1,2\r\n3,4", b',', 2),
            ("\"a, \"\"b\"\"\",2\n,\"\"\r\n", b',', 2),
            ("\"1\t2\n3\t\"\"\n", b'\t', 2),
            ("", b',', 0),
        ] {
            assert_eq!(n_rows(body.as_bytes(), delimiter, 2), Some(n), "{body:?}");
        }
    }

    #[test]
    fn whatever_needs_a_second_look_is_noticed() {
        for body in [
            "1,2\n\n3,4\n",
            "1,2\n3\n",
            "1,2,3\n4\n",
            "1,2\n3",
            "\"1\n2\",3\n",
            "\"1\" x,2\n",
            "1,2\" tall\n",
            "1,\"2\n",
            "1,2\n\r\n",
        ] {
            assert_eq!(n_rows(body.as_bytes(), b',', 2), None, "{body:?}");
        }
        assert_eq!(n_rows(b"1\n\r\n2\n", b',', 1), None);
    }
}
