//! The sizes in an AIFF header, which a program that writes to a pipe can't fill in.
//!
//! # Source
//! Apple, Audio Interchange File Format 1.3 (1989): FORM, the Common chunk, the Sound Data chunk.

use std::io::{self, Read, Seek};

use super::{source::Patch, tags::bytes_at};

/// Bytes at the start of the sound data chunk that are not samples: an offset and a block size.
const N_SSND_HEAD: u64 = 8;

/// Returns the sizes that the header must have, if the sound data are the last chunk and their size was not
/// filled in: it is 0, or about 2^31 or 2^32 and more than the file has. Otherwise returns no patches.
///
/// # Errors
/// If the file can't be read.
pub(super) fn patches(reader: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Vec<Patch>> {
    let (mut at, mut common) = (12, None);
    while let Some([name @ .., a, b, c, d]) = bytes_at::<8>(reader, at)? {
        let size = u32::from_be_bytes([a, b, c, d]);
        match &name {
            b"COMM" => {
                let Some([c0, c1, _, _, _, _, b0, b1]) = bytes_at::<8>(reader, at + 8)? else {
                    break;
                };
                let n_channels = u16::from_be_bytes([c0, c1]);
                let n_bits = u16::from_be_bytes([b0, b1]);
                common = Some((at, u64::from(n_channels) * u64::from(n_bits.div_ceil(8))));
            }
            b"SSND" => {
                let n_left = n_bytes.saturating_sub(at + 8);
                let is_open = match size {
                    0 => n_left > N_SSND_HEAD,
                    0x7f00_0000.. => u64::from(size) > n_left,
                    _ => false,
                };
                let Some((common, n_frame_bytes)) = common.filter(|(_, n)| is_open && *n > 0)
                else {
                    break;
                };
                let n_frames = n_left.saturating_sub(N_SSND_HEAD) / n_frame_bytes;
                let n_sound = N_SSND_HEAD + n_frames * n_frame_bytes;
                let sizes = [(4, at + n_sound), (common + 10, n_frames), (at + 4, n_sound)];
                let patch = |(at, size): (u64, u64)| {
                    Some(Patch { at, bytes: u32::try_from(size).ok()?.to_be_bytes().to_vec() })
                };
                return Ok(sizes.into_iter().filter_map(patch).collect());
            }
            _ => {}
        }
        at += 8 + u64::from(size) + u64::from(size % 2);
    }
    Ok(vec![])
}
