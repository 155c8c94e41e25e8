//! Runs that differ only in the seed, summarized: one row of the page.

use std::collections::BTreeSet;
use std::ops::Deref;

use rayon::prelude::*;

use super::claims::{self, Judged};
use super::runs::{Runs, by_experiment};
use super::score_cache::ScoreCache;
use super::scores::{More, Probabilities, Scores};
use super::words::short;
use super::{Options, ReportError, check::check};
use crate::metrics::{Estimate, Interval, Metric};
use crate::record::Run;
use crate::vocab::Task;

/// One row of the page: runs, and what comes of their predictions.
pub(super) struct Group<'a> {
    alike: Runs<'a>,
    /// The mean of the main metric on the test examples, with what moves it.
    pub(super) estimate: Estimate,
    /// The same with its 95 % interval.
    pub(super) main: Interval,
    /// The main metric on tracks, the segments of each pooled; where tracks have several test examples.
    pub(super) by_track: Option<Interval>,
    /// How good each run's probabilities of classes are; empty for other tasks.
    pub(super) probabilities: Vec<Probabilities>,
    /// What only models of tags or numbers have.
    pub(super) more: Box<More>,
    /// Every published figure with its verdict.
    pub(super) judged: Vec<Judged<'a>>,
}

/// One line of the summary: an experiment with or without runs.
pub(super) enum Row<'a> {
    Ran(Group<'a>),
    /// An experiment without runs, and what its models are to tell, if that is known.
    NotRun(&'a str, Option<Task>),
}

impl<'a> Row<'a> {
    /// The runs, if there are any.
    pub(super) fn group(&self) -> Option<&Group<'a>> {
        match self {
            Self::Ran(group) => Some(group),
            Self::NotRun(..) => None,
        }
    }

    /// What the models tell, if that is known.
    pub(super) fn task(&self) -> Option<Task> {
        match self {
            Self::Ran(group) => Some(group.task()),
            Self::NotRun(_, task) => *task,
        }
    }

    /// The experiment.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Ran(group) => group.experiment(),
            Self::NotRun(name, _) => name,
        }
    }
}

/// The rows in the order of the options; experiments they don't name follow, by name. Within an
/// experiment full runs come before cut ones and real data before synthetic.
pub(super) fn rows<'a>(runs: &'a [Run], options: &'a Options) -> Result<Vec<Row<'a>>, ReportError> {
    runs.iter().try_for_each(check)?;
    let mut by_experiment = by_experiment(runs);
    let mut found: Vec<(&str, Option<Runs>)> = vec![];
    let mut seen = BTreeSet::new();
    for name in options.order.iter().map(String::as_str).filter(|name| seen.insert(*name)) {
        match by_experiment.remove(name) {
            Some(groups) => found.extend(groups.into_iter().map(|runs| (name, Some(runs)))),
            None => found.push((name, None)),
        }
    }
    for (name, groups) in by_experiment {
        found.extend(groups.into_iter().map(|runs| (name, Some(runs))));
    }
    let cache = ScoreCache::open(options.scores.as_deref());
    // Reading predictions is most of the work.
    let row = |(name, runs): (&'a str, Option<Runs<'a>>)| match runs {
        Some(runs) => Ok(Row::Ran(Group::new(runs, &cache)?)),
        None => Ok(Row::NotRun(name, options.tasks.get(name).copied())),
    };
    let rows: Vec<Result<Row, ReportError>> = found.into_par_iter().map(row).collect();
    // What is new is kept, whatever fails.
    cache.save();
    rows.into_iter().collect()
}

/// Rows of one task, which stand in one table.
pub(super) struct TaskRows<'a> {
    pub(super) task: Task,
    /// The heading of the table, where there are several tables.
    pub(super) title: Option<&'static str>,
    pub(super) rows: Vec<&'a Row<'a>>,
}

