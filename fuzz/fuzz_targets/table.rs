//! Any bytes as CSV, Parquet or `.npy`: columns of equal length, finite or missing numbers, or a stated error.
#![no_main]

mod shared;

use std::fs;

use encore::table::{Csv, Npy, NumberColumn, OddCells};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shared::quiet(), |bytes: &[u8]| {
    let [options, bytes @ ..] = bytes else { return };
    let path = shared::folder().join("table");
    if options & 0x80 != 0 {
        if let Ok(array) = Npy::parse(&path, bytes) {
            for row in 0..array.n_rows().min(100) {
                assert_eq!(array.row(row).count(), array.width());
            }
        }
        return;
    }
    let delimiter = [',', ';', '\t', '|'][usize::from(options & 3)];
    let header = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let header = String::from_utf8_lossy(header).into_owned();
    let mut names: Vec<&str> = header.split(delimiter).map(|name| name.trim().trim_matches('"')).collect();
    if bytes.starts_with(b"PAR1") || bytes.starts_with(&[0x1f, 0x8b]) {
        names = vec!["genre", "x", "y"];
    }
    let numbers = names.iter().skip(1).take(4).map(|name| NumberColumn {
        missing: vec!["?".to_owned(), "-1".to_owned()],
        range: (options & 4 != 0).then_some([-1e3, 1e3]),
        ..NumberColumn::new(name)
    });
    let csv = Csv {
        delimiter,
        texts: names.iter().take(1).copied().collect(),
        numbers: numbers.collect(),
        odd_cells: if options & 8 != 0 { OddCells::Missing } else { OddCells::Error },
    };
    fs::write(&path, bytes).expect("the file can be written");
    match csv.read(&path) {
        Ok(table) => {
            assert!(table.texts.values().all(|column| column.len() == table.lines.len()));
            for column in table.numbers.values() {
                assert_eq!(column.len(), table.lines.len());
                assert!(column.iter().all(|number| number.is_nan() || number.is_finite()));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
