//! Hip hop: drum machines, sub bass, rhythmic speech.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const HIPHOP: Style = Style {
    name: "hiphop",
    neighbors: &["pop", "reggae", "disco"],
    tempo_bpm: (74.0, 106.0),
    swing: (0.0, 0.12),
    swing_on: Swing::Sixteenths,
    progressions: &["i7 i7 iv7 i7", "i bVI", "i i bVII bVI", "i7 iv7", "ii7 V7 i7 i7"],
    grooves: &[
        groove("x..x..x...x.....", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove("x......x..x.....", "....x.......x...", ["x.xxx.x.x.x.xxx.", NONE, NONE, NONE]),
        groove(
            "x.x.......xx....",
            "....x..o.o..x...",
            ["x.x.x.x.x.x.x.x.", "......x.........", NONE, NONE],
        ),
        groove("x.....x.........", "....x.......x..o", ["xxxxxxxxxxx.xxxx", NONE, NONE, NONE]),
    ],
    kits: &[KitKind::Machine, KitKind::Break, KitKind::Machine, KitKind::Break],
    bass_lines: &["r-----..r-..5-..", "r---------..r-r-", "r-.r..r-..r-....", "r-------....r-8-"],
    basses: &[Sound::SubBass, Sound::SubBass, Sound::SynthBass, Sound::FingerBass],
    comps: &[
        "x-------........",
        "..s...s...s...s.",
        "x-..s..x-...s...",
        "a-..a-..a-a-....",
        "x---------------",
    ],
    comp_sounds: &[
        Sound::ElectricPiano,
        Sound::Piano,
        Sound::SynthPluck,
        Sound::Strings,
        Sound::Brass,
        Sound::SynthPluck,
    ],
    comp_centre: (56.0, 68.0),
    pads: &[Sound::SynthPad, Sound::Strings, Sound::ElectricPiano],
    leads: &[Sound::Rap, Sound::Rap, Sound::Rap, Sound::Voice],
    solos: &[Sound::SynthLead, Sound::Rap, Sound::Flute, Sound::Brass],
    melody: Melody {
        scales: &[Scale::MinorPentatonic, Scale::Minor, Scale::Dorian],
        density: (0.65, 0.95),
        syncopation: (0.3, 0.7),
        centre: (48.0, 60.0),
        leap: (0.3, 1.0),
    },
    mix: MixDb {
        drums: (-2.0, 4.0),
        bass: (-3.0, 3.0),
        comp: (-12.0, -5.0),
        pad: (-14.0, -7.0),
        lead: (-3.0, 3.0),
    },
    master: Master {
        tilt_db: (-7.0, 2.0),
        low_pass_hz: (5_500.0, 9_800.0),
        noise_db: (-52.0, -34.0),
        room: (0.05, 0.3),
        wet: (0.02, 0.2),
        squash: (1.0, 3.0),
        level_db: (-16.0, -10.0),
    },
};
