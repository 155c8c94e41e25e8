//! The epochs of a program, followed while it writes them.

use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use serde::Deserialize;

use super::answer::open;
use crate::model::{Flow, TrainingObserver};
use crate::vocab::Epoch;

/// Bytes of `epochs.jsonl` that are read.
const MAX_EPOCHS_BYTES: u64 = 64 << 20;

/// The epochs that a program writes, read while it does.
pub(super) struct Epochs {
    path: PathBuf,
    /// Bytes that were read.
    at: u64,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    n_lines: usize,
    pub(super) n_read: usize,
    pub(super) last: usize,
    n_wrong: usize,
    first_wrong: Option<String>,
}

/// A line of `epochs.jsonl`. Only the number is needed.
#[derive(Deserialize)]
struct Line {
    epoch: usize,
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    valid_loss: Option<f64>,
    valid_accuracy: Option<f64>,
    learning_rate: Option<f64>,
    seconds: Option<f64>,
}

impl Epochs {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            at: 0,
            rest: vec![],
            n_lines: 0,
            n_read: 0,
            last: 0,
            n_wrong: 0,
            first_wrong: None,
        }
    }

    /// Reads the new lines and passes them on.
    pub(super) fn pass_on(&mut self, observer: &mut dyn TrainingObserver) -> Flow {
        // The file need not exist, and may be anything.
        let Ok(mut file) = open(&self.path) else { return Flow::Continue };
        let mut bytes = std::mem::take(&mut self.rest);
        let n_rest = bytes.len();
        let left = MAX_EPOCHS_BYTES.saturating_sub(self.at);
        let read = file
            .seek(SeekFrom::Start(self.at))
            .and_then(|_| file.take(left).read_to_end(&mut bytes));
        if read.is_err() {
            bytes.truncate(n_rest);
        }
        self.at += (bytes.len() - n_rest) as u64;
        let mut flow = Flow::Continue;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                self.rest = line.to_vec();
                break;
            }
            self.n_lines += 1;
            if let Some(epoch) = self.parse(&line[..line.len() - 1]) {
                self.n_read += 1;
                self.last = epoch.epoch;
                flow = and(flow, observer.epoch(&epoch));
            }
        }
        flow
    }

    fn parse(&mut self, line: &[u8]) -> Option<Epoch> {
        if line.trim_ascii().is_empty() {
            return None;
        }
        let wrong = match epoch_of(line) {
            Ok(epoch) => return Some(epoch),
            Err(wrong) => wrong,
        };
        self.n_wrong += 1;
        self.first_wrong.get_or_insert(format!("line {}: {wrong}", self.n_lines));
        None
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let lines = if self.n_wrong == 1 { "line" } else { "lines" };
        let said = |first: &String| {
            format!("{} {lines} of epochs.jsonl can't be used, the first is {first}", self.n_wrong)
        };
        self.first_wrong.iter().map(said).collect()
    }
}

/// Reads a line of `epochs.jsonl`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn epoch_of(line: &[u8]) -> Result<Epoch, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if line.epoch == 0 || line.epoch > 10_000_000 {
        return Err(format!("epoch must be at least 1, found {}", line.epoch));
    }
    let number = |number: Option<f64>| number.filter(|x| x.is_finite()).unwrap_or(f64::NAN);
    Ok(Epoch {
        epoch: line.epoch,
        train_loss: number(line.train_loss),
        train_accuracy: number(line.train_accuracy),
        valid_loss: number(line.valid_loss),
        valid_accuracy: number(line.valid_accuracy),
        learning_rate: number(line.learning_rate),
        seconds: line.seconds.filter(|x| x.is_finite()).unwrap_or(0.0),
    })
}

/// Stops if one of both does.
pub(super) fn and(a: Flow, b: Flow) -> Flow {
    if a == Flow::Stop { a } else { b }
}
