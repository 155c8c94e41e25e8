//! Metal: double kicks, power chords, heavy distortion.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const METAL: Style = Style {
    name: "metal",
    neighbors: &["rock", "rock", "rock", "blues"],
    tempo_bpm: (92.0, 190.0),
    swing: (0.0, 0.0),
    swing_on: Swing::Eighths,
    progressions: &[
        "i5 i5 bVI5 bVII5",
        "i5 bII5 i5 i5",
        "i5 bIII5 iv5 bII5",
        "i5 i5 i5 bVII5",
        "i5 bVI5 iv5 V5",
    ],
    grooves: &[
        groove("x.x.x.x.x.x.x.x.", "....x.......x...", ["x...x...x...x...", NONE, NONE, NONE]),
        groove("xxxxxxxxxxxxxxxx", "....x.......x...", [NONE, "x...x...x...x...", NONE, NONE]),
        groove("x..x..x.x..x..x.", "....x.......x...", [NONE, NONE, "x.x.x.x.x.x.x.x.", NONE]),
        groove("x.......x.x.....", "........x.......", [NONE, "x.......x.......", NONE, NONE]),
    ],
    kits: &[KitKind::Metal, KitKind::Metal, KitKind::Rock],
    bass_lines: &["rrrrrrrrrrrrrrrr", "r-r-r-r-r-r-r-r-", "r.rrr.rrr.rrr.rr", "r-------r-----r-"],
    basses: &[Sound::PickBass, Sound::PickBass, Sound::FingerBass],
    comps: &[
        "s.sss.sss.sss.ss",
        "ssssssssssssssss",
        "x-------x-----s.",
        "s.s.x---s.s.x---",
        "x-s.s.x-s.s.x-s.",
    ],
    comp_sounds: &[Sound::MetalGuitar, Sound::MetalGuitar, Sound::MetalGuitar, Sound::CrunchGuitar],
    comp_centre: (40.0, 48.0),
    pads: &[Sound::MetalGuitar, Sound::MetalGuitar, Sound::SynthPad],
    leads: &[Sound::Voice, Sound::Voice, Sound::MetalGuitar],
    solos: &[Sound::MetalGuitar, Sound::MetalGuitar, Sound::CrunchGuitar],
    melody: Melody {
        scales: &[Scale::Minor, Scale::MinorPentatonic, Scale::Minor],
        density: (0.45, 0.85),
        syncopation: (0.1, 0.3),
        centre: (58.0, 70.0),
        leap: (1.0, 2.2),
    },
    mix: MixDb {
        drums: (-4.0, 2.0),
        bass: (-7.0, -2.0),
        comp: (-1.0, 4.0),
        pad: (-10.0, -4.0),
        lead: (-7.0, 0.0),
    },
    master: Master {
        tilt_db: (-1.0, 5.0),
        low_pass_hz: (6_500.0, 9_800.0),
        noise_db: (-55.0, -38.0),
        room: (0.1, 0.4),
        wet: (0.05, 0.2),
        squash: (1.0, 3.0),
        level_db: (-16.0, -10.0),
    },
};
