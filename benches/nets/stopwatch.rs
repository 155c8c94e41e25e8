//! Wall and CPU time of a training, epoch by epoch.

use std::time::Instant;

use encore::model::{Flow, TrainingObserver};
use encore::vocab::Epoch;

#[path = "cpu_time.rs"]
mod cpu_time;

use cpu_time::cpu_seconds;

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
