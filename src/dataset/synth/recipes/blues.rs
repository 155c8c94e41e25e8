//! Blues: shuffles, dominant sevenths, overdriven guitar and harmonica.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const BLUES: Style = Style {
    name: "blues",
    neighbors: &["jazz", "rock", "country"],
    tempo_bpm: (62.0, 128.0),
    swing: (0.08, 0.167),
    swing_on: Swing::Eighths,
    progressions: &[
        "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
        "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 I7",
        "i7 iv7 i7 i7 iv7 iv7 i7 i7 V7 iv7 i7 V7",
    ],
    grooves: &[
        groove("x.......x.......", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove("x.....o.x.......", "....x.......x...", [NONE, NONE, "x..xx..xx..xx..x", NONE]),
        groove(
            "x.......x.....o.",
            "....x.......x...",
            ["x...x...x...x...", NONE, NONE, "..o...o...o...o."],
        ),
    ],
    kits: &[KitKind::Vintage, KitKind::Vintage, KitKind::Rock, KitKind::Brushes],
    bass_lines: &["r-r-3-3-5-5-w-5-", "r-..5-..8-..5-..", "r-5-8-5-r-5-8-5-", "r---r---5---w---"],
    basses: &[Sound::FingerBass, Sound::UprightBass, Sound::PickBass],
    comps: &["x-s.x-s.x-s.x-s.", "....s.......s...", "x-------..s.x---", "x-x-x-x-x-x-x-x-"],
    comp_sounds: &[
        Sound::CrunchGuitar,
        Sound::CleanGuitar,
        Sound::Piano,
        Sound::Organ,
        Sound::SteelGuitar,
        Sound::CrunchGuitar,
    ],
    comp_centre: (50.0, 60.0),
    pads: &[Sound::Organ, Sound::Organ, Sound::Brass],
    leads: &[Sound::Voice, Sound::Voice, Sound::CrunchGuitar],
    solos: &[Sound::CrunchGuitar, Sound::Harmonica, Sound::Harmonica, Sound::Sax, Sound::Piano],
    melody: Melody {
        scales: &[Scale::Blues, Scale::MinorPentatonic, Scale::Blues],
        density: (0.35, 0.6),
        syncopation: (0.2, 0.5),
        centre: (60.0, 70.0),
        leap: (1.0, 2.0),
    },
    mix: MixDb {
        drums: (-6.0, 0.0),
        bass: (-6.0, -1.0),
        comp: (-6.0, -1.0),
        pad: (-16.0, -8.0),
        lead: (-3.0, 3.0),
    },
    master: Master {
        tilt_db: (-6.0, 1.0),
        low_pass_hz: (4_500.0, 8_500.0),
        noise_db: (-48.0, -30.0),
        room: (0.2, 0.7),
        wet: (0.1, 0.4),
        squash: (0.0, 1.2),
        level_db: (-21.0, -15.0),
    },
};
