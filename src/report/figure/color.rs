//! Color maps whose steps look equal: a way through OKLab, walked in steps of equal length.
//!
//! # Source
//! B. Ottosson, A perceptual color space for image processing, 2020 (OKLab, its two matrices). The
//! ways are this project's own.

use plotters::style::RGBColor;

/// Number of colors of a map.
pub(super) const N_COLORS: usize = 256;

/// Lightness, green to red, blue to yellow.
type Lab = [f64; 3];

/// Colors for numbers from a low to a high end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColorMap(Vec<RGBColor>);

impl ColorMap {
    /// From black over violet and coral to cream, lighter with every step.
    pub(super) fn sequential() -> Self {
        let stops = [
            lab(0.08, 0.03, 290.0),
            lab(0.26, 0.125, 292.0),
            lab(0.44, 0.165, 328.0),
            lab(0.62, 0.195, 12.0),
            lab(0.80, 0.125, 58.0),
            lab(0.97, 0.055, 103.0),
        ];
        Self::along(N_COLORS, |part| spline(&stops, part))
    }

    /// From blue over near-white, at exactly one half, to red.
    pub(super) fn diverging() -> Self {
        let stops = [lab(0.42, 0.13, 255.0), lab(0.97, 0.0, 0.0), lab(0.45, 0.16, 27.0)];
        let half = |from, to| Self::along(N_COLORS / 2, |part| mix(from, to, part)).0;
        Self([half(stops[0], stops[1]), half(stops[1], stops[2])].concat())
    }

    /// Some colors of a way, `[0, 1]` -> OKLab, at equal distances from its start to its end.
    fn along(n: usize, way: impl Fn(f64) -> Lab) -> Self {
        const N_FINE: usize = 4096;
        let points: Vec<Lab> = (0..=N_FINE).map(|i| way(i as f64 / N_FINE as f64)).collect();
        let mut walked = vec![0.0];
        for pair in points.windows(2) {
            walked.push(walked[walked.len() - 1] + distance(pair[0], pair[1]));
        }
        let color = |i: usize| {
            let wanted = walked[N_FINE] * i as f64 / (n - 1) as f64;
            let at = walked.partition_point(|way| *way < wanted).clamp(1, N_FINE);
            let part = (wanted - walked[at - 1]) / (walked[at] - walked[at - 1]);
            srgb(mix(points[at - 1], points[at], part))
        };
        Self((0..n).map(color).collect())
    }

    /// Through given colors, equally far apart, in straight lines of sRGB.
    pub(super) fn through(stops: &[RGBColor]) -> Self {
        let color = |i: usize| {
            let at = i as f64 / (N_COLORS - 1) as f64 * (stops.len() - 1) as f64;
            let from = (at as usize).min(stops.len() - 2);
            let part = at - from as f64;
            let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round();
            let (a, b) = (stops[from], stops[from + 1]);
            RGBColor(mix(a.0, b.0) as u8, mix(a.1, b.1) as u8, mix(a.2, b.2) as u8)
        };
        Self((0..N_COLORS).map(color).collect())
    }

    /// All colors, from the low end to the high end, `[256]`.
    pub(super) fn colors(&self) -> &[RGBColor] {
        &self.0
    }

    /// The color at a part of the way, `[0, 1]`; what lies outside gets the color of the end.
    pub(super) fn at(&self, part: f64) -> RGBColor {
        self.0[usize::from(index(part))]
    }
}

/// The number of the color at a part of the way, `[0, 1]`.
pub(super) fn index(part: f64) -> u8 {
    (part * (N_COLORS - 1) as f64).round().clamp(0.0, (N_COLORS - 1) as f64) as u8
}

/// OKLab from lightness, chroma and hue in degrees.
fn lab(lightness: f64, chroma: f64, hue: f64) -> Lab {
    let hue = hue.to_radians();
    [lightness, chroma * hue.cos(), chroma * hue.sin()]
}

fn mix(a: Lab, b: Lab, part: f64) -> Lab {
    [0, 1, 2].map(|i| a[i] + part * (b[i] - a[i]))
}

fn distance(a: Lab, b: Lab) -> f64 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt()
}

