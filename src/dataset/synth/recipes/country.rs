//! Country: steel strings, two-beat bass, pedal steel and fiddle.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const COUNTRY: Style = Style {
    name: "country",
    neighbors: &["rock", "pop", "blues"],
    tempo_bpm: (80.0, 150.0),
    swing: (0.0, 0.1),
    swing_on: Swing::Eighths,
    progressions: &["I I IV V", "I IV I V I IV V I", "I V vi IV", "I I IV IV V V I I", "vi IV I V"],
    grooves: &[
        groove("x.......x.......", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove("x.......x.......", NONE, [NONE, NONE, NONE, "....x.......x..."]),
        groove("x.......x.x.....", "....o..o..o.o..o", [NONE, NONE, "x...x...x...x...", NONE]),
        groove(
            "x.....x.x.......",
            "....x.......x...",
            ["x.x.x.x.x.x.x.x.", NONE, NONE, "..o...o...o...o."],
        ),
    ],
    kits: &[KitKind::Vintage, KitKind::Rock, KitKind::Brushes],
    bass_lines: &["r-......5-......", "r---....5---....", "r-..5-..r-..5-..", "r---5---r---w---"],
    basses: &[Sound::FingerBass, Sound::PickBass, Sound::UprightBass],
    comps: &[
        "..s...s...s...s.",
        "x-s.x-s.x-s.x-s.",
        "a-a-a-a-a-a-a-a-",
        "x-..x-s.x-..x-s.",
        "aaaaaaaaaaaaaaaa",
    ],
    comp_sounds: &[
        Sound::SteelGuitar,
        Sound::SteelGuitar,
        Sound::CleanGuitar,
        Sound::Banjo,
        Sound::Piano,
        Sound::SteelGuitar,
    ],
    comp_centre: (52.0, 62.0),
    pads: &[Sound::PedalSteel, Sound::PedalSteel, Sound::Organ, Sound::Strings],
    leads: &[Sound::Voice, Sound::Voice, Sound::Voice, Sound::Fiddle],
    solos: &[Sound::PedalSteel, Sound::Fiddle, Sound::CleanGuitar, Sound::Banjo, Sound::Harmonica],
    melody: Melody {
        scales: &[Scale::MajorPentatonic, Scale::Major],
        density: (0.4, 0.65),
        syncopation: (0.1, 0.3),
        centre: (60.0, 70.0),
        leap: (1.0, 1.8),
    },
    mix: MixDb {
        drums: (-9.0, -2.0),
        bass: (-7.0, -2.0),
        comp: (-5.0, 0.0),
        pad: (-12.0, -5.0),
        lead: (-2.0, 4.0),
    },
    master: Master {
        tilt_db: (-3.0, 3.0),
        low_pass_hz: (6_500.0, 9_800.0),
        noise_db: (-58.0, -38.0),
        room: (0.1, 0.5),
        wet: (0.08, 0.3),
        squash: (0.2, 1.5),
        level_db: (-20.0, -14.0),
    },
};
