//! Epochs, scores, hyperparameters and figures -> events.

use serde_json::Value;

use super::super::error::ExportError;
use super::super::facts::{CURVES, began_s, parameters, scores, text};
use super::protobuf::Message;
use super::record::record;
use crate::record::{Epoch, Run};
use crate::report::confusion_png;

/// The name of an event file, which TensorBoard looks for by its beginning.
pub(super) const FILE: &str = "events.out.tfevents.0.encore";

/// What every event file begins with.
pub(super) fn header(at_s: f64) -> Vec<u8> {
    record(&Message::new().double(1, at_s).text(3, "brain.Event:2").into_bytes())
}

/// The event of some values at a step.
fn event(at_s: f64, step: u64, values: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let summary =
        values.into_iter().fold(Message::new(), |summary, value| summary.inner(1, &value));
    record(&Message::new().double(1, at_s).int(2, step).inner(5, &summary).into_bytes())
}

fn scalar(tag: &str, value: f64) -> Message {
    Message::new().text(1, tag).float(2, value as f32)
}

/// The curves of an epoch.
pub(super) fn of_epoch(epoch: &Epoch, at_s: f64) -> Vec<u8> {
    let values = CURVES.iter().map(|(name, of)| (name, of(epoch)));
    let values = values.filter(|(_, value)| value.is_finite());
    event(at_s, epoch.epoch as u64, values.map(|(name, value)| scalar(name, value)))
}

/// What is known when a run has ended: scores, hyperparameters, confusion matrix.
pub(super) fn end(run: &Run) -> Result<Vec<u8>, ExportError> {
    let began_s = began_s(run);
    let end_s = began_s + run.record.timings.total_s;
    let step = run.record.model.n_epochs.unwrap_or(0) as u64;
    let mut bytes = event(began_s, 0, [started(run, began_s)?]);
    let scalars = scores(run).into_iter().map(|(name, value)| scalar(&name, value));
    bytes.extend(event(end_s, step, scalars));
    if let Some(figure) = confusion_png(run)? {
        let image = Message::new()
            .int(1, figure.height.into())
            .int(2, figure.width.into())
            // Red, green and blue.
            .int(3, 3)
            .bytes(4, &figure.png);
        bytes.extend(event(end_s, step, [Message::new().text(1, "confusion").inner(4, &image)]));
    }
    // 1 is success.
    let ended = Message::new().int(1, 1).double(2, end_s);
    bytes.extend(event(end_s, step, [hparams("_hparams_/session_end_info", 4, &ended)]));
    Ok(bytes)
}

/// The hyperparameters with which a session started.
fn started(run: &Run, began_s: f64) -> Result<Message, ExportError> {
    let mut info = Message::new();
    for (name, value) in parameters(run)? {
        let value = match &value {
            Value::Number(number) => Message::new().double(2, number.as_f64().unwrap_or(f64::NAN)),
            Value::Bool(flag) => Message::new().int(4, u64::from(*flag)),
            other => Message::new().text(3, &text(other)),
        };
        info = info.inner(1, &Message::new().text(1, &name).inner(2, &value));
    }
    // Runs that differ in their seed alone are one group.
    let group =
        format!("{}.{}.{}", run.record.experiment, run.record.data.dataset, run.record.spec_hash);
    info = info.text(4, &group).double(5, began_s);
    Ok(hparams("_hparams_/session_start_info", 3, &info))
}

/// A value of the plugin for hyperparameters, whose data are in its metadata.
fn hparams(tag: &str, field: u32, info: &Message) -> Message {
    let data = Message::new().int(1, 0).inner(field, info).into_bytes();
    let plugin = Message::new().text(1, "hparams").bytes(2, &data);
    // A tensor of no numbers: data are in the metadata alone.
    let tensor =
        Message::new().int(1, 1).inner(2, &Message::new().inner(2, &Message::new().int(1, 0)));
    Message::new().text(1, tag).inner(9, &Message::new().inner(1, &plugin)).inner(8, &tensor)
}
