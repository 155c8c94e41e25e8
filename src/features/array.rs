//! `[features.array]`: rows of a precomputed array, unchanged; `[features.band_statistics]` of arrays:
//! statistics over time of rows that are spectrograms.
//!
//! The array is kept in memory as 32-bit floats, widened from 16 bits if necessary. It is not
//! copied into the cache, because it is already on disk.

use rayon::prelude::*;

use super::{Examples, FeatureError, Matrix, band_statistics};
use crate::audio::{BandBuffers, BandStatistics};
use crate::dataset::{ArrayData, ArrayFile, ArrayNumbers};
use crate::schema::{Fields, Real, Text};
use crate::vocab::{Sha256, Targets, nearest, quoted_list};

/// Raised whenever the same settings give different statistics than before.
const STATISTICS_VERSION: u32 = 1;

/// The array of a dataset that a spec uses.
#[derive(Debug, Clone)]
pub struct ArrayChoice {
    name: String,
    shape: Vec<usize>,
    statistics: Option<Statistics>,
}

/// What is computed of each row.
#[derive(Debug, Clone)]
struct Statistics {
    plan: BandStatistics,
    /// The resolved settings: part of the features' hash.
    settings: serde_json::Value,
}

impl ArrayChoice {
    pub(super) fn read(fields: &mut Fields, arrays: &[ArrayFile]) -> Option<Self> {
        let name = fields.required("name", &Text);
        let array = find(fields, "name", &name, arrays)?;
        Some(Self { name, shape: array.example_shape(), statistics: None })
    }

    /// Reads `[features.band_statistics]` for arrays: which array, its frame rate, and the statistics.
    pub(super) fn read_statistics(fields: &mut Fields, arrays: &[ArrayFile]) -> Option<Self> {
        // Both are required of arrays, and unknown keys of recordings.
        let name = fields.optional("array", &Text);
        let rate = Real::positive();
        let frame_rate_hz = fields.optional("frame_rate", &rate);
        if !fields.is_exploring() {
            if name.is_none() && !fields.is_given("array") {
                let known = quoted_list(arrays.iter().map(|array| array.name.as_str()));
                fields.fault_at("array", &format!("is missing; expected {known}"));
            }
            if frame_rate_hz.is_none() && !fields.is_given("frame_rate") {
                let said = "is missing; expected the number of frames per second of the array";
                fields.fault_at("frame_rate", said);
            }
        }
        let name = name.unwrap_or_default();
        let array = find(fields, "array", &name, arrays);
        let shape = array.map(ArrayFile::example_shape);
        let n_bands = match shape.as_deref() {
            Some(&[_, n_bands]) => Some(n_bands),
            Some(shape) => {
                let said = format!(
                    "must be an array of frames by bands, found `{name}`, whose rows have the shape {shape:?}"
                );
                fields.fault_at("array", &said);
                None
            }
            None => None,
        };
        let (Some(n_bands), Some(frame_rate_hz)) = (n_bands, frame_rate_hz) else {
            band_statistics::pass_over(fields);
            return None;
        };
        let plan = band_statistics::read_statistics(fields, n_bands, frame_rate_hz);
        let shape = vec![plan.n_columns()];
        let settings = serde_json::Value::Null;
        Some(Self { name, shape, statistics: Some(Statistics { plan, settings }) })
    }

    /// The same, with the resolved settings of the spec's `[features]`.
    pub(super) fn with_settings(self, settings: &serde_json::Value) -> Self {
        let with = |statistics| Statistics { settings: settings.clone(), ..statistics };
        Self { statistics: self.statistics.map(with), ..self }
    }

    /// Returns the shape of one example.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    pub(super) fn examples(&self, data: &ArrayData) -> Result<Examples, FeatureError> {
        let mut hash = data.array_hash(&self.name).map_err(FeatureError::Mismatch)?;
        let ArrayNumbers { mut matrix, kept, excluded } = data.numbers(&self.name)?;
        if let Some(Statistics { plan, settings }) = &self.statistics {
            let (width, n_columns) = (matrix.len() / kept.len().max(1), plan.n_columns());
            let mut numbers = vec![0.0; kept.len() * n_columns];
            numbers
                .par_chunks_exact_mut(n_columns)
                .zip(matrix.par_chunks_exact(width.max(1)))
                .for_each_init(BandBuffers::default, |buffers, (out, frames)| {
                    plan.compute(buffers, frames, out);
                });
            matrix = numbers;
            hash = Sha256::new()
                .piece(hash)
                .piece(settings.to_string())
                .piece(STATISTICS_VERSION.to_le_bytes())
                .hex();
        }
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

/// Finds the array of a name, or reports which there are.
fn find<'a>(
    fields: &Fields,
    key: &str,
    name: &str,
    arrays: &'a [ArrayFile],
) -> Option<&'a ArrayFile> {
    let found = arrays.iter().find(|array| array.name == name);
    // Without any array, a separate fault reports that the dataset is of another kind.
    if found.is_none() && !name.is_empty() && !arrays.is_empty() {
        let known = || arrays.iter().map(|array| array.name.as_str());
        let hint = nearest(name, known())
            .map_or(String::new(), |near| format!(", did you mean `{near}`?"));
        let message = format!("must be {}, found {name:?}{hint}", quoted_list(known()));
        fields.fault_at(key, &message);
    }
    found
}
