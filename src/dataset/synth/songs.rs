//! A table of songs with the eleven audio features of a streaming service, drawn at random.
//!
//! A song's features come from ten correlated normal variables, which depend on its class, its
//! artist and the song itself. Names are made of syllables and belong to nobody.

use super::song_classes::{CLASSES, Class, TRAITS};
use super::song_names::{artist_name, song_id, track_name};
use crate::vocab::{Rng, Seed};

/// Our names of the columns of the table, as those of Spotify's audio features.
pub const SONG_COLUMNS: [&str; 11] = [
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
];

/// Number of rows of the whole table.
pub const N_SONGS: usize = 8_576;

/// The eight labels, the most frequent first.
pub const SONG_LABELS: [&str; 8] = [
    "dance_pop",
    "contemporary_country",
    "alternative_metal",
    "album_rock",
    "atl_hip_hop",
    "adult_standards",
    "alternative_rock",
    "alternative_dance",
];

/// Distance between the classes, chosen so that a linear model has an accuracy of about one half.
const SEPARATION: f64 = 1.07;
/// Standard deviation that songs of one artist share, out of 1 in total.
const ARTIST_SPREAD: f64 = 0.4;
/// Probability that a song's artist belongs to a different class.
const STRAY: f64 = 0.03;

/// One song: a row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Unique, 22 letters and digits.
    pub id: String,
    /// The artist; artists repeat.
    pub artist_name: String,
    /// The title; titles repeat occasionally.
    pub track_name: String,
    /// Suitability for dancing, 0 to 1.
    pub danceability: f64,
    /// Intensity, 0 to 1.
    pub energy: f64,
    /// Pitch class of the key, 0 (C) to 11 (B).
    pub key: u8,
    /// Mean loudness in dB, mostly -30 to 0.
    pub loudness: f64,
    /// 1 for major, 0 for minor.
    pub mode: u8,
    /// Fraction of spoken words, 0 to 1; mostly below 0.1.
    pub speechiness: f64,
    /// Confidence that it is acoustic, 0 to 1.
    pub acousticness: f64,
    /// Confidence that there is no singing, 0 to 1; mostly near 0.
    pub instrumentalness: f64,
    /// Confidence that an audience can be heard, 0 to 1.
    pub liveness: f64,
    /// Cheerfulness, 0 to 1.
    pub valence: f64,
    /// Beats per minute.
    pub tempo: f64,
    /// One of `SONG_LABELS`.
    pub label: &'static str,
}

/// Draws a table of `n` songs in random order; the shares of the classes are exact to the nearest
/// song.
///
/// The same seed and `n` give the same table on every machine.
#[must_use]
pub fn songs(seed: Seed, n: usize) -> Vec<Song> {
    let artists = Artists::draw(seed, &counts(n));
    let mut labels: Vec<usize> =
        counts(n).iter().enumerate().flat_map(|(label, count)| vec![label; *count]).collect();
    seed.rng("synth-songs/order", &[]).shuffle(&mut labels);
    let song = |(row, label): (usize, usize)| {
        let rng = &mut seed.rng("synth-songs/song", &[row as u64]);
        let artist = artists.pick(label, rng);
        draw(row, label, artist, rng)
    };
    labels.into_iter().enumerate().map(song).collect()
}

/// Returns the number of songs of each class: its share of `n`, with remainders given to the
/// largest fractions.
fn counts(n: usize) -> [usize; 8] {
    let total: f64 = CLASSES.iter().map(|class| class.share).sum();
    let exact = CLASSES.map(|class| n as f64 * class.share / total);
    let mut counts = exact.map(|x| libm::floor(x) as usize);
    let mut by_fraction: Vec<usize> = (0..8).collect();
    let fraction = |class: usize| exact[class] - libm::floor(exact[class]);
    by_fraction.sort_by(|a, b| fraction(*b).total_cmp(&fraction(*a)));
    let missing = n - counts.iter().sum::<usize>();
    for class in by_fraction.into_iter().take(missing) {
        counts[class] += 1;
    }
    counts
}

/// An artist, whose songs resemble each other.
struct Artist {
    name: String,
    offset: [f64; TRAITS],
}

