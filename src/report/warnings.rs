//! What a reader must know of a row's runs before they believe its figures: leaks, solvers that did not
//! converge, classes that a set lacks.

use std::collections::BTreeMap;

use super::runs::Runs;
use super::words::{count, list, span};
use crate::record::{LeakKind, Record};
use crate::vocab::Scores;

/// Classes that a line names.
const MOST_NAMED: usize = 5;

/// The scores of a record's set, where it has one.
type ScoresOf = fn(&Record) -> Option<&Scores>;

/// One line for each kind of warning that applies, with its kind.
pub(super) fn warnings(runs: &Runs) -> Vec<(&'static str, String)> {
    let lines = [
        ("leak", leaks(runs)),
        ("converge", not_converged(runs)),
        ("classes", missing_classes(runs)),
        ("blind", not_blind(runs)),
    ];
    lines.into_iter().filter_map(|(kind, line)| Some((kind, line?))).collect()
}

/// Test examples that were seen before the test, by how.
fn leaks(runs: &Runs) -> Option<String> {
    let of = |record: &Record, kind: LeakKind| match kind {
        // Records of any age count these.
        LeakKind::SameTrack => record.split.n_leaking,
        _ => record.audit.n_test(kind),
    };
    let all = span(runs.records().map(|record| record.split.n_test));
    let kinds = [
        LeakKind::SameTrack,
        LeakKind::SameExample,
        LeakKind::SameGroup,
        LeakKind::SameNumbers,
        LeakKind::NearNumbers,
    ];
    let found = kinds.into_iter().filter(|kind| runs.records().any(|record| of(record, *kind) > 0));
    let said: Vec<String> = found
        .enumerate()
        .map(|(i, kind)| {
            let n = span(runs.records().map(|record| of(record, kind)));
            let examples = if i == 0 { format!(" of {all} test examples") } else { String::new() };
            format!("{n}{examples} {}", kind.words())
        })
        .collect();
    (!said.is_empty()).then(|| format!("the split leaks, {}", said.join("; ")))
}

/// Runs whose solver stopped early, with the measure of the first.
fn not_converged(runs: &Runs) -> Option<String> {
    const WORDS: &str = "did not converge";
    let note = |record: &Record| {
        let mut notes = record.model.notes.iter();
        notes.find(|note| note.to_lowercase().contains(WORDS)).cloned()
    };
    let found: Vec<(u64, String)> =
        runs.records().filter_map(|record| Some((record.seed, note(record)?))).collect();
    let (_, first) = found.first()?;
    let seeds = seeds(runs, found.iter().map(|(seed, _)| *seed));
    let measure = first.split_once(": ").map_or(String::new(), |(_, why)| format!(": {why}"));
    Some(format!("the solver {WORDS}{seeds}{measure}"))
}

/// Runs whose program could have read the test labels.
pub(super) fn not_blind(runs: &Runs) -> Option<String> {
    let found: Vec<(u64, String)> = runs
        .records()
        .filter_map(|record| {
            let command = record.model.command.as_ref().filter(|command| !command.is_blind)?;
            let why = command.not_blind_because.as_ref();
            Some((record.seed, why.map_or(String::new(), |why| format!(": {why}"))))
        })
        .collect();
    let (_, why) = found.first()?;
    let seeds = seeds(runs, found.iter().map(|(seed, _)| *seed));
    Some(format!(
        "blindness was not enforced, so the program could read the test labels{seeds}{why}"
    ))
}

