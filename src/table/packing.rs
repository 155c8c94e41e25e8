//! The format of a file by its first bytes. Unpacks packed files, and names files that are not tables.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

/// First bytes of files that are not tables, with the name of the format and a hint.
const OTHERS: [(&[u8], &str, &str); 12] = [
    (b"BZh", "is packed by bzip2", "bunzip2"),
    (b"\xFD7zXZ\0", "is packed by xz", "unxz"),
    (b"\x28\xB5\x2F\xFD", "is packed by zstd", "unzstd"),
    (b"7z\xBC\xAF\x27\x1C", "is a 7z archive", "unpack it"),
    (b"Rar!\x1A\x07", "is a rar archive", "unpack it"),
    (b"\xD0\xCF\x11\xE0", "is an Excel workbook", "save the sheet as CSV"),
    (b"SQLite format 3\0", "is an SQLite database", "export the table as CSV"),
    (b"ARROW1", "is an Arrow (Feather) file", "write it as Parquet or CSV"),
    (b"\x89HDF", "is an HDF5 file", "write the table as Parquet or CSV"),
    (b"\x93NUMPY", "is a NumPy array", "write it as CSV, or declare it in [arrays]"),
    (b"%PDF", "is a PDF document", "export the table as CSV"),
    (b"\x80\x04", "is a Python pickle", "write the table as Parquet or CSV"),
];
/// Files that a message names.
const N_NAMED: usize = 5;

/// A table that is more than this many times as large as its packed file is refused: it would fill the memory.
/// Tables of measurements are 2 to 10 times as large, and the worst that gzip can pack is 1,032 times.
const MAX_RATIO: u64 = 200;
/// So many bytes are unpacked in any case.
const ALWAYS: u64 = 64 << 20;

/// Unpacks at most as many bytes as a table has whose packed file has `n_packed`.
pub(super) struct Bounded<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R: Read> Bounded<R> {
    pub(super) fn new(inner: R, n_packed: u64) -> Self {
        let limit = n_packed.saturating_mul(MAX_RATIO).max(ALWAYS);
        Self { inner, limit, left: limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => {
                let limit = self.limit;
                return Err(io::Error::other(format!(
                    "the table is larger than {limit} bytes, the most for a packed file of this size\n\
                     hint: if this is right, unpack it first"
                )));
            }
        }
        Ok(n)
    }
}

/// A file's bytes without the packing of gzip or zip, if it has one.
///
/// # Errors
/// Where they can't be unpacked, an archive does not hold exactly one file, or the file is known not to be a
/// table.
pub(super) fn unpacked(mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut plain = vec![];
        let decoder = MultiGzDecoder::new(&bytes[..]);
        let read = Bounded::new(decoder, bytes.len() as u64).read_to_end(&mut plain);
        read.map_err(|error| format!("can't be unpacked by gzip: {error}"))?;
        bytes = plain;
    } else if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        bytes = only_file(&bytes)?;
    }
    let other = OTHERS.iter().find(|(magic, ..)| bytes.starts_with(magic));
    if let Some((_, what, hint)) = other {
        return Err(format!("{what}, but a table is a CSV or Parquet file\nhint: {hint}"));
    }
    let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).trim_start().to_lowercase();
    if begin.starts_with("<!doctype") || begin.starts_with("<html") {
        return Err("is a web page, not a table\nhint: download the file itself".to_owned());
    }
    if begin.starts_with('{') {
        return Err(
            "is JSON, but a table is a CSV or Parquet file\nhint: write it as CSV".to_owned()
        );
    }
    if let Some(order) = utf16(&bytes) {
        return Err(format!(
            "is UTF-16 without a byte order mark, and UTF-8 can be read\n\
             hint: iconv -f UTF-16{order} -t UTF-8 OLD > NEW"
        ));
    }
    Ok(with_line_feeds(bytes))
}

/// The only file of an archive. Hidden files and those that macOS adds do not count.
fn only_file(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let wrong = |error: ZipError| format!("can't be unpacked by zip: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    if names.iter().any(|name| name == "xl/workbook.xml") {
        return Err("is an Excel workbook, but a table is a CSV or Parquet file\n\
                    hint: save the sheet as CSV"
            .to_owned());
    }
    let is_file = |name: &&String| {
        !name.ends_with('/')
            && !name.starts_with("__MACOSX/")
            && !name.rsplit('/').next().unwrap_or_default().starts_with('.')
    };
    let mut files: Vec<&String> = names.iter().filter(is_file).collect();
    files.sort();
    let [file] = files[..] else {
        let some: Vec<&str> = files.iter().take(N_NAMED).map(|name| name.as_str()).collect();
        let more = if files.len() > N_NAMED { ", …" } else { "" };
        let (n, some) = (files.len(), some.join(", "));
        let found = if n == 0 { "none".to_owned() } else { format!("{n}: {some}{more}") };
        return Err(format!(
            "is a zip archive, expected one file in it, found {found}\nhint: unpack it"
        ));
    };
    let mut plain = vec![];
    let entry = archive.by_name(file).map_err(wrong)?;
    let read = Bounded::new(entry, bytes.len() as u64).read_to_end(&mut plain);
    read.map_err(|error| format!("can't be unpacked by zip: {error}"))?;
    Ok(plain)
}

