//! The runs of a capsule in another project.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use encore::record::Record;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::{done, foreign, import, native, refused, results, small, with_runs};
use crate::common::{encore, fails, ok, record, runs, stderr, stdout, stdout_of};
use crate::json::fits;

#[test]
fn the_runs_of_a_capsule_are_added_once_and_can_be_repeated() {
    let home = with_runs("1,2");
    let home = home.path();
    done(&import(home, 1, |text| text, &[]));
    ok(home, &["capsule", "spotify-dense", "--out", "three.tar.zst"]);
    let other = small();
    let other = other.path();
    fs::copy(home.join("three.tar.zst"), other.join("three.tar.zst")).unwrap();
    let import = ["import-capsule", "three.tar.zst", "--json"];
    let added = fits("import-capsule", &stdout_of(other, &import));
    assert_eq!(added["added"].as_array().unwrap().len(), 3);
    assert_eq!(runs(other).len(), 3);
    assert_eq!(foreign(other).len(), 1, "marked for ever");
    let columns = ["--where", "capsule is not missing", "--columns", "capsule", "--csv"];
    let found = stdout_of(other, &[&["runs"], &columns[..]].concat());
    assert_eq!(found, "capsule\nthree.tar.zst\nthree.tar.zst\nthree.tar.zst\n");
    // The same numbers as where they come from.
    assert_eq!(results(home, "spotify-dense"), results(other, "spotify-dense"));
    let again = fits("import-capsule", &stdout_of(other, &import));
    assert_eq!((again["known"].as_array().unwrap().len(), runs(other).len()), (3, 3));
    // A run without its model can be repeated and compared, but not used; `run` trains it.
    let id = native(other, 1).file_name().unwrap().to_string_lossy().into_owned();
    let verified = fits("verify", &stdout_of(other, &["verify", &id, "--json"]));
    assert_eq!(verified["identical"]["model"], true);
    let said = fails(other, &["predict", "three.tar.zst", "--with", &id], 3);
    assert!(said.contains("came in the capsule three.tar.zst\nhint: encore run"), "{said}");
    let ran = ok(other, &["run", "spotify-dense", "--seeds", "1"]);
    assert!(
        stderr(&ran).contains("without its model; the run will be repeated"),
        "{}",
        stderr(&ran)
    );
    assert!(native(other, 1).join("model/model.safetensors").is_file());
    let found = stdout_of(other, &[&["runs"], &columns[..]].concat());
    assert_eq!(found.lines().count(), 3, "the run of seed 1 is ours now");
    assert_eq!(
        fits("import-capsule", &stdout_of(other, &import))["known"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn a_capsule_never_replaces_what_is_here() {
    let home = with_runs("1,2");
    let home = home.path();
    ok(home, &["capsule", "spotify-dense", "--out", "two.tar.zst"]);
    let kept = record(&native(home, 2));
    // The run of seed 1 here has other results.
    let folder = native(home, 1);
    let path = folder.join("record.json");
    let mut changed: Record = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    changed.outputs.curves = changed.outputs.curves.chars().rev().collect();
    changed.seal = changed.make_seal();
    fs::write(&path, serde_json::to_string(&changed).unwrap()).unwrap();
    let output = encore(home, &["import-capsule", "two.tar.zst"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).contains(": curves; the run here stays"), "{}", stdout(&output));
    assert_eq!(record(&folder)["seal"], changed.seal);
    let id = folder.file_name().unwrap().to_string_lossy().into_owned();
    // A damaged run here stays, and the other one is looked at all the same.
    fs::write(folder.join("predictions.csv"), "track\n").unwrap();
    let output = encore(home, &["import-capsule", "two.tar.zst"]);
    refused(&output, &format!("hint: encore runs remove {id}"));
    assert!(stdout(&output).contains("known "), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(folder.join("predictions.csv")).unwrap(), "track\n");
    ok(home, &["runs", "remove", &id]);
    let said = stdout_of(home, &["import-capsule", "two.tar.zst"]);
    assert!(said.contains(&format!("added {id}")), "{said}");
    assert_eq!(record(&native(home, 2)), kept);
    // A capsule with a changed byte adds nothing and leaves nothing behind.
    let mut bytes = fs::read(home.join("two.tar.zst")).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(home.join("bad.tar.zst"), bytes).unwrap();
    ok(home, &["runs", "remove", &id]);
    refused(&encore(home, &["import-capsule", "bad.tar.zst"]), "is damaged or was changed");
    assert!(!folder.exists());
    refused(&encore(home, &["import-capsule", "datasets"]), "datasets");
    assert_eq!(fs::read_dir(home.join("reports/attempts")).unwrap().count(), 0);
}

/// Writes a capsule anew with its files changed, and with a seal that fits.
fn repacked(from: &Path, to: &Path, change: impl Fn(&str, Vec<u8>) -> (String, Vec<u8>)) {
    const SEAL_LEN: usize = 8 + 64;
    let bytes = fs::read(from).unwrap();
    let (frame, seal) = bytes.split_at(bytes.len() - SEAL_LEN);
    let mut archive = vec![];
    StreamingDecoder::new(frame).unwrap().read_to_end(&mut archive).unwrap();
    let mut files = tar::Archive::new(archive.as_slice());
    let mut changed = tar::Builder::new(vec![]);
    for entry in files.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut content = vec![];
        entry.read_to_end(&mut content).unwrap();
        let (name, content) = change(&name, content);
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        changed.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    let changed = changed.into_inner().unwrap();
    let mut bytes = compress_to_vec(changed.as_slice(), CompressionLevel::Fastest);
    let hash = encore::vocab::sha256_hex(&bytes);
    bytes.extend(&seal[..8]);
    bytes.extend(hash.as_bytes());
    fs::write(to, bytes).unwrap();
}

#[test]
fn a_capsule_that_is_newer_or_not_what_it_seems_is_refused_whole() {
    let home = with_runs("1");
    let home = home.path();
    ok(home, &["capsule", "spotify-dense", "--out", "one.tar.zst"]);
    let folder = native(home, 1);
    let id = folder.file_name().unwrap().to_string_lossy().into_owned();
    ok(home, &["runs", "remove", &id]);
    let one = home.join("one.tar.zst");
    let import = |change: &dyn Fn(&str, String) -> (String, String)| {
        repacked(&one, &home.join("changed.tar.zst"), |name, bytes| {
            let (name, text) = change(name, String::from_utf8(bytes).unwrap());
            (name, text.into_bytes())
        });
        encore(home, &["import-capsule", "changed.tar.zst"])
    };
    // A newer format may hold files that are unknown here.
    let newer = import(&|name, text| match name {
        "capsule.json" => (name.to_owned(), text.replacen("\"format\": 1", "\"format\": 2", 1)),
        name => (name.replace("epochs.jsonl", "epochs.parquet"), text),
    });
    refused(&newer, "is a capsule of format 2, and this encore reads format 1");
    assert!(stderr(&newer).contains("hint: use the newer encore"), "{}", stderr(&newer));
    // A record of a newer encore, in a capsule of the known format.
    let change = |name: &str, text: String| {
        let text = match name.rsplit('/').next() {
            Some("record.json") => text.replacen("\"format\": 3", "\"format\": 4", 1),
            _ => text,
        };
        (name.to_owned(), text)
    };
    let files = RefCell::new(BTreeMap::new());
    import(&|name, text| {
        let (name, text) = change(name, text);
        let hash = encore::vocab::sha256_hex(text.as_bytes());
        files.borrow_mut().insert(name.clone(), hash);
        (name, text)
    });
    let files = files.into_inner();
    let with_hashes = |text: String| {
        let mut head: Value = serde_json::from_str(&text).unwrap();
        for (name, hash) in head["files"].as_object_mut().unwrap() {
            *hash = files[name].clone().into();
        }
        head.to_string()
    };
    let newer = import(&|name, text| match name {
        "capsule.json" => (name.to_owned(), with_hashes(text)),
        name => change(name, text),
    });
    refused(&newer, "is a record of format 4");
    // The record of a run under the id of another one.
    let other = import(&|name, text| {
        let (of, is) = (".seed-1.", ".seed-2.");
        let text = if name == "capsule.json" { text.replace(of, is) } else { text };
        (name.replace(of, is), text)
    });
    refused(&other, "has the record of another run");
    // Files that do not belong to any run.
    let outside = import(&|name, text| (name.replace(&id, ""), text));
    refused(&outside, "which is not a file of a capsule");
    assert_eq!(runs(home).len(), 0);
    let attempts = fs::read_dir(home.join("reports/attempts")).unwrap().count();
    assert_eq!(attempts, 0, "nothing is left");
}
