//! Runs against runs: sentences, confusion matrices side by side and their difference.

use super::super::Options;
use super::super::compare::{CompareError, comparison};
use super::super::group::{Group, Row, rows};
use super::super::html::{confusion_difference, confusion_matrix};
use super::super::words::escaped;
use super::frame::address;
use crate::record::Run;
use crate::vocab::Task;

/// The comparison of experiments or runs, named as for `encore compare`.
///
/// # Errors
/// As [`comparison`].
pub fn compared_page(runs: &[Run], names: &[String]) -> Result<String, CompareError> {
    let compared = comparison(runs, names)?;
    let mut html =
        format!("<section><pre class=\"said\">{}</pre></section>\n", escaped(&compared.text));
    let ids =
        compared.sides.iter().flat_map(|side| side.runs.iter().map(|id| ("run", id.as_str())));
    html +=
        &format!("<p><a href=\"{}\">Their curves in one figure</a></p>\n", address("/curves", ids));
    let options = Options::default();
    // Each side by itself: a group is what one side is.
    let sides: Vec<Vec<Run>> = (compared.sides.iter())
        .map(|side| runs.iter().filter(|run| side.runs.contains(&run.id)).cloned().collect())
        .collect();
    let all: Vec<Vec<Row>> =
        sides.iter().map(|side| rows(side, &options)).collect::<Result<_, _>>()?;
    let groups: Vec<&Group> =
        all.iter().filter_map(|rows| rows.iter().find_map(Row::group)).collect();
    if groups.iter().any(|group| group.task() != Task::Classes) {
        return Ok(html);
    }
    let matrices = groups.iter().zip(&compared.sides).map(|(group, side)| {
        format!("<div><h3>{}</h3>\n{}</div>\n", escaped(&side.name), confusion_matrix(group))
    });
    html += &format!(
        "<section><h2>Confusion matrices</h2>\n<div class=\"two\">{}</div>\n",
        matrices.collect::<String>()
    );
    if let [first, second] = groups.as_slice() {
        html += &confusion_difference(
            first,
            second,
            [&compared.sides[0].name, &compared.sides[1].name],
        );
    }
    Ok(html + "</section>\n")
}
