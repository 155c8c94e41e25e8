//! Whether an mp4 file is whole, which part of a track to play, and why a track cannot be read.
//!
//! # Source
//! ISO/IEC 14496-12: boxes (4.2), `mvhd` (8.2.2), `tkhd` (8.3.2), `mdhd` (8.4.2), `stsd` (8.5.2),
//! `elst` (8.6.6).

use std::io::{self, Read, Seek, SeekFrom};

use super::{ENDS_EARLY, mp4_codec};

/// The only edit of a track: encoders write it to mark their delay and the padding at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    /// Units per second of the other fields; for audio nearly always its sample rate.
    pub timescale: u32,
    /// The first sample to play.
    pub start: usize,
    /// The number of samples to play, to within a tick of the film's own, coarser timescale.
    pub len: usize,
}

/// What the index says of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub id: u32,
    pub edit: Option<Edit>,
    /// Why the decoder cannot read it, although nothing is wrong with it.
    pub unsupported: Option<String>,
}

/// The boxes of a file.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    /// What is wrong with them, in words.
    pub fault: Option<String>,
    pub tracks: Vec<Track>,
}

/// A longer index (moov) is not read.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// Reads the boxes of a file's first `n_bytes`.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn boxes(reader: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Boxes> {
    let mut found = Boxes::default();
    let (mut at, mut has_index) = (0, false);
    while at < n_bytes {
        reader.seek(SeekFrom::Start(at))?;
        let mut start = Vec::with_capacity(16);
        reader.by_ref().take(16).read_to_end(&mut start)?;
        let header = box_header(&start, n_bytes - at);
        let Some((kind, header, len)) = header.filter(|(.., len)| *len <= n_bytes - at) else {
            found.fault = Some(ENDS_EARLY.into());
            return Ok(found);
        };
        if &kind == b"moov" && len <= MAX_INDEX_BYTES {
            has_index = true;
            reader.seek(SeekFrom::Start(at + header))?;
            let mut index = Vec::new();
            reader.by_ref().take(len - header).read_to_end(&mut index)?;
            found.tracks = read_tracks(&index);
        }
        at += len;
    }
    found.fault = (!has_index).then(|| format!("{ENDS_EARLY}: it has no index (moov)"));
    Ok(found)
}

/// A box's kind, the length of its header and of the whole box; `None` if the header is incomplete.
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

/// The contents of the boxes of one kind.
fn inside(mut bytes: &[u8], wanted: [u8; 4]) -> impl Iterator<Item = &[u8]> {
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

fn read_tracks(index: &[u8]) -> Vec<Track> {
    let film_timescale = inside(index, *b"mvhd").next().and_then(timescale).unwrap_or(0);
    let track = |track: &[u8]| {
        let header = inside(track, *b"tkhd").next()?;
        let id = word(header, if header.first() == Some(&1) { 20 } else { 12 })?;
        let edit = read_edit(track, film_timescale);
        // The number of entries comes first, then the size of the first one.
        let entry = media(track)
            .and_then(|media| inside(media, *b"minf").next())
            .and_then(|info| inside(info, *b"stbl").next())
            .and_then(|table| inside(table, *b"stsd").next())
            .and_then(|entries| entries.get(12..));
        let unsupported = entry.and_then(mp4_codec::unsupported);
        Some(Track { id, edit, unsupported })
    };
    inside(index, *b"trak").filter_map(track).collect()
}

fn media(track: &[u8]) -> Option<&[u8]> {
    inside(track, *b"mdia").next()
}

/// Versions 0 and 1 of a box differ in how wide its times are.
fn timescale(bytes: &[u8]) -> Option<u32> {
    word(bytes, if bytes.first() == Some(&1) { 20 } else { 12 })
}

/// The edit of a track, if it is the only one, in 32-bit times, at the normal speed, without silence
/// before it.
fn read_edit(track: &[u8], film_timescale: u32) -> Option<Edit> {
    let timescale = inside(media(track)?, *b"mdhd").next().and_then(timescale)?;
    let list = inside(inside(track, *b"edts").next()?, *b"elst").next()?;
    let [version, count] = [word(list, 0)?, word(list, 4)?];
    let (duration, start) = (word(list, 8)?, word(list, 12)?);
    if version >> 24 != 0 || count != 1 || start > i32::MAX as u32 || film_timescale == 0 {
        return None;
    }
    let ticks = u64::from(duration) * u64::from(timescale);
    let len = match ticks.div_ceil(u64::from(film_timescale)) {
        // Left open in files that are written while they are recorded.
        0 => usize::MAX,
        len => usize::try_from(len).ok()?,
    };
    Some(Edit { timescale, start: start as usize, len })
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

    fn read(bytes: Vec<u8>) -> (Option<String>, Vec<Option<Edit>>) {
        let n_bytes = bytes.len() as u64;
        let found = boxes(&mut Cursor::new(bytes), n_bytes).expect("slices read");
        assert!(found.tracks.iter().all(|track| track.id == 5 && track.unsupported.is_none()));
        (found.fault, found.tracks.into_iter().map(|track| track.edit).collect())
    }

    #[test]
    fn one_edit_is_read_and_several_are_not() {
        let (fault, edits) = read(index(&[0, 1, 300, 1024, 0x1_0000]));
        assert_eq!(fault, None);
        assert_eq!(edits, [Some(Edit { timescale: 22_050, start: 1024, len: 6615 })]);
        assert_eq!(read(index(&[0, 2, 300, 1024, 0x1_0000, 1, 2, 3])).1, [None]);
        assert_eq!(read(index(&[0, 1, 300, u32::MAX, 0x1_0000])).1, [None]);
    }

    #[test]
    fn a_box_that_is_longer_than_the_file_and_a_missing_index_are_reported() {
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
