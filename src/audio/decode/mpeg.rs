//! Whether an mp3 file is whole: its frames from the first to the last, and their number where a
//! tag tells it.
//!
//! # Source
//! ISO/IEC 11172-3 and 13818-3 (the frame header); ID3v2.4, section 3.1; the Xing tag as LAME
//! writes it.

use std::io::{self, Read, Seek, SeekFrom};

/// Kilobits per second by the header's index, from 1.
const BITRATES_MPEG_1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_MPEG_2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// What of a frame's header decides where the next one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    n_bytes: u64,
    /// From the header to the Xing tag, where there is one.
    tag_at: u64,
    /// The bits that all frames of a file have in common: version, layer, sample rate.
    kind: (u8, u8),
}

impl Frame {
    /// `None` for whatever is no header of layer III with a stated bit rate.
    fn parse([sync, version, rates, mode]: [u8; 4]) -> Option<Self> {
        let is_mpeg_1 = version & 0x18 == 0x18;
        let is_layer_3 = sync == 0xff && version & 0xe6 == 0xe2 && version & 0x18 != 0x08;
        let bitrates = if is_mpeg_1 { &BITRATES_MPEG_1 } else { &BITRATES_MPEG_2 };
        let bitrate = bitrates.get(usize::from(rates >> 4).checked_sub(1)?)?;
        let full_rate_hz = *[44_100, 48_000, 32_000].get(usize::from(rates >> 2 & 3))?;
        if !is_layer_3 {
            return None;
        }
        let (rate_hz, bytes_per_kbit) = match version & 0x18 {
            0x18 => (full_rate_hz, 144),
            0x10 => (full_rate_hz / 2, 72),
            _ => (full_rate_hz / 4, 72),
        };
        let padding = u32::from(rates >> 1 & 1);
        let is_mono = mode & 0xc0 == 0xc0;
        let side_info = match (is_mpeg_1, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        let n_bytes = u64::from(bytes_per_kbit * bitrate * 1000 / rate_hz + padding);
        Some(Self { n_bytes, tag_at: 4 + side_info, kind: (version & 0x1e, rates & 0x0c) })
    }
}

/// What is wrong with the frames, in words; `None` where all is well or nothing can be told.
///
/// Tags before and behind the frames are stepped over; so are other bytes behind the last one.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn fault(reader: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Option<String>> {
    let mut at = first_frame(reader)?;
    let (mut n_frames, mut n_promised) = (0, None);
    let mut last = None;
    while let Some(frame) = frame_at(reader, at)? {
        if at + frame.n_bytes > n_bytes {
            let there = n_bytes - at;
            return Ok(Some(format!("the last frame has {there} of {} bytes", frame.n_bytes)));
        }
        if last.is_none() {
            n_promised = promised_frames(reader, at + frame.tag_at)?;
        }
        // The frame with the tag holds no sound, and encoders do not agree on whether to count it.
        n_frames += u32::from(last.is_some() || n_promised.is_none());
        at += frame.n_bytes;
        last = Some(frame);
    }
    let Some(last) = last else { return Ok(None) };
    // Too many are two files in one: the decoder would leave out the second without a message.
    if let Some(n_promised) = n_promised.filter(|n| n_frames.abs_diff(*n) > 1) {
        return Ok(Some(format!("its tag declares {n_promised} frames, found {n_frames}")));
    }
    if (1..4).contains(&n_bytes.saturating_sub(at)) {
        return Ok(Some(format!("{} bytes of a frame are left at the end", n_bytes - at)));
    }
    let goes_on = !is_tag(reader, at)? && goes_on_behind(reader, at, last.kind)?;
    Ok(goes_on.then(|| format!("no frame at byte {at}, but frames after it")))
}

