//! The eight classes of songs: shares, means, keys.

/// Number of normal variables behind a song.
pub(super) const TRAITS: usize = 9;

/// One class of songs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Class {
    /// Fraction of the table.
    pub share: f64,
    /// Means, in standard deviations, of danceability, energy, loudness, speechiness,
    /// acousticness, instrumentalness, liveness, valence, tempo.
    pub means: [f64; TRAITS],
    /// Probability of a major key.
    pub major: f64,
    /// Preference for guitar keys, 0 to 1.
    pub guitar: f64,
}

/// The classes, in the order of `SONG_LABELS`.
pub(super) const CLASSES: [Class; 8] = [
    class(0.293, [0.55, 0.15, 0.40, 0.00, -0.10, -0.30, 0.00, 0.05, 0.00], 0.62, 0.1),
    class(0.186, [-0.05, 0.20, 0.30, -0.60, 0.15, -0.40, -0.05, 0.20, 0.10], 0.93, 0.8),
    class(0.120, [-0.75, 1.05, 0.75, -0.05, -1.25, 0.10, 0.10, -0.60, 0.10], 0.58, 0.6),
    class(0.085, [-0.45, 0.05, -1.20, -0.45, -0.05, 0.30, 0.15, 0.60, 0.05], 0.80, 0.9),
    class(0.085, [1.05, -0.35, -0.05, 1.35, -0.10, -0.30, 0.05, -0.25, 0.15], 0.52, 0.0),
    class(0.082, [-0.60, -1.50, -1.50, -0.45, 1.50, 0.05, 0.05, 0.00, -0.15], 0.78, 0.3),
    class(0.078, [-0.35, 0.35, 0.10, -0.25, -0.35, 0.35, 0.05, -0.05, 0.10], 0.70, 0.8),
    class(0.070, [0.15, 0.40, -0.15, -0.10, -0.40, 1.00, 0.00, 0.25, 0.05], 0.60, 0.3),
];

const fn class(share: f64, means: [f64; TRAITS], major: f64, guitar: f64) -> Class {
    Class { share, means, major, guitar }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_by_share_and_make_up_the_table() {
        assert!(CLASSES.windows(2).all(|pair| pair[0].share >= pair[1].share));
        let total: f64 = CLASSES.iter().map(|class| class.share).sum();
        assert!((total - 1.0).abs() < 0.002, "{total}");
        for class in CLASSES {
            assert!((0.0..=1.0).contains(&class.major) && (0.0..=1.0).contains(&class.guitar));
        }
    }
}
