//! Commands that are killed again and again until they finish: nothing is lost, and the results are those
//! of an undisturbed run. The test kills a few times; `cargo bench --bench kills` a thousand times.

mod results;
pub mod scenarios;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::events::{wait_for_end, wait_until};
use crate::common::kills::{kill_all, signal_group, start_group};
use crate::common::{self, preload, random, random_below};
use results::{Results, results};
use scenarios::Scenario;

/// A command without an end for this long hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// What happened to one command.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kills that hit the command at a random moment of its duration.
    pub n_by_time: usize,
    /// Kills just before a change of a file, or half-way through a write.
    pub n_by_change: usize,
    /// Those of them that hit the command alone, and not the processes that it had started.
    pub n_parent_only: usize,
    /// Projects in which the command has finished in the end.
    pub n_finished: usize,
    /// What went wrong.
    pub findings: Vec<String>,
}

impl Tally {
    /// The number of all kills.
    pub fn n_kills(&self) -> usize {
        self.n_by_time + self.n_by_change
    }
}

/// When a command is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Never,
    /// After this long; the command alone, or with all that it has started.
    Time(Duration, bool),
    /// Before the n-th change of a file.
    Change(i64),
}

/// Kills a command `n_kills` times. Whenever it finishes, its results are compared with those of an
/// undisturbed run, and it starts over in a new project.
pub fn beat(scenario: &Scenario, n_kills: usize, seed: u64) -> Tally {
    let tools = tempfile::tempdir().unwrap();
    let (tally, orphaned) = (Tally::default(), vec![]);
    let mut arena = Arena { scenario, tools: tools.path(), library: None, orphaned, tally };
    if cfg!(target_os = "linux") {
        arena.library = Some(preload::operations(tools.path()));
    }
    let before = results(scenario.project.path());
    let calm = scenario.copy();
    let begin = Instant::now();
    arena.run(calm.path(), Moment::Never);
    let duration = begin.elapsed();
    let n_changes = arena.n_changes();
    let wanted = results(calm.path());
    assert!(wanted != before, "{}: the command changed nothing", scenario.command);
    let again = scenario.copy();
    arena.run(again.path(), Moment::Never);
    arena.compare(again.path(), &wanted);
    assert!(arena.tally.findings.is_empty(), "{:#?}", arena.tally.findings);

    let mut counter = seed << 32;
    let mut draw = |n: usize| {
        counter += 1;
        random_below(random(counter), n)
    };
    while arena.tally.n_kills() < n_kills {
        let home = scenario.copy();
        loop {
            // Beyond the end too, so that the last moments are hit and some starts finish.
            let moment = if arena.tally.n_kills() >= n_kills {
                Moment::Never
            } else if draw(2) == 0 || arena.library.is_none() {
                let share = draw(11_000) as f64 / 10_000.0;
                Moment::Time(duration.mul_f64(share), draw(4) == 0)
            } else {
                Moment::Change(1 + draw(n_changes + n_changes / 10 + 1) as i64)
            };
            if arena.run(home.path(), moment) {
                break;
            }
            if arena.orphaned.is_empty() {
                arena.check_whole(home.path(), &before, &wanted);
            }
        }
        if !arena.orphaned.is_empty() {
            arena.orphaned.drain(..).for_each(|child| wait_for_group(&child));
            // Removes what an orphan has left while the last start was at work, and repeats nothing.
            arena.run(home.path(), Moment::Never);
        }
        arena.tally.n_finished += 1;
        arena.compare(home.path(), &wanted);
        if arena.tally.findings.len() >= 20 {
            break;
        }
    }
    arena.tally
}

/// Where a command is beaten.
struct Arena<'a> {
    scenario: &'a Scenario,
    tools: &'a Path,
    library: Option<PathBuf>,
    /// Commands in this project that were killed without the processes that they had started.
    orphaned: Vec<Child>,
    tally: Tally,
}

