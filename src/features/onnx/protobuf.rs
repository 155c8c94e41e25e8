//! Checks of an ONNX file before the runtime sees it: what it contains, and whether all of that is supported.

use std::collections::BTreeSet;

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dimension;
use tract_onnx::pb::type_proto::Value as Type;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use tract_onnx::prelude::Framework;

/// Part of the keys of features, because another version may compute other bits.
pub(super) const RUNTIME: &str = "tract 0.23.9";

/// The domains of operators that the standard defines.
const STANDARD_DOMAINS: [&str; 3] = ["", "ai.onnx", "ai.onnx.ml"];

/// Operators that draw random numbers.
const RANDOM: [&str; 6] = [
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
];

/// Parses a file, and checks its tensors and operators.
///
/// # Errors
/// What is wrong, to follow the name of the file.
pub(super) fn parse(onnx: &tract_onnx::Onnx, mut bytes: &[u8]) -> Result<ModelProto, String> {
    // Every exporter writes the version of the format first.
    let is_other = bytes.first() != Some(&8);
    let proto = onnx.proto_model_for_read(&mut bytes).map_err(|error| {
        if is_other {
            "which is not an ONNX file".to_owned()
        } else {
            format!("which is a damaged or incomplete ONNX file ({})", error.root_cause())
        }
    })?;
    let Some(graph) = proto.graph.as_ref().filter(|graph| !graph.node.is_empty()) else {
        return Err("which is not an ONNX file with a net".to_owned());
    };
    let mut found = Found::default();
    found.look(graph)?;
    let is_known = |node: &&NodeProto| {
        STANDARD_DOMAINS.contains(&node.domain.as_str())
            && onnx.op_register.0.contains_key(&node.op_type)
    };
    let name = |node: &&NodeProto| match node.domain.as_str() {
        domain if STANDARD_DOMAINS.contains(&domain) => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    };
    let list = |nodes: Vec<&NodeProto>| {
        let mut names: Vec<String> = nodes.iter().map(name).collect();
        names.sort();
        names.dedup();
        listed(names.iter().map(String::as_str))
    };
    let unknown: Vec<&NodeProto> =
        found.nodes.iter().filter(|node| !is_known(node)).copied().collect();
    if !unknown.is_empty() {
        return Err(format!(
            "which uses operators that {} does not know: {}",
            RUNTIME,
            list(unknown)
        ));
    }
    let random = |node: &&NodeProto| RANDOM.contains(&node.op_type.as_str());
    let random: Vec<&NodeProto> = found.nodes.iter().filter(|node| random(node)).copied().collect();
    if !random.is_empty() {
        return Err(format!(
            "which draws random numbers, so that no result could be repeated: {}",
            list(random)
        ));
    }
    Ok(proto)
}

/// Names in a row.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The inputs of a net that are not weights.
pub(super) fn inputs(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let is_weight = |name: &str| graph.initializer.iter().any(|weight| weight.name == name);
    graph.input.iter().filter(|input| !is_weight(&input.name)).collect()
}

/// The dimensions of an input, of which open ones are none, and whether it holds single-precision numbers.
///
/// # Errors
/// What it is instead.
pub(super) fn dimensions(input: &ValueInfoProto) -> Result<Vec<Option<usize>>, String> {
    let name = &input.name;
    let Some(Type::TensorType(tensor)) = input.r#type.as_ref().and_then(|it| it.value.as_ref())
    else {
        return Err(format!("whose input `{name}` is not a tensor"));
    };
    if tensor.elem_type != DataType::Float as i32 {
        let is = DataType::try_from(tensor.elem_type)
            .map_or_else(|_| tensor.elem_type.to_string(), |it| format!("{it:?}").to_lowercase());
        return Err(format!("whose input `{name}` has the type {is}; expected float"));
    }
    let Some(shape) = &tensor.shape else {
        return Err(format!(
            "whose input `{name}` has no shape; export the net with one, whose open dimensions have names"
        ));
    };
    let each = shape.dim.iter().map(|dimension| match dimension.value {
        // Some exporters write an open dimension as 0 or -1.
        Some(Dimension::DimValue(size)) => usize::try_from(size).ok().filter(|size| *size > 0),
        _ => None,
    });
    Ok(each.collect())
}

