//! `[features.onnx]`: what a pretrained net puts out for a segment, its embedding.
//!
//! The net is an ONNX file in the project. Its hash is part of the resolved spec, and so of the keys of
//! features and runs. The runtime is a cargo feature; without it, specs with this table are rejected.

mod input;
#[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "only the runtime asks for a layout"))]
mod layout;
#[cfg(feature = "onnx")]
mod net;
#[cfg(not(feature = "onnx"))]
#[path = "without.rs"]
mod net;
#[cfg(feature = "onnx")]
mod protobuf;
#[cfg(test)]
#[cfg(feature = "onnx")]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use self::input::{Input, InputBuffers};
use self::net::Net;
use super::{AudioFeature, Segments, Worker};
use crate::schema::{Fields, Node, Rule, Text, Value};
use crate::vocab::{is_path_inside, sha256_hex};

/// Larger parts of a segment that no window covers are worth a warning.
const MOST_UNSEEN: f64 = 0.1;

/// The mean embedding of a segment's windows.
pub(super) struct Embedding {
    net: Net,
    input: Input,
    segments: Segments,
    /// Samples of a whole segment at the rate of the dataset.
    n_samples: usize,
}

/// Why a net can't be used: the key to blame, and what follows its name.
#[derive(Debug, PartialEq)]
struct Refusal {
    key: &'static str,
    message: String,
}

/// Where the file is, and what is cut into segments.
pub(super) struct Place<'a> {
    pub(super) project: &'a Path,
    pub(super) sample_rate_hz: u32,
    pub(super) segments: Segments,
}

/// Reads the table, and the net; without a place only the keys are checked.
pub(super) fn read(fields: &mut Fields, place: Option<&Place>) -> Option<Embedding> {
    let path = fields.required("file", &NetFile);
    let output = fields.optional("output", &Text);
    let rate_hz = place.map_or(22_050, |place| place.sample_rate_hz);
    let input = fields
        .choice("input", &input::NAMES, |name, inner| Input::read(name, inner, rate_hz))
        .flatten();
    let (Some(place), Some(input)) = (place, input) else { return None };
    if fields.is_exploring() || path.is_empty() {
        return None;
    }
    match Embedding::open(&path, output.as_deref(), input, place) {
        Ok((embedding, sha256)) => {
            fields.keep_fact("sha256", sha256.into());
            fields.keep_fact("runtime", net::RUNTIME.into());
            Some(embedding)
        }
        Err(Refusal { key, message }) => {
            fields.fault_at(key, &message);
            None
        }
    }
}

impl Embedding {
    /// Opens a net; also returns the SHA-256 of its file.
    fn open(
        path: &str,
        output: Option<&str>,
        input: Input,
        place: &Place,
    ) -> Result<(Self, String), Refusal> {
        let bytes = bytes_of(path, place.project)
            .map_err(|what| Refusal { key: "file", message: format!("is `{path}`, {what}") })?;
        let n_samples = place.segments.n_samples(place.sample_rate_hz);
        let given = input.given(n_samples);
        let net = Net::open(&bytes, output, &given).map_err(|refusal| match refusal {
            Refusal { key: "file", message } => {
                Refusal { key: "file", message: format!("is `{path}`, {message}") }
            }
            other => other,
        })?;
        let embedding = Self { net, input, segments: place.segments, n_samples };
        Ok((embedding, sha256_hex(&bytes)))
    }

    /// Windows of a segment of so many samples.
    fn n_windows(&self, n_samples: usize) -> usize {
        self.input.n_steps(n_samples) / self.net.window()
    }
}

/// Reads a file of the project, or says what is wrong with it.
fn bytes_of(path: &str, project: &Path) -> Result<Vec<u8>, String> {
    let full = project.join(path);
    let bytes = fs::read(&full).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("which is not in {}", project.display()),
        _ => format!("which can't be read: {error}"),
    })?;
    if bytes.starts_with(b"version https://git-lfs") {
        return Err("which is a pointer of Git LFS, not the file; run git lfs pull".to_owned());
    }
    if bytes.is_empty() {
        return Err("which is empty".to_owned());
    }
    Ok(bytes)
}

impl AudioFeature for Embedding {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![self.net.width()]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.n_windows(n_samples) == self.n_windows(whole)
    }

    fn has_bands(&self) -> bool {
        false
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.input.warnings();
        let n_steps = self.input.n_steps(self.n_samples);
        let seen = (self.n_windows(self.n_samples) * self.net.window()) as f64 / n_steps as f64;
        if 1.0 - seen > MOST_UNSEEN {
            let seconds = self.segments.seconds;
            warnings.push(format!(
                "the windows of the net cover {:.2} s of a segment of {seconds} s; the rest is not used",
                seen * seconds
            ));
        }
        warnings
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(EmbeddingWorker { of: self, buffers: InputBuffers::default() })
    }
}

struct EmbeddingWorker<'a> {
    of: &'a Embedding,
    buffers: InputBuffers,
}

impl Worker for EmbeddingWorker<'_> {
    /// Fills `out` with NaN where the net fails; [`Self::try_compute`] says why.
    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        if self.try_compute(samples, out).is_err() {
            out.fill(f32::NAN);
        }
    }

    fn try_compute(&mut self, samples: &[f32], out: &mut [f32]) -> Result<(), String> {
        let n_windows = self.of.n_windows(samples.len());
        let Self { of: Embedding { net, input, .. }, buffers } = self;
        if n_windows == 0 {
            return Err("the segment is shorter than a window of the net".to_owned());
        }
        input.prepare(samples, buffers)?;
        let mut sums = vec![0.0_f64; net.width()];
        for window in 0..n_windows {
            let embedding = net.run(buffers.window(window, net.window()))?;
            let n_bad = embedding.iter().filter(|x| !x.is_finite()).count();
            if n_bad > 0 {
                let n = embedding.len();
                return Err(format!(
                    "the net puts out NaN or infinity ({n_bad} of {n} numbers of window {})",
                    window + 1
                ));
            }
            for (sum, x) in sums.iter_mut().zip(embedding) {
                *sum += f64::from(x);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = (sum / n_windows as f64) as f32;
        }
        Ok(())
    }
}

/// A file in the project.
struct NetFile;

impl Rule for NetFile {
    type Made = String;

    fn allowed(&self) -> String {
        "a file in the project, e.g. \"nets/embedding.onnx\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<String, Option<String>> {
        match &node.value {
            Value::Text(text) if is_path_inside(text) => Ok(text.clone()),
            Value::Text(text) => {
                Err(Some(format!("must be a path in the project, without `..`, found `{text}`")))
            }
            _ => Err(None),
        }
    }

    fn keep(&self, made: &String) -> serde_json::Value {
        made.as_str().into()
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string", "minLength": 1 })
    }

    fn stand_in(&self) -> String {
        String::new()
    }
}
