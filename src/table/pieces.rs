//! A table some rows at a time, none left out: for work on each row of a table of any size.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::numbers::NumberCells;
use super::{Columns, Csv, Table, TableError, Texts, header, packing, parquet};
use crate::delimited::{Blocks, Cells, Records, plain_breaks};

/// Rows of a Parquet file that are read at a time.
const PARQUET_ROWS: usize = 1 << 15;

/// Some rows of a table in the file's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Piece {
    /// Their columns. A text that a row lacks is empty; a number that it lacks, or that is faulty, is NaN.
    pub table: Table,
    /// Rows that have too few or too many cells, or cells that are neither numbers nor declared as missing,
    /// by their place in this piece, each with the reason.
    pub faults: BTreeMap<usize, String>,
}

impl Csv<'_> {
    /// The names of a file's columns.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn header(&self, path: &Path) -> Result<Vec<String>, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        if is_parquet(path)? {
            let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
            return parquet::header(file).map_err(unreadable);
        }
        let mut blocks = Blocks::new(open(path)?, self.delimiter_byte());
        let block = blocks.next().map_err(|error| unreadable(error.to_string()))?;
        let header = Records::new(block.unwrap_or_default(), self.delimiter_byte()).header();
        Ok(header::named(header.map_err(unreadable)?))
    }

    /// Reads the file and passes some thousand rows at a time to `each`. A faulty row is not an error: its
    /// piece lists its faults, unless [`Csv::odd_cells`] is [`super::OddCells::Missing`] and only cells are
    /// faulty.
    ///
    /// # Errors
    /// Where the file can't be read as a table, a column is missing or there twice, or `each` fails.
    pub fn in_pieces<E: From<TableError>>(
        &self,
        path: &Path,
        mut each: impl FnMut(Piece) -> Result<(), E>,
    ) -> Result<(), E> {
        if is_parquet(path)? {
            let mut offset = 0;
            loop {
                let piece = self.parquet_piece(path, offset)?;
                let n_rows = piece.table.lines.len();
                // A file without rows has one piece, without rows.
                if n_rows > 0 || offset == 0 {
                    each(piece)?;
                }
                offset += n_rows;
                if n_rows < PARQUET_ROWS {
                    return Ok(());
                }
            }
        }
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let delimiter = self.delimiter_byte();
        let mut blocks = Blocks::new(open(path)?, delimiter);
        let (mut n_lines, mut places) = (0, None);
        loop {
            let block = blocks.next().map_err(|error| unreadable(error.to_string()))?;
            let Some(block) = block.or_else(|| places.is_none().then_some(&b""[..])) else {
                return Ok(());
            };
            let mut records = Records::behind(block, delimiter, n_lines);
            let (places, n_columns) = match &places {
                Some((places, n_columns)) => (places, *n_columns),
                None => {
                    let header = header::named(records.header().map_err(unreadable)?);
                    let found = header::places(&header, &self.wanted(), self.delimiter).map_err(
                        |message| TableError::Columns { path: path.to_owned(), message },
                    )?;
                    let (places, n_columns) = places.insert((found, header.len()));
                    (&*places, *n_columns)
                }
            };
            let piece = self.piece(&mut records, places, n_columns).map_err(unreadable)?;
            n_lines = records.n_lines();
            each(piece)?;
        }
    }

    fn delimiter_byte(&self) -> u8 {
        u8::try_from(self.delimiter).expect("a delimiter is one ASCII character")
    }

    /// All records that are left.
    fn piece(
        &self,
        records: &mut Records,
        places: &[usize],
        n_columns: usize,
    ) -> Result<Piece, String> {
        let (of_texts, of_numbers) = places.split_at(self.texts.len());
        let mut columns = Columns::default();
        let mut texts = vec![Vec::<String>::new(); of_texts.len()];
        let mut numbers = self.all_numbers("line");
        let mut faults = BTreeMap::new();
        let cell = |record: Cells, place: usize| -> String {
            if place < record.len() {
                plain_breaks(&record.cell(place)).into_owned()
            } else {
                String::new()
            }
        };
        while let Some(record) = records.next()? {
            let is_whole = record.len() == n_columns;
            if !is_whole {
                let reason = format!("has {} cells, and the header has {n_columns}", record.len());
                faults.insert(columns.lines.len(), reason);
            }
            columns.lines.push(record.line);
            for (&place, cells) in of_texts.iter().zip(&mut texts) {
                cells.push(cell(record, place).trim().to_owned());
            }
            for (&place, cells) in of_numbers.iter().zip(&mut numbers) {
                // The cells of a row of another length are those of other columns.
                let cell = if is_whole { cell(record, place) } else { String::new() };
                cells.push(&cell, record.line);
            }
        }
        columns.texts = texts.into_iter().map(Texts::from_iter).collect();
        Ok(self.finished(columns, numbers, faults))
    }

    fn parquet_piece(&self, path: &Path, offset: usize) -> Result<Piece, TableError> {
        let mut numbers = self.all_numbers("row");
        let slice = (offset, PARQUET_ROWS);
        let columns = parquet::read_rows(self, path, slice, &mut numbers)?;
        Ok(self.finished(columns, numbers, BTreeMap::new()))
    }

    fn all_numbers(&self, unit: &'static str) -> Vec<NumberCells<'_>> {
        self.numbers.iter().map(|column| NumberCells::new(column, unit).naming_all()).collect()
    }

    fn finished(
        &self,
        mut columns: Columns,
        numbers: Vec<NumberCells>,
        mut faults: BTreeMap<usize, String>,
    ) -> Piece {
        if self.odd_cells == super::OddCells::Error {
            for (line, reason) in numbers.iter().flat_map(NumberCells::faults) {
                let row = columns.lines.partition_point(|other| *other < line);
                faults
                    .entry(row)
                    .and_modify(|all| *all = format!("{all}; {reason}"))
                    .or_insert(reason);
            }
        }
        columns.numbers = numbers.into_iter().map(|cells| cells.into_parts().0).collect();
        Piece { table: self.table(columns), faults }
    }
}