/// All operators of a net, those of its inner graphs included.
#[derive(Default)]
struct Found<'a> {
    nodes: Vec<&'a NodeProto>,
}

impl<'a> Found<'a> {
    fn look(&mut self, graph: &'a GraphProto) -> Result<(), String> {
        graph.initializer.iter().try_for_each(check_tensor)?;
        if !graph.sparse_initializer.is_empty() {
            return Err("which has sparse weights; only dense ones are supported".to_owned());
        }
        let computed = graph.node.iter().flat_map(|node| &node.output);
        let given = graph.input.iter().map(|input| &input.name);
        let weights = graph.initializer.iter().map(|weight| &weight.name);
        let known: BTreeSet<&String> = computed.chain(given).chain(weights).collect();
        if let Some(output) = graph.output.iter().find(|output| !known.contains(&output.name)) {
            let name = &output.name;
            return Err(format!(
                "which is a damaged ONNX file: nothing computes its tensor `{name}`"
            ));
        }
        for node in &graph.node {
            self.nodes.push(node);
            for attribute in &node.attribute {
                let mut tensors = attribute.t.iter().chain(&attribute.tensors);
                tensors.try_for_each(check_tensor)?;
                let mut graphs = attribute.g.iter().chain(&attribute.graphs);
                graphs.try_for_each(|graph| self.look(graph))?;
            }
        }
        Ok(())
    }
}

/// Checks that the numbers of a tensor are in the file, as many as its shape says.
fn check_tensor(tensor: &TensorProto) -> Result<(), String> {
    let name = &tensor.name;
    if tensor.data_location == Some(DataLocation::External as i32) {
        let file = tensor.external_data.iter().find(|it| it.key == "location");
        let file = file.map_or("another file", |it| it.value.as_str());
        return Err(format!(
            "whose weights are in another file (`{name}` in `{file}`); save the net as one file, e.g. by \
             onnx.save(onnx.load(path), path)"
        ));
    }
    let size = |dims: &[i64]| {
        let mut each = dims.iter().map(|&size| usize::try_from(size).ok());
        each.try_fold(1_usize, |product, size| product.checked_mul(size?))
    };
    let n_wanted = size(&tensor.dims);
    let n_found = match DataType::try_from(tensor.data_type) {
        _ if tensor.raw_data.is_empty() => {
            let n_short = tensor.int32_data.len() + tensor.float_data.len();
            let n_long = tensor.int64_data.len() + tensor.double_data.len();
            Some(n_short + n_long + tensor.string_data.len() + tensor.uint64_data.len())
        }
        Ok(kind) => n_bytes(kind).map(|n_bytes| {
            let is_whole = tensor.raw_data.len().is_multiple_of(n_bytes);
            if is_whole { tensor.raw_data.len() / n_bytes } else { usize::MAX }
        }),
        Err(_) => None,
    };
    let Some(n_found) = n_found else {
        return Err(format!("whose tensor `{name}` has the unsupported type {}", tensor.data_type));
    };
    if n_wanted == Some(n_found) {
        return Ok(());
    }
    let dims = &tensor.dims;
    Err(format!(
        "which is a damaged ONNX file: the tensor `{name}` has the shape {dims:?}, but not as many numbers"
    ))
}

/// Bytes of a number, of the types that are supported.
fn n_bytes(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Bool | DataType::Uint8 | DataType::Int8 => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 => 2,
        DataType::Uint32 | DataType::Int32 | DataType::Float => 4,
        DataType::Uint64 | DataType::Int64 | DataType::Double => 8,
        _ => return None,
    })
}
