//! The chunks of a wav file: where its samples are, and what follows them.
//!
//! # Source
//! Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0 (1991); EBU Tech
//! 3306 (RF64 and its `ds64` chunk); ITU-R BS.2088 (BW64, which has the same chunks).

use std::io::{self, Read, Seek, SeekFrom};

const UNKNOWN_SIZE: u32 = u32::MAX;

/// Fewer bytes than this behind the last chunk are padding or a tag.
const MIN_REST_BYTES: u64 = 1024;

/// Where the parts of a wav file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunks {
    /// The content of the `fmt ` chunk.
    pub format: Vec<u8>,
    /// The first byte of sample data.
    pub data_at: u64,
    /// Bytes of sample data; `None` where the header leaves it open: to the end of the file.
    pub n_data_bytes: Option<u64>,
    /// Whether sizes are 64 bits wide.
    pub is_rf64: bool,
    /// What follows the sample data.
    pub rest: Rest,
}

/// What follows the sample data and is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing but chunks that hold no samples.
    Nothing,
    /// This many bytes that belong to no chunk.
    Bytes(u64),
    /// A second `data` chunk of this many bytes.
    SecondData(u64),
}

/// Reads the chunks behind `RIFF....WAVE` (or `RF64`, `BW64`) and leaves `reader` at the first sample.
///
/// # Errors
/// The inner one says what the header lacks; the outer one comes from the system.
pub(super) fn read(
    reader: &mut (impl Read + Seek),
    n_file_bytes: u64,
) -> io::Result<Result<Chunks, String>> {
    match read_chunks(reader, n_file_bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(Err("a wav file that ends inside its header".into()))
        }
        other => other,
    }
}

