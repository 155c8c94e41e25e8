//! Checksums of files as their publishers give them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::vocab::hex;

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256, 64 hexadecimal digits.
    Sha256,
    /// SHA-1, 40 hexadecimal digits: detects damage, but not forgery.
    Sha1,
    /// MD5, 32 hexadecimal digits: detects damage, but not forgery.
    Md5,
}

impl Algorithm {
    /// All of them, the strongest first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha1, Self::Md5];

    /// `sha256`, `sha1` or `md5`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }

    /// Hexadecimal digits of such a sum.
    #[must_use]
    pub fn n_digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha1 => 40,
            Self::Md5 => 32,
        }
    }
}

/// A checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Its kind.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal digits.
    pub hex: String,
}

impl Sum {
    /// The sum of a file's bytes, as `sha256sum` and its like print it.
    ///
    /// `progress` receives the number of bytes read and returns whether to continue.
    ///
    /// # Errors
    /// Where the file can't be read; [`io::ErrorKind::Interrupted`] where `progress` said no.
    pub fn of_file(
        path: &Path,
        algorithm: Algorithm,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let hex = match algorithm {
            Algorithm::Sha256 => digest::<Sha256>(&mut file, progress),
            Algorithm::Sha1 => digest::<Sha1>(&mut file, progress),
            Algorithm::Md5 => digest::<Md5>(&mut file, progress),
        };
        Ok(Self { algorithm, hex: hex? })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm.as_str(), self.hex)
    }
}

fn digest<D: Digest>(file: &mut File, progress: &mut dyn FnMut(u64) -> bool) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 18];
    let mut n_read = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(&buffer[..n]);
        n_read += n as u64;
        if !progress(n_read) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_published_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // RFC 1321 appendix A.5; FIPS 180-4's example for SHA-1.
        for (algorithm, hex) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let sum = Sum::of_file(&path, algorithm, &mut |_| true).unwrap();
            assert_eq!(sum.hex, hex);
            assert_eq!(sum.hex.len(), algorithm.n_digits());
        }
        let stopped = Sum::of_file(&path, Algorithm::Md5, &mut |_| false).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
    }
}
