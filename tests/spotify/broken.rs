//! Failures: too many requests, server errors, interrupted connections, malformed replies.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::*;
use crate::common::server::{Reply, Request};
use api::{json_reply, refusal};

/// A complete valid reply to `what`.
fn good(what: &'static str) -> Value {
    let api = Api::new(small());
    let user = User::new();
    let from = if what == "reccobeats" { From::ReccoBeats } else { From::Spotify };
    user.collect(&api, from).unwrap();
    let request: Request = api.asked().into_iter().find(|asked| api::what(asked) == what).unwrap();
    let agent = ureq::AgentBuilder::new().build();
    let mut ask = agent.get(&format!("{}{}", api.url(), request.target));
    if let Some(header) = request.header("authorization") {
        ask = ask.set("authorization", header);
    }
    serde_json::from_str(&ask.call().unwrap().into_string().unwrap()).unwrap()
}

#[test]
fn retry_after_is_waited_for_with_something_on_top() {
    for what in ["token", "playlist", "items", "artists", "features", "reccobeats"] {
        let api = Api::with(small(), move |asked, nth, _| {
            (asked == what && nth < 2)
                .then(|| refusal(429, "API rate limit exceeded").with("Retry-After", 7))
        });
        let user = User::new();
        let from = if what == "reccobeats" { From::ReccoBeats } else { From::Spotify };
        user.expect(&api, from);
        let slept_s = *user.clock.slept_s.borrow();
        assert!((14.0..14.0 + 2.0 * 1.7).contains(&slept_s), "{what}: {slept_s}");
        assert_ne!(slept_s, 14.0, "{what}: no jitter");
        let waits = user
            .told
            .borrow()
            .iter()
            .filter(|told| matches!(told, ProgressEvent::Waiting { .. }))
            .count();
        assert_eq!(waits, 2);
    }
}

#[test]
fn a_wait_above_the_cap_is_kept_in_mind_and_nothing_is_asked_before_its_end() {
    let api = Api::with(small(), |asked, nth, _| {
        (asked == "items" && nth == 3).then(|| refusal(429, "").with("Retry-After", 3600))
    });
    let user = User::new();
    let begin_s = user.clock.now_s();
    let error = user.collect(&api, From::Spotify).unwrap_err();
    let until = begin_s + 3600;
    assert!(matches!(&error, SpotifyError::Later { until_s, .. } if *until_s == until), "{error}");
    let said = error.to_string();
    assert!(
        said.starts_with(
            "GET /playlists/{id}/items: asked to retry at 2026-11-18T12:06:40Z, in 1h (status 429); "
        ),
        "{said}"
    );
    let n = api.asked().len();
    user.clock.pass_s(3599);
    let again = user.collect(&api, From::Spotify).unwrap_err();
    let again = again.to_string();
    assert!(again.contains("asked to retry at 2026-11-18T12:06:40Z, in 1s; "), "{again}");
    assert_eq!(api.asked().len(), n);
    assert_eq!(*user.clock.slept_s.borrow(), 0.0);
    user.clock.pass_s(1);
    user.expect(&api, From::Spotify);
    assert_eq!(api.n_asked("items"), 8 + 1);
}

#[test]
fn a_date_to_come_back_at_is_waited_for() {
    for date in ["Wed, 18 Nov 2026 11:07:40 GMT", "Wednesday, 18-Nov-26 11:07:40 GMT"] {
        let api = Api::with(small(), move |asked, nth, _| {
            (asked == "items" && nth == 0).then(|| refusal(429, "").with("Retry-After", date))
        });
        let user = User::new();
        user.expect(&api, From::Spotify);
        let slept_s = *user.clock.slept_s.borrow();
        assert!((60.0..60.0 + 7.0).contains(&slept_s), "{date}: {slept_s}");
        let told = user.told.borrow();
        let why = told.iter().find_map(|told| match told {
            ProgressEvent::Waiting { why, .. } => Some(why.clone()),
            _ => None,
        });
        assert_eq!(why.as_deref(), Some("GET /playlists/{id}/items: status 429"));
    }
}

#[test]
fn a_service_that_always_wants_a_little_more_time_is_left_for_later() {
    let api = Api::with(small(), |what, _, _| {
        (what == "features").then(|| refusal(429, "").with("Retry-After", 2))
    });
    let error = User::new().collect(&api, From::Spotify).unwrap_err();
    assert!(matches!(error, SpotifyError::Later { .. }), "{error}");
    assert_eq!(api.n_asked("features"), 6);
}

#[test]
fn a_wish_beyond_all_years_is_a_date_too() {
    let api = Api::with(small(), |what, _, _| {
        (what == "items").then(|| refusal(429, "").with("Retry-After", u64::MAX))
    });
    let said = User::new().collect(&api, From::Spotify).unwrap_err().to_string();
    assert!(said.contains("asked to retry at 9999-12-31"), "{said}");
}

