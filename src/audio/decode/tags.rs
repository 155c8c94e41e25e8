//! Tags before and behind the audio of a file.
//!
//! # Source
//! ID3v1 (Kemp 1996) and its extension TAG+; ID3v2.4, sections 3.1 and 3.4; APEv2; Lyrics3 v2.00.

use std::io::{self, Read, Seek, SeekFrom};

const ID3V1_BYTES: u64 = 128;
const ENHANCED_BYTES: u64 = 227;
const APE_FOOTER_BYTES: u64 = 32;

/// Where the audio begins: behind all ID3v2 tags and zeros.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn start(reader: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut at = 0;
    loop {
        match bytes_at::<10>(reader, at)? {
            Some([b'I', b'D', b'3', _, _, flags, size @ ..]) => {
                at += 10 + synchsafe(size) + if flags & 0x10 == 0 { 0 } else { 10 };
            }
            Some([0, ..]) => {
                reader.seek(SeekFrom::Start(at))?;
                let mut zeros = Vec::new();
                reader.by_ref().take(1 << 16).read_to_end(&mut zeros)?;
                at += zeros.iter().take_while(|&&byte| byte == 0).count() as u64;
            }
            _ => return Ok(at),
        }
    }
}

/// Where the audio of a file of `n_bytes` ends: before all tags.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn end(reader: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<u64> {
    let mut end = n_bytes;
    while let Some(n) = trailing_tag(reader, end)?.filter(|n| *n > 0 && *n <= end) {
        end -= n;
    }
    Ok(end)
}

/// The size of the tag that ends at `end`.
fn trailing_tag(reader: &mut (impl Read + Seek), end: u64) -> io::Result<Option<u64>> {
    let mut before = |n: u64| match end.checked_sub(n) {
        Some(at) => bytes_at::<32>(reader, at),
        None => Ok(None),
    };
    if before(ID3V1_BYTES)?.is_some_and(|bytes| bytes.starts_with(b"TAG")) {
        return Ok(Some(ID3V1_BYTES));
    }
    if before(ENHANCED_BYTES)?.is_some_and(|bytes| bytes.starts_with(b"TAG+")) {
        return Ok(Some(ENHANCED_BYTES));
    }
    let Some(last) = before(APE_FOOTER_BYTES)? else { return Ok(None) };
    if last.starts_with(b"APETAGEX") {
        let word =
            |at: usize| u32::from_le_bytes([last[at], last[at + 1], last[at + 2], last[at + 3]]);
        // The size counts the footer and not the header.
        let header = if word(20) >> 31 == 1 { APE_FOOTER_BYTES } else { 0 };
        return Ok(Some(u64::from(word(12)) + header));
    }
    if last.ends_with(b"LYRICS200") {
        let digits = std::str::from_utf8(&last[17..23]).ok();
        return Ok(digits.and_then(|digits| digits.parse::<u64>().ok()).map(|n| n + 15));
    }
    if last[22..].starts_with(b"3DI") {
        let size = [last[28], last[29], last[30], last[31]];
        return Ok(Some(20 + synchsafe(size)));
    }
    Ok(None)
}

fn synchsafe(size: [u8; 4]) -> u64 {
    size.iter().fold(0, |size, &byte| size << 7 | u64::from(byte & 0x7f))
}

/// `N` bytes from a place on; `None` where the file ends before.
pub(super) fn bytes_at<const N: usize>(
    reader: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<[u8; N]>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn end_of(parts: &[&[u8]]) -> u64 {
        let bytes = parts.concat();
        let n = bytes.len() as u64;
        end(&mut Cursor::new(bytes), n).unwrap()
    }

    #[test]
    fn tags_behind_the_audio_are_stepped_over_in_any_order() {
        let audio = [7_u8; 300];
        let id3v1 = [b"TAG".as_slice(), &[b' '; 125]].concat();
        let enhanced = [b"TAG+".as_slice(), &[b' '; 223]].concat();
        let ape = |flags: u32| {
            let word = |n: u32| n.to_le_bytes();
            [b"APETAGEX".as_slice(), &word(2000), &word(42), &word(1), &word(flags), &[0; 8]]
                .concat()
        };
        let ape = [ape(0xa000_0000), vec![1; 10], ape(0x8000_0000)].concat();
        let lyrics = [b"LYRICSBEGIN".as_slice(), b"000011LYRICS200"].concat();
        let footer = [b"ID3\x04\0\x10\0\0\0\x05".as_slice(), b"hello", b"3DI\x04\0\x10\0\0\0\x05"];
        assert_eq!(end_of(&[&audio]), 300);
        assert_eq!(end_of(&[&audio, &id3v1]), 300);
        assert_eq!(end_of(&[&audio, &enhanced, &id3v1]), 300);
        assert_eq!(end_of(&[&audio, &ape, &id3v1]), 300);
        assert_eq!(end_of(&[&audio, &lyrics, &id3v1]), 300);
        assert_eq!(end_of(&[&audio, &footer.concat()]), 300);
        assert_eq!(end_of(&[b"TAG"]), 3, "too short for a tag");
    }

    #[test]
    fn tags_and_zeros_before_the_audio_are_stepped_over() {
        let bytes = [b"ID3\x03\0\0\0\0\0\x05hello".as_slice(), &[0; 3], b"audio", &[0; 9]].concat();
        assert_eq!(start(&mut Cursor::new(bytes)).unwrap(), 18);
    }
}
