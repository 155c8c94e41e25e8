//! Closed endpoints: asked once, remembered, explained, replaced.

use super::*;
use api::refusal;

#[test]
fn where_batches_are_gone_artists_and_features_are_got_one_by_one() {
    for status in [403, 404] {
        let api = Api::with(small(), move |what, _, _| {
            ["artists", "features"].contains(&what).then(|| refusal(status, "Forbidden"))
        });
        let user = User::new();
        user.expect(&api, From::Spotify);
        assert_eq!((api.n_asked("artists"), api.n_asked("features")), (1, 1));
        assert!(api.n_asked("artist") > 30 && api.n_asked("track features") > 200);
        // The answers are remembered: the journal alone gives the table again.
        let n = api.n_asked("artist") + api.n_asked("track features");
        user.expect(&api, From::Spotify);
        assert_eq!((api.n_asked("artists"), api.n_asked("features")), (1, 1));
        assert_eq!(api.n_asked("artist") + api.n_asked("track features"), n);
    }
}

#[test]
fn features_that_spotify_refuses_are_explained_and_had_elsewhere_without_asking_the_rest_again() {
    let api = Api::with(small(), |what, _, _| {
        what.contains("features").then(|| refusal(403, "Forbidden"))
    });
    let user = User::new();
    for _ in 0..2 {
        let said = user.collect(&api, From::Spotify).unwrap_err().to_string();
        for part in [
            "GET /audio-features/{id} is closed to the app (status 403 \"Forbidden\", 2026-11-18T",
            "only to apps that had them before 27 November 2024",
            "`--source reccobeats`",
            "try again with --ask-again",
        ] {
            assert!(said.contains(part), "{part} is not in {said}");
        }
        assert_eq!((api.n_asked("features"), api.n_asked("track features")), (1, 1));
    }
    let n_before = (api.n_asked("items"), api.n_asked("artists"));
    user.expect(&api, From::ReccoBeats);
    assert_eq!((api.n_asked("items"), api.n_asked("artists")), n_before);
}

#[test]
fn items_of_somebody_else_s_playlist_are_explained_and_asked_again_only_on_demand() {
    let api = Api::with(small(), |what, nth, _| {
        (what == "items" && nth == 0).then(|| refusal(403, "Forbidden"))
    });
    let mut user = User::new();
    for _ in 0..2 {
        let error = user.collect(&api, From::Spotify).unwrap_err();
        assert!(matches!(error, SpotifyError::Closed(_)));
        let said = error.to_string();
        assert!(said.contains("only to its owner and collaborators"), "{said}");
        assert!(said.contains("`encore spotify login`; or copy the songs"), "{said}");
        assert_eq!(api.n_asked("items"), 1);
    }
    user.ask_again = true;
    user.expect(&api, From::Spotify);
    // An open endpoint is remembered too.
    user.ask_again = false;
    let journal = std::fs::read_to_string(user.journal()).unwrap();
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    std::fs::write(user.journal(), lines[..6].concat()).unwrap();
    user.expect(&api, From::Spotify);
}

#[test]
fn what_is_closed_to_the_app_may_be_open_to_the_user() {
    let api = Api::with(small(), |what, nth, _| {
        (what == "items" && nth == 0).then(|| refusal(403, "Forbidden"))
    });
    let user = User::new();
    user.collect(&api, From::Spotify).unwrap_err();
    login::sign_in(&user, &api);
    user.expect(&api, From::Spotify);
}

#[test]
fn a_playlist_that_is_not_there_is_said_so() {
    let api = Api::with(small(), |what, _, _| {
        (what == "playlist").then(|| refusal(404, "Resource not found"))
    });
    let said = User::new().collect(&api, From::Spotify).unwrap_err().to_string();
    assert!(
        said.contains("there is no playlist 3cEYpjA9oz9GiPac4AsH4n, or none for the app"),
        "{said}"
    );
}

#[test]
fn reccobeats_may_be_closed_too() {
    let api = Api::with(small(), |what, _, _| {
        (what == "reccobeats").then(|| api::json_reply(403, &serde_json::json!({"error": "no"})))
    });
    let said = User::new().collect(&api, From::ReccoBeats).unwrap_err().to_string();
    assert!(said.contains("closed to anybody (status 403 \"no\""), "{said}");
}

#[test]
fn a_secret_that_is_not_accepted_is_wrong_usage() {
    let api = Api::with(small(), |what, _, _| {
        let body = serde_json::json!({"error": "invalid_client", "error_description": "Invalid client secret"});
        (what == "token").then(|| api::json_reply(400, &body))
    });
    let error = User::new().collect(&api, From::Spotify).unwrap_err();
    assert!(matches!(error, SpotifyError::Usage(_)));
    assert!(
        error.to_string().contains("status 400 Invalid client secret\nhint: The client id"),
        "{error}"
    );
    assert_eq!(api.asked().len(), 1);
}
