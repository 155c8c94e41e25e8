//! Stands in for the runtime in a program without it: no net is ever opened.

use super::Refusal;
use super::layout::Given;

pub(super) const RUNTIME: &str = "none";

pub(super) struct Net;

const NEVER: &str = "a net can't be opened without the runtime";

#[expect(clippy::unused_self, reason = "they have the signatures of the runtime's")]
impl Net {
    pub(super) fn open(_: &[u8], _: Option<&str>, _: &Given) -> Result<Self, Refusal> {
        let message = "which needs the runtime of nets, and this encore was built without it\n\
                       hint: in a clone of encore's repository: cargo install --locked --path . --features onnx";
        Err(Refusal { key: "file", message: message.to_owned() })
    }

    pub(super) fn window(&self) -> usize {
        unreachable!("{NEVER}")
    }

    pub(super) fn width(&self) -> usize {
        unreachable!("{NEVER}")
    }

    pub(super) fn run(&self, _: &[f32]) -> Result<Vec<f32>, String> {
        unreachable!("{NEVER}")
    }
}
