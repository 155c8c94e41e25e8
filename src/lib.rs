//! encore repeats a published machine-learning result from a declared spec, and says whether it holds.
//!
//! The `encore` program is this library and a command line. A program of your own can use the library
//! to decode audio and compute features, to run a spec in its own process, or to add a model or a
//! feature that specs can then name. `examples/` has a program for each.
//!
//! | step | module |
//! |---|---|
//! | a dataset: its manifest, index and tracks | [`dataset`] |
//! | features of its tracks, cached by content | [`features`], computed by [`audio`] |
//! | a split into train, valid and test, audited for leaks | [`split`] |
//! | a model, fitted and scored | [`model`], [`metrics`] |
//! | a spec that names all of these, checked and run | [`experiment`] |
//! | points of a space of settings to try | [`search`] |
//! | the record that a run leaves, and the page made from records | [`record`], [`report`] |
//!
//! ```
//! use encore::audio::{Mfcc, MfccSettings, Workspace};
//! use encore::model::{Examples, FitInput, Knn, Model};
//! use encore::vocab::{Seed, Targets};
//!
//! // Three low and three high tones of half a second, as their mean MFCCs.
//! let mfcc = Mfcc::new(&MfccSettings { n_mfcc: 5, ..MfccSettings::default() })?;
//! let mut workspace = Workspace::new();
//! let mut matrix = vec![];
//! for frequency_hz in [200.0, 220.0, 240.0, 2000.0, 2200.0, 2400.0_f32] {
//!     let step = std::f32::consts::TAU * frequency_hz / 22_050.0;
//!     let tone: Vec<f32> = (0..11_025).map(|i| 0.5 * (i as f32 * step).sin()).collect();
//!     let mut frames = vec![0.0; mfcc.n_frames(tone.len()) * 5];
//!     mfcc.compute(&mut workspace, &tone, &mut frames);
//!     let mean = |c: usize| frames.iter().skip(c).step_by(5).sum::<f32>() / (frames.len() / 5) as f32;
//!     matrix.extend((0..5).map(mean));
//! }
//!
//! // Fit on four of them, predict the other two.
//! let targets = Targets::Classes(vec![0, 0, 0, 1, 1, 1]);
//! let examples = |rows| Examples {
//!     shape: &[5],
//!     matrix: &matrix,
//!     targets: &targets,
//!     rows,
//!     n_outputs: 2,
//! };
//! let knn = Knn { n_neighbors: 1, ..Knn::default() };
//! let input = FitInput {
//!     train: examples(&[0, 1, 3, 4]),
//!     valid: examples(&[]),
//!     seed: Seed(1),
//!     device: Default::default(),
//!     resume: None,
//!     fresh: None,
//!     until: None,
//! };
//! let fitted = knn.fit(&input, &mut ())?;
//! let probabilities = fitted.model.predict(&examples(&[2, 5]))?;
//! assert_eq!(probabilities, [1.0, 0.0, 0.0, 1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every result is a function of its spec, data and seed: on a machine with AVX2 or AVX-512 the same
//! ones give the same bits, on any number of threads. `ARCHITECTURE.md` describes how the modules fit
//! together.

pub mod audio;
#[doc(hidden)]
pub mod cli;
pub mod dataset;
mod delimited;
#[doc(hidden)]
pub mod disk;
pub mod experiment;
pub mod export;
pub mod features;
pub mod fetch;
#[doc(hidden)]
pub mod kernels;
pub mod metrics;
pub mod model;
#[doc(hidden)]
pub mod process;
pub mod record;
pub mod report;
pub mod schema;
pub mod search;
#[doc(hidden)]
#[doc(hidden)]
pub mod serve;
pub mod similar;
pub mod split;
pub mod spotify;
pub mod table;
pub mod vocab;
