//! The searches, learning curves and ablations of a page.

use super::ReportError;
use super::ablation::{self, Ablation};
use super::learning::{self, Curve};
use super::searches;
use crate::record::Run;

/// What the sections of a page show.
pub(super) struct Studies<'a> {
    pub(super) searches: Vec<searches::Section>,
    pub(super) curves: Vec<Curve<'a>>,
    pub(super) ablations: Vec<Ablation<'a>>,
}

impl<'a> Studies<'a> {
    /// Those of the current versions of the specs, and some searches.
    pub(super) fn of(
        runs: &'a [Run],
        searches: Vec<searches::Section>,
    ) -> Result<Self, ReportError> {
        let (curves, ablations) = (learning::curves(runs)?, ablation::ablations(runs)?);
        Ok(Self { searches, curves, ablations })
    }
}
