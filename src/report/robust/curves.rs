//! Degradations as texts -> curves: those of one kind by their strength.

use std::collections::{BTreeMap, BTreeSet};

/// What undegraded recordings stand under.
pub(in crate::report) const UNDEGRADED: &str = "none";

/// Parameters of which less is a stronger degradation.
const STRONGER_BELOW: [&str; 7] =
    ["snr_db", "bitrate_kbps", "cutoff_hz", "rate_hz", "bits", "level", "drr_db"];
/// Parameters that go both ways from a value that changes nothing.
const BOTH_WAYS: [(&str, f64); 3] = [("gain_db", 0.0), ("semitones", 0.0), ("factor", 1.0)];

/// One kind of degradation at several strengths, undegraded recordings among them.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Curve {
    /// The degradation, with the parameters that are the same everywhere but are not the strength.
    pub(in crate::report) name: String,
    /// The parameter that is the strength; empty if there is none.
    pub(in crate::report) parameter: String,
    /// From weak to strong; of parameters that go both ways, from low to high.
    pub(in crate::report) points: Vec<Strength>,
}

/// A point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Strength {
    /// The value as it was given, or `none`.
    pub(in crate::report) label: String,
    /// The number of the degradation in the list of all.
    pub(in crate::report) index: usize,
}

/// The curves of all degradations, by name. The list has the undegraded recordings.
pub(in crate::report) fn curves(degradations: &[String]) -> Vec<Curve> {
    let none = degradations.iter().position(|text| text == UNDEGRADED);
    let mut found: BTreeMap<(String, String), BTreeSet<(u64, usize)>> = BTreeMap::new();
    for (index, text) in degradations.iter().enumerate().filter(|(_, text)| *text != UNDEGRADED) {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let (parameter, value) =
            words.next().and_then(|word| word.split_once('=')).unwrap_or_default();
        let others: Vec<String> = words.map(|word| word.replace('=', " ")).collect();
        let name = [&[name.to_owned()], others.as_slice()].concat().join(", ");
        let value: f64 = value.parse().unwrap_or(0.0);
        let key = (name, parameter.to_owned());
        found.entry(key).or_default().insert((ordered(value), index));
    }
    let curve = |((name, parameter), values): ((String, String), BTreeSet<(u64, usize)>)| {
        let label = |index: usize| {
            let value = degradations[index].split(' ').nth(1).and_then(|word| word.split_once('='));
            value.map_or("on", |(_, value)| value).to_owned()
        };
        let point = |index: usize| Strength { label: label(index), index };
        let mut points: Vec<Strength> = values.iter().map(|(_, index)| point(*index)).collect();
        if STRONGER_BELOW.contains(&parameter.as_str()) {
            points.reverse();
        }
        if let Some(index) = none {
            let neutral = BOTH_WAYS.iter().find(|(name, _)| *name == parameter);
            let is_before = |(value, _): &&(u64, usize)| {
                neutral.is_some_and(|(_, neutral)| *value < ordered(*neutral))
            };
            let at = values.iter().filter(is_before).count();
            points.insert(at, Strength { label: UNDEGRADED.to_owned(), index });
        }
        Curve { name, parameter, points }
    };
    found.into_iter().map(curve).collect()
}

/// A number whose order is that of the value.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_go_from_weak_to_strong_and_both_ways() {
        let all: Vec<String> = [
            "none",
            "white_noise snr_db=0",
            "white_noise snr_db=40",
            "white_noise snr_db=20",
            "reverb rt60_s=2 drr_db=0",
            "reverb rt60_s=0.5 drr_db=0",
            "gain gain_db=-20",
            "gain gain_db=10",
            "gain gain_db=-40",
            "mu_law",
        ]
        .map(str::to_owned)
        .to_vec();
        let said: Vec<(String, String, Vec<String>)> = curves(&all)
            .into_iter()
            .map(|it| {
                (it.name, it.parameter, it.points.into_iter().map(|point| point.label).collect())
            })
            .collect();
        let labels = |labels: &str| labels.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let wanted = [
            ("gain", "gain_db", "-40 -20 none 10"),
            ("mu_law", "", "none on"),
            ("reverb, drr_db 0", "rt60_s", "none 0.5 2"),
            ("white_noise", "snr_db", "none 40 20 0"),
        ];
        let wanted =
            wanted.map(|(name, parameter, of)| (name.to_owned(), parameter.to_owned(), labels(of)));
        assert_eq!(said, wanted);
    }
}