#[test]
fn stumbles_are_tried_again_with_pauses_that_grow() {
    let stumbles: [fn(&Value) -> Reply; 6] = [
        |_| refusal(500, "Server error"),
        |_| Reply::new(503, "upstream connect error"),
        |_| refusal(429, "no header"),
        // The connection ends in the middle of the body.
        |whole| json_reply(200, whole).cut_after(whole.to_string().len() / 2),
        // The length is right, but the JSON is incomplete.
        |whole| Reply::new(200, &whole.to_string().as_bytes()[..whole.to_string().len() / 2]),
        |_| Reply::new(200, "<html>Bad gateway"),
    ];
    for what in ["playlist", "items", "artists", "features", "reccobeats"] {
        let whole = good(what);
        let api = Api::with(small(), move |asked, nth, _| {
            (asked == what && nth % 2 == 0 && nth / 2 < stumbles.len())
                .then(|| stumbles[nth / 2](&whole))
        });
        let user = User::new();
        let from = if what == "reccobeats" { From::ReccoBeats } else { From::Spotify };
        user.expect(&api, from);
    }
    // Five in a row: 1 + 2 + 4 + 8 + 16 seconds, plus the random part.
    let whole = good("items");
    let api = Api::with(small(), move |asked, nth, _| {
        (asked == "items" && nth < 5).then(|| stumbles[nth + 1](&whole))
    });
    let user = User::new();
    user.expect(&api, From::Spotify);
    let slept_s = *user.clock.slept_s.borrow();
    assert!((31.0..31.0 + 5.0 + 3.1).contains(&slept_s), "{slept_s}");
}

#[test]
fn a_token_that_is_cut_or_refused_for_a_while_is_asked_for_again() {
    let api = Api::with(small(), |what, nth, _| {
        let whole = json!({"access_token": "hush-this-is-token-0", "expires_in": 3600});
        (what == "token").then(|| match nth {
            0 => refusal(500, ""),
            1 => Reply::new(200, "{\"access_token\": \"hush-this-is-tok"),
            2 => json_reply(200, &whole).cut_after(20),
            _ => json_reply(200, &whole),
        })
    });
    User::new().expect(&api, From::Spotify);
}

