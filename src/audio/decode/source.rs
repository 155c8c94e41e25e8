//! A file as symphonia is to see it: without trailing tags, and with corrected headers.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use symphonia::core::io::MediaSource;

/// Bytes that replace those of the file at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patch {
    pub at: u64,
    pub bytes: Vec<u8>,
}

/// The first `n_bytes` of a file, some of them replaced.
pub(super) struct Source {
    file: File,
    n_bytes: u64,
    patches: Vec<Patch>,
    /// symphonia estimates the number of samples of an mp3 without a tag from the length of the file
    /// and drops everything behind that. Without a length it reads to the end.
    hides_length: bool,
    at: u64,
}

impl Source {
    /// The file from its start, whatever its position is now.
    pub(super) fn new(
        mut file: File,
        n_bytes: u64,
        patches: Vec<Patch>,
        hides_length: bool,
    ) -> io::Result<Self> {
        file.rewind()?;
        Ok(Self { file, n_bytes, patches, hides_length, at: 0 })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_left = usize::try_from(self.n_bytes.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let n_wanted = buffer.len().min(n_left);
        let n_read = self.file.read(&mut buffer[..n_wanted])?;
        for patch in &self.patches {
            for (at, &byte) in (patch.at..).zip(&patch.bytes) {
                let place = at.checked_sub(self.at).and_then(|place| usize::try_from(place).ok());
                if let Some(place) = place.filter(|&place| place < n_read) {
                    buffer[place] = byte;
                }
            }
        }
        self.at += n_read as u64;
        Ok(n_read)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(offset) => {
                let at = self.n_bytes.checked_add_signed(offset);
                SeekFrom::Start(at.ok_or(io::ErrorKind::InvalidInput)?)
            }
            other => other,
        };
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        (!self.hides_length).then_some(self.n_bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn bytes_are_replaced_and_the_end_comes_early() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let patches = vec![Patch { at: 3, bytes: b"abc".to_vec() }];
        let mut source = Source::new(file, 8, patches, false).unwrap();
        let mut all = String::new();
        source.read_to_string(&mut all).unwrap();
        assert_eq!(all, "012abc67");
        assert_eq!(source.seek(SeekFrom::End(-4)).unwrap(), 4);
        let mut two = [0; 2];
        source.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"bc");
        assert_eq!(source.byte_len(), Some(8));
    }
}
