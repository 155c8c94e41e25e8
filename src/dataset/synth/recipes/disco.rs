//! Disco: four on the floor, octave bass, strings.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const DISCO: Style = Style {
    name: "disco",
    neighbors: &["pop", "hiphop", "rock"],
    tempo_bpm: (104.0, 130.0),
    swing: (0.0, 0.03),
    swing_on: Swing::Sixteenths,
    progressions: &[
        "i7 iv7",
        "i7 i7 iv7 v7",
        "i bVII bVI V7",
        "Imaj7 vi ii7 V7",
        "ii7 V7 Imaj7 vi",
    ],
    grooves: &[
        groove("x...x...x...x...", "....x.......x...", [NONE, "..x...x...x...x.", NONE, NONE]),
        groove(
            "x...x...x...x...",
            "....x.......x...",
            ["x.xxx.xxx.xxx.xx", "..o...o...o...o.", NONE, NONE],
        ),
        groove(
            "x...x...x...x...",
            "....x.......x..o",
            ["xoxoxoxoxoxoxoxo", NONE, NONE, "..xo..xo..x...xo"],
        ),
    ],
    kits: &[KitKind::Disco, KitKind::Disco, KitKind::Vintage],
    bass_lines: &["r.8.r.8.r.8.r.8.", "r..rr.8...r.5.8.", "r-.rr-8.r-.r5-8.", "r.r.8.r.r.r.8.5."],
    basses: &[Sound::FingerBass, Sound::FingerBass, Sound::PickBass, Sound::SynthBass],
    comps: &["..s.s..s..s.s..s", "s.ss..s.s.ss..s.", "....x-......x-..", "..x-..x-..x-..x-"],
    comp_sounds: &[
        Sound::CleanGuitar,
        Sound::CleanGuitar,
        Sound::ElectricPiano,
        Sound::Piano,
        Sound::Brass,
    ],
    comp_centre: (56.0, 66.0),
    pads: &[Sound::Strings, Sound::Strings, Sound::Brass, Sound::SynthPad],
    leads: &[Sound::Voice, Sound::Voice, Sound::Strings],
    solos: &[Sound::Strings, Sound::Brass, Sound::SynthLead, Sound::Sax],
    melody: Melody {
        scales: &[Scale::Dorian, Scale::MinorPentatonic, Scale::Minor],
        density: (0.35, 0.6),
        syncopation: (0.2, 0.5),
        centre: (63.0, 73.0),
        leap: (1.0, 2.0),
    },
    mix: MixDb {
        drums: (-4.0, 2.0),
        bass: (-4.0, 1.0),
        comp: (-8.0, -2.0),
        pad: (-9.0, -3.0),
        lead: (-4.0, 2.0),
    },
    master: Master {
        tilt_db: (-2.0, 4.0),
        low_pass_hz: (6_500.0, 9_800.0),
        noise_db: (-55.0, -38.0),
        room: (0.2, 0.5),
        wet: (0.1, 0.3),
        squash: (0.5, 2.0),
        level_db: (-18.0, -12.0),
    },
};
