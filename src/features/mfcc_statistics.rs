//! `[features.mfcc_statistics]`: mean and variance of each coefficient over a segment's frames.

use super::{AudioFeature, Entry, Worker, mfcc, spectra, statistics::mean_and_variance};
use crate::audio::{Mfcc, Workspace};

pub(super) const ENTRY: Entry = Entry {
    name: "mfcc_statistics",
    doc: "mean, then variance over the frames of each MFCC, [2 n_mfcc]; settings as of mfcc",
    read: |fields, rate| Box::new(MfccStatistics(mfcc::read(fields, rate))),
};

/// Mean and variance over the frames of each MFCC.
pub struct MfccStatistics(pub Mfcc);

impl AudioFeature for MfccStatistics {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![2 * self.0.n_mfcc()]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.0.n_frames(n_samples) == self.0.n_frames(whole)
    }

    fn column_names(&self) -> Vec<String> {
        let of = |what| (1..=self.0.n_mfcc()).map(move |number| format!("mfcc{number}_{what}"));
        of("mean").chain(of("var")).collect()
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(self.0.n_frames(n_samples))
    }

    fn warnings(&self) -> Vec<String> {
        spectra::empty_mels(self.0.log_mel())
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let (mut workspace, mut frames) = (Workspace::new(), vec![]);
        Box::new(move |samples: &[f32], out: &mut [f32]| {
            let n_mfcc = self.0.n_mfcc();
            frames.resize(self.0.n_frames(samples.len()) * n_mfcc, 0.0);
            self.0.compute(&mut workspace, samples, &mut frames);
            let (means, variances) = out.split_at_mut(n_mfcc);
            for (column, (mean, variance)) in means.iter_mut().zip(variances).enumerate() {
                let values = frames.iter().skip(column).step_by(n_mfcc);
                (*mean, *variance) = mean_and_variance(values);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::MfccSettings;

    #[test]
    fn means_come_before_variances() {
        let settings = MfccSettings { n_mfcc: 2, ..Default::default() };
        let feature = MfccStatistics(Mfcc::new(&settings).unwrap());
        assert_eq!(feature.column_names(), ["mfcc1_mean", "mfcc2_mean", "mfcc1_var", "mfcc2_var"]);
        // Silence: every frame has the same coefficients, and the first of 128 bands is at -100 dB.
        let mut out = [f32::NAN; 4];
        feature.worker().compute(&vec![0.0; 5000], &mut out);
        assert!((f64::from(out[0]) + 100.0 * 128_f64.sqrt()).abs() < 1e-3, "{out:?}");
        assert!(out[1].abs() < 1e-3 && out[2..] == [0.0, 0.0], "{out:?}");
    }
}
