//! Turns a plan into a score: sections, bars and every note in them.

use super::N_SAMPLES;
use super::drums::Drum;
use super::pattern::{Step, steps};
use super::plan::{Part, Plan, Singer};
use super::theory::{Chord, pick};
use super::voices::Note;
use super::wave::{midi_hz, samples};
use crate::vocab::Rng;

/// A section of the song, by who plays in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Intro,
    Verse,
    Chorus,
    Break,
    Solo,
}

impl Section {
    /// Returns the sections that may follow.
    fn next(self) -> &'static [Self] {
        match self {
            Self::Intro => &[Self::Verse, Self::Verse, Self::Chorus],
            Self::Verse => &[Self::Chorus, Self::Chorus, Self::Verse, Self::Solo, Self::Break],
            Self::Chorus => &[Self::Verse, Self::Verse, Self::Solo, Self::Chorus, Self::Break],
            Self::Break => &[Self::Verse, Self::Chorus, Self::Solo],
            Self::Solo => &[Self::Verse, Self::Chorus],
        }
    }

    fn loudness(self) -> f32 {
        match self {
            Self::Intro => 0.55,
            Self::Verse | Self::Break => 0.75,
            Self::Chorus => 1.0,
            Self::Solo => 0.9,
        }
    }
}

/// A hit of a drum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    /// The drum.
    pub drum: Drum,
    /// First sample.
    pub start: usize,
    /// Loudness, 0 to 1.
    pub velocity: f32,
}

/// All notes of a track, by part.
#[derive(Debug, Clone, Default)]
pub(super) struct Score {
    /// Drum hits.
    pub hits: Vec<Hit>,
    /// Bass.
    pub bass: Vec<Note>,
    /// Rhythm instruments of verse and chorus.
    pub comps: [Vec<Note>; 2],
    /// Held chords.
    pub pad: Vec<Note>,
    /// Melody and solo.
    pub singers: [Vec<Note>; 2],
}

impl Score {
    /// Writes the score of a plan: an excerpt that starts at any place in a song.
    #[must_use]
    pub(super) fn write(plan: &Plan, rng: &mut Rng) -> Self {
        let mut writer = Writer::new(plan, rng);
        let bar_s = 240.0 / plan.tempo_bpm;
        let bars_a_section = if bar_s > 2.9 { 2 } else { 4 };
        let motifs = [0, 1].map(|i| Motif::draw(&plan.singers[i], writer.rng));
        let mut section = pick(
            writer.rng,
            &[Section::Intro, Section::Verse, Section::Verse, Section::Chorus, Section::Solo],
        );
        let first_bar = writer.rng.below(plan.chords.len().max(bars_a_section));
        let offset_s = writer.rng.uniform() * bar_s;
        let n_bars = (f64::from(super::SECONDS) / bar_s) as usize + 2;
        for i in 0..n_bars {
            let bar = first_bar + i;
            if i > 0 && bar.is_multiple_of(bars_a_section) {
                section = pick(writer.rng, section.next());
            }
            writer.start_s = i as f64 * bar_s - offset_s;
            writer.loudness = section.loudness();
            let fills = (bar + 1).is_multiple_of(bars_a_section);
            writer.bar(section, bar, fills, &motifs);
        }
        writer.score
    }
}

struct Writer<'a> {
    plan: &'a Plan,
    rng: &'a mut Rng,
    score: Score,
    start_s: f64,
    loudness: f32,
}

impl<'a> Writer<'a> {
    fn new(plan: &'a Plan, rng: &'a mut Rng) -> Self {
        Self { plan, rng, score: Score::default(), start_s: 0.0, loudness: 1.0 }
    }

    fn bar(&mut self, section: Section, bar: usize, fills: bool, motifs: &[Motif; 2]) {
        let plan = self.plan;
        let chord = &plan.chords[bar % plan.chords.len()];
        let second = usize::from(section == Section::Chorus);
        self.drums(section, second, fills);
        if section != Section::Intro {
            self.bass(chord);
        }
        if section != Section::Break {
            self.comp(chord, second);
        }
        if matches!(section, Section::Chorus | Section::Intro) {
            let notes = self.chord(&plan.pad, chord, &steps(plan.pad.pattern));
            self.score.pad.extend(notes);
        }
        match section {
            Section::Verse | Section::Chorus => self.melody(&motifs[0], 0, bar, chord),
            Section::Solo => self.melody(&motifs[1], 1, bar, chord),
            Section::Intro | Section::Break => {}
        }
    }

