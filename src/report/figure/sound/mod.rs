//! The five plots of a segment: waveform, magnitude spectrum, spectrogram, mel spectrogram, MFCCs.
//!
//! They are drawn separately, or on one sheet with a common time axis.

mod images;
mod lines;
#[cfg(test)]
mod tests;

use super::canvas::{Figure, GREY, Text};
use crate::report::words::count;

/// The least level that spectrograms show, in dB below their maximum.
pub const SPECTROGRAM_FLOOR_DB: f32 = -80.0;
/// The least level that a magnitude spectrum shows, in dB below its maximum.
pub const SPECTRUM_FLOOR_DB: f32 = -100.0;

/// A segment of a recording in plain numbers, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What it is a segment of: a track's or a file's name.
    pub name: String,
    /// Where it starts in the recording, in seconds.
    pub start_s: f64,
    /// Length of the whole recording, in seconds.
    pub recording_s: f64,
    /// Samples per second, in Hz.
    pub sample_rate_hz: u32,
    /// The waveform, `[n_samples]`, full scale is -1 to 1; at least 2 samples.
    pub samples: Vec<f32>,
    /// Magnitude spectrum of the whole segment, `[n_bins]` from 0 Hz to half the sample rate, in dB,
    /// 0 at its maximum.
    pub spectrum_db: Vec<f32>,
    /// Samples from one frame to the next, in all of the following; frame `i` is centered on sample
    /// `i * hop_length`.
    pub hop_length: usize,
    /// Spectrogram, `[n_frames, n_bins]` from 0 Hz to half the sample rate, in dB, 0 at its maximum.
    pub spectrogram_db: Frames,
    /// Mel-spectrogram, `[n_frames, n_mels]`, in dB, 0 at its maximum.
    pub mel_db: Frames,
    /// Centres of the mel bands, `[n_mels]`, in Hz, rising.
    pub mel_hz: Vec<f64>,
    /// Mel-frequency cepstral coefficients, `[n_frames, n_mfcc]`.
    pub mfcc: Frames,
}

/// Numbers by frames, at least one of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    /// `[n_frames, n_values]`, row-major, all finite.
    pub values: Vec<f32>,
    /// Numbers of a frame.
    pub n_values: usize,
}

impl Frames {
    fn n_frames(&self) -> usize {
        self.values.len() / self.n_values
    }

    fn frame(&self, frame_idx: usize) -> &[f32] {
        &self.values[frame_idx * self.n_values..][..self.n_values]
    }
}

impl Segment {
    fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }

    /// Where it lies in its recording.
    fn place(&self) -> String {
        let end_s = self.start_s + self.duration_s();
        let rate = count(self.sample_rate_hz as usize);
        format!("{:.1} to {end_s:.1} s of {:.1} s, {rate} Hz", self.start_s, self.recording_s)
    }
}

/// Where on the paper a plot lies, without its labels.
#[derive(Clone, Copy)]
struct Area {
    top: f64,
    right: f64,
    bottom: f64,
}

/// One of the five.
struct Panel {
    file: &'static str,
    title: &'static str,
    /// What else a reader should know of it.
    note: fn(&Segment) -> String,
    /// Draws it into a figure.
    draw: fn(&Segment, &mut Figure, Area),
    /// Where its plot ends on the paper when it is alone: images leave room for their key.
    right_alone: f64,
    /// Height of the plot alone, and on the sheet.
    heights: [f64; 2],
}

const PANELS: [Panel; 5] = [
    Panel {
        file: "waveform",
        title: "waveform",
        note: lines::waveform_note,
        draw: lines::waveform,
        right_alone: 700.0,
        heights: [180.0, 110.0],
    },
    Panel {
        file: "spectrum",
        title: "magnitude spectrum",
        note: |_| "0 dB = maximum, one Hann window over the segment".to_owned(),
        draw: lines::spectrum,
        right_alone: 700.0,
        heights: [260.0, 160.0],
    },
    Panel {
        file: "spectrogram",
        title: "spectrogram",
        note: images::spectrogram_note,
        draw: images::spectrogram,
        right_alone: RIGHT,
        heights: [300.0, 210.0],
    },
    Panel {
        file: "mel-spectrogram",
        title: "mel-spectrogram",
        note: |segment| format!("0 dB = maximum, {} mel bands", segment.mel_db.n_values),
        draw: images::mel,
        right_alone: RIGHT,
        heights: [280.0, 180.0],
    },
    Panel {
        file: "mfcc",
        title: "MFCC",
        note: images::mfcc_note,
        draw: images::mfcc,
        right_alone: RIGHT,
        heights: [260.0, 180.0],
    },
];

const WIDTH: u32 = 720;
/// Where every plot of a sheet begins and ends, so that times lie below each other.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 628.0;
/// What a plot needs below it for its axis.
const BELOW: f64 = 48.0;

/// The five figures, each with the end of its file's name.
pub(super) fn figures(segment: &Segment) -> Vec<(&'static str, Figure)> {
    PANELS.iter().map(|panel| (panel.file, alone(segment, panel))).collect()
}

fn alone(segment: &Segment, panel: &Panel) -> Figure {
    let (top, height) = (66.0, panel.heights[0]);
    let title = format!("{}: {}", segment.name, panel.title);
    let mut figure = Figure::new(&title, WIDTH, (top + height + BELOW) as u32);
    let note = (panel.note)(segment);
    figure.heading(&title, &format!("{}; {note}", segment.place()));
    let area = Area { top, right: panel.right_alone, bottom: top + height };
    (panel.draw)(segment, &mut figure, area);
    figure
}

/// All five below each other.
pub(super) fn sheet(segment: &Segment, title: &str) -> Figure {
    const TITLE: f64 = 28.0;
    let heights = PANELS.iter().map(|panel| TITLE + panel.heights[1] + BELOW);
    let top = 64.0;
    let mut figure = Figure::new(title, WIDTH, (top + heights.sum::<f64>()) as u32);
    figure.heading(title, &format!("{}, {}", segment.name, segment.place()));
    let mut y = top;
    for panel in &PANELS {
        let name = Text::new(panel.title, (LEFT, y + 12.0), 14.0).bold();
        let after = LEFT + name.width() + 12.0;
        figure.text(name);
        let note = Text::new((panel.note)(segment), (after, y + 12.0), 12.5).color(GREY);
        figure.text(note.fit(f64::from(WIDTH) - after - 12.0));
        y += TITLE;
        let area = Area { top: y, right: RIGHT, bottom: y + panel.heights[1] };
        (panel.draw)(segment, &mut figure, area);
        y += panel.heights[1] + BELOW;
    }
    figure
}
