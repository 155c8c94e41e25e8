//! What the tags of an audio file say about the song.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use symphonia::core::{
    formats::{FormatOptions, probe::Hint},
    io::{MediaSourceStream, MediaSourceStreamOptions},
    meta::{MetadataOptions, StandardTag},
};

/// Artist and title of a song.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SongTags {
    /// The artist of the track, or else of the album.
    pub artist: Option<String>,
    /// The title.
    pub title: Option<String>,
}

/// Reads the tags of a file: ID3, Vorbis comments, APE, MP4 or RIFF. A file without tags, or one that can't be
/// read, says nothing.
#[must_use]
pub fn song_tags(path: impl AsRef<Path>) -> SongTags {
    // A panic of symphonia is a fault of the file, as it is for its samples.
    catch_unwind(AssertUnwindSafe(|| read(path.as_ref()).unwrap_or_default())).unwrap_or_default()
}

fn read(path: &Path) -> Option<SongTags> {
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    let file = Box::new(File::open(path).ok()?);
    let stream = MediaSourceStream::new(file, MediaSourceStreamOptions::default());
    let (options, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let probed = symphonia::default::get_probe().probe(&hint, stream, options, metadata);
    let mut format = probed.ok()?;
    let mut tags = SongTags::default();
    let mut album_artist = None;
    let mut log = format.metadata();
    while let Some(revision) = log.current() {
        for tag in &revision.media.tags {
            let (place, text) = match &tag.std {
                Some(StandardTag::Artist(text)) => (&mut tags.artist, text),
                Some(StandardTag::TrackTitle(text)) => (&mut tags.title, text),
                Some(StandardTag::AlbumArtist(text)) => (&mut album_artist, text),
                _ => continue,
            };
            let text = text.trim();
            if place.is_none() && !text.is_empty() {
                *place = Some(text.to_owned());
            }
        }
        if log.pop().is_none() {
            break;
        }
    }
    tags.artist = tags.artist.or(album_artist);
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ID3v2.4 tag with text frames, in UTF-8.
    fn id3(frames: &[(&str, &str)]) -> Vec<u8> {
        let mut body = vec![];
        for (name, text) in frames {
            body.extend(name.as_bytes());
            body.extend([0, 0, 0, text.len() as u8 + 1, 0, 0, 3]);
            body.extend(text.as_bytes());
        }
        [b"ID3\x04\0\0\0\0\0".as_slice(), &[body.len() as u8], &body].concat()
    }

    #[test]
    fn artist_and_title_are_read_and_nothing_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let tone = std::fs::read(golden.join("tone_no_tag.mp3")).unwrap();
        let path = folder.path().join("a.mp3");
        let of = |frames: &[(&str, &str)]| {
            std::fs::write(&path, [id3(frames), tone.clone()].concat()).unwrap();
            song_tags(&path)
        };
        let text = |text: &str| Some(text.to_owned());
        let both = of(&[("TPE1", "Björk"), ("TIT2", " Jóga ")]);
        assert_eq!(both, SongTags { artist: text("Björk"), title: text("Jóga") });
        let album = of(&[("TPE2", "Various"), ("TIT2", "")]);
        assert_eq!(album, SongTags { artist: text("Various"), title: None });
        assert_eq!(song_tags(golden.join("tone.wav")).artist, None);
        std::fs::write(&path, "no music").unwrap();
        assert_eq!(song_tags(&path), SongTags::default());
        assert_eq!(song_tags(folder.path().join("none")), SongTags::default());
    }
}
