//! Jazz: ride cymbal, walking bass, sevenths, horns and piano.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const JAZZ: Style = Style {
    name: "jazz",
    neighbors: &["blues", "classical", "disco"],
    tempo_bpm: (84.0, 200.0),
    swing: (0.08, 0.167),
    swing_on: Swing::Eighths,
    progressions: &[
        "ii7 V7 Imaj7 vi7",
        "Imaj7 vi7 ii7 V7",
        "ii7 V7 Imaj7 Imaj7 ii7 V7 Imaj7 VI7",
        "i7 i7 iv7 iv7 iiø V7 i7 i7",
        "Imaj7 IVmaj7 iii7 VI7 ii7 V7 Imaj7 V7",
    ],
    grooves: &[
        groove("o...o...o...o...", "....o.......o...", [NONE, NONE, "x...x..xx...x..x", NONE]),
        groove(
            "o.......o.....o.",
            "......o.......o.",
            ["....x.......x...", NONE, "x...x..xx...x..x", NONE],
        ),
        groove(NONE, "o.o.x.o.o.o.x.o.", ["....o.......o...", NONE, NONE, NONE]),
    ],
    kits: &[KitKind::Brushes, KitKind::Brushes, KitKind::Vintage],
    bass_lines: &["r---w---5---w---", "r---3---5---w---", "r---5---w---w---", "r-------5-------"],
    basses: &[Sound::UprightBass, Sound::UprightBass, Sound::FingerBass],
    comps: &[
        "...s......s.....",
        "x-....s.........",
        "..s...x-......s.",
        "x---..........s.",
        "......x-....s...",
    ],
    comp_sounds: &[
        Sound::Piano,
        Sound::Piano,
        Sound::ElectricPiano,
        Sound::CleanGuitar,
        Sound::Organ,
        Sound::NylonGuitar,
    ],
    comp_centre: (56.0, 64.0),
    pads: &[Sound::Brass, Sound::Strings, Sound::Organ],
    leads: &[Sound::Sax, Sound::Brass, Sound::Piano, Sound::Flute, Sound::Voice],
    solos: &[Sound::Sax, Sound::Piano, Sound::Brass, Sound::CleanGuitar, Sound::Sax],
    melody: Melody {
        scales: &[Scale::Dorian, Scale::Major, Scale::Blues],
        density: (0.45, 0.8),
        syncopation: (0.2, 0.5),
        centre: (60.0, 74.0),
        leap: (1.2, 2.5),
    },
    mix: MixDb {
        drums: (-10.0, -3.0),
        bass: (-7.0, -1.0),
        comp: (-9.0, -3.0),
        pad: (-18.0, -10.0),
        lead: (-3.0, 3.0),
    },
    master: Master {
        tilt_db: (-7.0, 0.0),
        low_pass_hz: (5_000.0, 9_300.0),
        noise_db: (-54.0, -34.0),
        room: (0.3, 0.8),
        wet: (0.15, 0.5),
        squash: (0.0, 0.8),
        level_db: (-25.0, -16.0),
    },
};
