//! Pages for a browser that a server makes anew for every request, with the style and the parts of the report's page.
//!
//! | file | what it makes |
//! |---|---|
//! | `frame` | the head, the navigation and the foot of every page; addresses with parameters |
//! | `runs` | the table of runs: condition, order, columns, groups |
//! | `run` | one run, finished or going on |
//! | `curves` | curves of any runs in one figure |
//! | `compared` | runs against runs: sentences, confusion matrices and their difference |
//! | `parts` | claims, searches and data as sections of their own |
//! | `style.css`, `script.js` | what these pages have beyond the report's |

mod compared;
mod curves;
mod frame;
mod parts;
mod run;
mod runs;

pub use self::compared::compared_page;
pub use self::curves::CurvesPage;
pub use self::frame::{Frame, address, escape};
pub use self::parts::{claims_part, data_part, mel_svg, report_page, searches_part};
pub use self::run::{RunPage, unfinished_part};
pub use self::runs::{RunsView, runs_part};

use super::html::{SCRIPT, STYLE};

/// The style sheet of all pages.
#[must_use]
pub fn style() -> String {
    format!("{STYLE}\n{}", include_str!("style.css"))
}

/// The script of all pages.
#[must_use]
pub fn script() -> String {
    format!("{SCRIPT}\n{}", include_str!("script.js"))
}
