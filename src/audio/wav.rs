//! RIFF wave files: reads the header of the uncompressed formats, writes 16-bit PCM.
//!
//! # Source
//! Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991), and
//! `WAVEFORMATEXTENSIBLE`.

use std::path::Path;

use super::{
    AudioError, Waveform,
    pcm::{ByteOrder, Encoding, Layout},
    riff::Chunks,
};
use crate::disk;

const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;
const FORMAT_MU_LAW: u16 = 7;
const FORMAT_EXTENSIBLE: u16 = 0xfffe;
const UNKNOWN_SIZE: u32 = u32::MAX;

/// The content of a wav header.
#[derive(Debug)]
pub(super) enum Header {
    /// Uncompressed: samples follow.
    Pcm(Layout),
    /// Compressed (ADPCM, A-law, ...), for the general decoder.
    Compressed,
    /// Unusable, with the reason.
    Bad(String),
}

/// Reads what a format chunk and the size of the data say.
pub(super) fn header(chunks: &Chunks) -> Header {
    parse_format(&chunks.format, chunks.n_data_bytes)
}

fn parse_format(bytes: &[u8], n_data_bytes: Option<u64>) -> Header {
    let u16_at =
        |at: usize| bytes.get(at..at + 2).map_or(0, |pair| u16::from_le_bytes([pair[0], pair[1]]));
    let sample_rate_hz = u32::from(u16_at(4)) | u32::from(u16_at(6)) << 16;
    let n_channels = usize::from(u16_at(2));
    let n_bits = u16_at(14);
    let tag = match u16_at(0) {
        // The first two bytes of the sub-format's GUID are the plain format tag.
        FORMAT_EXTENSIBLE => u16_at(24),
        tag => tag,
    };
    let encoding = match (tag, n_bits) {
        (FORMAT_PCM, 1..=8) => Encoding::U8,
        (FORMAT_PCM, 9..=16) => Encoding::S16,
        (FORMAT_PCM, 17..=24) => Encoding::S24,
        (FORMAT_PCM, 25..=32) => Encoding::S32,
        (FORMAT_FLOAT, 32) => Encoding::F32,
        (FORMAT_FLOAT, 64) => Encoding::F64,
        (FORMAT_MU_LAW, 8) => Encoding::MuLaw,
        (FORMAT_PCM | FORMAT_FLOAT | FORMAT_MU_LAW, _) => {
            return Header::Bad(format!("wav with {n_bits} bits per sample"));
        }
        _ => return Header::Compressed,
    };
    let block = usize::from(u16_at(12));
    if block != n_channels * encoding.n_bytes() {
        return Header::Bad(format!(
            "wav with {block} bytes per frame for {n_channels} channels of {n_bits} bits"
        ));
    }
    Header::Pcm(Layout {
        encoding,
        byte_order: ByteOrder::Little,
        n_channels,
        sample_rate_hz,
        n_data_bytes,
    })
}

/// Writes a waveform as a mono 16-bit PCM wav file. An existing file is replaced when the new one is complete.
///
/// Samples are rounded to the nearest step of 1/32768; those outside [-1, 32767/32768] are clipped,
/// and NaN becomes 0. Reading the file back gives every sample within half a step.
///
/// # Errors
/// [`AudioError::Unwritable`] if the file can't be written; [`AudioError::InvalidParameter`] if the
/// waveform is too long for the format (4 GiB).
pub fn write_wav(path: impl AsRef<Path>, waveform: &Waveform) -> Result<(), AudioError> {
    let path = path.as_ref();
    disk::write_whole(path, &wav_bytes(waveform)?)
        .map_err(|reason| AudioError::Unwritable { path: path.into(), reason })
}

/// Returns the bytes of the file that [`write_wav`] writes.
///
/// # Errors
/// [`AudioError::InvalidParameter`] if the waveform is too long for the format (4 GiB).
pub fn wav_bytes(waveform: &Waveform) -> Result<Vec<u8>, AudioError> {
    let n_samples = waveform.samples.len();
    let n_data_bytes =
        u32::try_from(n_samples * 2).ok().filter(|n| *n < UNKNOWN_SIZE - 36).ok_or_else(|| {
            AudioError::setting("waveform.samples", "shorter than 2147483629 for a wav", n_samples)
        })?;
    Ok(pcm16(waveform, n_data_bytes))
}

/// The bytes of a mono 16-bit PCM wav file.
fn pcm16(waveform: &Waveform, n_data_bytes: u32) -> Vec<u8> {
    let rate = waveform.sample_rate_hz;
    let mut bytes = Vec::with_capacity(n_data_bytes as usize + 44);
    bytes.extend(b"RIFF");
    bytes.extend((n_data_bytes + 36).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(FORMAT_PCM.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.saturating_mul(2).to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(n_data_bytes.to_le_bytes());
    // A float-to-int cast saturates, which clips the sample.
    let steps = waveform.samples.iter().map(|sample| (sample * 32_768.0).round() as i16);
    bytes.extend(steps.flat_map(i16::to_le_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::{super::decode, *};

    #[test]
    fn a_written_file_reads_back_rounded_and_clipped() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("a.wav");
        let samples = vec![0.0, 0.5, -1.0, 1.5, -1.5, 1.4 / 32_768.0, 1.6 / 32_768.0, f32::NAN];
        write_wav(&path, &Waveform { samples, sample_rate_hz: 22_050 }).expect("it is written");
        let back = decode(&path).expect("it is read");
        let steps: Vec<f32> = back.samples.iter().map(|s| s * 32_768.0).collect();
        assert_eq!(steps, [0.0, 16_384.0, -32_768.0, 32_767.0, -32_768.0, 1.0, 2.0, 0.0]);
        assert_eq!(back.sample_rate_hz, 22_050);
    }

    #[test]
    fn a_file_that_cannot_be_created_is_an_error() {
        let waveform = Waveform { samples: vec![0.0], sample_rate_hz: 8000 };
        let error = write_wav("/no/such/folder/a.wav", &waveform).expect_err("there is no folder");
        assert!(error.to_string().starts_with("/no/such/folder/a.wav: cannot be written: "));
    }

    fn format_chunk(tag: u16, n_channels: u16, block: u16, n_bits: u16) -> Vec<u8> {
        let [rate_low, rate_high] = [22_050, 0];
        let fields = [tag, n_channels, rate_low, rate_high, 0, 0, block, n_bits];
        fields.iter().flat_map(|field: &u16| field.to_le_bytes()).collect()
    }

    #[test]
    fn extensible_pcm_is_read_by_its_sub_format() {
        let mut bytes = format_chunk(FORMAT_EXTENSIBLE, 2, 6, 24);
        bytes.extend([22, 0, 24, 0, 3, 0, 0, 0, 1, 0]);
        let Header::Pcm(layout) = parse_format(&bytes, Some(12)) else { panic!("it is PCM") };
        assert_eq!((layout.encoding, layout.n_channels), (Encoding::S24, 2));
        assert_eq!(layout.sample_rate_hz, 22_050);
    }

    #[test]
    fn contradictions_are_bad_and_codecs_are_left_to_others() {
        let header = |chunk: Vec<u8>| parse_format(&chunk, None);
        assert!(matches!(header(format_chunk(FORMAT_PCM, 2, 2, 16)), Header::Bad(_)));
        assert!(matches!(header(format_chunk(FORMAT_PCM, 1, 5, 40)), Header::Bad(_)));
        assert!(matches!(header(format_chunk(2, 1, 512, 4)), Header::Compressed));
    }
}
