//! Collections that continue an interrupted one.

use std::fs;

use super::*;
use api::refusal;

/// Returns the journal of a finished collection.
fn done() -> (User, Vec<u8>) {
    let user = User::new();
    user.expect(&Api::new(small()), From::Spotify);
    let journal = fs::read(user.journal()).unwrap();
    (user, journal)
}

#[test]
fn a_journal_that_ends_anywhere_ends_in_the_same_table() {
    let (user, whole) = done();
    let api = Api::new(small());
    let ends: Vec<usize> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    assert!(ends.len() > 14, "{}", ends.len());
    for end in ends {
        // Cuts after a line, in the middle of the next one, and one byte before its end.
        for cut in [end, end + 7, (end + 300).min(whole.len()), end - 1] {
            fs::write(user.journal(), &whole[..cut.min(whole.len())]).unwrap();
            user.expect(&api, From::Spotify);
            assert_eq!(fs::read(user.journal()).unwrap(), whole, "cut at {cut}");
        }
    }
}

#[test]
fn what_the_journal_has_is_not_asked_again() {
    let (user, whole) = done();
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let (n_pages, n_features) = (8, lines.len() - 2 - 8 - 1 - 2);
    for (n_lines, items, artists, features) in [
        (2 + 3, n_pages - 3, 2, n_features),
        (2 + n_pages, 0, 2, n_features),
        (2 + n_pages + 1 + 1, 0, 1, n_features),
        (lines.len() - 1, 0, 0, 1),
        (lines.len(), 0, 0, 0),
    ] {
        fs::write(user.journal(), lines[..n_lines].concat()).unwrap();
        let api = Api::new(small());
        user.expect(&api, From::Spotify);
        let asked = (api.n_asked("items"), api.n_asked("artists"), api.n_asked("features"));
        assert_eq!(asked, (items, artists, features), "after {n_lines} lines");
    }
}

#[test]
fn a_playlist_that_changed_half_way_is_said_with_what_to_do() {
    let (user, whole) = done();
    let api = Api::new(small());
    *api.snapshot.lock().unwrap() = "AAAAsnapshot2".to_owned();
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    fs::write(user.journal(), lines[..5].concat()).unwrap();
    let error = user.collect(&api, From::Spotify).unwrap_err();
    assert!(matches!(error, SpotifyError::Changed(_)));
    let said = error.to_string();
    assert!(said.contains("(version AAAAsnapshot1, now AAAAsnapshot2)"), "{said}");
    assert!(said.contains(&format!("hint: remove {}", user.journal().display())), "{said}");
    assert_eq!(api.n_asked("items"), 0);
}

#[test]
fn a_playlist_that_changed_after_its_items_were_got_is_noted() {
    let (user, _) = done();
    let api = Api::new(small());
    *api.snapshot.lock().unwrap() = "AAAAsnapshot2".to_owned();
    user.expect(&api, From::Spotify);
    assert!(user.notes().contains("the table has the old version"), "{}", user.notes());
}

#[test]
fn a_playlist_that_changes_between_two_pages_is_noticed_at_the_end_of_them() {
    let api = Api::with(small(), |what, nth, _| {
        let body = serde_json::json!({"name": "x", "snapshot_id": format!("v{nth}")});
        (what == "playlist").then(|| api::json_reply(200, &body))
    });
    let user = User::new();
    let said = user.collect(&api, From::Spotify).unwrap_err().to_string();
    assert!(said.contains("(version v0, now v1)"), "{said}");
    // The next start says it again and asks for no more pages.
    let said = user.collect(&api, From::Spotify).unwrap_err().to_string();
    assert!(said.contains("(version v0, now v2)"), "{said}");
    assert_eq!(api.n_asked("items"), 8);
}

#[test]
fn journals_that_can_t_be_gone_on_with_are_said_to_be_so() {
    let (user, whole) = done();
    let open =
        |playlist: &str| Journal::open(&user.journal(), playlist, 0).unwrap_err().to_string();
    let other = open("1111111111111111111111");
    assert!(
        other.contains(
            "belongs to the playlist 3cEYpjA9oz9GiPac4AsH4n, not to 1111111111111111111111"
        ),
        "{other}"
    );
    let text = String::from_utf8(whole).unwrap();
    fs::write(user.journal(), text.replacen("\"got\":\"page\"", "\"got\":\"pag\"", 1)).unwrap();
    let damaged = open(PLAYLIST);
    assert!(damaged.contains("line 3 is damaged (unknown variant `pag`"), "{damaged}");
    assert!(damaged.contains("remove the file to start again"), "{damaged}");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(user.journal(), [&lines[..3], &lines[4..]].concat().concat()).unwrap();
    assert!(open(PLAYLIST).contains("line 4 does not continue the page before"));
    fs::write(user.journal(), text.replacen("\"format\":1", "\"format\":9", 1)).unwrap();
    assert!(open(PLAYLIST).contains("has format 9, expected 1"));
    fs::write(user.journal(), "name,age\n").unwrap();
    assert!(open(PLAYLIST).contains("is not a journal of a collection"));
    fs::write(user.journal(), &text).unwrap();
    let _held = Journal::open(&user.journal(), PLAYLIST, 0).unwrap();
    assert!(open(PLAYLIST).contains("is in use by another encore"));
}

#[test]
fn a_stop_is_heard_between_two_questions_and_while_waiting() {
    let api = Api::with(small(), |what, _, _| {
        (what == "items").then(|| refusal(429, "").with("Retry-After", 30))
    });
    let user = User::new();
    user.stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = user.collect(&api, From::Spotify).unwrap_err();
    assert!(matches!(error, SpotifyError::Stopped), "{error}");
    assert_eq!(api.asked().len(), 0);
}

#[test]
fn another_dataset_s_name_is_not_taken() {
    let user = User::new();
    fs::write(user.path("x.toml"), "title = \"mine\"\n").unwrap();
    let new = |out: &str| {
        Output::new(&user.path(out), user.folder.path(), PLAYLIST).unwrap_err().to_string()
    };
    assert!(new("x.parquet").contains("is another dataset's manifest; choose another name"));
    assert!(new("y.txt").contains("must end with .parquet or .csv"));
    assert!(new("a b.csv").contains("use letters, digits, - and _"));
    assert!(new("no/y.csv").contains("a folder that does not exist"));
}
