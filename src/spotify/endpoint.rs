//! The endpoints, and the restrictions on them.
//!
//! # Source
//! Spotify for Developers: the Web API's reference, its changes of 27 November 2024 and of February 2026;
//! ReccoBeats' documentation of `GET /v1/audio-features`.

/// One kind of question.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As its documentation calls it.
    pub name: &'static str,
    /// Ids that one request may name.
    pub max_ids: usize,
    /// Why it may be closed, and what to do instead.
    pub if_closed: &'static str,
}

pub(super) static TOKEN: Endpoint = Endpoint {
    name: "POST accounts.spotify.com/api/token",
    max_ids: 1,
    if_closed: "The client id or its secret is not accepted: look at developer.spotify.com/dashboard.",
};

pub(super) static PLAYLIST: Endpoint = Endpoint {
    name: "GET /playlists/{id}",
    max_ids: 1,
    if_closed: "Spotify refuses the app: apps in development mode need an owner with Premium (since February \
                2026), and only users who are entered in the app's dashboard may use them.",
};

pub(super) static ITEMS: Endpoint = Endpoint {
    name: "GET /playlists/{id}/items",
    max_ids: 1,
    if_closed: "Since February 2026 Spotify shows what is in a playlist only to its owner and collaborators, \
                and to apps in extended quota mode. Sign in as one of them with `encore spotify login`; or copy \
                the songs into a playlist of your own (select all, add to playlist) and collect that one.",
};

pub(super) static ARTISTS: Endpoint = Endpoint {
    name: "GET /artists",
    max_ids: 50,
    if_closed: "Since February 2026 batches are closed to apps in development mode.",
};

pub(super) static ARTIST: Endpoint = Endpoint {
    name: "GET /artists/{id}",
    max_ids: 1,
    if_closed: "Without artists there are no genres, which are the labels. Apps in development mode need an \
                owner with Premium (since February 2026); look at developer.spotify.com/dashboard.",
};

pub(super) static AUDIO_FEATURES: Endpoint = Endpoint {
    name: "GET /audio-features",
    max_ids: 100,
    if_closed: "Spotify gives audio features only to apps that had them before 27 November 2024.",
};

pub(super) static TRACK_FEATURES: Endpoint = Endpoint {
    name: "GET /audio-features/{id}",
    max_ids: 1,
    if_closed: "Spotify gives audio features only to apps that had them before 27 November 2024. Run the same \
                command with `--source reccobeats`: an open service with features of the same names, computed \
                by itself, so not the same numbers. All other responses are saved.",
};

pub(super) static RECCOBEATS: Endpoint = Endpoint {
    name: "GET api.reccobeats.com/v1/audio-features",
    max_ids: 40,
    if_closed: "ReccoBeats refuses; it needs no key, so there is nothing to sign in to. Try again another day.",
};