/// Where the frames begin: behind ID3v2 tags and zeros.
fn first_frame(reader: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut at = 0;
    loop {
        match bytes_at::<10>(reader, at)? {
            Some([b'I', b'D', b'3', _, _, flags, a, b, c, d]) => {
                let size = [a, b, c, d].iter().fold(0, |size, &b| size << 7 | u64::from(b & 0x7f));
                at += 10 + size + if flags & 0x10 == 0 { 0 } else { 10 };
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

fn frame_at(reader: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Frame>> {
    Ok(bytes_at::<4>(reader, at)?.and_then(Frame::parse))
}

/// The number of frames that a Xing or Info tag at `at` tells.
fn promised_frames(reader: &mut (impl Read + Seek), at: u64) -> io::Result<Option<u32>> {
    Ok(match bytes_at::<12>(reader, at)? {
        Some([a, b, c, d, _, _, _, flags, count @ ..])
            if [b"Xing", b"Info"].contains(&&[a, b, c, d]) && flags & 1 == 1 =>
        {
            Some(u32::from_be_bytes(count))
        }
        _ => None,
    })
}

fn is_tag(reader: &mut (impl Read + Seek), at: u64) -> io::Result<bool> {
    let start = bytes_at::<3>(reader, at)?;
    Ok(start.is_some_and(|start| [b"TAG", b"APE", b"LYR", b"ID3"].contains(&&start)))
}

/// Whether two frames of one kind, one right behind the other, come anywhere after `at`.
fn goes_on_behind(reader: &mut (impl Read + Seek), at: u64, kind: (u8, u8)) -> io::Result<bool> {
    reader.seek(SeekFrom::Start(at))?;
    let mut rest = Vec::new();
    // As far as anybody pads; a longer gap is looked through to here only.
    reader.by_ref().take(1 << 20).read_to_end(&mut rest)?;
    let frame = |at: usize| {
        let header = rest.get(at..at + 4)?;
        Frame::parse(header.try_into().ok()?).filter(|frame| frame.kind == kind)
    };
    let starts_two =
        |at| frame(at).is_some_and(|first| frame(at + first.n_bytes as usize).is_some());
    Ok((1..rest.len()).any(starts_two))
}

fn bytes_at<const N: usize>(
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

    /// MPEG-1, 128 kbit/s, 44.1 kHz, stereo: 417 bytes.
    fn frame() -> Vec<u8> {
        let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
        frame.resize(417, 0);
        frame
    }

    fn fault_of(parts: &[Vec<u8>]) -> Option<String> {
        let bytes = parts.concat();
        let n_bytes = bytes.len() as u64;
        fault(&mut Cursor::new(bytes), n_bytes).expect("slices read")
    }

    #[test]
    fn a_header_tells_where_the_next_one_is() {
        let n_bytes = |header| Frame::parse(header).map(|frame| frame.n_bytes);
        assert_eq!(n_bytes([0xff, 0xfb, 0x90, 0x00]), Some(417));
        assert_eq!(n_bytes([0xff, 0xfb, 0x92, 0x00]), Some(418));
        // MPEG-2, 64 kbit/s, 22.05 kHz: 72 * 64,000 / 22,050.
        assert_eq!(n_bytes([0xff, 0xf3, 0x80, 0x00]), Some(208));
        // Free bit rate, layer II, no sync.
        for header in [[0xff, 0xfb, 0x00, 0], [0xff, 0xfd, 0x90, 0], [0xfe, 0xfb, 0x90, 0]] {
            assert_eq!(n_bytes(header), None);
        }
    }

    #[test]
    fn a_cut_frame_and_missing_frames_are_told() {
        let id3 = b"ID3\x04\0\0\0\0\0\x05hello".to_vec();
        assert_eq!(fault_of(&[id3, vec![0; 3], frame(), frame()]), None);
        let cut = fault_of(&[frame(), frame()[..100].to_vec()]);
        assert_eq!(cut.as_deref(), Some("the last frame has 100 of 417 bytes"));
        let cut = fault_of(&[frame(), frame()[..2].to_vec()]);
        assert_eq!(cut.as_deref(), Some("2 bytes of a frame are left at the end"));
        let mut tagged = frame();
        tagged[36..48].copy_from_slice(b"Xing\0\0\0\x01\0\0\0\x03");
        let all = [tagged.clone(), frame(), frame(), frame()];
        assert_eq!(fault_of(&all), None);
        assert_eq!(fault_of(&all[..3]), None, "three with the tag's own");
        let few = fault_of(&all[..2]);
        assert_eq!(few.as_deref(), Some("its tag declares 3 frames, found 1"));
        let two_files = fault_of(&[all.concat(), all.concat()]);
        assert_eq!(two_files.as_deref(), Some("its tag declares 3 frames, found 7"));
    }

    #[test]
    fn tags_and_padding_behind_the_frames_are_no_damage_but_gaps_are() {
        let mut tag = b"TAG".to_vec();
        tag.resize(128, b' ');
        assert_eq!(fault_of(&[frame(), frame(), tag]), None);
        assert_eq!(fault_of(&[frame(), frame(), vec![0; 500]]), None);
        let gap = fault_of(&[frame(), frame(), vec![1; 50], frame(), frame()]);
        assert_eq!(gap.as_deref(), Some("no frame at byte 834, but frames after it"));
    }
}