/// A smooth curve through all stops (Catmull and Rom's), straight on beyond the ends.
fn spline(stops: &[Lab], part: f64) -> Lab {
    let n = stops.len() - 1;
    let at = part * n as f64;
    let from = (at as usize).min(n - 1);
    let t = at - from as f64;
    let (p1, p2) = (stops[from], stops[from + 1]);
    let p0 = if from > 0 { stops[from - 1] } else { mix(p2, p1, 2.0) };
    let p3 = if from + 2 <= n { stops[from + 2] } else { mix(p1, p2, 2.0) };
    [0, 1, 2].map(|i| {
        let slope = p2[i] - p0[i];
        let bend = 2.0 * p0[i] - 5.0 * p1[i] + 4.0 * p2[i] - p3[i];
        let twist = 3.0 * p1[i] - p0[i] - 3.0 * p2[i] + p3[i];
        0.5 * (2.0 * p1[i] + t * (slope + t * (bend + t * twist)))
    })
}

/// Linear red, green and blue, in `[0, 1]` where a screen can show the color.
fn linear_rgb([lightness, a, b]: Lab) -> [f64; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ]
}

fn srgb(color: Lab) -> RGBColor {
    let [red, green, blue] = linear_rgb(color).map(|linear| {
        let linear = linear.clamp(0.0, 1.0);
        let curved = if linear <= 0.003_130_8 {
            12.92 * linear
        } else {
            1.055 * linear.powf(1.0 / 2.4) - 0.055
        };
        (curved * 255.0).round() as u8
    });
    RGBColor(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sRGB -> OKLab, the inverse, so that the test checks the displayed colors.
    fn shown(RGBColor(red, green, blue): RGBColor) -> Lab {
        let [r, g, b] = [red, green, blue].map(|channel| {
            let curved = f64::from(channel) / 255.0;
            if curved <= 0.040_45 { curved / 12.92 } else { ((curved + 0.055) / 1.055).powf(2.4) }
        });
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    #[test]
    fn white_black_and_red_are_what_oklab_says() {
        assert_eq!(srgb([1.0, 0.0, 0.0]), RGBColor(255, 255, 255));
        assert_eq!(srgb([0.0, 0.0, 0.0]), RGBColor(0, 0, 0));
        assert_eq!(srgb([0.627_96, 0.224_86, 0.125_85]), RGBColor(255, 0, 0));
    }

    #[test]
    fn the_sequential_map_gets_lighter_with_every_step() {
        let map = ColorMap::sequential();
        // Every fourth: 8-bit channels round single steps away.
        let lightness: Vec<f64> =
            map.colors().iter().step_by(4).map(|color| shown(*color)[0]).collect();
        assert!(lightness.windows(2).all(|pair| pair[0] < pair[1]), "{lightness:?}");
        assert!(lightness[0] < 0.1 && shown(map.at(1.0))[0] > 0.95);
    }

    #[test]
    fn the_diverging_map_is_lightest_in_its_middle_and_even_on_both_sides() {
        let map = ColorMap::diverging();
        let lightness: Vec<f64> =
            map.colors().iter().step_by(3).map(|color| shown(*color)[0]).collect();
        let (low, high) = lightness.split_at(lightness.len() / 2);
        assert!(low.windows(2).all(|pair| pair[0] < pair[1]), "{low:?}");
        assert!(high[1..].windows(2).all(|pair| pair[0] > pair[1]), "{high:?}");
        assert!(shown(map.at(0.5))[0] > 0.96);
        let RGBColor(red, green, blue) = map.at(0.5);
        assert!(red == green && green == blue, "the middle has no hue: {red} {green} {blue}");
    }

    #[test]
    fn equal_steps_look_equal_and_a_screen_shows_them_all() {
        let even = |colors: &[RGBColor]| {
            let points: Vec<Lab> = colors.iter().step_by(12).map(|color| shown(*color)).collect();
            let steps: Vec<f64> =
                points.windows(2).map(|pair| distance(pair[0], pair[1])).collect();
            let mean = steps.iter().sum::<f64>() / steps.len() as f64;
            assert!(steps.iter().all(|step| (step / mean - 1.0).abs() < 0.1), "{steps:.4?}");
        };
        even(ColorMap::sequential().colors());
        // It turns round in its middle.
        let (low, high) = (0..N_COLORS / 2, N_COLORS / 2..N_COLORS);
        even(&ColorMap::diverging().colors()[low]);
        even(&ColorMap::diverging().colors()[high]);
        let stops = |part: f64| [ColorMap::sequential(), ColorMap::diverging()].map(|m| m.at(part));
        assert_eq!(stops(-1.0), stops(0.0));
        assert_eq!(stops(2.0), stops(1.0));
    }
}