    /// Returns when a step of this bar sounds, in seconds, with the player's timing error.
    fn time_s(&mut self, step: f64) -> f64 {
        let plan = self.plan;
        let beat = plan.swing_on.beat(step, plan.swing);
        let error_s = plan.looseness_s * self.rng.normal();
        self.start_s + beat * 60.0 / plan.tempo_bpm + error_s
    }

    fn note(&mut self, step: f64, length: f64, midi: f64, accent: f32) -> Option<Note> {
        let start_s = self.time_s(step);
        // A note that began before the excerpt continues from its start.
        let gate = samples(start_s.min(0.0) + length * 15.0 / self.plan.tempo_bpm);
        let start = samples(start_s);
        if gate == 0 || start >= N_SAMPLES {
            return None;
        }
        let touch = 1.0 + 0.12 * self.rng.normal() as f32;
        Some(Note {
            start,
            gate,
            hz: midi_hz(midi),
            velocity: (accent * self.loudness * touch).clamp(0.05, 1.0),
            seed: self.rng.next_u64() as u32,
        })
    }

    fn drums(&mut self, section: Section, second: usize, fills: bool) {
        let Some((grooves, _, _)) = self.plan.drums.as_ref() else { return };
        let groove = grooves[second];
        let rows = [groove.kick, groove.snare, groove.hat, groove.open, groove.ride, groove.perc];
        for (drum, row) in Drum::ALL.into_iter().zip(rows) {
            if section == Section::Intro && matches!(drum, Drum::Kick | Drum::Snare) {
                continue;
            }
            for step in steps(row) {
                let accent = if step.symbol == 'x' { 0.9 } else { 0.45 };
                self.hit(drum, step.at, accent);
            }
        }
        if fills && section != Section::Intro {
            for at in [12, 13, 14, 15] {
                if self.rng.uniform() < 0.6 {
                    self.hit(Drum::Snare, at, 0.6);
                }
            }
        }
    }

    fn hit(&mut self, drum: Drum, at: usize, accent: f32) {
        let start_s = self.time_s(at as f64);
        if start_s < 0.0 || samples(start_s) >= N_SAMPLES {
            return;
        }
        let start = samples(start_s);
        let touch = 1.0 + 0.15 * self.rng.normal() as f32;
        let velocity = (accent * self.loudness.max(0.7) * touch).clamp(0.05, 1.2);
        self.score.hits.push(Hit { drum, start, velocity });
    }

    fn bass(&mut self, chord: &Chord) {
        let part = &self.plan.bass;
        for step in steps(part.pattern) {
            let above = match step.symbol {
                '3' => chord.tone(1),
                '5' => chord.root + 7,
                '8' => chord.root + 12,
                'w' => chord.root + [2, 4, 5, 9, 10, 11][self.rng.below(6)],
                _ => chord.root,
            };
            let midi = near(self.plan.key + above, part.centre + 4.0);
            let note = self.note(step.at as f64, step.length as f64 * 0.95, midi, 0.8);
            self.score.bass.extend(note);
        }
    }

    fn comp(&mut self, chord: &Chord, second: usize) {
        let part = &self.plan.comps[second];
        let notes = self.chord(part, chord, &steps(part.pattern));
        self.score.comps[second].extend(notes);
    }

    fn chord(&mut self, part: &Part, chord: &Chord, events: &[Step]) -> Vec<Note> {
        let mut notes = Vec::new();
        let n_tones = chord.tones.len();
        for (count, step) in events.iter().enumerate() {
            let (at, length) = (step.at as f64, step.length as f64);
            if step.symbol == 'a' {
                let turn = [0, 1, 2, 3, 2, 1][count % 6];
                let midi = near(self.plan.key + chord.root, part.centre)
                    + f64::from(chord.tone(turn) - chord.root);
                notes.extend(self.note(at, length.max(2.0), midi, 0.75));
                continue;
            }
            let held = if step.symbol == 's' { 0.5 } else { length * 0.97 };
            for tone in 0..n_tones.max(3) {
                let midi = near(self.plan.key + chord.tone(tone), part.centre + 5.0)
                    + if tone >= n_tones { 12.0 } else { 0.0 };
                let late = (tone as f64 * part.instrument.strum_s * self.plan.tempo_bpm) / 15.0;
                notes.extend(self.note(at + late.min(0.6), held, midi, 0.7));
            }
        }
        notes
    }

