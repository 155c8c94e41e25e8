//! `gain`, `clip`, `clip_share`: wrong levels and clipping.

use super::{Entry, Numbers, Parameter, amplitude};

pub(super) const GAIN: Entry = Entry {
    name: "gain",
    doc: "gain without clipping",
    parameters: &[Parameter {
        name: "gain_db",
        doc: "gain; above 0 is louder",
        low: -120.0,
        high: 60.0,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| {
        let gain = amplitude(values[0]) as f32;
        waveform.samples.iter().map(|sample| gain * sample).collect()
    },
};

pub(super) const CLIP: Entry = Entry {
    name: "clip",
    doc: "clipping at a level",
    parameters: &[Parameter {
        name: "level",
        doc: "largest absolute value; full scale is 1",
        low: 1e-6,
        high: 1.0,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| clip(&waveform.samples, values[0] as f32),
};

pub(super) const CLIP_SHARE: Entry = Entry {
    name: "clip_share",
    doc: "clipping of a share of the nonzero samples",
    parameters: &[Parameter {
        name: "share",
        doc: "share of clipped samples",
        low: 0.0,
        high: 0.99,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| clip_share(&waveform.samples, values[0]),
};

fn clip(samples: &[f32], level: f32) -> Vec<f32> {
    samples.iter().map(|sample| sample.clamp(-level, level)).collect()
}

fn clip_share(samples: &[f32], share: f64) -> Vec<f32> {
    let mut levels: Vec<f32> = samples.iter().map(|s| s.abs()).filter(|&s| s > 0.0).collect();
    let n_clipped = (share * levels.len() as f64).round() as usize;
    if n_clipped == 0 {
        return samples.to_vec();
    }
    let at = levels.len() - n_clipped;
    let (_, &mut level, _) = levels.select_nth_unstable_by(at, f32::total_cmp);
    clip(samples, level)
}

#[cfg(test)]
mod tests {
    use super::super::{
        power,
        tests::{apply, music, tone, white},
    };

    #[test]
    fn gain_is_the_level_that_it_claims() {
        let music = music();
        for gain_db in [-40.0, -6.0, 0.0, 12.0] {
            let louder = apply(&format!("gain gain_db={gain_db}"), &music);
            let got = 10.0 * (power(&louder.samples) / power(&music.samples)).log10();
            assert!((got - gain_db).abs() < 1e-4, "{got} for {gain_db} dB");
        }
    }

    #[test]
    fn clip_leaves_nothing_above_its_level_and_all_below() {
        let tone = tone(440.0, 0.8);
        let clipped = apply("clip level=0.25", &tone);
        for (after, before) in clipped.samples.iter().zip(&tone.samples) {
            assert_eq!(*after, before.clamp(-0.25, 0.25));
        }
        assert_eq!(apply("clip level=0.9", &tone), tone);
    }

    #[test]
    fn clip_share_clips_so_many() {
        for signal in [white(), music()] {
            let n_sounding = signal.samples.iter().filter(|s| **s != 0.0).count() as f64;
            for share in [0.01, 0.1, 0.5] {
                let clipped = apply(&format!("clip_share share={share}"), &signal).samples;
                let peak = clipped.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
                let n_at_peak = clipped.iter().filter(|s| s.abs() == peak).count() as f64;
                let got = n_at_peak / n_sounding;
                assert!((got - share).abs() < 1e-3, "{got} for {share}");
            }
            assert_eq!(apply("clip_share share=0", &signal), signal);
        }
    }
}
