//! The cells of a column -> numbers, by polars, where nothing is odd.

use polars::prelude::{ChunkAgg, ChunkCast, Column, DataType, Float64Chunked, StringChunked};

use super::notation::Notation;
use super::numbers::NumberColumn;

/// The numbers of a column, NaN where one is missing. Nothing where a cell is neither a finite number within
/// the column's range nor declared as missing, or where numbers have a notation that polars does not read.
pub(super) fn numbers(cells: &Column, column: &NumberColumn) -> Option<Vec<f64>> {
    if column.notation != Notation::default() {
        return None;
    }
    let is_word = |text: &str| text.is_empty() || column.missing.iter().any(|word| word == text);
    let numbers = match cells.str() {
        Ok(texts) => {
            let known = texts.iter().map(|text| text.map(str::trim).filter(|text| !is_word(text)));
            let known: StringChunked = known.collect();
            let numbers = known.cast(&DataType::Float64).ok()?;
            let is_cast = numbers.null_count() == known.null_count();
            is_cast.then(|| numbers.f64().cloned()).and_then(Result::ok)?
        }
        Err(_) => cells.cast(&DataType::Float64).ok()?.f64().ok()?.clone(),
    };
    let markers: Vec<f64> =
        column.missing.iter().filter_map(|marker| marker.parse().ok()).collect();
    let numbers: Float64Chunked = if markers.is_empty() {
        numbers
    } else {
        numbers.iter().map(|number| number.filter(|number| !markers.contains(number))).collect()
    };
    let [low, high] = column.range.unwrap_or([f64::MIN, f64::MAX]);
    let is_within = numbers.min().is_none_or(|least| least >= low)
        && numbers.max().is_none_or(|largest| largest <= high);
    let is_plain = is_within && numbers.is_finite().all();
    is_plain.then(|| numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &Column, missing: &[&str], range: Option<[f64; 2]>) -> Option<Vec<f64>> {
        let missing = missing.iter().map(|marker| (*marker).to_owned()).collect();
        numbers(cells, &NumberColumn { missing, range, ..NumberColumn::new("x") })
    }

    #[test]
    fn markers_are_missing_as_words_and_as_numbers() {
        let cells = Column::new("x".into(), ["?", " 1.5 ", "-1", "", "-1.0", "2e1"]);
        let values = read(&cells, &["?", "-1"], Some([0.0, 20.0])).unwrap();
        let is_missing: Vec<bool> = values.iter().map(|x| x.is_nan()).collect();
        assert_eq!(is_missing, [true, false, true, true, true, false]);
        assert_eq!((values[1], values[5]), (1.5, 20.0));
        let cells = Column::new("x".into(), [Some(0.0), None, Some(7.0)]);
        let values = read(&cells, &["0"], None).unwrap();
        assert!(values[0].is_nan() && values[1].is_nan() && values[2] == 7.0);
    }

    #[test]
    fn whatever_is_odd_is_left_to_the_second_pass() {
        let texts = |cell: &str| Column::new("x".into(), ["1", cell]);
        for cell in ["x", "?", "inf", "nan", "1,5", "1 2", "0x10", "1_000"] {
            assert_eq!(read(&texts(cell), &["-"], None), None, "{cell}");
        }
        assert_eq!(read(&texts("2"), &[], Some([0.0, 1.5])), None);
        assert_eq!(read(&texts("-2"), &[], Some([0.0, 1.5])), None);
        for number in [f64::NAN, f64::INFINITY, -1e9] {
            let numbers = Column::new("x".into(), [1.0, number]);
            assert_eq!(read(&numbers, &[], Some([0.0, 1.5])), None, "{number}");
        }
        let words = ["1", "2"];
        let notation = Notation { decimal: ',', ..Notation::default() };
        let column = NumberColumn { notation, ..NumberColumn::new("x") };
        assert_eq!(numbers(&Column::new("x".into(), words), &column), None);
    }
}
