//! Replies of Spotify and ReccoBeats in their published form, generated from a playlist.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Reply, Request, Server};
use super::world::From;
pub use super::world::World;

pub const PLAYLIST: &str = "3cEYpjA9oz9GiPac4AsH4n";
pub const SECRET: &str = "hush-this-is-the-secret-of-the-app";
/// The authorization of every request.
pub const TOKEN: &str = "hush-this-is-token-0";
pub const CREDENTIALS: &str = "RSPOTIFY_CLIENT_ID=the-id-of-the-app\n\
    RSPOTIFY_CLIENT_SECRET=hush-this-is-the-secret-of-the-app\n";

pub fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn number(id: &str, prefix: &str) -> usize {
    id.strip_prefix(prefix).unwrap().parse().unwrap()
}

pub fn refusal(status: u16, message: &str) -> Reply {
    json_reply(status, &json!({"error": {"status": status, "message": message}}))
}

pub fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::new(status, body.to_string()).with("Content-Type", "application/json; charset=utf-8")
}

/// The state of a server.
pub struct State {
    pub world: Arc<World>,
    pub snapshot: Mutex<String>,
}

pub struct Api {
    server: Server,
    state: Arc<State>,
}

impl Deref for Api {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

/// Returns the kind of a request, from the first words of its path.
pub fn what(request: &Request) -> &'static str {
    let path = request.path();
    match path {
        "/api/token" => "token",
        "/v1/artists" => "artists",
        "/v1/audio-features" if request.header("authorization").is_some() => "features",
        "/v1/audio-features" => "reccobeats",
        _ if path.ends_with("/items") => "items",
        _ if path.starts_with("/v1/playlists/") => "playlist",
        _ if path.starts_with("/v1/artists/") => "artist",
        _ if path.starts_with("/v1/audio-features/") => "track features",
        _ => "unknown",
    }
}

impl Api {
    pub fn new(world: Arc<World>) -> Self {
        Self::with(world, |_, _, _| None)
    }

    /// Starts a server whose replies the test can replace. The function receives the kind of
    /// request and its number among those of its kind, from 0.
    pub fn with(
        world: Arc<World>,
        own: impl Fn(&'static str, usize, &Request) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::new(State { world, snapshot: Mutex::new("AAAAsnapshot1".to_owned()) });
        let (inside, counts) = (state.clone(), Mutex::new(std::collections::BTreeMap::new()));
        let server = Server::start(move |request| {
            let what = what(request);
            let nth = {
                let mut counts = counts.lock().unwrap();
                let count: &mut usize = counts.entry(what).or_default();
                *count += 1;
                *count - 1
            };
            own(what, nth, request).unwrap_or_else(|| inside.answer(what, request))
        });
        Self { server, state }
    }

    pub fn url(&self) -> String {
        self.server.url()
    }

    pub fn asked(&self) -> Vec<Request> {
        self.server.asked()
    }

    pub fn n_asked(&self, wanted: &str) -> usize {
        self.asked().iter().filter(|request| what(request) == wanted).count()
    }
}

impl State {
    fn answer(&self, what: &str, request: &Request) -> Reply {
        let bearer = format!("Bearer {TOKEN}");
        if what == "token" {
            return new_token(request);
        }
        if what != "reccobeats" && request.header("authorization") != Some(&bearer) {
            return refusal(401, "The access token expired");
        }
        let last = request.path().rsplit('/').next().unwrap();
        let ids = || -> Vec<&str> { request.query("ids").unwrap().split(',').collect() };
        let most = |n: usize| {
            let distinct: BTreeSet<&str> = ids().into_iter().collect();
            assert!(
                distinct.len() == ids().len() && (1..=n).contains(&distinct.len()),
                "{}",
                request.target
            );
        };
        let body = match what {
            "playlist" => {
                json!({"id": PLAYLIST, "name": self.world.title, "snapshot_id": *self.snapshot.lock().unwrap()})
            }
            "items" => self.page(request),
            "artists" => {
                most(50);
                json!({"artists": ids().into_iter().map(|id| World::artist(number(id, "Artist"))).collect::<Vec<_>>()})
            }
            "artist" => match World::artist(number(last, "Artist")) {
                Value::Null => return refusal(404, "Resource not found"),
                artist => artist,
            },
            "features" => {
                most(100);
                let of = |id| World::features(number(id, "Track"), From::Spotify);
                // The order is reversed: a client that relies on it gets the wrong song.
                json!({"audio_features": ids().into_iter().rev().map(of).collect::<Vec<_>>()})
            }
            "track features" => match World::features(number(last, "Track"), From::Spotify) {
                Value::Null => return refusal(404, "analysis not found"),
                features => features,
            },
            "reccobeats" => {
                most(40);
                let of = |id| World::features(number(id, "Track"), From::ReccoBeats);
                let known = ids().into_iter().rev().map(of).filter(|features| !features.is_null());
                json!({"content": known.collect::<Vec<_>>()})
            }
            _ => return refusal(404, "Service not found"),
        };
        json_reply(200, &body)
    }

    fn page(&self, request: &Request) -> Value {
        let of = |name: &str| request.query(name).unwrap().parse::<usize>().unwrap();
        let (limit, offset) = (of("limit"), of("offset"));
        assert!(limit <= 50);
        let end = (offset + limit).min(self.world.n);
        let rows: Vec<Value> = (offset..end).map(|i| self.world.row(i)).collect();
        let next = (end < self.world.n).then(|| {
            format!(
                "https://api.spotify.com/v1/playlists/{PLAYLIST}/items?offset={end}&limit={limit}"
            )
        });
        json!({
            "href": "https://api.spotify.com/v1/playlists/x/items", "limit": limit, "next": next, "offset": offset,
            "previous": null, "total": self.world.n, "items": rows,
        })
    }
}

fn new_token(request: &Request) -> Reply {
    let body = String::from_utf8_lossy(&request.body);
    let is_app = body == "grant_type=client_credentials";
    if is_app
        && request.header("authorization")
            != Some(
                "Basic dGhlLWlkLW9mLXRoZS1hcHA6aHVzaC10aGlzLWlzLXRoZS1zZWNyZXQtb2YtdGhlLWFwcA==",
            )
    {
        return json_reply(
            400,
            &json!({"error": "invalid_client", "error_description": "Invalid client secret"}),
        );
    }
    json_reply(
        200,
        &json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": ""}),
    )
}
