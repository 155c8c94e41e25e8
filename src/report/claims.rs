//! Published figures and their verdicts.

use super::ReportError;
use super::runs::Runs;
use super::scores::Scores;
use super::words::{counted, decimals, list, number, signed_number};
use crate::metrics::{Interval, Judgment, Metric, Plan, Published, Verdict, judge};
use crate::record::Claim;
use crate::vocab::Task;

/// A published figure with its verdict.
pub(super) struct Judged<'a> {
    pub(super) claim: &'a Claim,
    /// Ours in the claim's metric, with its 95 % interval; `None` if this version of encore doesn't know
    /// the metric or the test set has one class only.
    pub(super) ours: Option<Interval>,
    pub(super) verdict: Verdict,
    /// Whether it is about the main metric of the runs.
    is_of_main: bool,
    /// Decimals that its figures are shown with.
    decimals: usize,
    /// The numbers behind the verdict, where the two may be compared.
    judgment: Option<Judgment>,
    /// How the figure is taken to have come about.
    assumed: String,
}

/// The metrics of some figures, each once.
pub(super) fn metrics(claims: &[Claim]) -> Vec<Metric> {
    let is_claimed = |metric: &Metric| claims.iter().any(|claim| claim.metric == metric.as_str());
    Metric::ALL.into_iter().filter(is_claimed).collect()
}

/// Judges a figure by the scores of the runs.
pub(super) fn judged<'a>(claim: &'a Claim, runs: &Runs, scores: &Scores) -> Judged<'a> {
    let metric = Metric::named(&claim.metric);
    let score = metric.and_then(|metric| scores.of_metric(metric));
    let ours = score.map(|score| score.interval);
    let is_of_main = metric == Some(runs.metric());
    let decimals = metric.map_or(3, |metric| decimals(metric, claim.value));
    let no_verdict = |reason: String| {
        let verdict = Verdict::NotComparable { reason };
        let (judgment, assumed) = (None, String::new());
        Judged { claim, ours, verdict, is_of_main, decimals, judgment, assumed }
    };
    if let Some(reason) = unfit(claim, runs) {
        return no_verdict(reason);
    }
    let (Some(metric), Some(score)) = (metric, score) else {
        let needs = match runs.task() {
            Task::Tags => "a tag that some test examples have and others do not",
            Task::Classes | Task::Number => "test examples of two classes",
        };
        return no_verdict(format!("{} needs {needs}", claim.metric));
    };
    let evidence = &score.evidence;
    let published = published(claim, runs, metric);
    let within = claim
        .within
        .filter(|within| *within > 0.0)
        .unwrap_or_else(|| metric.default_margin(claim.value));
    let judgment = judge(evidence, &published, within);
    let assumed = assumed(claim, runs, evidence.assumed_spread(&published), decimals);
    let verdict = judgment.verdict.clone();
    Judged { claim, ours, verdict, is_of_main, decimals, judgment: Some(judgment), assumed }
}

/// The verdict on a claim in a word; runs that can't be compared with it are not scored.
pub(super) fn verdict(claim: &Claim, runs: &Runs) -> Result<Verdict, ReportError> {
    if let Some(reason) = unfit(claim, runs) {
        return Ok(Verdict::NotComparable { reason });
    }
    let scores = Scores::of(runs, &metrics(std::slice::from_ref(claim)))?;
    Ok(judged(claim, runs, &scores).verdict)
}

/// The claim that a summary shows: the first about the main metric, else the first.
pub(super) fn main_claim(claims: &[Claim], main: Metric) -> Option<usize> {
    let about_main = claims.iter().position(|claim| claim.metric == main.as_str());
    about_main.or((!claims.is_empty()).then_some(0))
}

/// What is known of a figure, and assumed where it says nothing: of folds, that it is the mean of one
/// round.
fn published(claim: &Claim, runs: &Runs, metric: Metric) -> Published {
    let ours = runs.mean(|record| {
        let n = if metric.is_by_track() { record.split.n_test_tracks } else { record.scored().n() };
        n as f64
    });
    let theirs = claim.n_test.map_or(ours, |n| n.max(1) as f64);
    Published {
        value: claim.value,
        n_runs: claim.n_runs.unwrap_or(default_runs(runs)).max(1),
        test_ratio: ours / theirs,
        has_other_test: (ours - theirs).abs() >= 0.5,
        seed_sd: claim.seed_sd,
    }
}

