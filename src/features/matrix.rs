//! Numbers in memory or in a memory-mapped file.

use std::fs::File;
use std::path::Path;

/// A read-only block of numbers.
pub enum Matrix {
    /// In memory.
    Owned(Vec<f32>),
    /// In a file of little-endian 32-bit floats.
    Mapped(memmap2::Mmap),
}

impl Matrix {
    /// Maps a whole file of floats. On Unix it can be read until it is dropped, even if the file is
    /// removed.
    ///
    /// # Errors
    /// If the file can't be opened or its length is not a multiple of four bytes.
    pub fn map(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self::Owned(vec![]));
        }
        #[expect(unsafe_code, reason = "mapping a file has no safe form")]
        // SAFETY: cache files are written under a temporary name and renamed when complete. encore
        // never writes to or truncates a file under its final name.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        bytemuck::try_cast_slice::<u8, f32>(&map).map_err(|error| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())
        })?;
        Ok(Self::Mapped(map))
    }

    /// Returns all numbers.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        match self {
            Self::Owned(numbers) => numbers,
            Self::Mapped(pages) => bytemuck::cast_slice(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_mapped_file_is_not_locked_and_can_be_read_after_it_was_removed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytemuck::cast_slice(&[1.5f32, -2.0])).unwrap();
        let other = File::open(file.path()).unwrap();
        let matrix = Matrix::map(file.path()).unwrap();
        assert!(other.try_lock().is_ok());
        drop(file);
        assert_eq!(matrix.as_slice(), [1.5, -2.0]);
    }

    #[test]
    fn maps_what_was_written_and_refuses_broken_lengths() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytemuck::cast_slice(&[1.5f32, -2.0])).unwrap();
        assert_eq!(Matrix::map(file.path()).unwrap().as_slice(), [1.5, -2.0]);
        std::fs::write(file.path(), [1, 2, 3]).unwrap();
        assert!(Matrix::map(file.path()).is_err());
        std::fs::write(file.path(), []).unwrap();
        assert!(Matrix::map(file.path()).unwrap().as_slice().is_empty());
    }
}
