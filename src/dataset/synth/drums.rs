//! Drum kits: each drum is synthesized once per kit and replayed at every hit.

use super::effects::Biquad;
use super::wave::{Noise, increment, read, samples, sine};
use crate::vocab::Rng;

/// The drums of a kit, in the order of `Kit::hits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drum {
    /// Bass drum.
    Kick,
    /// Snare drum, brush or clap: the drum of the backbeat.
    Snare,
    /// Closed hi-hat.
    Hat,
    /// Open hi-hat or crash.
    Open,
    /// Ride cymbal or shaker.
    Ride,
    /// Rim click, tambourine or conga.
    Perc,
}

impl Drum {
    /// All drums.
    pub(super) const ALL: [Self; 6] =
        [Self::Kick, Self::Snare, Self::Hat, Self::Open, Self::Ride, Self::Perc];
}

/// The character of a kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KitKind {
    /// Soft, with brushes.
    Brushes,
    /// A studio kit of the sixties and seventies.
    Vintage,
    /// A loud kit in a room.
    Rock,
    /// Clicking double bass drums.
    Metal,
    /// A dry kit with a tight kick.
    Disco,
    /// A drum machine with a long kick and a clap.
    Machine,
    /// Sampled breaks, dark and crunchy.
    Break,
}

/// One-shot waveforms of every drum.
#[derive(Debug, Clone)]
pub(super) struct Kit {
    hits: [Vec<f32>; 6],
}

/// The differences between kits. Frequencies in Hz, times in seconds, levels as factors.
struct Character {
    kick_hz: (f64, f64),
    kick_s: (f64, f64),
    click: f64,
    snare_hz: (f64, f64),
    snare_s: (f64, f64),
    snap: f64,
    hat_hz: (f64, f64),
    dull_hz: f64,
    /// Levels of kick, snare, hat, open, ride, perc.
    levels: [f64; 6],
}

impl KitKind {
    fn character(self) -> Character {
        let (kick_hz, kick_s, click) = match self {
            Self::Brushes => ((55.0, 75.0), (0.12, 0.22), 0.1),
            Self::Vintage => ((50.0, 75.0), (0.10, 0.20), 0.3),
            Self::Rock => ((45.0, 65.0), (0.12, 0.22), 0.5),
            Self::Metal => ((50.0, 70.0), (0.08, 0.14), 1.2),
            Self::Disco => ((50.0, 65.0), (0.10, 0.18), 0.6),
            Self::Machine => ((38.0, 52.0), (0.25, 0.60), 0.3),
            Self::Break => ((48.0, 70.0), (0.12, 0.25), 0.4),
        };
        let (snare_hz, snare_s, snap) = match self {
            Self::Brushes => ((160.0, 220.0), (0.10, 0.20), 2.0),
            Self::Vintage | Self::Disco => ((170.0, 240.0), (0.08, 0.16), 1.0),
            Self::Rock => ((160.0, 230.0), (0.12, 0.24), 1.1),
            Self::Metal => ((180.0, 260.0), (0.10, 0.20), 1.2),
            Self::Machine => ((180.0, 250.0), (0.08, 0.20), 1.6),
            Self::Break => ((170.0, 260.0), (0.08, 0.18), 0.9),
        };
        let (hat_hz, dull_hz, levels) = match self {
            Self::Brushes => ((5_500.0, 8_000.0), 8_000.0, [0.5, 0.35, 0.25, 0.3, 0.5, 0.3]),
            Self::Vintage => ((5_000.0, 7_500.0), 7_500.0, [0.9, 0.8, 0.35, 0.4, 0.4, 0.4]),
            Self::Rock => ((5_000.0, 7_500.0), 10_000.0, [1.0, 1.0, 0.40, 0.5, 0.45, 0.3]),
            Self::Metal => ((5_500.0, 8_000.0), 10_500.0, [1.1, 1.0, 0.40, 0.6, 0.5, 0.2]),
            Self::Disco => ((6_000.0, 8_500.0), 9_500.0, [1.1, 0.8, 0.40, 0.6, 0.3, 0.5]),
            Self::Machine => ((6_500.0, 9_000.0), 10_500.0, [1.2, 0.8, 0.35, 0.4, 0.3, 0.4]),
            Self::Break => ((4_500.0, 7_000.0), 6_500.0, [1.1, 0.9, 0.35, 0.4, 0.35, 0.4]),
        };
        Character { kick_hz, kick_s, click, snare_hz, snare_s, snap, hat_hz, dull_hz, levels }
    }
}

