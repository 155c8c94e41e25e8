//! The definition of a style: the ranges and lists from which its tracks are drawn.
//!
//! An item that is listed twice is twice as likely. The ten styles are in `recipes/`.

use super::drums::KitKind;
use super::instruments::Sound;
use super::pattern::Swing;
use super::theory::Scale;

/// A range of numbers; its middle is drawn more often than its ends.
pub(super) type Span = (f64, f64);

/// One bar of drums: a pattern for each drum, `x` loud and `o` soft.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groove {
    /// Bass drum.
    pub kick: &'static str,
    /// Snare.
    pub snare: &'static str,
    /// Closed hi-hat.
    pub hat: &'static str,
    /// Open hi-hat.
    pub open: &'static str,
    /// Ride or shaker.
    pub ride: &'static str,
    /// Rim click, tambourine or conga.
    pub perc: &'static str,
}

/// The movement of a melody.
#[derive(Debug, Clone, Copy)]
pub(super) struct Melody {
    /// Scales to choose from.
    pub scales: &'static [Scale],
    /// Probability that an eighth begins a note.
    pub density: Span,
    /// Probability that a note is a sixteenth later or earlier than an eighth.
    pub syncopation: Span,
    /// MIDI note around which it moves.
    pub centre: Span,
    /// Typical interval, in scale steps.
    pub leap: Span,
}

/// Levels of the parts, in dB relative to each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct MixDb {
    /// Drums.
    pub drums: Span,
    /// Bass.
    pub bass: Span,
    /// Rhythm instruments.
    pub comp: Span,
    /// Held chords.
    pub pad: Span,
    /// Voice and solo.
    pub lead: Span,
}

/// The overall sound of the recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Master {
    /// Treble relative to bass: the gain of a shelf above 1.5 kHz, dB.
    pub tilt_db: Span,
    /// Upper limit of the band, Hz.
    pub low_pass_hz: Span,
    /// Noise under the music, dB below it (negative).
    pub noise_db: Span,
    /// Size of the room, 0 to 1.
    pub room: Span,
    /// Level of the echo, 0 to 1.
    pub wet: Span,
    /// Amount of compression, 0 to 4.
    pub squash: Span,
    /// RMS of the mix, dB below full scale (negative).
    pub level_db: Span,
}

/// A style of music.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// The name, one of `STYLES`.
    pub name: &'static str,
    /// The styles that it borrows from.
    pub neighbors: &'static [&'static str],
    /// Beats per minute.
    pub tempo_bpm: Span,
    /// Swing: 0 for straight, 1/6 for a full triplet.
    pub swing: Span,
    /// The notes that swing.
    pub swing_on: Swing,
    /// Progressions in Roman numerals, one chord per bar.
    pub progressions: &'static [&'static str],
    /// Drum patterns; empty for no drums.
    pub grooves: &'static [Groove],
    /// Drum kits.
    pub kits: &'static [KitKind],
    /// Bass patterns: `r` root, `3` third, `5` fifth, `8` octave, `w` a walking step.
    pub bass_lines: &'static [&'static str],
    /// Bass instruments.
    pub basses: &'static [Sound],
    /// Rhythm patterns: `x` a chord, `s` a short one, `a` the next tone of an arpeggio.
    pub comps: &'static [&'static str],
    /// Rhythm instruments.
    pub comp_sounds: &'static [Sound],
    /// MIDI note around which chords lie.
    pub comp_centre: Span,
    /// Instruments of held chords.
    pub pads: &'static [Sound],
    /// Instruments of the verse's melody, mostly voices.
    pub leads: &'static [Sound],
    /// Instruments of the solo.
    pub solos: &'static [Sound],
    /// Movement of the melodies.
    pub melody: Melody,
    /// Levels.
    pub mix: MixDb,
    /// Overall sound.
    pub master: Master,
}

#[cfg(test)]
mod tests {
    use super::super::pattern::{STEPS, steps};
    use super::super::recipes::RECIPES;
    use super::super::{STYLES, theory};

    #[test]
    fn every_recipe_has_its_name_and_known_neighbors() {
        assert_eq!(RECIPES.map(|recipe| recipe.name), STYLES);
        for recipe in &RECIPES {
            assert!(!recipe.neighbors.is_empty(), "{}", recipe.name);
            for neighbor in recipe.neighbors {
                assert!(STYLES.contains(neighbor) && *neighbor != recipe.name, "{neighbor}");
            }
        }
    }

    #[test]
    fn every_pattern_is_one_bar_of_known_symbols() {
        let check = |text: &str, symbols: &str| {
            assert_eq!(text.len(), STEPS, "`{text}`");
            assert!(steps(text).iter().all(|step| symbols.contains(step.symbol)), "`{text}`");
        };
        for recipe in &RECIPES {
            for g in recipe.grooves {
                let rows = [g.kick, g.snare, g.hat, g.open, g.ride, g.perc];
                for row in rows {
                    check(row, "xo");
                }
            }
            for line in recipe.bass_lines {
                check(line, "r358w");
            }
            for comp in recipe.comps {
                check(comp, "xsa");
            }
        }
    }

    #[test]
    fn every_progression_reads_and_every_span_ascends() {
        for recipe in &RECIPES {
            for text in recipe.progressions {
                assert!(theory::progression(text).is_some(), "`{text}`");
            }
            let (m, x, k) = (recipe.melody, recipe.mix, recipe.master);
            let spans = [
                recipe.tempo_bpm,
                recipe.swing,
                recipe.comp_centre,
                m.density,
                m.syncopation,
                m.centre,
                m.leap,
                x.drums,
                x.bass,
                x.comp,
                x.pad,
                x.lead,
                k.tilt_db,
                k.low_pass_hz,
                k.noise_db,
                k.room,
                k.wet,
                k.squash,
                k.level_db,
            ];
            assert!(spans.iter().all(|(low, high)| low <= high), "{}", recipe.name);
            let lists = [recipe.basses, recipe.comp_sounds, recipe.pads, recipe.leads];
            assert!(lists.iter().all(|list| !list.is_empty()), "{}", recipe.name);
            assert!(!recipe.solos.is_empty() && !recipe.kits.is_empty(), "{}", recipe.name);
        }
    }
}
