//! Duplicate rows: detected, counted, renamed or dropped according to the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Duplicates;
use super::recipe::Rows;
use crate::table::{Table, Texts};

/// Number of ids with several labels that a note lists.
const N_NAMED: usize = 3;

impl Rows {
    /// Counts repeated rows in a note, or drops them and counts them as dropped.
    pub(super) fn without_duplicates(
        &self,
        table: &mut Table,
        dropped: &mut BTreeMap<String, usize>,
        notes: &mut Vec<String>,
    ) {
        if self.cleaning.duplicates == Duplicates::DropId {
            let names = names(self, table);
            let groups = repeated(&names);
            notes.extend(self.conflicts(table, &names, &groups));
            let again = groups.iter().flat_map(|group| &group[1..]).copied().collect();
            drop_rows(table, &again, dropped, || {
                format!("repeat the {} of an earlier row", self.id.join(" and "))
            });
            return;
        }
        let again = exact_duplicates(table);
        let words = "are equal to an earlier row in every column used";
        if self.cleaning.duplicates == Duplicates::DropExact {
            drop_rows(table, &again, dropped, || words.to_owned());
        } else if !again.is_empty() {
            notes.push(format!("{} rows {words} and are kept", again.len()));
        }
    }

    /// Describes rows with the same name that are all kept.
    pub(super) fn repeated_notes(
        &self,
        table: &Table,
        names: &[String],
        groups: &[Vec<usize>],
    ) -> Vec<String> {
        let n_again: usize = groups.iter().map(|group| group.len() - 1).sum();
        let columns = self.id.join(" and ");
        let note = format!("{n_again} rows repeat the {columns} of another row and are kept");
        let note = (n_again > 0).then_some(note);
        note.into_iter().chain(self.conflicts(table, names, groups)).collect()
    }

    /// Counts the ids whose rows have several labels, and lists some.
    fn conflicts(&self, table: &Table, names: &[String], groups: &[Vec<usize>]) -> Option<String> {
        let label = self.label.as_ref()?;
        let cells = &table.texts[&label.column];
        let labels = |group: &Vec<usize>| {
            group.iter().map(|&row| label.of(&cells[row])).collect::<BTreeSet<_>>()
        };
        let several = || groups.iter().filter(|group| labels(group).len() > 1);
        let named = several().take(N_NAMED).map(|group| {
            let labels = labels(group).into_iter().collect::<Vec<_>>().join(", ");
            format!("{} ({labels})", names[group[0]])
        });
        let named = named.collect::<Vec<_>>().join("; ");
        let (n, columns) = (several().count(), self.id.join(" and "));
        let more = if n > N_NAMED { "; …" } else { "" };
        (n > 0).then(|| format!("{n} of {columns} have rows with several labels: {named}{more}"))
    }
}

/// Drops some rows, if there are any, and counts them.
fn drop_rows(
    table: &mut Table,
    rows: &BTreeSet<usize>,
    dropped: &mut BTreeMap<String, usize>,
    reason: impl FnOnce() -> String,
) {
    if !rows.is_empty() {
        dropped.insert(reason(), rows.len());
        let keep = (0..table.lines.len()).map(|row| !rows.contains(&row));
        table.filter(&keep.collect::<Vec<_>>());
    }
}

/// Returns the rows that equal an earlier one in every used column.
fn exact_duplicates(table: &Table) -> BTreeSet<usize> {
    let texts: Vec<&Texts> = table.texts.values().collect();
    let numbers: Vec<&Vec<f64>> = table.numbers.values().collect();
    let hash = |row: usize| {
        let mut hasher = DefaultHasher::new();
        texts.iter().for_each(|cells| cells[row].hash(&mut hasher));
        numbers.iter().for_each(|cells| cells[row].to_bits().hash(&mut hasher));
        hasher.finish()
    };
    let is_equal = |a: usize, b: usize| {
        texts.iter().all(|cells| cells[a] == cells[b])
            && numbers.iter().all(|cells| cells[a].to_bits() == cells[b].to_bits())
    };
    let n_rows = table.lines.len();
    let mut hashed: Vec<(u64, usize)> = (0..n_rows).map(|row| (hash(row), row)).collect();
    hashed.sort_unstable();
    let mut again = BTreeSet::new();
    for same in hashed.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let mut firsts: Vec<usize> = vec![];
        for &(_, row) in same {
            if firsts.iter().any(|&first| is_equal(first, row)) {
                again.insert(row);
            } else {
                firsts.push(row);
            }
        }
    }
    again
}

/// Names the rows by the cells of the columns in `rows.id`, or by their line if there are none.
pub(super) fn names(rows: &Rows, table: &Table) -> Vec<String> {
    let name = |row: usize| match rows.id.as_slice() {
        [] => table.origin(row),
        [column] => table.texts[column][row].to_owned(),
        columns => {
            let parts = columns.iter().map(|column| &table.texts[column][row]);
            parts.collect::<Vec<_>>().join(" / ")
        }
    };
    (0..table.lines.len()).map(name).collect()
}

/// Groups rows with the same name, in the order of the file. Names that occur once are left out.
pub(super) fn repeated(names: &[String]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| names[a].cmp(&names[b]));
    let groups = order.chunk_by(|&a, &b| names[a] == names[b]);
    groups.filter(|group| group.len() > 1).map(<[usize]>::to_vec).collect()
}

/// Appends `#2`, `#3`, … to rows with the same name, skipping names that another row already has.
pub(super) fn told_apart(mut names: Vec<String>, groups: &[Vec<usize>]) -> Vec<String> {
    if groups.is_empty() {
        return names;
    }
    let taken: BTreeSet<String> =
        names.iter().filter(|name| name.contains(" #")).cloned().collect();
    for group in groups {
        let mut n = 1;
        for &row in &group[1..] {
            let name = loop {
                n += 1;
                let name = format!("{} #{n}", names[row]);
                if !taken.contains(&name) {
                    break name;
                }
            };
            names[row] = name;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_name_are_told_apart_and_no_name_is_taken_twice() {
        let names = ["x", "y", "x", "x #2", "x"].map(str::to_owned).to_vec();
        let groups = repeated(&names);
        assert_eq!(groups, [[0, 2, 4]]);
        assert_eq!(told_apart(names, &groups), ["x", "y", "x #3", "x #2", "x #4"]);
    }
}
