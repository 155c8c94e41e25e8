//! Whether an mp3 file is whole: its frames from the first to the last, and their number if a tag
//! declares it.
//!
//! # Source
//! ISO/IEC 11172-3 and 13818-3 (the frame header); the Xing tag as LAME writes it; the VBRI tag as
//! Fraunhofer's encoders write it.

use std::io::{self, Read, Seek, SeekFrom};

use super::tags::{self, bytes_at};

/// Kilobits per second by the header's index, from 1.
const BITRATES_MPEG_1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_MPEG_2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/// The fields of a frame's header that locate the next frame and describe its sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    n_bytes: u64,
    /// Offset of the Xing tag from the header, if the frame has one.
    tag_at: u64,
    /// The bits that all frames of a file share: version, layer, sample rate.
    kind: (u8, u8),
    rate_hz: u32,
    n_samples: u32,
    is_mono: bool,
}

impl Frame {
    /// `None` for anything but a layer III header with a bit rate.
    fn parse([sync, version, rates, mode]: [u8; 4]) -> Option<Self> {
        let is_mpeg_1 = version & 0x18 == 0x18;
        let is_layer_3 = sync == 0xff && version & 0xe6 == 0xe2 && version & 0x18 != 0x08;
        let bitrates = if is_mpeg_1 { &BITRATES_MPEG_1 } else { &BITRATES_MPEG_2 };
        let bitrate = bitrates.get(usize::from(rates >> 4).checked_sub(1)?)?;
        let full_rate_hz = *[44_100, 48_000, 32_000].get(usize::from(rates >> 2 & 3))?;
        if !is_layer_3 {
            return None;
        }
        let (rate_hz, n_samples) = match version & 0x18 {
            0x18 => (full_rate_hz, 1152),
            0x10 => (full_rate_hz / 2, 576),
            _ => (full_rate_hz / 4, 576),
        };
        let padding = u32::from(rates >> 1 & 1);
        let is_mono = mode & 0xc0 == 0xc0;
        let side_info = match (is_mpeg_1, is_mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        Some(Self {
            n_bytes: u64::from(n_samples / 8 * bitrate * 1000 / rate_hz + padding),
            tag_at: 4 + side_info,
            kind: (version & 0x1e, rates & 0x0c),
            rate_hz,
            n_samples,
            is_mono,
        })
    }

    fn channels(self) -> &'static str {
        if self.is_mono { "mono" } else { "stereo" }
    }
}

/// The frames of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frames {
    /// What is wrong with them; `None` if nothing is, or nothing can be detected.
    pub fault: Option<String>,
    /// Why the decoder cannot read them although nothing is wrong with them.
    pub unsupported: Option<String>,
    /// Samples of each channel, with the encoder's delay and padding.
    pub n_samples: u64,
}

/// Walks over the frames of a file. Tags before and behind them are skipped, as are other bytes behind
/// the last one.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn walk(reader: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Frames> {
    let mut at = tags::start(reader)?;
    let mut found = Frames::default();
    let (mut n_frames, mut n_declared) = (0, None);
    let mut last: Option<Frame> = None;
    // The last frame that holds sound: that of a tag may be of another kind.
    let mut sounding: Option<Frame> = None;
    while let Some(frame) = frame_at(reader, at)? {
        if at + frame.n_bytes > n_bytes {
            let there = n_bytes - at;
            found.fault = Some(format!("the last frame has {there} of {} bytes", frame.n_bytes));
            return Ok(found);
        }
        if last.is_none() {
            n_declared = declared_frames(reader, at, frame)?;
        }
        // The frame with the tag holds no sound, and encoders disagree on whether to count it.
        if last.is_some() || n_declared.is_none() {
            n_frames += 1;
            if let Some(before) = sounding.filter(|_| found.unsupported.is_none()) {
                found.unsupported = change(before, frame, found.n_samples);
            }
            found.n_samples += u64::from(frame.n_samples);
            sounding = Some(frame);
        }
        at += frame.n_bytes;
        last = Some(frame);
    }
    let Some(last) = last else { return Ok(found) };
    // Too many are two files in one: the decoder would leave out the second without a message.
    found.fault = if let Some(n_declared) = n_declared.filter(|n| u32::abs_diff(n_frames, *n) > 1) {
        Some(format!("its tag declares {n_declared} frames, found {n_frames}"))
    } else if (1..4).contains(&n_bytes.saturating_sub(at)) {
        Some(format!("{} bytes of a frame are left at the end", n_bytes - at))
    } else {
        let continues = !is_tag(reader, at)? && continues_after(reader, at, last.kind)?;
        continues.then(|| format!("no frame at byte {at}, but frames after it"))
    };
    Ok(found)
}

/// A change between two frames that the decoder does not follow.
fn change(before: Frame, frame: Frame, n_samples: u64) -> Option<String> {
    let (from, to) = if before.rate_hz != frame.rate_hz {
        (format!("{} Hz", before.rate_hz), format!("{} Hz", frame.rate_hz))
    } else if before.is_mono != frame.is_mono {
        (before.channels().to_owned(), frame.channels().to_owned())
    } else {
        return None;
    };
    let at_s = n_samples as f64 / f64::from(before.rate_hz);
    Some(format!("mp3 that switches from {from} to {to} after {at_s:.1} s"))
}

