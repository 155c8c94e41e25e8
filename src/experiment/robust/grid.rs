//! Which degradations are measured at which strengths.

use crate::audio::{AudioError, Degradation};
use crate::vocab::quoted_list;

/// The degradations that are measured unless others are named, each with its parameter and strengths.
const USUAL: [(&str, &str, &[f64]); 9] = [
    ("white_noise", "snr_db", &[40.0, 30.0, 20.0, 10.0, 0.0]),
    ("mp3", "bitrate_kbps", &[320.0, 128.0, 64.0, 32.0, 16.0]),
    ("low_pass", "cutoff_hz", &[8000.0, 4000.0, 2000.0, 1000.0]),
    ("down_up", "rate_hz", &[16_000.0, 11_025.0, 8000.0, 4000.0]),
    ("clip_share", "share", &[0.01, 0.05, 0.1, 0.3]),
    ("reverb", "rt60_s", &[0.2, 0.5, 1.0, 2.0]),
    ("gain", "gain_db", &[-40.0, -20.0, -10.0, 10.0]),
    ("pitch", "semitones", &[-4.0, -2.0, -1.0, 1.0, 2.0, 4.0]),
    ("speed", "factor", &[0.8, 0.9, 1.1, 1.25]),
];

/// Strengths of the others that have a parameter of strength.
const OTHERS: [(&str, &str, &[f64]); 3] = [
    ("pink_noise", "snr_db", &[40.0, 30.0, 20.0, 10.0, 0.0]),
    ("quantise", "bits", &[12.0, 8.0, 6.0, 4.0]),
    ("clip", "level", &[0.5, 0.2, 0.1, 0.05]),
];

/// Returns the degradations that are measured unless others are named: every kind at some strengths.
#[must_use]
pub fn usual_degradations() -> Vec<Degradation> {
    USUAL.iter().flat_map(at_strengths).collect()
}

/// Reads `NAME` (at its usual strengths) or `NAME PARAMETER=VALUE,VALUE,...`.
///
/// # Errors
/// [`AudioError::InvalidParameter`] for what [`Degradation::new`] rejects, or several lists.
pub fn degradations(text: &str) -> Result<Vec<Degradation>, AudioError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let known = || USUAL.iter().chain(&OTHERS);
    if let [name] = words.as_slice()
        && let Some(found) = known().find(|(known, ..)| known == name)
    {
        return Ok(at_strengths(found));
    }
    let lists: Vec<usize> = (0..words.len()).filter(|&at| words[at].contains(',')).collect();
    match lists.as_slice() {
        [] => Ok(vec![text.parse()?]),
        &[at] => {
            let (key, values) = words[at].split_once('=').unwrap_or((words[at], ""));
            let one = |value: &str| {
                let word = format!("{key}={value}");
                let mut words = words.clone();
                words[at] = &word;
                words.join(" ").parse::<Degradation>()
            };
            values.split(',').map(one).collect()
        }
        _ => Err(AudioError::setting(
            "degradation",
            "a list of values for one parameter",
            format!("lists for {}", quoted_list(lists.iter().map(|&at| words[at]))),
        )),
    }
}

fn at_strengths((name, parameter, values): &(&str, &str, &[f64])) -> Vec<Degradation> {
    let one = |value: &f64| Degradation::new(name, &[(parameter, *value)]);
    values.iter().map(|value| one(value).expect("the tests make every one")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::DEGRADATIONS;

    fn texts(text: &str) -> Vec<String> {
        degradations(text).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_degradation_with_a_strength_has_some() {
        assert_eq!(usual_degradations().len(), 40);
        for entry in DEGRADATIONS.iter().filter(|entry| !entry.parameters.is_empty()) {
            assert!(texts(entry.name).len() >= 4, "{}", entry.name);
        }
        assert_eq!(texts("mu_law"), ["mu_law"]);
    }

    #[test]
    fn strengths_are_a_list_of_values() {
        assert_eq!(
            texts("reverb rt60_s=0.2,1 drr_db=6"),
            ["reverb rt60_s=0.2 drr_db=6", "reverb rt60_s=1 drr_db=6"]
        );
        assert_eq!(texts("mp3 bitrate_kbps=64"), ["mp3 bitrate_kbps=64"]);
        let said = |text: &str| degradations(text).unwrap_err().to_string();
        assert!(
            said("reverb rt60_s=1,2 drr_db=1,2").contains("a list of values for one parameter")
        );
        assert!(
            said("mp3 bitrate_kbps=64,").contains("`bitrate_kbps`"),
            "{}",
            said("mp3 bitrate_kbps=64,")
        );
        assert!(said("echo").contains("found `echo`"));
    }
}
