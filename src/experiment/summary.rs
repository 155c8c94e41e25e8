//! What a recording or a dataset is like, in the plain numbers that `report` draws.

use super::bins;
use crate::audio::{
    self, AudioError, DecibelSettings, LogMel, LogMelSettings, MelSettings, Mfcc, MfccSettings,
    Padding, Reference, Stft, StftSettings, Waveform, Workspace,
};
use crate::dataset::{AudioData, Data, DatasetError, TableData, Track};
use crate::report::{
    Columns, DatasetSummary, Frames, SPECTROGRAM_FLOOR_DB, SPECTRUM_FLOOR_DB, Segment,
};
use crate::table::{ClassedRows, Numbers, between_classes};

/// Why there is nothing to draw.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The dataset can't be read any more.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The requested data do not exist; a sentence.
    #[error("{0}")]
    NotThere(String),
}

/// The longest segment that is drawn, in seconds.
pub(super) const MAX_SEGMENT_S: f64 = 30.0;
/// The shortest, in seconds.
pub(super) const MIN_SEGMENT_S: f64 = 0.1;
/// Columns of a table that are looked at.
const MOST_COLUMNS: usize = 40;
/// What the report's features are made with.
const N_MFCC: usize = 13;

/// The numbers of a segment of a recording: `seconds` from `start_s`, or up to the end of the recording.
///
/// # Errors
/// [`SummaryError::NotThere`] where the segment is not in the recording, or shorter than 0.1 s or longer
/// than 30 s.
pub fn segment(
    name: &str,
    recording: &Waveform,
    start_s: f64,
    seconds: f64,
) -> Result<Segment, SummaryError> {
    let recording_s = recording.duration_s();
    let not_there = |message: String| Err(SummaryError::NotThere(message));
    if !(MIN_SEGMENT_S..=MAX_SEGMENT_S).contains(&seconds) {
        return not_there(format!(
            "the length of a segment must be in [{MIN_SEGMENT_S}, {MAX_SEGMENT_S}] s, found {seconds}"
        ));
    }
    let last_s = recording_s - MIN_SEGMENT_S;
    if last_s < 0.0 {
        return not_there(format!(
            "{name} is {recording_s:.3} s long; at least {MIN_SEGMENT_S} s are needed"
        ));
    }
    if !(0.0..=last_s).contains(&start_s) {
        return not_there(format!(
            "the start of a segment of {name} must be in [0, {last_s:.1}] s, found {start_s}"
        ));
    }
    let rate = f64::from(recording.sample_rate_hz);
    let first = (start_s * rate).round() as usize;
    let end = (first + (seconds * rate).round() as usize).min(recording.samples.len());
    let samples = recording.samples[first..end].to_vec();
    let place = (start_s, recording_s, recording.sample_rate_hz);
    let mut segment =
        numbers(name, samples, place).expect("the settings are librosa's, or fit the segment");
    if segment.samples.iter().all(|sample| *sample == 0.0) {
        // Silence has no maximum to be 0 dB: it lies on the floor.
        segment.spectrum_db.fill(SPECTRUM_FLOOR_DB);
        segment.spectrogram_db.values.fill(SPECTROGRAM_FLOOR_DB);
        segment.mel_db.values.fill(SPECTROGRAM_FLOOR_DB);
    }
    Ok(segment)
}

fn numbers(
    name: &str,
    samples: Vec<f32>,
    (start_s, recording_s, sample_rate_hz): (f64, f64, u32),
) -> Result<Segment, AudioError> {
    let mut workspace = Workspace::new();
    let stft = StftSettings::default();
    let whole = StftSettings {
        n_fft: samples.len(),
        hop_length: samples.len(),
        padding: Padding::Off,
        ..stft
    };
    let mut power = |settings: &StftSettings, floor_db: f32| -> Result<Frames, AudioError> {
        let plan = Stft::new(settings)?;
        let mut values = vec![0.0; plan.n_frames(samples.len()) * plan.n_bins()];
        plan.power(&mut workspace, &samples, &mut values);
        audio::power_to_db(&mut values, &below_maximum(floor_db))?;
        Ok(Frames { values, n_values: plan.n_bins() })
    };
    let spectrum_db = power(&whole, SPECTRUM_FLOOR_DB)?.values;
    let spectrogram_db = power(&stft, SPECTROGRAM_FLOOR_DB)?;

    let mel = MelSettings { sample_rate_hz, ..MelSettings::default() };
    let decibel = below_maximum(SPECTROGRAM_FLOOR_DB);
    let plan = LogMel::new(&LogMelSettings { stft, mel, decibel })?;
    let mut values = vec![0.0; plan.n_frames(samples.len()) * plan.n_mels()];
    plan.compute(&mut workspace, &samples, &mut values);
    let mel_db = Frames { values, n_values: plan.n_mels() };

    let settings = MfccSettings { stft, mel, n_mfcc: N_MFCC, ..MfccSettings::default() };
    let plan = Mfcc::new(&settings)?;
    let mut values = vec![0.0; plan.n_frames(samples.len()) * plan.n_mfcc()];
    plan.compute(&mut workspace, &samples, &mut values);
    let mfcc = Frames { values, n_values: plan.n_mfcc() };
    Ok(Segment {
        name: name.to_owned(),
        start_s,
        recording_s,
        sample_rate_hz,
        samples,
        spectrum_db,
        hop_length: stft.hop_length,
        spectrogram_db,
        mel_db,
        mel_hz: audio::mel_frequencies(&mel)?,
        mfcc,
    })
}