/// Classes or tags without an example in a set: they were not learned, not watched or not tested.
fn missing_classes(runs: &Runs) -> Option<String> {
    let sets: [(&str, ScoresOf); 3] = [
        ("training", |record| record.train.as_ref()),
        ("validation", |record| record.valid.as_ref()),
        ("test", |record| Some(record.scored())),
    ];
    let said: Vec<String> = sets
        .into_iter()
        .flat_map(|(set, scores)| {
            // Classes that the same seeds lack are named together.
            let mut classes: BTreeMap<Vec<u64>, Vec<&str>> = BTreeMap::new();
            for (number, class) in runs.record().data.classes.iter().enumerate() {
                let lacks = |record: &&Record| {
                    scores(record).is_some_and(|scores| n_of(scores, number) == Some(0))
                };
                let seeds: Vec<u64> = runs.records().filter(lacks).map(|it| it.seed).collect();
                if !seeds.is_empty() {
                    classes.entry(seeds).or_default().push(class);
                }
            }
            let line = move |(of, classes): (Vec<u64>, Vec<&str>)| {
                let seeds = seeds(runs, of.into_iter());
                format!("no {set} examples of {}{seeds}", some(&classes))
            };
            classes.into_iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// How many examples are of a class or have a tag; `None` of a number.
fn n_of(scores: &Scores, class: usize) -> Option<usize> {
    match scores {
        Scores::Classes(scores) => Some(scores.confusion.get(class)?.iter().sum()),
        Scores::Tags(scores) => Some(scores.tags.get(class)?.n_positive),
        Scores::Number(_) => None,
    }
}

/// `a, b and c`, or the first of them and how many more.
fn some(names: &[&str]) -> String {
    match names.len() {
        n if n > MOST_NAMED => {
            format!("{} and {} more", names[..MOST_NAMED].join(", "), count(n - MOST_NAMED))
        }
        _ => list(names),
    }
}

/// ` (seeds 1 and 3)`, or an empty text if it applies to all runs.
fn seeds(runs: &Runs, seeds: impl Iterator<Item = u64>) -> String {
    let seeds: Vec<String> = seeds.map(|seed| seed.to_string()).collect();
    match seeds.len() {
        n if n == runs.runs.len() => String::new(),
        1 => format!(" ({} {})", runs.unit(), seeds[0]),
        _ => format!(" ({}s {})", runs.unit(), list(&seeds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{CommandFacts, Leak, Run};
    use crate::report::fake::{self, Fake, gtzan};
    use crate::report::runs::runs_of;

    /// Three runs without a leak, changed by seed.
    fn said(change: impl Fn(u64, &mut Record)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let one = |seed: u64| -> Run {
            let fake = Fake { leaks: false, ..gtzan("dnn", seed, 0.6, 0.5) };
            let mut run = fake::run(folder.path(), &fake);
            run.record.model.notes.clear();
            change(seed, &mut run.record);
            run
        };
        let runs: Vec<Run> = (1..=3).map(one).collect();
        let warnings = warnings(&runs_of(&runs, "dnn")[0]);
        warnings.into_iter().map(|(_, line)| line).collect()
    }

    /// No examples of a class in a set.
    fn empty(scores: &mut Scores, class: usize) {
        if let Scores::Classes(scores) = scores {
            scores.confusion[class].fill(0);
        }
    }

    #[test]
    fn clean_runs_have_no_warning() {
        assert_eq!(said(|_, _| {}), [""; 0]);
    }

    #[test]
    fn leaks_of_every_kind_are_counted_on_one_line() {
        let all = said(|seed, record| {
            record.split.n_test = 100;
            record.split.n_leaking = 90 + seed as usize;
            let near = Leak { kind: LeakKind::NearNumbers, n_test: 2, n_valid: 0, named: vec![] };
            record.audit.leaks.push(near);
        });
        let track =
            "the split leaks, 91 to 93 of 100 test examples have their track in train or valid";
        let near = "2 are nearly equal to an example of another track in train or valid";
        assert_eq!(all, [format!("{track}; {near}")]);
        // A validation example that leaks is no leak of the test.
        let valid = said(|_, record| {
            let leak = Leak { kind: LeakKind::SameGroup, n_test: 0, n_valid: 2, named: vec![] };
            record.audit.leaks.push(leak);
        });
        assert_eq!(valid, [""; 0]);
    }

    #[test]
    fn a_solver_that_did_not_converge_is_said_with_its_seeds_and_measure() {
        let some = said(|seed, record| {
            let first = if seed == 2 { "converged" } else { "did NOT converge" };
            record.model.notes = vec![format!("{first}: gradient 1e-{seed}")];
        });
        assert_eq!(some, ["the solver did not converge (seeds 1 and 3): gradient 1e-1"]);
        let all = said(|_, record| record.model.notes.push("did NOT converge".to_owned()));
        assert_eq!(all, ["the solver did not converge"]);
    }

    #[test]
    fn programs_that_could_read_the_labels_are_named() {
        let command = |is_blind: bool| CommandFacts {
            n_threads: 1,
            is_blind,
            not_blind_because: (!is_blind).then(|| "this kernel has no Landlock".to_owned()),
        };
        let some = said(|seed, record| record.model.command = Some(command(seed != 2)));
        let wanted = "blindness was not enforced, so the program could read the test labels (seed 2): \
                      this kernel has no Landlock";
        assert_eq!(some, [wanted]);
        assert_eq!(said(|_, record| record.model.command = Some(command(true))), [""; 0]);
    }

    #[test]
    fn classes_that_a_set_lacks_are_named_by_set_and_seed() {
        let all = said(|seed, record| {
            empty(record.train.as_mut().unwrap(), 0);
            if seed == 2 {
                empty(record.test.as_mut().unwrap(), 1);
            }
            if let Some(valid) = record.valid.as_mut().filter(|_| seed != 2) {
                (2..9).for_each(|class| empty(valid, class));
            }
        });
        let wanted = "no training examples of blues; no validation examples of country, disco, hiphop, \
                      jazz, metal and 2 more (seeds 1 and 3); no test examples of classical (seed 2)";
        assert_eq!(all, [wanted]);
    }
}
