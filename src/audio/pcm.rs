//! Uncompressed samples of wav and au files, converted to mono `f32`.

use std::io::{self, Read};

/// The encoding of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 8-bit, 128 is silence (wav).
    U8,
    /// 8-bit two's complement (au).
    S8,
    /// 16-bit two's complement.
    S16,
    /// 24-bit two's complement, packed in 3 bytes.
    S24,
    /// 32-bit two's complement.
    S32,
    /// IEEE 754 single precision, full scale 1.
    F32,
    /// IEEE 754 double precision, full scale 1.
    F64,
    /// 8-bit mu-law (G.711).
    MuLaw,
}

impl Encoding {
    pub(super) const fn n_bytes(self) -> usize {
        match self {
            Self::U8 | Self::S8 | Self::MuLaw => 1,
            Self::S16 => 2,
            Self::S24 => 3,
            Self::S32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// The byte order of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// The layout of the samples, from the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub encoding: Encoding,
    pub byte_order: ByteOrder,
    pub n_channels: usize,
    pub sample_rate_hz: u32,
    /// Number of bytes of sample data; `None` if the header leaves it open (a stream) and they end
    /// with the file.
    pub n_data_bytes: Option<u64>,
}

/// The reason why reading stopped.
#[derive(Debug)]
pub(super) enum StreamEnd {
    /// The data ended.
    Whole,
    /// The file ends before the end of the data that its header declares.
    Early,
    /// The system failed to read.
    Unreadable(io::Error),
}

const CHUNK_BYTES: usize = 64 * 1024;

/// Passes samples, with channels averaged, to `take` until the data or the file ends.
///
/// An incomplete last frame is skipped.
///
/// # Errors
/// The first error of `take`.
pub(super) fn read_mono<E>(
    reader: &mut impl Read,
    layout: &Layout,
    mut take: impl FnMut(&[f32]) -> Result<(), E>,
) -> Result<StreamEnd, E> {
    let block = layout.n_channels * layout.encoding.n_bytes();
    let mut n_blocks_left = layout.n_data_bytes.map(|n| n / block as u64);
    let mut buffer = vec![0_u8; (CHUNK_BYTES / block).max(1) * block];
    let (mut channels, mut mono) = (Vec::new(), Vec::new());
    loop {
        if n_blocks_left == Some(0) {
            return Ok(StreamEnd::Whole);
        }
        let left = n_blocks_left.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let n_want = left.min(buffer.len() / block) * block;
        let n_got = match read_up_to(reader, &mut buffer[..n_want]) {
            Ok(n) => n,
            Err(reason) => return Ok(StreamEnd::Unreadable(reason)),
        };
        mono.clear();
        append_mono(&buffer[..n_got / block * block], layout, &mut channels, &mut mono);
        take(&mono)?;
        n_blocks_left = n_blocks_left.map(|n| n - (n_got / block) as u64);
        if n_got < n_want {
            return Ok(if n_blocks_left.is_some() { StreamEnd::Early } else { StreamEnd::Whole });
        }
    }
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n_got = 0;
    while n_got < buffer.len() {
        match reader.read(&mut buffer[n_got..]) {
            Ok(0) => break,
            Ok(n) => n_got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n_got)
}

fn append_mono(bytes: &[u8], layout: &Layout, channels: &mut Vec<f32>, mono: &mut Vec<f32>) {
    if layout.n_channels == 1 {
        append_samples(bytes, layout, mono);
        return;
    }
    channels.clear();
    append_samples(bytes, layout, channels);
    let n = layout.n_channels as f32;
    mono.extend(channels.chunks_exact(layout.n_channels).map(|c| c.iter().sum::<f32>() / n));
}

/// Appends samples. Integers are scaled by their full scale, as in soundfile and librosa:
/// `i16 / 32768`.
fn append_samples(bytes: &[u8], layout: &Layout, out: &mut Vec<f32>) {
    use ByteOrder::{Big, Little};
    const I16: f32 = 1.0 / 32_768.0;
    const I32: f32 = 1.0 / 2_147_483_648.0;
    match (layout.encoding, layout.byte_order) {
        (Encoding::U8, _) => out.extend(bytes.iter().map(|&b| (f32::from(b) - 128.0) / 128.0)),
        (Encoding::S8, _) => out.extend(bytes.iter().map(|&b| f32::from(b.cast_signed()) / 128.0)),
        (Encoding::MuLaw, _) => {
            out.extend(bytes.iter().map(|&b| f32::from(expand_mu_law(b)) * I16));
        }
        (Encoding::S16, Little) => each(bytes, out, |b| f32::from(i16::from_le_bytes(b)) * I16),
        (Encoding::S16, Big) => each(bytes, out, |b| f32::from(i16::from_be_bytes(b)) * I16),
        (Encoding::S24, Little) => {
            each(bytes, out, |[a, b, c]| i32::from_le_bytes([0, a, b, c]) as f32 * I32);
        }
        (Encoding::S24, Big) => {
            each(bytes, out, |[a, b, c]| i32::from_be_bytes([a, b, c, 0]) as f32 * I32);
        }
        (Encoding::S32, Little) => each(bytes, out, |b| i32::from_le_bytes(b) as f32 * I32),
        (Encoding::S32, Big) => each(bytes, out, |b| i32::from_be_bytes(b) as f32 * I32),
        (Encoding::F32, Little) => each(bytes, out, f32::from_le_bytes),
        (Encoding::F32, Big) => each(bytes, out, f32::from_be_bytes),
        (Encoding::F64, Little) => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
        (Encoding::F64, Big) => each(bytes, out, |b| f64::from_be_bytes(b) as f32),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut Vec<f32>, to_f32: impl Fn([u8; N]) -> f32) {
    out.extend(bytes.as_chunks::<N>().0.iter().map(|&sample| to_f32(sample)));
}

/// Decodes one byte of mu-law to 16-bit PCM.
///
/// # Source
/// ITU-T G.711, table 2, scaled to 16 bits as in Sun's g711.c.
pub(super) fn expand_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((i16::from(byte & 0x0f) << 3) + 0x84) << ((byte & 0x70) >> 4);
    if byte & 0x80 != 0 { 0x84 - magnitude } else { magnitude - 0x84 }
}

/// Encodes 16-bit PCM as one byte of mu-law; [`expand_mu_law`] restores it within half a step.
///
/// # Source
/// The same as for [`expand_mu_law`].
pub(super) fn compress_mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    // With the bias, every segment begins at a power of two, 2^7 to 2^14.
    let biased = sample.unsigned_abs().min(32_635) + 0x84;
    let segment = biased.ilog2() - 7;
    let step = (biased >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) as u8 | step as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        encoding: Encoding,
        byte_order: ByteOrder,
        n_channels: usize,
        bytes: &[u8],
    ) -> Vec<f32> {
        let layout =
            Layout { encoding, byte_order, n_channels, sample_rate_hz: 8000, n_data_bytes: None };
        let mut mono = Vec::new();
        let ended = read_mono(&mut &*bytes, &layout, |samples| {
            mono.extend_from_slice(samples);
            Ok::<(), ()>(())
        });
        assert!(matches!(ended, Ok(StreamEnd::Whole)));
        mono
    }

    #[test]
    fn full_scale_negative_is_minus_one_in_every_integer_encoding() {
        use ByteOrder::{Big, Little};
        assert_eq!(read(Encoding::U8, Little, 1, &[0, 128, 192]), [-1.0, 0.0, 0.5]);
        assert_eq!(read(Encoding::S8, Big, 1, &[0x80, 0, 64]), [-1.0, 0.0, 0.5]);
        assert_eq!(read(Encoding::S16, Little, 1, &[0, 0x80, 0, 0x40]), [-1.0, 0.5]);
        assert_eq!(read(Encoding::S16, Big, 1, &[0x80, 0, 0x40, 0]), [-1.0, 0.5]);
        assert_eq!(read(Encoding::S24, Little, 1, &[0, 0, 0x80, 0, 0, 0x40]), [-1.0, 0.5]);
        assert_eq!(read(Encoding::S24, Big, 1, &[0x80, 0, 0, 0x40, 0, 0]), [-1.0, 0.5]);
        assert_eq!(read(Encoding::S32, Big, 1, &[0x80, 0, 0, 0]), [-1.0]);
        assert_eq!(read(Encoding::F32, Little, 1, &0.25_f32.to_le_bytes()), [0.25]);
        assert_eq!(read(Encoding::F64, Big, 1, &0.25_f64.to_be_bytes()), [0.25]);
    }

    #[test]
    fn mu_law_expands_to_its_published_values() {
        assert_eq!([0x00, 0x80, 0xff, 0x7f].map(expand_mu_law), [-32_124, 32_124, 0, 0]);
    }

    #[test]
    fn mu_law_compresses_to_within_half_a_step() {
        for byte in 0..=255 {
            // 0x7f is a second code for zero.
            let wanted = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(compress_mu_law(expand_mu_law(byte)), wanted);
        }
        for sample in (-32_635..=32_635).step_by(7) {
            let byte = compress_mu_law(sample);
            let half_a_step = 4 << (!byte >> 4 & 7);
            let error = (i32::from(expand_mu_law(byte)) - i32::from(sample)).abs();
            assert!(error <= half_a_step, "{sample}: off by {error}, half a step is {half_a_step}");
        }
        assert_eq!([i16::MIN, i16::MAX].map(compress_mu_law), [0x00, 0x80]);
    }

    #[test]
    fn channels_are_averaged_and_an_incomplete_frame_is_left_out() {
        let bytes = [0x40, 0, 0x20, 0, 0x40]; // 0.5 and 0.25, then half a sample
        assert_eq!(read(Encoding::S16, ByteOrder::Big, 2, &bytes), [0.375]);
    }

    #[test]
    fn reading_stops_where_it_is_told_and_notices_an_early_end() {
        let layout = Layout {
            encoding: Encoding::U8,
            byte_order: ByteOrder::Little,
            n_channels: 1,
            sample_rate_hz: 8000,
            n_data_bytes: Some(200_000),
        };
        let bytes = vec![128; 200_100];
        let ended = |bytes: &[u8], max_samples| {
            let mut n = 0;
            let ended = read_mono(&mut &*bytes, &layout, |samples| {
                n += samples.len();
                if n > max_samples { Err(n) } else { Ok(()) }
            });
            (ended, n)
        };
        assert!(matches!(ended(&bytes, 1_000_000), (Ok(StreamEnd::Whole), 200_000)));
        assert!(matches!(ended(&bytes, 70_000), (Err(131_072), 131_072)));
        assert!(matches!(ended(&bytes[..150_000], 1_000_000), (Ok(StreamEnd::Early), 150_000)));
    }
}
