//! `degrade`: a recording made worse, to listen to.

use super::arguments::Degrade;
use super::{Done, Failure, is_same_file, json};
use crate::audio::{self, Degradation};
use crate::vocab::Seed;

/// Degrades a file, one degradation after the other, and says what came out.
pub(super) fn degrade(arguments: &Degrade) -> Done {
    let read = |text: &String| {
        text.parse().map_err(|error| Failure::Usage(format!("--with \"{text}\": {error}")))
    };
    let degradations = arguments.with.iter().map(read).collect::<Result<Vec<Degradation>, _>>()?;
    if is_same_file(&arguments.file, &arguments.out) {
        let file = arguments.file.display();
        return Err(Failure::Usage(format!(
            "--out is the recording itself, {file}, and would replace it\nhint: give another name"
        )));
    }
    let recording =
        audio::read(&arguments.file, None).map_err(|error| Failure::Data(error.to_string()))?;
    let notes: Vec<String> = recording.notes.iter().map(ToString::to_string).collect();
    for note in recording.notes {
        println!("note: {}: {note}", arguments.file.display());
    }
    let mut waveform = recording.waveform;
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
    json::put("file", arguments.out.display().to_string());
    json::put("degradations", degradations.iter().map(ToString::to_string).collect::<Vec<_>>());
    json::put("n_clipped", n_outside);
    json::put("notes", notes);
    Ok(())
}
