//! `[features.mfcc_statistics]`: mean and variance over a segment's frames of each coefficient.

use super::{AudioFeature, Entry, Worker, mfcc};
use crate::audio::Mfcc;

pub(super) const ENTRY: Entry = Entry {
    name: "mfcc_statistics",
    doc: "mean, then variance over the frames of each MFCC, [2 n_mfcc]; settings as of mfcc",
    read: |fields, rate| Box::new(Statistics { mfcc: mfcc::read(fields, rate) }),
};

struct Statistics {
    mfcc: Mfcc,
}

impl AudioFeature for Statistics {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![2 * self.mfcc.n_mfcc()]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.mfcc.n_frames(n_samples) == self.mfcc.n_frames(whole)
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(StatisticsWorker { inner: self.mfcc.worker(), plan: &self.mfcc, frames: vec![] })
    }
}

struct StatisticsWorker<'a> {
    inner: Box<dyn Worker + 'a>,
    plan: &'a Mfcc,
    frames: Vec<f32>,
}

impl Worker for StatisticsWorker<'_> {
    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        let (n_frames, n_mfcc) = (self.plan.n_frames(samples.len()), self.plan.n_mfcc());
        self.frames.resize(n_frames * n_mfcc, 0.0);
        self.inner.compute(samples, &mut self.frames);
        mean_and_variance(&self.frames, n_mfcc, out);
    }
}

/// Column means, then column variances (divided by the number of rows) of `[n_rows, n_columns]`.
fn mean_and_variance(rows: &[f32], n_columns: usize, out: &mut [f32]) {
    let n_rows = (rows.len() / n_columns) as f64;
    for column in 0..n_columns {
        let values = || rows.iter().skip(column).step_by(n_columns).map(|&x| f64::from(x));
        let mean = values().sum::<f64>() / n_rows;
        let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / n_rows;
        out[column] = mean as f32;
        out[n_columns + column] = variance as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_come_before_variances() {
        let mut out = [0.0; 4];
        mean_and_variance(&[1.0, 10.0, 3.0, 10.0], 2, &mut out);
        assert_eq!(out, [2.0, 10.0, 1.0, 0.0]);
    }
}
