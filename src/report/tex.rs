//! The summary for LaTeX, `table.tex`: a tabular that needs the package booktabs and no other.

use super::Options;
use super::group::{Row, TaskRows, by_task, headings};
use super::summary;

const COMMENT: &str =
    "% The summary, made from the runs' records alone. It needs \\usepackage{booktabs}.\n";

/// The file's text, in the order of the page: a tabular a task.
pub(super) fn table(rows: &[Row], options: &Options) -> String {
    let tables = by_task(rows).into_iter().map(|of_task| of_one_task(&of_task, rows, options));
    COMMENT.to_owned() + &tables.collect::<Vec<_>>().join("\n")
}

fn of_one_task(of_task: &TaskRows, rows: &[Row], options: &Options) -> String {
    let TaskRows { task, title, rows: of_task } = of_task;
    let line = |cells: Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("{} \\\\\n", cells.join(" & "))
    };
    let head = summary::head(*task);
    let n_columns = head.len();
    let second = if summary::second(*task).is_some() { "r" } else { "" };
    let title = title.map_or(String::new(), |title| format!("% {title}\n"));
    let mut text = format!("{title}\\begin{{tabular}}{{lll{second}lrlrrrl}}\n\\toprule\n");
    text += &line(head);
    let headings = headings(of_task, options);
    if !matches!(headings.first(), Some(Some(_))) {
        text += "\\midrule\n";
    }
    for (row, heading) in of_task.iter().zip(headings) {
        if let Some(heading) = heading {
            let heading = escaped(heading);
            text += &format!(
                "\\midrule\n\\multicolumn{{{n_columns}}}{{l}}{{\\textbf{{{heading}}}}} \\\\\n"
            );
        }
        text += &line(summary::Line::of(row, rows, *task).cells());
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
        let ours = runs[0].record.scored().main();
        let start = format!("cnn\\_3 & 0.838 (report, table 1) & {ours:.3} {{[}}");
        assert!(lines[2].starts_with(&start), "{}", lines[2]);
        assert!(lines[2].contains(&format!(" & ${:+.3}$ & inconclusive & ", ours - 0.838)));
    }
}
