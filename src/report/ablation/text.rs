//! The output of `encore ablate`, at most 100 columns wide where names allow it.

use super::super::words::{MOST_COLUMNS, aligned, wrapped};
use super::measured::Ablation;
use super::section::{HEAD, lines};
use super::words::{sentence, title};

/// Everything.
pub(in crate::report) fn text(ablation: &Ablation) -> String {
    let head = format!(
        "{}: {} per {}, and what each change does to it; p by Holm's correction",
        title(ablation),
        ablation.metric.words(),
        ablation.per
    );
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    rows.extend(lines(ablation).into_iter().map(|line| line.to_vec()));
    let mut table = aligned(&rows);
    let is_wide = |line: &str| line.chars().count() > MOST_COLUMNS;
    if table.lines().any(is_wide) {
        // Names on lines of their own leave room for the numbers.
        let names: Vec<String> = rows.iter_mut().map(|row| row.remove(0)).collect();
        let numbers = aligned(&rows);
        let both = names.iter().zip(numbers.lines());
        table = both.map(|(name, numbers)| format!("{name}\n  {numbers}\n")).collect();
    }
    wrapped("", "  ", &head) + "\n" + &table + "\n" + &wrapped("", "", &sentence(ablation))
}
