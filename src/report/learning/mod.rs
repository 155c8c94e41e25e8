//! Learning curves: scores of runs against the number of tracks that they were trained on.
//!
//! | file | what it makes |
//! |---|---|
//! | `measured` | runs whose specs differ in `train_share` alone -> points with intervals, and a law |
//! | `words` | that -> what it says of more data, in sentences |
//! | `facts` | that -> plain data, for JSON |
//! | `text` | that -> the output of the command |
//! | `section` | runs -> what the pages show |

mod facts;
mod measured;
mod section;
mod text;
mod words;

pub(super) use self::facts::facts;
pub use self::facts::{CurveFacts, CurvePoint, ForecastFacts, LawFacts};
pub(super) use self::measured::{Curve, Point, TEN_TIMES};
pub(super) use self::section::{ABOUT, curves, head, lines};
pub(super) use self::text::text;
pub(super) use self::words::{sentences, title};
