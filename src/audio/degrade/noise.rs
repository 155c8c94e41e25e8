//! `white_noise`, `pink_noise`: noise at a signal-to-noise ratio.

use super::{Entry, Numbers, Parameter, amplitude, power};
use crate::{audio::Waveform, vocab::Rng};

const SNR: Parameter = Parameter {
    name: "snr_db",
    doc: "signal-to-noise ratio",
    low: -60.0,
    high: 120.0,
    numbers: Numbers::Real,
    default: None,
};

pub(super) const WHITE: Entry = Entry {
    name: "white_noise",
    doc: "Gaussian noise with a flat spectrum",
    parameters: &[SNR],
    run: |values, waveform, rng| add(waveform, values[0], || rng.normal()),
};

pub(super) const PINK: Entry = Entry {
    name: "pink_noise",
    doc: "Gaussian noise that falls by 3 dB per octave",
    parameters: &[SNR],
    run: |values, waveform, rng| {
        let mut pink = Pink::default();
        add(waveform, values[0], || pink.next(rng))
    },
};

/// Adds noise. The ratio is exact for the waveform as a whole, because the noise is scaled by its
/// measured power. Silence stays silent.
fn add(waveform: &Waveform, snr_db: f64, mut draw: impl FnMut() -> f64) -> Vec<f32> {
    let noise: Vec<f32> = waveform.samples.iter().map(|_| draw() as f32).collect();
    let (signal_power, noise_power) = (power(&waveform.samples), power(&noise));
    if noise_power == 0.0 {
        return waveform.samples.clone();
    }
    let gain = libm::sqrt(signal_power / noise_power) / amplitude(snr_db);
    let noisy =
        |(&sample, &noise): (&f32, &f32)| (f64::from(sample) + gain * f64::from(noise)) as f32;
    waveform.samples.iter().zip(&noise).map(noisy).collect()
}

/// White noise through six one-pole filters, whose sum falls by 3 dB per octave, within 0.05 dB
/// from 1/5000 of the sample rate on.
///
/// # Source
/// Paul Kellet's "refined method", music-dsp mailing list, 1999.
#[derive(Default)]
struct Pink {
    poles: [f64; 6],
    delayed: f64,
}

impl Pink {
    const POLES: [(f64, f64); 6] = [
        (0.998_86, 0.055_517_9),
        (0.993_32, 0.075_075_9),
        (0.969_00, 0.153_852_0),
        (0.866_50, 0.310_485_6),
        (0.550_00, 0.532_952_2),
        (-0.761_6, -0.016_898_0),
    ];

    fn next(&mut self, rng: &mut Rng) -> f64 {
        let white = rng.normal();
        for (state, (pole, gain)) in self.poles.iter_mut().zip(Self::POLES) {
            *state = pole * *state + gain * white;
        }
        let pink = self.poles.iter().sum::<f64>() + self.delayed + 0.536_2 * white;
        self.delayed = 0.115_926 * white;
        pink
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, band_power_db, music, tone};
    use super::*;

    #[test]
    fn the_ratio_is_what_was_asked_for() {
        for signal in [tone(440.0, 0.3), music()] {
            for name in ["white_noise", "pink_noise"] {
                for snr_db in [-10.0, 0.0, 20.0, 60.0] {
                    let noisy = apply(&format!("{name} snr_db={snr_db}"), &signal);
                    let noise: Vec<f32> =
                        noisy.samples.iter().zip(&signal.samples).map(|(n, s)| n - s).collect();
                    let got = 10.0 * (power(&signal.samples) / power(&noise)).log10();
                    assert!((got - snr_db).abs() < 0.01, "{name}: {got} for {snr_db} dB");
                }
            }
        }
    }

    #[test]
    fn white_is_flat_and_pink_falls_by_3_db_an_octave() {
        let noise_of = |name: &str| {
            let signal = tone(440.0, 0.1);
            let mut noisy = apply(&format!("{name} snr_db=0"), &signal);
            noisy.samples.iter_mut().zip(&signal.samples).for_each(|(n, s)| *n -= s);
            noisy
        };
        for (name, per_octave_db) in [("white_noise", 0.0), ("pink_noise", -3.01)] {
            let noise = noise_of(name);
            // The bands have equal widths in Hz in each octave, so white noise has the same level
            // in all.
            let level =
                |centre_hz: f64| band_power_db(&noise, centre_hz - 150.0, centre_hz + 150.0);
            for centre_hz in [500.0, 1000.0, 2000.0, 4000.0] {
                let step = level(2.0 * centre_hz) - level(centre_hz);
                assert!((step - per_octave_db).abs() < 0.8, "{name} at {centre_hz} Hz: {step} dB");
            }
            let four_octaves = level(8000.0) - level(500.0);
            assert!((four_octaves - 4.0 * per_octave_db).abs() < 1.0, "{name}: {four_octaves} dB");
        }
    }
}