fn default_runs(runs: &Runs) -> usize {
    let folds = runs.record().spec["split"]["k_fold"]["k"].as_u64();
    folds.map_or(1, |k| k.max(1) as usize)
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
    } else {
        let task = runs.task();
        match Metric::named(&claim.metric) {
            Some(metric) if metric.tasks().contains(&task) => return None,
            Some(_) => {
                format!("{} is no metric of a model that tells {}", claim.metric, task.words())
            }
            None => format!("this version of encore does not know the metric {}", claim.metric),
        }
    };
    Some(reason)
}

impl Judged<'_> {
    /// Ours as text: `0.838 [0.832, 0.844]`, or a dash.
    pub(super) fn ours_words(&self) -> String {
        let Some(Interval { mean, low, high }) = self.ours else { return "-".to_owned() };
        let [mean, low, high] = [mean, low, high].map(|it| self.number(it));
        format!("{mean} [{low}, {high}]")
    }

    /// A number in the metric's unit as text.
    fn number(&self, value: f64) -> String {
        number(value, self.decimals)
    }

    /// Whether it is about the main metric of the runs.
    pub(super) fn is_of_main(&self) -> bool {
        self.is_of_main
    }

    /// The published value as text.
    pub(super) fn value_words(&self) -> String {
        self.number(self.claim.value)
    }

    /// The published figure as text, with its metric unless that is the main one.
    pub(super) fn published_words(&self) -> String {
        let value = self.value_words();
        if self.is_of_main { value } else { format!("{} {value}", self.claim.metric) }
    }

    /// Ours minus published as text, where the two may be compared.
    pub(super) fn delta_words(&self) -> Option<String> {
        self.delta().map(|delta| signed_number(delta, self.decimals))
    }

    /// Ours minus published, where the two may be compared.
    pub(super) fn delta(&self) -> Option<f64> {
        self.judgment.as_ref().map(|judgment| judgment.difference.mean)
    }

    /// What would decide, where the verdict is inconclusive, as a clause.
    pub(super) fn plan_words(&self) -> Option<String> {
        let judgment = self.judgment.as_ref()?;
        if self.verdict != Verdict::Inconclusive {
            return None;
        }
        let more = |n: usize, what: &str| counted(n, &format!("more {what}"));
        let decide = match judgment.plan {
            Plan { seeds: Some(seeds), tracks: Some(tracks) } => {
                format!("{} or {}", more(seeds, "seed"), more(tracks, "test track"))
            }
            Plan { seeds: Some(seeds), tracks: None } => more(seeds, "seed"),
            Plan { seeds: None, tracks: Some(tracks) } => more(tracks, "test track"),
            Plan { seeds: None, tracks: None } => {
                return Some(
                    "no number of seeds or test tracks would decide, because the published figure \
                     itself is too uncertain"
                        .to_owned(),
                );
            }
        };
        Some(format!("{decide} would decide"))
    }

    /// `+0.012 [-0.010, +0.034] (90 %)`.
    fn difference(&self, interval: &Interval) -> String {
        let Interval { mean, low, high } = *interval;
        let [mean, low, high] = [mean, low, high].map(|it| signed_number(it, self.decimals));
        format!("{mean} [{low}, {high}] (90 %)")
    }

    /// Explains the verdict, with its assumptions, as plain text.
    pub(super) fn why(&self) -> String {
        let judgment = match (&self.verdict, &self.judgment) {
            (Verdict::NotComparable { reason }, _) => return reason.clone(),
            (_, Some(judgment)) => judgment,
            (_, None) => return String::new(),
        };
        let Interval { low, high, .. } = judgment.repetitions;
        let fall = format!(
            "where repetitions of our runs fall, {} to {}",
            self.number(low),
            self.number(high)
        );
        let within = self.number(judgment.within);
        let difference =
            format!("ours minus published is {}", self.difference(&judgment.difference));
        let assumed = &self.assumed;
        match &self.verdict {
            Verdict::Differs { by } => {
                let side = if *by > 0.0 { "above" } else { "below" };
                let by = self.number(by.abs());
                let Interval { low, high, .. } = judgment.difference;
                let small = if low > -judgment.within && high < judgment.within {
                    format!(", although within the margin of {within}")
                } else {
                    String::new()
                };
                format!("ours is {side} it by {by}{small}; it is outside {fall} ({assumed})")
            }
            Verdict::Reproduced => {
                format!("{difference}, within the margin of {within} ({assumed})")
            }
            _ => format!(
                "{difference}, not within the margin of {within}, and it is {fall}; these runs could \
                 have detected a difference of {}; {} ({assumed})",
                self.number(judgment.detectable),
                self.plan_words().unwrap_or_default()
            ),
        }
    }
}

