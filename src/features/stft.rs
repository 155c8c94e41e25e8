//! `[features.stft]`: the spectrogram of a segment, as librosa computes it.

use super::{AudioFeature, Entry, Worker, spectra};
use crate::audio::{DecibelSettings, Stft, StftSettings, Workspace, power_to_db};
use crate::schema::{Fields, OneOf};

pub(super) const ENTRY: Entry = Entry {
    name: "stft",
    doc: "spectrogram, [n_frames, n_fft / 2 + 1], as librosa.stft: in dB, power or magnitude",
    read: |fields, rate| Box::new(read(fields, rate)),
};

/// The unit of a spectrogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Decibel, from power.
    Decibel,
    /// `|X|^2`.
    Power,
    /// `|X|`.
    Magnitude,
}

/// A spectrogram, `[n_frames, n_fft / 2 + 1]`.
pub struct Spectrogram {
    /// The frames.
    pub stft: Stft,
    /// The unit.
    pub scale: Scale,
    /// The reference and range in decibels; other scales ignore it.
    pub decibel: DecibelSettings,
}

fn read(fields: &mut Fields, _sample_rate_hz: u32) -> Spectrogram {
    const SCALES: &[(&str, Scale)] =
        &[("db", Scale::Decibel), ("power", Scale::Power), ("magnitude", Scale::Magnitude)];
    let settings = spectra::read_stft(fields);
    let scale = fields.with_default("scale", &OneOf(SCALES), Scale::Decibel);
    let decibel = spectra::read_decibel(fields);
    for key in ["ref", "top_db"] {
        if scale != Scale::Decibel && fields.is_given(key) {
            fields.fault_at(key, "applies only with `scale = \"db\"`");
        }
    }
    let stft = Stft::new(&settings).unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        Stft::new(&StftSettings::default()).expect("librosa's defaults make a plan")
    });
    Spectrogram { stft, scale, decibel }
}

impl AudioFeature for Spectrogram {
    fn shape(&self, n_samples: usize) -> Vec<usize> {
        vec![self.stft.n_frames(n_samples), self.stft.n_bins()]
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(self.stft.n_frames(n_samples))
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let mut workspace = Workspace::new();
        Box::new(move |samples: &[f32], out: &mut [f32]| match self.scale {
            Scale::Magnitude => self.stft.magnitude(&mut workspace, samples, out),
            Scale::Power => self.stft.power(&mut workspace, samples, out),
            Scale::Decibel => {
                self.stft.power(&mut workspace, samples, out);
                power_to_db(out, &self.decibel).expect("the reader's rules keep them in range");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read as read_tree};

    fn compute(text: &str) -> Vec<f32> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let (feature, _) = read_tree(&tree, |fields| read(fields, 22_050)).unwrap();
        let samples: Vec<f32> = (0..16).map(|i| if i % 2 == 0 { 0.5 } else { -0.5 }).collect();
        let mut out = vec![0.0; feature.shape(16).iter().product()];
        feature.worker().compute(&samples, &mut out);
        out
    }

    #[test]
    fn half_the_sample_rate_has_the_power_of_the_whole_window() {
        // An alternating signal of 0.5 under a window of ones: |X| = 16 * 0.5 in the last of 9
        // bins.
        let frame = "n_fft = 16\nwindow = \"boxcar\"\ncenter = false\n";
        let last = |scale: &str| compute(&format!("{frame}scale = \"{scale}\"\n"))[8];
        assert_eq!(last("magnitude"), 8.0);
        assert_eq!(last("power"), 64.0);
        assert!((last("db") - 10.0 * 64_f32.log10()).abs() < 1e-4);
        assert_eq!(compute(&format!("{frame}ref = \"max\"\n"))[8], 0.0);
    }

    #[test]
    fn settings_of_db_make_no_sense_elsewhere() {
        let tree = Tree::parse("x.toml", "scale = \"power\"\ntop_db = 60\n").unwrap();
        let faults = read_tree(&tree, |fields| read(fields, 22_050)).err().unwrap();
        assert_eq!(faults.to_string(), "x.toml:2: top_db applies only with `scale = \"db\"`");
    }
}