    fn melody(&mut self, motif: &Motif, index: usize, bar: usize, chord: &Chord) {
        let singer = &self.plan.singers[index];
        for &(at, length, step) in motif.bar(bar) {
            let mut above = singer.scale.semitone(step);
            if at.is_multiple_of(8) {
                // Notes on strong beats belong to the chord.
                let target = |tone: &i32| (chord.root + tone - above).rem_euclid(12).min(6);
                let tone = chord.tones.iter().min_by_key(|tone| target(tone)).unwrap_or(&0);
                above += (chord.root + tone - above).rem_euclid(12).min(3) % 3;
            }
            let base = near(self.plan.key, singer.centre);
            let note = self.note(at as f64, length as f64 * 0.92, base + f64::from(above), 0.85);
            self.score.singers[index].extend(note);
        }
    }
}

/// Returns the octave of a pitch class that is within a tritone of a center.
fn near(semitones: i32, centre: f64) -> f64 {
    let pitch = f64::from(semitones);
    pitch + 12.0 * libm::round((centre - pitch) / 12.0)
}

/// Two one-bar ideas and their order over four bars. Events are (step, length, scale step).
#[derive(Debug, Clone)]
struct Motif {
    ideas: [Vec<(usize, usize, i32)>; 3],
}

impl Motif {
    fn draw(singer: &Singer, rng: &mut Rng) -> Self {
        Self { ideas: [0, 1, 2].map(|_| Self::idea(singer, rng)) }
    }

    fn bar(&self, bar: usize) -> &[(usize, usize, i32)] {
        &self.ideas[[0, 1, 0, 2][bar % 4]]
    }

    fn idea(singer: &Singer, rng: &mut Rng) -> Vec<(usize, usize, i32)> {
        let mut onsets: Vec<usize> = Vec::new();
        for eighth in 0..8 {
            let weight = if eighth % 2 == 0 { 1.25 } else { 0.8 };
            if rng.uniform() < singer.density * weight {
                let moved = usize::from(rng.uniform() < singer.syncopation);
                onsets.push(eighth * 2 + moved);
            }
            if singer.density > 0.75 && rng.uniform() < singer.density - 0.5 {
                onsets.push(eighth * 2 + 1);
            }
        }
        onsets.dedup();
        let mut step = rng.below(5) as i32 - 2;
        let ends = onsets.iter().skip(1).copied().chain([16]).collect::<Vec<_>>();
        onsets
            .iter()
            .zip(ends)
            .map(|(at, end)| {
                step += libm::round(singer.leap * rng.normal()) as i32;
                step = step.clamp(-5, 6);
                let longest = if rng.uniform() < 0.3 { 2 } else { 6 };
                (*at, (end - at).clamp(1, longest), step)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    fn score(style: usize) -> Score {
        let plan = Plan::draw(Seed(1), style, 0);
        Score::write(&plan, &mut Seed(1).rng("score", &[]))
    }

    #[test]
    fn notes_lie_in_the_track_and_in_hearing() {
        for style in 0..10 {
            let score = score(style);
            let parts = [&score.bass, &score.comps[0], &score.comps[1], &score.pad];
            for note in parts.into_iter().chain(&score.singers).flatten() {
                assert!(note.start < N_SAMPLES && note.gate > 0);
                assert!((25.0..4_000.0).contains(&note.hz), "{}", note.hz);
                assert!((0.05..=1.0).contains(&note.velocity));
            }
            assert!(score.bass.len() + score.comps[0].len() + score.comps[1].len() > 20);
        }
    }

    #[test]
    fn rock_has_a_beat() {
        let n_kicks = score(9).hits.iter().filter(|hit| hit.drum == Drum::Kick).count();
        assert!((12..300).contains(&n_kicks), "{n_kicks}");
    }

    #[test]
    fn a_pitch_class_is_placed_near_its_centre() {
        assert!((near(0, 60.0) - 60.0).abs() < 1e-9);
        assert!((near(11, 60.0) - 59.0).abs() < 1e-9);
    }
}
