//! Marks -> SVG and PNG, by plotters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use plotters::backend::DrawingBackend;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text as Label};
use plotters::prelude::{BitMapBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, ShapeStyle, TextStyle};

use super::canvas::{Align, Direction, Figure, Mark, Point, Text};
use super::font::{Lettering, PNG, SVG, drawable, font, register_fonts};
use crate::disk;
use crate::report::{Picture, ReportError};
use crate::vocab::sha256_hex;

/// Both backends take whole pixels: they draw this many times larger than the figure is.
const SCALE: u32 = 4;
/// A PNG pixel is the mean of this many drawn ones, squared: smooth edges, and twice the figure's
/// size for dense screens and paper.
const SMOOTH: u32 = 2;

/// The SVGs that this process has written with a PNG beside each, by their path, with their hash: as long as an SVG is the
/// same, so is its PNG, which takes most of the time. A page that is written again and again draws what is new.
static WRITTEN: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// Writes the figure as `NAME.svg` and `NAME.png`, each atomically.
pub(super) fn save(figure: &Figure, folder: &Path, name: &str) -> Result<(), ReportError> {
    let put = |path: &Path, bytes: &[u8]| {
        disk::write_changed(path, bytes)
            .map_err(|source| ReportError::Io { path: path.to_owned(), source })
    };
    let [path, of_png] = ["svg", "png"].map(|end| folder.join(format!("{name}.{end}")));
    let svg = svg(figure, &path)?;
    put(&path, svg.as_bytes())?;
    let hash = sha256_hex(svg.as_bytes());
    let written = || WRITTEN.lock().expect("no holder of the names panics");
    if written().get(&path) == Some(&hash) && of_png.exists() {
        return Ok(());
    }
    put(&of_png, &png(figure, &of_png)?)?;
    written().insert(path, hash);
    Ok(())
}

/// The figure as SVG; `path` is where it goes, for messages.
pub(super) fn svg(figure: &Figure, path: &Path) -> Result<String, ReportError> {
    let (width, height) = (figure.width * SCALE, figure.height * SCALE);
    let mut text = String::new();
    let backend = SVGBackend::with_string(&mut text, (width, height));
    replay(figure, backend, SVG).map_err(|error| failed(path, &error))?;
    // The figure's own size, and a name for screen readers.
    let drawn = format!("<svg width=\"{width}\" height=\"{height}\"");
    let shown =
        format!("<svg role=\"img\" width=\"{}\" height=\"{}\"", figure.width, figure.height);
    let title = figure.title.replace('&', "&amp;").replace('<', "&lt;");
    let mut below = format!(
        ">\n<title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>\n"
    );
    for image in &figure.images {
        below += &image.svg(f64::from(SCALE)).map_err(|error| failed(path, &error))?;
    }
    let text = text.replacen(&drawn, &shown, 1);
    Ok(text.replacen(">\n", &below, 1))
}

/// The figure as PNG with its size in pixels; `path` is where it goes, for messages.
pub(super) fn picture(figure: &Figure, path: &Path) -> Result<Picture, ReportError> {
    let [width, height] = [figure.width, figure.height].map(|length| length * SCALE / SMOOTH);
    Ok(Picture { png: png(figure, path)?, width, height })
}

/// The figure as PNG; `path` is where it goes, for messages.
fn png(figure: &Figure, path: &Path) -> Result<Vec<u8>, ReportError> {
    let (width, height) = (figure.width * SCALE, figure.height * SCALE);
    let mut drawn = vec![255; (width * height * 3) as usize];
    for image in &figure.images {
        image.paint(&mut drawn, width as usize, f64::from(SCALE));
    }
    let backend = BitMapBackend::with_buffer(&mut drawn, (width, height));
    replay(figure, backend, PNG).map_err(|error| failed(path, &error))?;
    let pixels = smooth(&drawn, width as usize);
    encode(&pixels, width / SMOOTH, height / SMOOTH).map_err(|error| failed(path, &error))
}

/// Encodes RGB pixels, row-major, as PNG.
fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_adaptive_filter(png::AdaptiveFilterType::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// Each pixel the mean of a square of pixels; RGB, row-major.
fn smooth(drawn: &[u8], width: usize) -> Vec<u8> {
    const N: usize = SMOOTH as usize;
    let mut small = Vec::with_capacity(drawn.len() / (N * N));
    let mut sums = vec![0_u16; width / N * 3];
    for rows in drawn.chunks_exact(width * 3 * N) {
        sums.fill(0);
        for row in rows.chunks_exact(width * 3) {
            for (sum, square) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * N)) {
                for pixel in square.chunks_exact(3) {
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u16::from(*value));
                }
            }
        }
        small.extend(sums.iter().map(|sum| (sum / (N * N) as u16) as u8));
    }
    small
}

