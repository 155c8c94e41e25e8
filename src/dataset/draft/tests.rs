use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::audio::{Waveform, write_wav};

/// A short wav at a rate.
fn recording(path: &Path, sample_rate_hz: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let samples = (0..800).map(|i| (i % 97) as f32 / 200.0).collect();
    write_wav(path, &Waveform { samples, sample_rate_hz }).unwrap();
}

fn collection(paths: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    paths.iter().for_each(|path| recording(&folder.path().join(path), 44_100));
    folder
}

fn draft_of(path: &Path, options: &DraftOptions) -> Draft {
    draft("mine", path, options).unwrap()
}

#[test]
fn recordings_are_read_at_22050_hz_unless_told_otherwise() {
    let folder = collection(&["a/1.wav", "b/1.wav"]);
    recording(&folder.path().join("a/0.wav"), 8000);
    let of = |options: &DraftOptions| draft_of(folder.path(), options);
    let plain = of(&DraftOptions::default());
    assert!(plain.text.contains("sample_rate_hz = 22050\n"), "{}", plain.text);
    let found = "sample rates found: 8000 Hz (1 file), 44100 Hz (2 files); read at 22050 Hz; \
                 --sample-rate changes that";
    assert_eq!(plain.notes.last().unwrap(), found);
    let told = of(&DraftOptions { sample_rate_hz: Some(48_000), depth: None });
    assert!(told.text.contains("sample_rate_hz = 48000\n"), "{}", told.text);
    let hint = "no file has more than 44100 Hz, so reading at 48000 Hz adds nothing; consider \
                --sample-rate 44100";
    assert_eq!(told.notes.last().unwrap(), hint);
}

