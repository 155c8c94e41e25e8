//! Pop: four chords, synthesizers, a voice in front.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const POP: Style = Style {
    name: "pop",
    neighbors: &["disco", "rock", "hiphop", "country"],
    tempo_bpm: (84.0, 132.0),
    swing: (0.0, 0.05),
    swing_on: Swing::Sixteenths,
    progressions: &["I V vi IV", "vi IV I V", "I vi IV V", "IV V iii vi", "I IV vi V"],
    grooves: &[
        groove("x...x...x...x...", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove("x.....x.x.......", "....x.......x...", ["x.x.x.x.x.x.x.x.", NONE, NONE, NONE]),
        groove(
            "x..x..x.x.......",
            "....x.......x...",
            ["xoxoxoxoxoxoxoxo", NONE, NONE, "..o...o...o...o."],
        ),
        groove("x.......x.x.....", "....x.......x...", [NONE, NONE, "xoxoxoxoxoxoxoxo", NONE]),
    ],
    kits: &[KitKind::Machine, KitKind::Disco, KitKind::Rock],
    bass_lines: &["r-r-r-r-r-r-r-r-", "r---....r---r---", "r-.r..r-r-.r..r-", "r-------r-------"],
    basses: &[Sound::SynthBass, Sound::FingerBass, Sound::SubBass, Sound::PickBass],
    comps: &[
        "x-x-x-x-x-x-x-x-",
        "a-a-a-a-a-a-a-a-",
        "x---------------",
        "x-..x-..x-..x-x-",
        "..s...s...s...s.",
    ],
    comp_sounds: &[
        Sound::SynthPluck,
        Sound::Piano,
        Sound::SteelGuitar,
        Sound::ElectricPiano,
        Sound::CleanGuitar,
    ],
    comp_centre: (56.0, 68.0),
    pads: &[Sound::SynthPad, Sound::SynthPad, Sound::Strings],
    leads: &[Sound::Voice, Sound::Voice, Sound::Voice, Sound::SynthLead],
    solos: &[Sound::SynthLead, Sound::Voice, Sound::CrunchGuitar, Sound::SynthPluck],
    melody: Melody {
        scales: &[Scale::Major, Scale::MajorPentatonic, Scale::Minor],
        density: (0.45, 0.75),
        syncopation: (0.2, 0.5),
        centre: (62.0, 74.0),
        leap: (1.0, 1.8),
    },
    mix: MixDb {
        drums: (-5.0, 1.0),
        bass: (-5.0, 0.0),
        comp: (-8.0, -2.0),
        pad: (-11.0, -5.0),
        lead: (-2.0, 4.0),
    },
    master: Master {
        tilt_db: (-2.0, 5.0),
        low_pass_hz: (7_000.0, 9_900.0),
        noise_db: (-62.0, -42.0),
        room: (0.1, 0.5),
        wet: (0.08, 0.3),
        squash: (1.0, 3.0),
        level_db: (-16.0, -10.0),
    },
};
