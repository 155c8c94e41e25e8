//! `[training] augment_waveforms`: random changes of recordings, whose features are computed again in
//! every epoch.

use serde_json::{Value as Json, json};

use crate::audio::{DEGRADATIONS, Degradation, DegradationEntry, Numbers, Parameter, Waveform};
use crate::features::Features;
use crate::schema::{Fields, Int, Node, Real, Rule, Value};
use crate::split::Protocol;
use crate::vocab::{Rng, Seed};

const KEY: &str = "augment_waveforms";
const CROP: &str = "crop";

/// A random change of a segment's sound.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveformAugment {
    /// The name in specs.
    pub(super) name: &'static str,
    /// The probability of an example to be changed.
    p: f64,
    change: Change,
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    /// The segment is taken from another place of its track.
    Crop,
    /// It is degraded, with a value from a range for each parameter.
    Degrade(&'static str, Vec<[f64; 2]>),
}

/// Reads the list, where there is one. What the examples and the split do not allow becomes a fault.
pub(super) fn read(
    fields: &mut Fields,
    features: Option<&Features>,
    split: Option<&Protocol>,
) -> Vec<WaveformAugment> {
    // A spec without the key is what it was before there was one.
    if !fields.is_given(KEY) && !fields.is_exploring() {
        return vec![];
    }
    let names: Vec<&str> =
        [CROP].into_iter().chain(DEGRADATIONS.iter().map(|entry| entry.name)).collect();
    let read = fields.each_choice(KEY, &names, |name, inner| {
        let p = inner.with_default("p", &Real::from_to(0.0, 1.0), 1.0);
        let Some(entry) = DEGRADATIONS.iter().find(|entry| entry.name == name) else {
            return WaveformAugment { name: CROP, p, change: Change::Crop };
        };
        let ranges = entry.parameters.iter().map(|parameter| read_range(inner, parameter));
        let change = Change::Degrade(entry.name, ranges.collect());
        WaveformAugment { name: entry.name, p, change }
    });
    if fields.is_exploring() {
        return read;
    }
    match features {
        Some(Features::Audio { segments, .. }) => {
            let crops = read.iter().any(|item| item.change == Change::Crop);
            if crops && segments.per_track > 1 && split.is_some_and(Protocol::divides_tracks) {
                let said = "can't contain `crop` with a split by segment: training would hear the parts of a track \
                            that are tested; split by track or by group";
                fields.fault_at(KEY, said);
            }
        }
        Some(Features::Table(_) | Features::Array(_)) => {
            fields.fault_at(KEY, "applies to recordings, but the dataset has none");
        }
        None => {}
    }
    read
}

fn read_range(fields: &mut Fields, parameter: &'static Parameter) -> [f64; 2] {
    let rule = Range(parameter);
    match parameter.default {
        None => fields.required(parameter.name, &rule),
        Some(value) => fields.with_default(parameter.name, &rule, [value; 2]),
    }
}

