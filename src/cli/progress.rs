//! Progress for people: a bar per run on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::shown;
use crate::experiment::{Event, Observer, RunLabel};
use crate::fetch::readable;
use crate::metrics::Metric;
use crate::vocab::without_controls;

/// Shows events as they come.
pub(super) struct Progress {
    bars: MultiProgress,
    /// Whether bars can be drawn. Elsewhere events are plain lines.
    is_terminal: bool,
    open: Mutex<BTreeMap<String, ProgressBar>>,
    n_runs: usize,
    /// Whether runs are told apart by what the command line changes of their spec.
    names_changes: bool,
    n_done: Mutex<usize>,
    steps: Mutex<BTreeMap<String, ByteStep>>,
}

/// A step that is measured in bytes.
struct ByteStep {
    from: u64,
    begin: Instant,
    /// What was shown last, in the unit of lines.
    last: u64,
}

impl Progress {
    /// Creates the display for a number of runs.
    pub(super) fn new(n_runs: usize) -> Self {
        let bars = MultiProgress::new();
        let is_terminal = std::io::stderr().is_terminal() && !bars.is_hidden() && can_draw();
        Self {
            bars,
            is_terminal,
            open: Mutex::new(BTreeMap::new()),
            n_runs,
            names_changes: false,
            n_done: Mutex::new(0),
            steps: Mutex::new(BTreeMap::new()),
        }
    }

    /// Creates the display for runs of one spec with several changes.
    pub(super) fn of_changes(n_runs: usize) -> Self {
        Self { names_changes: true, ..Self::new(n_runs) }
    }

    /// The name of a run.
    fn name(&self, run: &RunLabel) -> String {
        let changes = match run.changes.as_slice() {
            // Its settings would be too long a name.
            _ if run.trial.is_some() => {
                run.trial.map_or(String::new(), |trial| format!(" trial {trial}"))
            }
            changes if self.names_changes && !changes.is_empty() => {
                format!(" ({})", without_controls(&changes.join(", "), ""))
            }
            _ => String::new(),
        };
        format!("{}{changes} seed {}", without_controls(&run.experiment, ""), run.seed)
    }

    /// Shows how many of how many are done of one long step.
    pub(super) fn step(&self, what: &str, n_done: usize, n: usize) {
        if self.is_terminal {
            let bar = self.bar(what, n, "{prefix:30} {bar:30} {pos}/{len}  {eta} left");
            bar.set_position(n_done as u64);
            if n_done == n {
                self.close(what);
            }
        } else if n_done == n || n_done.is_multiple_of(n.div_ceil(10).max(1)) {
            eprintln!("{what}: {n_done}/{n}");
        }
    }

    /// Shows how many bytes of how many are done of one long step, with the rate and the time left.
    pub(super) fn bytes(&self, what: &str, n: u64, whole: Option<u64>) {
        let template = match whole {
            Some(_) => "{prefix:30} {bar:20} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left",
            None => "{prefix:30} {spinner} {bytes}  {bytes_per_sec}",
        };
        // One line per tenth, or per 64 MiB if the length is unknown.
        let line = whole.map_or(n >> 26, |whole| n * 10 / whole.max(1));
        let mut steps = self.steps.lock().expect("no holder of the steps panics");
        // Bytes of an earlier attempt count for the position, not for the rate.
        let begin = || ByteStep { from: n, begin: Instant::now(), last: line };
        let step = steps.entry(what.to_owned()).or_insert_with(begin);
        if self.is_terminal {
            let bar = self.bar(what, whole.unwrap_or(0) as usize, template);
            if step.from == n {
                // A steady tick would read the position later and count these bytes in the rate.
                bar.disable_steady_tick();
                bar.set_position(n);
                bar.reset_eta();
                bar.enable_steady_tick(TICK);
            }
            bar.set_position(n);
        } else if line > step.last {
            step.last = line;
            let seconds = step.begin.elapsed().as_secs_f64();
            let rate = (n - step.from.min(n)) as f64 / seconds.max(1e-3);
            let of = whole.map_or(String::new(), |whole| {
                let left = (whole - n.min(whole)) as f64 / rate.max(1.0);
                format!("/{}, {left:.0} s left", readable(whole))
            });
            eprintln!("{what}: {}{of}, {}/s", readable(n), readable(rate as u64));
        }
        if whole == Some(n) {
            steps.remove(what);
            drop(steps);
            self.close(what);
        }
    }

