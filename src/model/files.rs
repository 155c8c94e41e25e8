//! The files of a saved model: JSON and safetensors, with errors that name the file.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Serialize, de::DeserializeOwned};

use super::ModelError;

/// Makes an error about one file.
pub(super) fn file_error(path: &Path, message: impl Display) -> ModelError {
    ModelError::File { path: path.display().to_string(), message: message.to_string() }
}

/// Writes a value as JSON.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ModelError> {
    let text = serde_json::to_string(value).map_err(|error| file_error(path, error))?;
    std::fs::write(path, text + "\n").map_err(|error| file_error(path, error))
}

/// Reads a value that [`write_json`] wrote.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let text = std::fs::read_to_string(path).map_err(|error| file_error(path, error))?;
    serde_json::from_str(&text).map_err(|error| file_error(path, error))
}

/// An array with its shape, row-major.
pub(super) struct Array<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: &'a [f32],
}

/// Encodes named f32 arrays as the bytes of a safetensors file, sorted by name.
///
/// # Errors
/// If the number of an array's values does not match its shape.
pub(super) fn to_safetensors(
    arrays: &[Array],
    metadata: Option<HashMap<String, String>>,
) -> Result<Vec<u8>, String> {
    let bytes: BTreeMap<&str, Vec<u8>> = arrays
        .iter()
        .map(|array| {
            (array.name.as_str(), array.values.iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let views = arrays
        .iter()
        .map(|array| {
            let view = TensorView::new(Dtype::F32, array.shape.clone(), &bytes[&*array.name])?;
            Ok((array.name.as_str(), view))
        })
        .collect::<Result<BTreeMap<_, _>, safetensors::SafeTensorError>>()
        .map_err(|error| error.to_string())?;
    safetensors::serialize(views, metadata).map_err(|error| error.to_string())
}

/// Writes named f32 arrays as safetensors, sorted by name.
pub(super) fn write_arrays(path: &Path, arrays: &[Array]) -> Result<(), ModelError> {
    let file = to_safetensors(arrays, None).map_err(|error| file_error(path, error))?;
    std::fs::write(path, file).map_err(|error| file_error(path, error))
}

/// Reads named f32 arrays of known shapes, in the given order.
///
/// # Errors
/// If an array is missing, superfluous, or has a different type or shape.
pub(super) fn read_arrays(
    path: &Path,
    wanted: &[(String, Vec<usize>)],
) -> Result<Vec<Vec<f32>>, ModelError> {
    let bytes = std::fs::read(path).map_err(|error| file_error(path, error))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| file_error(path, error))?;
    if let Some(extra) = file.names().iter().find(|name| wanted.iter().all(|(w, _)| w != *name)) {
        return Err(file_error(path, format!("the array `{extra}` belongs to another model")));
    }
    let read = |(name, shape): &(String, Vec<usize>)| {
        read_f32(&file, name, shape).map_err(|message| file_error(path, message))
    };
    wanted.iter().map(read).collect()
}

/// Reads one array of a known name and shape.
///
/// # Errors
/// If it is missing or has a different type or shape.
pub(super) fn read_f32(
    file: &SafeTensors,
    name: &str,
    shape: &[usize],
) -> Result<Vec<f32>, String> {
    let view = file.tensor(name).map_err(|_| format!("the array `{name}` is missing"))?;
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        let got = format!("{:?} {:?}", view.dtype(), view.shape());
        return Err(format!("the array `{name}` must be F32 {shape:?}, found {got}"));
    }
    let (numbers, _) = view.data().as_chunks::<4>();
    Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_and_wrong_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let array = Array { name: "w".to_owned(), shape: vec![1, 2], values: &[1.5, -2.0] };
        write_arrays(&path, &[array]).unwrap();
        let read = |name: &str, shape: &[usize]| {
            read_arrays(&path, &[(name.to_owned(), shape.to_vec())])
                .map_err(|error| error.to_string().rsplit(": ").next().unwrap().to_owned())
        };
        assert_eq!(read("w", &[1, 2]), Ok(vec![vec![1.5, -2.0]]));
        let said = "the array `w` must be F32 [2], found F32 [1, 2]";
        assert_eq!(read("w", &[2]), Err(said.to_owned()));
        assert_eq!(read("v", &[2]), Err("the array `w` belongs to another model".to_owned()));
    }
}
