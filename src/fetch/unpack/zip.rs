//! Zip archives.

use std::fs::File;
use std::io::BufReader;

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::FetchError;
use super::sink::{Sink, Stop, folder};

/// The bits of a Unix mode that say what kind of file it is, and those of plain files and folders.
const KIND: u32 = 0o170_000;
const PLAIN: [u32; 3] = [0, 0o100_000, 0o040_000];

/// Unpacks a zip archive. `tell` receives the number of bytes that are done and returns whether to
/// continue; `room` returns whether the disk has room for so many bytes.
pub(super) fn unpack(
    file: File,
    sink: &mut Sink,
    tell: &dyn Fn(u64) -> Result<(), Stop>,
    room: &dyn Fn(u64) -> Result<(), FetchError>,
) -> Result<(), Stop> {
    let wrong = |error: ZipError| Stop::Wrong(error.to_string());
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(wrong)?;
    if archive.is_empty() {
        return Err(Stop::Wrong("is empty".to_owned()));
    }
    let said = archive.decompressed_size().unwrap_or(0);
    room(u64::try_from(said).unwrap_or(u64::MAX).min(sink.left()))?;
    let mut n_done = 0;
    for i in 0..archive.len() {
        let mut entry = archive.by_index(i).map_err(wrong)?;
        let name = entry.name().to_owned();
        let place = sink.place(&name)?;
        if !PLAIN.contains(&(entry.unix_mode().unwrap_or(0) & KIND)) {
            let what = if entry.is_symlink() { "a link" } else { "no file and no folder" };
            return Err(Stop::Wrong(format!("holds {name:?}, {what}")));
        }
        match place {
            None => {}
            Some(path) if entry.is_dir() => folder(&path)?,
            Some(path) => sink.file(&path, &mut entry, &|| tell(n_done))?,
        }
        n_done += entry.compressed_size();
        tell(n_done)?;
    }
    Ok(())
}