/// The rows by task, each in their order. Those of an unknown task stand in the first table.
pub(super) fn by_task<'a>(rows: &'a [Row<'a>]) -> Vec<TaskRows<'a>> {
    let is_there = |task: &Task| rows.iter().any(|row| row.task() == Some(*task));
    let mut tasks: Vec<Task> = Task::ALL.into_iter().filter(is_there).collect();
    if tasks.is_empty() {
        tasks.push(Task::Classes);
    }
    let of = |(i, task): (usize, &Task)| TaskRows {
        task: *task,
        title: (tasks.len() > 1).then_some(match task {
            Task::Classes => "Classes",
            Task::Tags => "Tags",
            Task::Number => "Numbers",
        }),
        rows: rows.iter().filter(|row| row.task().map_or(i == 0, |it| it == *task)).collect(),
    };
    tasks.iter().enumerate().map(of).collect()
}

/// The heading that stands before each row: that of its group before the group's first row.
pub(super) fn headings<'a>(rows: &[&Row], options: &'a Options) -> Vec<Option<&'a str>> {
    const OTHERS: &str = "Other experiments";
    if options.groups.is_empty() {
        return vec![None; rows.len()];
    }
    let heading_of = |name: &str| {
        let is_in = |(_, names): &&(String, Vec<String>)| names.iter().any(|it| it == name);
        options.groups.iter().find(is_in).map_or(OTHERS, |(title, _)| title.as_str())
    };
    let all: Vec<&str> = rows.iter().map(|row| heading_of(row.name())).collect();
    let is_first = |i: usize| i == 0 || all[i - 1] != all[i];
    all.iter().enumerate().map(|(i, heading)| is_first(i).then_some(*heading)).collect()
}

impl<'a> Deref for Group<'a> {
    type Target = Runs<'a>;

    fn deref(&self) -> &Runs<'a> {
        &self.alike
    }
}

impl<'a> Group<'a> {
    fn new(alike: Runs<'a>, cache: &ScoreCache) -> Result<Self, ReportError> {
        let claims = &alike.record().claims;
        let scores = cache.scores(&alike, &claims::metrics(claims))?;
        let judged = claims.iter().map(|claim| claims::judged(claim, &alike, &scores)).collect();
        let main = alike.metric().interval_of(&scores.estimate);
        let Scores { estimate, by_track, probabilities, more, .. } = scores;
        Ok(Self { alike, estimate, main, by_track, probabilities, more, judged })
    }

    /// The claim that the summary shows, with its verdict.
    pub(super) fn main_claim(&self) -> Option<&Judged<'a>> {
        self.judged.get(claims::main_claim(&self.record().claims, self.metric())?)
    }

    /// The first claim about the main metric, which figures show on their scale.
    pub(super) fn claim_of_main(&self) -> Option<&Judged<'a>> {
        self.judged.iter().find(|judged| judged.is_of_main())
    }

    /// A further metric with its interval, of tags or numbers.
    pub(super) fn other(&self, metric: Metric) -> Option<&Interval> {
        let found = self.more.others.iter().find(|(name, _)| name == metric.as_str());
        found.map(|(_, interval)| interval)
    }

    /// Ours minus published, where the two may be compared.
    pub(super) fn delta(&self) -> Option<f64> {
        self.main_claim()?.delta()
    }
}

