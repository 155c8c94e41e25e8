//! `[features.band_statistics]`: statistics over time of log-mel bands and MFCCs, for recordings and for
//! arrays of spectrograms.

use super::{AudioFeature, Entry, Worker, spectra};
use crate::audio::{
    AudioError, BandBuffers, BandStatistic, BandStatistics, BandStatisticsSettings, LogMel,
    LogMelSettings, Workspace,
};
use crate::schema::{Fields, Int, List, OneOf, Real};

pub(super) const ENTRY: Entry = Entry {
    name: "band_statistics",
    doc: "mean, deviation, skewness, delta, correlation and modulation spectrum of log-mel bands and MFCCs, \
          [n_columns]",
    read: |fields, rate| Box::new(read(fields, rate)),
};

const STATISTICS: &[(&str, BandStatistic)] = &[
    ("mean", BandStatistic::Mean),
    ("deviation", BandStatistic::Deviation),
    ("skewness", BandStatistic::Skewness),
    ("delta", BandStatistic::Delta),
    ("correlation", BandStatistic::Correlation),
    ("modulation", BandStatistic::Modulation),
];

/// The default edges of the bands of modulation rates: from a change every four seconds to six a second.
const MODULATION_HZ: [f64; 8] = [0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// Statistics of the log-mel spectrogram of a segment.
pub struct BandSummary {
    log_mel: LogMel,
    statistics: BandStatistics,
}

impl BandSummary {
    /// Statistics by which whole songs are compared: mean, deviation, skewness and delta of 20 MFCCs, and the
    /// modulation of 16 groups of 128 bands.
    #[must_use]
    pub fn of_songs(sample_rate_hz: u32) -> Self {
        let mut settings = LogMelSettings::default();
        settings.mel.sample_rate_hz = sample_rate_hz;
        let statistics = BandStatisticsSettings {
            n_bands: settings.mel.n_mels,
            frame_rate_hz: f64::from(sample_rate_hz) / settings.stft.hop_length as f64,
            bands: vec![BandStatistic::Modulation],
            mfcc: STATISTICS[..4].iter().map(|&(_, statistic)| statistic).collect(),
            n_mfcc: 20,
            n_groups: 16,
            modulation_hz: MODULATION_HZ.to_vec(),
        };
        Self {
            log_mel: LogMel::new(&settings).expect("librosa's defaults make a plan"),
            statistics: BandStatistics::new(&statistics).expect("every setting is in range"),
        }
    }
}

impl BandSummary {
    /// How many numbers each statistic has, in order.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        self.statistics.parts()
    }
}

fn read(fields: &mut Fields, sample_rate_hz: u32) -> BandSummary {
    let settings = spectra::read_log_mel(fields, sample_rate_hz);
    let frame_rate_hz = f64::from(sample_rate_hz) / settings.stft.hop_length as f64;
    let statistics = read_statistics(fields, settings.mel.n_mels, frame_rate_hz);
    let made = LogMel::new(&settings);
    let log_mel = made.unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        LogMel::new(&LogMelSettings::default()).expect("librosa's defaults make a plan")
    });
    BandSummary { log_mel, statistics }
}

/// Reads what is computed of frames of `n_bands`.
pub(super) fn read_statistics(
    fields: &mut Fields,
    n_bands: usize,
    frame_rate_hz: f64,
) -> BandStatistics {
    let all: Vec<BandStatistic> = STATISTICS.iter().map(|&(_, statistic)| statistic).collect();
    let bands = fields.with_default("bands", &List::of(OneOf(STATISTICS)), all.clone());
    let mfcc = fields.with_default("mfcc", &List::of(OneOf(STATISTICS)), all[..4].to_vec());
    for (key, list) in [("bands", &bands), ("mfcc", &mfcc)] {
        for (name, statistic) in STATISTICS {
            if list.iter().filter(|other| *other == statistic).count() > 1 {
                let said = format!("must contain each statistic once, found `{name}` twice");
                fields.fault_at(key, &said);
            }
        }
    }
    if bands.is_empty() && mfcc.is_empty() {
        fields.fault("needs a statistic in `bands` or `mfcc`");
    }
    let each = Int::within(1..=1_024);
    let rates = List::of_some(Real::from_to(0.0, 5_000.0));
    let settings = BandStatisticsSettings {
        n_bands,
        frame_rate_hz,
        bands,
        mfcc,
        n_mfcc: fields.with_default("n_mfcc", &each, 20.min(n_bands)),
        n_groups: fields.with_default("n_groups", &each, 16.min(n_bands)),
        modulation_hz: fields.with_default("modulation_hz", &rates, MODULATION_HZ.to_vec()),
    };
    BandStatistics::new(&settings).unwrap_or_else(|error| {
        if !fields.is_exploring() {
            say(fields, &error);
        }
        stand_in()
    })
}

