//! Who was taken for whom, as a table that is shaded by shares.

use super::table::scrolling;
use crate::report::confused::Confused;
use crate::report::group::Group;
use crate::report::words::{count, escaped};

/// Shades of the style sheet: `k0` for none to `k10` for all of a row.
const N_SHADES: f64 = 10.0;

/// A group's confusion matrix, summed over its seeds.
pub(super) fn html(group: &Group) -> String {
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
    fn shades_are_shares_of_the_row() {
        assert_eq!(cell(0, 0), "<td class=\"k0\">0</td>");
        assert_eq!(cell(1, 400), "<td class=\"k1\" title=\"0.2 %\">1</td>");
        assert_eq!(cell(1_500, 2_000), "<td class=\"k8\" title=\"75.0 %\">1,500</td>");
        assert_eq!(cell(7, 7), "<td class=\"k10\" title=\"100.0 %\">7</td>");
    }
}
