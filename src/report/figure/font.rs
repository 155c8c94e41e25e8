//! The embedded font.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The embedded font first; then what a viewer of the SVG is likely to have, of like width.
const FAMILY: &str = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif";

/// What plotters' backends make of a text's size and point.
#[derive(Clone, Copy)]
pub(super) struct Lettering {
    /// Plotters' font size over the letters' em.
    pub(super) size_per_em: f64,
    /// How far the letters must go down to be centred, in em.
    pub(super) drop: f64,
}

pub(super) const SVG: Lettering = Lettering { size_per_em: 1.24, drop: 0.0 };
/// DejaVu Sans: ascent and descent are 1.164 em; plotters puts the baseline 0.113 em below the
/// point, half the height of an x is 0.273 em.
pub(super) const PNG: Lettering = Lettering { size_per_em: 1.164_062_5, drop: 0.16 };

/// How thick the letters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// The embedded font at a size.
pub(super) fn font(size: f64, weight: Weight) -> FontDesc<'static> {
    let style = match weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    };
    FontDesc::new(FontFamily::Name(FAMILY), size, style)
}

/// How wide a line of text is, in logical pixels.
pub(super) fn text_width(text: &str, size: f64, weight: Weight) -> f64 {
    register_fonts();
    let zoom = 16.0;
    let (width, _) = font(size * PNG.size_per_em * zoom, weight)
        .box_size(text)
        .expect("the font was registered from embedded bytes");
    f64::from(width) / zoom
}

/// Makes the embedded font known to plotters, once.
pub(super) fn register_fonts() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let embedded =
            [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())];
        for (style, bytes) in embedded {
            assert!(register_font(FAMILY, style, bytes).is_ok(), "the embedded font is a font");
        }
    });
}
