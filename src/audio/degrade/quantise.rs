//! `quantise`, `mu_law`: coarse quantization.

use super::{Entry, Numbers, Parameter};
use crate::audio::pcm::{compress_mu_law, expand_mu_law};

pub(super) const QUANTISE: Entry = Entry {
    name: "quantise",
    doc: "quantization to linear PCM without dither; clips outside [-1, 1)",
    parameters: &[Parameter {
        name: "bits",
        doc: "bits per sample",
        low: 2.0,
        high: 16.0,
        numbers: Numbers::Whole,
        default: Some(8.0),
    }],
    run: |values, waveform, _| {
        let half_scale = libm::exp2(values[0] - 1.0) as f32;
        let level =
            |sample: &f32| (sample * half_scale).round().clamp(-half_scale, half_scale - 1.0);
        waveform.samples.iter().map(|sample| level(sample) / half_scale).collect()
    },
};

pub(super) const MU_LAW: Entry = Entry {
    name: "mu_law",
    doc: "8-bit mu-law (G.711) encoding and decoding",
    parameters: &[],
    run: |_, waveform, _| {
        let pcm16 = |sample: &f32| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        let coded = |sample: &f32| expand_mu_law(compress_mu_law(pcm16(sample)));
        waveform.samples.iter().map(|sample| f32::from(coded(sample)) / 32_768.0).collect()
    },
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{
        power,
        tests::{apply, tone, white},
    };
    use crate::audio::Waveform;

    fn n_levels(waveform: &Waveform) -> usize {
        waveform.samples.iter().map(|sample| sample.to_bits()).collect::<BTreeSet<_>>().len()
    }

    /// Returns a ramp from -1 to 1 in small steps.
    fn ramp() -> Waveform {
        let samples = (0..=200_000).map(|i| i as f32 / 100_000.0 - 1.0).collect();
        Waveform { samples, sample_rate_hz: 22_050 }
    }

    /// Returns the signal-to-error ratio of a tone, in dB.
    fn snr_db(degradation: &str, tone: &Waveform) -> f64 {
        let coded = apply(degradation, tone);
        let error: Vec<f32> = coded.samples.iter().zip(&tone.samples).map(|(a, b)| a - b).collect();
        10.0 * (power(&tone.samples) / power(&error)).log10()
    }

    #[test]
    fn quantise_has_its_number_of_levels_and_its_noise() {
        // -0 and 0 have different bits but are one level.
        let levels = |bits: u32| n_levels(&apply(&format!("quantise bits={bits}"), &ramp()));
        assert!((256..=257).contains(&levels(8)), "{}", levels(8));
        assert!((16..=17).contains(&levels(4)), "{}", levels(4));
        // 6.02 dB per bit and 1.76 dB for a full-scale tone, and 0.45 dB less at 0.95 of full
        // scale.
        for bits in [6, 8, 12] {
            let got = snr_db(&format!("quantise bits={bits}"), &tone(441.7, 0.95));
            let wanted = 6.02 * f64::from(bits) + 1.76 - 0.45;
            assert!((got - wanted).abs() < 0.5, "{bits} bits: {got} dB for {wanted}");
        }
        assert_eq!(apply("quantise", &ramp()), apply("quantise bits=8", &ramp()));
    }

    #[test]
    fn mu_law_has_255_levels_and_keeps_its_ratio_over_a_wide_range() {
        let levels = n_levels(&apply("mu_law", &ramp()));
        assert_eq!(levels, 255, "two codes are 0");
        // G.712 requires 33 dB down to -30 dB of full scale.
        for peak in [0.9, 0.1, 0.03] {
            let got = snr_db("mu_law", &tone(441.7, peak));
            assert!((33.0..41.0).contains(&got), "{got} dB at {peak}");
        }
    }

    #[test]
    fn what_was_coded_once_is_not_changed_again() {
        for degradation in ["mu_law", "quantise bits=5"] {
            let once = apply(degradation, &white());
            assert_eq!(apply(degradation, &once), once);
        }
    }
}
