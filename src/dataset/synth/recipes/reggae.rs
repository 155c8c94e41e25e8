//! Reggae: one drop, off-beat chords, bass in front.

use super::super::drums::KitKind;
use super::super::instruments::Sound;
use super::super::pattern::Swing;
use super::super::styles::{Master, Melody, MixDb, Style};
use super::super::theory::Scale;
use super::{NONE, groove};

/// The recipe.
pub(super) const REGGAE: Style = Style {
    name: "reggae",
    neighbors: &["hiphop", "pop", "disco"],
    tempo_bpm: (66.0, 100.0),
    swing: (0.0, 0.14),
    swing_on: Swing::Eighths,
    progressions: &["I IV", "i bVII", "I IV V IV", "i iv i bVII", "I vi IV V", "ii V"],
    grooves: &[
        groove(
            "........x.......",
            "........x.......",
            ["x.x.x.x.x.x.x.x.", NONE, NONE, "....o.......o..."],
        ),
        groove("........x.......", "........o.......", ["x..xx..xx..xx..x", NONE, NONE, NONE]),
        groove("x...x...x...x...", "........x.......", ["..x...x...x...x.", NONE, NONE, NONE]),
        groove(
            "x.......x.......",
            "....x.......x...",
            ["x.x.x.x.x.x.x.x.", NONE, NONE, "...o..o....o..o."],
        ),
    ],
    kits: &[KitKind::Vintage, KitKind::Vintage, KitKind::Break, KitKind::Machine],
    bass_lines: &["r-..r-5---..8-5-", "..r-3-5-..r-....", "r---..5-r---....", "r-.rr-..5-.53-.."],
    basses: &[Sound::FingerBass, Sound::FingerBass, Sound::SubBass],
    comps: &["....s.......s...", "..s...s...s...s.", "....s.s.....s.s.", "....x-......x-.."],
    comp_sounds: &[Sound::CleanGuitar, Sound::Organ, Sound::CleanGuitar, Sound::Piano],
    comp_centre: (56.0, 66.0),
    pads: &[Sound::Organ, Sound::Organ, Sound::Brass],
    leads: &[Sound::Voice, Sound::Voice, Sound::Rap],
    solos: &[Sound::Brass, Sound::Organ, Sound::Sax, Sound::CleanGuitar, Sound::Flute],
    melody: Melody {
        scales: &[Scale::MinorPentatonic, Scale::Major, Scale::Dorian],
        density: (0.35, 0.6),
        syncopation: (0.2, 0.5),
        centre: (58.0, 69.0),
        leap: (0.8, 1.6),
    },
    mix: MixDb {
        drums: (-6.0, 0.0),
        bass: (-1.0, 4.0),
        comp: (-8.0, -2.0),
        pad: (-14.0, -7.0),
        lead: (-4.0, 2.0),
    },
    master: Master {
        tilt_db: (-8.0, 0.0),
        low_pass_hz: (4_800.0, 9_000.0),
        noise_db: (-52.0, -34.0),
        room: (0.2, 0.8),
        wet: (0.1, 0.5),
        squash: (0.3, 1.8),
        level_db: (-19.0, -12.0),
    },
};