impl Kit {
    /// Draws a kit of a given kind: its tuning, decay and balance.
    pub(super) fn draw(kind: KitKind, rng: &mut Rng) -> Self {
        let c = kind.character();
        let mut between = |(low, high): (f64, f64)| rng.range(low, high);
        let kick =
            strike_kick(between(c.kick_hz), between(c.kick_s), c.click * between((0.6, 1.5)));
        let snare =
            strike_snare(between(c.snare_hz), between(c.snare_s), c.snap * between((0.7, 1.4)));
        let hat_hz = between(c.hat_hz);
        let metal = between((0.2, 0.8));
        let hat = strike_cymbal(hat_hz, between((0.02, 0.06)), metal);
        let open = strike_cymbal(hat_hz, between((0.15, 0.50)), metal);
        let ride = strike_cymbal(between((3_000.0, 5_500.0)), between((0.10, 0.35)), metal);
        let perc = strike_snare(between((350.0, 900.0)), between((0.03, 0.08)), 0.3);
        let dull_hz = c.dull_hz * between((0.7, 1.0));
        let mut hits = [kick, snare, hat, open, ride, perc];
        for (hit, level) in hits.iter_mut().zip(c.levels) {
            Biquad::low_pass(dull_hz).run(hit);
            let gain = (level * between((0.7, 1.35))) as f32;
            for x in hit.iter_mut() {
                *x *= gain;
            }
        }
        Self { hits }
    }

    /// Adds one hit to a waveform.
    pub(super) fn strike(&self, drum: Drum, start: usize, velocity: f32, bus: &mut [f32]) {
        let Some(rest) = bus.get_mut(start..) else { return };
        for (out, x) in rest.iter_mut().zip(&self.hits[drum as usize]) {
            *out += velocity * x;
        }
    }
}

/// Returns the factor per sample with which a level falls to a thousandth within `seconds`.
fn fall(seconds: f64) -> f32 {
    libm::exp(-6.9 / (seconds * f64::from(super::SAMPLE_RATE_HZ)).max(1.0)) as f32
}

fn strike_kick(hz: f64, decay_s: f64, click: f64) -> Vec<f32> {
    let mut phase = 0u32;
    let (mut level, level_fall) = (1.0f32, fall(decay_s * 2.0));
    let (mut sweep, sweep_fall) = (3.5f32, fall(0.09));
    let (mut tick, tick_fall) = (0.5 * click as f32, fall(0.012));
    let mut noise = Noise::new(77);
    (0..samples(decay_s * 2.0))
        .map(|_| {
            let out = level * read(sine(), phase) + tick * noise.next();
            phase = phase.wrapping_add(increment(hz as f32 * (1.0 + sweep)));
            level *= level_fall;
            sweep *= sweep_fall;
            tick *= tick_fall;
            out
        })
        .collect()
}

fn strike_snare(hz: f64, decay_s: f64, snap: f64) -> Vec<f32> {
    let mut phase = 0u32;
    let (mut body, body_fall) = (0.7f32, fall(decay_s));
    let (mut rattle, rattle_fall) = (0.5 * snap as f32, fall(decay_s * 1.6));
    let mut noise = Noise::new(1_234);
    let mut high = Biquad::high_pass(900.0);
    (0..samples(decay_s * 1.6))
        .map(|_| {
            let out = body * read(sine(), phase) + rattle * high.step(noise.next());
            phase = phase.wrapping_add(increment(hz as f32 * (1.0 + 0.4 * body)));
            body *= body_fall;
            rattle *= rattle_fall;
            out
        })
        .collect()
}

fn strike_cymbal(hz: f64, decay_s: f64, metal: f64) -> Vec<f32> {
    let partials = [1.0, 1.34, 1.81, 2.17, 2.61].map(|r| increment((r * hz * 0.62) as f32));
    let mut phases = [0u32; 5];
    let (mut level, level_fall) = (0.6f32, fall(decay_s * 2.0));
    let mut noise = Noise::new(4_321);
    let (metal, hiss) = (0.3 * metal as f32, 1.0 - metal as f32 * 0.6);
    let mut high = Biquad::high_pass(hz);
    (0..samples(decay_s * 2.0))
        .map(|_| {
            let mut ring = 0.0;
            for (phase, up) in phases.iter_mut().zip(partials) {
                ring += if *phase < 1 << 31 { metal } else { -metal };
                *phase = phase.wrapping_add(up);
            }
            let out = level * high.step(ring + hiss * noise.next());
            level *= level_fall;
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn every_kit_has_six_audible_drums_that_die_away() {
        use KitKind::{Break, Brushes, Disco, Machine, Metal, Rock, Vintage};
        for kind in [Brushes, Vintage, Rock, Metal, Disco, Machine, Break] {
            let kit = Kit::draw(kind, &mut Seed(1).rng("kit", &[]));
            for drum in Drum::ALL {
                let mut bus = vec![0.0; 44_100];
                kit.strike(drum, 10, 1.0, &mut bus);
                kit.strike(drum, 50_000, 1.0, &mut bus);
                let peak = bus.iter().fold(0.0f32, |m, x| m.max(x.abs()));
                assert!((0.01..4.0).contains(&peak), "{kind:?} {drum:?} {peak}");
                assert!(bus[40_000..].iter().all(|x| x.abs() < 1e-2), "{kind:?} {drum:?}");
            }
        }
    }

    #[test]
    fn a_kick_is_lower_than_a_hat() {
        let crossings = |x: &[f32]| x.windows(2).filter(|w| w[0] * w[1] < 0.0).count();
        assert!(
            crossings(&strike_kick(50.0, 0.2, 0.0)[..1000]) * 4
                < crossings(&strike_cymbal(6_000.0, 0.1, 0.5)[..1000])
        );
    }
}
