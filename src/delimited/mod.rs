//! Delimited text: cells -> CSV, and back with the line of each record. The csv crate lives here only.
//!
//! | file | job |
//! |---|---|
//! | `blocks` | a large file -> blocks of whole records |
//! | `records` | a file's bytes -> records |
//! | `quotes` | which quotes are broken |
//! | `write` | rows -> CSV |

mod blocks;
mod quotes;
mod records;
mod write;

pub(crate) use blocks::Blocks;
pub(crate) use records::{Cells, Record, Records, plain_breaks, records};
pub(crate) use write::Writer;
