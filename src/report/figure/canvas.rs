//! A figure as a list of marks, drawn later as SVG and as PNG.
//!
//! Lengths are in logical pixels: a figure is as wide on the page as it says here.

use plotters::style::RGBColor;

pub(super) use super::font::Weight;
use super::font::text_width;
pub(super) use super::raster::Point;
use super::raster::Raster;
use crate::vocab::without_controls;

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(0x26, 0x26, 0x26);
/// What stands back: subtitles, tick labels.
pub(super) const GREY: RGBColor = RGBColor(0x5F, 0x5F, 0x5F);
/// Grid lines.
pub(super) const PALE: RGBColor = RGBColor(0xE3, 0xE3, 0xE3);
/// The first of two kinds. This and the next are Okabe and Ito's, told apart by color-blind eyes.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// The second of two kinds.
pub(super) const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// The third of four kinds, of the same authors.
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// The fourth of four kinds.
pub(super) const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
/// The paper.
pub(super) const WHITE: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// Five steps from bad to good, darker with every step.
pub(super) const RAMP: [RGBColor; 5] = [
    RGBColor(0xBE, 0xD8, 0xEC),
    RGBColor(0x7B, 0xB7, 0xDA),
    RGBColor(0x3E, 0x8C, 0xC3),
    RGBColor(0x10, 0x5A, 0x9E),
    RGBColor(0x06, 0x2C, 0x5B),
];

/// Which end of a text its point is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

/// How a text runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Direction {
    Across,
    /// From bottom to top, turned a quarter left.
    Upwards,
}

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    Line { points: Vec<Point>, color: RGBColor, width: f64 },
    Area { points: Vec<Point>, color: RGBColor, opacity: f64 },
    Dot { centre: Point, radius: f64, color: RGBColor },
    Text(Text),
}

/// A line of text, vertically centered on its point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) words: String,
    pub(super) at: Point,
    pub(super) size: f64,
    pub(super) color: RGBColor,
    pub(super) align: Align,
    pub(super) direction: Direction,
    pub(super) weight: Weight,
}

impl Text {
    /// Text that runs across, left-aligned, regular, in ink.
    pub(super) fn new(text: impl Into<String>, at: Point, size: f64) -> Self {
        Self {
            words: text.into(),
            at,
            size,
            color: INK,
            align: Align::Left,
            direction: Direction::Across,
            weight: Weight::Regular,
        }
    }

    pub(super) fn color(self, color: RGBColor) -> Self {
        Self { color, ..self }
    }

    pub(super) fn align(self, align: Align) -> Self {
        Self { align, ..self }
    }

    pub(super) fn upwards(self) -> Self {
        Self { direction: Direction::Upwards, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    /// Cut with an ellipsis where it would be wider than `width`.
    pub(super) fn fit(mut self, width: f64) -> Self {
        let mut kept = self.words.clone();
        while self.width() > width && kept.pop().is_some() {
            self.words = format!("{}…", kept.trim_end());
        }
        self
    }

    /// Its length along the way it runs.
    pub(super) fn width(&self) -> f64 {
        text_width(&self.words, self.size, self.weight)
    }

    /// Left, top, right and bottom of the ink, as far as the font tells.
    #[cfg(test)]
    pub(super) fn bounds(&self) -> (f64, f64, f64, f64) {
        let (x, y) = self.at;
        let before = match self.align {
            Align::Left => 0.0,
            Align::Centre => self.width() / 2.0,
            Align::Right => self.width(),
        };
        let (half, after) = (self.size * 0.42, self.width() - before);
        match self.direction {
            Direction::Across => (x - before, y - half, x + after, y + half),
            Direction::Upwards => (x - half, y - after, x + half, y + before),
        }
    }
}

/// A figure: its images, and over them its marks in the order they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// What it shows, for those who can't see it.
    pub(super) title: String,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) images: Vec<Raster>,
    pub(super) marks: Vec<Mark>,
}

impl Figure {
    pub(super) fn new(title: impl Into<String>, width: u32, height: u32) -> Self {
        Self { title: title.into(), width, height, images: vec![], marks: vec![] }
    }

    /// Nothing is drawn of an empty text.
    pub(super) fn text(&mut self, mut text: Text) {
        if !text.words.is_empty() {
            // An SVG with control characters is no XML.
            text.words = without_controls(&text.words, "").into_owned();
            self.marks.push(Mark::Text(text));
        }
    }

    pub(super) fn line(&mut self, points: Vec<Point>, color: RGBColor, width: f64) {
        self.marks.push(Mark::Line { points, color, width });
    }

    /// A straight dashed line.
    pub(super) fn dashes(&mut self, from: Point, to: Point, color: RGBColor, width: f64) {
        const DASH: f64 = 5.0;
        const GAP: f64 = 4.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let at = |way: f64| {
            let part = (way / length).min(1.0);
            (from.0 + part * dx, from.1 + part * dy)
        };
        let n_dashes = (length / (DASH + GAP)).ceil() as usize;
        for dash in 0..n_dashes {
            let start = dash as f64 * (DASH + GAP);
            self.line(vec![at(start), at(start + DASH)], color, width);
        }
    }

    pub(super) fn area(&mut self, points: Vec<Point>, color: RGBColor, opacity: f64) {
        self.marks.push(Mark::Area { points, color, opacity });
    }

    pub(super) fn rectangle(
        &mut self,
        (left, top): Point,
        (right, bottom): Point,
        color: RGBColor,
        opacity: f64,
    ) {
        let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.area(corners, color, opacity);
    }

    pub(super) fn dot(&mut self, centre: Point, radius: f64, color: RGBColor) {
        self.marks.push(Mark::Dot { centre, radius, color });
    }

    /// A small square standing on its corner, white inside.
    pub(super) fn diamond(
        &mut self,
        (x, y): Point,
        radius: f64,
        color: RGBColor,
        inside: RGBColor,
    ) {
        let corners = |r: f64| vec![(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
        self.area(corners(radius), color, 1.0);
        self.area(corners(radius - 2.2), inside, 1.0);
    }

    /// Adds the marks of another figure, so much lower. Its images are not copied.
    pub(super) fn append(&mut self, other: &Self, down: f64) {
        let lower = |points: &[Point]| points.iter().map(|(x, y)| (*x, y + down)).collect();
        self.marks.extend(other.marks.iter().cloned().map(|mark| match mark {
            Mark::Line { points, color, width } => {
                Mark::Line { points: lower(&points), color, width }
            }
            Mark::Area { points, color, opacity } => {
                Mark::Area { points: lower(&points), color, opacity }
            }
            Mark::Dot { centre: (x, y), radius, color } => {
                Mark::Dot { centre: (x, y + down), radius, color }
            }
            Mark::Text(text) => Mark::Text(Text { at: (text.at.0, text.at.1 + down), ..text }),
        }));
    }

    /// Title and subtitle at the upper left, cut to the figure's width.
    pub(super) fn heading(&mut self, title: &str, subtitle: &str) {
        let room = f64::from(self.width) - 32.0;
        self.text(Text::new(title, (16.0, 22.0), 17.0).bold().fit(room));
        self.text(Text::new(subtitle, (16.0, 45.0), 13.5).color(GREY).fit(room));
    }
}
