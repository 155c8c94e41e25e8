//! Wall and CPU time of a training, epoch by epoch.

use std::time::Instant;

use encore::model::{Flow, TrainingObserver};
use encore::vocab::Epoch;

/// This process's CPU time, in seconds; NaN where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|ticks| ticks.parse::<f64>().ok());
    ticks(11).zip(ticks(12)).map_or(f64::NAN, |(user, system)| (user + system) / 100.0)
}

/// Wall and CPU time at the end of each epoch, and the last loss.
#[derive(Default)]
pub(crate) struct Stopwatch {
    pub(crate) wall: Vec<Instant>,
    pub(crate) cpu_s: Vec<f64>,
    pub(crate) loss: f64,
}

impl TrainingObserver for Stopwatch {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.wall.push(Instant::now());
        self.cpu_s.push(cpu_seconds());
        self.loss = epoch.train_loss;
        Flow::Continue
    }
}