fn is_parquet(path: &Path) -> Result<bool, TableError> {
    Ok(first_bytes(path)?.starts_with(parquet::MAGIC))
}

/// A file's first bytes, to tell what it is.
fn first_bytes(path: &Path) -> Result<Vec<u8>, TableError> {
    let mut first = vec![];
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut first));
    read.map(|_| first).map_err(|error| TableError::Unreadable {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// A delimited file's bytes, unpacked. A zip archive must fit into the memory.
fn open(path: &Path) -> Result<Box<dyn Read>, TableError> {
    let unreadable = |message: String| TableError::Unreadable { path: path.to_owned(), message };
    let first = first_bytes(path)?;
    let is_packed = first.starts_with(&[0x1F, 0x8B]);
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    if is_packed {
        let n_packed = file.metadata().map_err(|error| unreadable(error.to_string()))?.len();
        let decoder = MultiGzDecoder::new(BufReader::new(file));
        return Ok(Box::new(packing::Bounded::new(decoder, n_packed)));
    }
    if first.starts_with(b"PK") {
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        return Ok(Box::new(Cursor::new(packing::unpacked(bytes).map_err(unreadable)?)));
    }
    // Files that are no tables are named.
    packing::unpacked(first).map_err(unreadable)?;
    Ok(Box::new(BufReader::new(file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{NumberColumn, OddCells, Values, parquet_bytes};

    fn csv() -> Csv<'static> {
        let tempo = NumberColumn { range: Some([0.0, 300.0]), ..NumberColumn::new("tempo") };
        let energy = NumberColumn { missing: vec!["?".to_owned()], ..NumberColumn::new("energy") };
        let numbers = vec![tempo, energy];
        Csv { delimiter: ',', texts: vec!["id"], numbers, odd_cells: OddCells::Error }
    }

    fn pieces(csv: &Csv, bytes: &[u8]) -> Result<Vec<Piece>, TableError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut pieces = vec![];
        csv.in_pieces(file.path(), |piece| {
            pieces.push(piece);
            Ok::<(), TableError>(())
        })?;
        Ok(pieces)
    }

    #[test]
    fn every_row_is_there_and_the_faulty_ones_say_why() {
        let text = b"energy,id,tempo\n1,a,100\n?,\"b\nc\",fast\n2,d\nx,e,999\n,f,\n";
        let pieces = pieces(&csv(), text).unwrap();
        let Piece { table, faults } = &pieces[0];
        assert_eq!(table.texts["id"], ["a", "b\nc", "d", "e", "f"]);
        assert_eq!(table.lines, [2, 3, 5, 6, 7]);
        assert_eq!((table.numbers["tempo"][0], table.numbers["energy"][0]), (100.0, 1.0));
        assert!(table.numbers["tempo"][1..].iter().all(|x| x.is_nan()));
        let wanted = [
            (1, "tempo is \"fast\", which is not a number"),
            (2, "has 2 cells, and the header has 3"),
            (
                3,
                "tempo is \"999\", which is not in [0, 300]; energy is \"x\", which is not a number",
            ),
        ];
        assert_eq!(*faults, wanted.map(|(row, reason)| (row, reason.to_owned())).into());
        assert_eq!(pieces.len(), 1);
        // Where the manifest takes such cells as missing, they are.
        let lenient = Csv { odd_cells: OddCells::Missing, ..csv() };
        let faults = &super::tests::pieces(&lenient, text).unwrap()[0].faults;
        assert_eq!(faults.keys().collect::<Vec<_>>(), [&2]);
    }

    #[test]
    fn a_large_file_comes_in_pieces_packed_or_not_and_as_parquet() {
        let n = 80_000;
        let id = |row: usize| format!("{row} {}", "x".repeat(20));
        let mut text = "id,tempo,energy\n".to_owned();
        (0..n).for_each(|row| text.push_str(&format!("{},{},{row}.5\n", id(row), row % 300)));
        let packed = {
            use std::io::Write;
            let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let parquet = parquet_bytes(&[
            ("tempo", Values::Integers((0..n as i64).map(|row| row % 300).collect())),
            ("energy", Values::Numbers((0..n).map(|row| row as f64 + 0.5).collect())),
            ("id", Values::Texts((0..n).map(id).collect())),
        ]);
        for bytes in [text.as_bytes(), &packed, &parquet] {
            let pieces = pieces(&csv(), bytes).unwrap();
            assert!(pieces.len() > 1 && pieces.iter().all(|piece| piece.faults.is_empty()));
            let mut row = 0;
            for Piece { table, .. } in pieces {
                for i in 0..table.lines.len() {
                    let found = (table.lines[i], &table.texts["id"][i], table.numbers["energy"][i]);
                    assert_eq!(found, (row + 2, id(row).as_str(), row as f64 + 0.5));
                    assert_eq!(table.numbers["tempo"][i], (row % 300) as f64);
                    row += 1;
                }
            }
            assert_eq!(row, n);
        }
    }

    #[test]
    fn faults_of_parquet_rows_and_files_without_rows_are_told() {
        let parquet = parquet_bytes(&[
            ("tempo", Values::Numbers(vec![1.0, 400.0])),
            ("energy", Values::Texts(vec!["?".to_owned(), "2".to_owned()])),
            ("id", Values::Texts(vec!["a".to_owned(), "b".to_owned()])),
        ]);
        let found = pieces(&csv(), &parquet).unwrap();
        let reason = "tempo is \"400\", which is not in [0, 300]".to_owned();
        assert_eq!(found[0].faults, [(1, reason)].into());
        assert_eq!(found[0].table.numbers["energy"][1], 2.0);
        let none = pieces(&csv(), b"id,tempo,energy\n").unwrap();
        assert!(none.iter().all(|piece| piece.table.lines.is_empty()));
        let said = |bytes: &[u8]| pieces(&csv(), bytes).unwrap_err().to_string();
        assert!(said(b"").ends_with("is empty: it has no header"));
        assert!(said(b"id,energy\n").contains("the column tempo is missing"));
        assert!(said(b"id,tempo,energy\na,1,\"2\n").contains("line 2: the quote that opens"));
        let nowhere = csv().header(Path::new("/nowhere/x.csv")).unwrap_err().to_string();
        assert!(nowhere.starts_with("/nowhere/x.csv: "), "{nowhere}");
    }
}
