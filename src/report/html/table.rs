//! Tables of the page, with escaped cells and their sort keys.

use crate::report::words::escaped;

/// A cell: its text, and the number that it is sorted by.
pub(in crate::report) struct Cell {
    html: String,
    key: Option<f64>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Words,
    Number,
    /// An estimate with its interval: not broken over lines but in the summary.
    Interval,
}

impl Cell {
    /// Words, sorted as such.
    pub(in crate::report) fn text(text: &str) -> Self {
        Self::html(escaped(text))
    }

    /// Markup that is safe already.
    pub(super) fn html(html: String) -> Self {
        Self { html, key: None, kind: Kind::Words }
    }

    /// A formatted number, right-aligned.
    pub(in crate::report) fn number(text: &str) -> Self {
        Self { html: escaped(text), key: None, kind: Kind::Number }
    }

    /// An estimate with its interval, sorted by the estimate. It may break before the interval, where
    /// the page lets it.
    pub(super) fn interval(text: &str, mean: impl Into<Option<f64>>) -> Self {
        Self {
            html: escaped(text).replace(", ", ",\u{a0}"),
            key: mean.into(),
            kind: Kind::Interval,
        }
    }

    /// What it is sorted by; cells without it come last.
    pub(super) fn by(self, key: impl Into<Option<f64>>) -> Self {
        Self { key: key.into(), ..self }
    }

    fn attributes(&self) -> String {
        let class = match self.kind {
            Kind::Words => "",
            Kind::Number => " class=\"n\"",
            Kind::Interval => " class=\"sure\"",
        };
        let key = self.key.map_or(String::new(), |key| format!(" data-key=\"{key}\""));
        format!("{class}{key}")
    }
}

/// A table whose first column names its rows.
pub(in crate::report) struct Table<'a> {
    pub(in crate::report) caption: &'a str,
    pub(in crate::report) head: &'a [&'a str],
    pub(in crate::report) rows: Vec<Vec<Cell>>,
    /// Whether a reader may sort it.
    pub(in crate::report) is_sortable: bool,
}

impl Table<'_> {
    /// The table in a box that scrolls sideways if the page is too narrow.
    pub(in crate::report) fn html(&self) -> String {
        self.html_in_groups(&vec![None; self.rows.len()])
    }

    /// The same in groups, within which it is sorted: the heading before each row that begins one.
    pub(super) fn html_in_groups(&self, headings: &[Option<&str>]) -> String {
        let is_number =
            |column: usize| self.rows.first().is_some_and(|row| row[column].kind == Kind::Number);
        let head: String = self
            .head
            .iter()
            .enumerate()
            .map(|(column, name)| {
                let class = if is_number(column) { " class=\"n\"" } else { "" };
                format!("<th scope=\"col\"{class}>{}</th>", escaped(name))
            })
            .collect();
        let mut rows = String::new();
        for (i, (row, heading)) in self.rows.iter().zip(headings).enumerate() {
            if let Some(heading) = heading {
                let end = if i > 0 { "</tbody>\n<tbody>" } else { "" };
                rows += &format!(
                    "{end}<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
                    self.head.len(),
                    escaped(heading)
                );
            }
            rows += &line(row);
        }
        let sortable = if self.is_sortable { " class=\"sortable\"" } else { "" };
        let caption = escaped(self.caption);
        scrolling(
            self.caption,
            &format!(
                "<table{sortable}><caption><span>{caption}</span></caption><thead><tr>{head}</tr></thead>\n\
                 <tbody>{rows}</tbody></table>"
            ),
        )
    }
}

/// A figure that keeps a legible width, in a box that scrolls.
pub(super) fn wide_figure(label: &str, svg: &str) -> String {
    scrolling(label, &format!("<figure class=\"wide\">{svg}</figure>"))
}

/// A box that scrolls sideways by itself where its content is wider than the page.
pub(in crate::report) fn scrolling(label: &str, inner: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{}\">{inner}</div>\n",
        escaped(label)
    )
}

fn line(row: &[Cell]) -> String {
    let mut text = "<tr>".to_owned();
    for (column, cell) in row.iter().enumerate() {
        let (attributes, html) = (cell.attributes(), &cell.html);
        text += &match column {
            0 => format!("<th scope=\"row\"{attributes}>{html}</th>"),
            _ => format!("<td{attributes}>{html}</td>"),
        };
    }
    text + "</tr>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_escaped_and_carries_its_keys() {
        let row = vec![Cell::text("<b>"), Cell::number("0.5 [0, 1]").by(0.5)];
        let table =
            Table { caption: "a & b", head: &["x", "y"], rows: vec![row], is_sortable: true };
        assert_eq!(
            table.html(),
            "<div class=\"scroll\" role=\"region\" aria-label=\"a &amp; b\"><table class=\"sortable\">\
             <caption><span>a &amp; b</span></caption><thead><tr><th scope=\"col\">x</th>\
             <th scope=\"col\" class=\"n\">y</th></tr></thead>\n<tbody><tr>\
             <th scope=\"row\">&lt;b&gt;</th><td class=\"n\" data-key=\"0.5\">0.5 [0, 1]</td></tr>\n\
             </tbody></table></div>\n"
        );
    }
}