/// 0 dB at the maximum, however quiet that is, and nothing below a floor.
fn below_maximum(floor_db: f32) -> DecibelSettings {
    DecibelSettings { reference: Reference::Max, amin: 1e-37, top_db: Some(-floor_db) }
}

/// A segment of a dataset's track, from the track's start.
///
/// # Errors
/// As [`segment`], and where the track can't be read any more.
pub fn track_segment(
    data: &AudioData,
    track: &Track,
    seconds: f64,
) -> Result<Segment, SummaryError> {
    let samples = data.waveform(track)?;
    let recording = Waveform { samples, sample_rate_hz: data.sample_rate_hz };
    segment(&track.id, &recording, 0.0, seconds)
}

/// A dataset's examples by class: a table's columns, or the durations of tracks.
#[must_use]
pub fn columns(name: &str, data: &Data) -> Columns {
    let (classes, excluded, notes) = match data {
        Data::Audio(audio) => (&audio.classes, &audio.excluded, &audio.notes),
        Data::Table(table) => (&table.classes, &table.excluded, &table.notes),
        Data::Arrays(arrays) => (&arrays.classes, &arrays.excluded, &arrays.notes),
    };
    let mut incomplete = None;
    let mut n_columns = None;
    let (unit, colon, names, rows) = match data {
        Data::Audio(audio) => {
            let rate = f64::from(audio.sample_rate_hz);
            let tracks = &audio.tracks;
            let durations: Vec<f64> =
                tracks.iter().map(|track| track.n_samples as f64 / rate).collect();
            let labels: Vec<usize> = tracks.iter().map(|track| track.class).collect();
            let rows = ClassedRows::new(&labels, [&durations[..]].into_iter());
            ("track", ":", vec![("duration, s".to_owned(), 0.0)], rows)
        }
        Data::Table(table) => {
            n_columns = Some(table.columns.len());
            let chosen = most_different(table);
            let columns = chosen.iter().map(|(name, _)| table.columns[name].as_slice());
            let all = ClassedRows::new(&table.labels, columns);
            let rows = all.complete();
            let n_left = all.n_rows() - rows.n_rows();
            incomplete =
                (n_left > 0).then(|| format!("{n_left} rows with a missing number are not drawn"));
            ("row", "", chosen, rows)
        }
        // What an array's numbers are is not known: only the classes are counted.
        Data::Arrays(arrays) => {
            ("example", ":", vec![], ClassedRows::new(&arrays.labels, [].into_iter()))
        }
    };
    // A table's are counted, `12 of 90 rows` and what they have; a track has its name.
    let kept_out =
        excluded.iter().map(|out| format!("skipped: {}{colon} {}", out.name, out.reason));
    let by_class = rows.by_class(classes.len());
    let column = |(place, (name, share)): (usize, &(String, f64))| {
        let classes: Vec<Numbers> = by_class.iter().map(|rows| rows.column(place)).collect();
        bins::summary(name, &rows.column(place), &classes, *share)
    };
    Columns {
        name: name.to_owned(),
        unit,
        classes: classes.clone(),
        counts: by_class.iter().map(ClassedRows::n_rows).collect(),
        n_columns: n_columns.unwrap_or(names.len()),
        columns: names.iter().enumerate().map(column).collect(),
        correlations: rows.correlations(),
        notes: notes.iter().cloned().chain(kept_out).chain(incomplete).collect(),
    }
}

