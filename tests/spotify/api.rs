//! Spotify's and ReccoBeats' answers, in their published shapes, made from a playlist that numbers describe.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::From;
use crate::server::{Reply, Request, Server};

pub const PLAYLIST: &str = "3cEYpjA9oz9GiPac4AsH4n";
pub const SECRET: &str = "hush-this-is-the-secret-of-the-app";
/// What every request must bear.
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

/// A playlist of `n` places: place `i` is track `i`, apart from those that `kind` names.
pub struct World {
    pub n: usize,
    pub title: &'static str,
    /// Artists with songs are so many.
    pub n_artists: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Track,
    /// Of the track three places before.
    Again,
    Local,
    Episode,
    NullTrack,
    NullRow,
    NoArtist,
}

impl World {
    pub fn of(n: usize) -> Self {
        Self { n, title: "Mixed \"bag\"", n_artists: 203 }
    }

    fn kind(i: usize) -> Kind {
        match i % 97 {
            13 => Kind::Local,
            14 => Kind::Episode,
            15 => Kind::NullTrack,
            16 => Kind::NullRow,
            20 => Kind::Again,
            30 => Kind::NoArtist,
            _ => Kind::Track,
        }
    }

    fn track_id(i: usize) -> String {
        format!("Track{i:017}")
    }

    fn artist_id(a: usize) -> String {
        format!("Artist{a:016}")
    }

    fn artist_of(&self, i: usize) -> usize {
        i * i % self.n_artists
    }

