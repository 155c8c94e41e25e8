//! A shard: the rows of a few tracks, written while features are computed.
//!
//! The file starts with a line `encore-shard 1 SHA256`. The rest, whose sum that is, consists of a
//! line of JSON (a [`TrackRows`] per track) and the rows as little-endian floats. A shard gets its
//! final name after its bytes are on disk.

use std::fs;
use std::path::Path;

use super::super::FeatureError;
use super::entry::TrackRows;
use super::{damaged, io};
use crate::disk;
use crate::vocab::sha256_hex;

/// Few enough to keep many cores busy, to lose little in a kill, and to keep little in memory.
pub(super) const TRACKS_PER_SHARD: usize = 8;

const MAGIC: &str = "encore-shard 1 ";

/// Writes a shard atomically.
pub(super) fn write(path: &Path, tracks: &[TrackRows], rows: &[f32]) -> Result<(), FeatureError> {
    let mut body = serde_json::to_vec(tracks).expect("rows of tracks are plain data");
    body.push(b'\n');
    body.extend_from_slice(bytemuck::cast_slice(rows));
    let mut bytes = format!("{MAGIC}{}\n", sha256_hex(&body)).into_bytes();
    bytes.append(&mut body);
    disk::write_whole(path, &bytes).map_err(|source| io(path, source))
}

/// Reads the tracks of a shard and their rows as bytes; checks them against `contents` and `width`.
pub(super) fn read(
    path: &Path,
    contents: &[String],
    width: usize,
) -> Result<(Vec<TrackRows>, Vec<u8>), FeatureError> {
    let mut bytes = fs::read(path).map_err(|source| io(path, source))?;
    let (sum, body) = lines(&bytes).ok_or_else(|| damaged(path, "is damaged: it is truncated"))?;
    if sum != format!("{MAGIC}{}", sha256_hex(body)) {
        return Err(damaged(path, "is damaged: its checksum does not match"));
    }
    let (head, numbers) =
        lines(body).ok_or_else(|| damaged(path, "is damaged: it is truncated"))?;
    let tracks: Vec<TrackRows> = serde_json::from_str(&head)
        .map_err(|error| damaged(path, format!("is damaged: {error}")))?;
    let n_rows: usize = tracks.iter().map(|track| track.segments.taken.len()).sum();
    if numbers.len() != n_rows * width * size_of::<f32>()
        || !tracks.iter().map(|track| &track.content).eq(contents)
    {
        return Err(damaged(path, "contains the wrong tracks"));
    }
    let start = bytes.len() - numbers.len();
    Ok((tracks, bytes.split_off(start)))
}

/// Splits off the first line as text.
fn lines(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::super::Walked;
    use super::*;

    #[test]
    fn every_flipped_byte_and_every_cut_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard-0");
        let segments = Walked { taken: vec![0, 1], too_short: vec![(2, 7)] };
        let tracks = [TrackRows { content: "abc".to_owned(), segments }];
        write(&path, &tracks, &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let contents = ["abc".to_owned()];
        let (found, bytes) = read(&path, &contents, 2).unwrap();
        assert_eq!(found, tracks);
        assert_eq!(bytes, bytemuck::cast_slice::<f32, u8>(&[1.0, 2.0, 3.0, 4.0]));
        assert!(read(&path, &["abd".to_owned()], 2).is_err(), "another track");
        assert!(read(&path, &contents, 3).is_err(), "another shape");
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            for bytes in [&flipped[..], &whole[..place]] {
                fs::write(&path, bytes).unwrap();
                assert!(matches!(read(&path, &contents, 2), Err(FeatureError::Damaged { .. })));
            }
        }
    }
}
