//! The ten styles: tempo, harmony, grooves, instruments, mix and sound of each.
//!
//! Data only; `styles.rs` explains the fields. To add a style, write a file here, and add a line to
//! [`RECIPES`] and one to `STYLES`.

mod blues;
mod classical;
mod country;
mod disco;
mod hiphop;
mod jazz;
mod metal;
mod pop;
mod reggae;
mod rock;

use super::styles::{Groove, Style};

/// The styles, in the order of `STYLES`.
pub(super) const RECIPES: [Style; 10] = [
    blues::BLUES,
    classical::CLASSICAL,
    country::COUNTRY,
    disco::DISCO,
    hiphop::HIPHOP,
    jazz::JAZZ,
    metal::METAL,
    pop::POP,
    reggae::REGGAE,
    rock::ROCK,
];

/// A bar without this drum.
const NONE: &str = "................";

/// Creates a groove from its kick, its snare and its hat, open hat, ride and percussion.
const fn groove(kick: &'static str, snare: &'static str, rest: [&'static str; 4]) -> Groove {
    let [hat, open, ride, perc] = rest;
    Groove { kick, snare, hat, open, ride, perc }
}
