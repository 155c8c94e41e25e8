//! From a playlist id to rows. Responses in the journal are not requested again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answer::Answer;
use super::artist::{many_artists, one_artist};
use super::clock::date;
use super::endpoint::{ARTIST, ARTISTS, Endpoint, ITEMS, PLAYLIST};
use super::features::{Answered, refused};
use super::item::Page;
use super::journal::{Closed, Journal, Line};
use super::retry::{Outcome, ProgressEvent};
use super::song::{self, first_tracks, genres_of};
use super::{Dropped, FeatureSource, Song, Source, Spotify, SpotifyError};

/// Items a page: the most that Spotify gives to every app.
const PAGE: usize = 50;

/// The result of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// The playlist's id.
    pub playlist: String,
    /// Its title.
    pub title: String,
    /// Its version at Spotify.
    pub snapshot_id: String,
    /// Start of the collection, in seconds since 1970.
    pub begun_s: u64,
    /// Who computed the features.
    pub source: Source,
    /// Number of playlist entries received.
    pub n_places: usize,
    /// How many there are, as the last page says; Spotify is known to miscount.
    pub n_told: usize,
    /// The rows, in the playlist's order.
    pub songs: Vec<Song>,
    /// Every other entry, with the reason.
    pub dropped: Vec<Dropped>,
}

/// Collects a playlist or resumes its collection. `ask_again` also requests endpoints that refused before.
///
/// # Errors
/// If an endpoint refuses, a response is missing or not as documented, the playlist changed
/// during the collection, or the service asks to come back later. The journal keeps all responses.
pub fn collect(
    playlist: &str,
    journal: &mut Journal,
    spotify: &Spotify,
    source: &dyn FeatureSource,
    ask_again: bool,
) -> Result<Collected, SpotifyError> {
    let now_s = spotify.patience().clock().now_s();
    if let Some((endpoint, until_s)) = journal.come_back.clone()
        && until_s > now_s
    {
        let (wait_s, why) = (until_s - now_s, String::new());
        return Err(SpotifyError::Later { endpoint, until_s, wait_s, why });
    }
    if ask_again && journal.has_closed() {
        journal.add(Line::AskAgain)?;
    }
    let mut collector = Collector { playlist, journal, spotify };
    let done = collector.run(source);
    if let Err(SpotifyError::Later { endpoint, until_s, .. }) = &done {
        let (endpoint, until_s) = (endpoint.clone(), *until_s);
        collector.journal.add(Line::ComeBack { endpoint, until_s })?;
    }
    done
}

struct Collector<'a> {
    playlist: &'a str,
    journal: &'a mut Journal,
    spotify: &'a Spotify<'a>,
}

