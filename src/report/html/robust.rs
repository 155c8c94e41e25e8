//! Robustness on the browser page: curves in the page's colors, and a table.

use super::super::figure::inline_robust;
use super::super::robust::{ABOUT, Section};
use super::escaped;
use super::table::{Cell, Table, wide_figure};
use crate::metrics::Interval;

/// The section; empty if nothing was measured.
pub(super) fn html(sections: &[Section]) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let (code, about) = (
        "<code>encore robust</code>",
        escaped(ABOUT).replace("`encore degrade`", "<code>encore degrade</code>"),
    );
    let mut parts = format!("<p>{}</p>\n", about.replace("`encore robust`", code));
    for section in sections {
        parts += &wide_figure("Curves of robustness", &inline_robust(&section.measured));
        let head = section.head();
        let row = |(degradation, strength, scores): (String, String, Vec<Option<Interval>>)| {
            let mut cells = vec![Cell::text(&degradation), Cell::text(&strength)];
            for score in &scores {
                let mean = score.as_ref().map(|it| it.mean);
                cells.push(Cell::interval(&section.words(score.as_ref()), mean));
            }
            cells
        };
        let caption = format!("{} of degraded test recordings", section.measured.metric.words());
        let table = Table {
            caption: &caption,
            head: &head.iter().map(String::as_str).collect::<Vec<_>>(),
            rows: section.lines().into_iter().map(row).collect(),
            is_sortable: false,
        };
        parts += &table.html();
    }
    format!(
        "<section id=\"robustness\" aria-labelledby=\"robustness-title\">\n\
         <h2 id=\"robustness-title\">Robustness</h2>\n{parts}</section>\n"
    )
}
