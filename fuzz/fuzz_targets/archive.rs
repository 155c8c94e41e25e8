//! Any bytes as a zip, tar or tar.gz archive, or as a capsule: nothing is written outside the folder,
//! and no more than the limit.
#![no_main]

mod shared;

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use encore::fetch::{self, FetchContext, Packing, Remote, RetryPolicy};
use encore::record::unpack_capsule;
use libfuzzer_sys::fuzz_target;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest, Sha256};

const LIMIT: u64 = 1 << 20;

/// Bytes of all files below a folder.
fn n_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let size = |entry: fs::DirEntry| {
        let kind = entry.file_type().expect("its type is known");
        assert!(kind.is_dir() || kind.is_file(), "neither a file nor a folder");
        if kind.is_dir() {
            n_bytes(&entry.path())
        } else {
            entry.metadata().map_or(0, |data| data.len())
        }
    };
    entries.flatten().map(size).sum()
}

fuzz_target!(init: shared::quiet(), |bytes: &[u8]| {
    let [which, bytes @ ..] = bytes else { return };
    let base = shared::folder();
    let (outer, archive) = (base.join("outer"), base.join("archive"));
    let into = outer.join("into");
    fs::create_dir_all(&into).expect("the folder can be created");
    fs::write(&archive, bytes).expect("the file can be written");
    let packing = match which % 4 {
        0 => Some(Packing::Zip),
        1 => Some(Packing::Tar),
        2 => Some(Packing::TarGz),
        _ => None,
    };
    if let Some(packing) = packing {
        let remote = Remote {
            file: "archive".to_owned(),
            urls: vec![],
            bytes: None,
            sum: None,
            unpack: Some(packing),
            unpacked_bytes: Some(LIMIT),
        };
        let context = FetchContext {
            stop: &AtomicBool::new(false),
            tell: &|_| {},
            patience: RetryPolicy::default(),
            free: &|_| Ok(u64::MAX),
        };
        if let Err(error) = fetch::unpack(&remote, packing, &archive, &into, &context) {
            assert!(!error.to_string().is_empty());
        }
        assert!(n_bytes(&into) <= LIMIT);
    } else {
        // A tar archive in a right frame with a right seal, or whatever the bytes are.
        let frame = if which & 4 == 0 {
            compress_to_vec(bytes, CompressionLevel::Fastest)
        } else {
            bytes.to_vec()
        };
        let seal: String = Sha256::digest(&frame).iter().map(|byte| format!("{byte:02x}")).collect();
        let head = [0x50, 0x2a, 0x4d, 0x18, 64, 0, 0, 0];
        fs::write(&archive, [&frame, head.as_slice(), seal.as_bytes()].concat())
            .expect("the file can be written");
        if let Err(error) = unpack_capsule(&archive, &into) {
            assert!(!error.to_string().is_empty());
        }
    }
    let beside = fs::read_dir(&outer).expect("the folder can be read").count();
    assert_eq!(beside, 1, "something was written outside the folder");
    fs::remove_dir_all(&outer).expect("the folder can be removed");
});
