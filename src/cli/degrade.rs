//! `degrade`: a recording made worse, to listen to.

use super::arguments::Degrade;
use super::{Done, Failure};
use crate::audio::{self, DEGRADATIONS, Degradation};
use crate::vocab::Seed;

/// Degrades a file, one degradation after the other, and says what came out.
pub(super) fn degrade(arguments: &Degrade) -> Done {
    let read = |text: &String| {
        text.parse().map_err(|error| Failure::Usage(format!("--with \"{text}\": {error}")))
    };
    let degradations = arguments.with.iter().map(read).collect::<Result<Vec<Degradation>, _>>()?;
    let mut waveform =
        audio::decode(&arguments.file).map_err(|error| Failure::Data(error.to_string()))?;
    for (step, degradation) in degradations.iter().enumerate() {
        // Two of a kind, one after the other, draw other numbers.
        waveform = degradation.apply(&waveform, Seed(arguments.seed.wrapping_add(step as u64)));
        println!("{degradation}");
    }
    let n_outside = waveform.samples.iter().filter(|sample| !(-1.0..1.0).contains(*sample)).count();
    if n_outside > 0 {
        println!(
            "{n_outside} of {} samples are outside full scale and are clipped; \
             --with \"gain gain_db=-6\" makes room",
            waveform.samples.len()
        );
    }
    audio::write_wav(&arguments.out, &waveform).map_err(anyhow::Error::from)?;
    println!("{}", arguments.out.display());
    Ok(())
}

/// Lists the values of `--with` for the help text.
pub(super) fn list() -> String {
    let mut text = "Degradations:\n".to_owned();
    for entry in DEGRADATIONS {
        text += &format!("  {:<12} {}\n", entry.name, entry.doc);
        for parameter in entry.parameters {
            let (low, high) = (parameter.low, parameter.high);
            let default =
                parameter.default.map_or(String::new(), |value| format!(" [default: {value}]"));
            let name = parameter.name;
            text += &format!("{:15}{name} in [{low}, {high}]: {}{default}\n", "", parameter.doc);
        }
    }
    text
}
