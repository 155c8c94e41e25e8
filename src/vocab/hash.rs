//! Content hashes of cache entries, datasets and specs.

use sha2::Digest;

/// A running SHA-256 over pieces. Each piece is preceded by its length, so that different lists of
/// pieces never collide.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Creates an empty hash.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one piece, preceded by its length.
    #[must_use]
    pub fn piece(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds bytes without a length, for the plain hash of data that arrives in pieces.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(bytes);
        self
    }

    /// Returns the digest as 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Returns the plain SHA-256 of some bytes, as `sha256sum` prints it.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

/// Formats a digest as lower-case hexadecimal digits.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_hash_is_the_published_one() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn bytes_in_pieces_have_the_plain_hash() {
        assert_eq!(Sha256::new().bytes(b"a").bytes(b"bc").hex(), sha256_hex(b"abc"));
    }

    #[test]
    fn pieces_do_not_run_into_each_other() {
        let ab_c = Sha256::new().piece("ab").piece("c").hex();
        let a_bc = Sha256::new().piece("a").piece("bc").hex();
        assert_ne!(ab_c, a_bc);
    }
}