    fn bar(&self, key: &str, n: usize, template: &str) -> ProgressBar {
        let mut open = self.open.lock().expect("no holder of the bars panics");
        let make = || {
            let style =
                ProgressStyle::with_template(template).expect("the template is well formed");
            let bar =
                ProgressBar::new(n as u64).with_prefix(without_controls(key, "").into_owned());
            let bar = self.bars.add(bar.with_style(style.progress_chars("=> ")));
            bar.enable_steady_tick(TICK);
            bar
        };
        open.entry(key.to_owned()).or_insert_with(make).clone()
    }

    fn close(&self, key: &str) {
        if let Some(bar) = self.open.lock().expect("no holder of the bars panics").remove(key) {
            bar.finish_and_clear();
        }
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        if self.is_terminal {
            // A line that can't be shown is no reason to stop.
            let _ = self.bars.println(shown(text));
        } else {
            eprintln!("{text}");
        }
    }

    fn ended(&self, run: &RunLabel, text: &str) {
        self.close(&self.name(run));
        let mut n_done = self.n_done.lock().expect("no holder of the count panics");
        *n_done += 1;
        self.line(&format!("[{}/{}] {}: {text}", n_done, self.n_runs, self.name(run)));
    }
}

/// Whether the terminal can move its cursor. Windows does not say; its consoles can.
fn can_draw() -> bool {
    cfg!(windows) || std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

const TICK: Duration = Duration::from_millis(500);
const RUN: &str = "{prefix:30} {bar:20} epoch {pos}/{len} {msg}  {eta} left";

impl Observer for Progress {
    fn event(&self, event: &Event) {
        match event {
            Event::Features { dataset, n_done, n_tracks } => {
                self.step(&format!("features of {dataset}"), *n_done, *n_tracks);
            }
            Event::FeaturesNote { dataset, text } => {
                self.line(&format!("features of {dataset}: {text}"));
            }
            Event::Waiting { run, process } => {
                let who = process.map_or(String::new(), |process| format!(" (process {process})"));
                self.line(&format!("{}: waiting for another encore process{who}", self.name(run)));
            }
            Event::Note { run, text } => self.line(&format!("{}: {text}", self.name(run))),
            Event::Started { run, n_epochs_done, max_epochs } => {
                match (self.is_terminal, max_epochs) {
                    (true, Some(n)) => {
                        self.bar(&self.name(run), *n, RUN).set_position(*n_epochs_done as u64);
                    }
                    (true, None) => {
                        drop(self.bar(&self.name(run), 1, "{prefix:30} {spinner} fitting"));
                    }
                    (false, _) if *n_epochs_done == 0 => eprintln!("{}: started", self.name(run)),
                    (false, _) => {}
                }
                if *n_epochs_done > 0 {
                    self.line(&format!("{}: resumes after epoch {n_epochs_done}", self.name(run)));
                }
            }
            Event::Epoch { run, epoch, max_epochs } => {
                // The second number is omitted if there was no validation in this epoch.
                let both = |train: f64, valid: f64| {
                    if valid.is_nan() {
                        format!("{train:.3}")
                    } else {
                        format!("{train:.3} / {valid:.3}")
                    }
                };
                let mut scores = format!("loss {}", both(epoch.train_loss, epoch.valid_loss));
                // There is an accuracy of classes only.
                if !epoch.train_accuracy.is_nan() {
                    let accuracy = both(epoch.train_accuracy, epoch.valid_accuracy);
                    scores += &format!("  accuracy {accuracy}");
                }
                if self.is_terminal {
                    let bar = self.bar(&self.name(run), *max_epochs, RUN);
                    bar.set_message(scores);
                    bar.set_position(epoch.epoch as u64);
                } else if epoch.epoch.is_multiple_of(max_epochs.div_ceil(10).max(1)) {
                    let left = epoch.seconds * (max_epochs - epoch.epoch) as f64;
                    let (name, number) = (self.name(run), epoch.epoch);
                    eprintln!("{name}: epoch {number}/{max_epochs} {scores}  {left:.0} s left");
                }
            }
            Event::Finished { run, task, score, seconds, found } => {
                let how =
                    if *found { "already done".to_owned() } else { format!("{seconds:.1} s") };
                let metric = Metric::main(*task).words();
                let score = score.map_or("undefined".to_owned(), |score| format!("{score:.3}"));
                self.ended(run, &format!("test {metric} {score} ({how})"));
            }
            Event::Stopped { run, epoch: 0 } => self.ended(run, "stopped, nothing to save yet"),
            Event::Stopped { run, epoch } => {
                self.ended(run, &format!("stopped and saved in epoch {epoch}"));
            }
            Event::Failed { run, error } => self.ended(run, &format!("FAILED: {error}")),
        }
    }
}
