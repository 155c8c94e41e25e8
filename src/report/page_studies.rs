//! The learning curves and ablations of a page.

use super::ReportError;
use super::ablation::{self, Ablation};
use super::learning::{self, Curve};
use crate::record::Run;

/// What the sections of a page show.
pub(super) struct Studies<'a> {
    pub(super) curves: Vec<Curve<'a>>,
    pub(super) ablations: Vec<Ablation<'a>>,
}

impl<'a> Studies<'a> {
    /// Those of the current versions of the specs.
    pub(super) fn of(runs: &'a [Run]) -> Result<Self, ReportError> {
        Ok(Self { curves: learning::curves(runs)?, ablations: ablation::ablations(runs)? })
    }
}
