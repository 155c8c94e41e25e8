//! The section of the pages: curves and a table for up to four experiments at a time.

use super::super::group::{Group, Row};
use super::super::runs::Runs;
use super::super::words::metric_interval;
use super::super::{Options, ReportError};
use super::curves::UNDEGRADED;
use super::measured::Measured;
use crate::metrics::Interval;
use crate::vocab::Task;

/// Curves in one figure at most.
const N_BESIDE: usize = 4;

/// What stands above the first figure.
pub(in crate::report) const ABOUT: &str = "What the models say of their own test recordings when these are degraded, by the strength of the \
     degradation: `encore robust`. Lines are means over the seeds, bands their 95 % intervals, which count \
     examples of one track as one. Strengths are those of `encore degrade`. A faster recording is shorter, so \
     that fewer of its examples are left.";

/// Some experiments that tell the same, measured.
pub(in crate::report) struct Section {
    pub(in crate::report) measured: Measured,
}

/// What was measured of the rows of a page; empty if nothing was.
pub(in crate::report) fn sections(
    rows: &[Row],
    options: &Options,
) -> Result<Vec<Section>, ReportError> {
    let Some(store) = &options.degraded else { return Ok(vec![]) };
    let mut sections = vec![];
    for task in Task::ALL {
        let of_task = |group: &&Group| group.task() == task;
        let mut found: Vec<(String, &Runs)> = vec![];
        for group in rows.iter().filter_map(Row::group).filter(of_task) {
            let name = match rows.iter().filter(|row| row.name() == group.experiment()).count() {
                1 => group.name(),
                _ => format!("{}, {}", group.name(), group.dataset_short()),
            };
            let mut is_known = true;
            for run in &group.runs {
                is_known = is_known && store.has(run)?;
            }
            if is_known {
                found.push((name, &**group));
            }
        }
        for sides in found.chunks(N_BESIDE) {
            let measured = Measured::read(sides, None, store)?;
            sections.extend(measured.map(|measured| Section { measured }));
        }
    }
    Ok(sections)
}

impl Section {
    /// What the columns of the table say.
    pub(in crate::report) fn head(&self) -> Vec<String> {
        let mut head = vec!["degradation".to_owned(), "strength".to_owned()];
        for name in &self.measured.names {
            head.push(format!("{name} [95 %]"));
            if self.measured.levels.len() > 1 {
                head.push("by track".to_owned());
            }
        }
        head
    }

    /// A line for every degradation and strength: its name, its strength, and the scores.
    pub(in crate::report) fn lines(&self) -> Vec<(String, String, Vec<Option<Interval>>)> {
        let measured = &self.measured;
        let scores = |at: usize| -> Vec<Option<Interval>> {
            let levels = 0..measured.levels.len();
            let of_side = |side: usize| {
                levels.clone().map(move |level| measured.score(level, side, at).copied())
            };
            (0..measured.names.len()).flat_map(of_side).collect()
        };
        let mut lines = vec![];
        if measured.degradations[0] == UNDEGRADED {
            lines.push(("undegraded".to_owned(), String::new(), scores(0)));
        }
        for curve in &measured.curves {
            for point in curve.points.iter().filter(|point| point.label != UNDEGRADED) {
                let strength = format!("{} {}", curve.parameter, point.label).trim().to_owned();
                lines.push((curve.name.clone(), strength, scores(point.index)));
            }
        }
        lines
    }

    /// A score in the form of the table.
    pub(in crate::report) fn words(&self, score: Option<&Interval>) -> String {
        score.map_or("-".to_owned(), |score| metric_interval(self.measured.metric, score))
    }
}
