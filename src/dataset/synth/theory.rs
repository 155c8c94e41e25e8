//! Harmony: chords written as Roman numerals, and scales.

use crate::vocab::Rng;

/// A chord relative to the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chord {
    /// Semitones from the key to the root.
    pub root: i32,
    /// Semitones from the root to each tone, the root first.
    pub tones: Vec<i32>,
}

impl Chord {
    /// Returns the semitones above the key of tone `index`; indices past the last one continue an
    /// octave higher.
    #[must_use]
    pub(super) fn tone(&self, index: usize) -> i32 {
        let n_tones = self.tones.len();
        self.root + self.tones[index % n_tones] + 12 * (index / n_tones) as i32
    }
}

/// Reads a progression, one chord per bar: `I IV7 vi bVII5 iiø Imaj7 V9`.
///
/// Upper case is major, lower case minor; `b` lowers the root by a semitone; the suffixes are `5`
/// (no third), `7`, `maj7`, `9` and `ø` (half diminished). `None` if a word is none of these.
#[must_use]
pub(super) fn progression(text: &str) -> Option<Vec<Chord>> {
    text.split_whitespace().map(chord).collect()
}

fn chord(word: &str) -> Option<Chord> {
    let (flat, rest) = word.strip_prefix('b').map_or((0, word), |rest| (-1, rest));
    let end = rest.find(|c| !"IViv".contains(c)).unwrap_or(rest.len());
    let (numeral, suffix) = rest.split_at(end);
    let root = match numeral.to_ascii_uppercase().as_str() {
        "I" => 0,
        "II" => 2,
        "III" => 4,
        "IV" => 5,
        "V" => 7,
        "VI" => 9,
        "VII" => 11,
        _ => return None,
    };
    let third = if numeral.starts_with(|c: char| c.is_ascii_lowercase()) { 3 } else { 4 };
    let tones = match suffix {
        "" => vec![0, third, 7],
        "5" => vec![0, 7],
        "7" => vec![0, third, 7, 10],
        "maj7" => vec![0, third, 7, 11],
        "9" => vec![0, third, 10, 14],
        "ø" => vec![0, 3, 6, 10],
        _ => return None,
    };
    Some(Chord { root: root + flat, tones })
}

/// The notes of a melody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Seven notes, major.
    Major,
    /// Seven notes, natural minor.
    Minor,
    /// Five notes, major.
    MajorPentatonic,
    /// Five notes, minor.
    MinorPentatonic,
    /// The minor pentatonic and its blue note.
    Blues,
    /// Seven notes, minor with a major sixth.
    Dorian,
}

impl Scale {
    /// Returns the semitones above the key of a scale step, which may be outside one octave.
    #[must_use]
    pub(super) fn semitone(self, step: i32) -> i32 {
        let steps: &[i32] = match self {
            Self::Major => &[0, 2, 4, 5, 7, 9, 11],
            Self::Minor => &[0, 2, 3, 5, 7, 8, 10],
            Self::MajorPentatonic => &[0, 2, 4, 7, 9],
            Self::MinorPentatonic => &[0, 3, 5, 7, 10],
            Self::Blues => &[0, 3, 5, 6, 7, 10],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
        };
        let n_steps = steps.len() as i32;
        steps[step.rem_euclid(n_steps) as usize] + 12 * step.div_euclid(n_steps)
    }
}

/// Picks one item of a list, all with the same probability.
pub(super) fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.below(items.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_give_their_chords() {
        let chords = progression("I vi bVII5 V9").expect("four chords");
        assert_eq!(chords[0], Chord { root: 0, tones: vec![0, 4, 7] });
        assert_eq!(chords[1], Chord { root: 9, tones: vec![0, 3, 7] });
        assert_eq!(chords[2], Chord { root: 10, tones: vec![0, 7] });
        assert_eq!(chords[3].tones, [0, 4, 10, 14]);
        assert_eq!(progression("I quux"), None);
    }

    #[test]
    fn chord_tones_and_scale_steps_continue_in_the_next_octave() {
        let chord = progression("IV").expect("a chord").remove(0);
        assert_eq!([0, 1, 2, 3].map(|i| chord.tone(i)), [5, 9, 12, 17]);
        assert_eq!(Scale::Major.semitone(7), 12);
        assert_eq!(Scale::Major.semitone(-1), -1);
        assert_eq!(Scale::MinorPentatonic.semitone(6), 15);
    }
}
