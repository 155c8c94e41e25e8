//! Songs that are like some others, and not all the same.
//!
//! # Source
//! Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents and
//! producing summaries", SIGIR 1998 (maximal marginal relevance).

use super::Vectors;

/// What a playlist should be.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The songs that it is to be like, standardized; at least one.
    pub likes: &'a [Vec<f32>],
    /// Number of songs.
    pub n: usize,
    /// 0: only the similarity to the likes counts; 1: only the difference from the songs so far.
    pub diversity: f32,
}

/// Chooses the songs of a playlist, in order. Each is the one with the largest
/// `(1 - diversity) * likeness - diversity * repetition`: likeness is its mean similarity to the likes,
/// repetition its largest similarity to a song before it.
///
/// No two songs of one artist follow each other; a song without an artist may follow any. There are fewer
/// songs than wished for if the allowed ones, or other artists, are used up.
#[must_use]
pub fn playlist<'a>(
    vectors: &Vectors,
    wish: Wish,
    artist: impl Fn(usize) -> Option<&'a str>,
    is_allowed: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let n = vectors.len();
    let mut likeness = vec![0.0_f32; n];
    for like in wish.likes {
        let found = vectors.similarities(like);
        likeness.iter_mut().zip(found).for_each(|(sum, similarity)| *sum += similarity);
    }
    let n_likes = wish.likes.len().max(1) as f32;
    let mut is_free: Vec<bool> = (0..n).map(is_allowed).collect();
    let mut repetition = vec![0.0_f32; n];
    let mut chosen: Vec<usize> = vec![];
    while chosen.len() < wish.n {
        let before = chosen.last().and_then(|&last| artist(last));
        let score = |index: usize| {
            (1.0 - wish.diversity) * likeness[index] / n_likes - wish.diversity * repetition[index]
        };
        let may_follow =
            |index: &usize| is_free[*index] && (before.is_none() || artist(*index) != before);
        // The first of equally good ones.
        let best = (0..n).filter(may_follow).fold(None, |best: Option<(usize, f32)>, index| {
            let score = score(index);
            if best.is_some_and(|(_, best)| best >= score) { best } else { Some((index, score)) }
        });
        let Some((index, _)) = best else { break };
        is_free[index] = false;
        let found = vectors.similarities(vectors.unit(index));
        let is_first = chosen.is_empty();
        for (largest, similarity) in repetition.iter_mut().zip(found) {
            *largest = if is_first { similarity } else { largest.max(similarity) };
        }
        chosen.push(index);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directions on a circle, in degrees; their means are 0 and both deviations equal.
    fn circle(degrees: &[f32]) -> Vectors {
        let row = |degrees: &f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        // Opposites keep the mean at 0; they are never allowed.
        let all: Vec<f32> = degrees
            .iter()
            .chain(&degrees.iter().map(|d| d + 180.0).collect::<Vec<_>>())
            .flat_map(row)
            .collect();
        Vectors::new(&all, &[2])
    }

    const DEGREES: [f32; 8] = [0.0, 1.0, 2.0, 45.0, 46.0, 90.0, 135.0, 91.0];

    fn order(diversity: f32, artists: [Option<&'static str>; 8], n: usize) -> Vec<usize> {
        let vectors = circle(&DEGREES);
        let likes = [vectors.unit(0).to_vec()];
        let wish = Wish { likes: &likes, n, diversity };
        playlist(&vectors, wish, |i| artists.get(i).copied().flatten(), |i| (1..8).contains(&i))
    }

    #[test]
    fn without_diversity_the_most_similar_come_first_and_with_it_others_between() {
        assert_eq!(order(0.0, [None; 8], 4), [1, 2, 3, 4]);
        let diverse = order(0.6, [None; 8], 3);
        assert_eq!(diverse[0], 1, "the first is the most similar");
        assert!(DEGREES[diverse[1]] >= 90.0, "{diverse:?}");
    }

    #[test]
    fn no_artist_comes_twice_in_a_row() {
        let (a, b) = (Some("A"), Some("B"));
        assert_eq!(order(0.0, [None, a, a, a, b, b, None, None], 5), [1, 4, 2, 5, 3]);
        // Songs without an artist may follow each other, and a playlist ends when only one artist is left.
        assert_eq!(order(0.0, [None; 8], 100).len(), 7);
        assert_eq!(order(0.0, [a; 8], 5), [1]);
    }
}
