//! Robustness: scores of runs against the strength of degradations of their test recordings.
//!
//! | file | what it makes |
//! |---|---|
//! | `curves` | degradations -> curves by strength |
//! | `measured` | what models say of degraded recordings -> scores with intervals, paired tests |
//! | `section` | that -> the tables of the pages |
//! | `facts` | that -> plain data, for JSON |
//! | `text` | that -> the output of the command |

mod curves;
mod facts;
mod measured;
mod section;
mod text;

pub(super) use self::curves::{Curve, UNDEGRADED};
pub use self::facts::{RobustPoint, RobustSide, RobustTest};
pub(super) use self::facts::{points, side, tests};
pub(super) use self::measured::Measured;
pub(super) use self::section::{ABOUT, Section, sections};
pub(super) use self::text::text;
