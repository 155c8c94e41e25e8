//! What a file is, by its content.

use std::io::{self, Read, Seek};

use super::mpeg;

/// The formats that their first bytes identify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Flac,
    Ogg,
    Mp3,
    Mp4,
    Aiff,
    Riff,
}

impl Format {
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            [b'O', b'g', b'g', b'S', ..] => Some(Self::Ogg),
            [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => Some(Self::Mp3),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Self::Mp4),
            [b'F', b'O', b'R', b'M', ..] => Some(Self::Aiff),
            [b'R', b'I', b'F', b'F', ..] => Some(Self::Riff),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp3 => "mp3",
            Self::Mp4 => "mp4",
            Self::Aiff => "aiff",
            Self::Riff => "riff",
        }
    }
}

/// First bytes of other kinds of files that lie among music, at the offset 0.
const OTHERS: [(&[u8], &str); 22] = [
    (b"\x1a\x45\xdf\xa3", "webm or matroska"),
    (b"\x30\x26\xb2\x75", "wma (Windows Media)"),
    (b"riff\x2e\x91\xcf\x11", "Wave64"),
    (b"caff", "caf (Core Audio)"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"TTA1", "TTA"),
    (b"DSD ", "DSF (DSD)"),
    (b"FRM8", "DSDIFF (DSD)"),
    (b"#!AMR", "AMR"),
    (b".RMF", "RealMedia"),
    (b"\x0b\x77", "AC-3"),
    (b"MThd", "MIDI, which has notes and no sound"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a rar archive"),
];

/// Names the kind of file from its first bytes.
pub(super) fn describe(start: &[u8]) -> String {
    // A picture begins as an mp3 frame might, so these come first.
    if let Some((_, name)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        (*name).to_owned()
    } else if let Some(format) = Format::of(start) {
        format.name().to_owned()
    } else if start.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) {
        format!("text that starts with {:?}", String::from_utf8_lossy(start))
    } else {
        format!("unknown content that starts with the bytes {start:02x?}")
    }
}

/// Names the kind of file that no decoder accepts; also looks behind its tags.
pub(super) fn describe_file(
    file: &mut (impl Read + Seek),
    n_bytes: u64,
    start: &[u8],
) -> io::Result<String> {
    let other = match Format::of(start) {
        Some(Format::Mp3) => mpeg::other_content(file, n_bytes)?,
        _ => None,
    };
    Ok(other.map_or_else(|| describe(start), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files_are_named_by_their_first_bytes() {
        assert_eq!(describe(b"\xff\xd8\xff\xe0\0\x10JFIF"), "a JPEG picture");
        assert_eq!(describe(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81"), "webm or matroska");
        assert_eq!(describe(b"\xff\xfb\x90\x00"), "mp3");
        assert_eq!(describe(b"#EXTM3U\n"), "text that starts with \"#EXTM3U\\n\"");
    }
}
