//! Cells -> a text with a row a line.

/// A CSV text, row by row. Cells are quoted where they must be.
pub(crate) struct Writer(csv::Writer<Vec<u8>>);

impl Default for Writer {
    fn default() -> Self {
        Self(csv::Writer::from_writer(vec![]))
    }
}

impl Writer {
    /// Adds a row.
    ///
    /// # Panics
    /// If it has another number of cells than the first.
    pub(crate) fn row<C: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.0.write_record(cells).expect("rows have one length, and memory can be written");
    }

    /// The whole text.
    ///
    /// # Panics
    /// If a cell was not UTF-8.
    #[must_use]
    pub(crate) fn text(self) -> String {
        let bytes = self.0.into_inner().expect("memory can be written");
        String::from_utf8(bytes).expect("cells are UTF-8")
    }
}
