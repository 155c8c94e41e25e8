//! Statistics over time of the bands of a spectrogram, and of its MFCCs: a few hundred numbers that
//! describe a whole recording.
//!
//! | statistic | what it says of a band |
//! |---|---|
//! | mean, deviation, skewness | the distribution of its levels |
//! | delta | the deviation of the differences between neighboring frames: how fast it changes |
//! | correlation | which bands rise and fall together |
//! | modulation | the rates at which it rises and falls: rhythm |
//!
//! # Source
//! The summaries are those of Tzanetakis and Cook, "Musical genre classification of audio signals"
//! (2002); correlations and modulations of band levels are the correlation and fluctuation patterns of
//! Pohle, Schnitzer, Schedl, Knees, Widmer, "On rhythm and general music similarity" (ISMIR 2009).

use super::{
    AudioError,
    dct::Dct,
    modulation::{Modulation, ModulationBuffers},
};

/// A statistic over the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandStatistic {
    /// Mean of the values.
    Mean,
    /// Standard deviation of the values, over their number.
    Deviation,
    /// Third standardized moment of the values; 0 for a constant.
    Skewness,
    /// Standard deviation of the differences between each frame and the one before.
    Delta,
    /// Pearson's correlation of every pair; 0 with a constant. Of bands, between groups.
    Correlation,
    /// Power density at each band of modulation rates, in decibels. Of bands, for each group.
    Modulation,
}

/// The settings of [`BandStatistics`].
#[derive(Debug, Clone, PartialEq)]
pub struct BandStatisticsSettings {
    /// Number of bands of a frame, at least 1.
    pub n_bands: usize,
    /// Frames per second, in hertz.
    pub frame_rate_hz: f64,
    /// What is computed of the bands, in this order.
    pub bands: Vec<BandStatistic>,
    /// What is computed of the MFCCs, in this order, after the bands.
    pub mfcc: Vec<BandStatistic>,
    /// Number of MFCCs, in `[1, n_bands]`.
    pub n_mfcc: usize,
    /// Number of groups of neighboring bands, in `[1, n_bands]`.
    pub n_groups: usize,
    /// The edges of the bands of modulation rates, ascending, in hertz.
    pub modulation_hz: Vec<f64>,
}

/// A plan for the statistics of spectrograms.
#[derive(Debug, Clone)]
pub struct BandStatistics {
    n_bands: usize,
    n_groups: usize,
    bands: Vec<BandStatistic>,
    mfcc: Vec<BandStatistic>,
    dct: Dct,
    modulation: Modulation,
}

/// Buffers of the computation. Use one set per thread and plan.
#[derive(Debug, Clone, Default)]
pub struct BandBuffers {
    folded: Vec<f32>,
    mfcc: Vec<f32>,
    groups: Vec<f32>,
    modulation: ModulationBuffers,
}

/// Values over time, `[n_frames, n_columns]`.
#[derive(Clone, Copy)]
struct Frames<'a> {
    values: &'a [f32],
    n_columns: usize,
}

impl BandStatistics {
    /// Checks the settings and creates the plan.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for the first setting outside its range.
    pub fn new(settings: &BandStatisticsSettings) -> Result<Self, AudioError> {
        let BandStatisticsSettings { n_bands, frame_rate_hz, n_mfcc, n_groups, .. } = *settings;
        for (name, number) in
            [("band_statistics.n_mfcc", n_mfcc), ("band_statistics.n_groups", n_groups)]
        {
            if !(1..=n_bands).contains(&number) {
                let allowed = format!("in [1, {n_bands}], the number of bands");
                return Err(AudioError::setting(name, allowed, number));
            }
        }
        Ok(Self {
            n_bands,
            n_groups,
            bands: settings.bands.clone(),
            mfcc: settings.mfcc.clone(),
            dct: Dct::new(n_bands, n_mfcc, 0.0),
            modulation: Modulation::new(frame_rate_hz, &settings.modulation_hz)?,
        })
    }

