//! A column of texts in polars' own memory.

use std::ops::Index;

use polars::prelude::{BooleanChunked, ChunkFilter, NewChunkedArray, StringChunked};

/// A column of texts without white space around them; an empty text where a cell is empty.
#[derive(Debug, Clone, Default)]
pub struct Texts(StringChunked);

impl Texts {
    /// The cells of a column, trimmed.
    pub(super) fn trimmed(cells: &StringChunked) -> Self {
        let is_trimmed = |cell: &str| cell.trim().len() == cell.len();
        if cells.iter().flatten().all(is_trimmed) {
            return Self(cells.rechunk().into_owned());
        }
        cells.iter().map(|cell| cell.unwrap_or_default().trim()).collect()
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Option::unwrap_or_default)
    }

    pub(super) fn append(&mut self, more: Self) {
        self.0.append_owned(more.0).expect("both are texts");
    }

    pub(super) fn filter(&mut self, keep: &BooleanChunked) {
        let kept = self.0.filter(keep).expect("the mask has one value for each row");
        // One chunk, because a row is then found without a search.
        self.0 = kept.rechunk().into_owned();
    }
}

impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, row: usize) -> &str {
        assert!(row < self.len(), "row {row} of {}", self.len());
        self.0.get(row).unwrap_or_default()
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        Self(StringChunked::from_iter_values("".into(), texts.into_iter()))
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: AsRef<str>> PartialEq<Vec<T>> for Texts {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<T: AsRef<str>, const N: usize> PartialEq<[T; N]> for Texts {
    fn eq(&self, other: &[T; N]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}
