use super::*;
use polars::prelude::{CsvReadOptions, DataType, SerReader};
use proptest::prelude::*;

fn file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// The error about a file, without its path.
fn said(text: &str, texts: &[&str], numbers: &[&str]) -> String {
    let file = file(text);
    let error = Table::read_csv(file.path(), texts, numbers).unwrap_err().to_string();
    let path = format!("{}: ", file.path().display());
    error.strip_prefix(&path).unwrap_or_else(|| panic!("{error}")).to_owned()
}

#[test]
fn filtered_rows_leave_every_column_with_their_lines_and_files() {
    let read = |text: &str| Table::read_csv(file(text).path(), &["a"], &["n"]).unwrap();
    let mut table = Table::default();
    table.append("x.csv", read("a,n\n p,1\nq,\n"));
    table.append("y.csv", read("a,n\nr,3\n\"s\nt\",4\n,5\n"));
    table.filter(&[false, true, false, true, true]);
    assert_eq!(table.texts["a"], ["q", "s\nt", ""]);
    assert!(table.numbers["n"][0].is_nan());
    assert_eq!(table.numbers["n"][1..], [4.0, 5.0]);
    let origins: Vec<String> = (0..3).map(|row| table.origin(row)).collect();
    assert_eq!(origins, ["x.csv line 3", "y.csv line 3", "y.csv line 5"]);
    table.filter(&[false, false, true]);
    assert_eq!((table.origin(0), &table.parts[1].0), ("y.csv line 5".to_owned(), &0));
}

#[test]
fn some_columns_are_read_and_empty_cells_are_missing() {
    let file = file("name,tempo,key,more\n\"a, b\",120.5,1,x\n  c ,, 2,\"y\nz\"\n,.5,-4e-1,?\n");
    let table = Table::read_csv(file.path(), &["name"], &["tempo", "key"]).unwrap();
    assert_eq!(table.texts["name"], ["a, b", "c", ""]);
    assert!(table.numbers["tempo"][1].is_nan());
    assert_eq!([table.numbers["tempo"][0], table.numbers["tempo"][2]], [120.5, 0.5]);
    assert_eq!(table.numbers["key"], [1.0, 2.0, -0.4]);
    assert_eq!(table.lines, [2, 3, 5]);
}

#[test]
fn odd_cells_are_named_with_line_column_and_what_was_got() {
    let text = "tempo,key\n1,1\n?,2\n\n3,inf\n120 bpm,nan\n";
    assert_eq!(
        said(text, &[], &["tempo", "key"]),
        "4 cells are not numbers: line 3, tempo: \"?\"; line 5, key: \"inf\"; line 6, key: \
         \"nan\"; line 6, tempo: \"120 bpm\"\n\
         hint: in the manifest's [table], units = { tempo = \"bpm\" } reads 1 of the 4 cells of tempo, such as \
         \"120 bpm\"; missing = [\"?\", \"nan\"] reads 1 of the 4 cells of tempo, such as \"?\" and 1 of the 4 \
         cells of key, such as \"nan\"; odd_cells = \"missing\" discards 1 of the 4 cells of key, such as \"inf\""
    );
}

#[test]
fn markers_and_ranges_make_missing_numbers_and_odd_ones_may_count_as_missing() {
    let file = file("T,E\n-1,0.5\n?,0\n90,1.5\nx,-1\n-1.0,\n");
    let column = |name: &str, key: &str, missing: &[&str], range| NumberColumn {
        name: name.to_owned(),
        key: key.to_owned(),
        missing: missing.iter().map(|marker| (*marker).to_owned()).collect(),
        range,
        notation: Notation::default(),
    };
    let mut csv = Csv {
        delimiter: ',',
        texts: vec![],
        numbers: vec![
            column("T", "tempo", &["?", "-1"], None),
            column("E", "energy", &[], Some([0.0, 1.0])),
        ],
        odd_cells: OddCells::Error,
    };
    let error = csv.read(file.path()).unwrap_err().to_string();
    assert!(
        error.contains(
            "3 cells are not numbers, or outside of their range: line 4, E: \"1.5\" is not in \
             [0, 1]; line 5, E: \"-1\" is not in [0, 1]; line 5, T: \"x\"\n"
        ),
        "{error}"
    );
    csv.odd_cells = OddCells::Missing;
    let table = csv.read(file.path()).unwrap();
    let is_missing =
        |key: &str| table.numbers[key].iter().map(|number| number.is_nan()).collect::<Vec<_>>();
    assert_eq!(is_missing("tempo"), [true, true, false, true, true]);
    assert_eq!(is_missing("energy"), [false, false, true, true, true]);
    assert_eq!((table.odd["tempo"].n, table.odd["energy"].n), (1, 2));
    assert_eq!(table.odd["energy"].first, "line 4, E: \"1.5\" is not in [0, 1]");
}

#[test]
fn rows_with_other_numbers_of_cells_are_named_with_their_lines() {
    let text = "a,b\n1\n\"x\ny\",2\n1,2,3\n";
    assert_eq!(
        said(text, &["a"], &[]),
        "2 rows do not have the 2 cells of the header: line 2 has 1, line 5 has 3\n\
         hint: a cell with the delimiter ',' in it must be in double quotes"
    );
    let many = format!("a,b\n{}", "1\n".repeat(7));
    let error = said(&many, &["a"], &[]);
    assert!(error.starts_with("7 rows do not") && error.contains("line 6 has 1, …\n"), "{error}");
}

