//! The plans of trials and winners: the spec of the study, with their settings as overrides.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::super::options::{DataChoice, Options, Shrink};
use super::super::plan::{Plan, PlanError};
use crate::dataset::Catalogue;
use crate::record::OfSearch;
use crate::search::{Domain, Parameter, Point, Setting, Space};

/// The plan of a trial, or of a winner.
pub(super) fn of_trial(
    plan: &Plan,
    catalogue: &Catalogue,
    fixed: &[String],
    settings: &[String],
    seeds: Vec<u64>,
    of: OfSearch,
) -> Result<Plan, PlanError> {
    let options = Options {
        set: [&plan.options.set, fixed, settings].concat(),
        unset: plan.options.unset.clone(),
        data: DataChoice::Named(plan.spec.dataset.name.clone()),
        seeds: Some(seeds),
        shrink: Shrink { max_seeds: None, ..plan.options.shrink },
        device: plan.options.device,
        search: Some(of),
    };
    Plan::from_text(plan.name.clone(), &plan.origin, plan.text.clone(), catalogue, &options)
}

/// The settings of a point as overrides.
pub(super) fn settings(space: &Space, point: &Point) -> Vec<String> {
    let set = |(index, setting): (usize, &Option<Setting>)| {
        let Parameter { key, domain, .. } = &space.parameters()[index];
        let setting = match (setting.as_ref()?, domain) {
            (Setting::Real(x), Domain::Linear { low, high } | Domain::Log { low, high }) => {
                Setting::Real(rounded(*x).clamp(*low, *high))
            }
            (setting, _) => *setting,
        };
        Some(format!("{key}={}", toml(&space.value(index, &setting))))
    };
    point.0.iter().enumerate().filter_map(set).collect()
}

/// Four significant digits: more would only be harder to read.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().expect("a number that was just written")
}

/// A value as TOML on one line.
pub(super) fn toml(value: &Json) -> String {
    match value {
        Json::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(table) => {
            let mut text = String::new();
            for (key, value) in table {
                let comma = if text.is_empty() { "" } else { ", " };
                let _ = write!(text, "{comma}{} = {}", toml(&json!(key)), toml(value));
            }
            format!("{{ {text} }}")
        }
        // JSON's texts and numbers are TOML's. It has no null.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_number_has_four_digits_and_stays_in_its_range() {
        let [low, high] = [0.123_44, 0.999_96];
        let parameter =
            |domain| Parameter { key: "a".to_owned(), domain, steps: None, when: vec![] };
        let space = Space::new(vec![parameter(Domain::Linear { low, high })]).unwrap();
        let of = |x: f64| settings(&space, &Point(vec![Some(Setting::Real(x))]));
        assert_eq!(of(0.273_364_876_103_420_6), ["a=0.2734"]);
        assert_eq!(of(low), ["a=0.12344"]);
        assert_eq!(of(high), ["a=0.99996"]);
        assert_eq!(of(0.987_64), ["a=0.9876"]);
    }

    #[test]
    fn values_are_toml_on_one_line() {
        let value = json!({ "a": [1, 2.5, "x \"y\"", true], "b c": { "d": 1e-7 } });
        let text = toml(&value);
        assert_eq!(text, r#"{ "a" = [1, 2.5, "x \"y\"", true], "b c" = { "d" = 1e-7 } }"#);
        let mut tree = crate::schema::Tree::parse("x.toml", "").unwrap();
        tree.set(&format!("all={text}")).unwrap();
        assert!(tree.has(&["all", "b c", "d"]));
    }
}
