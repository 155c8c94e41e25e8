//! The embedded font.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Once};

use ab_glyph::{Font, FontRef};

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
    /// Whether the embedded font has all letters.
    pub(super) is_embedded: bool,
}

pub(super) const SVG: Lettering = Lettering { size_per_em: 1.24, drop: 0.0, is_embedded: false };
/// DejaVu Sans: ascent and descent are 1.164 em; plotters puts the baseline 0.113 em below the
/// point, half the height of an x is 0.273 em.
pub(super) const PNG: Lettering =
    Lettering { size_per_em: 1.164_062_5, drop: 0.16, is_embedded: true };

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

/// The embedded font, to look letters up.
static EMBEDDED: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(dejavu::sans::regular()).expect("the embedded font is a font")
});

/// Whether letters were written as code points.
static IS_ESCAPED: AtomicBool = AtomicBool::new(false);

/// What to tell whoever looks at PNGs, once one has code points instead of letters.
pub(super) fn notice() -> Option<&'static str> {
    IS_ESCAPED.load(Ordering::Relaxed).then_some(
        "PNGs have code points such as U+4E2D in place of letters that the embedded font lacks; the page and \
         the SVGs have the letters",
    )
}

/// Whether the embedded font draws a letter by itself as it should look. Scripts that run from right to left
/// or join their letters need more than a font.
fn is_drawable(c: char) -> bool {
    let is_joined = matches!(c,
        '\u{0590}'..='\u{109F}' | '\u{1780}'..='\u{18AF}' | '\u{200B}'..='\u{200F}'
        | '\u{FB1D}'..='\u{FDFF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE70}'..='\u{FEFF}');
    !is_joined && EMBEDDED.glyph_id(c).0 != 0
}

/// A text in letters of the embedded font. Others are written as their code points, `U+4E2D 6587`: what a
/// PNG shows must not depend on the fonts of the machine that draws it.
pub(super) fn drawable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_drawable) {
        return Cow::Borrowed(text);
    }
    IS_ESCAPED.store(true, Ordering::Relaxed);
    let mut escaped = String::new();
    let mut is_in_run = false;
    for c in text.chars() {
        let is_plain = is_drawable(c);
        if is_plain {
            escaped.push(c);
        } else {
            escaped += if is_in_run { " " } else { "U+" };
            escaped += &format!("{:04X}", u32::from(c));
        }
        is_in_run = !is_plain;
    }
    Cow::Owned(escaped)
}

/// How wide a letter is that the embedded font lacks, in em: as in most fonts that have it.
fn foreign_width(c: char) -> f64 {
    match c {
        '\u{0300}'..='\u{036F}' | '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' => 0.0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 1.0,
        _ => 0.65,
    }
}

/// How wide a line of text is, in logical pixels.
pub(super) fn text_width(text: &str, size: f64, weight: Weight) -> f64 {
    if !text.chars().all(is_drawable) {
        let foreign: f64 = text.chars().filter(|c| !is_drawable(*c)).map(foreign_width).sum();
        let known: String = text.chars().filter(|c| is_drawable(*c)).collect();
        return foreign * size + text_width(&known, size, weight);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_the_font_lacks_are_code_points_and_others_stay() {
        for text in ["rock & roll", "Chanson française, Ελληνικά, Русский", "", "1…2"]
        {
            assert!(matches!(drawable(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(drawable("摇滚 rock"), "U+6447 6EDA rock");
        assert_eq!(drawable("a한b"), "aU+D55Cb");
        // Arabic runs from right to left, and its letters join.
        assert_eq!(drawable("راي"), "U+0631 0627 064A");
        assert_eq!(drawable("🎸"), "U+1F3B8");
        assert!(notice().unwrap().starts_with("PNGs have code points"));
    }

    #[test]
    fn foreign_letters_have_the_width_that_they_have_elsewhere() {
        let width = |text: &str| text_width(text, 10.0, Weight::Regular);
        assert!((width("摇滚") - 20.0).abs() < 1e-9);
        assert!((width("rock 摇滚") - width("rock ") - 20.0).abs() < 1e-9);
        assert!(width("راي") > 10.0);
    }
}
