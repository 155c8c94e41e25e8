//! The instruments: each is a voice with a chain of effects, drawn again for each track.

use super::effects::{Biquad, overdrive};
use super::voices::{Envelope, Fm, Note, Pluck, Sung, Tone};
use super::wave::Wavetable;
use crate::vocab::Rng;

/// An instrument by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    /// Steel-string acoustic guitar.
    SteelGuitar,
    /// Nylon-string guitar.
    NylonGuitar,
    /// Electric guitar without overdrive.
    CleanGuitar,
    /// Electric guitar, warm overdrive.
    CrunchGuitar,
    /// Electric guitar, heavy distortion.
    MetalGuitar,
    /// Banjo.
    Banjo,
    /// Pedal steel guitar.
    PedalSteel,
    /// Grand piano.
    Piano,
    /// Electric piano.
    ElectricPiano,
    /// Drawbar organ.
    Organ,
    /// String section.
    Strings,
    /// Solo fiddle or violin.
    Fiddle,
    /// Flute.
    Flute,
    /// Brass section.
    Brass,
    /// Saxophone.
    Sax,
    /// Harmonica.
    Harmonica,
    /// Slow synthesizer chords.
    SynthPad,
    /// Short synthesizer notes.
    SynthPluck,
    /// Synthesizer melody.
    SynthLead,
    /// Singing voice.
    Voice,
    /// Rhythmic speech.
    Rap,
    /// Double bass, plucked.
    UprightBass,
    /// Electric bass, fingers.
    FingerBass,
    /// Electric bass, pick.
    PickBass,
    /// Synthesizer bass.
    SynthBass,
    /// A long sine in the lowest octave.
    SubBass,
}

#[derive(Debug, Clone)]
enum Player {
    Tone(Tone),
    Fm(Fm),
    Pluck(Pluck),
    Sung(Sung),
}

/// One instrument with the sound that it has in one track.
#[derive(Debug, Clone)]
pub(super) struct Instrument {
    /// What it is.
    pub sound: Sound,
    player: Player,
    drive: f32,
    filters: Vec<Biquad>,
    /// Delay between the strings of a strummed chord, in seconds.
    pub strum_s: f64,
}

impl Instrument {
    /// Adds a note to a waveform.
    pub(super) fn play(&self, note: &Note, bus: &mut [f32]) {
        match &self.player {
            Player::Tone(tone) => tone.play(note, bus),
            Player::Fm(fm) => fm.play(note, bus),
            Player::Pluck(pluck) => pluck.play(note, bus),
            Player::Sung(sung) => sung.play(note, bus),
        }
    }

    /// Applies the effects to the sum of the instrument's notes: overdrive, then cabinet or body.
    pub(super) fn finish(&self, bus: &mut [f32]) {
        if self.drive > 0.0 {
            overdrive(bus, self.drive);
        }
        for filter in &self.filters {
            filter.clone().run(bus);
        }
    }
}

impl Sound {
    /// Every instrument, for tests.
    #[cfg(test)]
    pub(super) const ALL: [Self; 26] = [
        Self::SteelGuitar,
        Self::NylonGuitar,
        Self::CleanGuitar,
        Self::CrunchGuitar,
        Self::MetalGuitar,
        Self::Banjo,
        Self::PedalSteel,
        Self::Piano,
        Self::ElectricPiano,
        Self::Organ,
        Self::Strings,
        Self::Fiddle,
        Self::Flute,
        Self::Brass,
        Self::Sax,
        Self::Harmonica,
        Self::SynthPad,
        Self::SynthPluck,
        Self::SynthLead,
        Self::Voice,
        Self::Rap,
        Self::UprightBass,
        Self::FingerBass,
        Self::PickBass,
        Self::SynthBass,
        Self::SubBass,
    ];