/// The artists of each class.
struct Artists([Vec<Artist>; 8]);

impl Artists {
    fn draw(seed: Seed, counts: &[usize; 8]) -> Self {
        let mut first = 0;
        Self(counts.map(|count| {
            let n_artists = count.div_ceil(9).max(1);
            let artists = (first..first + n_artists).map(|i| {
                let rng = &mut seed.rng("synth-songs/artist", &[i as u64]);
                Artist {
                    name: artist_name(i, rng),
                    offset: [(); TRAITS].map(|()| ARTIST_SPREAD * rng.normal()),
                }
            });
            first += n_artists;
            artists.collect()
        }))
    }

    /// Picks an artist of the class, or rarely of another; the first artists have more songs than
    /// the last.
    fn pick(&self, label: usize, rng: &mut Rng) -> &Artist {
        let home = if rng.uniform() < STRAY { rng.below(8) } else { label };
        let artists = &self.0[home];
        let place = rng.uniform();
        &artists[(place * libm::sqrt(place) * artists.len() as f64) as usize]
    }
}

fn draw(row: usize, label: usize, artist: &Artist, rng: &mut Rng) -> Song {
    let class = &CLASSES[label];
    let z = traits(class, artist, rng);
    let [dance, energy, loud, speech, acoustic, instrumental, live, valence, tempo] = z;
    let sung = rng.uniform() < 0.35;
    Song {
        id: song_id(row, rng),
        artist_name: artist.name.clone(),
        track_name: track_name(rng),
        danceability: round(logistic(0.35 + 0.62 * dance), 3),
        energy: round(logistic(0.85 + 0.95 * energy), 3),
        key: key(class, rng),
        loudness: round((-6.6 + 2.6 * loud - 0.45 * loud * loud).min(-0.3), 3),
        mode: u8::from(rng.uniform() < class.major),
        speechiness: round((0.023 + 0.04 * libm::exp(0.75 * speech)).min(0.96), 4),
        acousticness: round(logistic(-2.3 + 1.75 * acoustic), 4),
        instrumentalness: if sung { 0.0 } else { round(logistic(-7.5 + 3.2 * instrumental), 5) },
        liveness: round((0.03 + 0.11 * libm::exp(0.65 * live)).min(0.99), 3),
        valence: round(logistic(-0.05 + 0.95 * valence), 3),
        tempo: tempo_bpm(tempo, rng),
        label: SONG_LABELS[label],
    }
}

/// Draws the nine normal variables of a song, in the order of its features without key and mode.
fn traits(class: &Class, artist: &Artist, rng: &mut Rng) -> [f64; TRAITS] {
    let own = libm::sqrt(1.0 - ARTIST_SPREAD * ARTIST_SPREAD);
    let n = [(); TRAITS].map(|()| rng.normal());
    // Loud songs are energetic and rarely acoustic; cheerful ones are danceable.
    let mixed = [
        0.8 * n[0] + 0.6 * n[7],
        n[1],
        0.72 * n[1] + 0.69 * n[2],
        0.9 * n[3] + 0.2 * n[0] + 0.39 * n[6],
        -0.62 * n[1] + 0.78 * n[4],
        0.95 * n[5] - 0.31 * n[2],
        n[6],
        n[7],
        0.95 * n[8] - 0.3 * n[0],
    ];
    let mut z = [0.0; TRAITS];
    for (i, value) in z.iter_mut().enumerate() {
        *value = SEPARATION * class.means[i] + artist.offset[i] + own * mixed[i];
    }
    z
}

fn tempo_bpm(z: f64, rng: &mut Rng) -> f64 {
    // The tempo of some songs is given in half or double time.
    let counted = match rng.uniform() {
        u if u < 0.10 => 0.62,
        u if u < 0.24 => 1.35,
        _ => 1.0,
    };
    round((119.0 * counted * libm::exp(0.16 * z)).clamp(48.0, 218.0), 3)
}

