//! Parameters with their domains and conditions, and points of the space that they span.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The values that a parameter can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// Real numbers from `low` to `high`, both included, all equally likely.
    Linear {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// Real numbers from `low` to `high`, both included and above 0, whose logarithms are equally likely.
    Log {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// Whole numbers from `low` to `high`, both included.
    Int {
        /// The smallest value.
        low: i64,
        /// The largest value.
        high: i64,
    },
    /// One of these values, without an order.
    Any(Vec<Value>),
}

/// A condition on another parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The key of the other parameter.
    pub key: String,
    /// The condition holds if the other parameter is active and has one of these values.
    pub values: Vec<Value>,
}

/// A key of a spec and the values to try for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The key, unique in its space.
    pub key: String,
    /// The values.
    pub domain: Domain,
    /// How many values a grid takes of the domain; all values of `Int` if `None`. Ignored for `Any`, and by
    /// the methods that are no grid.
    pub steps: Option<usize>,
    /// The parameter is active only if all of these hold.
    pub when: Vec<Condition>,
}

/// The value of one parameter at a point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Setting {
    /// Of `Linear` or `Log`.
    Real(f64),
    /// Of `Int`.
    Int(i64),
    /// The number of a value of `Any`, from 0.
    Choice(usize),
}

/// One setting a parameter, in the order of the parameters; `None` where a parameter is not active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point(pub Vec<Option<Setting>>);

/// A point that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The point.
    pub point: Point,
    /// Lower is better; `None` if the trial failed. A loss that is not finite counts as failed.
    pub loss: Option<f64>,
}

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {message}")]
pub struct SpaceFault {
    /// The key of the parameter.
    pub key: String,
    /// The fault and what was expected.
    pub message: String,
}

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
    /// For each parameter, its conditions: the other parameter, and the settings that it may have.
    when: Vec<Vec<(usize, Vec<Setting>)>>,
    /// The parameters, each after those that its conditions name.
    order: Vec<usize>,
}

impl Space {
    /// Checks parameters.
    ///
    /// # Errors
    /// If a key occurs twice, or a condition names no parameter, a value that the other parameter cannot have,
    /// a parameter of real numbers, or leads back to its own parameter.
    ///
    /// # Panics
    /// If a domain is empty, a bound is not finite, a bound of `Log` is not above 0, or `steps` is 0.
    pub fn new(parameters: Vec<Parameter>) -> Result<Self, SpaceFault> {
        parameters.iter().for_each(assert_domain);
        let mut when = vec![];
        for (number, parameter) in parameters.iter().enumerate() {
            let fault = |message: String| SpaceFault { key: parameter.key.clone(), message };
            if parameters[..number].iter().any(|other| other.key == parameter.key) {
                return Err(fault("is there twice; expected each key once".to_owned()));
            }
            let condition = |condition: &Condition| {
                let key = &condition.key;
                let other = parameters.iter().position(|other| other.key == *key);
                let other = other.ok_or_else(|| {
                    fault(format!("its condition names `{key}`, which is not a key of the space"))
                })?;
                if condition.values.is_empty() {
                    return Err(fault(format!("its condition on `{key}` lists no value")));
                }
                let setting = |value| setting_of(&parameters[other].domain, value);
                let settings = condition.values.iter().map(setting);
                let settings = settings.collect::<Result<_, String>>().map_err(|message| {
                    fault(format!("its condition on `{key}` can never hold: {message}"))
                })?;
                Ok((other, settings))
            };
            when.push(parameter.when.iter().map(condition).collect::<Result<Vec<_>, _>>()?);
        }
        let mut order: Vec<usize> = vec![];
        while order.len() < parameters.len() {
            let is_ready = |number: &usize| {
                !order.contains(number)
                    && when[*number].iter().all(|(other, _)| order.contains(other))
            };
            let Some(next) = (0..parameters.len()).find(is_ready) else {
                // Each parameter left waits for another one: walk along until one comes again.
                let mut walk: Vec<usize> = vec![];
                let mut at = (0..parameters.len()).find(|it| !order.contains(it));
                while let Some(number) = at.filter(|number| !walk.contains(number)) {
                    walk.push(number);
                    let mut others = when[number].iter().map(|(other, _)| *other);
                    at = others.find(|other| !order.contains(other));
                }
                let start = walk.iter().position(|number| Some(*number) == at).unwrap_or(0);
                let circle = walk[start..].iter().chain(&walk[start..=start]);
                let keys: Vec<_> = circle.map(|it| format!("`{}`", parameters[*it].key)).collect();
                let message = if keys.len() == 2 {
                    "its condition names itself".to_owned()
                } else {
                    format!("conditions form a circle: {}", keys.join(" -> "))
                };
                return Err(SpaceFault { key: parameters[walk[start]].key.clone(), message });
            };
            order.push(next);
        }
        Ok(Self { parameters, when, order })
    }

