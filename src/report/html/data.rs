//! The data plots of the browser page.

use super::super::data::{caption, heading};
use super::super::figure::summary_data;
use super::super::group::Row;
use super::super::{Options, ReportError};
use super::escaped;

/// The section; empty where there is nothing to see.
pub(super) fn html(rows: &[Row], options: &Options) -> Result<String, ReportError> {
    if options.data.is_empty() {
        return Ok(String::new());
    }
    let mut parts = String::new();
    for (dataset, summary) in &options.data {
        let (heading, caption) = (escaped(&heading(rows, dataset)), escaped(&caption(summary)));
        parts += &format!("<h3>{heading}</h3>\n<p>{caption}</p>\n");
        for (title, address) in summary_data(summary)? {
            let title = escaped(&title);
            // An image, so that its parts' names and colors stay its own.
            parts += &format!(
                "<figure class=\"paper\"><img src=\"{address}\" alt=\"{title}\" loading=\"lazy\"></figure>\n"
            );
        }
    }
    Ok(format!(
        "<section id=\"data\" aria-labelledby=\"data-title\">\n<h2 id=\"data-title\">The data</h2>\n\
         {parts}</section>\n"
    ))
}
