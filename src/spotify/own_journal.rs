//! A journal for each process, where locks do not keep other processes from the shared one.
//!
//! Each process works on `JOURNAL.HOST-PID-RANDOM`, which begins with everything that the shared journal and
//! those of ended processes know. When the process ends, its journal becomes the shared one. A killed process
//! leaves its journal to the next process on its host.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::disk::{self, Owner};

/// Lines with the items of a playlist.
const OF_ITEMS: [&str; 2] = ["page", "all_items"];
/// Lines that do not depend on the version of a playlist.
const OF_ANY_VERSION: [&str; 4] = ["artists", "features", "closed", "come_back"];

/// Creates the journal of this process. Returns its path.
pub(super) fn begin(shared: &Path) -> io::Result<PathBuf> {
    let left = left_behind(shared)?;
    let mut journals = vec![fs::read(shared)?];
    for path in &left {
        journals.push(fs::read(path)?);
    }
    let own = named(shared, &disk::unique_name());
    disk::write_whole(&own, &merged(journals))?;
    for path in left {
        fs::remove_file(path)?;
    }
    Ok(own)
}

/// Replaces the shared journal by that of this process and what only the shared one knows.
pub(super) fn end(own: &Path, shared: &Path) -> io::Result<()> {
    let journals = vec![fs::read(shared)?, fs::read(own)?];
    disk::write_whole(shared, &merged(journals))?;
    fs::remove_file(own)
}

/// Journals of processes that have certainly ended.
fn left_behind(shared: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = shared.parent().filter(|folder| !folder.as_os_str().is_empty());
    let prefix = named(shared, "");
    let prefix = prefix.file_name().unwrap_or_default().to_string_lossy();
    let mut left = vec![];
    for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name();
        let unique = name.to_str().and_then(|name| name.strip_prefix(&*prefix));
        if unique.and_then(Owner::of).is_some_and(|owner| owner.is_dead()) {
            left.push(entry.path());
        }
    }
    left.sort();
    Ok(left)
}

fn named(shared: &Path, unique: &str) -> PathBuf {
    let mut name = shared.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{unique}"));
    shared.with_file_name(name)
}

/// One journal out of several of one playlist, the shared one first: the one with the most pages, followed by
/// the responses that do not depend on the playlist's version and that only the others have.
fn merged(mut journals: Vec<Vec<u8>>) -> Vec<u8> {
    for journal in &mut journals {
        // What follows the last line break was torn by a kill.
        let whole = journal.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        journal.truncate(whole);
    }
    let first = |journal: &[u8]| {
        let (_, line) = lines(journal).next()?;
        let is_start = line["got"] == "start";
        is_start.then(|| (line["format"].clone(), line["playlist"].clone()))
    };
    let start = first(&journals[0]);
    // Opening a damaged journal, or one of another playlist, reports it; it is not replaced.
    if start.is_none() && !journals[0].is_empty() {
        return journals.swap_remove(0);
    }
    journals.retain(|journal| {
        let other = first(journal);
        other.is_some() && (start.is_none() || other == start)
    });
    let n_pages = |journal: &Vec<u8>| {
        lines(journal).filter(|(_, line)| OF_ITEMS.iter().any(|got| line["got"] == *got)).count()
    };
    // Of equal ones, the last: it is the one that this process writes.
    let Some(best) = (0..journals.len()).max_by_key(|i| n_pages(&journals[*i])) else {
        return vec![];
    };
    let mut whole = journals.swap_remove(best);
    for journal in journals {
        let known: BTreeSet<Vec<u8>> = lines(&whole).map(|(text, _)| text.to_vec()).collect();
        for (text, line) in lines(&journal) {
            let is_of_any_version = OF_ANY_VERSION.iter().any(|got| line["got"] == *got);
            if is_of_any_version && !known.contains(text) {
                whole.extend(text);
            }
        }
    }
    whole
}

/// The lines of a journal with their content, which is null where a line is damaged.
fn lines(journal: &[u8]) -> impl Iterator<Item = (&[u8], Value)> {
    let texts = journal.split_inclusive(|&byte| byte == b'\n');
    texts.map(|text| (text, serde_json::from_slice(text).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "{\"got\":\"start\",\"format\":1,\"playlist\":\"p\",\"at_s\":1}\n";
    const ALL: &str = "{\"got\":\"all_items\"}\n";

    fn artist(id: &str) -> String {
        format!(
            "{{\"got\":\"artists\",\"artists\":[{{\"id\":\"{id}\",\"is_there\":true,\"genres\":[],\"popularity\":null}}]}}\n"
        )
    }

    fn merged(journals: &[String]) -> String {
        let bytes = journals.iter().map(|text| text.clone().into_bytes()).collect();
        String::from_utf8(super::merged(bytes)).unwrap()
    }

    #[test]
    fn the_most_complete_journal_gets_what_only_the_others_know() {
        let (a, b) = (artist("a"), artist("b"));
        let complete = format!("{START}{ALL}{a}");
        let other = format!("{START}{a}{b}{{\"torn");
        assert_eq!(merged(&[complete.clone(), other.clone()]), format!("{complete}{b}"));
        assert_eq!(merged(&[other, complete.clone()]), format!("{complete}{b}"));
        assert_eq!(merged(&[String::new(), complete.clone()]), complete);
        assert_eq!(merged(&[String::new()]), "");
        let of_another = START.replace("\"p\"", "\"q\"");
        assert_eq!(merged(&[of_another.clone(), complete.clone()]), of_another);
        assert_eq!(merged(&["damaged\n".to_owned(), complete]), "damaged\n");
    }

    #[test]
    fn the_journal_of_a_killed_process_is_continued_by_the_next_one() {
        let home = tempfile::tempdir().unwrap();
        let shared = home.path().join("x.journal.jsonl");
        fs::write(&shared, START).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let ours = disk::unique_name();
        let mut parts = ours.split('-');
        let (host, _, token) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
        let left = named(&shared, &format!("{host}-{dead}-{token}"));
        fs::write(&left, format!("{START}{ALL}")).unwrap();
        let elsewhere = named(&shared, &format!("elsewhere-{dead}-{token}"));
        fs::write(&elsewhere, format!("{START}{}", artist("z"))).unwrap();
        let own = begin(&shared).unwrap();
        assert_eq!(fs::read_to_string(&own).unwrap(), format!("{START}{ALL}"));
        assert!(!left.exists() && elsewhere.exists());
        end(&own, &shared).unwrap();
        assert_eq!(fs::read_to_string(&shared).unwrap(), format!("{START}{ALL}"));
        assert!(!own.exists());
    }
}
