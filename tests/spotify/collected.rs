//! Collections without failures: the result, and the small number of requests.

use super::*;

#[test]
fn ten_thousand_places_are_the_expected_table_with_the_fewest_questions() {
    let api = Api::new(Arc::new(api::World::of(10_000)));
    let user = User::new();
    user.expect(&api, From::Spotify);
    let asked = |what| api.n_asked(what);
    assert_eq!((asked("token"), asked("playlist"), asked("items")), (1, 2, 200));
    // Squares modulo 203 are 60 artists (15 modulo 29 times 4 modulo 7).
    assert_eq!((asked("artists"), asked("artist")), (2, 0));
    assert_eq!(asked("track features"), 0);
    let labeled = user.collect(&api, From::Spotify).unwrap();
    let without = ["has no audio features", "has no detected key"];
    let n_out = labeled.dropped.iter().filter(|out| without.contains(&out.reason)).count();
    assert_eq!(asked("features"), (labeled.songs.len() + n_out).div_ceil(100));
    // The second collection only asks for the token and the playlist's version.
    assert_eq!((asked("token"), asked("playlist"), asked("items")), (2, 3, 200));
}

#[test]
fn every_kind_of_place_is_dropped_for_its_own_reason_and_named() {
    let api = Api::new(small());
    let user = User::new();
    let collected = user.collect(&api, From::Spotify).unwrap();
    let (table, dropped) = user.files(&collected);
    assert_eq!(table.lines().count(), 1 + collected.songs.len());
    for line in [
        "14,\"\",file 13,is a local file",
        "15,\"\",talk 14,is an episode of a podcast",
        "16,\"\",\"\",was removed from Spotify",
        "17,\"\",\"\",was removed from Spotify",
        "21,Track00000000000000017,song 17,is a duplicate of an earlier track",
        "31,Track00000000000000030,song 30,has no artist with an id",
        "8,Track00000000000000007,song 7,has no audio features",
        "12,Track00000000000000011,song 11,has no detected key",
    ] {
        assert!(dropped.lines().any(|has| has == line), "{line} is not in\n{dropped}");
    }
    for reason in ["has a first artist that was deleted", "has a first artist without a genre"] {
        assert!(dropped.contains(reason), "{reason} is not in\n{dropped}");
    }
    assert_eq!(collected.songs.len() + collected.dropped.len(), 400);
    let manifest = std::fs::read_to_string(user.path("datasets/x.toml")).unwrap();
    for part in [
        "# Written by `encore spotify collect 3cEYpjA9oz9GiPac4AsH4n`.\n",
        "# dropped: 4 places: is a local file\n",
        "title = \"Spotify playlist Mixed \\\"bag\\\"\"\n",
        "version AAAAsnapshot1, collection begun 2026-11-18T",
    ] {
        assert!(manifest.contains(part), "{part} is not in\n{manifest}");
    }
}

#[test]
fn reccobeats_answers_forty_at_a_time_and_without_what_it_does_not_know() {
    let api = Api::new(small());
    let user = User::new();
    user.expect(&api, From::ReccoBeats);
    // With Spotify's token, these requests would count as Spotify's.
    assert_eq!((api.n_asked("features"), api.n_asked("track features")), (0, 0));
}

#[test]
fn a_count_of_spotify_s_that_does_not_fit_is_said() {
    let api = Api::with(small(), |what, nth, request| {
        let page = |rows| serde_json::json!({"items": rows, "total": 3, "next": null, "offset": 0});
        assert!(what != "items" || nth == 0, "{}", request.target);
        (what == "items").then(|| api::json_reply(200, &page(vec![serde_json::Value::Null; 2])))
    });
    let collected = User::new().collect(&api, From::Spotify).unwrap();
    assert_eq!((collected.n_places, collected.n_told, collected.dropped.len()), (2, 3, 2));
}

#[test]
fn an_empty_playlist_is_said_to_be_empty() {
    let api = Api::new(Arc::new(api::World::of(0)));
    let user = User::new();
    let collected = user.collect(&api, From::Spotify).unwrap();
    let output = Output::new(&user.path("x.csv"), user.folder.path(), PLAYLIST).unwrap();
    let said = output.write(&collected, None).unwrap_err().to_string();
    assert_eq!(said, "the playlist is empty");
}

#[test]
fn labels_are_the_report_s_where_the_playlist_is_large_enough() {
    let api = Api::new(Arc::new(api::World::of(3_000)));
    let user = User::new();
    let collected = user.collect(&api, From::Spotify).unwrap();
    let output = Output::new(&user.path("x.csv"), user.folder.path(), PLAYLIST).unwrap();
    assert_eq!(output.write(&collected, None).unwrap().minimum_rows, 500);
    let said = output.write(&collected, Some(5_000)).unwrap_err().to_string();
    assert!(said.contains("no two genres come first in at least 5000 of them"), "{said}");
}
