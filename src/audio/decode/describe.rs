//! What a file is, by its first bytes.

/// The formats that their first bytes give away.
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

/// Names the kind of file from its first bytes.
pub(super) fn describe(start: &[u8]) -> String {
    if let Some(format) = Format::of(start) {
        format.name().to_owned()
    } else if start.iter().all(|b| (b' '..=b'~').contains(b) || b.is_ascii_whitespace()) {
        format!("text that starts with {:?}", String::from_utf8_lossy(start))
    } else {
        format!("unknown content that starts with the bytes {start:02x?}")
    }
}