/// Draws the marks on what is there: paper and images.
fn replay<B: DrawingBackend>(
    figure: &Figure,
    backend: B,
    lettering: Lettering,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    register_fonts();
    let root = backend.into_drawing_area();
    for mark in &figure.marks {
        match mark {
            Mark::Line { points, color, width } => {
                let style = ShapeStyle {
                    color: color.to_rgba(),
                    filled: false,
                    stroke_width: scaled(*width).max(1) as u32,
                };
                root.draw(&PathElement::new(all_drawn(points), style))?;
            }
            Mark::Area { points, color, opacity } => {
                root.draw(&Polygon::new(all_drawn(points), color.mix(*opacity).filled()))?;
            }
            Mark::Dot { centre, radius, color } => {
                root.draw(&Circle::new(on_paper(*centre), scaled(*radius), color.filled()))?;
            }
            Mark::Text(text) => {
                let (x, y) = text.at;
                let drop = lettering.drop * text.size;
                let at = on_paper(match text.direction {
                    Direction::Across => (x, y + drop),
                    Direction::Upwards => (x + drop, y),
                });
                let words = if lettering.is_embedded { lettered(text) } else { text.words.clone() };
                root.draw(&Label::new(words, at, style(text, lettering.size_per_em)))?;
            }
        }
    }
    root.present()
}

/// A text in letters of the embedded font, cut to the room that it has in other letters.
fn lettered(text: &Text) -> String {
    let words = drawable(&text.words).into_owned();
    if words == text.words {
        return words;
    }
    Text { words, ..text.clone() }.fit(text.width().max(3.0 * text.size)).words
}

fn style(text: &Text, size_per_em: f64) -> TextStyle<'static> {
    let across = match text.align {
        Align::Left => HPos::Left,
        Align::Centre => HPos::Center,
        Align::Right => HPos::Right,
    };
    let font = font(text.size * size_per_em * f64::from(SCALE), text.weight);
    let font = match text.direction {
        Direction::Across => font,
        Direction::Upwards => font.transform(FontTransform::Rotate270),
    };
    font.color(&text.color).pos(Pos::new(across, VPos::Center))
}

fn scaled(length: f64) -> i32 {
    (length * f64::from(SCALE)).round() as i32
}

fn on_paper((x, y): Point) -> (i32, i32) {
    (scaled(x), scaled(y))
}

fn all_drawn(points: &[Point]) -> Vec<(i32, i32)> {
    points.iter().copied().map(on_paper).collect()
}

fn failed(path: &Path, error: &impl std::fmt::Display) -> ReportError {
    ReportError::Figure { path: path.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;

    use super::*;

    #[test]
    fn a_png_pixel_is_the_mean_of_its_square() {
        let row = [0, 0, 0, 100, 100, 100, 8, 8, 8, 8, 8, 8];
        let drawn: Vec<u8> = row.iter().chain(&row).copied().collect();
        assert_eq!(smooth(&drawn, 4), [50, 50, 50, 8, 8, 8]);
    }

    #[test]
    fn an_svg_has_its_logical_size_and_a_title() {
        let mut figure = Figure::new("a & b", 100, 50);
        figure.text(Text::new("hello", (10.0, 10.0), 12.0));
        let text = svg(&figure, Path::new("x.svg")).unwrap();
        assert!(
            text.starts_with(
                "<svg role=\"img\" width=\"100\" height=\"50\" viewBox=\"0 0 400 200\""
            )
        );
        assert!(text.contains("<title>a &amp; b</title>"));
        assert!(text.contains("sans-serif"));
    }

    /// A figure is replaced by a rename, so a kill never leaves half a file under its name, and a
    /// reader that has the old one open can read it to its end.
    #[test]
    fn figures_are_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = |end: &str| folder.path().join(format!("a.{end}"));
        for end in ["svg", "png"] {
            fs::write(path(end), "the old figure").unwrap();
        }
        let mut open = ["svg", "png"].map(|end| File::open(path(end)).unwrap());
        save(&Figure::new("A title", 40, 20), folder.path(), "a").unwrap();
        for file in &mut open {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "the old figure");
        }
        assert!(fs::read_to_string(path("svg")).unwrap().contains("</svg>"));
        let bytes = fs::read(path("png")).unwrap();
        let reader = png::Decoder::new(bytes.as_slice()).read_info().unwrap();
        let info = reader.info();
        let scale = SCALE / SMOOTH;
        assert_eq!((info.width, info.height), (40 * scale, 20 * scale));
        assert_eq!(info.color_type, png::ColorType::Rgb);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no temporary file is left");
    }
}
