//! The summary for LaTeX, `table.tex`: a tabular that needs the package booktabs and no other.

use super::Options;
use super::group::{Row, headings};
use super::summary;

const HEAD: &str = "\
% The summary, made from the runs' records alone. It needs \\usepackage{booktabs}.
\\begin{tabular}{llllrlrrrl}
\\toprule
";

/// The file's text, in the order of the page.
pub(super) fn table(rows: &[Row], options: &Options) -> String {
    let line = |cells: [String; 10]| {
        let cells = cells.map(|cell| escaped(&cell));
        format!("{} \\\\\n", cells.join(" & "))
    };
    let mut text = HEAD.to_owned();
    text += &line(summary::HEAD.map(str::to_owned));
    let headings = headings(rows, options);
    if !matches!(headings.first(), Some(Some(_))) {
        text += "\\midrule\n";
    }
    for (row, heading) in rows.iter().zip(headings) {
        if let Some(heading) = heading {
            let heading = escaped(heading);
            text += &format!("\\midrule\n\\multicolumn{{10}}{{l}}{{\\textbf{{{heading}}}}} \\\\\n");
        }
        text += &line(summary::line(row, rows));
    }
    text + "\\bottomrule\n\\end{tabular}\n"
}

/// Text that LaTeX takes as text, on one line.
fn escaped(text: &str) -> String {
    let is_difference = text.len() > 1 && text.starts_with(['+', '-']);
    if is_difference && text[1..].parse::<f64>().is_ok() {
        return format!("${text}$");
    }
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => safe.extend(['\\', c]),
            '\\' => safe += "\\textbackslash{}",
            '~' => safe += "\\textasciitilde{}",
            '^' => safe += "\\textasciicircum{}",
            '<' => safe += "\\textless{}",
            '>' => safe += "\\textgreater{}",
            '|' => safe += "\\textbar{}",
            // \textquotedbl is unknown to LaTeX's default encoding.
            '"' => safe += "''",
            // After the end of a line, `[` would begin its optional argument.
            '[' => safe += "{[}",
            c if c.is_whitespace() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake::{self, gtzan};
    use crate::report::group;

    #[test]
    fn what_latex_would_take_for_a_command_is_text() {
        assert_eq!(
            escaped("50 % of a_b & {c} $#^~ \\x [1] \"q\""),
            "50 \\% of a\\_b \\& \\{c\\} \\$\\#\\textasciicircum{}\\textasciitilde{} \
             \\textbackslash{}x {[}1] ''q''"
        );
        assert_eq!((escaped("-0.052"), escaped("-")), ("$-0.052$".to_owned(), "-".to_owned()));
        assert_eq!(escaped("a\nb"), "a b");
    }

    #[test]
    fn every_line_has_as_many_cells_as_the_tabular_has_columns() {
        let folder = tempfile::tempdir().unwrap();
        let runs = [fake::run(folder.path(), &gtzan("cnn_3", 1, 0.84, 0.838))];
        let options = Options { order: vec!["a & b".to_owned()], ..fake::options() };
        let rows = group::rows(&runs, &options).unwrap();
        let text = table(&rows, &options);
        let lines: Vec<&str> = text.lines().filter(|line| line.ends_with(" \\\\")).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.matches(" & ").count() == 9), "{text}");
        assert_eq!(lines[1], "a \\& b & - & - & - & - & not run & - & - & - & - \\\\");
        let ours = runs[0].record.test.accuracy;
        let start = format!("cnn\\_3 & 0.838 (report, table 1) & {ours:.3} {{[}}");
        assert!(lines[2].starts_with(&start), "{}", lines[2]);
        assert!(lines[2].contains(&format!(" & ${:+.3}$ & inconclusive & ", ours - 0.838)));
    }
}
