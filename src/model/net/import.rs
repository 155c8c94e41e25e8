//! Imports weights that another program trained: converts their names and layouts to ours.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::super::files::file_error;
use super::super::{Layout, ModelError};
use super::layer::{Kind, Net, Summary};
use super::weights::Weights;

/// An array as it is in the file.
struct Foreign {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// The kind of layer that a group of arrays belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Conv,
    BatchNorm,
    Dense,
}

/// Reads a safetensors file of another program into a net's arrays; also returns notes for the
/// reader.
///
/// Arrays are grouped by the part of their name before the last `.` or `/`. Groups of one kind
/// (convolution, batch normalization, dense) are taken in the order of their names, with numbers
/// sorted by value, and must match the net's layers of that kind one by one.
pub(super) fn import(
    net: &Net,
    path: &Path,
    layout: Layout,
) -> Result<(Weights, Vec<String>), ModelError> {
    let fail = |message: String| file_error(path, message);
    let bytes = std::fs::read(path).map_err(|error| file_error(path, error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        fail(format!(
            "not a safetensors file: {error}\nhint: save the weights as safetensors first"
        ))
    })?;
    let mut groups = groups(&file, layout).map_err(fail)?;
    let mut weights = Weights(vec![vec![]; net.parameters.len()]);
    let mut notes = vec![];
    // Channels and positions of the next layer's input, if they were put into one row.
    let mut flattened = None;
    for layer in &net.layers {
        let owner = match layer.kind {
            Kind::Conv { .. } | Kind::DepthwiseConv { .. } => Owner::Conv,
            Kind::BatchNorm(_) | Kind::BandNorm(_) => Owner::BatchNorm,
            Kind::Dense { .. } | Kind::Summarize { by: Summary::Attention } => Owner::Dense,
            Kind::Flatten => {
                flattened = Some(layer.input);
                continue;
            }
            Kind::Fold => {
                flattened = Some([1, layer.input[1], layer.input[2]]);
                continue;
            }
            _ => continue,
        };
        let all = parts(owner, layout);
        let names = match layer.kind {
            Kind::BandNorm(_) => &all[2..],
            Kind::Summarize { .. } => &all[..1],
            _ => all,
        };
        let first_name = &net.parameters[layer.first].name;
        let (group, mut arrays) = take_first(&mut groups, owner).ok_or_else(|| {
            fail(format!("contains nothing for `{first_name}`: it has too few layers of that kind"))
        })?;
        for (parameter, part) in (layer.first..).zip(names) {
            let wanted = &net.parameters[parameter];
            let Some(found) = arrays.remove(*part) else {
                if *part == "bias" && owner != Owner::BatchNorm {
                    notes.push(format!("`{group}` has no bias: `{}` is 0", wanted.name));
                    weights.0[parameter] = vec![0.0; wanted.len()];
                    continue;
                }
                return Err(fail(format!("the array `{group}.{part}` is missing")));
            };
            let order = flattened.filter(|_| owner != Owner::BatchNorm);
            let mut turned = turn(found, owner, layout, order);
            if matches!(layer.kind, Kind::DepthwiseConv { .. }) && layout == Layout::PyTorch {
                // PyTorch's filters of one channel each are the channels of one filter.
                turned.shape.swap(2, 3);
            }
            // A list of bands is the same whether it counts its one channel or not.
            let is_list = matches!(layer.kind, Kind::BandNorm(_)) && turned.shape.len() == 1;
            if is_list && turned.values.len() == wanted.len() {
                turned.shape.clone_from(&wanted.shape);
            }
            if turned.shape != wanted.shape {
                return Err(fail(format!(
                    "`{group}.{part}` must become `{}` of shape {:?}, found {:?}",
                    wanted.name, wanted.shape, turned.shape
                )));
            }
            weights.0[parameter] = turned.values;
        }
        if let Some(extra) = arrays.keys().next() {
            return Err(fail(format!("the net has no array for `{group}.{extra}`")));
        }
        if owner != Owner::BatchNorm {
            flattened = None;
        }
    }
    if let Some(((_, _, group), _)) = groups.pop_first() {
        return Err(fail(format!(
            "the net has no layer for `{group}`: it has fewer layers of that kind"
        )));
    }
    Ok((weights, notes))
}

/// Returns the names of a layer's arrays, in the order of our parameters.
fn parts(owner: Owner, layout: Layout) -> &'static [&'static str] {
    match (owner, layout) {
        (Owner::BatchNorm, Layout::Keras) => &["gamma", "beta", "moving_mean", "moving_variance"],
        (Owner::BatchNorm, Layout::PyTorch) => &["weight", "bias", "running_mean", "running_var"],
        (_, Layout::Keras) => &["kernel", "bias"],
        (_, Layout::PyTorch) => &["weight", "bias"],
    }
}