impl Collector<'_> {
    fn run(&mut self, source: &dyn FeatureSource) -> Result<Collected, SpotifyError> {
        self.items()?;
        self.artists()?;
        self.features(source)?;
        let (songs, dropped) = song::songs(self.journal, source.source());
        let (title, snapshot_id) =
            self.journal.playlist.clone().expect("items come after the playlist");
        Ok(Collected {
            playlist: self.playlist.to_owned(),
            title,
            snapshot_id,
            begun_s: self.journal.begun_s,
            source: source.source(),
            n_places: self.journal.n_items(),
            n_told: self.journal.pages.last().map_or(0, |page| page.total),
            songs,
            dropped,
        })
    }

    fn items(&mut self) -> Result<(), SpotifyError> {
        let now = self.version()?;
        match self.journal.playlist.clone() {
            None => {
                let (name, snapshot_id) = now.clone();
                self.journal.add(Line::Playlist { name, snapshot_id })?;
            }
            Some((_, begun)) if begun == now.1 => {}
            Some((_, begun)) if self.journal.has_all_items => self.note(format!(
                "the playlist has changed since its items were collected (version {begun}, now {}); the table has \
                 the old version; remove {} to collect the new one",
                now.1,
                self.journal.path().display()
            )),
            Some((_, begun)) => return Err(self.changed(&begun, &now.1)),
        }
        let mut n_got = self.journal.n_items();
        let mut is_done = self.journal.has_all_items
            || self.journal.pages.last().is_some_and(|page| page.is_last);
        let is_new = !is_done;
        while !is_done {
            let path = format!(
                "playlists/{}/items?limit={PAGE}&offset={n_got}&additional_types=track,episode",
                self.playlist
            );
            let value = self.get_or_close(&ITEMS, &path)?;
            let page = Page::read(ITEMS.name, n_got, &value)?;
            n_got += page.items.len();
            is_done = page.is_last;
            let n = if is_done { n_got } else { page.total.max(n_got) };
            self.journal.add(Line::Page(page))?;
            self.progress("items of the playlist", n_got, n);
        }
        if self.journal.has_all_items {
            return Ok(());
        }
        // A song added between two pages would have moved all the others.
        if is_new {
            let then = self.version()?;
            if then.1 != now.1 {
                return Err(self.changed(&now.1, &then.1));
            }
        }
        self.journal.add(Line::AllItems)
    }

    /// The playlist's name and version.
    fn version(&mut self) -> Result<(String, String), SpotifyError> {
        let path = format!("playlists/{}?fields=id,name,snapshot_id", self.playlist);
        let value = self.get_or_close(&PLAYLIST, &path)?;
        let answer = Answer::of(PLAYLIST.name, &value);
        Ok((answer.field("name")?.text()?, answer.field("snapshot_id")?.text()?))
    }

    fn changed(&self, begun: &str, now: &str) -> SpotifyError {
        SpotifyError::Changed(format!(
            "the playlist was changed while its items were being collected (version {begun}, now {now}), so its \
             pages are inconsistent\nhint: remove {} and run the same command again",
            self.journal.path().display()
        ))
    }

    /// Requests a required endpoint.
    fn get_or_close(&mut self, endpoint: &Endpoint, path: &str) -> Result<Value, SpotifyError> {
        let asker = self.spotify.asks_as();
        self.check_open(endpoint, asker)?;
        match self.spotify.get(endpoint, path)? {
            Outcome::Got(value) => Ok(value),
            Outcome::Refused { code: 403, message } => {
                Err(self.close(endpoint, asker, 403, message)?)
            }
            Outcome::Refused { code: 404, .. } => Err(SpotifyError::answer(
                endpoint.name,
                format!(
                    "there is no playlist {}, or none for {asker}: it was deleted or is private, or it is \
                     Spotify's own, which it hides from apps since 27 November 2024\nhint: copy the songs into \
                     a playlist of your own and collect that one",
                    self.playlist
                ),
            )),
            Outcome::Refused { code, message } => Err(refused(endpoint, code, &message)),
        }
    }

    fn artists(&mut self) -> Result<(), SpotifyError> {
        let (tracks, _) = first_tracks(self.journal);
        let all: Vec<String> =
            unique(tracks.iter().filter_map(|(_, track)| track.artist_id.as_ref()));
        let spotify = self.spotify;
        let is_got = |journal: &Journal, id: &str| journal.artists.contains_key(id);
        let ask = |endpoint: &Endpoint, ids: &[&str]| {
            let answered = if endpoint == &ARTIST {
                one_artist(spotify, ids[0])?
            } else {
                many_artists(spotify, ids)?
            };
            Ok(answered.map(|artists| Line::Artists { artists }))
        };
        let asker = spotify.asks_as();
        self.ask_all("artists", &all, &[&ARTISTS, &ARTIST], asker, &is_got, &ask)
    }

    fn features(&mut self, source: &dyn FeatureSource) -> Result<(), SpotifyError> {
        // Tracks that are dropped anyway need no request.
        let (tracks, _) = first_tracks(self.journal);
        let labeled = tracks.iter().filter(|(_, track)| genres_of(self.journal, track).is_ok());
        let all = unique(labeled.map(|(_, track)| &track.id));
        let who = source.source();
        let is_got =
            |journal: &Journal, id: &str| journal.features.contains_key(&(who, id.to_owned()));
        let ask = |endpoint: &Endpoint, ids: &[&str]| {
            let answered = source.ask(endpoint, ids)?;
            Ok(answered.map(|features| Line::Features { source: who, features }))
        };
        let asker = source.asks_as();
        self.ask_all("audio features", &all, source.endpoints(), asker, &is_got, &ask)
    }

    /// Asks the first endpoint that is open for all ids that the journal lacks, as many at a time as it takes.
    fn ask_all(
        &mut self,
        what: &'static str,
        all: &[String],
        endpoints: &[&Endpoint],
        asker: &str,
        is_got: &dyn Fn(&Journal, &str) -> bool,
        ask: Ask,
    ) -> Result<(), SpotifyError> {
        let mut refusal = None;
        for endpoint in endpoints {
            let missing: Vec<&str> =
                all.iter().map(String::as_str).filter(|id| !is_got(self.journal, id)).collect();
            let mut n_done = all.len() - missing.len();
            if missing.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.check_open(endpoint, asker) {
                refusal = Some(error);
                continue;
            }
            let mut is_open = true;
            for ids in missing.chunks(endpoint.max_ids) {
                match ask(endpoint, ids)? {
                    Answered::Got(line) => self.journal.add(line)?,
                    Answered::Closed { code, message } => {
                        refusal = Some(self.close(endpoint, asker, code, message)?);
                        is_open = false;
                        break;
                    }
                }
                n_done += ids.len();
                self.progress(what, n_done, all.len());
            }
            if is_open {
                return Ok(());
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Keeps in mind that an endpoint is closed, and says so.
    fn close(
        &mut self,
        endpoint: &Endpoint,
        asker: &str,
        code: u16,
        message: String,
    ) -> Result<SpotifyError, SpotifyError> {
        let closed = Closed {
            endpoint: endpoint.name.to_owned(),
            asker: asker.to_owned(),
            code,
            message,
            at_s: self.spotify.patience().clock().now_s(),
        };
        let error = said(endpoint, &closed);
        self.journal.add(Line::Closed(closed))?;
        Ok(error)
    }

    fn check_open(&self, endpoint: &Endpoint, asker: &str) -> Result<(), SpotifyError> {
        self.journal.closed(endpoint, asker).map_or(Ok(()), |closed| Err(said(endpoint, closed)))
    }

    fn progress(&self, what: &'static str, n_done: usize, n: usize) {
        self.spotify.patience().tell(&ProgressEvent::Progress { what, n_done, n });
    }

    fn note(&self, text: String) {
        self.spotify.patience().tell(&ProgressEvent::Note(text));
    }
}

/// Asks an endpoint for some ids.
type Ask<'a> = &'a dyn Fn(&Endpoint, &[&str]) -> Result<Answered<Line>, SpotifyError>;

/// What is closed, since when, why, what to do.
fn said(endpoint: &Endpoint, closed: &Closed) -> SpotifyError {
    let Closed { asker, code, message, at_s, .. } = closed;
    let message = if message.is_empty() { String::new() } else { format!(" {message:?}") };
    SpotifyError::Closed(format!(
        "{} is closed to {asker} (status {code}{message}, {}). {}\nhint: the same command does not request \
         it again; try again with --ask-again",
        endpoint.name,
        date(*at_s),
        endpoint.if_closed
    ))
}

fn unique<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| seen.insert(id.as_str())).cloned().collect()
}