/// Tells apart rows of one experiment on one dataset that were cut alike: by their spec's hash.
pub(super) fn spec_words(group: &Group, rows: &[Row]) -> Option<String> {
    let record = group.record();
    let alike = rows.iter().filter_map(Row::group).map(|group| group.record()).filter(|other| {
        other.experiment == record.experiment
            && other.data.dataset == record.data.dataset
            && other.cut == record.cut
            && other.foreign.as_ref().map(|it| &it.model)
                == record.foreign.as_ref().map(|it| &it.model)
    });
    (alike.count() > 1).then(|| format!("spec {}", short(&record.spec_hash)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::report::fake::{self, Fake, gtzan};
    use crate::report::tests::{options, page};
    use crate::report::{run_lines, summary, write};

    #[test]
    fn votes_of_tracks_and_probabilities_stand_beside_the_accuracy() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [
            fake::run(folder.path(), &gtzan("cnn-3", 1, 0.6, 0.838)),
            fake::run(folder.path(), &gtzan("cnn-3", 2, 0.6, 0.838)),
            fake::run(
                folder.path(),
                &Fake { dataset: "spotify", leaks: false, ..gtzan("songs", 1, 0.5, 0.5) },
            ),
        ];
        let options = options(&["cnn-3", "songs"]);
        let written = write(&runs, &options, &folder.path().join("page")).unwrap();
        let all = rows(&runs, &options).unwrap();
        let by_track = all[0].group().unwrap().by_track.unwrap();
        // Segments err apart from each other, so three of them know more.
        assert!(by_track.mean > all[0].group().unwrap().main.high);
        assert_eq!(all[1].group().unwrap().by_track, None);
        let words = summary::interval(&by_track);
        for file in [&written.readme, &written.page] {
            let text = fs::read_to_string(file).unwrap().replace('\u{a0}', " ");
            let answer = format!(
                "By track, where the test segments of a track vote, it is {words} of the tracks. "
            );
            assert_eq!(text.matches(&answer).count(), 1, "{answer}");
            assert_eq!(text.matches(&words).count(), 2, "summary and answer");
        }
        // 0.6 for the class that is said: right ones cost -ln 0.6, wrong ones -ln (0.4 / 9).
        let lines = run_lines::lines(all[0].group().unwrap());
        let right = runs[0].record.scored().main();
        let loss = -right * 0.6_f64.ln() - (1.0 - right) * (0.4_f64 / 9.0).ln();
        assert_eq!(lines[1][5], format!("{loss:.3}"));
        assert_eq!(lines[1][7], format!("{:.3}", (right - 0.6).abs()));
        assert_eq!((lines.len(), lines[3][0].as_str()), (4, "mean"));
        let mean = f64::midpoint(right, runs[1].record.scored().main());
        assert_eq!(lines[3][1], format!("{mean:.3}"));
    }

    #[test]
    fn folds_together_are_one_large_test_set_and_are_called_folds() {
        let folder = tempfile::tempdir().unwrap();
        let fold = |seed: u64| {
            let fake = Fake { leaks: false, claim: None, ..gtzan("folds", seed, 0.6, 0.0) };
            let mut record = fake::record(&fake);
            record.spec =
                serde_json::json!({ "split": { "k_fold": { "k": 5 } }, "seeds": [1, 2, 3, 4, 5] })
                    .into();
            let mut predictions = fake::predictions(&fake);
            for row in &mut predictions {
                row.example.track = format!("fold {seed} {}", row.example.track);
            }
            fake::write(folder.path(), &fake, record, &predictions)
        };
        let runs: Vec<Run> = (1..=5).map(fold).collect();
        let options = options(&["folds"]);
        let all = rows(&runs, &options).unwrap();
        let group = all[0].group().unwrap();
        assert_eq!(group.estimate.n_tracks, 5 * 967);
        let one = rows(&runs[..1], &options).unwrap();
        let one = one[0].group().unwrap().estimate.tracks_error();
        let ratio = one / group.estimate.tracks_error();
        assert!((ratio / 5.0_f64.sqrt() - 1.0).abs() < 0.05, "five times the tracks: {ratio}");
        let text = page(&runs, &options, &folder.path().join("page"));
        for part in
            ["Over 5 folds, ", "the test sets of 5 folds", "over the 4,835 tracks", " by folds\n"]
        {
            assert!(text.contains(part), "{part}\nis not in\n{text}");
        }
        assert!(
            page(&runs[..3], &options, &folder.path().join("page")).contains("| 3 of 5 folds |")
        );
    }
}
