//! Whether every value of a space makes a valid spec, before anything is trained.

use super::super::plan::{Plan, PlanError};
use super::plans::{of_trial, settings};
use crate::dataset::Catalogue;
use crate::record::{OfSearch, PartOfSearch};
use crate::schema::{Fault, Faults};
use crate::search::{Domain, Point, Setting, Space};

/// Tries the ends of every range and every listed value, one parameter at a time.
///
/// # Errors
/// All faults, each with the line of its parameter.
pub fn check(plan: &Plan, catalogue: &Catalogue) -> Result<(), Faults> {
    let Some(sweep) = &plan.spec.sweep else { return Ok(()) };
    let mut faults: Vec<Fault> = vec![];
    for (index, parameter) in sweep.space.parameters().iter().enumerate() {
        for setting in ends(&parameter.domain) {
            let point = with(&sweep.space, index, setting);
            let part = PartOfSearch::Trial { number: 0, until: None };
            let of = OfSearch { study: String::new(), part };
            let set = settings(&sweep.space, &point);
            let Err(error) = of_trial(plan, catalogue, &[], &set, vec![1], of) else { continue };
            let said = match error {
                PlanError::Spec(found) => {
                    found.0.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")
                }
                other => other.to_string(),
            };
            let value = sweep.space.value(index, &setting);
            let message =
                format!("sweep.space.{} = {value} is no valid spec: {said}", parameter.key);
            let (origin, line) = (plan.origin.clone(), sweep.lines[index]);
            faults.push(Fault { origin, line, message });
            // The other end would say the same of an unknown key.
            break;
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// The values of a domain that are tried.
fn ends(domain: &Domain) -> Vec<Setting> {
    match domain {
        Domain::Linear { low, high } | Domain::Log { low, high } => {
            vec![Setting::Real(*low), Setting::Real(*high)]
        }
        Domain::Int { low, high } => vec![Setting::Int(*low), Setting::Int(*high)],
        Domain::Any(values) => (0..values.len()).map(Setting::Choice).collect(),
    }
}

/// A point at which one parameter has a value and is active, and the others have their first values.
fn with(space: &Space, index: usize, setting: Setting) -> Point {
    let parameters = space.parameters();
    let first = |domain: &Domain| ends(domain).swap_remove(0);
    let mut wanted: Vec<Option<Setting>> = vec![None; parameters.len()];
    let mut is_active = vec![false; parameters.len()];
    let mut open = vec![(index, setting)];
    while let Some((index, setting)) = open.pop() {
        wanted[index] = Some(setting);
        is_active[index] = true;
        for condition in &parameters[index].when {
            let place = parameters.iter().position(|it| it.key == condition.key);
            let Some(place) = place.filter(|place| !is_active[*place]) else { continue };
            let value = condition.values.first();
            let setting = match (&parameters[place].domain, value) {
                (Domain::Any(values), Some(value)) => {
                    values.iter().position(|it| it == value).map(Setting::Choice)
                }
                (Domain::Int { .. }, Some(value)) => value.as_i64().map(Setting::Int),
                (_, Some(value)) => value.as_f64().map(Setting::Real),
                (_, None) => None,
            };
            open.push((place, setting.unwrap_or_else(|| first(&parameters[place].domain))));
        }
    }
    // Parameters without conditions are always active.
    for (place, parameter) in parameters.iter().enumerate() {
        if parameter.when.is_empty() && wanted[place].is_none() {
            wanted[place] = Some(first(&parameter.domain));
        }
    }
    Point(wanted)
}
