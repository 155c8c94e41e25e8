//! Rules for the values of fields. A rule checks the value and describes it in the message.

use std::ops::RangeInclusive;

use serde_json::json;

use super::{Node, Value};
use crate::vocab::{nearest, quoted_list};

/// A rule for the value of a key.
pub trait Rule {
    /// The type of a valid value.
    type Made;

    /// Describes the allowed values, to follow 'must be': `an integer in [1, 128]`.
    fn allowed(&self) -> String;

    /// Returns the typed value.
    ///
    /// # Errors
    /// `Err(None)` for the usual 'must be X, found Y'; `Err(Some(text))` for a special message.
    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>>;

    /// Converts the value for the resolved tree.
    fn keep(&self, made: &Self::Made) -> serde_json::Value;

    /// The JSON Schema of the allowed values; it may allow more, but never less.
    fn schema(&self) -> serde_json::Value {
        json!({})
    }

    /// Returns a placeholder for a missing or wrong value; it is never used after a fault was
    /// reported.
    fn stand_in(&self) -> Self::Made;
}

/// A whole number in a range; `1e3` is one.
pub struct Int(RangeInclusive<i64>);

impl Int {
    /// Allows the range, both ends included. The range must not contain negative numbers.
    #[must_use]
    pub fn within(range: RangeInclusive<i64>) -> Self {
        debug_assert!(*range.start() >= 0, "integer fields are counts");
        Self(range)
    }
}

impl Rule for Int {
    type Made = usize;

    fn allowed(&self) -> String {
        format!("an integer in [{}, {}]", self.0.start(), self.0.end())
    }

    fn check(&self, node: &Node) -> Result<usize, Option<String>> {
        let x = match node.value {
            Value::Int(x) => x,
            // Beyond 2^53 not every whole number is a float.
            Value::Float(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => x as i64,
            _ => return Err(None),
        };
        if self.0.contains(&x) { Ok(x as usize) } else { Err(None) }
    }

    fn keep(&self, made: &usize) -> serde_json::Value {
        json!(made)
    }

    fn schema(&self) -> serde_json::Value {
        // `1e3` is a whole number too: for editors, it is no integer.
        let (low, high) = (self.0.start(), self.0.end());
        let mut schema = json!({ "type": "number", "multipleOf": 1, "minimum": low });
        if *high < i64::MAX {
            schema["maximum"] = json!(high);
        }
        schema
    }

    fn stand_in(&self) -> usize {
        *self.0.start() as usize
    }
}

/// A number in an interval.
pub struct Real {
    low: f64,
    high: f64,
    low_open: bool,
    high_open: bool,
}

impl Real {
    /// Allows `[low, high]`.
    #[must_use]
    pub fn from_to(low: f64, high: f64) -> Self {
        Self { low, high, low_open: false, high_open: false }
    }

    /// Allows `[low, high)`.
    #[must_use]
    pub fn from_to_below(low: f64, high: f64) -> Self {
        Self { low, high, low_open: false, high_open: true }
    }

    /// Allows `(low, high]`.
    #[must_use]
    pub fn above_to(low: f64, high: f64) -> Self {
        Self { low, high, low_open: true, high_open: false }
    }

    /// Allows `(low, high)`.
    #[must_use]
    pub fn between(low: f64, high: f64) -> Self {
        Self { low, high, low_open: true, high_open: true }
    }

    /// Allows `(0, inf)`.
    #[must_use]
    pub fn positive() -> Self {
        Self::between(0.0, f64::INFINITY)
    }

    /// Allows `[0, inf)`.
    #[must_use]
    pub fn not_negative() -> Self {
        Self::from_to_below(0.0, f64::INFINITY)
    }
}

impl Rule for Real {
    type Made = f64;

    fn allowed(&self) -> String {
        let (open, close) =
            (if self.low_open { '(' } else { '[' }, if self.high_open { ')' } else { ']' });
        format!("a number in {open}{}, {}{close}", self.low, self.high)
    }

    fn check(&self, node: &Node) -> Result<f64, Option<String>> {
        let x = match node.value {
            Value::Int(x) => x as f64,
            Value::Float(x) => x,
            _ => return Err(None),
        };
        let above = if self.low_open { x > self.low } else { x >= self.low };
        let below = if self.high_open { x < self.high } else { x <= self.high };
        if above && below { Ok(x) } else { Err(None) }
    }

