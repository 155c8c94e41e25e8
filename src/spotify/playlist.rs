//! What people call a playlist -> its id.

use rspotify::model::{Id, PlaylistId};

use super::SpotifyError;

/// Reads an id, a URI (`spotify:playlist:ID`) or a link (`https://open.spotify.com/playlist/ID?si=…`).
///
/// # Errors
/// Where it is none of them, or of an album, a track, ….
pub fn parse_playlist(text: &str) -> Result<String, SpotifyError> {
    let wrong = |why: &str| {
        SpotifyError::Usage(format!(
            "{text:?} {why}; a playlist is an id of 22 letters and digits, spotify:playlist:ID or \
             https://open.spotify.com/playlist/ID"
        ))
    };
    let plain = text.trim();
    let plain = plain.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
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
        assert!(said("spotify:album:37i9dQZF1DXcBWIGoYBM5M").contains("not the URI of a playlist"));
        assert!(
            said("https://open.spotify.com/track/37i9dQZF1DXcBWIGoYBM5M").contains("not a link")
        );
        for text in ["", "my playlist", "37i9dQZF1DXcBWIGoYBM5", "37i9dQZF1DX../GoYBM5M"] {
            assert!(said(text).contains("is not a playlist; a playlist is an id of 22"), "{text}");
        }
    }
}
