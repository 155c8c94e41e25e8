//! The plan of one track: everything that is drawn once and stays the same for its thirty seconds.
//!
//! A track draws most of its plan from its own style and some from neighboring styles: a rock song
//! with a metal guitar, or a pop song with a disco beat.

use super::drums::{Kit, KitKind};
use super::effects::Biquad;
use super::instruments::{Instrument, Sound};
use super::pattern::Swing;
use super::recipes::RECIPES;
use super::styles::{Groove, Span, Style};
use super::theory::{Chord, Scale, pick, progression};
use super::track::{STYLES, stream};
use crate::vocab::{Rng, Seed};

/// Probability that a part comes from a neighboring style, for the purest and the least pure track.
const BORROWED: Span = (0.02, 0.20);
/// Probability that a track's overall sound is drawn from the range of all styles instead of its
/// own.
const ANY_MASTER: f64 = 0.08;

/// Probability that verse and chorus have the same rhythm instrument.
const SAME_COMP: f64 = 0.6;

/// A rhythm and the instrument that plays it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// One bar in the notation of `pattern`.
    pub pattern: &'static str,
    /// The instrument.
    pub instrument: Instrument,
    /// MIDI note around which it plays.
    pub centre: f64,
    /// Level in dB relative to the other parts.
    pub level_db: f64,
}

/// The character of a melody, and its instrument.
#[derive(Debug, Clone)]
pub(super) struct Singer {
    /// The instrument or voice.
    pub instrument: Instrument,
    /// The notes to choose from.
    pub scale: Scale,
    /// Probability that an eighth begins a note.
    pub density: f64,
    /// Probability that a note is moved by a sixteenth.
    pub syncopation: f64,
    /// MIDI note around which the melody moves.
    pub centre: f64,
    /// Typical interval, in scale steps.
    pub leap: f64,
    /// Level in dB relative to the other parts.
    pub level_db: f64,
}

/// How the mix becomes a recording.
#[derive(Debug, Clone)]
pub(super) struct Sheen {
    /// Equalizer of the track, including the limits of its band.
    pub filters: Vec<Biquad>,
    /// Size of the room, 0 to 1.
    pub room: f64,
    /// Level of the echo.
    pub wet: f64,
    /// Amount of compression.
    pub squash: f64,
    /// Noise below the music, dB.
    pub noise_db: f64,
    /// Crackles of a record per second.
    pub crackles_hz: f64,
    /// RMS below full scale, dB.
    pub level_db: f64,
}

/// Everything that stays the same within a track.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Tempo in beats per minute.
    pub tempo_bpm: f64,
    /// Amount of swing.
    pub swing: f64,
    /// The notes that swing.
    pub swing_on: Swing,
    /// Typical timing error of a player, in seconds.
    pub looseness_s: f64,
    /// Semitones of the key above C.
    pub key: i32,
    /// The repeated progression, one chord per bar.
    pub chords: Vec<Chord>,
    /// Drum patterns of verse and chorus, and the level of the drums in dB; `None` without drums.
    pub drums: Option<([Groove; 2], Kit, f64)>,
    /// Bass.
    pub bass: Part,
    /// Rhythm instruments of verse and chorus.
    pub comps: [Part; 2],
    /// Held chords.
    pub pad: Part,
    /// Melodies of verse and chorus, and of the solo.
    pub singers: [Singer; 2],
    /// The sound of the recording.
    pub sheen: Sheen,
}

/// Chooses the style that each part comes from.
struct Sources {
    own: &'static Style,
    borrowed: f64,
}

impl Sources {
    fn style(&self, rng: &mut Rng) -> &'static Style {
        if rng.uniform() >= self.borrowed {
            return self.own;
        }
        let name = pick(rng, self.own.neighbors);
        RECIPES.iter().find(|recipe| recipe.name == name).unwrap_or(self.own)
    }
}

/// Draws from a span; values in its middle are more likely than at its ends.
fn span(rng: &mut Rng, (low, high): Span) -> f64 {
    low + (high - low) * f64::midpoint(rng.uniform(), rng.uniform())
}

impl Plan {
    /// Draws the plan of a track; it only depends on the seed, the style and the number.
    #[must_use]
    pub(super) fn draw(seed: Seed, style: usize, track: u32) -> Self {
        let rng = &mut stream(seed, "plan", style, track);
        let own = &RECIPES[style % STYLES.len()];
        let impurity = rng.uniform();
        let sources = Sources {
            own,
            borrowed: span(rng, (BORROWED.0, BORROWED.0 + (BORROWED.1 - BORROWED.0) * impurity)),
        };
        let feel = sources.style(rng);
        let drums = sources.style(rng);
        let levels = sources.style(rng);
        Self {
            tempo_bpm: span(rng, feel.tempo_bpm),
            swing: span(rng, feel.swing),
            swing_on: feel.swing_on,
            looseness_s: rng.range(0.001, 0.009),
            key: rng.below(12) as i32,
            chords: chords(sources.style(rng), rng),
            drums: draw_drums(drums, sources.style(rng), levels, rng),
            bass: bass(sources.style(rng), sources.style(rng), levels, rng),
            comps: comps(&sources, levels, rng),
            pad: pad(sources.style(rng), levels, rng),
            singers: [
                singer(sources.style(rng), |style| style.leads, levels, rng),
                singer(sources.style(rng), |style| style.solos, levels, rng),
            ],
            sheen: sheen(sources.style(rng), rng),
        }
    }
}