    /// Returns its name in lower case: `steel guitar`.
    #[must_use]
    pub(super) fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push(' ');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }

    /// Draws the instrument for one track: its wave, envelope, drive and a resonance.
    #[must_use]
    pub(super) fn draw(self, rng: &mut Rng) -> Instrument {
        let player = self.player(rng);
        let (drive, cabinet_hz, strum_s) = match self {
            Self::SteelGuitar | Self::NylonGuitar => (0.0, 8_000.0, 0.014),
            Self::CleanGuitar => (0.3, 5_500.0, 0.010),
            Self::CrunchGuitar => (6.0, 5_000.0, 0.008),
            Self::MetalGuitar => (30.0, 5_500.0, 0.003),
            Self::Harmonica => (1.2, 5_000.0, 0.0),
            Self::Organ => (0.5, 6_000.0, 0.0),
            Self::UprightBass | Self::FingerBass => (0.0, 2_000.0, 0.0),
            Self::PickBass => (0.6, 3_500.0, 0.0),
            Self::SynthBass => (0.5, 5_000.0, 0.0),
            Self::SubBass => (0.8, 900.0, 0.0),
            _ => (0.0, 9_500.0, 0.0),
        };
        let filters = vec![
            Biquad::low_pass(cabinet_hz * rng.range(0.75, 1.15)),
            Biquad::peak(300.0 * libm::exp2(rng.range(0.0, 3.5)), rng.range(-5.0, 7.0)),
        ];
        Instrument {
            sound: self,
            player,
            drive: (drive * rng.range(0.6, 1.6)) as f32,
            filters,
            strum_s,
        }
    }

    fn player(self, rng: &mut Rng) -> Player {
        match self {
            Self::SteelGuitar => pluck(rng, 0.65, 0.18, 2.5, 0.08),
            Self::NylonGuitar => pluck(rng, 0.30, 0.35, 1.6, 0.10),
            Self::CleanGuitar => pluck(rng, 0.45, 0.25, 2.2, 0.05),
            Self::CrunchGuitar => pluck(rng, 0.50, 0.22, 4.0, 0.04),
            Self::MetalGuitar => pluck(rng, 0.60, 0.15, 6.0, 0.03),
            Self::Banjo => pluck(rng, 0.90, 0.10, 0.7, 0.08),
            Self::UprightBass => pluck(rng, 0.10, 0.45, 1.0, 0.08),
            Self::FingerBass => pluck(rng, 0.15, 0.40, 2.2, 0.04),
            Self::PickBass => pluck(rng, 0.40, 0.25, 2.5, 0.04),
            Self::ElectricPiano => Player::Fm(Fm {
                envelope: envelope(rng, [0.003, 0.7, 0.05, 0.12]),
                ratio: if rng.uniform() < 0.7 { 1.0 } else { 3.0 },
                index: rng.range(0.7, 2.0) as f32,
            }),
            Self::Voice => sung(rng, [0.04, 0.3, 0.75, 0.08], 0.012, 0.0),
            Self::Rap => sung(rng, [0.01, 0.12, 0.5, 0.03], 0.0, 0.25),
            _ => Player::Tone(self.tone(rng)),
        }
    }

    fn tone(self, rng: &mut Rng) -> Tone {
        // Slope and evenness of the harmonics; envelope; detune in cents; cutoff and its swing;
        // vibrato; breath.
        let (slope, even, shape, cents, cutoff, swing, vibrato, breath) = match self {
            Self::PedalSteel => (1.3, 0.8, [0.06, 1.5, 0.6, 0.25], 3.0, 5.0, 2.0, 0.008, 0.0),
            Self::Piano => (1.5, 0.9, [0.003, 0.8, 0.02, 0.12], 1.5, 2.5, 6.0, 0.0, 0.0),
            Self::Organ => (0.7, 0.5, [0.008, 0.3, 0.95, 0.03], 1.0, 9.0, 0.0, 0.004, 0.01),
            Self::Strings => (1.0, 1.0, [0.12, 0.8, 0.85, 0.20], 9.0, 4.0, 2.5, 0.005, 0.03),
            Self::Fiddle => (0.9, 0.9, [0.05, 0.5, 0.80, 0.08], 1.0, 5.0, 3.0, 0.009, 0.04),
            Self::Flute => (2.4, 0.7, [0.05, 0.4, 0.85, 0.08], 0.0, 5.0, 1.0, 0.007, 0.15),
            Self::Brass => (0.8, 1.0, [0.04, 0.3, 0.80, 0.06], 5.0, 1.5, 7.0, 0.004, 0.02),
            Self::Sax => (0.9, 0.6, [0.03, 0.4, 0.80, 0.06], 0.0, 2.5, 4.5, 0.008, 0.10),
            Self::Harmonica => (0.7, 0.8, [0.03, 0.4, 0.85, 0.05], 4.0, 6.0, 3.0, 0.010, 0.06),
            Self::SynthPad => (1.0, 1.0, [0.25, 1.0, 0.90, 0.40], 14.0, 2.5, 1.5, 0.002, 0.0),
            Self::SynthPluck => (0.9, 1.0, [0.004, 0.2, 0.05, 0.08], 8.0, 1.5, 9.0, 0.0, 0.0),
            Self::SynthLead => (0.8, 0.3, [0.01, 0.3, 0.75, 0.06], 6.0, 4.0, 4.0, 0.005, 0.0),
            Self::SynthBass => (0.9, 0.8, [0.005, 0.2, 0.40, 0.04], 7.0, 2.0, 8.0, 0.0, 0.0),
            _ => (2.6, 0.6, [0.008, 1.2, 0.40, 0.12], 0.0, 4.0, 0.0, 0.0, 0.0),
        };
        let slope = slope * rng.range(0.8, 1.25);
        let even = (even * rng.range(0.6, 1.3f64)).min(1.0);
        Tone {
            wave: wave(rng, slope, even),
            envelope: envelope(rng, shape),
            detune: libm::exp2(cents * rng.range(0.4, 1.6) / 1200.0) as f32,
            cutoff: (cutoff * rng.range(0.65, 1.5)) as f32,
            cutoff_swing: (swing * rng.range(0.6, 1.5)) as f32,
            vibrato_hz: rng.range(4.5, 6.5) as f32,
            vibrato: (vibrato * rng.range(0.4, 1.5)) as f32,
            breath: (breath * rng.range(0.3, 2.0)) as f32,
        }
    }
}

