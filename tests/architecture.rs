//! Checks the rules of ARCHITECTURE.md: which room may use which, and which crate belongs to which
//! room.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and their layers. A room may only use rooms of lower layers.
const LAYERS: &[(&str, u8)] = &[
    ("vocab", 0),
    ("delimited", 0),
    ("disk", 0),
    ("process", 0),
    ("schema", 1),
    ("audio", 1),
    ("table", 1),
    ("kernels", 1),
    ("metrics", 1),
    ("record", 1),
    ("search", 1),
    ("similar", 1),
    ("fetch", 1),
    ("dataset", 2),
    ("model", 2),
    ("report", 2),
    ("export", 3),
    ("features", 3),
    ("split", 3),
    ("spotify", 3),
    ("experiment", 4),
    ("serve", 5),
    ("cli", 6),
];

/// Crates that belong to one or a few rooms.
const AT_HOME: &[(&str, &[&str])] = &[
    ("burn", &["model"]),
    ("safetensors", &["model"]),
    ("libm", &["vocab", "audio", "dataset", "kernels", "metrics", "model", "search", "similar"]),
    ("linfa", &["model"]),
    ("linfa_logistic", &["model"]),
    ("smartcore", &["model"]),
    ("ndarray", &["model"]),
    ("csv", &["delimited"]),
    ("npyz", &["table"]),
    ("memchr", &["table"]),
    ("polars", &["table"]),
    ("ab_glyph", &["report"]),
    ("plotters", &["report"]),
    ("dejavu", &["report"]),
    ("png", &["report"]),
    ("tract_onnx", &["features"]),
    ("symphonia", &["audio"]),
    ("rustfft", &["audio"]),
    ("rubato", &["audio"]),
    ("rusty_mp3", &["audio"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("hyper", &["serve"]),
    ("hyper_util", &["serve"]),
    ("tokio", &["serve"]),
    ("anyhow", &["cli"]),
    ("signal_hook", &["cli"]),
    ("ruzstd", &["record"]),
    ("tar", &["record", "fetch"]),
    ("zip", &["fetch", "table"]),
    ("flate2", &["fetch", "table"]),
    ("rustix", &["disk", "fetch", "model", "process", "cli"]),
    ("landlock", &["process"]),
    ("sha1", &["fetch"]),
    ("md5", &["fetch"]),
    ("rspotify", &["spotify"]),
    ("ureq", &["export", "fetch", "spotify"]),
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
        // Files beside the rooms, such as lib.rs and main.rs, belong to no room.
        let room = inside.parent()?.components().next()?.as_os_str();
        let room = room.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        Some((room, path.clone(), code.collect::<Vec<_>>().join("\n")))
    });
    in_a_room.collect()
}

/// Names that follow `prefix` anywhere in the code, with braces expanded: `use crate::{a, b::c};`
/// names a and b.
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

/// Groups of files that depend on each other, with the reason. A new one is a design fault: move
/// the common part into a third file.
const KNOWN_CIRCLES: &[(&[&str], &str)] = &[
    (
        &["audio/stft", "audio/tempo", "audio/workspace"],
        "a workspace holds the buffers of the computations, which compute in it",
    ),
    (
        &[
            "dataset/arrays",
            "dataset/audio_data",
            "dataset/folder",
            "dataset/manifest",
            "dataset/recordings",
        ],
        "a manifest holds its layout, which loads by the manifest that it came from",
    ),
    (&["model/device", "model/net/burn"], "only burn knows which of its devices there are"),
];

#[test]
fn no_files_of_a_room_need_each_other() {
    let files = Files::of(&sources());
    let n_edges: usize = files.needs.values().map(BTreeSet::len).sum();
    assert!(n_edges > 200, "only {n_edges} uses among files were seen: the test reads too little");
    let mut circles = files.circles();
    for (circle, _) in KNOWN_CIRCLES {
        let circle: Vec<String> = circle.iter().map(|file| (*file).to_owned()).collect();
        let place = circles.iter().position(|found| *found == circle);
        let place =
            place.unwrap_or_else(|| panic!("{circle:?} is no circle: remove it from the list"));
        circles.remove(place);
    }
    assert!(
        circles.is_empty(),
        "files need each other: {circles:#?}\nmove what both need into a third file"
    );
}

#[test]
fn circles_are_found() {
    let source = |path: &str, code: &str| {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        ("room".to_owned(), src.join(path), code.to_owned())
    };
    let circles = |b: &str| {
        let sources = [
            source("room/mod.rs", "mod a; mod b; pub use b::{B, Other};"),
            source("room/a.rs", "use super::{B, x};"),
            source("room/b.rs", b),
            source("room/c.rs", "use super::a::A;"),
        ];
        Files::of(&sources).circles()
    };
    assert_eq!(circles("use std::fmt;"), [] as [Vec<String>; 0]);
    assert_eq!(circles("use crate::room::a::A;"), [["room/a", "room/b"]]);
    assert_eq!(circles("fn f() { super::c::g() }"), [["room/a", "room/b", "room/c"]]);
    assert_eq!(circles("#[cfg(test)]\nmod tests { use super::super::a; }"), [] as [Vec<String>; 0]);
}

