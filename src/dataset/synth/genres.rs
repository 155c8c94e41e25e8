//! Music in ten styles, rendered track by track.

use super::arrange::Score;
use super::effects::{compress, level_to, reverberate, soft_clip};
use super::instruments::Instrument;
use super::plan::{Plan, Sheen};
use super::track::{N_SAMPLES, SECONDS, STYLES, stream};
use super::voices::Note;
use super::wave::{Noise, db_gain};
use crate::vocab::{Rng, Seed};

/// Renders one track of a style (an index of `STYLES`): mono, `[N_SAMPLES]`, in [-1, 1].
///
/// The same seed, style and number give the same bits on every machine, whatever else is rendered.
///
/// # Panics
/// If `style` is not below 10.
#[must_use]
pub fn render_track(seed: Seed, style: usize, track: u32) -> Vec<f32> {
    assert!(style < STYLES.len(), "style must be below {}, found {style}", STYLES.len());
    let plan = Plan::draw(seed, style, track);
    let score = Score::write(&plan, &mut stream(seed, "score", style, track));
    let mut mix = vec![0.0f32; N_SAMPLES];
    let mut bus = vec![0.0f32; N_SAMPLES];
    let [verse, chorus] = &plan.comps;
    let [singer, soloist] = &plan.singers;
    for (instrument, notes, level_db) in [
        (&plan.bass.instrument, &score.bass, plan.bass.level_db),
        (&verse.instrument, &score.comps[0], verse.level_db),
        (&chorus.instrument, &score.comps[1], chorus.level_db),
        (&plan.pad.instrument, &score.pad, plan.pad.level_db),
        (&singer.instrument, &score.singers[0], singer.level_db),
        (&soloist.instrument, &score.singers[1], soloist.level_db),
    ] {
        play(instrument, notes, level_db, &mut bus, &mut mix);
    }
    if let Some((_, kit, level_db)) = &plan.drums {
        bus.fill(0.0);
        for hit in &score.hits {
            kit.strike(hit.drum, hit.start, hit.velocity, &mut bus);
        }
        add_at(*level_db, &mut bus, &mut mix);
    }
    master(&plan.sheen, &mut stream(seed, "noise", style, track), &mut mix);
    mix
}

fn play(instrument: &Instrument, notes: &[Note], level_db: f64, bus: &mut [f32], mix: &mut [f32]) {
    if notes.is_empty() {
        return;
    }
    bus.fill(0.0);
    for note in notes {
        instrument.play(note, bus);
    }
    level_to(bus, 0.0);
    instrument.finish(bus);
    add_at(level_db, bus, mix);
}

fn add_at(level_db: f64, bus: &mut [f32], mix: &mut [f32]) {
    level_to(bus, level_db);
    for (out, x) in mix.iter_mut().zip(bus) {
        *out += *x;
    }
}

fn master(sheen: &Sheen, rng: &mut Rng, mix: &mut [f32]) {
    reverberate(mix, sheen.room as f32, sheen.wet as f32);
    level_to(mix, 0.0);
    compress(mix, sheen.squash as f32);
    add_noise(sheen, rng, mix);
    for filter in &sheen.filters {
        filter.clone().run(mix);
    }
    level_to(mix, sheen.level_db);
    for x in mix {
        // Linear below about -10 dB, rounded above.
        let excess = (x.abs() - 0.3).max(0.0);
        *x = x.clamp(-0.3, 0.3) + if *x < 0.0 { -1.0 } else { 1.0 } * 0.7 * soft_clip(excess / 0.7);
    }
}

fn add_noise(sheen: &Sheen, rng: &mut Rng, mix: &mut [f32]) {
    let mut noise = Noise::new(rng.next_u64() as u32);
    let hiss = 1.7 * db_gain(sheen.noise_db);
    let mut low = 0.0f32;
    for x in mix.iter_mut() {
        let white = noise.next();
        low += 0.3 * (white - low);
        *x += hiss * (0.5 * white + low);
    }
    let n_crackles = (sheen.crackles_hz * f64::from(SECONDS)) as usize;
    for _ in 0..n_crackles {
        let at = rng.below(mix.len());
        mix[at] += rng.range(-1.0, 1.0) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::super::track::SAMPLE_RATE_HZ;
    use super::*;
    use crate::vocab::sha256_hex;

    fn pcm_hash(track: &[f32]) -> String {
        let bytes: Vec<u8> =
            track.iter().flat_map(|x| (libm::roundf(x * 32_767.0) as i16).to_le_bytes()).collect();
        sha256_hex(&bytes)
    }

    fn rms_db(track: &[f32]) -> f64 {
        let power = track.iter().map(|x| f64::from(x * x)).sum::<f64>() / track.len() as f64;
        10.0 * libm::log10(power)
    }

    #[test]
    fn two_tracks_are_the_ones_they_always_were() {
        assert_eq!(pcm_hash(&render_track(Seed(1), 5, 0)), GOLDEN_JAZZ);
        assert_eq!(pcm_hash(&render_track(Seed(1), 6, 7)), GOLDEN_METAL);
    }

    const GOLDEN_JAZZ: &str = "b292d0976b215f7f2a53614b94ca0d5e80856a8b82598ef9b140599f49c78bb8";
    const GOLDEN_METAL: &str = "33542a4bf87b71aae82780bf5d5309814b625a2b8d4598f5ba1dfc6a885f4473";

    #[test]
    fn every_style_is_finite_in_range_and_audible() {
        for (style, name) in STYLES.iter().enumerate() {
            let track = render_track(Seed(2), style, 0);
            assert_eq!(track.len(), N_SAMPLES);
            assert!(track.iter().all(|x| x.is_finite() && x.abs() <= 1.0), "{name}");
            assert!((-36.0..-6.0).contains(&rms_db(&track)), "{name}: {} dB", rms_db(&track));
            for second in track.chunks(SAMPLE_RATE_HZ as usize * 3) {
                assert!(rms_db(second) > -70.0, "{name} falls silent");
            }
        }
    }

    #[test]
    fn tracks_seeds_and_styles_differ_and_order_does_not_matter() {
        let first = render_track(Seed(1), 3, 2);
        assert_ne!(first, render_track(Seed(1), 3, 1));
        assert_ne!(first, render_track(Seed(1), 4, 2));
        assert_ne!(first, render_track(Seed(2), 3, 2));
        assert_eq!(first, render_track(Seed(1), 3, 2));
    }

    #[test]
    #[should_panic(expected = "style must be below 10, found 10")]
    fn an_eleventh_style_is_refused() {
        let _ = render_track(Seed(1), 10, 0);
    }
}
