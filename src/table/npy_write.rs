//! Writes `.npy` files: version 1, little-endian, C order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A number of a `.npy` file.
pub trait NpyNumber: Copy {
    /// The type's name in the header.
    const DTYPE: &'static str;

    /// The bytes, little-endian.
    fn bytes(self) -> [u8; 4];
}

impl NpyNumber for f32 {
    const DTYPE: &'static str = "<f4";

    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl NpyNumber for i32 {
    const DTYPE: &'static str = "<i4";

    fn bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

/// Writes an array, a piece after the other; together they have as many numbers as the shape says.
///
/// # Errors
/// If the file can't be written.
pub fn write_npy<'a, T: NpyNumber + 'a>(
    path: &Path,
    shape: &[usize],
    pieces: impl IntoIterator<Item = &'a [T]>,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path)?);
    file.write_all(&npy_head(T::DTYPE, shape))?;
    let mut n = 0;
    for piece in pieces {
        for number in piece {
            file.write_all(&number.bytes())?;
        }
        n += piece.len();
    }
    if n != shape.iter().product::<usize>() {
        let said = format!("{n} numbers do not have the shape {shape:?}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, said));
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
}

/// The bytes before the numbers. Their length is a multiple of 64, as NumPy writes them.
#[must_use]
pub fn npy_head(dtype: &str, shape: &[usize]) -> Vec<u8> {
    let shape = shape_text(shape);
    let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic number, version and length take ten bytes, the line break one.
    let length = (text.len() + 11).next_multiple_of(64) - 10;
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    head.extend((length as u16).to_le_bytes());
    head.extend(text.as_bytes());
    head.resize(head.len() + length - text.len() - 1, b' ');
    head.push(b'\n');
    head
}

/// A shape as Python writes a tuple: `(2, 3)`, `(2,)`.
pub(super) fn shape_text(shape: &[usize]) -> String {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if axes.len() == 1 { "," } else { "" };
    format!("({}{comma})", axes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Npy;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let rows: [&[f32]; 2] = [&[1.5, -2.0, f32::NAN], &[0.0, 1e-30, 3.0]];
        write_npy(&path, &[2, 3], rows).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let read = Npy::parse(&path, &bytes).unwrap();
        assert_eq!(read.shape(), [2, 3]);
        let row: Vec<f32> = read.row(1).collect();
        assert_eq!(row, rows[1]);
        assert!(read.row(0).nth(2).unwrap().is_nan());
        assert_eq!(bytes.len(), 128 + 24);
        let labels: &[i32] = &[3, 0];
        write_npy(&path, &[2], [labels]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i4', "));
        assert!(bytes.ends_with(b"'shape': (2,), }                                                            \n\x03\0\0\0\0\0\0\0"));
        assert!(write_npy(&path, &[3], [labels]).is_err());
    }
}
