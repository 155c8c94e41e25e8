//! Spec -> plan -> inputs -> fold -> fit -> record.
//!
//! | file | what it does |
//! |---|---|
//! | `library`, `settings` | finds specs by name; what the project says about its page |
//! | `spec`, `protocol`, `tables`, `target` | fields of a spec -> its checked parts |
//! | `ablation` | `[ablation]` -> the changes of a spec whose effect is tested |
//! | `plan`, `options` | a spec and the command line -> a [`Plan`]; only a plan can be run |
//! | `inputs` | plan -> examples, shared by its seeds |
//! | `fold`, `model_inputs` | examples and a seed -> audited split, preprocessing, what the model sees |
//! | `waveforms`, `fresh` | random changes of recordings -> training examples, again in every epoch |
//! | `fit` | fold -> fitted model, from its last checkpoint |
//! | `record_run` | fitted model -> scores, predictions, record |
//! | `run` | the four steps above, for one run |
//! | `queue`, `worker` | many runs at a time, each in a separate process or in this one |
//! | `verify`, `staleness` | repeats a run; says why a run is stale |
//! | `versions` | finished runs as the current specs see them: current ones, and history |
//! | `foreign` | imported weights |
//! | `foreign_run`, `foreign_predictions`, `foreign_rows` | predictions that another program made -> a run; their checks; the CSV files about examples |
//! | `exported_split` | the split of a seed, for another program |
//! | `imported_capsule` | the runs of a capsule -> runs of this project |
//! | `sweep/` | a search for good settings: trials, the choice, the winner on fresh seeds |
//! | `command` | a run whose model is a program, and its predictions |
//! | `ensemble/` | a run whose model is several finished runs |
//! | `predict`, `predict_rows` | predictions for recordings and for rows of a table |
//! | `prediction_line` | a prediction as JSON |
//! | `robust/` | what the models of runs say of their degraded test recordings |
//! | `augmented` | training examples before and after each augmentation |
//! | `embed`, `music` | a recording as a vector; the songs of a dataset or folder, kept in a file |
//! | `similarity` | how many neighbors of a song have its genre |
//! | `summary`, `bins` | what a dataset looks like; its histograms |
//! | `page_content` | a store -> what the page about its runs shows |
//! | `context`, `error`, `event` | where runs happen, what can go wrong, what observers see |
//!
//! This room must never know the terminal: it reports [`Event`]s.

mod ablation;
mod augmented;
mod bins;
mod command;
mod context;
mod embed;
mod ensemble;
mod error;
mod event;
mod exported_split;
mod fit;
mod fold;
mod foreign;
mod foreign_predictions;
mod foreign_rows;
mod foreign_run;
mod fresh;
mod imported_capsule;
mod inputs;
mod library;
mod model_inputs;
mod music;
mod options;
mod page_content;
mod plan;
mod predict;
mod predict_rows;
mod prediction_line;
mod protocol;
mod queue;
mod record_run;
mod robust;
mod run;
mod settings;
mod similarity;
mod spec;
mod staleness;
mod summary;
mod sweep;
mod tables;
mod target;
mod verify;
mod versions;
mod waveforms;
mod worker;

pub use ablation::{Ablation, Variant};
pub use augmented::augmented;
pub use context::{CODE_VERSION, Workspace};
pub use embed::{Embedder, Embedding};
pub use error::{Blame, RunError};
pub use event::{Event, Observer, RunLabel};
pub use exported_split::{ExportedSplit, export_split};
pub use foreign::{import_weights, range_test};
pub use foreign_run::{PredictionFiles, import_predictions};
pub use imported_capsule::import_capsule;
pub use library::{Library, derive_spec};
pub use music::{Music, MusicError, OnSong, Songs, content_of};
pub use options::{DataChoice, Options, Shrink};
pub use page_content::{PageContent, PageSource};
pub use plan::{Plan, PlanError};
pub use predict::{Answer, Guess, PredictError, Predictor, catalogue_of};
pub use predict_rows::{NewRows, PredictedRow, RowCounts, RowPredictor};
pub use prediction_line::{Item, PredictionLine, names_of};
pub use queue::{Outcome, SideBySide, run_all};
pub use robust::{Measured, ROBUST_VERSION, UNDEGRADED, degradations, measure, usual_degradations};
pub use settings::{ProjectGroup, ProjectSettings};
pub use similarity::{SimilarityScores, similarity};
pub use spec::Spec;
pub use staleness::{Reason, why};
pub use summary::{SummaryError, columns, segment, summarize, track_segment};
pub use sweep::{
    Halving, Sweep, SweepError, SweepOptions, ValidMetric, check as check_sweep, n_runs_of, sweep,
};
pub use target::{TagColumns, Target};
pub use verify::{Repetition, VerifyError, verify, verify_capsule};
pub use versions::Versions;
pub use waveforms::WaveformAugment;
pub use worker::do_runs;
