//! The header of Sun's `.au` (`.snd`) format, in which GTZAN was first published.
//!
//! # Source
//! Sun Microsystems, `au(4)`: six big-endian 32-bit words (magic, data offset, data size, encoding,
//! sample rate, channels), an annotation, then the samples, big-endian.

use std::io::{self, Read};

use super::pcm::{ByteOrder, Encoding, Layout};

/// The first four bytes of every au file.
pub(super) const MAGIC: &[u8; 4] = b".snd";

const HEADER_BYTES: u32 = 24;
const UNKNOWN_SIZE: u32 = u32::MAX;

/// Reads the header after the magic number and leaves `reader` at the first sample.
///
/// # Errors
/// The inner error is a fault of the header; the outer one comes from the operating system.
pub(super) fn read_header(reader: &mut impl Read) -> io::Result<Result<Layout, String>> {
    let mut words = [0_u8; 20];
    if let Err(error) = reader.read_exact(&mut words) {
        return too_short(error);
    }
    let (words, _) = words.as_chunks::<4>();
    let [offset, n_data_bytes, encoding, sample_rate_hz, n_channels] =
        std::array::from_fn(|word_idx| u32::from_be_bytes(words[word_idx]));
    if offset < HEADER_BYTES {
        return Ok(Err(format!("an au header whose data offset {offset} is inside the header")));
    }
    let encoding = match encoding {
        1 => Encoding::MuLaw,
        2 => Encoding::S8,
        3 => Encoding::S16,
        4 => Encoding::S24,
        5 => Encoding::S32,
        6 => Encoding::F32,
        7 => Encoding::F64,
        other => return Ok(Err(format!("au with encoding {other} (supported: 1 to 7)"))),
    };
    let annotation = u64::from(offset - HEADER_BYTES);
    if io::copy(&mut reader.by_ref().take(annotation), &mut io::sink())? < annotation {
        return Ok(Err("an au file that ends inside its header".into()));
    }
    Ok(Ok(Layout {
        encoding,
        byte_order: ByteOrder::Big,
        n_channels: n_channels as usize,
        sample_rate_hz,
        n_data_bytes: (n_data_bytes != UNKNOWN_SIZE).then_some(u64::from(n_data_bytes)),
    }))
}

fn too_short(error: io::Error) -> io::Result<Result<Layout, String>> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ok(Err("an au file that ends inside its header".into())),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn a_header_with_an_annotation_is_read_up_to_the_first_sample() {
        let mut bytes = words(&[28, 4, 3, 22_050, 1]);
        bytes.extend(b"note\x40\x00\x20\x00");
        let mut reader = bytes.as_slice();
        let layout = read_header(&mut reader).expect("slices read").expect("the header is whole");
        assert_eq!(layout.encoding, Encoding::S16);
        assert_eq!((layout.sample_rate_hz, layout.n_channels), (22_050, 1));
        assert_eq!(layout.n_data_bytes, Some(4));
        assert_eq!(reader, [0x40, 0, 0x20, 0]);
    }

    #[test]
    fn an_unknown_size_is_left_open() {
        let bytes = words(&[24, UNKNOWN_SIZE, 1, 8000, 1]);
        let layout = read_header(&mut bytes.as_slice()).expect("slices read");
        assert_eq!(layout.expect("the header is whole").n_data_bytes, None);
    }

    #[test]
    fn a_bad_header_is_described() {
        let describe = |bytes: &[u8]| {
            read_header(&mut &*bytes).expect("slices read").expect_err("the header is bad")
        };
        let bad_encoding = words(&[24, 0, 23, 8000, 1]);
        assert_eq!(describe(&bad_encoding), "au with encoding 23 (supported: 1 to 7)");
        assert_eq!(describe(&bad_encoding[..7]), "an au file that ends inside its header");
        let bad_offset = words(&[8, 0, 3, 8000, 1]);
        assert!(describe(&bad_offset).contains("data offset 8"), "{}", describe(&bad_offset));
    }
}