fn read_chunks(
    reader: &mut (impl Read + Seek),
    n_file_bytes: u64,
) -> io::Result<Result<Chunks, String>> {
    reader.rewind()?;
    let mut start = [0_u8; 12];
    reader.read_exact(&mut start)?;
    let is_rf64 = !start.starts_with(b"RIFF");
    let (mut format, mut wide_size) = (None, None);
    let mut at = 12;
    loop {
        let mut chunk = [0_u8; 8];
        reader.read_exact(&mut chunk)?;
        at += 8;
        let [a, b, c, d, size @ ..] = chunk;
        let size = u32::from_le_bytes(size);
        let padded = u64::from(size) + u64::from(size % 2);
        match &[a, b, c, d] {
            b"fmt " if (16..=1 << 16).contains(&size) => {
                let mut bytes = vec![0_u8; padded as usize];
                reader.read_exact(&mut bytes)?;
                format = Some(bytes);
            }
            b"fmt " => return Ok(Err(format!("a wav format chunk of {size} bytes"))),
            b"ds64" if is_rf64 && (24..=1 << 16).contains(&size) => {
                let mut bytes = vec![0_u8; padded as usize];
                reader.read_exact(&mut bytes)?;
                // The size of the whole file, then that of the data, in 8 bytes each.
                wide_size = bytes[8..16].try_into().ok().map(u64::from_le_bytes);
            }
            b"data" => {
                let Some(format) = format else {
                    return Ok(Err("a wav file without a format chunk".into()));
                };
                let n_data_bytes = match wide_size.filter(|_| size == UNKNOWN_SIZE) {
                    Some(wide) => (wide > 0).then_some(wide),
                    None => declared_size(reader, at, size, n_file_bytes)?,
                };
                let rest = match n_data_bytes {
                    Some(n) => rest(reader, at, n, n_file_bytes)?,
                    None => Rest::Nothing,
                };
                reader.seek(SeekFrom::Start(at))?;
                return Ok(Ok(Chunks { format, data_at: at, n_data_bytes, is_rf64, rest }));
            }
            _ => {
                if io::copy(&mut reader.by_ref().take(padded), &mut io::sink())? < padded {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        }
        at += padded;
    }
}

/// The declared size of the data, or `None` for what programs write that cannot go back to the header.
fn declared_size(
    reader: &mut (impl Read + Seek),
    at: u64,
    size: u32,
    n_file_bytes: u64,
) -> io::Result<Option<u64>> {
    let n_left = n_file_bytes.saturating_sub(at);
    let is_open = match size {
        UNKNOWN_SIZE => true,
        // A header alone, or one whose size was never filled in.
        0 => n_left > 0 && chunk_at(reader, at, n_file_bytes)?.is_none(),
        // SoX and arecord write about 2^31, others about 2^32 less the size of the header.
        0x7fff_f000..=0x8000_0000 | 0xffff_f000.. => u64::from(size) > n_left,
        _ => false,
    };
    Ok((!is_open).then_some(u64::from(size)))
}

/// What follows `n_data_bytes` of data from `data_at` on.
fn rest(
    reader: &mut (impl Read + Seek),
    data_at: u64,
    n_data_bytes: u64,
    n_file_bytes: u64,
) -> io::Result<Rest> {
    let Some(end) = data_at.checked_add(n_data_bytes) else { return Ok(Rest::Nothing) };
    let mut at = end + n_data_bytes % 2;
    // Some programs leave out the byte that pads an odd size.
    if at > end && chunk_at(reader, at, n_file_bytes)?.is_none() {
        at = end;
    }
    while at < n_file_bytes {
        match chunk_at(reader, at, n_file_bytes)? {
            Some((id, size)) if &id == b"data" => return Ok(Rest::SecondData(u64::from(size))),
            Some((_, size)) => at += 8 + u64::from(size) + u64::from(size % 2),
            None if n_file_bytes - at < MIN_REST_BYTES => return Ok(Rest::Nothing),
            None => return Ok(Rest::Bytes(n_file_bytes - at)),
        }
    }
    Ok(Rest::Nothing)
}

/// The name and size of the chunk at a place, if a whole one is there.
fn chunk_at(
    reader: &mut (impl Read + Seek),
    at: u64,
    n_file_bytes: u64,
) -> io::Result<Option<([u8; 4], u32)>> {
    if at + 8 > n_file_bytes {
        return Ok(None);
    }
    reader.seek(SeekFrom::Start(at))?;
    let mut chunk = [0_u8; 8];
    reader.read_exact(&mut chunk)?;
    let [a, b, c, d, size @ ..] = chunk;
    let (id, size) = ([a, b, c, d], u32::from_le_bytes(size));
    let is_name = id.iter().all(|byte| (b' '..=b'~').contains(byte));
    let is_whole = at + 8 + u64::from(size) <= n_file_bytes;
    Ok((is_name && is_whole).then_some((id, size)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const FORMAT: [u8; 16] = [1, 0, 1, 0, 0x22, 0x56, 0, 0, 0x44, 0xac, 0, 0, 2, 0, 16, 0];

    fn chunk(id: [u8; 4], declared: u32, content: &[u8]) -> Vec<u8> {
        [id.as_slice(), &declared.to_le_bytes(), content].concat()
    }

    /// A file with one format chunk, and what follows.
    fn wav(magic: [u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
        let start = [magic.as_slice(), &[0xff; 4], b"WAVE"].concat();
        [start, parts.concat()].concat()
    }

    fn chunks(bytes: Vec<u8>) -> (u64, Option<u64>, Rest) {
        let n = bytes.len() as u64;
        let read = read(&mut Cursor::new(bytes), n).unwrap().unwrap();
        (read.data_at, read.n_data_bytes, read.rest)
    }

    #[test]
    fn a_size_that_a_program_could_not_fill_in_is_open() {
        let format = chunk(*b"fmt ", 16, &FORMAT);
        let samples = [200_u8; 50];
        let of = |size: u32, content: &[u8]| {
            chunks(wav(*b"RIFF", &[format.clone(), chunk(*b"data", size, content)])).1
        };
        for size in [0, 0x7fff_f000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffdb, UNKNOWN_SIZE] {
            assert_eq!(of(size, &samples), None, "{size:x}");
        }
        assert_eq!(of(50, &samples), Some(50));
        assert_eq!(of(60, &samples), Some(60), "cut, and not open");
        assert_eq!(of(0, &[]), Some(0), "a header alone");
        assert_eq!(of(0, &chunk(*b"LIST", 4, b"INFO")), Some(0), "no samples, and a list");
    }

    #[test]
    fn what_follows_the_data_is_told() {
        let start = [chunk(*b"fmt ", 16, &FORMAT), chunk(*b"data", 6, &[9; 6])];
        let with = |rest: Vec<u8>| chunks(wav(*b"RIFF", &[start.concat(), rest])).2;
        assert_eq!(with(vec![]), Rest::Nothing);
        assert_eq!(with(chunk(*b"LIST", 4, b"INFO")), Rest::Nothing);
        assert_eq!(with([b"TAG".to_vec(), vec![b' '; 125]].concat()), Rest::Nothing);
        assert_eq!(with(vec![200; 5000]), Rest::Bytes(5000));
        let second = [chunk(*b"LIST", 4, b"INFO"), chunk(*b"data", 6, &[9; 6])].concat();
        assert_eq!(with(second), Rest::SecondData(6));
        let odd = [chunk(*b"fmt ", 16, &FORMAT), chunk(*b"data", 3, &[9; 3])];
        let unpadded = [odd.concat(), chunk(*b"data", 6, &[9; 6])];
        assert_eq!(chunks(wav(*b"RIFF", &unpadded)).2, Rest::SecondData(6));
    }

    #[test]
    fn rf64_has_its_size_in_a_chunk_of_its_own() {
        let ds64 = [60_u64, 6, 3].map(u64::to_le_bytes).concat();
        let ds64 = chunk(*b"ds64", 28, &[ds64, vec![0; 4]].concat());
        let parts =
            [ds64, chunk(*b"fmt ", 16, &FORMAT), chunk(*b"data", UNKNOWN_SIZE, &[9; 6])].concat();
        for magic in [*b"RF64", *b"BW64"] {
            let read = chunks(wav(magic, std::slice::from_ref(&parts)));
            assert_eq!(read, (80, Some(6), Rest::Nothing));
        }
        assert_eq!(chunks(wav(*b"RIFF", &[parts])).1, None, "a plain wav has no such chunk");
    }
}
