//! How good neighbors are: the share of the nearest with the same genre, without songs of the same artist.
//!
//! # Source
//! Pampalk, Flexer, Widmer, "Improvements of audio-based music similarity and genre classification",
//! ISMIR 2005 (genre precision, artist filter).

use rayon::prelude::*;

/// What is known of the songs.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    /// The genre of each.
    pub genres: &'a [usize],
    /// The artist of each: none of its songs is a neighbor of another of them. Songs without a known artist
    /// have one of their own.
    pub artists: &'a [usize],
}

impl Labels<'_> {
    fn allowed(self, query: usize) -> impl Iterator<Item = usize> {
        (0..self.genres.len()).filter(move |&other| self.artists[other] != self.artists[query])
    }
}

/// The share of the `k` nearest songs of other artists that have a query's genre, for each query; of all,
/// if fewer are left, and nothing if none is. `distances` fills in how far each song is from a query.
#[must_use]
pub fn precision(
    labels: Labels,
    queries: &[usize],
    k: usize,
    distances: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<Option<f64>> {
    let one = |buffer: &mut Vec<f32>, &query: &usize| {
        buffer.resize(labels.genres.len(), 0.0);
        distances(query, buffer);
        let mut others: Vec<usize> = labels.allowed(query).collect();
        let order = |a: &usize, b: &usize| buffer[*a].total_cmp(&buffer[*b]).then(a.cmp(b));
        if k < others.len() {
            others.select_nth_unstable_by(k, order);
            others.truncate(k);
        }
        share(labels, query, &others)
    };
    queries.par_iter().map_init(Vec::new, one).collect()
}

/// The same for neighbors at random: what is expected of them, without drawing any.
#[must_use]
pub fn chance(labels: Labels, queries: &[usize]) -> Vec<Option<f64>> {
    let one = |&query: &usize| share(labels, query, &labels.allowed(query).collect::<Vec<_>>());
    queries.par_iter().map(one).collect()
}

fn share(labels: Labels, query: usize, others: &[usize]) -> Option<f64> {
    let n_same =
        others.iter().filter(|&&other| labels.genres[other] == labels.genres[query]).count();
    (!others.is_empty()).then(|| n_same as f64 / others.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENRES: [usize; 6] = [0, 0, 0, 1, 1, 1];

    #[test]
    fn the_nearest_of_other_artists_are_counted() {
        // On a line, one apart; the first two have one artist.
        let labels = Labels { genres: &GENRES, artists: &[0, 0, 1, 2, 3, 4] };
        let distances = |query: usize, out: &mut [f32]| {
            out.iter_mut().enumerate().for_each(|(i, out)| *out = query.abs_diff(i) as f32);
        };
        let found = precision(labels, &[0, 2, 5], 2, distances);
        // Of 0: 2 and 3, without 1. Of 2: 1 and 3, of equally near ones the first. Of 5: 4 and 3.
        assert_eq!(found, [Some(0.5), Some(0.5), Some(1.0)]);
        assert_eq!(precision(labels, &[2], 100, distances), [Some(2.0 / 5.0)]);
    }

    #[test]
    fn chance_is_the_share_of_the_genre_among_the_others() {
        let labels = Labels { genres: &GENRES, artists: &[0, 0, 1, 2, 3, 4] };
        assert_eq!(chance(labels, &[0, 2]), [Some(0.25), Some(0.4)]);
        let alone = Labels { genres: &GENRES, artists: &[0; 6] };
        assert_eq!(chance(alone, &[0]), [None]);
        assert_eq!(precision(alone, &[0], 1, |_, _| ()), [None]);
    }
}
