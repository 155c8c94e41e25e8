//! What people call a playlist -> its id.

use rspotify::model::{Id, PlaylistId};

use super::SpotifyError;

/// Reads an id, a URI (`spotify:playlist:ID`) or a link (`https://open.spotify.com/playlist/ID?si=…`).
///
/// # Errors
/// Where it is none of them, or a link to an album, to Liked Songs, …: what to do.
pub fn parse_playlist(text: &str) -> Result<String, SpotifyError> {
    let wrong = |why: &str| {
        SpotifyError::Usage(format!(
            "{text:?} {why}; a playlist is an id of 22 letters and digits, spotify:playlist:ID or \
             https://open.spotify.com/playlist/ID"
        ))
    };
    let plain = text.trim();
    let plain = plain.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if let Some(advice) = advice(plain) {
        return Err(SpotifyError::Usage(format!("{text:?} {advice}")));
    }
    let id = match plain.split_once("open.spotify.com/") {
        // Links may name a language before the kind, and old ones the owner.
        Some((_, path)) => match path.rsplit_once('/') {
            Some((kind, id)) if kind == "playlist" || kind.ends_with("/playlist") => id,
            _ => return Err(wrong("is not a link to a playlist")),
        },
        None => match plain.strip_prefix("spotify:") {
            Some(uri) => match uri.rsplit_once(':') {
                Some((kind, id)) if kind == "playlist" || kind.ends_with(":playlist") => id,
                _ => return Err(wrong("is not the URI of a playlist")),
            },
            None => plain,
        },
    };
    match PlaylistId::from_id(id) {
        Ok(known) if known.id().len() == 22 => Ok(known.id().to_owned()),
        _ => Err(wrong("is not a playlist")),
    }
}

/// What to do about a link or a URI of something that has songs, but is not a playlist.
fn advice(plain: &str) -> Option<String> {
    let lower = plain.to_lowercase();
    let of_link = lower.split_once("open.spotify.com/").map(|(_, path)| path.replace('/', ":"));
    let parts = of_link.or_else(|| lower.strip_prefix("spotify:").map(str::to_owned));
    let Some(parts) = parts else {
        let is_short = ["spotify.link/", "spoti.fi/", "spotify.app.link/"];
        return is_short.iter().any(|host| lower.contains(host)).then(|| {
            "is a short link\nhint: open it in a browser and copy the address that it leads to"
                .to_owned()
        });
    };
    let parts: Vec<&str> = parts.split(':').collect();
    if parts.contains(&"playlist") {
        return None;
    }
    if parts.contains(&"collection") || parts.contains(&"starred") {
        return Some(
            "is your Liked Songs, which are not a playlist\nhint: in Spotify, create a playlist, select all \
             Liked Songs (Ctrl-A), add them to it, and use the link of this playlist"
                .to_owned(),
        );
    }
    let kinds = [
        ("album", "an album", "add its songs to a playlist"),
        ("track", "a single song", "add it and other songs to a playlist"),
        ("artist", "an artist", "add songs of this artist to a playlist"),
        ("user", "a profile", "open one of its playlists"),
        ("show", "a podcast", "choose a playlist of songs"),
        ("episode", "an episode of a podcast", "choose a playlist of songs"),
        ("audiobook", "an audiobook", "choose a playlist of songs"),
    ];
    let (_, what, advice) = kinds.iter().find(|(kind, ..)| parts.contains(kind))?;
    Some(format!(
        "is {what}, not a playlist\nhint: in Spotify, {advice}, and use the link of this playlist"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_uris_and_links_are_one_playlist() {
        let id = "37i9dQZF1DXcBWIGoYBM5M";
        for text in [
            id.to_owned(),
            format!("spotify:playlist:{id}"),
            format!("spotify:user:someone:playlist:{id}"),
            format!("https://open.spotify.com/playlist/{id}?si=0123"),
            format!("https://open.spotify.com/intl-de/playlist/{id}/"),
        ] {
            assert_eq!(parse_playlist(&text).unwrap(), id, "{text}");
        }
    }

    #[test]
    fn what_is_no_playlist_is_said_with_what_would_be_one() {
        let said = |text: &str| parse_playlist(text).unwrap_err().to_string();
        let id = "37i9dQZF1DXcBWIGoYBM5M";
        for (text, wanted) in [
            (
                format!("spotify:album:{id}"),
                "is an album, not a playlist\nhint: in Spotify, add its songs",
            ),
            (
                format!("https://open.spotify.com/intl-de/album/{id}?si=1"),
                "is an album, not a playlist",
            ),
            (format!("https://open.spotify.com/track/{id}"), "is a single song, not a playlist"),
            (
                "https://open.spotify.com/collection/tracks".to_owned(),
                "is your Liked Songs, which are not",
            ),
            ("spotify:user:someone:collection".to_owned(), "select all Liked Songs (Ctrl-A)"),
            ("spotify:user:someone".to_owned(), "is a profile, not a playlist"),
            ("https://spotify.link/AbC".to_owned(), "is a short link\nhint: open it in a browser"),
            (format!("https://open.spotify.com/genre/{id}"), "is not a link to a playlist"),
            (format!("spotify:radio:{id}"), "is not the URI of a playlist"),
        ] {
            assert!(said(&text).contains(wanted), "{}", said(&text));
        }
        for text in ["", "my playlist", "37i9dQZF1DXcBWIGoYBM5", "37i9dQZF1DX../GoYBM5M"] {
            assert!(said(text).contains("is not a playlist; a playlist is an id of 22"), "{text}");
        }
    }
}