#[test]
fn a_server_that_stays_broken_is_given_up_with_what_it_said() {
    for (reply, words) in [
        (refusal(500, "Server error"), "status 500 Server error"),
        (Reply::new(200, "{\"items\": ["), "incomplete JSON: EOF while parsing"),
        (Reply::new(200, "x".repeat(100)).cut_after(0), ""),
    ] {
        let api = Api::with(small(), move |what, nth, _| {
            (what == "items" && nth >= 2).then(|| reply.clone())
        });
        let user = User::new();
        let error = user.collect(&api, From::Spotify).unwrap_err();
        assert!(matches!(error, SpotifyError::Unreachable { n_attempts: 6, .. }), "{error}");
        let said = error.to_string();
        assert!(
            said.starts_with("GET /playlists/{id}/items: no answer after 6 attempts: "),
            "{said}"
        );
        assert!(said.contains(words) && said.contains("all responses are saved"), "{said}");
        assert_eq!(api.n_asked("items"), 2 + 6);
        // After the server has recovered, the collection resumes with the third page.
        let well = Api::new(small());
        user.expect(&well, From::Spotify);
        assert_eq!(well.n_asked("items"), 8 - 2);
    }
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again() {
    // The timeout is a third of a second for ReccoBeats here; ten seconds for Spotify, which
    // rspotify fixes.
    for (late, seconds) in [("reccobeats", 2), ("items", 12)] {
        let api = Api::with(small(), move |what, nth, _| {
            let reply = || Reply::new(200, "{}").late(Duration::from_secs(seconds));
            (what == late && nth == 0).then(reply)
        });
        let user = User::new();
        user.expect(&api, if late == "items" { From::Spotify } else { From::ReccoBeats });
        let told = user.told.borrow();
        let is_it = |told: &&ProgressEvent| matches!(told, ProgressEvent::Waiting { why, .. } if why.contains("timed out"));
        assert_eq!(told.iter().filter(is_it).count(), 1, "{told:?}");
    }
}

#[test]
fn nobody_at_the_address_is_said_with_the_last_reason() {
    let gone = {
        let api = Api::new(small());
        api.url()
    };
    let user = User::new();
    let said = user.with_patience(|patience| {
        let addresses = Addresses { api: format!("{gone}/v1"), accounts: gone.clone() };
        let spotify =
            Spotify::new(&credentials(user.folder.path()), None, &addresses, patience).unwrap();
        let mut journal = Journal::open(&user.journal(), PLAYLIST, 0).unwrap();
        collect(PLAYLIST, &mut journal, &spotify, &SpotifyFeatures(&spotify), false)
            .unwrap_err()
            .to_string()
    });
    assert!(
        said.starts_with("POST accounts.spotify.com/api/token: no answer after 6 attempts: "),
        "{said}"
    );
}

#[test]
fn a_token_that_runs_out_is_renewed_once_and_the_same_question_asked_again() {
    for when in ["items", "artists", "features"] {
        let expired = AtomicBool::new(false);
        let api = Api::with(small(), move |what, _, _| {
            let is_now = what == when && !expired.swap(true, Ordering::SeqCst);
            is_now.then(|| refusal(401, "The access token expired"))
        });
        let user = User::new();
        user.expect(&api, From::Spotify);
        assert_eq!(api.n_asked("token"), 2, "{when}");
    }
    let api = Api::with(small(), |what, nth, _| {
        (what == "items" && nth > 0).then(|| refusal(401, "The access token expired"))
    });
    let said = User::new().collect(&api, From::Spotify).unwrap_err().to_string();
    assert_eq!(
        said,
        "GET /playlists/{id}/items: refused with status 401 although the token is new"
    );
    assert_eq!((api.n_asked("token"), api.n_asked("items")), (2, 3));
}

#[test]
fn every_wrong_type_is_named_with_endpoint_field_and_what_was_got() {
    let cases: [(&str, &str, Value, &str); 17] = [
        (
            "playlist",
            "/snapshot_id",
            json!(5),
            "GET /playlists/{id}: snapshot_id must be a text, found 5",
        ),
        ("playlist", "/name", Value::Null, "GET /playlists/{id}: name must be a text, found null"),
        ("items", "/items", json!({}), "GET /playlists/{id}/items: items must be a list, found {}"),
        (
            "items",
            "/items",
            json!([]),
            "items must be a list that is not empty while there is a next page, found []",
        ),
        ("items", "/total", json!("400"), "total must be a whole number from 0, found \"400\""),
        ("items", "/items/0", json!(1), "items[0] must be an object, found 1"),
        (
            "items",
            "/items/0/item/id",
            json!("a/b"),
            "items[0].id must be an id of letters and digits",
        ),
        ("items", "/items/0/item/name", json!([]), "name must be a text, found []"),
        (
            "items",
            "/items/0/item/type",
            json!("video"),
            "type must be \"track\" or \"episode\", found \"video\"",
        ),
        ("items", "/items/0/item/artists", json!("x"), "artists must be a list, found \"x\""),
        (
            "items",
            "/items/0/item/popularity",
            json!(-1),
            "popularity must be a whole number from 0, found -1",
        ),
        (
            "artists",
            "/artists/0/genres",
            json!("pop"),
            "GET /artists: artists[0].genres must be a list, found \"pop\"",
        ),
        (
            "artists",
            "/artists/0/genres/0",
            json!(7),
            "artists[0].genres[0] must be a text, found 7",
        ),
        (
            "features",
            "/audio_features/0/tempo",
            json!("fast"),
            "tempo must be a number, found \"fast\"",
        ),
        (
            "features",
            "/audio_features/0/key",
            json!(12),
            "key must be a whole number from -1 to 11, found 12",
        ),
        (
            "features",
            "/audio_features/0/mode",
            json!(0.5),
            "mode must be a whole number from 0 to 1, found 0.5",
        ),
        (
            "reccobeats",
            "/content/0/href",
            json!("https://x/y"),
            "href must be the address of a track at Spotify",
        ),
    ];
    for (what, field, wrong, words) in cases {
        let mut body = good(what);
        *body.pointer_mut(field).unwrap_or_else(|| panic!("{what} has no {field}")) = wrong;
        let api =
            Api::with(small(), move |asked, _, _| (asked == what).then(|| json_reply(200, &body)));
        let from = if what == "reccobeats" { From::ReccoBeats } else { From::Spotify };
        let error = User::new().collect(&api, from).unwrap_err();
        assert!(matches!(error, SpotifyError::Answer { .. }), "{what} {field}: {error}");
        let said = error.to_string().replace("items[0].item.", "items[0].");
        assert!(said.contains(words), "{what} {field}: {said}");
        assert_eq!(api.n_asked(what), 1, "{what} {field} was asked again");
    }
}

#[test]
fn a_null_in_the_midst_of_features_is_no_features() {
    let mut body = good("features");
    body["audio_features"][0]["tempo"] = Value::Null;
    let id = body["audio_features"][0]["id"].as_str().unwrap().to_owned();
    let api = Api::with(small(), move |what, nth, _| {
        (what == "features" && nth == 0).then(|| json_reply(200, &body))
    });
    let collected = User::new().collect(&api, From::Spotify).unwrap();
    let out = collected.dropped.iter().find(|out| out.id == id).unwrap();
    assert_eq!(out.reason, "has no audio features");
}
