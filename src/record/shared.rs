//! A part that many records have in common, kept once in memory.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that several records may share. It reads and writes as the value itself.
#[derive(Debug, Default, PartialEq)]
pub struct Shared<T>(Arc<T>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A change is of this record alone: what is shared is copied first.
impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(self, serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

/// Makes equal values one value. The key only narrows the search.
pub(crate) struct Pool<T>(BTreeMap<String, Vec<Shared<T>>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: PartialEq> Pool<T> {
    pub(crate) fn share(&mut self, key: &str, value: &mut Shared<T>) {
        if !self.0.contains_key(key) {
            self.0.insert(key.to_owned(), vec![]);
        }
        let known = self.0.get_mut(key).expect("it was inserted");
        match known.iter().find(|known| **known == *value) {
            Some(known) => *value = known.clone(),
            None => known.push(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_become_one_and_a_change_is_of_one_record() {
        let mut pool = Pool::default();
        let mut all: Vec<Shared<String>> =
            ["a", "b", "a"].map(|text| Shared::from(text.to_owned())).into();
        all.iter_mut().for_each(|value| pool.share("key", value));
        assert!(Arc::ptr_eq(&all[0].0, &all[2].0) && !Arc::ptr_eq(&all[0].0, &all[1].0));
        all[2].push('c');
        assert_eq!((all[0].as_str(), all[2].as_str()), ("a", "ac"));
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(text, r#"["a","b","ac"]"#);
        assert_eq!(serde_json::from_str::<Vec<Shared<String>>>(&text).unwrap(), all);
    }
}
