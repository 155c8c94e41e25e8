//! Searches: what the trials found, and what the winner is worth on fresh seeds and test examples.
//!
//! | file | what it makes |
//! |---|---|
//! | `facts` | a study and the runs of its winners -> plain data |
//! | `section` | that -> the sections of the pages |
//! | `trials` | a part of a study -> what its figures show |
//! | `text` | that -> the output of the command |

mod facts;
mod section;
mod text;
mod trials;

pub use self::facts::{StudyFacts, StudyPartFacts, WinnerFacts, study_facts};
pub(super) use self::section::{ABOUT, Section, markdown, sections};
pub use self::text::{settings_words, study_text};
pub(super) use self::trials::PartTrials;
