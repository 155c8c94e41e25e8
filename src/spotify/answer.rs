//! Reads the JSON of a response field by field. A field that is not as documented is reported with its endpoint and position.

use serde_json::Value;

use super::SpotifyError;

/// A value inside an answer, and where it stands.
pub(super) struct Answer<'a> {
    endpoint: &'a str,
    place: String,
    value: &'a Value,
}

impl<'a> Answer<'a> {
    /// The whole answer.
    pub(super) fn of(endpoint: &'a str, value: &'a Value) -> Self {
        Self { endpoint, place: String::new(), value }
    }

    /// Returns a field; a missing field is null.
    pub(super) fn field(&self, name: &str) -> Result<Self, SpotifyError> {
        let object = self.value.as_object().ok_or_else(|| self.wrong("an object"))?;
        let place =
            if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Ok(Self { place, value: object.get(name).unwrap_or(&Value::Null), ..*self })
    }

    /// Returns the value unless it is null.
    pub(super) fn given(self) -> Option<Self> {
        (!self.value.is_null()).then_some(self)
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    pub(super) fn list(&self) -> Result<impl Iterator<Item = Self>, SpotifyError> {
        let list = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        Ok(list.iter().enumerate().map(|(i, value)| Self {
            place: format!("{}[{i}]", self.place),
            value,
            ..*self
        }))
    }

    pub(super) fn text(&self) -> Result<String, SpotifyError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wrong("a text"))
    }

    pub(super) fn flag(&self) -> Result<bool, SpotifyError> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn number(&self) -> Result<f64, SpotifyError> {
        self.value.as_f64().filter(|x| x.is_finite()).ok_or_else(|| self.wrong("a number"))
    }

    /// A whole number within bounds; `4.0` is one.
    pub(super) fn whole(&self, low: i64, high: i64) -> Result<i64, SpotifyError> {
        let number = self.value.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64);
        number
            .filter(|n| (low..=high).contains(n))
            .ok_or_else(|| self.wrong(&format!("a whole number from {low} to {high}")))
    }

    /// A count from 0.
    pub(super) fn count(&self) -> Result<u64, SpotifyError> {
        self.value.as_u64().ok_or_else(|| self.wrong("a whole number from 0"))
    }

    /// An id of Spotify's: letters and digits.
    pub(super) fn id(&self) -> Result<String, SpotifyError> {
        let id = self.value.as_str().filter(|id| is_id(id));
        id.map(str::to_owned).ok_or_else(|| self.wrong("an id of letters and digits"))
    }

    pub(super) fn wrong(&self, allowed: &str) -> SpotifyError {
        let place = if self.place.is_empty() { "the answer" } else { &self.place };
        let got: String = self.value.to_string().chars().take(40).collect();
        SpotifyError::answer(self.endpoint, format!("{place} must be {allowed}, found {got}"))
    }
}

pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_documented_is_named_with_its_place() {
        let value = json!({"items": [{"name": 5, "n": 4.0}, null], "key": 12, "id": "a/b"});
        let answer = Answer::of("GET /x", &value);
        let items: Vec<Answer> = answer.field("items").unwrap().list().unwrap().collect();
        let said = |result: Result<String, SpotifyError>| result.unwrap_err().to_string();
        let name = items[0].field("name").unwrap();
        assert_eq!(said(name.text()), "GET /x: items[0].name must be a text, found 5");
        assert_eq!(items[0].field("n").unwrap().whole(0, 4).unwrap(), 4);
        let key = answer.field("key").unwrap().whole(-1, 11).unwrap_err();
        assert_eq!(key.to_string(), "GET /x: key must be a whole number from -1 to 11, found 12");
        let id = answer.field("id").unwrap();
        assert_eq!(said(id.id()), "GET /x: id must be an id of letters and digits, found \"a/b\"");
        assert!(answer.field("absent").unwrap().given().is_none());
        let lacks = items[1].field("name").err().unwrap().to_string();
        assert_eq!(lacks, "GET /x: items[1] must be an object, found null");
    }
}
