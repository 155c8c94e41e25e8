//! The codec of a track in an mp4 file, and why the decoder cannot read it.
//!
//! # Source
//! ISO/IEC 14496-12, 8.5.2 (`stsd`); 14496-14, 5.6 (`esds`); 14496-3, 1.6.2.1 (AudioSpecificConfig) and
//! 1.6.5 (how HE-AAC is signaled).

/// Why the sound of a sample entry cannot be read, in words; `None` if it can, or nothing can be told.
///
/// `entry` is the first box inside `stsd`, without its size.
pub(super) fn unsupported(entry: &[u8]) -> Option<String> {
    let kind = entry.get(..4)?;
    let name = match kind {
        b"mp4a" => return aac(entry).map(|reason| format!("m4a with {reason}")),
        b"Opus" => "Opus",
        b"ac-3" => "AC-3",
        b"ec-3" => "E-AC-3",
        b"ac-4" => "AC-4",
        b"drms" => "AAC that is protected (DRM)",
        b"samr" | b"sawb" => "AMR",
        // ALAC, and what symphonia names if it cannot read it.
        _ => return None,
    };
    Some(format!("m4a with {name}"))
}

/// Why the AAC of a sample entry cannot be read.
fn aac(entry: &[u8]) -> Option<String> {
    let at = entry.windows(4).position(|kind| kind == b"esds")?;
    // The four bytes behind the name are a version and flags.
    let stream = descriptor(entry.get(at + 8..)?, 0x03)?;
    let flags = *stream.get(2)?;
    let url = if flags & 0x40 == 0 { 0 } else { 1 + usize::from(*stream.get(3)?) };
    let optional = [0x80, 0x20].iter().filter(|bit| flags & **bit != 0).count() * 2;
    let decoder = descriptor(stream.get(3 + url + optional..)?, 0x04)?;
    // MPEG-4 audio; MPEG-2 AAC has no extensions, and others are not AAC.
    if *decoder.first()? != 0x40 {
        return None;
    }
    config(descriptor(decoder.get(13..)?, 0x05)?)
}

/// The content of the descriptor with a tag at the start of `bytes`.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (&found, rest) = bytes.split_first()?;
    let n_size_bytes = rest.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let size =
        rest[..n_size_bytes].iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    let content = &rest[n_size_bytes..];
    (found == tag).then(|| &content[..size.min(content.len())])
}

/// Why a stream with this AudioSpecificConfig cannot be read.
fn config(bytes: &[u8]) -> Option<String> {
    const MAX_CHANNELS: u32 = 2;
    let mut bits = Bits { bytes, at: 0 };
    let object_type = bits.object_type()?;
    let name = match object_type {
        2 => None,
        1 => Some("AAC Main"),
        3 => Some("AAC SSR"),
        4 => Some("AAC LTP"),
        5 => Some("HE-AAC"),
        29 => Some("HE-AAC v2"),
        23 | 39 => Some("low-delay AAC"),
        42 => Some("xHE-AAC (USAC)"),
        _ => return None,
    };
    if let Some(name) = name {
        return Some(format!("{name} (only AAC-LC is supported)"));
    }
    bits.sample_rate()?;
    let channels = match bits.take(4)? {
        7 => 8,
        n => n,
    };
    if channels > MAX_CHANNELS {
        return Some(format!("AAC of {channels} channels (mono and stereo are supported)"));
    }
    if bits.take(1)? == 1 {
        return Some("AAC with frames of 960 samples".to_owned());
    }
    if bits.take(1)? == 1 {
        bits.take(14)?;
    }
    bits.take(1)?;
    if channels == 0 {
        return Some("AAC with a channel layout of its own".to_owned());
    }
    // Backward-compatible signaling: a decoder that does not look here plays half the bandwidth.
    let is_he = bits.take(11)? == 0x2b7 && bits.object_type()? == 5 && bits.take(1)? == 1;
    is_he.then(|| {
        "HE-AAC (only AAC-LC is supported; without its extension it has half the bandwidth)"
            .to_owned()
    })
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            kind => Some(kind),
        }
    }

    fn sample_rate(&mut self) -> Option<()> {
        if self.take(4)? == 15 {
            self.take(24)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample entry of AAC with one AudioSpecificConfig; sizes are written in four bytes, as ffmpeg does.
    fn entry(config: &[u8]) -> Vec<u8> {
        let sized = |tag: u8, content: &[u8]| {
            let n = u8::try_from(content.len()).expect("tests use short descriptors");
            [&[tag, 0x80, 0x80, 0x80, n], content].concat()
        };
        let decoder = [[0x40, 0x15].as_slice(), &[0; 11], &sized(5, config)].concat();
        let stream = [[0, 1, 0].as_slice(), &sized(4, &decoder)].concat();
        [b"mp4a".as_slice(), &[0; 28], &[0, 0, 0, 51], b"esds", &[0; 4], &sized(3, &stream)]
            .concat()
    }

    fn reason(config: &[u8]) -> Option<String> {
        unsupported(&entry(config))
    }

    #[test]
    fn low_complexity_in_mono_and_stereo_is_supported() {
        assert_eq!(reason(&[0x13, 0x88]), None, "22,050 Hz, mono");
        assert_eq!(reason(&[0x12, 0x10]), None, "44,100 Hz, stereo");
        assert_eq!(reason(&[0x12, 0x10, 0x56, 0xe5, 0x00]), None, "an extension that is not used");
        assert_eq!(unsupported(b"alac and more"), None);
        assert_eq!(unsupported(b"mp4a"), None, "nothing can be told");
    }

    #[test]
    fn everything_else_is_named() {
        let six = reason(&[0x12, 0x30, 0x56, 0xe5, 0x00]).expect("it is named");
        assert_eq!(six, "m4a with AAC of 6 channels (mono and stereo are supported)");
        let compatible = reason(&[0x13, 0x88, 0x56, 0xe5, 0xa0]).expect("it is named");
        assert!(
            compatible.starts_with("m4a with HE-AAC (only AAC-LC is supported;"),
            "{compatible}"
        );
        let explicit = reason(&[0x2b, 0x8a, 0x08, 0x00]).expect("it is named");
        assert_eq!(explicit, "m4a with HE-AAC (only AAC-LC is supported)");
        assert_eq!(unsupported(b"Opus and more").as_deref(), Some("m4a with Opus"));
        let short = reason(&[0x12, 0x14]).expect("it is named");
        assert_eq!(short, "m4a with AAC with frames of 960 samples");
    }
}
