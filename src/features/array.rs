//! `[features.array]`: rows of a precomputed array, unchanged.
//!
//! The array is kept in memory as 32-bit floats, widened from 16 bits if necessary. It is not
//! copied into the cache, because it is already on disk.

use super::{Examples, FeatureError, Matrix};
use crate::dataset::{ArrayData, ArrayFile, ArrayNumbers};
use crate::schema::{Fields, Text};
use crate::vocab::{Targets, nearest, quoted_list};

/// The array of a dataset that a spec uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayChoice {
    name: String,
    shape: Vec<usize>,
}

impl ArrayChoice {
    pub(super) fn read(fields: &mut Fields, arrays: &[ArrayFile]) -> Option<Self> {
        let name = fields.required("name", &Text);
        if let Some(array) = arrays.iter().find(|array| array.name == name) {
            return Some(Self { name, shape: array.example_shape() });
        }
        // Without any array, a separate fault reports that the dataset is of another kind.
        if !name.is_empty() && !arrays.is_empty() {
            let known = || arrays.iter().map(|array| array.name.as_str());
            let hint = nearest(&name, known())
                .map_or(String::new(), |near| format!(", did you mean `{near}`?"));
            let message = format!("must be {}, found {name:?}{hint}", quoted_list(known()));
            fields.fault_at("name", &message);
        }
        None
    }

    /// Returns the shape of one example.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    pub(super) fn examples(&self, data: &ArrayData) -> Result<Examples, FeatureError> {
        let hash = data.array_hash(&self.name).map_err(FeatureError::Mismatch)?;
        let ArrayNumbers { matrix, kept, excluded } = data.numbers(&self.name)?;
        Ok(Examples {
            matrix: Matrix::Owned(matrix),
            shape: self.shape.clone(),
            ids: kept.iter().map(|&place| data.ids[place].clone()).collect(),
            targets: Targets::Classes(kept.iter().map(|&place| data.labels[place]).collect()),
            classes: data.classes.clone(),
            hash,
            excluded,
            n_tracks_without: 0,
        })
    }
}
