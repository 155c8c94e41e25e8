//! Every row's main metric with its interval, beside the published figure and the baseline: a figure a task.

use super::axis::{Axis, Plane};
use super::canvas::{Align, BLUE, Figure, GREY, INK, PALE, Text, VERMILION, WHITE};
use crate::metrics::{Metric, Verdict};
use crate::report::claims::Judged;
use crate::report::group::Group;
use crate::report::main_scale::{MainScale, baseline_words};
use crate::report::summary::interval;
use crate::vocab::Task;

const WIDTH: u32 = 860;
const ROW_HEIGHT: f64 = 40.0;
const NAME_SIZE: f64 = 14.0;
const SMALL_SIZE: f64 = 11.5;

/// Groups that are drawn at most; the tables have all.
const MOST_GROUPS: usize = 60;

/// Draws the chart of some groups of one task, one line per group.
pub(super) fn figure(task: Task, groups: &[&Group]) -> Figure {
    let metric = Metric::main(task).words();
    let n_groups = groups.len();
    let groups = &groups[..n_groups.min(MOST_GROUPS)];
    let of = match n_groups {
        n if n > groups.len() => format!("; the first {MOST_GROUPS} of {n} rows"),
        _ => String::new(),
    };
    let top = 104.0;
    let bottom = top + ROW_HEIGHT * groups.len() as f64;
    let height = (bottom + 52.0).ceil() as u32;
    let mut figure = Figure::new(format!("Test {metric} of every experiment"), WIDTH, height);
    figure.heading(
        &format!("Test {metric}"),
        &format!("mean over seeds with its 95 % interval, against the published figure{of}"),
    );
    legend(&mut figure, task);
    let names = groups.iter().flat_map(|group| {
        [
            Text::new(group.name(), (0.0, 0.0), NAME_SIZE).width(),
            Text::new(group.dataset_short(), (0.0, 0.0), SMALL_SIZE).width(),
        ]
    });
    let longest = names.fold(60.0, f64::max).min(250.0);
    let plane = Plane {
        left: 16.0 + longest + 14.0,
        top,
        right: f64::from(WIDTH) - 178.0,
        bottom,
        across: Axis::nice(metric, MainScale::of(groups.iter().copied()).low, 1.0, 5),
        up: Axis::nice("", 0.0, 1.0, 1),
    };
    for (value, _) in &plane.across.ticks {
        let (x, _) = plane.place(*value, 0.0);
        figure.line(vec![(x, top), (x, bottom)], PALE, 1.0);
    }
    plane.frame_below(&mut figure);
    for (i, group) in groups.iter().enumerate() {
        row(&mut figure, &plane, group, top + ROW_HEIGHT * (i as f64 + 0.5), longest);
    }
    figure
}

/// Ours a little below the row's middle, the published figure above: they often coincide.
fn row(figure: &mut Figure, plane: &Plane, group: &Group, y: f64, longest: f64) {
    // What lies below the scale is drawn at its end.
    let x = |score: f64| plane.place(score.max(plane.across.low), 0.0).0;
    let names = [
        Text::new(group.name(), (16.0, y - 8.0), NAME_SIZE),
        Text::new(group.dataset_short(), (16.0, y + 9.0), SMALL_SIZE).color(GREY),
    ];
    for name in names {
        figure.text(name.fit(longest));
    }
    tick(figure, (x(group.baseline()), y));
    if let Some(Judged { claim, verdict, .. }) = group.claim_of_main() {
        let inside = match verdict {
            Verdict::NotComparable { .. } => WHITE,
            Verdict::Reproduced | Verdict::Differs { .. } | Verdict::Inconclusive => VERMILION,
        };
        figure.diamond((x(claim.value), y - 9.0), 7.0, VERMILION, inside);
    }
    let main = &group.main;
    let (low, high, y_ours) = (x(main.low), x(main.high), y + 5.0);
    figure.line(vec![(low, y_ours), (high, y_ours)], BLUE, 2.5);
    for end in [low, high] {
        figure.line(vec![(end, y_ours - 5.0), (end, y_ours + 5.0)], BLUE, 2.0);
    }
    figure.dot((x(main.mean), y_ours), 4.5, BLUE);
    let numbers = Text::new(interval(main), (f64::from(WIDTH) - 16.0, y), 12.5);
    figure.text(numbers.color(INK).align(Align::Right));
}

fn tick(figure: &mut Figure, (x, y): (f64, f64)) {
    figure.line(vec![(x, y - 9.0), (x, y + 9.0)], GREY, 2.0);
}

fn legend(figure: &mut Figure, task: Task) {
    let y = 74.0;
    let mut x = 18.0;
    let mut entry = |figure: &mut Figure, text: &str, mark: &dyn Fn(&mut Figure, f64)| {
        mark(figure, x);
        let text = Text::new(text, (x + 22.0, y), 13.0);
        x += 22.0 + text.width() + 20.0;
        figure.text(text);
    };
    entry(figure, "ours", &|figure, x| {
        figure.line(vec![(x - 2.0, y), (x + 14.0, y)], BLUE, 2.5);
        figure.dot((x + 6.0, y), 4.5, BLUE);
    });
    entry(figure, "published", &|figure, x| {
        figure.diamond((x + 6.0, y), 7.0, VERMILION, VERMILION);
    });
    entry(figure, "published, not comparable", &|figure, x| {
        figure.diamond((x + 6.0, y), 7.0, VERMILION, WHITE);
    });
    entry(figure, baseline_words(task), &|figure, x| tick(figure, (x + 8.0, y)));
}
