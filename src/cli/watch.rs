//! `watch`: current and latest runs on one screen.

use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::serve_arguments::Watch;
use super::{Done, Failure, Project, json, signals};
use crate::record::{Depth, Epoch, Store, Unfinished, UnfinishedState};
use crate::report::{finished_runs, short};
use crate::vocab::without_controls;

/// Lines of a screen whose size is not known.
const N_LINES: usize = 24;
const N_COLUMNS: usize = 80;
/// The longest time until Ctrl-C is seen.
const ATTENTION: Duration = Duration::from_millis(50);
/// Columns of a bar.
const BAR: usize = 16;

/// Shows what is going on until Ctrl-C, or once.
pub(super) fn watch(project: &Project, arguments: &Watch) -> Done {
    let store = project.store();
    let is_screen = std::io::stdout().is_terminal() && !json::is_on() && !arguments.once;
    if !is_screen {
        let (lines, _) = screen(&store, N_LINES, N_COLUMNS.max(100))?;
        lines.iter().for_each(|line| println!("{line}"));
        return Ok(());
    }
    let _restored = OtherScreen::begin();
    let stop = signals::caught();
    while !stop.load(Ordering::Relaxed) {
        let (n_lines, n_columns) = size();
        let (lines, n_running) = screen(&store, n_lines.saturating_sub(2), n_columns)?;
        let mut text = "\u{1b}[H".to_owned();
        let title =
            format!("encore watch: {n_running} running; Ctrl-C ends this view, not the runs");
        for line in std::iter::once(&title).chain(&lines) {
            let line: String = line.chars().take(n_columns.saturating_sub(1)).collect();
            text += &format!("{line}\u{1b}[K\r\n");
        }
        text += "\u{1b}[J";
        draw(&text)?;
        let mut waited = Duration::ZERO;
        while waited < Duration::from_secs(arguments.every.into()) && !stop.load(Ordering::Relaxed)
        {
            std::thread::sleep(ATTENTION);
            waited += ATTENTION;
        }
    }
    Ok(())
}

/// The lines of the screen, and the number of runs that go on.
fn screen(
    store: &Store,
    n_lines: usize,
    n_columns: usize,
) -> Result<(Vec<String>, usize), Failure> {
    let mut unfinished = store.unfinished()?;
    // Those that go on stand first.
    unfinished.sort_by_key(|run| match run.state {
        UnfinishedState::Running => 0,
        UnfinishedState::Elsewhere { .. } => 1,
        UnfinishedState::Failed(_) => 2,
        UnfinishedState::Interrupted => 3,
    });
    let n_running = unfinished.iter().filter(|run| run.state == UnfinishedState::Running).count();
    let (mut finished, damaged) = finished_runs(store, Depth::Records)?;
    let n_finished = finished.len();
    let text = |run: &crate::record::RunFields, name: &str| {
        run.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    finished.sort_by_key(|run| std::cmp::Reverse(text(run, "started")));
    let mut lines = vec![];
    json::put("running", json!([]));
    for run in &unfinished {
        let epochs = store.unfinished_epochs(&run.id)?;
        lines.push(line(run, &epochs, n_columns));
        json::push("running", facts(run, &epochs));
    }
    let n_open = lines.len();
    // At least some finished runs are shown, and every line that is left out is counted.
    let n_shown = n_open.min(n_lines.saturating_sub(6).max(1));
    if n_shown < n_open {
        lines.truncate(n_shown);
        lines.push(format!("... and {} more that are not finished", n_open - n_shown));
    }
    if n_open == 0 {
        lines.push("no run is going on".to_owned());
    }
    lines.push(String::new());
    lines.push(format!("{n_finished} finished, the latest first:"));
    let n_left = n_lines.saturating_sub(lines.len()).max(1);
    for run in finished.iter().take(n_left) {
        let score = ["accuracy", "roc_auc", "r2", "valid.accuracy"]
            .into_iter()
            .find_map(|name| Some(format!("{name} {}", short(run.get(name)?))));
        let seconds = run.get("seconds").map(short).unwrap_or_default();
        lines.push(format!("  {}  {}  {seconds} s", run.id, score.unwrap_or_default()));
    }
    json::put("n_finished", n_finished);
    json::put("damaged", &damaged);
    if !damaged.is_empty() {
        lines.push(format!("{} damaged: encore runs names them", damaged.len()));
    }
    let lines = lines.iter().map(|line| without_controls(line, "").into_owned()).collect();
    Ok((lines, n_running))
}

fn facts(run: &Unfinished, epochs: &[Epoch]) -> Value {
    let (state, reason) = match &run.state {
        UnfinishedState::Running => ("running", None),
        UnfinishedState::Interrupted => ("interrupted", None),
        UnfinishedState::Failed(reason) => ("failed", Some(reason)),
        UnfinishedState::Elsewhere { .. } => ("elsewhere", None),
    };
    json!({
        "id": run.id, "state": state, "error": reason, "n_epochs": epochs.len(),
        "max_epochs": run.facts.as_ref().and_then(|facts| facts.max_epochs),
        "last_epoch": epochs.last(),
    })
}

/// A run that is not finished: a bar, its epoch, its last scores, or why it failed.
fn line(run: &Unfinished, epochs: &[Epoch], n_columns: usize) -> String {
    let name = match &run.facts {
        Some(facts) => format!("{} seed {}", facts.experiment, facts.seed),
        None => run.id.clone(),
    };
    let end = match &run.state {
        UnfinishedState::Failed(reason) => {
            return format!("failed       {name}: {}", reason.lines().next().unwrap_or_default());
        }
        UnfinishedState::Running => "running    ",
        UnfinishedState::Interrupted => "interrupted",
        UnfinishedState::Elsewhere { .. } => "elsewhere  ",
    };
    let Some(all) = run.facts.as_ref().and_then(|facts| facts.max_epochs) else {
        return format!("{end}  {name}  fitting");
    };
    let n = epochs.len();
    let filled = (BAR * n).checked_div(all).unwrap_or(0).min(BAR);
    let bar: String = (0..BAR).map(|i| if i < filled { '=' } else { ' ' }).collect();
    let scores = epochs.last().map_or(String::new(), |last| {
        let accuracy = match last.valid_accuracy {
            value if value.is_finite() => format!("  valid accuracy {value:.3}"),
            _ => String::new(),
        };
        let seconds: f64 = epochs.iter().rev().take(5).map(|it| it.seconds).sum();
        let left = seconds / n.clamp(1, 5) as f64 * all.saturating_sub(n) as f64;
        format!("  valid loss {:.3}{accuracy}  {left:.0} s left", last.valid_loss)
    });
    let width = n_columns.saturating_sub(60).clamp(20, 50);
    format!("{end}  {name:width$} [{bar}] {n}/{all}{scores}")
}

/// The terminal's second screen, on which nothing of the first is lost.
struct OtherScreen;

impl OtherScreen {
    fn begin() -> Self {
        let _ = draw("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J");
        Self
    }
}

impl Drop for OtherScreen {
    fn drop(&mut self) {
        let _ = draw("\u{1b}[?25h\u{1b}[?1049l");
    }
}

/// Writes to the terminal as it is, with the characters that move its cursor.
fn draw(text: &str) -> Done {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Internal(error.into()))
}

/// Lines and columns of the terminal.
fn size() -> (usize, usize) {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdout())
        && size.ws_row > 0
        && size.ws_col > 0
    {
        return (size.ws_row.into(), size.ws_col.into());
    }
    let from = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (from("LINES").unwrap_or(N_LINES), from("COLUMNS").unwrap_or(N_COLUMNS))
}