    /// Nothing of an artist who was deleted.
    fn genres(a: usize) -> Option<Vec<&'static str>> {
        match a % 40 {
            7 => None,
            8 => Some(vec![]),
            _ => Some(
                [vec!["dance pop", "pop"], vec!["album rock"], vec!["children's music", "r&b"]]
                    [a % 3]
                    .clone(),
            ),
        }
    }

    /// Danceability of a track, in hundredths.
    fn hundredths(i: usize) -> usize {
        i * 7 % 101
    }

    fn has_features(i: usize) -> bool {
        i % 61 != 7
    }

    fn key(i: usize) -> i64 {
        if i % 67 == 11 { -1 } else { (i % 12) as i64 }
    }

    /// The table and what is kept out, worked out from the numbers alone.
    pub fn expected(&self, from: From) -> (String, String) {
        let mut table = "artist_name,id,track_name,album_name,danceability,energy,key,loudness,mode,speechiness,\
            acousticness,instrumentalness,liveness,valence,tempo,time_signature,artist_pop,genres,track_pop,\
            genres_list\n"
            .to_owned();
        let mut out = "place,id,name,reason\n".to_owned();
        for i in 0..self.n {
            let kind = Self::kind(i);
            let (id, name) = match kind {
                Kind::Track | Kind::NoArtist => (Self::track_id(i), format!("song {i}")),
                Kind::Again => (Self::track_id(i - 3), format!("song {}", i - 3)),
                Kind::Local => (String::new(), format!("file {i}")),
                Kind::Episode => (String::new(), format!("talk {i}")),
                Kind::NullTrack | Kind::NullRow => (String::new(), String::new()),
            };
            let a = self.artist_of(i);
            let genres = Self::genres(a);
            let reason = match kind {
                Kind::Again => Some("is a repetition of a track before"),
                Kind::Local => Some("is a local file"),
                Kind::Episode => Some("is an episode of a podcast"),
                Kind::NullTrack | Kind::NullRow => Some("is no longer at Spotify"),
                Kind::NoArtist => Some("has no artist with an id"),
                Kind::Track if genres.is_none() => Some("has a first artist that was deleted"),
                Kind::Track if genres == Some(vec![]) => Some("has a first artist without a genre"),
                Kind::Track if !Self::has_features(i) => Some("has no audio features"),
                Kind::Track if Self::key(i) < 0 => Some("has no key that was detected"),
                Kind::Track => None,
            };
            if let Some(reason) = reason {
                let quoted =
                    |text: &str| if text.is_empty() { "\"\"".to_owned() } else { text.to_owned() };
                out += &format!("{},{},{},{reason}\n", i + 1, quoted(&id), quoted(&name));
                continue;
            }
            let d = Self::hundredths(i) as f64 / 100.0;
            let shift = if from == From::Spotify { 0.0 } else { 0.001 };
            let genres: Vec<String> =
                genres.unwrap().iter().map(|genre| genre.replace(' ', "_")).collect();
            let list: Vec<String> = genres
                .iter()
                .map(|genre| {
                    if genre.contains('\'') {
                        format!("\"\"{genre}\"\"")
                    } else {
                        format!("'{genre}'")
                    }
                })
                .collect();
            let list = format!("\"[{}]\"", list.join(", "));
            let list = if genres.len() > 1 { list } else { list.replace('"', "") };
            table += &format!(
                "\"Artist, the {a}\",{id},{name},album {},{:?},0.5,{},-7.125,{},0.03,0.0,1e-6,0.11,0.75,{:?},{},{a},{},{},{list}\n",
                i / 10,
                d + shift,
                Self::key(i),
                i % 2,
                100.0 + i as f64 / 8.0,
                if from == From::Spotify { "4" } else { "" },
                genres.join(" "),
                i % 100,
            );
        }
        (table, out)
    }

    fn row(&self, i: usize) -> Value {
        // Half of the rows in the shape of before February 2026.
        let name = if i.is_multiple_of(2) { "item" } else { "track" };
        let row = |is_local: bool, item: Value| json!({"added_at": "2026-01-02T03:04:05Z", "is_local": is_local, name: item});
        match Self::kind(i) {
            Kind::Track => row(false, self.track(i)),
            Kind::Again => row(false, self.track(i - 3)),
            Kind::Local => row(
                true,
                json!({"type": "track", "id": null, "name": format!("file {i}"), "is_local": true, "artists": [{"name": "", "id": null}]}),
            ),
            Kind::Episode => row(
                false,
                json!({"type": "episode", "id": format!("Episode{i:015}"), "name": format!("talk {i}"), "show": {"name": "x"}}),
            ),
            Kind::NullTrack => row(false, Value::Null),
            Kind::NullRow => Value::Null,
            Kind::NoArtist => {
                let mut track = self.track(i);
                track["artists"] = json!([]);
                row(false, track)
            }
        }
    }

    fn track(&self, i: usize) -> Value {
        let a = self.artist_of(i);
        json!({
            "type": "track", "id": Self::track_id(i), "name": format!("song {i}"), "popularity": i % 100,
            "album": {"name": format!("album {}", i / 10), "album_type": "album", "images": []},
            "artists": [
                {"id": Self::artist_id(a), "name": format!("Artist, the {a}"), "type": "artist"},
                {"id": Self::artist_id(a + 1), "name": "Guest", "type": "artist"},
            ],
            "duration_ms": 200_000, "explicit": false, "is_local": false, "track_number": 1, "disc_number": 1,
            "uri": format!("spotify:track:{}", Self::track_id(i)),
        })
    }

    fn artist(a: usize) -> Value {
        Self::genres(a).map_or(Value::Null, |genres| {
            json!({"id": Self::artist_id(a), "name": format!("Artist, the {a}"), "genres": genres, "popularity": a, "type": "artist"})
        })
    }

    fn features(i: usize, from: From) -> Value {
        if !Self::has_features(i) {
            return Value::Null;
        }
        let shift = if from == From::Spotify { 0.0 } else { 0.001 };
        let mut features = json!({
            "danceability": Self::hundredths(i) as f64 / 100.0 + shift, "energy": 0.5, "key": Self::key(i),
            "loudness": -7.125, "mode": i % 2, "speechiness": 0.03, "acousticness": 0, "instrumentalness": 0.000_001,
            "liveness": 0.11, "valence": 0.75, "tempo": 100.0 + i as f64 / 8.0,
        });
        let own = match from {
            From::Spotify => {
                json!({"id": Self::track_id(i), "time_signature": 4, "duration_ms": 200_000, "type": "audio_features"})
            }
            From::ReccoBeats => json!({
                "id": format!("8212bab8-5911-48a0-b177-{i:012}"), "isrc": "USUM72104140",
                "href": format!("https://open.spotify.com/track/{}", Self::track_id(i)),
            }),
        };
        features.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        features
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

/// What a request asks for, by the first words of its path.
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

    /// With answers of the test's own, told what is asked and the how-many-th question of its kind it is, from 0.
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
                // Backwards: whoever goes by places has the wrong song.
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