/// The columns of a table, each with the share of its variance that lies between classes; of many those with
/// the largest shares, in their order. All pairs of thousands of columns would take hours.
fn most_different(table: &TableData) -> Vec<(String, f64)> {
    let share = |values: &[f64]| between_classes(values, &table.labels, table.classes.len());
    let mut columns: Vec<(String, f64)> =
        table.columns.iter().map(|(name, values)| (name.clone(), share(values))).collect();
    // Stable: of equal shares the first by name stays.
    columns.sort_by(|a, b| b.1.total_cmp(&a.1));
    columns.truncate(MOST_COLUMNS);
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    columns
}

/// What the page shows of a dataset: its columns, or 3 s of its first track.
///
/// # Errors
/// Where it has no track, or that can't be read any more.
pub fn summarize(name: &str, data: &Data) -> Result<DatasetSummary, SummaryError> {
    match data {
        Data::Table(_) | Data::Arrays(_) => Ok(DatasetSummary::Columns(columns(name, data))),
        Data::Audio(audio) => {
            let no_track = || SummaryError::NotThere(format!("{name} has no track"));
            let track = audio.tracks.first().ok_or_else(no_track)?;
            Ok(DatasetSummary::Segment(track_segment(audio, track, 3.0)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, seconds: f64) -> Waveform {
        let n = (seconds * 22_050.0) as usize;
        let sample = |i: usize| (std::f64::consts::TAU * hz * i as f64 / 22_050.0).sin() as f32;
        Waveform { samples: (0..n).map(|i| 0.25 * sample(i)).collect(), sample_rate_hz: 22_050 }
    }

    fn loudest(values: &[f32]) -> usize {
        (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
    }

    #[test]
    fn a_tone_is_at_its_frequency_in_every_picture() {
        let segment = segment("tone", &tone(1000.0, 4.0), 0.5, 3.0).unwrap();
        assert_eq!(segment.samples.len(), 66_150);
        // Bins of 1/3 Hz, of 10.77 Hz, and bands by their centres.
        assert_eq!(loudest(&segment.spectrum_db), 3000);
        let frame =
            |frames: &Frames| frames.values[65 * frames.n_values..][..frames.n_values].to_vec();
        assert_eq!(loudest(&frame(&segment.spectrogram_db)), 93);
        let band = loudest(&frame(&segment.mel_db));
        assert!((segment.mel_hz[band] - 1000.0).abs() < 15.0, "{}", segment.mel_hz[band]);
        for values in [&segment.spectrum_db, &segment.spectrogram_db.values, &segment.mel_db.values]
        {
            assert_eq!(values.iter().copied().fold(f32::MIN, f32::max), 0.0);
        }
        assert_eq!(segment.mfcc.values.len(), 130 * 13);
    }

    #[test]
    fn silence_lies_on_the_floor_and_the_quietest_tone_does_not() {
        let silence = Waveform { samples: vec![0.0; 22_050], sample_rate_hz: 22_050 };
        let silence = segment("silence", &silence, 0.0, 1.0).unwrap();
        assert!(silence.spectrum_db.iter().all(|db| *db == SPECTRUM_FLOOR_DB));
        assert!(silence.mel_db.values.iter().all(|db| *db == SPECTROGRAM_FLOOR_DB));
        let mut quiet = tone(1000.0, 1.0);
        quiet.samples.iter_mut().for_each(|sample| *sample *= 1e-6);
        let quiet = segment("quiet", &quiet, 0.0, 1.0).unwrap();
        let floor = quiet.mel_db.values.iter().filter(|db| **db == SPECTROGRAM_FLOOR_DB).count();
        assert!(floor > 100, "{floor}");
    }

    #[test]
    fn a_short_rest_is_drawn_and_what_is_not_there_is_said() {
        let recording = tone(440.0, 2.0);
        assert_eq!(segment("x", &recording, 1.5, 3.0).unwrap().samples.len(), 11_025);
        let said =
            |start_s, seconds| segment("x", &recording, start_s, seconds).unwrap_err().to_string();
        assert_eq!(
            said(1.95, 3.0),
            "the start of a segment of x must be in [0, 1.9] s, found 1.95"
        );
        assert_eq!(said(-1.0, 3.0), "the start of a segment of x must be in [0, 1.9] s, found -1");
        assert_eq!(said(0.0, 0.0), "the length of a segment must be in [0.1, 30] s, found 0");
        assert_eq!(
            said(0.0, f64::NAN),
            "the length of a segment must be in [0.1, 30] s, found NaN"
        );
        let short = segment("x", &tone(440.0, 0.05), 0.0, 3.0).unwrap_err().to_string();
        assert_eq!(short, "x is 0.050 s long; at least 0.1 s are needed");
    }
}