impl Arena<'_> {
    fn counter(&self) -> PathBuf {
        self.tools.join("changes")
    }

    /// Returns how many changes the last, undisturbed command has made.
    fn n_changes(&self) -> usize {
        let bytes = fs::read(self.counter()).unwrap();
        (i64::MAX - i64::from_ne_bytes(bytes.try_into().unwrap())) as usize
    }

    #[expect(clippy::print_stderr, reason = "a finding is told at once")]
    fn find(&mut self, finding: &str) {
        let finding = format!("{}: {finding}", self.scenario.command);
        eprintln!("{finding}");
        self.tally.findings.push(finding);
    }

    /// Starts the command and kills it at a moment. Returns whether it finished before that.
    fn run(&mut self, project: &Path, moment: Moment) -> bool {
        let said = self.tools.join("stderr");
        let left = if let Moment::Change(nth) = moment { nth } else { i64::MAX };
        fs::write(self.counter(), left.to_ne_bytes()).unwrap();
        let mut command = common::command(project, &self.scenario.arguments());
        command.stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        if let Some(library) = &self.library {
            command.env("LD_PRELOAD", library).env("CHANGES_LEFT", self.counter());
        }
        let mut child = start_group(&mut command);
        let at_most = if let Moment::Time(time, _) = moment { time } else { PATIENCE };
        match (wait_for_end(&mut child, at_most), moment) {
            (Some(status), Moment::Change(_)) if is_killed(status) => {
                self.tally.n_by_change += 1;
                wait_for_group(&child);
                false
            }
            (Some(status), _) => {
                if !status.success() {
                    let said = fs::read_to_string(&said).unwrap();
                    self.find(&format!("{moment:?}: ends with {status}: {said}"));
                }
                true
            }
            (None, Moment::Time(_, is_parent_only)) => {
                self.tally.n_by_time += 1;
                if is_parent_only {
                    self.tally.n_parent_only += 1;
                    child.kill().unwrap();
                    child.wait().unwrap();
                    self.orphaned.push(child);
                } else {
                    signal_group(&child, "-9");
                    child.wait().unwrap();
                    wait_for_group(&child);
                }
                false
            }
            (None, _) => {
                let said = fs::read_to_string(&said).unwrap();
                self.find(&format!("{moment:?}: hangs: {said}"));
                kill_all(child);
                true
            }
        }
    }

    /// After a kill, every file of the results holds what it held before or what it will hold in the end.
    fn check_whole(&mut self, project: &Path, before: &Results, wanted: &Results) {
        for (name, bytes) in results(project) {
            let is_old = before.get(&name) == Some(&bytes);
            if is_whole_meanwhile(&name, &bytes) {
                continue;
            }
            if wanted.get(&name).is_some_and(|wanted| *wanted != bytes) && !is_old {
                self.find(&format!("{name} is neither old nor new after a kill"));
            }
        }
        if let Some(name) = before.keys().find(|name| !project.join(name).exists()) {
            self.find(&format!("{name} is lost after a kill"));
        }
    }

    /// A command that has finished leaves what an undisturbed one leaves, and nothing else.
    fn compare(&mut self, project: &Path, wanted: &Results) {
        let found = results(project);
        for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
            self.find(&format!("leaves {name}"));
        }
        for (name, bytes) in wanted {
            match found.get(name) {
                None => self.find(&format!("lacks {name}")),
                Some(found) if found != bytes => {
                    self.find(&format!("{name} differs: {}", results::difference(found, bytes)));
                }
                Some(_) => {}
            }
        }
    }
}

/// Whether a file that is written again and again while a command goes on is whole: a study grows with every batch of
/// trials, and the page of `reproduce` with every run.
fn is_whole_meanwhile(name: &str, bytes: &[u8]) -> bool {
    if name.ends_with("/study.json") {
        return serde_json::from_slice::<Value>(bytes).is_ok();
    }
    let Some(of_page) = name.strip_prefix("reports/quick/") else { return false };
    match of_page.rsplit_once('.').map(|(_, end)| end) {
        // The comparison takes pages apart at every `<`.
        Some("html") => bytes.trim_ascii_end().ends_with(b"/html>"),
        Some("svg") => bytes.trim_ascii_end().ends_with(b"</svg>"),
        Some("png") => bytes.ends_with(b"IEND\xAE\x42\x60\x82"),
        Some("parquet") => bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
        Some("csv" | "md") => !of_page.starts_with("runs/") && bytes.ends_with(b"\n"),
        Some("tex") => bytes.trim_ascii_end().ends_with(b"\\end{tabular}"),
        _ => false,
    }
}

fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

/// Waits until no process of a killed group is left.
fn wait_for_group(child: &Child) {
    wait_until("the killed processes end", || !signal_group(child, "-0"));
}

#[test]
fn commands_killed_again_and_again_end_with_the_results_of_an_undisturbed_run() {
    for scenario in scenarios::all() {
        let tally = beat(&scenario, 4, 7);
        assert!(tally.findings.is_empty(), "{:#?}", tally.findings);
        assert!(tally.n_kills() == 4 && tally.n_finished > 0, "{}: {tally:?}", scenario.command);
    }
}
