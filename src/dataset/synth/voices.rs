//! The four kinds of synthesis: a filtered wave, frequency modulation, a plucked string, a voice.

use super::wave::{Noise, RATE, Table, Wavetable, increment, read, sine};

/// Number of samples between two updates of envelopes, vibrato and filters (1.5 ms).
const BLOCK: usize = 32;

/// One note to play into a waveform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Note {
    /// The first sample.
    pub start: usize,
    /// Number of samples until the key is released.
    pub gate: usize,
    /// Fundamental frequency in Hz.
    pub hz: f32,
    /// Loudness, 0 to 1.
    pub velocity: f32,
    /// Seed of the noise in the note.
    pub seed: u32,
}

/// The loudness of a note from its attack to its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Envelope {
    /// Time from silence to full level, in seconds.
    pub attack_s: f32,
    /// Time of the decay to `sustain`, in seconds.
    pub decay_s: f32,
    /// The level while the key is held, 0 to 1.
    pub sustain: f32,
    /// Time of the decay to silence after the key is released, in seconds.
    pub release_s: f32,
}

/// The state of an envelope, updated once per block.
struct Level {
    envelope: Envelope,
    value: f32,
    peaked: bool,
}

impl Level {
    fn new(envelope: Envelope) -> Self {
        Self { envelope, value: 0.0, peaked: false }
    }

    /// Returns the levels at the start and the end of the next block; `None` when the note is over.
    fn next(&mut self, held: bool) -> Option<(f32, f32)> {
        let block_s = BLOCK as f32 / RATE;
        let before = self.value;
        if !held {
            if before < 1e-3 {
                return None;
            }
            self.value -= before * (block_s / self.envelope.release_s).min(1.0);
        } else if self.peaked {
            let rate = (block_s / self.envelope.decay_s).min(1.0);
            self.value += (self.envelope.sustain - before) * rate;
            if self.value < 1e-3 {
                return None;
            }
        } else {
            self.value = (before + block_s / self.envelope.attack_s).min(1.0);
            self.peaked = self.value >= 1.0;
        }
        Some((before, self.value))
    }
}

/// Calls `fill(block, level, level_step, seconds)` for each block of a note until it is over.
fn blocks(
    note: &Note,
    envelope: Envelope,
    bus: &mut [f32],
    mut fill: impl FnMut(&mut [f32], f32, f32, f32),
) {
    let Some(rest) = bus.get_mut(note.start..) else { return };
    let mut level = Level::new(envelope);
    for (i, block) in rest.chunks_mut(BLOCK).enumerate() {
        let Some((from, to)) = level.next(i * BLOCK < note.gate) else { return };
        let step = (to - from) / BLOCK as f32 * note.velocity;
        fill(block, from * note.velocity, step, (i * BLOCK) as f32 / RATE);
    }
}

/// Subtractive synthesis: two detuned waves through a low-pass that opens and closes.
#[derive(Debug, Clone)]
pub(super) struct Tone {
    /// The wave.
    pub wave: Wavetable,
    /// Loudness over time.
    pub envelope: Envelope,
    /// Frequency ratio of the second wave to the first; 1 plays one wave.
    pub detune: f32,
    /// Low-pass frequency at level 0, as a multiple of the note's.
    pub cutoff: f32,
    /// Increase of `cutoff` at full level.
    pub cutoff_swing: f32,
    /// Vibrato rate in Hz.
    pub vibrato_hz: f32,
    /// Vibrato depth as a fraction of the frequency.
    pub vibrato: f32,
    /// Level of the noise (breath, bow) relative to the wave, 0 to 1.
    pub breath: f32,
}

impl Tone {
    /// Adds a note to a waveform.
    pub(super) fn play(&self, note: &Note, bus: &mut [f32]) {
        let table = self.wave.table(note.hz);
        let mut noise = Noise::new(note.seed);
        let (mut first, mut second) = (note.seed, note.seed.rotate_left(16));
        let (mut low, mut lower) = (0.0f32, 0.0f32);
        blocks(note, self.envelope, bus, |block, mut gain, step, t| {
            let lfo = read(sine(), increment(self.vibrato_hz).wrapping_mul((t * RATE) as u32));
            let onset = (t * 4.0).min(1.0);
            let hz = note.hz * (1.0 + self.vibrato * onset * lfo);
            let (up, up2) = (increment(hz), increment(hz * self.detune));
            let w = (note.hz * (self.cutoff + self.cutoff_swing * gain)).min(9_000.0) * 6.3 / RATE;
            let a = w / (1.0 + w);
            for out in block {
                let wave = read(table, first) + read(table, second) + self.breath * noise.next();
                first = first.wrapping_add(up);
                second = second.wrapping_add(up2);
                low += a * (wave - low);
                lower += a * (low - lower);
                *out += lower * gain;
                gain += step;
            }
        });
    }
}