/// What follows the tags of a file without a frame of layer III: nothing, or another kind of stream.
///
/// # Errors
/// Where the system fails to read.
pub(super) fn other_content(
    reader: &mut (impl Read + Seek),
    n_bytes: u64,
) -> io::Result<Option<&'static str>> {
    let at = tags::start(reader)?;
    let Some([sync, version, _, _]) = bytes_at::<4>(reader, at)? else {
        return Ok((at > 0 && n_bytes > 0).then_some("an ID3 tag and no audio in it"));
    };
    Ok(match (sync, version & 0xf6, version & 0x06) {
        (0xff, 0xf0, _) => Some("AAC without a container (ADTS)"),
        (0xff, _, 0x04) if version & 0xe0 == 0xe0 => Some("MPEG Layer II (mp2)"),
        (0xff, _, 0x06) if version & 0xe0 == 0xe0 => Some("MPEG Layer I (mp1)"),
        _ => None,
    })
}

fn frame_at(reader: &mut (impl Read + Seek), at: u64) -> io::Result<Option<Frame>> {
    Ok(bytes_at::<4>(reader, at)?.and_then(Frame::parse))
}

/// The number of frames that a Xing, Info or VBRI tag in the frame at `at` declares.
fn declared_frames(
    reader: &mut (impl Read + Seek),
    at: u64,
    frame: Frame,
) -> io::Result<Option<u32>> {
    if let Some([a, b, c, d, _, _, _, flags, count @ ..]) =
        bytes_at::<12>(reader, at + frame.tag_at)?
        && [b"Xing", b"Info"].contains(&&[a, b, c, d])
        && flags & 1 == 1
    {
        return Ok(Some(u32::from_be_bytes(count)));
    }
    // Always 32 bytes behind the header, in version 1.
    Ok(match bytes_at::<18>(reader, at + 36)? {
        Some([b'V', b'B', b'R', b'I', 0, 1, .., a, b, c, d]) => {
            Some(u32::from_be_bytes([a, b, c, d]))
        }
        _ => None,
    })
}

fn is_tag(reader: &mut (impl Read + Seek), at: u64) -> io::Result<bool> {
    let start = bytes_at::<3>(reader, at)?;
    Ok(start.is_some_and(|start| [b"TAG", b"APE", b"LYR", b"ID3"].contains(&&start)))
}

/// Whether two consecutive frames of one kind follow anywhere after `at`.
fn continues_after(reader: &mut (impl Read + Seek), at: u64, kind: (u8, u8)) -> io::Result<bool> {
    reader.seek(SeekFrom::Start(at))?;
    let mut rest = Vec::new();
    // No encoder pads more than this; of a longer gap only this much is searched.
    reader.by_ref().take(1 << 20).read_to_end(&mut rest)?;
    let frame = |at: usize| {
        let header = rest.get(at..at + 4)?;
        Frame::parse(header.try_into().ok()?).filter(|frame| frame.kind == kind)
    };
    let starts_two =
        |at| frame(at).is_some_and(|first| frame(at + first.n_bytes as usize).is_some());
    Ok((1..rest.len()).any(starts_two))
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
        walk(&mut Cursor::new(bytes), n_bytes).expect("slices read").fault
    }

    #[test]
    fn a_header_locates_the_next_one() {
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
    fn a_cut_frame_and_missing_frames_are_reported() {
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

    #[test]
    fn a_vbri_tag_declares_frames_too() {
        let mut tagged = frame();
        tagged[36..42].copy_from_slice(b"VBRI\0\x01");
        tagged[50..54].copy_from_slice(&3_u32.to_be_bytes());
        let all = [tagged, frame(), frame(), frame()];
        assert_eq!(fault_of(&all), None);
        let few = fault_of(&all[..2]);
        assert_eq!(few.as_deref(), Some("its tag declares 3 frames, found 1"));
    }

    #[test]
    fn a_switch_of_channels_or_rate_is_named_with_its_time() {
        let kinds = |headers: &[[u8; 4]]| {
            let parts = headers.iter().map(|header| {
                let n_bytes = Frame::parse(*header).expect("a header").n_bytes;
                let mut bytes = header.to_vec();
                bytes.resize(n_bytes as usize, 0);
                bytes
            });
            let bytes = parts.collect::<Vec<_>>().concat();
            let n_bytes = bytes.len() as u64;
            walk(&mut Cursor::new(bytes), n_bytes).expect("slices read").unsupported
        };
        let (stereo, joint) = ([0xff, 0xfb, 0x90, 0x00], [0xff, 0xfb, 0x90, 0x40]);
        let (mono, at_48_khz) = ([0xff, 0xfb, 0x90, 0xc0], [0xff, 0xfb, 0x94, 0x00]);
        assert_eq!(kinds(&[stereo, joint, stereo]), None);
        assert_eq!(
            kinds(&[[mono; 10].as_slice(), &[stereo]].concat()).as_deref(),
            Some("mp3 that switches from mono to stereo after 0.3 s")
        );
        assert_eq!(
            kinds(&[stereo, at_48_khz]).as_deref(),
            Some("mp3 that switches from 44100 Hz to 48000 Hz after 0.0 s")
        );
    }

    #[test]
    fn what_is_not_layer_iii_is_named() {
        let named = |bytes: &[u8]| {
            other_content(&mut Cursor::new(bytes), bytes.len() as u64).expect("slices read")
        };
        assert_eq!(named(b"ID3\x04\0\0\0\0\0\x05hello"), Some("an ID3 tag and no audio in it"));
        assert_eq!(named(&[0xff, 0xfd, 0xa0, 0x04]), Some("MPEG Layer II (mp2)"));
        assert_eq!(named(&[0xff, 0xff, 0xa0, 0x04]), Some("MPEG Layer I (mp1)"));
        assert_eq!(named(&[0xff, 0xf1, 0x50, 0x80]), Some("AAC without a container (ADTS)"));
        assert_eq!(named(&[0xff, 0xfb, 0x90, 0x00]), None);
    }
}
