//! Who was taken for whom, as a table that is shaded by shares.

use super::table::scrolling;
use crate::report::confused::Confused;
use crate::report::group::Group;
use crate::report::words::{count, escaped};

/// Shades of the style sheet: `k0` for none to `k10` for all of a row.
const N_SHADES: f64 = 10.0;

/// A group's confusion matrix, summed over its seeds.
pub(in crate::report) fn html(group: &Group) -> String {
    let Confused { classes, counts, words } = &Confused::of(group);
    let mut head = "<tr><th scope=\"col\" class=\"corner\">actual</th>".to_owned();
    for class in classes {
        head += &format!("<th scope=\"col\"><span>{}</span></th>", escaped(class));
    }
    let mut body = String::new();
    for (row, class) in counts.iter().zip(classes) {
        body += &format!("<tr><th scope=\"row\">{}</th>", escaped(class));
        let all = row.iter().sum();
        body.extend(row.iter().map(|n| cell(*n, all)));
        body += "</tr>\n";
    }
    let over = match group.runs.len() {
        1 => String::new(),
        _ => format!(", sum of {}", group.counted()),
    };
    let of = if words.is_empty() { String::new() } else { format!("; {words}") };
    let caption = format!("Confusion matrix on the test examples{over}{of}");
    let table = format!(
        "<table class=\"matrix\"><caption><span>{caption}. Rows: the actual class; columns: the predicted \
         one; a darker shade is a larger share of the row.</span></caption>\
         <thead>{head}</tr></thead>\n<tbody>{body}</tbody></table>"
    );
    scrolling(&format!("{}: {caption}", group.experiment()), &table)
}

/// How much larger the share of a cell is in the second group than in the first, in percent points of the row.
pub(in crate::report) fn difference(first: &Group, second: &Group, names: [&str; 2]) -> String {
    let [of_first, of_second] = [first, second].map(Confused::of);
    if of_first.classes != of_second.classes {
        return "<p>They show other classes, so their difference is not shown.</p>\n".to_owned();
    }
    let mut head = "<tr><th scope=\"col\" class=\"corner\">actual</th>".to_owned();
    for class in &of_first.classes {
        head += &format!("<th scope=\"col\"><span>{}</span></th>", escaped(class));
    }
    let mut body = String::new();
    for (i, class) in of_first.classes.iter().enumerate() {
        body += &format!("<tr><th scope=\"row\">{}</th>", escaped(class));
        let share = |counts: &[usize], j: usize| {
            let all: usize = counts.iter().sum();
            if all == 0 { 0.0 } else { 100.0 * counts[j] as f64 / all as f64 }
        };
        for j in 0..of_first.classes.len() {
            let by = share(&of_second.counts[i], j) - share(&of_first.counts[i], j);
            body += &difference_cell(by, i == j);
        }
        body += "</tr>\n";
    }
    let [first, second] = names;
    let caption = format!("Shares of {second} minus those of {first}");
    let table = format!(
        "<table class=\"matrix\"><caption><span>{}, in percent points of the row. Blue: {} is better there; \
         orange: it is worse.</span></caption><thead>{head}</tr></thead>\n<tbody>{body}</tbody></table>",
        escaped(&caption),
        escaped(second)
    );
    scrolling(&caption, &table)
}

/// More on the diagonal is better, and more beside it is worse.
fn difference_cell(by: f64, is_right: bool) -> String {
    let rounded = by.round();
    if rounded == 0.0 {
        return "<td class=\"k0\">0</td>".to_owned();
    }
    let class = if (by > 0.0) == is_right { "better" } else { "worse" };
    let shade = (by.abs() / 10.0).ceil().clamp(1.0, 4.0);
    format!("<td class=\"{class}{shade}\" title=\"{by:+.1}\">{rounded:+}</td>")
}

fn cell(n: usize, all: usize) -> String {
    if n == 0 {
        return "<td class=\"k0\">0</td>".to_owned();
    }
    let share = n as f64 / all as f64;
    // What is there at all is never as pale as what is not.
    let shade = (share * N_SHADES).round().max(1.0);
    format!("<td class=\"k{shade}\" title=\"{:.1} %\">{}</td>", 100.0 * share, count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_on_the_diagonal_is_better_and_more_beside_it_is_worse() {
        assert_eq!(difference_cell(12.4, true), "<td class=\"better2\" title=\"+12.4\">+12</td>");
        assert_eq!(difference_cell(12.4, false), "<td class=\"worse2\" title=\"+12.4\">+12</td>");
        assert_eq!(difference_cell(-70.0, false), "<td class=\"better4\" title=\"-70.0\">-70</td>");
        assert_eq!(difference_cell(-0.4, true), "<td class=\"k0\">0</td>");
    }

    #[test]
    fn shades_are_shares_of_the_row() {
        assert_eq!(cell(0, 0), "<td class=\"k0\">0</td>");
        assert_eq!(cell(1, 400), "<td class=\"k1\" title=\"0.2 %\">1</td>");
        assert_eq!(cell(1_500, 2_000), "<td class=\"k8\" title=\"75.0 %\">1,500</td>");
        assert_eq!(cell(7, 7), "<td class=\"k10\" title=\"100.0 %\">7</td>");
    }
}