/// Frequency modulation of one sine by another: electric pianos and bells.
///
/// # Source
/// J. Chowning, "The synthesis of complex audio spectra by means of frequency modulation", 1973.
#[derive(Debug, Clone)]
pub(super) struct Fm {
    /// Loudness over time; the modulation follows it.
    pub envelope: Envelope,
    /// Frequency of the modulator divided by that of the carrier.
    pub ratio: f32,
    /// Modulation index at full level, radians.
    pub index: f32,
}

impl Fm {
    /// Adds a note to a waveform.
    pub(super) fn play(&self, note: &Note, bus: &mut [f32]) {
        let sine = sine();
        let (mut carrier, mut modulator) = (0u32, 0u32);
        let (up, up2) = (increment(note.hz), increment(note.hz * self.ratio));
        let depth = self.index * 4_294_967_296.0 / 6.283_185_5;
        blocks(note, self.envelope, bus, |block, mut gain, step, _| {
            for out in block {
                let bend = (depth * gain * read(sine, modulator)) as i64 as u32;
                *out += 1.4 * gain * read(sine, carrier.wrapping_add(bend));
                carrier = carrier.wrapping_add(up);
                modulator = modulator.wrapping_add(up2);
                gain += step;
            }
        });
    }
}

/// A plucked string: noise that circulates in a loop and loses its high frequencies.
///
/// # Source
/// K. Karplus, A. Strong, "Digital synthesis of plucked-string and drum timbres", 1983.
#[derive(Debug, Clone)]
pub(super) struct Pluck {
    /// Fraction of the high frequencies that the pick leaves, in (0, 1].
    pub brightness: f32,
    /// Fraction of the high frequencies that the string loses per period, in (0, 0.5].
    pub damping: f32,
    /// Time in which the string decays by 60 dB, in seconds.
    pub ring_s: f32,
    /// Time constant of the decay after the string is damped, in seconds.
    pub release_s: f32,
}

impl Pluck {
    /// Adds a note to a waveform.
    pub(super) fn play(&self, note: &Note, bus: &mut [f32]) {
        let period = RATE / note.hz;
        let length = ((period - self.damping - 0.3).max(2.0)) as usize;
        let fraction = (period - self.damping - length as f32).max(0.05);
        let pass = (1.0 - fraction) / (1.0 + fraction);
        // Each period loses a factor of 10^(-3 period / ring).
        let loss = 1.0 / (1.0 + 6.9 * period / (RATE * self.ring_s));
        let mut line = self.excitation(note, length);
        let (mut at, mut previous, mut pass_in, mut pass_out) = (0usize, 0.0f32, 0.0f32, 0.0f32);
        let envelope = Envelope {
            attack_s: 0.001,
            decay_s: self.ring_s,
            sustain: 0.0,
            release_s: self.release_s,
        };
        blocks(note, envelope, bus, |block, mut gain, step, _| {
            for out in block {
                let x = line[at];
                let soft = loss * ((1.0 - self.damping) * x + self.damping * previous);
                previous = x;
                let tuned = pass * (soft - pass_out) + pass_in;
                pass_in = soft;
                pass_out = tuned;
                line[at] = tuned;
                at = if at + 1 == length { 0 } else { at + 1 };
                *out += x * gain;
                gain += step;
            }
        });
    }

    fn excitation(&self, note: &Note, length: usize) -> Vec<f32> {
        let mut noise = Noise::new(note.seed);
        let mut low = 0.0f32;
        let mut line: Vec<f32> = (0..length)
            .map(|_| {
                low += self.brightness * (noise.next() - low);
                low
            })
            .collect();
        let mean = line.iter().sum::<f32>() / length as f32;
        for x in &mut line {
            *x -= mean;
        }
        let power = line.iter().map(|x| x * x).sum::<f32>() / length as f32;
        let scale = 0.4 / libm::sqrtf(power.max(1e-6));
        for x in &mut line {
            *x *= scale;
        }
        line
    }
}

/// A singing or speaking voice: a buzz through three moving formants.
#[derive(Debug, Clone)]
pub(super) struct Sung {
    /// The buzz of the vocal folds.
    pub wave: Wavetable,
    /// Loudness over time.
    pub envelope: Envelope,
    /// Formant frequencies relative to those of an average adult; smaller means a larger body.
    pub tract: f32,
    /// Vibrato depth as a fraction of the frequency.
    pub vibrato: f32,
    /// Level of the noise in consonants and breath, 0 to 1.
    pub breath: f32,
    /// Fraction by which the pitch falls within a second: speech falls, singing does not.
    pub fall: f32,
}