type Groups = BTreeMap<(Owner, Vec<(String, u64)>, String), BTreeMap<String, Foreign>>;

fn groups(file: &SafeTensors, layout: Layout) -> Result<Groups, String> {
    let mut by_name: BTreeMap<String, BTreeMap<String, Foreign>> = BTreeMap::new();
    for (name, view) in file.tensors() {
        let plain = name.strip_suffix(":0").unwrap_or(&name);
        let (group, part) = plain.rsplit_once(['.', '/']).unwrap_or(("", plain));
        if part == "num_batches_tracked" {
            continue;
        }
        if view.dtype() != Dtype::F32 {
            return Err(format!("the array `{name}` must be F32, found {:?}", view.dtype()));
        }
        let (numbers, _) = view.data().as_chunks::<4>();
        let values = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let array = Foreign { shape: view.shape().to_vec(), values };
        by_name.entry(group.to_owned()).or_default().insert(part.to_owned(), array);
    }
    let mut groups = BTreeMap::new();
    for (name, arrays) in by_name {
        let matrix = arrays.get(parts(Owner::Dense, layout)[0]);
        let owner = match matrix.map(|matrix| matrix.shape.len()) {
            _ if arrays.contains_key(parts(Owner::BatchNorm, layout)[2]) => Owner::BatchNorm,
            Some(3 | 4) => Owner::Conv,
            Some(2) => Owner::Dense,
            _ => {
                let found: Vec<&str> = arrays.keys().map(String::as_str).collect();
                return Err(format!(
                    "`{name}` with the arrays {} is not a convolution, batch normalization or dense \
                     layer of {}",
                    crate::vocab::quoted_list(found),
                    layout.name()
                ));
            }
        };
        groups.insert((owner, natural(&name), name), arrays);
    }
    Ok(groups)
}

fn take_first(groups: &mut Groups, owner: Owner) -> Option<(String, BTreeMap<String, Foreign>)> {
    let key = groups.keys().find(|(of, _, _)| *of == owner)?.clone();
    groups.remove(&key).map(|arrays| (key.2, arrays))
}

/// Splits a name into text and numbers, so that `conv_10` sorts after `conv_2`.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut pieces = vec![];
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, behind) = rest.split_at(digits);
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let (number, behind) = behind.split_at(end);
        pieces.push((text.to_owned(), number.parse().unwrap_or(0)));
        rest = behind;
    }
    pieces
}

