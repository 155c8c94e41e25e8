//! A net that tract computes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::model::ParseResult;
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{
    DatumType, InferenceFact, InferenceModelExt, IntoRunnable, OutletId, Tensor, TractResult,
    TypedModel, TypedRunnableModel, tvec,
};

use super::layout::{Given, Layout};
pub(super) use super::protobuf::RUNTIME;
use super::{Refusal, protobuf};
use crate::vocab::{nearest, panic_message, quoted_list};

/// Numbers of an embedding, at most.
const MAX_WIDTH: usize = 65_536;

/// Numbers of any step of a net, at most: 4 GiB in single precision.
const MAX_STEP: usize = 1 << 30;

/// Characters of a message of the runtime, which may quote whole tensors.
const MAX_MESSAGE: usize = 300;

/// A net, ready for windows of one shape.
pub(super) struct Net {
    runnable: Arc<TypedRunnableModel>,
    layout: Layout,
    output: String,
    width: usize,
}

impl Net {
    /// Reads an ONNX file.
    ///
    /// # Errors
    /// The key to blame and the reason; one of `file` is to follow the file's name.
    pub(super) fn open(bytes: &[u8], output: Option<&str>, given: &Given) -> Result<Self, Refusal> {
        guarded(|| Self::open_unguarded(bytes, output, given))
            .unwrap_or_else(|panic| Err(file(format!("which {RUNTIME} fails to read ({panic})"))))
    }

    fn open_unguarded(bytes: &[u8], output: Option<&str>, given: &Given) -> Result<Self, Refusal> {
        // Shapes inside of a net may be written for other windows.
        let onnx = tract_onnx::onnx().with_ignore_value_info(true);
        let proto = protobuf::parse(&onnx, bytes).map_err(file)?;
        let graph = proto.graph.as_ref().ok_or_else(|| file("which has no net".to_owned()))?;
        let inputs = protobuf::inputs(graph);
        let [input] = inputs.as_slice() else {
            let names = protobuf::listed(inputs.iter().map(|input| input.name.as_str()));
            let names = if inputs.is_empty() { "none".to_owned() } else { names };
            return Err(file(format!("which must have one input, found {names}")));
        };
        let wanted = protobuf::dimensions(input).map_err(file)?;
        let layout = given
            .layout(&input.name, &wanted)
            .map_err(|message| Refusal { key: "input", message })?;
        let said = |what: &str, error| file(format!("which {RUNTIME} can't {what}: {error}"));
        let ParseResult { model, outlets_by_name, unresolved_inputs } =
            onnx.parse(&proto, None).map_err(|error| said("read", words(&error)))?;
        if let Some(name) = unresolved_inputs.first() {
            return Err(file(format!(
                "which is a damaged ONNX file: nothing computes its tensor `{name}`"
            )));
        }
        let (output, outlet) = chosen(graph, &outlets_by_name, output)?;
        let typed = || -> TractResult<TypedModel> {
            let mut model = model;
            let input = outlets_by_name[&input.name];
            model.set_outlet_fact(
                input,
                InferenceFact::dt_shape(DatumType::F32, layout.shape.as_slice()),
            )?;
            model.set_input_outlets(&[input])?;
            model.select_output_outlets(&[outlet])?;
            model.into_typed()
        };
        let shape = &layout.shape;
        let compute = format!("compute for an input of {shape:?}");
        let model = typed().map_err(|error| said(&compute, words(&error)))?;
        let width = check_sizes(&model, &output)?;
        let runnable = model
            .into_optimized()
            .and_then(IntoRunnable::into_runnable)
            .map_err(|error| said(&compute, words(&error)))?;
        Ok(Self { runnable, layout, output, width })
    }

    /// Samples or frames of a window.
    pub(super) fn window(&self) -> usize {
        self.layout.window
    }

    /// Numbers of an embedding.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The embedding of a window. Nothing of earlier windows is remembered, also by recurrent nets.
    ///
    /// # Errors
    /// Where the net fails on these numbers.
    pub(super) fn run(&self, window: &[f32]) -> Result<Vec<f32>, String> {
        let compute = || -> TractResult<Vec<f32>> {
            let input = Tensor::from_shape(&self.layout.shape, window)?;
            // A state that ran before would keep the memory of recurrent layers.
            let outputs = self.runnable.run(tvec![input.into()])?;
            let numbers = outputs[0].cast_to::<f32>()?;
            Ok(numbers.to_plain_array_view::<f32>()?.iter().copied().collect())
        };
        let numbers = match guarded(compute) {
            Ok(Ok(numbers)) => numbers,
            Ok(Err(error)) => return Err(format!("the net fails: {}", words(&error))),
            Err(panic) => return Err(format!("the net fails ({panic})")),
        };
        if numbers.len() == self.width {
            return Ok(numbers);
        }
        let (output, width, n) = (&self.output, self.width, numbers.len());
        Err(format!("the net puts out {n} numbers as `{output}`, expected {width}"))
    }
}

fn file(message: String) -> Refusal {
    Refusal { key: "file", message }
}

/// The output that a spec names, or the only one.
fn chosen(
    graph: &GraphProto,
    outlets: &HashMap<String, OutletId>,
    output: Option<&str>,
) -> Result<(String, OutletId), Refusal> {
    let refuse = |message: String| Err(Refusal { key: "output", message });
    let names = || graph.output.iter().map(|output| output.name.as_str());
    let name = match (output, graph.output.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => &only.name,
        (None, all) => {
            let (n, names) = (all.len(), quoted_list(names()));
            return refuse(format!("is missing, and the net has {n} outputs; expected {names}"));
        }
    };
    if let Some(outlet) = outlets.get(name) {
        return Ok((name.to_owned(), *outlet));
    }
    let hint = match nearest(name, outlets.keys().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    refuse(format!(
        "must be {}, or a tensor of the net, found `{name}`{hint}",
        quoted_list(names())
    ))
}

/// Checks that every step of a net has a reasonable size; the numbers of its output.
fn check_sizes(model: &TypedModel, output: &str) -> Result<usize, Refusal> {
    for node in &model.nodes {
        let sizes = node.outputs.iter().filter_map(|outlet| outlet.fact.shape.as_concrete());
        for shape in sizes {
            let n = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
            if n.is_none_or(|n| n > MAX_STEP) {
                let name = &node.name;
                return Err(file(format!(
                    "whose step `{name}` has the shape {shape:?}; at most {MAX_STEP} numbers are supported"
                )));
            }
        }
    }
    let refuse = |message: String| Err(Refusal { key: "output", message });
    let fact =
        model.output_fact(0).map_err(|error| file(format!("which fails: {}", words(&error))))?;
    if !fact.datum_type.is_float() {
        let is = fact.datum_type;
        return refuse(format!("is `{output}`, whose numbers are {is:?}; expected floating point"));
    }
    let Some(shape) = fact.shape.as_concrete() else {
        return refuse(format!(
            "is `{output}`, whose shape depends on the numbers; expected a fixed one"
        ));
    };
    match shape.iter().product() {
        0 => refuse(format!("is `{output}`, which is empty: its shape is {shape:?}")),
        width if width > MAX_WIDTH => refuse(format!(
            "is `{output}`, which has {width} numbers for a window; expected at most {MAX_WIDTH}"
        )),
        width => Ok(width),
    }
}

/// Runs work of the runtime; a panic of it is a fault of the net.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|panic| shortened(panic_message(&*panic).unwrap_or("without a reason")))
}

fn words(error: &tract_onnx::prelude::TractError) -> String {
    shortened(&format!("{error:#}"))
}

/// One line of bounded length.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