    fn keep(&self, made: &f64) -> serde_json::Value {
        json!(made)
    }

    fn schema(&self) -> serde_json::Value {
        let mut schema = json!({ "type": "number" });
        if self.low.is_finite() {
            let key = if self.low_open { "exclusiveMinimum" } else { "minimum" };
            schema[key] = json!(self.low);
        }
        if self.high.is_finite() {
            let key = if self.high_open { "exclusiveMaximum" } else { "maximum" };
            schema[key] = json!(self.high);
        }
        schema
    }

    fn stand_in(&self) -> f64 {
        self.low
    }
}

/// `true` or `false`.
pub struct Flag;

impl Rule for Flag {
    type Made = bool;

    fn allowed(&self) -> String {
        "true or false".to_owned()
    }

    fn check(&self, node: &Node) -> Result<bool, Option<String>> {
        if let Value::Bool(x) = node.value { Ok(x) } else { Err(None) }
    }

    fn keep(&self, made: &bool) -> serde_json::Value {
        json!(made)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "boolean" })
    }

    fn stand_in(&self) -> bool {
        false
    }
}

/// A text that is not empty.
pub struct Text;

impl Rule for Text {
    type Made = String;

    fn allowed(&self) -> String {
        "a text".to_owned()
    }

    fn check(&self, node: &Node) -> Result<String, Option<String>> {
        match &node.value {
            Value::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &String) -> serde_json::Value {
        json!(made)
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "type": "string", "minLength": 1 })
    }

    fn stand_in(&self) -> String {
        String::new()
    }
}

/// One of several names, each with a value.
pub struct OneOf<'a, T: Copy>(pub &'a [(&'a str, T)]);

impl<T: Copy + PartialEq> Rule for OneOf<'_, T> {
    type Made = T;

    fn allowed(&self) -> String {
        quoted_list(self.0.iter().map(|(name, _)| *name))
    }

    fn check(&self, node: &Node) -> Result<T, Option<String>> {
        let Value::Text(text) = &node.value else { return Err(None) };
        if let Some((_, made)) = self.0.iter().find(|(name, _)| name == text) {
            return Ok(*made);
        }
        Err(nearest(text, self.0.iter().map(|(name, _)| *name)).map(|name| {
            format!("must be {}, found \"{text}\", did you mean `{name}`?", self.allowed())
        }))
    }

    fn keep(&self, made: &T) -> serde_json::Value {
        let name = self.0.iter().find(|(_, value)| value == made).map(|(name, _)| *name);
        json!(name)
    }

    fn schema(&self) -> serde_json::Value {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        json!({ "type": "string", "enum": names })
    }

    fn stand_in(&self) -> T {
        self.0.first().expect("a choice has at least one name").1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(value: Value) -> Node {
        Node { origin: "x.toml".to_owned(), line: 1, value }
    }

    #[test]
    fn intervals_keep_or_leave_out_their_ends() {
        let ok = |rule: Real, x: f64| rule.check(&node(Value::Float(x))).is_ok();
        assert!(ok(Real::from_to(0.0, 1.0), 1.0));
        assert!(!ok(Real::from_to_below(0.0, 1.0), 1.0));
        assert!(!ok(Real::positive(), 0.0));
        assert!(!ok(Real::not_negative(), f64::INFINITY));
        assert!(!ok(Real::not_negative(), f64::NAN));
    }

    #[test]
    fn a_whole_number_may_have_an_exponent_and_no_fraction() {
        let rule = Int::within(0..=1_000);
        let check = |x: f64| rule.check(&node(Value::Float(x)));
        assert_eq!((check(1e1), check(1e3)), (Ok(10), Ok(1_000)));
        for wrong in [1.5, 1e4, -1.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(check(wrong), Err(None), "{wrong}");
        }
        assert_eq!(Int::within(0..=i64::MAX).check(&node(Value::Float(1e17))), Err(None));
    }

    #[test]
    fn a_mistyped_choice_names_the_nearest() {
        let rule = OneOf(&[("adam", 1), ("rmsprop", 2)]);
        let said = rule.check(&node(Value::Text("adm".to_owned()))).unwrap_err();
        assert_eq!(
            said.as_deref(),
            Some("must be `adam` or `rmsprop`, found \"adm\", did you mean `adam`?")
        );
    }
}