#[test]
fn remarks_before_the_header_are_passed_over_and_nowhere_else() {
    let file = file("# by A. Author\n# and B, \"quoted\nname,n\n# no remark,1\n");
    let table = Table::read_csv(file.path(), &["name"], &["n"]).unwrap();
    assert_eq!(table.texts["name"], ["# no remark"]);
    assert_eq!(table.numbers["n"], [1.0]);
}

#[test]
fn no_file_is_an_error_that_names_it() {
    let error = Table::read_csv(Path::new("/nowhere/x.csv"), &[], &["a"]).unwrap_err();
    assert!(error.to_string().contains("/nowhere/x.csv"), "{error}");
}

#[test]
fn a_packed_file_is_read_as_the_plain_one() {
    let text = "name,tempo\na,1\nb,2\n";
    let mut packer = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let read = |bytes: &[u8]| Table::read_csv(file(bytes).path(), &["name"], &["tempo"]);
    assert_eq!(read(&packed).unwrap(), read(text.as_bytes()).unwrap());
    let error = read(&packed[..packed.len() - 9]).unwrap_err().to_string();
    assert!(error.contains("can't be unpacked by gzip"), "{error}");
}

proptest! {
    #[test]
    fn well_formed_files_are_read_as_polars_reads_them(
        rows in prop::collection::vec(("[a-c ,;\"\né]{0,6}", any::<f64>(), 0..6u8), 1..20)
    ) {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let number = |x: f64, how: u8| match how {
            0 => String::new(),
            1 => format!("{:.3}", x % 1e6),
            2 => format!("{x:e}"),
            3 => quoted(&x.to_string()),
            _ => x.to_string(),
        };
        let mut text = "name,n\n".to_owned();
        for (name, x, how) in &rows {
            let x = if x.is_finite() { *x } else { 0.5 };
            text += &format!("{},{}\n", quoted(name), number(x, *how));
        }
        let file = file(text);
        let ours = Table::read_csv(file.path(), &["name"], &["n"]).unwrap();
        let frame = CsvReadOptions::default()
            .with_infer_schema_length(Some(0))
            .try_into_reader_with_file_path(Some(file.path().to_owned()))
            .and_then(SerReader::finish)
            .unwrap();
        let names = frame.column("name").unwrap().str().unwrap().iter();
        let names: Vec<String> = names.map(|x| x.unwrap_or_default().trim().to_owned()).collect();
        prop_assert_eq!(&ours.texts["name"], &names);
        let numbers = frame.column("n").unwrap().cast(&DataType::Float64).unwrap();
        let numbers = numbers.f64().unwrap().iter();
        let bits: Vec<u64> = numbers.map(|x| x.unwrap_or(f64::NAN).to_bits()).collect();
        let of_ours: Vec<u64> = ours.numbers["n"].iter().map(|x| x.to_bits()).collect();
        prop_assert_eq!(of_ours, bits);
    }

    /// The columns that polars reads are those of the second pass; of any bytes it reads none or the same.
    #[test]
    fn the_clean_path_and_the_second_pass_agree(
        body in "([ab,\"\n\r 1.é]{0,6}(,|\n|\r\n)){0,12}",
    ) {
        let csv = Csv {
            delimiter: ',',
            texts: vec!["a"],
            numbers: vec![NumberColumn::new("b")],
            odd_cells: OddCells::Error,
        };
        if let Some(clean) = clean::columns(&csv, body.as_bytes(), &[0, 1], 2, 1) {
            let records = Records::new(body.as_bytes(), b',');
            let all = csv.cell_by_cell(Path::new("x"), records, &[0, 1], 2);
            let all = all.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&clean.numbers[0]), bits(&all.numbers[0]));
            prop_assert_eq!((clean.texts, clean.lines), (all.texts, all.lines));
        }
    }

    /// Any text survives in a cell of a table, but white space around it, and CRLF becomes LF.
    #[test]
    fn any_text_survives_in_a_table(
        cells in proptest::collection::vec("[a,;\"\r\n\t #'é\u{FEFF}\u{0}]{0,6}|\\PC{0,4}", 1..9),
    ) {
        let numbers: Vec<f64> = (0..cells.len()).map(|i| i as f64 / 3.0).collect();
        let columns =
            [("n", Values::Numbers(numbers.clone())), ("text", Values::Texts(cells.clone()))];
        let csv = file(csv_bytes(&columns));
        let table = Table::read_csv(csv.path(), &["text"], &["n"]).unwrap();
        let plain: Vec<String> =
            cells.iter().map(|cell| cell.trim().replace("\r\n", "\n")).collect();
        prop_assert_eq!(&table.texts["text"], &plain);
        prop_assert_eq!(&table.numbers["n"], &numbers);
        let parquet = file(parquet_bytes(&columns));
        let table = Table::read_csv(parquet.path(), &["text"], &["n"]).unwrap();
        let trimmed: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
        prop_assert_eq!(&table.texts["text"], &trimmed);
        prop_assert_eq!(&table.numbers["n"], &numbers);
    }
}