fn chords(style: &Style, rng: &mut Rng) -> Vec<Chord> {
    let text = pick(rng, style.progressions);
    progression(text).expect("a test in `styles` checks the progressions of all recipes")
}

fn draw_drums(
    beat: &Style,
    kit: &Style,
    levels: &Style,
    rng: &mut Rng,
) -> Option<([Groove; 2], Kit, f64)> {
    if beat.grooves.is_empty() {
        return None;
    }
    let grooves = [pick(rng, beat.grooves), pick(rng, beat.grooves)];
    let kind: KitKind = pick(rng, kit.kits);
    Some((grooves, Kit::draw(kind, rng), span(rng, levels.mix.drums)))
}

fn bass(line: &Style, sound: &Style, levels: &Style, rng: &mut Rng) -> Part {
    part(pick(rng, line.bass_lines), pick(rng, sound.basses), (33.0, 40.0), levels.mix.bass, rng)
}

/// Draws the rhythm parts of verse and chorus; most bands use the same instrument for both.
fn comps(sources: &Sources, levels: &Style, rng: &mut Rng) -> [Part; 2] {
    let verse = comp(sources.style(rng), sources.style(rng), levels, rng);
    let mut chorus = comp(sources.style(rng), sources.style(rng), levels, rng);
    if rng.uniform() < SAME_COMP {
        chorus.instrument = verse.instrument.clone();
        chorus.centre = verse.centre;
    }
    [verse, chorus]
}

fn comp(rhythm: &Style, sound: &Style, levels: &Style, rng: &mut Rng) -> Part {
    let instrument = pick(rng, sound.comp_sounds);
    part(pick(rng, rhythm.comps), instrument, sound.comp_centre, levels.mix.comp, rng)
}

fn pad(style: &Style, levels: &Style, rng: &mut Rng) -> Part {
    let sound = pick(rng, style.pads);
    part("x---------------", sound, style.comp_centre, levels.mix.pad, rng)
}

fn part(pattern: &'static str, sound: Sound, centre: Span, level: Span, rng: &mut Rng) -> Part {
    Part {
        pattern,
        instrument: sound.draw(rng),
        centre: span(rng, centre),
        level_db: span(rng, level),
    }
}

fn singer(
    style: &Style,
    sounds: impl Fn(&Style) -> &'static [Sound],
    levels: &Style,
    rng: &mut Rng,
) -> Singer {
    let melody = style.melody;
    Singer {
        instrument: pick(rng, sounds(style)).draw(rng),
        scale: pick(rng, melody.scales),
        density: span(rng, melody.density),
        syncopation: span(rng, melody.syncopation),
        centre: span(rng, melody.centre),
        leap: span(rng, melody.leap),
        level_db: span(rng, levels.mix.lead),
    }
}

fn sheen(style: &Style, rng: &mut Rng) -> Sheen {
    // Each property of the recording comes from the style, or sometimes from any style.
    let mut trait_of = |of: fn(&Style) -> Span| {
        let from =
            if rng.uniform() < ANY_MASTER { &RECIPES[rng.below(RECIPES.len())] } else { style };
        span(rng, of(from))
    };
    let tilt_db = trait_of(|s| s.master.tilt_db);
    let low_pass_hz = trait_of(|s| s.master.low_pass_hz);
    let room = trait_of(|s| s.master.room);
    let wet = trait_of(|s| s.master.wet);
    let squash = trait_of(|s| s.master.squash);
    let noise_db = trait_of(|s| s.master.noise_db);
    let level_db = trait_of(|s| s.master.level_db);
    let mut filters = vec![
        Biquad::high_pass(rng.range(25.0, 70.0)),
        Biquad::high_shelf(1_500.0, tilt_db + rng.range(-1.0, 1.0)),
        Biquad::low_pass(low_pass_hz),
        Biquad::low_pass((low_pass_hz * 1.05).min(10_500.0)),
    ];
    for low_hz in [120.0, 500.0, 2_000.0] {
        filters.push(Biquad::peak(low_hz * libm::exp2(rng.range(0.0, 2.0)), rng.range(-3.0, 3.0)));
    }
    let crackles_hz = if noise_db > -40.0 { rng.range(0.0, 12.0) } else { 0.0 };
    Sheen { filters, room, wet, squash, noise_db, crackles_hz, level_db }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_differ_between_tracks_and_repeat_for_a_track() {
        let tempo = |track| Plan::draw(Seed(1), 9, track).tempo_bpm;
        assert_eq!(tempo(3).to_bits(), tempo(3).to_bits());
        assert_ne!(tempo(3).to_bits(), tempo(4).to_bits());
    }

    #[test]
    fn most_tracks_keep_their_own_tempo_and_some_borrow() {
        let disco = RECIPES[3].tempo_bpm;
        let bpm = |track| Plan::draw(Seed(1), 3, track).tempo_bpm;
        let own = (0..300).filter(|track| (disco.0..disco.1).contains(&bpm(*track))).count();
        assert!((220..299).contains(&own), "{own}");
    }

    #[test]
    fn classical_tracks_seldom_have_drums() {
        let drummed =
            |style| (0..100).filter(|t| Plan::draw(Seed(1), style, *t).drums.is_some()).count();
        assert!(drummed(1) < 45);
        assert!(drummed(9) > 90);
    }
}
