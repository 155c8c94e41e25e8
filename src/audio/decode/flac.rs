//! The block sizes in a FLAC header, which some encoders leave wrong.
//!
//! # Source
//! RFC 9639, sections 8.1 and 8.2 (the streaminfo block) and 9.1 (the frame header).

use std::io::{self, Read, Seek};

use super::{source::Patch, tags::bytes_at};

/// The smallest block size of the format.
const MIN_BLOCK: u16 = 16;

/// What the header must say for symphonia, which rejects a stream whose smallest block size is below 16
/// and drops every frame of one whose block sizes do not agree with the blocking strategy of its frames.
///
/// `start` is where the file's marker is. `None` where the header is right, or nothing can be told.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn patch(reader: &mut (impl Read + Seek), start: u64) -> io::Result<Option<Patch>> {
    let Some([b'f', b'L', b'a', b'C', first, _, _, _, sizes @ ..]) = bytes_at::<12>(reader, start)?
    else {
        return Ok(None);
    };
    let [smallest, largest] = [[sizes[0], sizes[1]], [sizes[2], sizes[3]]].map(u16::from_be_bytes);
    // The first block is the streaminfo.
    if first & 0x7f != 0 {
        return Ok(None);
    }
    let mut at = start + 4;
    while let Some([kind, size @ ..]) = bytes_at::<4>(reader, at)? {
        at += 4 + size.iter().fold(0, |size, &byte| size << 8 | u64::from(byte));
        if kind & 0x80 != 0 {
            break;
        }
    }
    let right = match bytes_at::<2>(reader, at)? {
        // All blocks but the last have one size.
        Some([0xff, 0xf8]) => largest,
        Some([0xff, 0xf9]) if smallest < MIN_BLOCK || smallest == largest => MIN_BLOCK,
        _ => return Ok(None),
    };
    let patch = Patch { at: start + 8, bytes: right.to_be_bytes().to_vec() };
    Ok((right != smallest).then_some(patch))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn patched(smallest: u16, largest: u16, frame: u8) -> Option<Vec<u8>> {
        let sizes = [smallest.to_be_bytes(), largest.to_be_bytes()].concat();
        let info = [[0, 0, 0, 34].as_slice(), &sizes, &[0; 30]].concat();
        let bytes = [b"fLaC".as_slice(), &info, &[0x84, 0, 0, 2, 1, 1], &[0xff, frame]].concat();
        patch(&mut Cursor::new(bytes), 0).unwrap().map(|patch| {
            assert_eq!(patch.at, 8);
            patch.bytes
        })
    }

    #[test]
    fn the_smallest_block_size_is_what_the_frames_say() {
        assert_eq!(patched(4096, 4096, 0xf8), None);
        assert_eq!(patched(0, 4096, 0xf8), Some(vec![0x10, 0]));
        assert_eq!(patched(735, 4096, 0xf8), Some(vec![0x10, 0]), "that of the last block");
        assert_eq!(patched(576, 4608, 0xf9), None);
        assert_eq!(patched(0, 4608, 0xf9), Some(vec![0, 16]));
        assert_eq!(patched(4096, 4096, 0xf9), Some(vec![0, 16]));
        assert_eq!(patched(0, 4096, 0), None, "no frame");
    }
}