/// Returns harmonics that fall with a slope, the even ones weaker, with small random deviations.
fn wave(rng: &mut Rng, slope: f64, even: f64) -> Wavetable {
    let amplitudes: Vec<f64> = (1..=48u32)
        .map(|k| {
            let side = if k % 2 == 0 { even } else { 1.0 };
            side * libm::pow(f64::from(k), -slope) * libm::exp(0.35 * rng.normal())
        })
        .collect();
    Wavetable::from_harmonics(&amplitudes)
}

fn envelope(rng: &mut Rng, [attack, decay, sustain, release]: [f64; 4]) -> Envelope {
    let mut near = |x: f64| (x * rng.range(0.6, 1.6)) as f32;
    Envelope {
        attack_s: near(attack),
        decay_s: near(decay),
        sustain: near(sustain).min(0.98),
        release_s: near(release),
    }
}

fn pluck(rng: &mut Rng, brightness: f64, damping: f64, ring_s: f64, release_s: f64) -> Player {
    Player::Pluck(Pluck {
        brightness: (brightness * rng.range(0.6, 1.5)).min(1.0) as f32,
        damping: (damping * rng.range(0.6, 1.4)).min(0.5) as f32,
        ring_s: (ring_s * rng.range(0.6, 1.5)) as f32,
        release_s: (release_s * rng.range(0.6, 1.5)) as f32,
    })
}

fn sung(rng: &mut Rng, shape: [f64; 4], vibrato: f64, fall: f64) -> Player {
    let slope = rng.range(0.6, 1.3);
    Player::Sung(Sung {
        wave: wave(rng, slope, 1.0),
        envelope: envelope(rng, shape),
        tract: rng.range(0.85, 1.2) as f32,
        vibrato: (vibrato * rng.range(0.2, 1.6)) as f32,
        breath: rng.range(0.02, 0.25) as f32,
        fall: (fall * rng.range(0.3, 1.5)) as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn every_instrument_sounds_and_no_two_draws_are_alike() {
        let note = Note { start: 0, gate: 6_000, hz: 196.0, velocity: 0.7, seed: 5 };
        for sound in Sound::ALL {
            let render = |draw: u64| {
                let mut bus = vec![0.0; 12_000];
                let instrument = sound.draw(&mut Seed(draw).rng("instrument", &[]));
                instrument.play(&note, &mut bus);
                instrument.finish(&mut bus);
                bus
            };
            let (a, b) = (render(1), render(2));
            assert!(a.iter().all(|x| x.is_finite()), "{sound:?}");
            assert!(a.iter().any(|x| x.abs() > 0.01), "{sound:?}");
            assert_ne!(a, b, "{sound:?}");
            assert_eq!(a, render(1), "{sound:?}");
        }
    }
}