/// Describes the assumed number of runs and test examples behind a figure, and of a single run of ours the
/// assumed spread of seeds.
fn assumed(claim: &Claim, runs: &Runs, spread: Option<f64>, decimals: usize) -> String {
    let n_runs = match claim.n_runs {
        Some(n) => counted(n, "run"),
        None if default_runs(runs) > 1 => counted(default_runs(runs), "fold"),
        None => "one run".to_owned(),
    };
    let test = claim
        .n_test
        .map_or("a test set as large as ours".to_owned(), |n| counted(n, "test example"));
    let word = if claim.n_runs.is_some() && claim.n_test.is_some() { "of" } else { "taken as" };
    let told = claim
        .seed_sd
        .map(|sd| format!("with a standard deviation of {} over seeds", number(sd, decimals)));
    let spread = match (spread, told) {
        (_, Some(told)) => format!(", {told}"),
        (Some(spread), None) => format!(
            "; one {} shows no spread, so a standard deviation of {} over seeds is assumed",
            runs.unit(),
            number(spread, decimals)
        ),
        (None, None) => String::new(),
    };
    format!("{word} {n_runs} on {test}{spread}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::record::Run;
    use crate::report::fake::{self, Fake, gtzan};
    use crate::report::tests::options;
    use crate::report::{self, claims, group, table};

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
            group::rows(&runs, &options).unwrap()[0].group().unwrap().main.high
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
                claims(&runs, &options).unwrap().differing.is_empty()
            );
            let rows = group::rows(&runs, &options).unwrap();
            let group = rows[0].group().unwrap();
            assert!(!group.main.contains(value), "a little outside of our interval");
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
            fake::run(folder.path(), &gtzan("dnn", 1, 0.72, 0.578)),
            fake::run(folder.path(), &gtzan("cnn-3", 1, 0.84, 0.838)),
            fake::run(folder.path(), &Fake { cut: true, ..gtzan("cnn-1", 1, 0.4, 0.691) }),
        ];
        let ledger = claims(&runs, &options(&["dnn", "cnn-1", "cnn-2"])).unwrap();
        let report::Table { text, differing, inconclusive, .. } = ledger;
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let ours = runs[0].record.scored().main();
        for part in [
            "dnn on gtzan: accuracy 0.578 (report, table 1) differs: ours ".to_owned(),
            format!("ours is above it by {:.3}; it is outside where repetitions", ours - 0.578),
            "cnn-1 on gtzan, cut: 3 of 250 epochs: accuracy 0.691".to_owned(),
            "over 1 seed; shortened run (3 of 250 epochs)".to_owned(),
            "cnn-3 on gtzan: accuracy 0.838 (report, table 1) inconclusive: ours 0.8".to_owned(),
            "not within the margin of 0.050, and it is where repetitions of our runs fall, 0.7"
                .to_owned(),
            "these runs could have detected a difference of 0.1".to_owned(),
            " more seeds would decide (taken as one run on a test set as large as ours; one seed \
             shows no spread, so a standard deviation of 0.020 over seeds is assumed)"
                .to_owned(),
            "not run: cnn-2".to_owned(),
        ] {
            assert!(said.contains(&part), "{part}\nis not in\n{said}");
        }
        assert_eq!(inconclusive, ["cnn-3 (report, table 1)"]);
        assert_eq!(differing, [format!("dnn (report, table 1) by {:+.3}", ours - 0.578)]);
    }

    #[test]
    fn a_claim_may_be_about_any_metric_and_has_that_metric_s_interval() {
        let folder = tempfile::tempdir().unwrap();
        let of_classes =
            || Metric::ALL.into_iter().filter(|metric| metric.tasks().contains(&Task::Classes));
        let one = |seed: u64| {
            let fake = gtzan("cnn-3", seed, 0.84, 0.838);
            let mut record = fake::record(&fake);
            let claim = record.claims[0].clone();
            let about = |metric: &str| Claim { metric: metric.to_owned(), ..claim.clone() };
            record.claims = of_classes().map(|metric| about(metric.as_str())).collect();
            record.claims.extend([about("recall"), about("mae")]);
            fake::write(folder.path(), &fake, record, &fake::predictions(&fake))
        };
        let runs: Vec<Run> = (1..=3).map(one).collect();
        let options = options(&[]);
        let rows = group::rows(&runs, &options).unwrap();
        let group = rows[0].group().unwrap();
        assert_eq!(group.judged.len(), 9);
        for (judged, metric) in group.judged.iter().zip(of_classes()) {
            let ours = judged.ours.expect("every metric has an interval");
            assert!(ours.low < ours.mean && ours.mean < ours.high, "{metric:?}: {ours:?}");
            assert!(ours.low > 0.0 && (ours.high < 1.0 || metric == Metric::LogLoss), "{ours:?}");
            assert!(!judged.why().is_empty());
        }
        assert_eq!(group.judged[0].ours, Some(group.main));
        assert_eq!(group.judged[1].ours, group.by_track);
        assert_eq!(group.judged[7].ours_words(), "-");
        let unknown = "this version of encore does not know the metric recall";
        assert_eq!(group.judged[7].why(), unknown);
        assert_eq!(group.judged[8].why(), "mae is no metric of a model that tells a class");
        let text = claims(&runs, &options).unwrap().text;
        assert!(text.contains("cnn-3 on gtzan: macro_f1 0.838 (report, table 1)\n"), "{text}");
    }

    #[test]
    fn the_margin_and_the_spread_of_a_claim_count() {
        let options = options(&[]);
        let judged = |change: &dyn Fn(&mut Claim)| {
            let folder = tempfile::tempdir().unwrap();
            let runs = claimed(folder.path(), change);
            let rows = group::rows(&runs[..1], &options).unwrap();
            let group = rows[0].group().unwrap();
            (group.judged[0].verdict.clone(), group.judged[0].why())
        };
        assert_eq!(judged(&|_| {}).0, Verdict::Inconclusive);
        assert_eq!(judged(&|claim| claim.within = Some(0.1)).0, Verdict::Reproduced);
        let (verdict, why) = judged(&|claim| claim.seed_sd = Some(0.002));
        assert_eq!(verdict, Verdict::Reproduced, "{why}");
        assert!(why.ends_with(", with a standard deviation of 0.002 over seeds)"), "{why}");
    }

    #[test]
    fn an_interval_that_says_nothing_is_inconclusive_in_every_output() {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake { leaks: false, ..gtzan("few", 1, 0.3, 0.99) };
        let mut predictions: Vec<_> = fake::predictions(&fake).into_iter().take(3).collect();
        for (i, row) in predictions.iter_mut().enumerate() {
            row.predicted = if i == 0 { row.actual } else { row.actual + 1 };
            row.probabilities = vec![0.4 / 9.0; 10];
            row.probabilities[row.predicted] = 0.6;
        }
        let mut record = fake::record(&fake);
        let n_classes = record.data.classes.len();
        let mut confusion = vec![vec![0; n_classes]; n_classes];
        predictions.iter().for_each(|row| confusion[row.actual][row.predicted] += 1);
        let test = fake::of_classes_mut(record.test.as_mut().unwrap());
        test.n = 3;
        test.accuracy = crate::metrics::accuracy(&confusion);
        test.confusion = confusion;
        (record.split.n_test, record.split.n_test_tracks) = (3, 3);
        let runs = [fake::write(folder.path(), &fake, record, &predictions)];
        let options = options(&["few"]);
        let page = folder.path().join("page");
        let written = report::write(&runs, &options, &page).unwrap();
        assert_eq!(written.table.inconclusive, ["few (report, table 1)"]);
        assert_eq!(report::verdict(&runs, "few").unwrap(), Some(Verdict::Inconclusive));
        assert_eq!(report::verdict(&runs, "other").unwrap(), None);
        let read = |path: &Path| std::fs::read_to_string(path).unwrap().replace('\u{a0}', " ");
        for (path, part) in [
            (
                &written.readme,
                "**Of 1 published figure: 0 reproduced, 0 differ, 1 inconclusive and 0 not",
            ),
            (&written.readme, "(report, table 1): **inconclusive**, ours minus published is -0."),
            (
                &written.page,
                "<span class=\"verdict open\"><span aria-hidden=\"true\">?</span> inconclusive",
            ),
            (&written.tex, " & inconclusive & "),
            (&written.results, ",0.990,inconclusive,"),
        ] {
            let text = read(path);
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        assert!(written.table.text.contains("inconclusive, "), "{}", written.table.text);
    }
}
