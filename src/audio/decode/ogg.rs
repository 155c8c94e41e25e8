//! Whether an ogg file is whole: its pages, their checksums and their end-of-stream marks.
//!
//! # Source
//! RFC 3533, section 6: the page header, and its CRC (polynomial 0x04c11db7, not reflected).

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::ENDS_EARLY;

const HEADER_BYTES: usize = 27;
const FIRST_OF_STREAM: u8 = 2;
const LAST_OF_STREAM: u8 = 4;

/// The part of a logical stream that was read so far.
struct Stream {
    next_sequence: u32,
    has_ended: bool,
}

/// The codec of a file whose streams the decoder cannot read; `None` if it can read one of them.
///
/// Only the first page of each stream is read. It names the codec of the stream.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn unsupported(reader: &mut impl Read) -> io::Result<Option<String>> {
    let mut names = Vec::new();
    let mut page = Vec::new();
    while read_up_to(reader, &mut page, 0, HEADER_BYTES)?
        && page.starts_with(b"OggS")
        && page[5] & FIRST_OF_STREAM != 0
    {
        let n_segments = usize::from(page[26]);
        if !read_up_to(reader, &mut page, HEADER_BYTES, n_segments)? {
            break;
        }
        let body_len = page[HEADER_BYTES..].iter().map(|&length| usize::from(length)).sum();
        let header_len = HEADER_BYTES + n_segments;
        read_up_to(reader, &mut page, header_len, body_len)?;
        let codec = CODECS.iter().find(|(start, _)| page[header_len..].starts_with(start));
        match codec {
            Some((_, Some(name))) => names.push(*name),
            // A codec that can be read, or one that symphonia may know.
            Some((_, None)) | None => return Ok(None),
        }
    }
    Ok((!names.is_empty()).then(|| format!("ogg with {}", names.join(" and "))))
}

/// How the first page of a stream begins, and the codec's name if it cannot be read.
const CODECS: [(&[u8], Option<&str>); 8] = [
    (b"\x01vorbis", None),
    (b"\x7fFLAC", None),
    (b"OpusHead", Some("Opus")),
    (b"Speex   ", Some("Speex")),
    (b"\x80theora", Some("Theora video")),
    (b"\x80daala", Some("Daala video")),
    (b"BBCD", Some("Dirac video")),
    (b"fishead\0", Some("Skeleton")),
];

/// What is wrong with the pages from the start of the file; `None` if nothing is.
///
/// Anything that follows the last page of all streams is ignored.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn fault(reader: &mut impl Read) -> io::Result<Option<String>> {
    let table = crc_table();
    let mut streams: BTreeMap<u32, Stream> = BTreeMap::new();
    let mut page = Vec::new();
    for page_idx in 0_usize.. {
        if !read_up_to(reader, &mut page, 0, HEADER_BYTES)? {
            let has_ended = page.is_empty() && streams.values().all(|stream| stream.has_ended);
            return Ok((!has_ended).then(|| ENDS_EARLY.into()));
        }
        let has_ended = !streams.is_empty() && streams.values().all(|stream| stream.has_ended);
        if !page.starts_with(b"OggS") {
            let fault = format!("no page of ogg at page {page_idx}");
            return Ok((!has_ended).then_some(fault));
        }
        if has_ended {
            return Ok(Some(
                "a second stream follows the first (chained ogg is not supported)".into(),
            ));
        }
        let n_segments = usize::from(page[26]);
        let header_len = HEADER_BYTES + n_segments;
        if !read_up_to(reader, &mut page, HEADER_BYTES, n_segments)? {
            return Ok(Some(ENDS_EARLY.into()));
        }
        let body_len = page[HEADER_BYTES..].iter().map(|&length| usize::from(length)).sum();
        if !read_up_to(reader, &mut page, header_len, body_len)? {
            return Ok(Some(ENDS_EARLY.into()));
        }
        let word =
            |at: usize| u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]);
        let (flags, serial, sequence, checksum) = (page[5], word(14), word(18), word(22));
        page[22..26].fill(0);
        if crc(&table, &page) != checksum {
            return Ok(Some(format!("page {page_idx} has a wrong checksum")));
        }
        if flags & FIRST_OF_STREAM != 0 {
            streams.insert(serial, Stream { next_sequence: sequence, has_ended: false });
        }
        let Some(stream) = streams.get_mut(&serial) else {
            return Ok(Some(format!("page {page_idx} belongs to an unknown stream")));
        };
        if sequence != stream.next_sequence {
            return Ok(Some(format!("pages are missing before page {page_idx}")));
        }
        stream.next_sequence = sequence.wrapping_add(1);
        stream.has_ended = flags & LAST_OF_STREAM != 0;
    }
    Ok(None)
}