    /// The names of the statistics, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![];
        for &statistic in &self.bands {
            self.add_names(&mut names, statistic, "band", self.n_bands);
        }
        for &statistic in &self.mfcc {
            self.add_names(&mut names, statistic, "mfcc", self.dct.n_out());
        }
        names
    }

    /// How many of the names each statistic has, in order.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        let n = |statistic, what, n_columns| {
            let mut names = vec![];
            self.add_names(&mut names, statistic, what, n_columns);
            names.len()
        };
        let bands = self.bands.iter().map(|&it| n(it, "band", self.n_bands));
        bands.chain(self.mfcc.iter().map(|&it| n(it, "mfcc", self.dct.n_out()))).collect()
    }

    /// Number of statistics.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        self.names().len()
    }

    fn add_names(
        &self,
        names: &mut Vec<String>,
        statistic: BandStatistic,
        what: &str,
        n_columns: usize,
    ) {
        let (what, n_columns) = match (statistic, what) {
            (BandStatistic::Correlation | BandStatistic::Modulation, "band") => {
                ("group", self.n_groups)
            }
            _ => (what, n_columns),
        };
        let each = 1..=n_columns;
        match statistic {
            BandStatistic::Mean => names.extend(each.map(|i| format!("{what}{i}_mean"))),
            BandStatistic::Deviation => names.extend(each.map(|i| format!("{what}{i}_deviation"))),
            BandStatistic::Skewness => names.extend(each.map(|i| format!("{what}{i}_skewness"))),
            BandStatistic::Delta => names.extend(each.map(|i| format!("{what}{i}_delta"))),
            BandStatistic::Correlation => names.extend(each.flat_map(|i| {
                (i + 1..=n_columns).map(move |j| format!("{what}{i}_{what}{j}_correlation"))
            })),
            BandStatistic::Modulation => names.extend(each.flat_map(|i| {
                let rates = self.modulation.rates_hz();
                rates.map(move |(low, high)| format!("{what}{i}_modulation_{low}_{high}"))
            })),
        }
    }

    /// Computes the statistics of `frames`, `[n_frames, n_bands]`, into `out`, as long as the names.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn compute(&self, buffers: &mut BandBuffers, frames: &[f32], out: &mut [f32]) {
        assert!(frames.len().is_multiple_of(self.n_bands), "frames must be whole");
        let BandBuffers { folded, mfcc, groups, modulation } = buffers;
        let mut out = Out { values: out, n_done: 0 };
        let bands = Frames { values: frames, n_columns: self.n_bands };
        groups.clear();
        for frame in frames.chunks_exact(self.n_bands) {
            groups.extend((0..self.n_groups).map(|group| {
                let edge = |group: usize| group * self.n_bands / self.n_groups;
                let group = &frame[edge(group)..edge(group + 1)];
                let sum: f64 = group.iter().map(|&value| f64::from(value)).sum();
                (sum / group.len() as f64) as f32
            }));
        }
        let grouped = Frames { values: groups, n_columns: self.n_groups };
        for &statistic in &self.bands {
            self.one(statistic, bands, grouped, modulation, &mut out);
        }
        if !self.mfcc.is_empty() {
            let n_mfcc = self.dct.n_out();
            mfcc.resize(frames.len() / self.n_bands * n_mfcc, 0.0);
            let rows = frames.chunks_exact(self.n_bands);
            for (frame, coefficients) in rows.zip(mfcc.chunks_exact_mut(n_mfcc)) {
                self.dct.apply(folded, frame, coefficients);
            }
            let mfcc = Frames { values: mfcc, n_columns: n_mfcc };
            for &statistic in &self.mfcc {
                self.one(statistic, mfcc, mfcc, modulation, &mut out);
            }
        }
        assert_eq!(out.n_done, out.values.len(), "out must have as many elements as names");
    }

    fn one(
        &self,
        statistic: BandStatistic,
        each: Frames,
        grouped: Frames,
        modulation: &mut ModulationBuffers,
        out: &mut Out,
    ) {
        match statistic {
            BandStatistic::Mean => out.each(each, |column| column.moments().mean),
            BandStatistic::Deviation => out.each(each, |column| column.moments().deviation()),
            BandStatistic::Skewness => out.each(each, Column::skewness),
            BandStatistic::Delta => out.each(each, Column::delta),
            BandStatistic::Correlation => {
                for i in 0..grouped.n_columns {
                    let first = grouped.column(i);
                    for j in i + 1..grouped.n_columns {
                        out.put(first.correlation(grouped.column(j)));
                    }
                }
            }
            BandStatistic::Modulation => {
                for i in 0..grouped.n_columns {
                    let rates = out.next(self.modulation.n_rates());
                    self.modulation.compute(modulation, grouped.column(i).values(), rates);
                }
            }
        }
    }
}

/// Where the next statistic is written.
struct Out<'a> {
    values: &'a mut [f32],
    n_done: usize,
}

impl Out<'_> {
    fn next(&mut self, n: usize) -> &mut [f32] {
        self.n_done += n;
        &mut self.values[self.n_done - n..self.n_done]
    }

    fn put(&mut self, value: f64) {
        self.next(1)[0] = value as f32;
    }

    fn each<'a>(&mut self, frames: Frames<'a>, statistic: impl Fn(Column<'a>) -> f64) {
        for column in 0..frames.n_columns {
            self.put(statistic(frames.column(column)));
        }
    }
}

impl<'a> Frames<'a> {
    fn column(self, index: usize) -> Column<'a> {
        Column { frames: self, index }
    }
}

/// One value over time.
#[derive(Clone, Copy)]
struct Column<'a> {
    frames: Frames<'a>,
    index: usize,
}

struct Moments {
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.clone().sum::<f64>() / n;
        Self { mean, variance: values.map(|value| (value - mean).powi(2)).sum::<f64>() / n }
    }

    fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }
}

impl<'a> Column<'a> {
    fn values(self) -> impl ExactSizeIterator<Item = f64> + Clone + 'a {
        let Frames { values, n_columns } = self.frames;
        values[self.index.min(values.len())..]
            .iter()
            .step_by(n_columns)
            .map(|&value| f64::from(value))
    }

    fn moments(self) -> Moments {
        Moments::of(self.values())
    }

    fn skewness(self) -> f64 {
        let Moments { mean, variance } = self.moments();
        if variance == 0.0 {
            return 0.0;
        }
        let cubes = self.values().map(|value| (value - mean).powi(3)).sum::<f64>();
        cubes / self.values().len() as f64 / (variance * variance.sqrt())
    }

    fn delta(self) -> f64 {
        let values = self.values();
        let n = values.len().saturating_sub(1);
        Moments::of(values.clone().skip(1).zip(values).take(n).map(|(next, value)| next - value))
            .deviation()
    }

    fn correlation(self, other: Self) -> f64 {
        let (ours, theirs) = (self.moments(), other.moments());
        let product = (ours.variance * theirs.variance).sqrt();
        if product == 0.0 {
            return 0.0;
        }
        let pairs = self.values().zip(other.values());
        let sum: f64 = pairs.map(|(a, b)| (a - ours.mean) * (b - theirs.mean)).sum();
        sum / self.values().len() as f64 / product
    }
}

#[cfg(test)]
mod tests;
