//! Published figures and their verdicts.

use super::runs::Runs;
use super::words::{counted, fraction, list};
use crate::metrics::{Clustered, Interval, Published, Verdict, repetition, verdict};
use crate::record::Claim;

/// A published figure with its verdict.
pub(super) struct Judged<'a> {
    pub(super) claim: &'a Claim,
    pub(super) verdict: Verdict,
    /// Where figures fall, 95 of 100, that were made as our runs were; where the two may be compared.
    repetitions: Option<Interval>,
}

/// Judges a figure by the accuracies of runs, taken apart by tracks.
pub(super) fn judge<'a>(claim: &'a Claim, runs: &Runs, accuracies: &[Clustered]) -> Judged<'a> {
    if let Some(reason) = unfit(claim, runs) {
        let verdict = Verdict::NotComparable { reason };
        return Judged { claim, verdict, repetitions: None };
    }
    let ours = runs.mean(|record| record.test.n as f64);
    let published = Published {
        n_runs: claim.n_runs.unwrap_or(1),
        test_ratio: claim.n_test.map_or(1.0, |theirs| ours / theirs as f64),
    };
    let repetitions = repetition(accuracies, &published);
    let verdict = verdict(claim.value, &repetitions);
    Judged { claim, verdict, repetitions: Some(repetitions) }
}

/// Returns the reason why a figure cannot be compared with the runs.
fn unfit(claim: &Claim, runs: &Runs) -> Option<String> {
    let record = runs.record();
    let reason = if claim.dataset != record.data.dataset {
        let synthetic = if record.data.synthetic { ", which is synthetic" } else { "" };
        format!(
            "the published figure is for {}, these runs used {}{synthetic}",
            claim.dataset, record.data.dataset
        )
    } else if let Some(words) = runs.other_version() {
        words.to_owned()
    } else if !record.cut.is_empty() {
        format!("shortened run ({})", list(&record.cut))
    } else if claim.metric != "accuracy" {
        format!("no interval is available for {}", claim.metric)
    } else {
        return None;
    };
    Some(reason)
}

impl Judged<'_> {
    /// Explains the verdict, with its assumptions, as plain text.
    pub(super) fn why(&self) -> String {
        let fall = || {
            let Interval { low, high, .. } =
                self.repetitions.expect("what may be compared has an interval");
            let (low, high) = (fraction(low), fraction(high));
            format!("where repetitions of our runs fall, {low} to {high} ({})", assumed(self.claim))
        };
        match &self.verdict {
            Verdict::Reproduced => format!("it is {}", fall()),
            Verdict::Differs { by } => {
                let side = if *by > 0.0 { "above" } else { "below" };
                format!("ours is {side} it by {}; it is outside {}", fraction(by.abs()), fall())
            }
            Verdict::NotComparable { reason } => reason.clone(),
        }
    }
}

/// Describes the assumed number of runs and test examples behind a figure.
fn assumed(claim: &Claim) -> String {
    let runs = claim.n_runs.map_or("one run".to_owned(), |n| counted(n, "run"));
    let test = claim
        .n_test
        .map_or("a test set as large as ours".to_owned(), |n| counted(n, "test example"));
    let word = if claim.n_runs.is_some() && claim.n_test.is_some() { "of" } else { "taken as" };
    format!("{word} {runs} on {test}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::record::Run;
    use crate::report::fake::{self, Fake, gtzan};
    use crate::report::tests::options;
    use crate::report::{claims, group, table};

    /// Three runs whose record says this claim.
    fn claimed(folder: &Path, change: impl Fn(&mut Claim)) -> Vec<Run> {
        let one = |seed: u64| {
            let fake = gtzan("cnn-3", seed, 0.835 + 0.003 * seed as f64, 0.838);
            let mut record = fake::record(&fake);
            change(&mut record.claims[0]);
            fake::write(folder, &fake, record, &fake::predictions(&fake))
        };
        (1..=3).map(one).collect()
    }

    #[test]
    fn a_claim_is_held_against_repetitions_and_not_against_our_mean() {
        let options = options(&[]);
        let high = {
            let folder = tempfile::tempdir().unwrap();
            let runs = claimed(folder.path(), |_| {});
            group::rows(&runs, &options).unwrap()[0].group().unwrap().accuracy.high
        };
        let value = high + 0.001;
        let judged = |change: &dyn Fn(&mut Claim)| {
            let folder = tempfile::tempdir().unwrap();
            let runs = claimed(folder.path(), |claim| {
                claim.value = value;
                change(claim);
            });
            assert_eq!(
                table(&runs, &options).unwrap().differing.is_empty(),
                claims(&runs, &options).unwrap().1.is_empty()
            );
            let rows = group::rows(&runs, &options).unwrap();
            let group = rows[0].group().unwrap();
            assert!(!group.accuracy.contains(value), "a little outside of our interval");
            (group.judged[0].verdict.clone(), group.judged[0].why())
        };
        let (verdict, why) = judged(&|_| {});
        assert_eq!(verdict, Verdict::Reproduced, "{why}");
        assert!(why.ends_with("(taken as one run on a test set as large as ours)"), "{why}");
        // What is known to be the mean of many runs on a huge test set has hardly any luck of its own.
        let (verdict, why) = judged(&|claim| {
            (claim.n_runs, claim.n_test) = (Some(1000), Some(1_000_000));
            claim.value = value + 0.005;
        });
        assert!(matches!(verdict, Verdict::Differs { by } if by < 0.0), "{why}");
        assert!(why.starts_with("ours is below it by 0.0"), "{why}");
        assert!(why.ends_with("(of 1,000 runs on 1,000,000 test examples)"), "{why}");
    }

    #[test]
    fn the_ledger_names_every_claim_with_why_and_what_was_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [
            fake::run(folder.path(), &gtzan("dnn", 1, 0.66, 0.578)),
            fake::run(folder.path(), &Fake { cut: true, ..gtzan("cnn-1", 1, 0.4, 0.691) }),
        ];
        let (text, differing) = claims(&runs, &options(&["dnn", "cnn-1", "cnn-2"])).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let ours = runs[0].record.test.accuracy;
        for part in [
            "dnn on gtzan: accuracy 0.578 (report, table 1) differs: ours ".to_owned(),
            format!("ours is above it by {:.3}; it is outside where repetitions", ours - 0.578),
            "cnn-1 on gtzan, cut: 3 of 250 epochs: accuracy 0.691".to_owned(),
            "over 1 seed; shortened run (3 of 250 epochs)".to_owned(),
            "not run: cnn-2".to_owned(),
        ] {
            assert!(said.contains(&part), "{part}\nis not in\n{said}");
        }
        assert_eq!(differing, [format!("dnn (report, table 1) by {:+.3}", ours - 0.578)]);
    }
}