/// The dependencies of each source file on other files of its room. The `mod.rs` of a room or
/// folder does not count; its re-exports belong to the file that they come from.
struct Files {
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Files {
    fn of(sources: &[(String, PathBuf, String)]) -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut code = BTreeMap::new();
        for (_, path, text) in sources {
            let inside = path.strip_prefix(&src).unwrap().with_extension("");
            let inside = inside.to_string_lossy().replace('\\', "/");
            let module = inside.strip_suffix("/mod").unwrap_or(&inside).to_owned();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
            code.insert(module, (inside.ends_with("/mod"), text));
        }
        let is_module = |path: &str| code.contains_key(path);
        // (module, name) -> the module that a `pub use` takes the name from.
        let mut exports = BTreeMap::new();
        for (module, (_, text)) in &code {
            for path in used_paths(text, true) {
                let path = path.strip_prefix("self::").unwrap_or(&path).to_owned();
                let Some((from, name)) = path.rsplit_once("::") else { continue };
                let from = format!("{module}/{}", from.replace("::", "/"));
                if is_module(&from) {
                    exports.insert((module.clone(), name.to_owned()), from);
                }
            }
        }
        let resolve = |module: &str, path: &str| -> String {
            let mut place = module.to_owned();
            for step in path.split("::") {
                let inside =
                    if place.is_empty() { step.to_owned() } else { format!("{place}/{step}") };
                match step {
                    "crate" => place.clear(),
                    "super" => place = place.rsplit_once('/').map_or("", |(up, _)| up).to_owned(),
                    "self" => {}
                    _ if is_module(&inside) => place = inside,
                    name => {
                        while let Some(from) = exports.get(&(place.clone(), name.to_owned())) {
                            place.clone_from(from);
                        }
                        break;
                    }
                }
            }
            place
        };
        let is_test = |module: &str| {
            module.split('/').any(|part| part == "tests" || part.ends_with("_tests"))
                || ["golden", "fake", "coverage"].iter().any(|end| module.ends_with(end))
        };
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (module, (is_page, text)) in &code {
            if *is_page || is_test(module) {
                continue;
            }
            let room = module.split('/').next().unwrap();
            let found = used_paths(text, false).into_iter().filter(|path| {
                ["crate", "super", "self"].contains(&path.split("::").next().unwrap())
            });
            let found = found.map(|path| resolve(module, &path)).filter(|other| {
                other != module
                    && other.split('/').next() == Some(room)
                    && code.get(other).is_some_and(|(is_page, _)| !is_page)
            });
            needs.insert(module.clone(), found.collect());
        }
        Self { needs }
    }

    /// Groups of files that all depend on each other, directly or indirectly.
    fn circles(&self) -> Vec<Vec<String>> {
        let reach = |from: &String| {
            let (mut seen, mut left) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(file) = left.pop() {
                for next in self.needs.get(&file).into_iter().flatten() {
                    if seen.insert(next.clone()) {
                        left.push(next.clone());
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<String>> =
            self.needs.keys().map(|file| (file, reach(file))).collect();
        let circle = |(file, reached_by): (&&String, &BTreeSet<String>)| -> Vec<String> {
            let is_back = |other: &&String| reached.get(other).is_some_and(|of| of.contains(*file));
            reached_by.iter().filter(is_back).cloned().collect()
        };
        let circles: BTreeSet<Vec<String>> =
            reached.iter().map(circle).filter(|circle| circle.len() > 1).collect();
        circles.into_iter().collect()
    }
}

/// Paths after `use`, with braces expanded, and paths of `crate::`, `super::` and `self::` anywhere
/// in the code; if requested, only those of `pub use`.
fn used_paths(code: &str, only_exports: bool) -> Vec<String> {
    let mut paths = vec![];
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].trim_end_matches(' ');
        let is_start = before.is_empty() || before.ends_with(['\n', ';', '{', '}', ')']);
        let is_export = before.ends_with("pub") || before.ends_with(')');
        let counts = if only_exports { is_export } else { is_start || is_export };
        if !counts {
            continue;
        }
        let tree = code[at + 4..].split(';').next().unwrap();
        open_braces("", tree, &mut paths);
    }
    if !only_exports {
        for prefix in ["crate::", "super::", "self::"] {
            for (at, _) in code.match_indices(prefix) {
                let is_part = |c: &char| c.is_alphanumeric() || *c == '_' || *c == ':';
                if code[..at].chars().next_back().is_none_or(|c| !is_part(&c)) {
                    let path: String = code[at..].chars().take_while(is_part).collect();
                    paths.push(path.trim_end_matches(':').to_owned());
                }
            }
        }
    }
    paths
}

/// `a::{b, c::{d}}` -> `a::b`, `a::c::d`.
fn open_braces(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap().trim();
        if !name.is_empty() {
            paths.push(format!("{prefix}{name}"));
        }
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                open_braces(&prefix, &inside[start..at], paths);
                start = at + 1;
            }
            _ => {}
        }
    }
    open_braces(&prefix, &inside[start..], paths);
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
