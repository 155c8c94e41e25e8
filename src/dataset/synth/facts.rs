//! What is true of a track because it was made so: tempo and instruments.

use std::collections::BTreeSet;

use super::arrange::Score;
use super::plan::Plan;
use super::track::stream;
use crate::vocab::Seed;

/// The columns of [`track_facts`]: beats per minute; the instruments that play, with commas between them.
pub const TRACK_COLUMNS: [&str; 2] = ["tempo_bpm", "instruments"];

/// Returns a cell for each of [`TRACK_COLUMNS`] of one track of a style. An instrument is named if it plays a note
/// in the score.
#[must_use]
pub fn track_facts(seed: Seed, style: usize, track: u32) -> [String; 2] {
    let plan = Plan::draw(seed, style, track);
    let score = Score::write(&plan, &mut stream(seed, "score", style, track));
    let [verse, chorus] = &plan.comps;
    let [singer, soloist] = &plan.singers;
    let parts = [
        (&plan.bass.instrument, &score.bass),
        (&verse.instrument, &score.comps[0]),
        (&chorus.instrument, &score.comps[1]),
        (&plan.pad.instrument, &score.pad),
        (&singer.instrument, &score.singers[0]),
        (&soloist.instrument, &score.singers[1]),
    ];
    let playing = parts.into_iter().filter(|(_, notes)| !notes.is_empty());
    let mut names: BTreeSet<String> =
        playing.map(|(instrument, _)| instrument.sound.name()).collect();
    if !score.hits.is_empty() {
        names.insert("drums".to_owned());
    }
    [format!("{:.1}", plan.tempo_bpm), names.into_iter().collect::<Vec<_>>().join(",")]
}

#[cfg(test)]
mod tests {
    use super::super::STYLES;
    use super::*;

    #[test]
    fn a_track_has_a_tempo_and_the_instruments_of_its_style() {
        let of = |style: &str, track| {
            let style = STYLES.iter().position(|name| *name == style).unwrap();
            track_facts(Seed(1), style, track)
        };
        let names = |style: &str| -> BTreeSet<String> {
            let all = (0..20).flat_map(|track| {
                let [tempo, names] = of(style, track);
                assert!((30.0..300.0).contains(&tempo.parse::<f64>().unwrap()), "{tempo}");
                names.split(',').map(str::to_owned).collect::<Vec<_>>()
            });
            all.collect()
        };
        let (metal, classical) = (names("metal"), names("classical"));
        assert!(metal.contains("metal guitar") && metal.contains("drums"), "{metal:?}");
        assert!(classical.contains("strings"), "{classical:?}");
        assert!(metal.iter().chain(&classical).all(|name| !name.is_empty()));
        // Most classical pieces have no drums, most metal songs do.
        let n =
            |style: &str| (0..20).filter(|track| of(style, *track)[1].contains("drums")).count();
        assert!(n("metal") > 15 && n("classical") < 8, "{} {}", n("metal"), n("classical"));
    }
}