/// The byte order of UTF-16 without a mark: text of a European language has a zero in every pair.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    let begin = &bytes[..bytes.len().min(256) / 2 * 2];
    let n_zeros = |place: usize| begin.iter().skip(place).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (n_zeros(0), n_zeros(1));
    let is_most = |n: usize| begin.len() >= 4 && n * 4 > begin.len();
    match (is_most(even), is_most(odd)) {
        (true, false) => Some("BE"),
        (false, true) => Some("LE"),
        _ => None,
    }
}

/// The same text with line feeds, where only carriage returns end lines, as in classic Mac OS.
fn with_line_feeds(mut bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.contains(&b'\n') {
        bytes.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn said(bytes: &[u8]) -> String {
        unpacked(bytes.to_vec()).unwrap_err()
    }

    #[test]
    fn the_only_file_of_a_zip_archive_is_the_table() {
        let one =
            zipped(&[("data/a.csv", b"a\n1\n"), ("__MACOSX/._a.csv", b"x"), (".hidden", b"")]);
        assert_eq!(unpacked(one.clone()).unwrap(), b"a\n1\n");
        assert!(said(&one[..one.len() - 9]).starts_with("can't be unpacked by zip: "));
        let two = zipped(&[("b.csv", b""), ("a.csv", b"")]);
        assert_eq!(
            said(&two),
            "is a zip archive, expected one file in it, found 2: a.csv, b.csv\nhint: unpack it"
        );
        assert!(said(&zipped(&[])).contains("found none"));
        assert!(said(&zipped(&[("xl/workbook.xml", b"")])).starts_with("is an Excel workbook"));
    }

    #[test]
    fn a_packed_file_of_a_huge_table_is_refused_before_it_fills_the_memory() {
        let zeros = vec![b'0'; 65 << 20];
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
        encoder.write_all(&zeros).unwrap();
        let gz = encoder.finish().unwrap();
        let mut writer = zip::ZipWriter::new(Cursor::new(vec![]));
        writer.start_file("a.csv", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&zeros).unwrap();
        let zip = writer.finish().unwrap().into_inner();
        for (bytes, how) in [(&gz, "gzip"), (&zip, "zip")] {
            // Without the bytes, which nobody wants to see where this fails.
            let n_bytes = unpacked(bytes.clone()).map(|bytes| bytes.len());
            assert_eq!(
                n_bytes.unwrap_err(),
                format!(
                    "can't be unpacked by {how}: the table is larger than 67108864 bytes, the most for a packed \
                     file of this size\nhint: if this is right, unpack it first"
                )
            );
        }
        // Read row by row, the file is refused as well.
        let mut all = Bounded::new(MultiGzDecoder::new(&gz[..]), gz.len() as u64);
        assert!(io::copy(&mut all, &mut io::sink()).is_err());
        let mut enough = Bounded::new(MultiGzDecoder::new(&gz[..]), 1 << 20);
        assert_eq!(io::copy(&mut enough, &mut io::sink()).unwrap(), 65 << 20);
    }

    #[test]
    fn what_is_no_table_is_named() {
        assert!(said(b"BZh91AY").starts_with("is packed by bzip2, but a table is a CSV or"));
        assert!(said(b"\n<!DOCTYPE html><p>").starts_with("is a web page"));
        assert!(said(b" {\"a\": 1}").starts_with("is JSON"));
        let wide: Vec<u8> = "id,genre\na,b\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(said(&wide).starts_with("is UTF-16 without a byte order mark"));
        assert!(said(&wide).ends_with("iconv -f UTF-16LE -t UTF-8 OLD > NEW"));
        let wide: Vec<u8> = "id,genre\na,b\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(said(&wide).contains("UTF-16BE"));
    }

    #[test]
    fn carriage_returns_end_lines_where_nothing_else_does() {
        assert_eq!(unpacked(b"a,b\r1,2\r".to_vec()).unwrap(), b"a,b\n1,2\n");
        assert_eq!(unpacked(b"a,b\r\n1,2\r\n".to_vec()).unwrap(), b"a,b\r\n1,2\r\n");
        assert_eq!(unpacked(vec![]).unwrap(), b"");
    }
}