/// A number, or the lowest and the highest of those that are drawn.
struct Range(&'static Parameter);

impl Range {
    fn one(&self, node: &Node) -> Result<f64, Option<String>> {
        let Parameter { low, high, numbers, .. } = *self.0;
        match numbers {
            Numbers::Real => Real::from_to(low, high).check(node),
            Numbers::Whole => {
                Int::within(low as i64..=high as i64).check(node).map(|whole| whole as f64)
            }
        }
    }

    fn json(&self, value: f64) -> Json {
        match self.0.numbers {
            Numbers::Real => json!(value),
            Numbers::Whole => json!(value as i64),
        }
    }
}

impl Rule for Range {
    type Made = [f64; 2];

    fn allowed(&self) -> String {
        let Parameter { low, high, numbers, .. } = self.0;
        let kind = if *numbers == Numbers::Whole { "an integer" } else { "a number" };
        format!("{kind} in [{low}, {high}], or a list of the lowest and the highest that is drawn")
    }

    fn check(&self, node: &Node) -> Result<[f64; 2], Option<String>> {
        let Value::List(ends) = &node.value else { return self.one(node).map(|value| [value; 2]) };
        let [low, high] = ends.as_slice() else { return Err(None) };
        match (self.one(low)?, self.one(high)?) {
            (low, high) if low <= high => Ok([low, high]),
            (low, high) => Err(Some(format!("must not fall, found [{low}, {high}]"))),
        }
    }

    fn keep(&self, [low, high]: &[f64; 2]) -> Json {
        if low == high { self.json(*low) } else { json!([self.json(*low), self.json(*high)]) }
    }

    fn schema(&self) -> Json {
        let Parameter { low, high, .. } = self.0;
        let one = json!({ "type": "number", "minimum": low, "maximum": high });
        let both = json!({ "type": "array", "items": one, "minItems": 2, "maxItems": 2 });
        json!({ "anyOf": [one, both] })
    }

    fn stand_in(&self) -> [f64; 2] {
        [self.0.low; 2]
    }
}

/// The streams of all items in one epoch: what they draw depends on the seed, their name, the epoch and
/// the example alone.
pub(super) fn streams(items: &[WaveformAugment], seed: Seed, epoch: usize) -> Vec<Rng> {
    let stream = |(place, item): (usize, &WaveformAugment)| {
        let nth = items[..place].iter().filter(|other| other.name == item.name).count();
        seed.rng(&format!("waveform/{}", item.name), &[epoch as u64, nth as u64])
    };
    items.iter().enumerate().map(stream).collect()
}

impl WaveformAugment {
    /// Returns whether segments are taken from other places of their tracks.
    pub(super) fn is_crop(&self) -> bool {
        self.change == Change::Crop
    }

    /// The same, for every example.
    pub(super) fn always(&self) -> Self {
        Self { p: 1.0, ..self.clone() }
    }

    /// Returns the stream of one example; nothing if the probability leaves it out.
    pub(super) fn drawn(&self, epoch: &Rng, index: usize) -> Option<Rng> {
        let mut rng = Rng::new(epoch.at(index as u64));
        (rng.uniform() >= 1.0 - self.p).then_some(rng)
    }

    /// Degrades a segment; one that is only cropped stays as it is. The length stays: a segment that is played
    /// faster begins again at its end.
    pub(super) fn degrade(&self, segment: Waveform, rng: &mut Rng) -> Waveform {
        let Change::Degrade(name, ranges) = &self.change else { return segment };
        let entry = entry(name);
        let values = entry.parameters.iter().zip(ranges);
        let values: Vec<(&str, f64)> = values
            .map(|(parameter, range)| (parameter.name, parameter.draw(*range, rng)))
            .collect();
        let degradation = Degradation::new(name, &values).expect("the values were checked");
        let degraded = degradation.apply(&segment, Seed(rng.next_u64()));
        let n_samples = segment.samples.len();
        let samples = degraded.samples.into_iter();
        Waveform { samples: repeated(samples, n_samples), ..segment }
    }
}

/// Returns the first `n` samples of a sound that is repeated without end.
fn repeated(samples: std::vec::IntoIter<f32>, n: usize) -> Vec<f32> {
    samples.cycle().take(n).collect()
}

fn entry(name: &str) -> &'static DegradationEntry {
    DEGRADATIONS.iter().find(|entry| entry.name == name).expect("it is from the list")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::Kind;
    use crate::schema::{Tree, read as read_tree};

    const PLAN: &str = "[segments]\nseconds = 1\nper_track = 3\n[features.mfcc]\n";

    fn read_text(list: &str, by: &str) -> Result<(Vec<WaveformAugment>, Json), String> {
        let split =
            format!("[split.random]\nby = \"{by}\"\nstratify = true\ntest = 0.3\nvalid = 0.3\n");
        let tree = Tree::parse("x.toml", &format!("{list}\n{PLAN}{split}")).unwrap();
        read_tree(&tree, |fields| {
            let split = Protocol::read(fields);
            let features =
                Features::read(fields, Kind::Audio { sample_rate_hz: 22_050 }, Path::new(""));
            read(fields, features.as_ref(), split.as_ref())
        })
        .map(|(made, mut resolved)| (made, resolved[KEY].take()))
        .map_err(|faults| faults.to_string())
    }

    #[test]
    fn ranges_numbers_and_defaults_are_read_and_kept() {
        let list = "augment_waveforms = [\"crop\", { white_noise = { snr_db = [10, 40], p = 0.5 } }, \
                    { mp3 = { bitrate_kbps = 64 } }, { reverb = { rt60_s = [0.2, 2] } }]";
        let (made, kept) = read_text(list, "track").unwrap();
        let names: Vec<&str> = made.iter().map(|item| item.name).collect();
        assert_eq!(names, ["crop", "white_noise", "mp3", "reverb"]);
        assert_eq!(made[1].change, Change::Degrade("white_noise", vec![[10.0, 40.0]]));
        assert_eq!(made[3].change, Change::Degrade("reverb", vec![[0.2, 2.0], [0.0, 0.0]]));
        assert_eq!(
            kept,
            json!([
                { "crop": { "p": 1.0 } },
                { "white_noise": { "p": 0.5, "snr_db": [10.0, 40.0] } },
                { "mp3": { "p": 1.0, "bitrate_kbps": 64 } },
                { "reverb": { "p": 1.0, "rt60_s": [0.2, 2.0], "drr_db": 0.0 } },
            ])
        );
        assert_eq!(
            read_text("", "track").unwrap(),
            (vec![], Json::Null),
            "old specs keep their hash"
        );
    }

    #[test]
    fn a_segment_keeps_its_length_at_every_speed() {
        let segment = Waveform {
            samples: (0..2000).map(|i| (i as f32 / 9.0).sin()).collect(),
            sample_rate_hz: 22_050,
        };
        for factor in [0.5, 1.0, 2.0] {
            let list = format!("augment_waveforms = [{{ speed = {{ factor = {factor} }} }}]");
            let (made, _) = read_text(&list, "track").unwrap();
            let mut rng = Seed(1).rng("test", &[]);
            let out = made[0].degrade(segment.clone(), &mut rng).samples;
            assert_eq!(out.len(), 2000, "{factor}");
            if factor == 2.0 {
                assert_eq!(out[..1000], out[1000..], "it begins again");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_a_fault() {
        let list = "augment_waveforms = [\n\"crop\",\n{ white_noise = { snr_db = [40, 10] } },\n\
                    { mp3 = { bitrate_kbps = [1, 64] } },\n{ low_pass = {} },\n\"pink_nois\",\n\
                    { clip = { level = [0.1, 0.2, 0.3] } }]";
        let said = read_text(list, "segment").unwrap_err();
        let lines: Vec<&str> = said.lines().collect();
        let known = &lines[4][lines[4].find("must be").unwrap()..];
        assert!(known.contains("`white_noise`") && known.ends_with("did you mean `pink_noise`?"));
        for (line, words) in [
            "x.toml:1: augment_waveforms can't contain `crop` with a split by segment",
            "x.toml:3: augment_waveforms[1].white_noise.snr_db must not fall, found [40, 10]",
            "x.toml:4: augment_waveforms[2].mp3.bitrate_kbps must be an integer in [8, 320], or a list of the lowest",
            "x.toml:5: augment_waveforms[3].low_pass.cutoff_hz is missing; expected a number in [20, 384000], or",
            "x.toml:6: augment_waveforms[4] must be `crop`, ",
            "x.toml:7: augment_waveforms[5].clip.level must be a number in [0.000001, 1], or a list of the lowest",
        ]
        .iter()
        .enumerate()
        {
            assert!(lines[line].starts_with(words), "{}\n{words}", lines[line]);
        }
        assert_eq!(lines.len(), 6);
        let tree = Tree::parse(
            "x.toml",
            "augment_waveforms = [\"crop\"]\n[features.table]\nnumeric = [\"x\"]",
        );
        let faults = read_tree(&tree.unwrap(), |fields| {
            let features = Features::read(fields, Kind::Table, Path::new(""));
            read(fields, features.as_ref(), None);
        });
        let said = faults.unwrap_err().to_string();
        assert!(said.contains("augment_waveforms applies to recordings"), "{said}");
    }
}
