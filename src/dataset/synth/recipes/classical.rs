//! Classical: strings, piano and winds in a hall, no drums.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;

/// The recipe.
pub(super) const CLASSICAL: Style = Style {
    name: "classical",
    neighbors: &["jazz", "pop", "country"],
    tempo_bpm: (58.0, 132.0),
    swing: (0.0, 0.0),
    swing_on: Swing::Eighths,
    progressions: &[
        "I IV V I vi ii V7 I",
        "i iv V7 i bVI iv V7 i",
        "I V vi iii IV I IV V",
        "i bVII bVI V7",
        "I vi IV V7 I ii V7 I",
    ],
    grooves: &[],
    kits: &[KitKind::Brushes],
    bass_lines: &["r---------------", "r-------5-------", "r---5---8---5---", "r---r---r---r---"],
    basses: &[Sound::Strings, Sound::Strings, Sound::UprightBass, Sound::Piano],
    comps: &[
        "a-a-a-a-a-a-a-a-",
        "aaaaaaaaaaaaaaaa",
        "x---------------",
        "x-------x-------",
        "a---a---a---a---",
        "x---s---x---s---",
    ],
    comp_sounds: &[
        Sound::Piano,
        Sound::Strings,
        Sound::Strings,
        Sound::NylonGuitar,
        Sound::Piano,
        Sound::Flute,
    ],
    comp_centre: (54.0, 66.0),
    pads: &[Sound::Strings, Sound::Strings, Sound::Flute],
    leads: &[Sound::Fiddle, Sound::Strings, Sound::Flute, Sound::Piano, Sound::Voice],
    solos: &[Sound::Fiddle, Sound::Flute, Sound::Piano, Sound::Brass, Sound::Strings],
    melody: Melody {
        scales: &[Scale::Major, Scale::Minor, Scale::Major],
        density: (0.4, 0.75),
        syncopation: (0.0, 0.15),
        centre: (66.0, 78.0),
        leap: (1.0, 2.0),
    },
    mix: MixDb {
        drums: (-20.0, -10.0),
        bass: (-10.0, -4.0),
        comp: (-5.0, 1.0),
        pad: (-8.0, -2.0),
        lead: (-3.0, 3.0),
    },
    master: Master {
        tilt_db: (-7.0, 0.0),
        low_pass_hz: (5_000.0, 9_500.0),
        noise_db: (-60.0, -38.0),
        room: (0.5, 1.0),
        wet: (0.35, 0.9),
        squash: (0.0, 0.3),
        level_db: (-30.0, -19.0),
    },
};