/// Converts an array to our layout: `[height, width, in, out]` or `[in, out]`. A convolution over time
/// is one of a single column.
fn turn(array: Foreign, owner: Owner, layout: Layout, flattened: Option<[usize; 3]>) -> Foreign {
    let Foreign { mut shape, values } = array;
    if owner == Owner::Conv && shape.len() == 3 {
        shape.insert(if layout == Layout::Keras { 1 } else { 3 }, 1);
    }
    // PyTorch flattens channel by channel; we flatten position by position.
    let theirs = |ours: usize, n_in: usize| match flattened {
        Some([height, width, channels]) if height * width * channels == n_in => {
            let (position, channel) = (ours / channels, ours % channels);
            channel * height * width + position
        }
        _ => ours,
    };
    match (layout, owner, shape.as_slice()) {
        (Layout::PyTorch, Owner::Conv, &[n_out, n_in, height, width]) => {
            let at = |h: usize, w: usize, i: usize, o: usize| {
                values[((o * n_in + theirs(i, n_in)) * height + h) * width + w]
            };
            let mut turned = Vec::with_capacity(values.len());
            for h in 0..height {
                for w in 0..width {
                    for i in 0..n_in {
                        turned.extend((0..n_out).map(|o| at(h, w, i, o)));
                    }
                }
            }
            Foreign { shape: vec![height, width, n_in, n_out], values: turned }
        }
        (Layout::PyTorch, Owner::Dense, &[n_out, n_in]) => {
            let mut turned = Vec::with_capacity(values.len());
            for ours in 0..n_in {
                turned.extend((0..n_out).map(|o| values[o * n_in + theirs(ours, n_in)]));
            }
            Foreign { shape: vec![n_in, n_out], values: turned }
        }
        _ => Foreign { shape, values },
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::{Array, write_arrays};
    use super::super::cnn::tests::{CNN_2, net};
    use super::*;
    use crate::vocab::Seed;

    /// Saves our weights as PyTorch would, with layers named as in a `Sequential`.
    fn pytorch(net: &Net, weights: &Weights, path: &Path, skip: &str) {
        let mut flat = [0; 3];
        let mut number = 0;
        let mut owned: Vec<(String, Vec<usize>, Vec<f32>)> = vec![];
        for layer in &net.layers {
            number += 1;
            let held = |part: usize| &weights.0[layer.first + part];
            match layer.kind {
                Kind::Conv { filters, kernel: [kh, kw], .. } => {
                    let n_in = layer.input[2];
                    let mut values = vec![0.0; kh * kw * n_in * filters];
                    for (place, x) in held(0).iter().enumerate() {
                        let (o, rest) = (place % filters, place / filters);
                        let (i, rest) = (rest % n_in, rest / n_in);
                        let (w, h) = (rest % kw, rest / kw);
                        values[((o * n_in + i) * kh + h) * kw + w] = *x;
                    }
                    owned.push((format!("{number}.weight"), vec![filters, n_in, kh, kw], values));
                    owned.push((format!("{number}.bias"), vec![filters], held(1).clone()));
                }
                Kind::BatchNorm(_) => {
                    for (part, name) in parts(Owner::BatchNorm, Layout::PyTorch).iter().enumerate()
                    {
                        let values = held(part).clone();
                        owned.push((format!("{number}.{name}"), vec![values.len()], values));
                    }
                }
                Kind::Flatten => flat = layer.input,
                Kind::Dense { units, .. } => {
                    let n_in = held(0).len() / units;
                    let [height, width, channels] = flat;
                    let mut values = vec![0.0; held(0).len()];
                    for (place, x) in held(0).iter().enumerate() {
                        let (o, ours) = (place % units, place / units);
                        let theirs = if flat == [0; 3] {
                            ours
                        } else {
                            ours % channels * height * width + ours / channels
                        };
                        values[o * n_in + theirs] = *x;
                    }
                    flat = [0; 3];
                    owned.push((format!("{number}.weight"), vec![units, n_in], values));
                    owned.push((format!("{number}.bias"), vec![units], held(1).clone()));
                }
                _ => {}
            }
        }
        owned.retain(|(name, _, _)| name != skip);
        let arrays: Vec<Array> = owned
            .iter()
            .map(|(name, shape, values)| Array { name: name.clone(), shape: shape.clone(), values })
            .collect();
        write_arrays(path, &arrays).unwrap();
    }

    #[test]
    fn pytorchs_layout_is_turned_into_ours() {
        let net = net(CNN_2, &[40, 13], 10);
        let mut weights = Weights::start(&net, Seed(3));
        // Every array has different numbers, so that none can be mistaken for another.
        for (index, values) in weights.0.iter_mut().enumerate() {
            values.iter_mut().enumerate().for_each(|(i, x)| *x += index as f32 + i as f32 * 1e-3);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("torch.safetensors");
        pytorch(&net, &weights, &path, "");
        assert_eq!(import(&net, &path, Layout::PyTorch).unwrap(), (weights.clone(), vec![]));
        pytorch(&net, &weights, &path, "1.bias");
        let (got, notes) = import(&net, &path, Layout::PyTorch).unwrap();
        assert!(got.0[1].iter().all(|x| *x == 0.0));
        assert_eq!(notes, ["`1` has no bias: `conv_1.bias` is 0"]);
        pytorch(&net, &weights, &path, "3.running_var");
        let said = import(&net, &path, Layout::PyTorch).unwrap_err().to_string();
        assert!(said.contains("the array `3.running_var` is missing"), "{said}");
        let said = import(&net, &path, Layout::Keras).unwrap_err().to_string();
        assert!(
            said.contains("is not a convolution, batch normalization or dense layer of Keras"),
            "{said}"
        );
    }

    #[test]
    fn kerass_arrays_are_ours_under_any_names_and_misfits_are_named() {
        let net = net("blocks = []\ndense = [{ units = 3 }]", &[2, 2], 2);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keras.safetensors");
        let array = |name: &str, shape: &[usize], values: &'static [f32]| Array {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values,
        };
        let (kernel, bias) = (&[1.0; 12], &[2.0; 3]);
        let arrays = [
            array("dense/kernel:0", &[4, 3], kernel),
            array("dense/bias:0", &[3], bias),
            array("dense_1/kernel:0", &[3, 2], &[3.0; 6]),
            array("dense_1/bias:0", &[2], &[4.0; 2]),
        ];
        write_arrays(&path, &arrays).unwrap();
        let (weights, _) = import(&net, &path, Layout::Keras).unwrap();
        assert_eq!(weights.0, [vec![1.0; 12], vec![2.0; 3], vec![3.0; 6], vec![4.0; 2]]);
        write_arrays(
            &path,
            &[array("dense/kernel:0", &[3, 4], kernel), array("dense/bias:0", &[3], bias)],
        )
        .unwrap();
        let said = import(&net, &path, Layout::Keras).unwrap_err().to_string();
        assert!(
            said.contains(
                "`dense.kernel` must become `dense_1.kernel` of shape [4, 3], found [3, 4]"
            ),
            "{said}"
        );
    }

    #[test]
    fn numbers_in_names_count_by_value() {
        let mut names = ["conv2d_10", "conv2d", "conv2d_2", "conv2d_1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["conv2d", "conv2d_1", "conv2d_2", "conv2d_10"]);
    }
}