/// Passes over the keys of [`read_statistics`], where they can't be checked.
pub(super) fn pass_over(fields: &mut Fields) {
    if fields.is_exploring() {
        read_statistics(fields, 128, 100.0);
        return;
    }
    for key in ["bands", "mfcc", "n_mfcc", "n_groups", "modulation_hz"] {
        fields.pass_over(key);
    }
}

/// Reports a setting out of range at its key.
fn say(fields: &Fields, error: &AudioError) {
    match error {
        AudioError::InvalidParameter { parameter, allowed, got } => {
            let key = parameter.rsplit('.').next().unwrap_or(parameter);
            fields.fault_at(key, &format!("must be {allowed}, found {got}"));
        }
        other => fields.fault(&other.to_string()),
    }
}

fn stand_in() -> BandStatistics {
    let settings = BandStatisticsSettings {
        n_bands: 1,
        frame_rate_hz: 1.0,
        bands: vec![BandStatistic::Mean],
        mfcc: vec![],
        n_mfcc: 1,
        n_groups: 1,
        modulation_hz: vec![0.0, 0.5],
    };
    BandStatistics::new(&settings).expect("every setting is in range")
}

impl AudioFeature for BandSummary {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![self.statistics.n_columns()]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.log_mel.n_frames(n_samples) == self.log_mel.n_frames(whole)
    }

    fn column_names(&self) -> Vec<String> {
        self.statistics.names()
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(self.log_mel.n_frames(n_samples))
    }

    fn warnings(&self) -> Vec<String> {
        spectra::empty_mels(&self.log_mel)
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let mut workspace = Workspace::new();
        let (mut buffers, mut frames) = (BandBuffers::default(), vec![]);
        Box::new(move |samples: &[f32], out: &mut [f32]| {
            frames.resize(self.log_mel.n_frames(samples.len()) * self.log_mel.n_mels(), 0.0);
            self.log_mel.compute(&mut workspace, samples, &mut frames);
            self.statistics.compute(&mut buffers, &frames, out);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read as read_tree};

    fn summary(text: &str) -> Result<BandSummary, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let made = read_tree(&tree, |fields| read(fields, 22_050));
        made.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_default_columns_are_of_bands_then_mfccs() {
        let names = summary("").unwrap().column_names();
        assert_eq!(names.len(), 4 * 128 + 16 * 15 / 2 + 16 * 7 + 4 * 20);
        assert_eq!((names[0].as_str(), names[823].as_str()), ("band1_mean", "mfcc20_delta"));
        assert_eq!(names[512], "group1_group2_correlation");
        assert_eq!(names[632], "group1_modulation_0.25_0.5");
        let few = summary("bands = []\nmfcc = [\"mean\"]\nn_mfcc = 2\n").unwrap().column_names();
        assert_eq!(few, ["mfcc1_mean", "mfcc2_mean"]);
    }

    #[test]
    fn a_tone_that_swells_is_modulated_at_its_rate() {
        // A tone that swells five times in two seconds.
        let sine = |hz: f32, i: i32| (std::f32::consts::TAU * hz * i as f32 / 22_050.0).sin();
        let samples: Vec<f32> =
            (0..22_050 * 10).map(|i| 0.5 * sine(600.0, i) * (0.55 + 0.45 * sine(2.5, i))).collect();
        let feature = summary("bands = [\"modulation\"]\nmfcc = []\nn_groups = 8\n").unwrap();
        let mut out = vec![f32::NAN; feature.shape(samples.len())[0]];
        feature.worker().compute(&samples, &mut out);
        // The tone is in the second of eight groups; from 2 to below 3 Hz is its fifth rate.
        let rates = &out[7..14];
        let loudest = (0..7).max_by(|&a, &b| rates[a].total_cmp(&rates[b])).unwrap();
        assert_eq!(loudest, 4, "{rates:?}");
    }

    #[test]
    fn faults_are_at_their_keys() {
        let text =
            "bands = [\"mean\", \"mean\"]\nmfcc = [\"variance\"]\nn_mels = 10\nn_mfcc = 12\n";
        let said = summary(text).err().unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("x.toml:1: bands must contain each statistic once"), "{said}");
        assert!(lines[1].contains("variance"), "{said}");
        assert_eq!(lines[2], "x.toml:4: n_mfcc must be in [1, 10], the number of bands, found 12");
        let said = summary("hop_length = 4096\n").err().unwrap();
        assert!(said.contains("modulation_hz must be two or more ascending rates"), "{said}");
        assert!(summary("bands = []\nmfcc = []\n").err().unwrap().contains("needs a statistic"));
    }
}
