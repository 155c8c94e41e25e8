//! Ablations: what each change of `[ablation]` does to the score.
//!
//! | file | what it makes |
//! |---|---|
//! | `measured` | runs of a spec and of its changes -> differences with intervals and p-values |
//! | `words` | that -> which changes matter, in a sentence |
//! | `facts` | that -> plain data, for JSON |
//! | `text` | that -> the output of the command |
//! | `section` | runs -> what the pages show |

mod facts;
mod measured;
mod section;
mod text;
mod words;

pub(super) use self::facts::facts;
pub use self::facts::{AblationFacts, BaseFacts, ChangeFacts};
pub(super) use self::measured::{Ablation, Change};
pub(super) use self::section::{ABOUT, HEAD, ablations, lines};
pub(super) use self::text::text;
pub(super) use self::words::{sentence, title};
