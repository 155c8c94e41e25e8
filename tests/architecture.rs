//! Holds what ARCHITECTURE.md says: which room may know which, and which crate lives where.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their layers. A room may know rooms of lower layers only.
const LAYERS: &[(&str, u8)] = &[
    ("vocab", 0),
    ("delimited", 0),
    ("disk", 0),
    ("schema", 1),
    ("audio", 1),
    ("table", 1),
    ("kernels", 1),
    ("metrics", 1),
    ("record", 1),
    ("fetch", 1),
    ("dataset", 2),
    ("model", 2),
    ("report", 2),
    ("features", 3),
    ("split", 3),
    ("spotify", 3),
    ("experiment", 4),
    ("cli", 5),
];

/// Crates that live in one room only, or in few.
const AT_HOME: &[(&str, &[&str])] = &[
    ("burn", &["model"]),
    ("safetensors", &["model"]),
    ("libm", &["vocab", "audio", "dataset", "kernels", "metrics", "model"]),
    ("linfa", &["model"]),
    ("linfa_logistic", &["model"]),
    ("smartcore", &["model"]),
    ("ndarray", &["model"]),
    ("csv", &["delimited"]),
    ("npyz", &["table"]),
    ("memchr", &["table"]),
    ("polars", &["table"]),
    ("plotters", &["report"]),
    ("dejavu", &["report"]),
    ("png", &["report"]),
    ("symphonia", &["audio"]),
    ("rustfft", &["audio"]),
    ("rubato", &["audio"]),
    ("rusty_mp3", &["audio"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["cli"]),
    ("signal_hook", &["cli"]),
    ("ruzstd", &["record"]),
    ("tar", &["record", "fetch"]),
    ("zip", &["fetch"]),
    ("flate2", &["fetch", "table"]),
    ("rustix", &["disk", "fetch"]),
    ("sha1", &["fetch"]),
    ("md5", &["fetch"]),
    ("rspotify", &["spotify"]),
    ("ureq", &["fetch", "spotify"]),
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file of every room: the room, the path, the text without comments.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![];
    rust_files(&src, &mut files);
    let in_a_room = files.into_iter().filter_map(|path| {
        let inside = path.strip_prefix(&src).unwrap();
        // Files beside the rooms, lib.rs and main.rs, are in none.
        let room = inside.parent()?.components().next()?.as_os_str();
        let room = room.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        Some((room, path.clone(), code.collect::<Vec<_>>().join("\n")))
    });
    in_a_room.collect()
}

/// Names that follow `prefix` anywhere in the code, braces opened: `use crate::{a, b::c};` names a and b.
fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let word = |text: &'a str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    let mut names = vec![];
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_start = true;
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                c if c.is_whitespace() => {}
                _ if at_start => {
                    names.push(word(&list[i..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn a_room_knows_rooms_of_lower_layers_only() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let mut n_looked_at = 0;
    for (room, path, code) in sources() {
        let own = *layers.get(room.as_str()).unwrap_or_else(|| {
            panic!("the room {room} has no layer: add it to LAYERS and to ARCHITECTURE.md")
        });
        for name in names_after(&code, "crate::") {
            let Some(&layer) = layers.get(name) else { continue };
            n_looked_at += 1;
            assert!(
                name == room || layer < own,
                "{}: {room} (layer {own}) must not know {name} (layer {layer}): \
                 move what both need into a lower room",
                path.display()
            );
        }
    }
    assert!(n_looked_at > 50, "only {n_looked_at} uses were seen: the test reads too little");
}

#[test]
fn every_crate_lives_in_its_room() {
    let mut n_seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (room, path, code) in sources() {
        for (name, homes) in AT_HOME {
            let is_used = [format!("use {name}::"), format!(" {name}::"), format!("({name}::")]
                .iter()
                .any(|form| code.contains(form));
            if is_used {
                *n_seen.entry(name).or_default() += 1;
                let path = path.display();
                let is_home = homes.contains(&room.as_str());
                assert!(is_home, "{path}: {name} lives in {homes:?} only; ask such a room");
            }
        }
    }
    let unseen: Vec<_> = AT_HOME.iter().filter(|(name, _)| !n_seen.contains_key(name)).collect();
    assert!(unseen.is_empty(), "never used, or the test does not see them: {unseen:?}");
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"));
    let map = map.unwrap();
    for (room, layer) in LAYERS {
        assert!(
            map.contains(&format!("| {layer} | `{room}` |")),
            "ARCHITECTURE.md lacks the line of {room}, layer {layer}"
        );
    }
}

#[test]
fn names_are_found_in_braces_too() {
    let code = "use crate::{a, b::{c, d}, e}; crate::f::g()";
    assert_eq!(names_after(code, "crate::"), ["a", "b", "e", "f"]);
}
