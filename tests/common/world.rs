//! A generated playlist, and the data that Spotify and ReccoBeats have about it.

use serde_json::{Value, json};

/// A service that has audio features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum From {
    Spotify,
    ReccoBeats,
}

/// A playlist of `n` places: place `i` is track `i`, except for those that `kind` lists.
pub struct World {
    pub n: usize,
    pub title: &'static str,
    /// Number of artists with songs.
    pub n_artists: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Track,
    /// The same track as three places before.
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

    /// Returns nothing for an artist who was deleted.
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

    /// Returns the danceability of a track, in hundredths.
    fn hundredths(i: usize) -> usize {
        i * 7 % 101
    }

    fn has_features(i: usize) -> bool {
        i % 61 != 7
    }

    fn key(i: usize) -> i64 {
        if i % 67 == 11 { -1 } else { (i % 12) as i64 }
    }

    /// Computes the table and the list of dropped places independently of the program.
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
                Kind::Again => Some("is a duplicate of an earlier track"),
                Kind::Local => Some("is a local file"),
                Kind::Episode => Some("is an episode of a podcast"),
                Kind::NullTrack | Kind::NullRow => Some("was removed from Spotify"),
                Kind::NoArtist => Some("has no artist with an id"),
                Kind::Track if genres.is_none() => Some("has a first artist that was deleted"),
                Kind::Track if genres == Some(vec![]) => Some("has a first artist without a genre"),
                Kind::Track if !Self::has_features(i) => Some("has no audio features"),
                Kind::Track if Self::key(i) < 0 => Some("has no detected key"),
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

    pub fn row(&self, i: usize) -> Value {
        // Half of the rows have the format from before February 2026.
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

    pub fn artist(a: usize) -> Value {
        Self::genres(a).map_or(Value::Null, |genres| {
            json!({"id": Self::artist_id(a), "name": format!("Artist, the {a}"), "genres": genres, "popularity": a, "type": "artist"})
        })
    }

    pub fn features(i: usize, from: From) -> Value {
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
