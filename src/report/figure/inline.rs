//! A figure as SVG that stands within a page: small, and in the page's colors.
//!
//! Colors are names of classes (`ink`, `gray`, `pale`, `blue`, `vermilion`, `green`, `purple`, `paper`, `ramp1` to `ramp5`) that the page's
//! style sheet paints, so that one figure reads on light and dark paper; letters are the page's.

use plotters::style::RGBColor;

use super::canvas::{
    Align, BLUE, Direction, Figure, GREEN, GREY, INK, Mark, PALE, PURPLE, Point, RAMP, Text,
    VERMILION, WHITE,
};
use crate::report::words::escaped;

/// The figure with its title, for a page whose style sheet knows the class `plot`.
pub(super) fn svg(figure: &Figure) -> String {
    let Figure { title, width, height, marks, .. } = figure;
    let title = escaped(title);
    let marks: String = marks.iter().map(mark).collect();
    format!(
        "<svg class=\"plot\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {width} {height}\">\
         <title>{title}</title>{marks}</svg>"
    )
}

fn mark(mark: &Mark) -> String {
    match mark {
        Mark::Line { points, color, width } => {
            let (class, points, width) = (class(*color), places(points), length(*width));
            format!("<polyline class=\"l {class}\" stroke-width=\"{width}\" points=\"{points}\"/>")
        }
        Mark::Area { points, color, opacity } => {
            let (class, points) = (class(*color), places(points));
            let opacity = match opacity {
                1.0 => String::new(),
                opacity => format!(" fill-opacity=\"{opacity}\""),
            };
            format!("<polygon class=\"a {class}\"{opacity} points=\"{points}\"/>")
        }
        Mark::Dot { centre: (x, y), radius, color } => {
            let [x, y, radius] = [*x, *y, *radius].map(length);
            format!("<circle class=\"a {}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>", class(*color))
        }
        Mark::Text(text) => letters(text),
    }
}

fn letters(text: &Text) -> String {
    let anchor = match text.align {
        Align::Left => "",
        Align::Centre => " text-anchor=\"middle\"",
        Align::Right => " text-anchor=\"end\"",
    };
    let (x, y) = (length(text.at.0), length(text.at.1));
    let turned = match text.direction {
        Direction::Across => String::new(),
        Direction::Upwards => format!(" transform=\"rotate(-90 {x} {y})\""),
    };
    // A third of the size down: letters are centered on their point.
    format!(
        "<text class=\"{}\" x=\"{x}\" y=\"{y}\" dy=\".35em\" font-size=\"{}\"{anchor}{turned}>{}</text>",
        class(text.color),
        length(text.size),
        escaped(&text.words)
    )
}

/// The class of a color. The figures that stand within a page have no other colors.
fn class(color: RGBColor) -> &'static str {
    match color {
        GREY => "gray",
        PALE => "pale",
        BLUE => "blue",
        VERMILION => "vermilion",
        GREEN => "green",
        PURPLE => "purple",
        WHITE => "paper",
        INK => "ink",
        color if RAMP.contains(&color) => {
            let names = ["ramp1", "ramp2", "ramp3", "ramp4", "ramp5"];
            names[RAMP.iter().position(|of_ramp| *of_ramp == color).unwrap_or(0)]
        }
        other => panic!("{other:?} has no name on the page: give it one here and in style.css"),
    }
}

fn places(points: &[Point]) -> String {
    let places: Vec<String> =
        points.iter().map(|(x, y)| format!("{},{}", length(*x), length(*y))).collect();
    places.join(" ")
}

/// A length in logical pixels, to a tenth.
fn length(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_the_page_s_classes_and_short_numbers() {
        let mut figure = Figure::new("a < b", 100, 50);
        figure.line(vec![(1.0, 2.25), (3.04, 4.0)], BLUE, 1.6);
        figure.rectangle((0.0, 0.0), (2.0, 2.0), WHITE, 0.75);
        figure.text(Text::new("x & y", (10.0, 20.0), 13.0).color(GREY).upwards());
        let wanted = "<svg class=\"plot\" role=\"img\" aria-label=\"a &lt; b\" viewBox=\"0 0 100 50\">\
            <title>a &lt; b</title>\
            <polyline class=\"l blue\" stroke-width=\"1.6\" points=\"1,2.2 3,4\"/>\
            <polygon class=\"a paper\" fill-opacity=\"0.75\" points=\"0,0 2,0 2,2 0,2\"/>\
            <text class=\"gray\" x=\"10\" y=\"20\" dy=\".35em\" font-size=\"13\" \
            transform=\"rotate(-90 10 20)\">x &amp; y</text></svg>";
        assert_eq!(svg(&figure), wanted);
    }
}