#[test]
fn covers_and_playlists_are_not_counted_as_tracks() {
    let folder = collection(&["a/1.wav", "b/1.wav"]);
    for name in ["a/cover.jpg", "a/list.m3u", "b/Thumbs.db", "b/folder.JPG"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let draft = draft_of(folder.path(), &DraftOptions::default());
    assert!(draft.text.contains("n_tracks = 2\n"), "{}", draft.text);
    let note = "4 files are not recordings and were skipped: 1 db, 2 jpg, 1 m3u";
    assert!(draft.notes.contains(&note.to_owned()), "{:?}", draft.notes);
}

#[test]
fn artists_and_albums_are_levels_of_folders() {
    let albums = ["rock/A/X/1.wav", "rock/A/X/2.wav", "rock/B/Y/1.wav", "jazz/C/Z/1.wav"];
    let (single, disc) = ("jazz/D/single.wav", "jazz/C/Z/disc 2/1.wav");
    let folder = collection(&[&albums[..], &[single, disc]].concat());
    let draft = draft_of(folder.path(), &DraftOptions::default());
    let levels = "genres = [\"jazz\", \"rock\"]\nlevels = [\"genre\", \"artist\", \"album\"]\n";
    assert!(draft.text.contains(levels), "{}", draft.text);
    assert!(draft.text.contains("n_tracks = 6\n"), "{}", draft.text);
    let order = "read as GENRE/ARTIST/ALBUM/FILE (--depth changes that)";
    assert!(draft.notes.contains(&order.to_owned()), "{:?}", draft.notes);

    let folder = collection(&["rock/A/1.wav", "jazz/B/1.wav"]);
    let two = draft_of(folder.path(), &DraftOptions::default());
    assert!(two.text.contains("levels = [\"genre\", \"artist\"]\n"), "{}", two.text);
    let three = DraftOptions { sample_rate_hz: None, depth: Some(3) };
    assert!(draft_of(folder.path(), &three).text.contains("\"album\"]\n"));

    // Most of the files are right in their genres: the others are named.
    let folder = collection(&["rock/1.wav", "rock/2.wav", "jazz/1.wav", "jazz/more/1.wav"]);
    let flat = draft_of(folder.path(), &DraftOptions::default());
    assert!(!flat.text.contains("levels"), "{}", flat.text);
    let skipped = "subfolders of genre folders are skipped: jazz/more (--depth 2 or 3 reads them)";
    assert!(flat.notes.contains(&skipped.to_owned()), "{:?}", flat.notes);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_skipped_by_name() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let folder = collection(&["a/1.wav", "b/1.wav"]);
    let odd = |name: &[u8]| PathBuf::from(OsStr::from_bytes(name));
    recording(&folder.path().join("a").join(odd(b"caf\xe9.wav")), 44_100);
    recording(&folder.path().join(odd(b"r\xfcb")).join("1.wav"), 44_100);
    let draft = draft_of(folder.path(), &DraftOptions::default());
    assert!(draft.text.contains("genres = [\"a\", \"b\"]\n"), "{}", draft.text);
    assert!(draft.text.contains("n_tracks = 2\n"), "{}", draft.text);
    let note = "skipped, because the name is not valid UTF-8: caf\\xE9.wav, r\\xFCb";
    assert!(draft.notes.contains(&note.to_owned()), "{:?}", draft.notes);
}

#[test]
fn the_lists_of_esc_50_and_urbansound8k_are_found_with_their_folds() {
    let esc = collection(&["audio/1-100032-A-0.wav", "audio/2-100038-A-14.wav"]);
    fs::create_dir(esc.path().join("meta")).unwrap();
    let header = "filename,fold,target,category,esc10,src_file,take\n";
    let rows = "1-100032-A-0.wav,1,0,dog,True,100032,A\n2-100038-A-14.wav,2,14,chirping_birds,False,100038,A\n";
    fs::write(esc.path().join("meta/esc50.csv"), format!("{header}{rows}")).unwrap();
    let draft = draft_of(esc.path(), &DraftOptions::default());
    assert_eq!(draft.folder, esc.path().canonicalize().unwrap());
    let layout = "[listed]\naudio = [\"audio\"]\npath = \"{filename}\"\n\
                  label = { from = \"{category}\" }\n\
                  track_columns = { fold = \"{fold}\", source = \"{src_file}\" }\n\
                  sample_rate_hz = 22050\n\n[[listed.list]]\nfile = \"meta/esc50.csv\"\n";
    assert!(draft.text.ends_with(layout), "{}", draft.text);
    let folds = "2 folds; in a spec: [split.k_fold] k = 2, by = \"track\", column = \"fold\"";
    assert!(draft.notes.contains(&folds.to_owned()), "{:?}", draft.notes);
    // The list itself does as well.
    assert_eq!(draft_of(&esc.path().join("meta/esc50.csv"), &DraftOptions::default()), draft);

    let urban = collection(&["audio/fold1/101415-3-0-2.wav", "audio/fold10/7061-6-0-0.wav"]);
    fs::create_dir(urban.path().join("metadata")).unwrap();
    let header = "slice_file_name,fsID,start,end,salience,fold,classID,class\n";
    let rows = "101415-3-0-2.wav,101415,0.0,0.5,1,1,3,dog_bark\n7061-6-0-0.wav,7061,0.0,0.5,1,10,6,gun_shot\n";
    fs::write(urban.path().join("metadata/UrbanSound8K.csv"), format!("{header}{rows}")).unwrap();
    let draft = draft_of(urban.path(), &DraftOptions::default());
    let layout = "[listed]\naudio = [\"audio\"]\npath = \"fold{fold}/{slice_file_name}\"\n\
                  label = { from = \"{class}\" }\n\
                  track_columns = { fold = \"{fold}\", source = \"{fsID}\" }\n\
                  sample_rate_hz = 22050\n\n[[listed.list]]\nfile = \"metadata/UrbanSound8K.csv\"\n";
    assert!(draft.text.ends_with(layout), "{}", draft.text);
}

#[test]
fn file_names_without_extension_or_folder_are_completed() {
    let folder = collection(&["clips/rock/one.wav", "clips/jazz/two.wav"]);
    fs::write(folder.path().join("list.csv"), "file,genre\none,rock\ntwo,jazz\n").unwrap();
    let draft = draft_of(&folder.path().join("list.csv"), &DraftOptions::default());
    let path = "audio = [\"clips\"]\npath = \"{genre}/{file}.wav\"\n";
    assert!(draft.text.contains(path), "{}", draft.text);
}
