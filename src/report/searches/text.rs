//! A study as the output of the command.

use std::fmt::Write as _;

use super::super::words::{counted, number, wrapped};
use super::facts::{StudyFacts, WinnerFacts};
use crate::metrics::Interval;
use crate::record::{Study, StudyPart, Trial};

/// Trials that are listed by name.
const N_LISTED: usize = 10;
/// Failures that are told one by one.
const N_FAILURES: usize = 5;

/// Settings in one line: `training.batch_size=32, training.epochs=20`.
#[must_use]
pub fn settings_words(settings: &[String]) -> String {
    if settings.is_empty() { "the spec as it is".to_owned() } else { settings.join(", ") }
}

/// Settings in one line with the last parts of their keys, as far as these tell them apart.
fn short_words(settings: &[String]) -> String {
    let key = |setting: &String| setting.split('=').next().unwrap_or_default().to_owned();
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let lasts: Vec<String> = settings.iter().map(|setting| last(&key(setting))).collect();
    let short = |(setting, last): (&String, &String)| {
        let is_alone = lasts.iter().filter(|other| *other == last).count() == 1;
        let value = setting.split_once('=').map_or("", |(_, value)| value);
        if is_alone { format!("{last}={value}") } else { setting.clone() }
    };
    let words: Vec<String> = settings.iter().zip(&lasts).map(short).collect();
    settings_words(&words)
}

/// The trials, the winner and what it is worth. The last line names the winner, its settings and its
/// validation score, for each fold.
#[must_use]
pub fn study_text(study: &Study, facts: &StudyFacts) -> String {
    let mut text = String::new();
    for (part, of_part) in study.parts.iter().zip(&facts.parts) {
        if let Some(fold) = part.fold {
            let _ = writeln!(text, "fold {fold} of {}:", study.parts.len());
        }
        text += &trials(study, part);
        if let Some(winner) = &of_part.winner {
            text += &worth(study, winner);
        }
    }
    if let Some(nested) = &facts.nested {
        let words = interval(nested);
        let _ = writeln!(
            text,
            "nested cross-validation, each fold tested with settings that were chosen without it: {words}"
        );
    }
    for (part, of_part) in study.parts.iter().zip(&facts.parts) {
        let fold = part.fold.map_or(String::new(), |fold| format!(" of fold {fold}"));
        match &of_part.winner {
            Some(winner) => {
                let (n, metric) = (part.trials.len(), &study.metric);
                let (trial, found) = (winner.number, score(winner.found));
                let settings = settings_words(&winner.settings);
                let _ = writeln!(
                    text,
                    "winner{fold}: trial {trial} of {n}, {settings}, {metric} {found} as found"
                );
            }
            None => {
                let n = counted(part.trials.len(), "trial");
                let _ = writeln!(text, "no winner{fold}: all of {n} failed");
            }
        }
    }
    text
}

fn score(value: f64) -> String {
    number(value, 4)
}

fn interval(interval: &Interval) -> String {
    let Interval { mean, low, high } = interval;
    format!("{} [{}, {}]", score(*mean), score(*low), score(*high))
}

/// The best trials, and the failures.
fn trials(study: &Study, part: &StudyPart) -> String {
    let mut best: Vec<(&Trial, f64)> =
        part.trials.iter().filter_map(|trial| Some((trial, trial.score?))).collect();
    let sign = if study.higher_is_better { -1.0 } else { 1.0 };
    // Scores after fewer epochs are not comparable.
    best.sort_by(|(a, x), (b, y)| {
        let early = |trial: &Trial| std::cmp::Reverse(trial.stopped_after.unwrap_or(usize::MAX));
        early(a)
            .cmp(&early(b))
            .then((sign * x).total_cmp(&(sign * y)).then(a.number.cmp(&b.number)))
    });
    let mut text = String::new();
    if !best.is_empty() {
        let width = study.metric.len();
        let _ = writeln!(text, "trial  {}  settings", study.metric);
        for (trial, value) in best.iter().take(N_LISTED) {
            let stopped = trial
                .stopped_after
                .map_or(String::new(), |epoch| format!(" (stopped after epoch {epoch})"));
            let (number, settings) = (trial.number, short_words(&trial.settings));
            let start = format!("{number:>5}  {:>width$}  ", score(*value));
            let indent = " ".repeat(start.len());
            text += &wrapped(&start, &indent, &format!("{settings}{stopped}"));
        }
        if best.len() > N_LISTED {
            let n = counted(best.len() - N_LISTED, "trial");
            let _ = writeln!(text, "and {n} that did worse; --json lists all");
        }
    }
    let failed: Vec<&Trial> = part.trials.iter().filter(|trial| trial.error.is_some()).collect();
    for trial in failed.iter().take(N_FAILURES) {
        let reason = trial.error.as_deref().unwrap_or_default();
        let first = reason.lines().next().unwrap_or_default();
        let settings = settings_words(&trial.settings);
        let _ = writeln!(text, "failed: trial {} ({settings}): {first}", trial.number);
    }
    if failed.len() > N_FAILURES {
        let n = failed.len() - N_FAILURES;
        let _ = writeln!(text, "and {n} more failed; --json has the reasons");
    }
    text
}

/// What the winner is worth, as a small table.
fn worth(study: &Study, winner: &WinnerFacts) -> String {
    let name = study.metric.strip_prefix("valid_").unwrap_or(&study.metric);
    let mut text = String::new();
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<38} {value}");
    };
    line(&format!("{name}, validation, as found"), score(winner.found));
    let seeds = counted(study.final_seeds.len(), "fresh seed");
    if let Some(valid) = &winner.valid {
        line(&format!("{name}, validation, {seeds}"), interval(valid));
    }
    if let Some(test) = &winner.test {
        line(&format!("{name}, test, {seeds}"), interval(test));
    }
    if let Some(optimism) = &winner.optimism {
        line("optimism: as found minus test", interval(optimism));
    }
    if let Some(base) = &winner.base {
        line(&format!("{name}, test, the spec as it is"), interval(base));
    }
    if let Some(gain) = &winner.gain {
        line("gain over the spec as it is, test", interval(gain));
    }
    for error in &winner.errors {
        text += &wrapped("  failed: ", "  ", error.lines().next().unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shortened_as_far_as_they_stay_different() {
        let of = |settings: &[&str]| {
            short_words(&settings.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["training.epochs=3", "training.batch_size=8"]), "epochs=3, batch_size=8");
        assert_eq!(
            of(&[
                "model.dense.layers[0].units=3",
                "model.dense.layers[1].units=8",
                "training.epochs=2"
            ]),
            "model.dense.layers[0].units=3, model.dense.layers[1].units=8, epochs=2"
        );
        assert_eq!(of(&["segments={ seconds = 2.0 }"]), "segments={ seconds = 2.0 }");
        assert_eq!(of(&[]), "the spec as it is");
    }
}
