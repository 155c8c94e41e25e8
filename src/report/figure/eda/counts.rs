//! Class counts, with the skipped examples below.

use super::{Columns, WIDTH};
use crate::report::figure::canvas::{Align, BLUE, Figure, GREY, INK, Text};
use crate::report::words::{count, counted};

const ROW: f64 = 24.0;
const NAME_SIZE: f64 = 13.5;
/// How many classes get a bar. The others are counted.
const MOST_CLASSES: usize = 40;
/// How many notes get a line. The others are counted.
const MOST_NOTES: usize = 6;

/// Draws a bar a class, the largest class first.
pub(super) fn figure(data: &Columns) -> Figure {
    let mut classes: Vec<(usize, &String)> =
        data.counts.iter().copied().zip(&data.classes).collect();
    // Stable: classes of one size stay in their order.
    classes.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let others = classes.split_off(classes.len().min(MOST_CLASSES));
    let notes = note_lines(&data.notes);
    let top = 66.0;
    let bottom = top + ROW * classes.len() as f64;
    let below = if notes.is_empty() { 12.0 } else { 20.0 + 18.0 * notes.len() as f64 };
    let title = format!("{}: class counts", data.name);
    let mut figure = Figure::new(&title, WIDTH, (bottom + below).ceil() as u32);
    let (n, n_classes) = (counted(data.n_examples(), data.unit), count(data.classes.len()));
    let what = match others.iter().map(|(n, _)| n).sum::<usize>() {
        _ if others.is_empty() => "with the share of each class".to_owned(),
        n => format!("the {MOST_CLASSES} largest, without {} of the others", counted(n, data.unit)),
    };
    figure.heading(&title, &format!("{n} in {n_classes} classes; {what}"));

    let names = classes.iter().map(|(_, name)| Text::new(*name, (0.0, 0.0), NAME_SIZE).width());
    let left = 16.0 + names.fold(60.0, f64::max).min(200.0) + 10.0;
    let right = f64::from(WIDTH) - 130.0;
    let most = classes.first().map_or(1, |(n, _)| (*n).max(1)) as f64;
    for (i, (n, name)) in classes.into_iter().enumerate() {
        let y = top + ROW * (i as f64 + 0.5);
        let text = Text::new(name, (left - 10.0, y), NAME_SIZE).align(Align::Right);
        figure.text(text.fit(left - 26.0));
        let end = left + n as f64 / most * (right - left);
        figure.rectangle((left, y - ROW * 0.36), (end, y + ROW * 0.36), BLUE, 1.0);
        let share = 100.0 * n as f64 / data.n_examples().max(1) as f64;
        figure.text(Text::new(format!("{}, {share:.1} %", count(n)), (end + 8.0, y), 13.0));
    }
    figure.line(vec![(left, top), (left, bottom)], INK, 1.0);
    for (i, note) in notes.into_iter().enumerate() {
        let at = (16.0, bottom + 20.0 + 18.0 * i as f64);
        figure.text(Text::new(note, at, 12.5).color(GREY).fit(f64::from(WIDTH) - 32.0));
    }
    figure
}

fn note_lines(notes: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = notes.iter().take(MOST_NOTES).cloned().collect();
    if notes.len() > MOST_NOTES {
        lines.push(format!("and {} more", notes.len() - MOST_NOTES));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_beyond_the_room_are_counted() {
        let notes: Vec<String> = (0..9).map(|i| i.to_string()).collect();
        assert_eq!(note_lines(&notes).last().unwrap(), "and 3 more");
        assert_eq!(note_lines(&notes[..6]).len(), 6);
    }
}
