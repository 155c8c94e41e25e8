//! Whether an mp4 file is whole, and which part of a track is to be heard.
//!
//! # Source
//! ISO/IEC 14496-12: boxes (4.2), `mvhd` (8.2.2), `tkhd` (8.3.2), `mdhd` (8.4.2), `elst` (8.6.6).

use std::io::{self, Read, Seek, SeekFrom};

use super::ENDS_EARLY;

/// The one edit of a track: what encoders write to mark their delay and the padding at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    pub track_id: u32,
    /// Units per second of what follows; for audio nearly always its sample rate.
    pub timescale: u32,
    /// The first sample to be heard.
    pub start: usize,
    /// How many are, to within a tick of the whole film's own, coarser timescale.
    pub len: usize,
}

/// A film's index is read whole; more than this is no index.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// What is wrong with the boxes of the file, in words, and the edits of its tracks in `edits`.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn fault(
    reader: &mut (impl Read + Seek),
    n_bytes: u64,
    edits: &mut Vec<Edit>,
) -> io::Result<Option<String>> {
    let (mut at, mut has_index) = (0, false);
    while at < n_bytes {
        reader.seek(SeekFrom::Start(at))?;
        let mut start = Vec::with_capacity(16);
        reader.by_ref().take(16).read_to_end(&mut start)?;
        let Some((kind, header, len)) = box_header(&start, n_bytes - at) else {
            return Ok(Some(ENDS_EARLY.into()));
        };
        if len > n_bytes - at {
            return Ok(Some(ENDS_EARLY.into()));
        }
        if &kind == b"moov" && len <= MAX_INDEX_BYTES {
            has_index = true;
            reader.seek(SeekFrom::Start(at + header))?;
            let mut index = Vec::new();
            reader.by_ref().take(len - header).read_to_end(&mut index)?;
            *edits = read_edits(&index);
        }
        at += len;
    }
    Ok((!has_index).then(|| format!("{ENDS_EARLY}: it has no index (moov)")))
}

/// Kind, length of the header, length with it; `None` where there is no whole header.
fn box_header(bytes: &[u8], n_left: u64) -> Option<([u8; 4], u64, u64)> {
    let kind = bytes.get(4..8)?.try_into().ok()?;
    let (header, len) = match word(bytes, 0)? {
        0 => (8, n_left),
        1 => (16, u64::from(word(bytes, 8)?) << 32 | u64::from(word(bytes, 12)?)),
        len => (8, u64::from(len)),
    };
    (len >= header).then_some((kind, header, len))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// What is inside the boxes of one kind.
fn boxes(mut bytes: &[u8], wanted: [u8; 4]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        loop {
            let (kind, header, len) = box_header(bytes, bytes.len() as u64)?;
            let inside = bytes.get(header as usize..usize::try_from(len).ok()?)?;
            bytes = &bytes[len as usize..];
            if kind == wanted {
                return Some(inside);
            }
        }
    })
}

fn read_edits(index: &[u8]) -> Vec<Edit> {
    // Versions 0 and 1 of a box differ in how wide its times are.
    let timescale = |bytes: &[u8]| word(bytes, if bytes.first() == Some(&1) { 20 } else { 12 });
    let Some(film_timescale) = boxes(index, *b"mvhd").next().and_then(timescale) else {
        return Vec::new();
    };
    let edit = |track: &[u8]| {
        let header = boxes(track, *b"tkhd").next()?;
        let track_id = word(header, if header.first() == Some(&1) { 20 } else { 12 })?;
        let media = boxes(track, *b"mdia").next()?;
        let timescale = boxes(media, *b"mdhd").next().and_then(timescale)?;
        let list = boxes(boxes(track, *b"edts").next()?, *b"elst").next()?;
        // One edit, in 32-bit times, at the normal speed, that does not begin with silence.
        let [version, count] = [word(list, 0)?, word(list, 4)?];
        let (duration, start) = (word(list, 8)?, word(list, 12)?);
        if version >> 24 != 0 || count != 1 || start > i32::MAX as u32 || film_timescale == 0 {
            return None;
        }
        let ticks = u64::from(duration) * u64::from(timescale);
        let len = match ticks.div_ceil(u64::from(film_timescale)) {
            // Left open in files that are written as they are recorded.
            0 => usize::MAX,
            len => usize::try_from(len).ok()?,
        };
        Some(Edit { track_id, timescale, start: start as usize, len })
    };
    boxes(index, *b"trak").filter_map(edit).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(kind: [u8; 4], inside: &[u8]) -> Vec<u8> {
        let len = u32::try_from(inside.len() + 8).expect("tests use short boxes");
        [&len.to_be_bytes(), kind.as_slice(), inside].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn index(edits: &[u32]) -> Vec<u8> {
        let track = [
            boxed(*b"tkhd", &words(&[0, 0, 0, 5])),
            boxed(*b"edts", &boxed(*b"elst", &words(edits))),
            boxed(*b"mdia", &boxed(*b"mdhd", &words(&[0, 0, 0, 22_050, 0]))),
        ];
        let film = [boxed(*b"mvhd", &words(&[0, 0, 0, 1000, 0])), boxed(*b"trak", &track.concat())];
        boxed(*b"moov", &film.concat())
    }

    fn read(bytes: Vec<u8>) -> (Option<String>, Vec<Edit>) {
        let (mut edits, n_bytes) = (Vec::new(), bytes.len() as u64);
        let fault = fault(&mut Cursor::new(bytes), n_bytes, &mut edits).expect("slices read");
        (fault, edits)
    }

    #[test]
    fn one_edit_is_read_and_several_are_not() {
        let (fault, edits) = read(index(&[0, 1, 300, 1024, 0x1_0000]));
        assert_eq!(fault, None);
        assert_eq!(edits, [Edit { track_id: 5, timescale: 22_050, start: 1024, len: 6615 }]);
        assert_eq!(read(index(&[0, 2, 300, 1024, 0x1_0000, 1, 2, 3])).1, []);
        assert_eq!(read(index(&[0, 1, 300, u32::MAX, 0x1_0000])).1, []);
    }

    #[test]
    fn a_box_that_goes_on_behind_the_end_and_a_missing_index_are_told() {
        let index = index(&[0, 1, 300, 1024, 0x1_0000]);
        let data = boxed(*b"mdat", &[0; 100]);
        assert_eq!(read([data.clone(), index.clone()].concat()).0, None);
        let cut = [index.as_slice(), &data[..50]].concat();
        assert_eq!(read(cut).0.as_deref(), Some("the file ends early"));
        let missing = read(data).0;
        assert_eq!(missing.as_deref(), Some("the file ends early: it has no index (moov)"));
        let wide = [&words(&[1])[..], b"free", &words(&[0, 20, 0]), &index].concat();
        assert_eq!(read(wide).0, None);
    }
}
