//! Delimited text: cells -> CSV, and back with the line of each record. The csv crate lives here only.
//!
//! | file | job |
//! |---|---|
//! | `records` | a file's bytes -> records |
//! | `quotes` | which quotes are broken |
//! | `write` | rows -> CSV |

mod quotes;
mod records;
mod write;

pub(crate) use records::{Record, Records, plain_breaks, records};
pub(crate) use write::Writer;