/// Draws a key: guitar music prefers C, D, E, G and A, other music C, C sharp, D, F, G.
fn key(class: &Class, rng: &mut Rng) -> u8 {
    const GUITAR: [f64; 12] = [12.0, 4.0, 13.0, 3.0, 11.0, 8.0, 4.0, 14.0, 4.0, 13.0, 5.0, 7.0];
    const STUDIO: [f64; 12] = [11.0, 13.0, 9.0, 4.0, 7.0, 9.0, 8.0, 11.0, 8.0, 8.0, 7.0, 9.0];
    let weight = |i: usize| class.guitar * GUITAR[i] + (1.0 - class.guitar) * STUDIO[i];
    let mut left = rng.uniform() * (0..12).map(weight).sum::<f64>();
    for i in 0..11u8 {
        left -= weight(usize::from(i));
        if left < 0.0 {
            return i;
        }
    }
    11
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn round(x: f64, digits: u32) -> f64 {
    let unit = f64::from(10u32.pow(digits));
    libm::round(x * unit) / unit
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn correlation(rows: &[Song], a: fn(&Song) -> f64, b: fn(&Song) -> f64) -> f64 {
        let mean = |f: fn(&Song) -> f64| rows.iter().map(f).sum::<f64>() / rows.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let sum = |f: fn(&Song) -> f64, m: f64, g: fn(&Song) -> f64, n: f64| -> f64 {
            rows.iter().map(|row| (f(row) - m) * (g(row) - n)).sum()
        };
        sum(a, ma, b, mb) / libm::sqrt(sum(a, ma, a, ma) * sum(b, mb, b, mb))
    }

    #[test]
    fn shares_are_exact() {
        assert_eq!(counts(999), [293, 186, 120, 85, 85, 82, 78, 70]);
        assert_eq!(counts(N_SONGS).iter().sum::<usize>(), N_SONGS);
        let rows = songs(Seed(1), 999);
        let country = rows.iter().filter(|row| row.label == "contemporary_country").count();
        assert_eq!(country, 186);
        assert!(songs(Seed(1), 0).is_empty());
        assert_eq!(songs(Seed(1), 3).len(), 3);
    }

    #[test]
    fn values_lie_in_their_ranges_and_ids_are_unique() {
        let rows = songs(Seed(1), 3_000);
        for s in &rows {
            let parts =
                [s.danceability, s.energy, s.speechiness, s.acousticness, s.liveness, s.valence];
            assert!(parts.iter().all(|x| (0.0..=1.0).contains(x)), "{s:?}");
            assert!((0.0..=1.0).contains(&s.instrumentalness));
            assert!((-45.0..0.0).contains(&s.loudness) && (40.0..=220.0).contains(&s.tempo));
            assert!(s.key < 12 && s.mode < 2 && SONG_LABELS.contains(&s.label));
        }
        assert_eq!(rows.iter().map(|row| &row.id).collect::<BTreeSet<_>>().len(), 3_000);
    }

    #[test]
    fn features_hang_together_as_in_music() {
        let rows = songs(Seed(1), 4_000);
        assert!(correlation(&rows, |s| s.energy, |s| s.loudness) > 0.5);
        assert!(correlation(&rows, |s| s.energy, |s| s.acousticness) < -0.4);
        assert!(correlation(&rows, |s| s.danceability, |s| s.valence) > 0.2);
        let near_zero = rows.iter().filter(|s| s.instrumentalness < 0.01).count();
        assert!((2_400..3_900).contains(&near_zero), "{near_zero}");
    }

    #[test]
    fn artists_have_several_songs_and_mostly_one_class() {
        let rows = songs(Seed(1), 3_000);
        let mut by_artist: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &rows {
            by_artist.entry(&row.artist_name).or_default().push(row.label);
        }
        assert!((100..600).contains(&by_artist.len()), "{}", by_artist.len());
        let pure = by_artist.values().filter(|v| v.iter().all(|label| *label == v[0])).count();
        assert!(pure * 10 > by_artist.len() * 6);
    }

    #[test]
    fn a_table_repeats_and_another_seed_gives_another() {
        assert_eq!(songs(Seed(1), 50), songs(Seed(1), 50));
        assert_ne!(songs(Seed(1), 50), songs(Seed(2), 50));
    }
}
