//! A list of named built-in items, to which a program can add its own.

use std::sync::RwLock;

/// An item that specs refer to by name.
pub trait Named: Sync + 'static {
    /// Returns the name in specs.
    fn name(&self) -> &'static str;
}

/// A list of named items: the built-in ones, then those that the running program has added.
pub struct Registry<T: Named> {
    built_in: &'static [T],
    added: RwLock<Vec<&'static T>>,
}

impl<T: Named> Registry<T> {
    /// Creates a registry of built-in items.
    #[must_use]
    pub const fn new(built_in: &'static [T]) -> Self {
        Self { built_in, added: RwLock::new(vec![]) }
    }

    /// Adds an item, which this process then knows.
    ///
    /// # Errors
    /// If the name is taken or is not a plain name.
    pub fn add(&self, entry: &'static T) -> Result<(), String> {
        let name = entry.name();
        if !super::is_plain_name(name) {
            return Err(format!("`{name}` is not a name: use letters, digits, `-`, `_` and `.`"));
        }
        let mut added = self.added.write().expect("no holder of the list panics");
        if self.built_in.iter().chain(added.iter().copied()).any(|known| known.name() == name) {
            return Err(format!("the name `{name}` is already taken"));
        }
        added.push(entry);
        Ok(())
    }

    /// Returns the item of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static T> {
        self.all().into_iter().find(|entry| entry.name() == name)
    }

    /// Returns all items, the built-in ones first.
    #[must_use]
    pub fn all(&self) -> Vec<&'static T> {
        let added = self.added.read().expect("no holder of the list panics");
        self.built_in.iter().chain(added.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Named for &'static str {
        fn name(&self) -> &'static str {
            self
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let registry = Registry::new(&["knn", "svm"]);
        assert_eq!(registry.add(&"knn").unwrap_err(), "the name `knn` is already taken");
        assert!(registry.add(&"../x").unwrap_err().contains("is not a name"));
        assert!(registry.find("mine").is_none());
        registry.add(&"mine").unwrap();
        assert_eq!(registry.find("mine"), Some(&"mine"));
        assert!(registry.add(&"mine").is_err());
        assert_eq!(registry.all(), [&"knn", &"svm", &"mine"]);
    }
}
