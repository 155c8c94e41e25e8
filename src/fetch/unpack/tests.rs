use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use ::tar::{Builder, EntryType, Header};
use ::zip::CompressionMethod;
use ::zip::write::{SimpleFileOptions, ZipWriter};
use flate2::write::GzEncoder;

use super::*;
use crate::fetch::RetryPolicy;

/// An entry of an archive in the making: a name as it is, a kind, a content.
type Entry<'a> = (&'a str, EntryType, &'a [u8]);

fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(vec![]);
    for (name, kind, content) in entries {
        let mut header = Header::new_gnu();
        // Past the checks of the writer, which knows what is evil.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(vec![]));
    // As large as if they were larger than 4 GiB: zip64.
    let options = SimpleFileOptions::default().compression_method(method).large_file(true);
    for (name, content) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

struct Done {
    result: Result<Unpacked, FetchError>,
    /// Every file below the folder, with its content.
    files: Vec<(String, Vec<u8>)>,
    _home: tempfile::TempDir,
}

impl Done {
    fn error(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }
}

fn try_unpack(packing: Packing, archive: &[u8], unpacked_bytes: Option<u64>, free: u64) -> Done {
    let home = tempfile::tempdir().unwrap();
    let (path, into) = (home.path().join("archive"), home.path().join("in/to"));
    fs::write(&path, archive).unwrap();
    empty_folder(&into).unwrap();
    let remote = Remote {
        file: "archive".to_owned(),
        urls: vec![],
        bytes: None,
        sum: None,
        unpack: Some(packing),
        unpacked_bytes,
    };
    let stop = AtomicBool::new(false);
    let setting = FetchContext {
        stop: &stop,
        tell: &|_| {},
        patience: RetryPolicy::default(),
        free: &|_| Ok(free),
    };
    let result = unpack(&remote, packing, &path, &into, &setting);
    // Nothing may be anywhere but in the folder.
    let mut outside: Vec<PathBuf> = [home.path().to_owned(), home.path().join("in")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    outside.sort();
    assert_eq!(outside, [path, home.path().join("in"), into.clone()]);
    let mut files = vec![];
    let mut folders = vec![into.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&into).unwrap().display().to_string();
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    Done { result, files, _home: home }
}

const FREE: u64 = 1 << 40;

#[test]
fn every_packing_gives_its_files_and_leaves_out_what_a_mac_adds() {
    let (a, b): (&[u8], &[u8]) = (b"first", &vec![7; 100_000]);
    let tar = tar_of(&[
        ("./", EntryType::Directory, b""),
        ("./genres/", EntryType::Directory, b""),
        ("./genres/._a.au", EntryType::Regular, b"of a mac"),
        ("./genres/a.au", EntryType::Regular, a),
        ("b.au", EntryType::Regular, b),
    ]);
    let names = [
        ("genres/", b"".as_slice()),
        ("__MACOSX/genres/._a.au", b"of a mac".as_slice()),
        ("genres/a.au", a),
        ("b.au", b),
    ];
    for (packing, archive) in [
        (Packing::Tar, tar.clone()),
        (Packing::TarGz, gz(&tar)),
        (Packing::Zip, zip_of(&names[1..], CompressionMethod::Stored)),
        (Packing::Zip, zip_of(&names[1..], CompressionMethod::Deflated)),
        // FMA's tables are packed so.
        (Packing::Zip, zip_of(&names[1..], CompressionMethod::Bzip2)),
    ] {
        let done = try_unpack(packing, &archive, None, FREE);
        let unpacked = done.result.as_ref().unwrap();
        assert_eq!((unpacked.n_files, unpacked.bytes, unpacked.n_dropped), (2, 100_005, 1));
        let wanted = [("b.au".to_owned(), b.to_vec()), ("genres/a.au".to_owned(), a.to_vec())];
        assert_eq!(done.files, wanted, "{packing:?}");
    }
}

#[test]
fn a_long_name_is_whole() {
    let mut builder = Builder::new(vec![]);
    let name = format!("{}/{}", "folder".repeat(20), "file".repeat(30));
    let mut header = Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o4755);
    builder.append_data(&mut header, &name, b"abc".as_slice()).unwrap();
    let done = try_unpack(Packing::Tar, &builder.into_inner().unwrap(), None, FREE);
    assert_eq!(done.files, [(name, b"abc".to_vec())]);
}

#[test]
fn what_leads_out_or_is_no_file_ends_it() {
    for (name, kind, said) in [
        ("../evil", EntryType::Regular, "\"../evil\", a path out of the folder"),
        ("a/../../evil", EntryType::Regular, "a path out of the folder"),
        ("/tmp/evil", EntryType::Regular, "\"/tmp/evil\", a path from the root"),
        ("..\\evil", EntryType::Regular, "whose name no file may have"),
        ("link", EntryType::Symlink, "\"link\", a link"),
        ("link", EntryType::Link, "\"link\", a link"),
        ("tty", EntryType::Char, "\"tty\", a device"),
        ("disk", EntryType::Block, "a device"),
        ("pipe", EntryType::Fifo, "a pipe"),
        ("._link", EntryType::Symlink, "a link"),
    ] {
        let entries = [("good", EntryType::Regular, b"good".as_slice()), (name, kind, b"")];
        let error = try_unpack(Packing::TarGz, &gz(&tar_of(&entries)), None, FREE).error();
        assert!(error.contains(said) && error.ends_with("nothing is unpacked"), "{error}");
    }
    for (name, said) in [
        ("../evil", "a path out of the folder"),
        ("/tmp/evil", "a path from the root"),
        ("..\\evil", "whose name no file may have"),
    ] {
        let archive = zip_of(&[(name, b"evil")], CompressionMethod::Stored);
        let error = try_unpack(Packing::Zip, &archive, None, FREE).error();
        assert!(error.contains(said), "{error}");
    }
    let mut writer = ZipWriter::new(io::Cursor::new(vec![]));
    writer.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    let error = try_unpack(Packing::Zip, &archive, None, FREE).error();
    assert!(error.contains("\"link\", a link"), "{error}");
}

#[test]
fn a_file_that_is_there_twice_ends_it() {
    let twice = [("a", EntryType::Regular, b"1".as_slice()), ("./a", EntryType::Regular, b"2")];
    let done = try_unpack(Packing::Tar, &tar_of(&twice), None, FREE);
    assert!(done.error().contains("holds \"a\" twice"), "{}", done.error());
    let below = [("a", EntryType::Regular, b"1".as_slice()), ("a/b", EntryType::Regular, b"2")];
    assert!(try_unpack(Packing::Tar, &tar_of(&below), None, FREE).result.is_err());
}

#[test]
fn a_bomb_is_left_before_it_fills_the_disk() {
    let large = vec![0; 5 << 20];
    let tar = gz(&tar_of(&[("bomb", EntryType::Regular, &large)]));
    let zip = zip_of(&[("bomb", &large)], CompressionMethod::Deflated);
    for (packing, archive) in [(Packing::TarGz, &tar), (Packing::Zip, &zip)] {
        assert!(archive.len() < 10_000);
        let done = try_unpack(packing, archive, None, FREE);
        assert!(
            done.error().contains("contains more than 1.00 MiB, at \"bomb\""),
            "{}",
            done.error()
        );
        assert!(done.files[0].1.len() <= 1 << 20);
        assert!(try_unpack(packing, archive, Some(5 << 20), FREE).result.is_ok());
        let done = try_unpack(packing, archive, Some((5 << 20) - 1), FREE);
        assert!(done.error().contains("contains more than 5.00 MiB"), "{}", done.error());
    }
    // What is dropped, and what is said to be a name, may be no bomb either.
    for (name, kind) in [("._bomb", EntryType::Regular), ("long", EntryType::GNULongName)] {
        let entries = [(name, kind, large.as_slice()), ("a", EntryType::Regular, b"a")];
        let error = try_unpack(Packing::TarGz, &gz(&tar_of(&entries)), None, FREE).error();
        assert!(error.contains("contains too much data between two files"), "{error}");
    }
}

#[test]
fn a_full_disk_is_seen_before() {
    let large = vec![1; 300_000];
    let archive = zip_of(&[("a", &large)], CompressionMethod::Stored);
    let done = try_unpack(Packing::Zip, &archive, None, 299_999);
    assert!(matches!(done.result, Err(FetchError::Space { needed: 300_000, .. })));
    assert_eq!(done.files, []);
    assert!(try_unpack(Packing::Zip, &archive, None, 300_000).result.is_ok());
    let archive = tar_of(&[("a", EntryType::Regular, &large)]);
    assert!(matches!(
        try_unpack(Packing::Tar, &archive, Some(400_000), 399_999).result,
        Err(FetchError::Space { needed: 400_000, .. })
    ));
}

#[test]
fn damage_is_said() {
    let tar = tar_of(&[("a", EntryType::Regular, &vec![3; 70_000])]);
    let whole = gz(&tar);
    for archive in [&whole[..whole.len() / 2], &whole[..whole.len() - 4], b"no archive", b""] {
        assert!(try_unpack(Packing::TarGz, archive, None, FREE).error().contains("archive: "));
    }
    let mut flipped = whole.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 1; // in the checksum of gzip
    assert!(try_unpack(Packing::TarGz, &flipped, None, FREE).result.is_err());
    let zip = zip_of(&[("a", &vec![3; 70_000])], CompressionMethod::Stored);
    let mut flipped = zip.clone();
    flipped[1000] ^= 1; // in the file
    let error = try_unpack(Packing::Zip, &flipped, None, FREE).error();
    assert!(error.to_lowercase().contains("checksum"), "{error}");
    assert!(try_unpack(Packing::Zip, &zip[..zip.len() - 30], None, FREE).result.is_err());
    assert!(try_unpack(Packing::Zip, &tar, None, FREE).result.is_err());
}

#[test]
fn a_wish_to_stop_is_heard() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a");
    fs::write(&path, tar_of(&[("a", EntryType::Regular, b"a")])).unwrap();
    let stop = AtomicBool::new(true);
    let setting = FetchContext {
        stop: &stop,
        tell: &|_| {},
        patience: RetryPolicy::default(),
        free: &|_| Ok(FREE),
    };
    let remote = Remote {
        file: "a".to_owned(),
        urls: vec![],
        bytes: None,
        sum: None,
        unpack: Some(Packing::Tar),
        unpacked_bytes: None,
    };
    let into = home.path().join("into");
    let stopped = unpack(&remote, Packing::Tar, &path, &into, &setting);
    assert!(matches!(stopped, Err(FetchError::Stopped { .. })));
}
