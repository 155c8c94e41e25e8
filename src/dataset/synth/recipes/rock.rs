//! Rock: backbeat, driven guitars, straight eighths.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const ROCK: Style = Style {
    name: "rock",
    neighbors: &["metal", "country", "blues", "pop"],
    tempo_bpm: (96.0, 158.0),
    swing: (0.0, 0.05),
    swing_on: Swing::Eighths,
    progressions: &[
        "I bVII IV I",
        "I5 IV5 V5 IV5",
        "vi IV I V",
        "i bVI bVII i",
        "I IV V V",
        "I5 bIII5 IV5 I5",
    ],
    grooves: &[
        groove("x.......x.x.....", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove("x.....x.x.......", "....x.......x...", [NONE, NONE, "x.x.x.x.x.x.x.x.", NONE]),
        groove("x..x....x.x.....", "....x.......x...", [NONE, "x...x...x...x...", NONE, NONE]),
        groove("x...x...x...x...", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
    ],
    kits: &[KitKind::Rock, KitKind::Rock, KitKind::Vintage, KitKind::Metal],
    bass_lines: &["r-r-r-r-r-r-r-r-", "r---r-r-r---5-w-", "r-r-r-r-r-r-5-3-", "r-------r-r-...."],
    basses: &[Sound::PickBass, Sound::FingerBass],
    comps: &[
        "x-x-x-x-x-x-x-x-",
        "x---..x-x---..s.",
        "s.s.s.s.s.s.s.s.",
        "x-..x-x-..x-x-..",
        "x-------x-------",
    ],
    comp_sounds: &[
        Sound::CrunchGuitar,
        Sound::CrunchGuitar,
        Sound::CrunchGuitar,
        Sound::MetalGuitar,
        Sound::CleanGuitar,
        Sound::SteelGuitar,
    ],
    comp_centre: (46.0, 56.0),
    pads: &[Sound::Organ, Sound::CrunchGuitar, Sound::Strings],
    leads: &[Sound::Voice, Sound::Voice, Sound::Voice, Sound::CrunchGuitar],
    solos: &[Sound::CrunchGuitar, Sound::CrunchGuitar, Sound::MetalGuitar, Sound::Organ],
    melody: Melody {
        scales: &[Scale::MinorPentatonic, Scale::Major, Scale::MajorPentatonic],
        density: (0.4, 0.7),
        syncopation: (0.1, 0.4),
        centre: (60.0, 72.0),
        leap: (1.0, 2.0),
    },
    mix: MixDb {
        drums: (-4.0, 1.0),
        bass: (-7.0, -2.0),
        comp: (-4.0, 2.0),
        pad: (-12.0, -6.0),
        lead: (-5.0, 2.0),
    },
    master: Master {
        tilt_db: (-4.0, 3.0),
        low_pass_hz: (6_000.0, 9_700.0),
        noise_db: (-55.0, -36.0),
        room: (0.1, 0.5),
        wet: (0.08, 0.3),
        squash: (0.5, 2.2),
        level_db: (-18.0, -12.0),
    },
};