/// The first three formants of a, e, i, o, u in Hz.
const VOWELS: [[f32; 3]; 5] = [
    [800.0, 1200.0, 2500.0],
    [500.0, 1850.0, 2500.0],
    [300.0, 2250.0, 3000.0],
    [480.0, 900.0, 2400.0],
    [330.0, 700.0, 2300.0],
];

impl Sung {
    /// Adds a note to a waveform: one syllable from one vowel to another.
    pub(super) fn play(&self, note: &Note, bus: &mut [f32]) {
        let table: &Table = self.wave.table(note.hz);
        let from = VOWELS[(note.seed >> 8) as usize % 5];
        let to = VOWELS[(note.seed >> 16) as usize % 5];
        let consonant_s = 0.03 + (note.seed % 5) as f32 * 0.01;
        let mut noise = Noise::new(note.seed);
        let mut phase = note.seed;
        let mut state = [[0.0f32; 2]; 3];
        let mut last = 0.0f32;
        blocks(note, self.envelope, bus, |block, mut gain, step, t| {
            let lfo = read(sine(), increment(5.4).wrapping_mul((t * RATE) as u32));
            let onset = (t * 3.0).min(1.0);
            let hz = note.hz * (1.0 + self.vibrato * onset * lfo - self.fall * t).max(0.5);
            let up = increment(hz);
            let glide = (t * 8.0).min(1.0);
            let mut tune = [0.0f32; 3];
            for (f, (a, b)) in tune.iter_mut().zip(from.iter().zip(to)) {
                let formant = (a + glide * (b - a)) * self.tract;
                *f = 2.0 * read(sine(), increment(formant.min(3_400.0)) / 2);
            }
            let hiss = if t < consonant_s { 1.5 * self.breath } else { 0.0 };
            for out in block {
                let white = noise.next();
                let buzz = read(table, phase) + self.breath * 0.3 * white;
                phase = phase.wrapping_add(up);
                let mut sum = hiss * (white - last);
                last = white;
                for ((s, f), weight) in state.iter_mut().zip(tune).zip([1.0, 0.6, 0.35]) {
                    s[0] += f * s[1];
                    s[1] += f * (buzz - s[0] - 0.12 * s[1]);
                    sum += 0.12 * weight * s[1];
                }
                *out += sum * gain;
                gain += step;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: Note = Note { start: 100, gate: 8_000, hz: 220.0, velocity: 0.8, seed: 99 };
    const HELD: Envelope = Envelope { attack_s: 0.01, decay_s: 0.2, sustain: 0.7, release_s: 0.05 };

    fn saw() -> Wavetable {
        Wavetable::from_harmonics(&[1.0, 0.5, 0.33, 0.25])
    }

    /// Returns the pitch in Hz: the lag at which a waveform resembles itself most.
    fn pitch_hz(samples: &[f32]) -> f32 {
        let likeness = |lag: usize| -> f32 {
            samples[2000..4000].iter().zip(&samples[2000 + lag..]).map(|(a, b)| a * b).sum()
        };
        let best = (40..160).max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)));
        RATE / best.expect("the range is not empty") as f32
    }

    fn check(play: impl Fn(&Note, &mut [f32])) {
        let mut bus = vec![0.0; 44_100];
        play(&NOTE, &mut bus);
        assert!(bus.iter().all(|x| x.is_finite() && x.abs() < 12.0));
        assert!(bus[..NOTE.start].iter().all(|x| *x == 0.0));
        assert!(bus[1000..4000].iter().any(|x| x.abs() > 0.02));
        assert!(bus[43_000..].iter().all(|x| x.abs() < 1e-3));
        let hz = pitch_hz(&bus);
        assert!((hz - NOTE.hz).abs() < 4.0, "{hz}");
        play(&Note { start: 50_000, ..NOTE }, &mut bus);
    }

    #[test]
    fn every_way_plays_its_pitch_and_ends() {
        let tone = Tone {
            wave: saw(),
            envelope: HELD,
            detune: 1.0,
            cutoff: 3.0,
            cutoff_swing: 2.0,
            vibrato_hz: 5.0,
            vibrato: 0.0,
            breath: 0.01,
        };
        check(|note, bus| tone.play(note, bus));
        check(|note, bus| Fm { envelope: HELD, ratio: 1.0, index: 1.0 }.play(note, bus));
        let pluck = Pluck { brightness: 0.5, damping: 0.3, ring_s: 2.0, release_s: 0.05 };
        check(|note, bus| pluck.play(note, bus));
        let sung =
            Sung { wave: saw(), envelope: HELD, tract: 1.0, vibrato: 0.0, breath: 0.02, fall: 0.0 };
        check(|note, bus| sung.play(note, bus));
    }
}
