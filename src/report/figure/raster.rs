//! Images inside figures: a grid of colors stretched over a rectangle of the paper.

use std::borrow::Cow;

use plotters::style::RGBColor;

use super::color::{self, ColorMap, N_COLORS};

/// A point: right and down from the upper left corner.
pub(super) type Point = (f64, f64);

/// A grid of colors of one map. Every cell is drawn as a flat rectangle, without smoothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raster {
    pub(super) left_top: Point,
    pub(super) right_bottom: Point,
    n_columns: usize,
    /// Numbers of colors, `[n_rows, n_columns]`, from the upper left corner.
    cells: Vec<u8>,
    map: ColorMap,
}

impl Raster {
    /// The grid over a rectangle; `part(column, row)` in `[0, 1]` chooses the colors, rows counted
    /// from the top.
    pub(super) fn new(
        (left_top, right_bottom): (Point, Point),
        (n_columns, n_rows): (usize, usize),
        map: ColorMap,
        part: impl Fn(usize, usize) -> f64,
    ) -> Self {
        let row = |row: usize| {
            let part = &part;
            (0..n_columns).map(move |column| color::index(part(column, row)))
        };
        let cells = (0..n_rows).flat_map(row).collect();
        Self { left_top, right_bottom, n_columns, cells, map }
    }

    /// The grid as `(n_columns, n_rows)`.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.n_columns, self.cells.len() / self.n_columns)
    }

    /// The number of a cell's color, rows counted from the top.
    pub(super) fn cell(&self, column: usize, row: usize) -> u8 {
        self.cells[row * self.n_columns + column]
    }

    /// The SVG element, its lengths `scale` times the figure's: a PNG inside the file itself.
    pub(super) fn svg(&self, scale: f64) -> Result<String, png::EncodingError> {
        let ((left, top), (right, bottom)) = (self.left_top, self.right_bottom);
        let [x, y, width, height] = [left, top, right - left, bottom - top].map(|v| v * scale);
        let data = base64(&self.png()?);
        Ok(format!(
            "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
             href=\"data:image/png;base64,{data}\"/>\n"
        ))
    }

    fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let mut file = vec![];
        let (n_columns, n_rows) = self.size();
        let mut encoder = png::Encoder::new(&mut file, n_columns as u32, n_rows as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Best);
        // Numbers of colors are no brightness: differences of neighbors pack no better.
        encoder.set_filter(png::FilterType::NoFilter);
        let palette = self.map.colors().iter().flat_map(|RGBColor(r, g, b)| [*r, *g, *b]);
        encoder.set_palette(Cow::Owned(palette.collect::<Vec<u8>>()));
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.cells)?;
        writer.finish()?;
        Ok(file)
    }

    /// Paints the grid on RGB pixels, row-major, `scale` of them to a unit of the figure.
    pub(super) fn paint(&self, pixels: &mut [u8], width: usize, scale: f64) {
        let whole = |v: f64| (v * scale).round() as usize;
        let (left, top) = (whole(self.left_top.0), whole(self.left_top.1));
        let (right, bottom) = (whole(self.right_bottom.0), whole(self.right_bottom.1));
        let (n_columns, n_rows) = self.size();
        for y in top..bottom {
            let row = (y - top) * n_rows / (bottom - top);
            for x in left..right {
                let column = (x - left) * n_columns / (right - left);
                let RGBColor(r, g, b) = self.map.colors()[usize::from(self.cell(column, row))];
                pixels[(y * width + x) * 3..][..3].copy_from_slice(&[r, g, b]);
            }
        }
    }
}

const _: () = assert!(N_COLORS == 256, "a cell is one byte");

/// # Source
/// RFC 4648, section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| chunk.get(i).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners() -> Raster {
        let part = |column: usize, row: usize| if (column, row) == (0, 0) { 1.0 } else { 0.0 };
        Raster::new(((1.0, 1.0), (5.0, 3.0)), (2, 2), ColorMap::sequential(), part)
    }

    #[test]
    fn base64_has_the_values_of_rfc_4648() {
        let vectors = ["", "f", "fo", "foo", "foob", "fooba", "foobar"];
        let wanted = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        assert_eq!(vectors.map(|text| base64(text.as_bytes())), wanted);
    }

    #[test]
    fn the_first_cell_is_painted_at_the_upper_left() {
        let mut pixels = vec![255; 6 * 4 * 3];
        corners().paint(&mut pixels, 6, 1.0);
        let light = |x: usize, y: usize| pixels[(y * 6 + x) * 3] > 200;
        let painted: Vec<String> =
            (0..4).map(|y| (0..6).map(|x| if light(x, y) { 'o' } else { '.' }).collect()).collect();
        // Paper around, the light cell, three dark ones.
        assert_eq!(painted, ["oooooo", "ooo..o", "o....o", "oooooo"]);
    }

    #[test]
    fn the_png_in_the_svg_has_the_same_cells() {
        let raster = corners();
        let file = raster.png().unwrap();
        let decoder = png::Decoder::new(file.as_slice());
        let mut reader = decoder.read_info().unwrap();
        let mut cells = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut cells).unwrap();
        assert_eq!(cells, raster.cells);
        assert_eq!(raster.cells, [255, 0, 0, 0]);
        let svg = raster.svg(4.0).unwrap();
        assert!(svg.starts_with("<image x=\"4\" y=\"4\" width=\"16\" height=\"8\" "), "{svg}");
    }
}
