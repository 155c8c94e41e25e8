//! What a comparison of two sides says in words.

use super::super::words::{count, counted, wrapped};
use super::pair::{N_RESAMPLES, Pair};
use super::scored::Level;
use super::side::Side;
use crate::metrics::{Interval, Metric};
use crate::vocab::Task;

/// A pair, seen from the side that did better.
struct View<'a> {
    pair: &'a Pair,
    item: &'static str,
    first: &'a str,
    second: &'a str,
    better: &'a str,
    worse: &'a str,
    /// What turns a difference of the pair into one of better minus worse.
    sign: f64,
    task: Task,
}

/// One pair on one level: a sentence, then what stands behind it.
pub(super) fn test(sides: &[Side], level: &Level, pair: &Pair, n_pairs: usize) -> String {
    let (first, second) = (sides[pair.first].name.as_str(), sides[pair.second].name.as_str());
    let (better, worse, sign) =
        if pair.difference.value < 0.0 { (first, second, -1.0) } else { (second, first, 1.0) };
    let task = level.sides[0][0].task();
    let view = View { pair, item: level.item, first, second, better, worse, sign, task };
    let metric = match task {
        Task::Classes => String::new(),
        task => format!("{} ", Metric::main(task).words()),
    };
    let sentence = format!("{metric}per {}: {} ({})", view.item, view.outcome(n_pairs), view.how());
    let behind = view.behind().into_iter().map(|line| wrapped("- ", "  ", &line));
    wrapped("", "  ", &sentence) + &behind.collect::<String>()
}

impl View<'_> {
    /// Which one is better, or that nothing shows it.
    fn outcome(&self, n_pairs: usize) -> String {
        let Self { first, second, better, worse, .. } = self;
        let difference = &self.pair.difference;
        let by = self.points(difference.value * self.sign);
        let (range, p) = (self.range(&difference.interval()), p_words(self.pair, n_pairs));
        if self.pair.is_significant() {
            let (of, that_of) =
                if difference.knows_seeds() { ("", "") } else { ("the model of ", "that of ") };
            return format!("{of}{better} is better than {that_of}{worse} by {by}, {range}, {p}");
        }
        let none = format!("no evidence of a difference between {first} and {second}");
        let detectable = difference.detectable();
        if detectable == 0.0 {
            let alike = match self.task {
                Task::Classes => "are right on",
                Task::Tags | Task::Number => "are equally good on",
            };
            return format!("{none}: both {alike} the very same {}s", self.item);
        }
        let tracks = counted(difference.n_tracks, "track");
        let seeds = match self.pair.n_runs {
            [a, b] if a == b => counted(a, "seed"),
            [a, b] => format!("{a} against {}", counted(b, "seed")),
        };
        format!(
            "{none}: {better} is {by} above, {range}, {p}; {tracks} and {seeds} can detect \
             differences above {}",
            self.points(detectable)
        )
    }

    /// What was compared.
    fn how(&self) -> String {
        let tracks = counted(self.pair.difference.n_tracks, "track");
        let [first, second] = self.pair.n_runs;
        if self.pair.paired.is_some() {
            return format!("{} on the same {tracks}", counted(first, "seed pair"));
        }
        let (first, second) = (counted(first, "seed"), counted(second, "seed"));
        format!("unpaired, as the test sets differ: {first} and {second}, {tracks} in all")
    }

    /// Warnings, and the tests of single models.
    fn behind(&self) -> Vec<String> {
        let Self { pair, item, better, worse, .. } = self;
        let mut lines = vec![];
        if !pair.difference.knows_seeds() {
            lines.push(
                "experiments with one seed are not ranked: this compares two trained models, and \
                 another seed may reverse it; use --seeds 1,2,3"
                    .to_owned(),
            );
        }
        if pair.n_alone > 0 {
            let alone = counted(pair.n_alone, "run");
            lines.push(format!("{alone} without a counterpart on the same test set, not counted"));
        }
        let Some(paired) = &pair.paired else { return lines };
        if let Some(bootstrap) = &paired.bootstrap {
            let (n, range) = (count(N_RESAMPLES), self.range(bootstrap));
            lines.push(format!("tracks resampled {n} times, same models: {range}"));
        }
        for (seed, test) in &paired.mcnemar {
            let mut only = [test.only_first, test.only_second];
            if self.sign > 0.0 {
                only.reverse();
            }
            let (only_better, p) = (counted(only[0], item), p_value(test.p));
            lines.push(format!(
                "McNemar, exact, seed {seed}: {only_better} right by {better} alone, {} by {worse} \
                 alone, {p}",
                only[1]
            ));
        }
        lines
    }

    /// `95 % 0.9 to 3.3`, in points, of better minus worse; of other metrics than accuracy as they are.
    fn range(&self, interval: &Interval) -> String {
        let [a, b] = [interval.low, interval.high].map(|end| self.sign * end);
        let (low, high) = (a.min(b), a.max(b));
        match self.task {
            Task::Classes => format!("95 % {:.1} to {:.1}", 100.0 * low, 100.0 * high),
            Task::Tags | Task::Number => format!("95 % {low:.3} to {high:.3}"),
        }
    }

    /// `2.1 points`: hundredths of the whole; of other metrics than accuracy `0.021`.
    fn points(&self, difference: f64) -> String {
        match self.task {
            Task::Classes => format!("{:.1} points", 100.0 * difference),
            Task::Tags | Task::Number => format!("{difference:.3}"),
        }
    }
}

fn p_words(pair: &Pair, n_pairs: usize) -> String {
    let p = p_value(pair.p);
    if n_pairs == 1 {
        return p;
    }
    format!("{p}, by Holm's correction over {n_pairs} pairs {}", p_value(pair.adjusted_p))
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}
