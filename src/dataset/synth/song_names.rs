//! Invented names: syllables for artists, plain words for titles, digits for ids.

use super::theory::pick;
use crate::vocab::Rng;

const ONSETS: [&str; 20] = [
    "B", "D", "F", "G", "H", "K", "L", "M", "N", "P", "R", "S", "T", "V", "Z", "Br", "Kr", "Tr",
    "St", "Fl",
];
const MIDDLES: [&str; 12] = ["a", "e", "i", "o", "u", "ar", "el", "in", "or", "un", "esk", "ov"];
const ENDINGS: [&str; 14] =
    ["dan", "lo", "mir", "vek", "ta", "rin", "zo", "na", "lund", "ken", "bar", "tis", "lva", "den"];
const FIRSTS: [&str; 24] = [
    "Amber", "Broken", "Cold", "Distant", "Early", "Faded", "Golden", "Hollow", "Idle", "Just",
    "Kindly", "Little", "Midnight", "Never", "Open", "Paper", "Quiet", "Restless", "Silver",
    "Tender", "Under", "Velvet", "Wild", "Yellow",
];
const SECONDS: [&str; 24] = [
    "Avenue",
    "Bridges",
    "Chorus",
    "Days",
    "Engine",
    "Fires",
    "Garden",
    "Harbour",
    "Islands",
    "June",
    "Kites",
    "Ladder",
    "Mirrors",
    "Nights",
    "Oceans",
    "Parade",
    "Questions",
    "River",
    "Signals",
    "Town",
    "Umbrella",
    "Valley",
    "Windows",
    "Yesterday",
];

/// Returns the name of artist number `index`; every number has a different name.
pub(super) fn artist_name(index: usize, rng: &mut Rng) -> String {
    // The number determines the surname, so that it is unique.
    let n_endings = ENDINGS.len();
    let n_middles = MIDDLES.len();
    let surname = format!(
        "{}{}{}{}",
        ONSETS[index / (n_endings * n_middles) % ONSETS.len()],
        MIDDLES[index % n_middles],
        ENDINGS[index / n_middles % n_endings],
        if index < n_endings * n_middles * ONSETS.len() {
            String::new()
        } else {
            format!(" {index}")
        },
    );
    let given = format!("{}{}{}", pick(rng, &ONSETS), pick(rng, &MIDDLES), pick(rng, &ENDINGS));
    match rng.below(4) {
        0 => format!("The {surname} Band"),
        1 => surname,
        _ => format!("{given} {surname}"),
    }
}

/// Returns a title of two words, sometimes with an addition.
pub(super) fn track_name(rng: &mut Rng) -> String {
    let title = format!("{} {}", pick(rng, &FIRSTS), pick(rng, &SECONDS));
    match rng.below(12) {
        0 => format!("{title} - Remastered"),
        1 => format!("{title} (Live)"),
        2 => format!("{title}, Pt. 2"),
        _ => title,
    }
}

/// Returns 22 letters and digits that are unique for the row.
pub(super) fn song_id(row: usize, rng: &mut Rng) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // Characters 17 to 21 encode the row, scrambled by a factor that is coprime to 62^5.
    let mut left = row.wrapping_mul(387_420_489) % 62usize.pow(5);
    (0..22)
        .map(|place| {
            let digit = if place < 17 { rng.below(62) } else { left % 62 };
            if place >= 17 {
                left /= 62;
            }
            char::from(DIGITS[digit])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn artists_and_ids_are_unique() {
        let rng = &mut Seed(1).rng("names", &[]);
        let names: BTreeSet<String> = (0..5_000).map(|i| artist_name(i, rng)).collect();
        assert_eq!(names.len(), 5_000);
        let ids: BTreeSet<String> = (0..5_000).map(|i| song_id(i, rng)).collect();
        assert_eq!(ids.len(), 5_000);
        assert!(ids.iter().all(|id| id.len() == 22));
    }

    #[test]
    fn titles_repeat_seldom() {
        let rng = &mut Seed(1).rng("names", &[]);
        let titles: BTreeSet<String> = (0..300).map(|_| track_name(rng)).collect();
        assert!(titles.len() > 200, "{}", titles.len());
    }
}