    /// Returns the parameters, in the order in which they were given.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Returns a setting as the value of its parameter. A real number is the same one when its shortest decimal
    /// form is read again.
    ///
    /// # Panics
    /// If the setting is none of this parameter.
    #[must_use]
    pub fn value(&self, parameter: usize, setting: &Setting) -> Value {
        match (&self.parameters[parameter].domain, setting) {
            (Domain::Any(values), Setting::Choice(number)) => values[*number].clone(),
            (Domain::Int { .. }, Setting::Int(number)) => Value::from(*number),
            (Domain::Linear { .. } | Domain::Log { .. }, Setting::Real(number)) => {
                Value::from(*number)
            }
            (domain, setting) => panic!("{setting:?} is no setting of {domain:?}"),
        }
    }

    /// Returns where a setting lies in its domain, in `[0, 1]`, on the scale of the domain; the middle of a domain of one
    /// value. Choices are evenly spaced, `1 / (2 n)` from the ends.
    ///
    /// # Panics
    /// If the setting is none of this parameter.
    #[must_use]
    pub fn place(&self, parameter: usize, setting: &Setting) -> f64 {
        let between = |low: f64, high: f64, value: f64| {
            if low < high { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
        };
        match (&self.parameters[parameter].domain, setting) {
            (Domain::Any(values), Setting::Choice(number)) => {
                (*number as f64 + 0.5) / values.len() as f64
            }
            (Domain::Int { low, high }, Setting::Int(value)) => {
                between(*low as f64, *high as f64, *value as f64)
            }
            (Domain::Linear { low, high }, Setting::Real(value)) => between(*low, *high, *value),
            (Domain::Log { low, high }, Setting::Real(value)) => {
                between(libm::log(*low), libm::log(*high), libm::log(*value))
            }
            (domain, setting) => panic!("{setting:?} is no setting of {domain:?}"),
        }
    }

    /// The parameters, each after those that its conditions name.
    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The conditions of a parameter: the other one, and the settings that it may have.
    pub(super) fn conditions(&self, parameter: usize) -> &[(usize, Vec<Setting>)] {
        &self.when[parameter]
    }

    /// Returns whether a parameter is active; `setting` tells those of the parameters that come before it in
    /// `order`.
    pub(super) fn is_active(
        &self,
        parameter: usize,
        setting: impl Fn(usize) -> Option<Setting>,
    ) -> bool {
        self.when[parameter].iter().all(|(other, allowed)| {
            setting(*other).is_some_and(|setting| allowed.contains(&setting))
        })
    }
}

fn assert_domain(parameter: &Parameter) {
    let Parameter { key, domain, steps, .. } = parameter;
    let is_sound = match domain {
        Domain::Linear { low, high } => low <= high && (high - low).is_finite(),
        Domain::Log { low, high } => *low > 0.0 && low <= high && high.is_finite(),
        Domain::Int { low, high } => low <= high,
        Domain::Any(values) => !values.is_empty(),
    };
    assert!(is_sound, "`{key}` has no values: {domain:?}");
    assert!(*steps != Some(0), "`{key}` has 0 steps");
}

/// The setting of a value that a condition lists, or why there is none.
fn setting_of(domain: &Domain, value: &Value) -> Result<Setting, String> {
    match domain {
        Domain::Any(values) => {
            let number = values.iter().position(|other| is_same(other, value));
            let listed = || values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>();
            number
                .map(Setting::Choice)
                .ok_or_else(|| format!("expected one of {}, found `{value}`", listed().join(", ")))
        }
        Domain::Int { low, high } => match value.as_i64() {
            Some(number) if (*low..=*high).contains(&number) => Ok(Setting::Int(number)),
            _ => Err(format!("expected a whole number from {low} to {high}, found `{value}`")),
        },
        Domain::Linear { .. } | Domain::Log { .. } => {
            Err("it has any real number of a range; conditions need `any` or `int`".to_owned())
        }
    }
}

/// Returns whether two values are equal; 2 and 2.0 are.
fn is_same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && a.as_f64() == b.as_f64())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn parameter(key: &str, domain: Domain) -> Parameter {
        Parameter { key: key.to_owned(), domain, steps: None, when: vec![] }
    }

    pub(crate) fn any(key: &str, values: &[Value]) -> Parameter {
        parameter(key, Domain::Any(values.to_vec()))
    }

    pub(crate) fn when(mut parameter: Parameter, key: &str, values: &[Value]) -> Parameter {
        parameter.when.push(Condition { key: key.to_owned(), values: values.to_vec() });
        parameter
    }

    fn int(key: &str, low: i64, high: i64) -> Parameter {
        parameter(key, Domain::Int { low, high })
    }

    fn fault(parameters: Vec<Parameter>) -> String {
        Space::new(parameters).unwrap_err().to_string()
    }

    #[test]
    fn faults_of_conditions_are_told() {
        let a = || any("a", &[json!("x"), json!(2)]);
        let b = || int("b", 1, 3);
        assert_eq!(fault(vec![a(), a()]), "`a`: is there twice; expected each key once");
        assert_eq!(
            fault(vec![when(a(), "c", &[json!(1)]), b()]),
            "`a`: its condition names `c`, which is not a key of the space"
        );
        assert_eq!(
            fault(vec![a(), when(b(), "a", &[json!("y")])]),
            "`b`: its condition on `a` can never hold: expected one of `\"x\"`, `2`, found `\"y\"`"
        );
        assert_eq!(
            fault(vec![when(a(), "b", &[json!(1), json!(4)]), b()]),
            "`a`: its condition on `b` can never hold: expected a whole number from 1 to 3, found `4`"
        );
        assert!(fault(vec![a(), when(b(), "a", &[])]).contains("lists no value"));
        let real = parameter("r", Domain::Linear { low: 0.0, high: 1.0 });
        assert!(fault(vec![real, when(b(), "r", &[json!(0.5)])]).contains("need `any` or `int`"));
        assert_eq!(fault(vec![when(b(), "b", &[json!(1)])]), "`b`: its condition names itself");
        let circle = vec![
            when(int("first", 0, 9), "b", &[json!(1)]),
            when(a(), "b", &[json!(1)]),
            when(b(), "a", &[json!(2.0)]),
        ];
        assert_eq!(fault(circle), "`b`: conditions form a circle: `b` -> `a` -> `b`");
    }

    #[test]
    #[should_panic(expected = "no values")]
    fn a_logarithm_of_0_is_refused() {
        let _ = Space::new(vec![parameter("r", Domain::Log { low: 0.0, high: 1.0 })]);
    }

    #[test]
    fn values_are_those_of_the_spec() {
        let real = parameter("r", Domain::Log { low: 1e-5, high: 1.0 });
        let space =
            Space::new(vec![any("a", &[json!("x"), json!([1])]), int("b", 1, 3), real]).unwrap();
        assert_eq!(space.value(0, &Setting::Choice(1)), json!([1]));
        assert_eq!(space.value(1, &Setting::Int(3)).to_string(), "3");
        let real = 0.000_123_456_789_012_345_67;
        let text = space.value(2, &Setting::Real(real)).to_string();
        assert_eq!(text.parse::<f64>().unwrap(), real);
        assert_eq!(space.value(2, &Setting::Real(1.0)).to_string(), "1.0");
    }
}