/// Extends `page` to `at + n` bytes; `false` if the file ends before (`page` then holds the bytes up to the end).
fn read_up_to(reader: &mut impl Read, page: &mut Vec<u8>, at: usize, n: usize) -> io::Result<bool> {
    page.truncate(at);
    Ok(reader.by_ref().take(n as u64).read_to_end(page)? == n)
}

fn crc_table() -> [u32; 256] {
    std::array::from_fn(|byte| {
        (0..8).fold((byte as u32) << 24, |crc, _| {
            if crc & 0x8000_0000 == 0 { crc << 1 } else { (crc << 1) ^ 0x04c1_1db7 }
        })
    })
}

fn crc(table: &[u32; 256], bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| (crc << 8) ^ table[((crc >> 24) as u8 ^ byte) as usize])
}

/// Recomputes the checksum of every page.
#[cfg(test)]
pub(super) fn mend_checksums(bytes: &mut [u8]) {
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"OggS")).collect();
    for (idx, &at) in starts.iter().enumerate() {
        let end = starts.get(idx + 1).copied().unwrap_or(bytes.len());
        let page = &mut bytes[at..end];
        if page.len() >= HEADER_BYTES {
            page[22..26].fill(0);
            let checksum = crc(&crc_table(), page);
            page[22..26].copy_from_slice(&checksum.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flags: u8, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 8]);
        page.extend(7_u32.to_le_bytes());
        page.extend(sequence.to_le_bytes());
        page.extend([0; 4]);
        page.extend([1, u8::try_from(body.len()).expect("tests use short pages")]);
        page.extend(body);
        let checksum = crc(&crc_table(), &page);
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
        page
    }

    fn fault_of(pages: &[Vec<u8>]) -> Option<String> {
        fault(&mut pages.concat().as_slice()).expect("slices read")
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // The check value of CRC-32/MPEG-2's polynomial with initial value 0.
        assert_eq!(crc(&crc_table(), b"123456789"), 0x89a1_897f);
    }

    #[test]
    fn a_codec_that_cannot_be_read_is_named() {
        let named = |bodies: &[&[u8]]| {
            let pages: Vec<u8> = bodies.iter().flat_map(|body| page(2, 0, body)).collect();
            unsupported(&mut [pages, page(0, 1, b"more")].concat().as_slice()).expect("slices read")
        };
        assert_eq!(named(&[b"\x01vorbis and more"]), None);
        assert_eq!(named(&[b"OpusHead\x01"]).as_deref(), Some("ogg with Opus"));
        assert_eq!(named(&[b"Speex   1.2.1"]).as_deref(), Some("ogg with Speex"));
        let two = named(&[b"\x80theora", b"OpusHead"]);
        assert_eq!(two.as_deref(), Some("ogg with Theora video and Opus"));
        assert_eq!(named(&[b"\x80theora", b"\x01vorbis"]), None, "its sound can be read");
        assert_eq!(named(&[b"unknown"]), None);
    }

    #[test]
    fn what_is_missing_or_changed_is_named() {
        let pages = [page(2, 0, b"one"), page(0, 1, b"two"), page(4, 2, b"three")];
        assert_eq!(fault_of(&pages), None);
        assert_eq!(fault_of(&pages[..2]).as_deref(), Some("the file ends early"));
        let [first, mut second, last] = pages;
        let missing = fault_of(&[first.clone(), last.clone()]);
        assert_eq!(missing.as_deref(), Some("pages are missing before page 1"));
        let cut = fault_of(&[first.clone(), second.clone(), last[..30].to_vec()]);
        assert_eq!(cut.as_deref(), Some("the file ends early"));
        let tag = b"TAG and more bytes than a page's header".to_vec();
        assert_eq!(fault_of(&[first.clone(), second.clone(), last.clone(), tag.clone()]), None);
        let junk = fault_of(&[first.clone(), tag, last.clone()]);
        assert_eq!(junk.as_deref(), Some("no page of ogg at page 1"));
        let chained = fault_of(&[first.clone(), second.clone(), last.clone(), first.clone()]);
        assert!(chained.expect("one stream is read").contains("chained"));
        second[29] ^= 1;
        let changed = fault_of(&[first, second, last]);
        assert_eq!(changed.as_deref(), Some("page 1 has a wrong checksum"));
    }
}
