//! The manifest's settings for the notation of a table's numbers.

use crate::schema::{Fields, Keyed, List, OneOf, Text};
use crate::table::{Notation, NumberKind};

/// How the numbers of a table are written. Columns have our names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numerals {
    /// The decimal separator of every column.
    pub decimal: char,
    /// The separator that groups of three digits may have, in every column.
    pub thousands: Option<char>,
    /// Columns of `True` and `False`, `yes` and `no`, read as 1 and 0.
    pub booleans: Vec<String>,
    /// Columns of cells such as `30%`, read as 0.3.
    pub percent: Vec<String>,
    /// Columns whose cells have a unit, such as `120 BPM`.
    pub units: Vec<(String, String)>,
    /// Columns of texts that are read as their place in a list, from 0.
    pub categories: Vec<(String, Vec<String>)>,
}

impl Default for Numerals {
    fn default() -> Self {
        Self {
            decimal: '.',
            thousands: None,
            booleans: vec![],
            percent: vec![],
            units: vec![],
            categories: vec![],
        }
    }
}

impl Numerals {
    /// Reads the fields beside `columns`, whose names it checks its own against, if they are known yet.
    pub(super) fn read(fields: &mut Fields, columns: Option<&[(String, String)]>) -> Self {
        let decimals = [(".", '.'), (",", ',')];
        let thousands = [(",", ','), (".", '.'), (" ", ' '), ("'", '\'')];
        let numerals = Self {
            decimal: fields.with_default("decimal", &OneOf(&decimals), '.'),
            thousands: fields.optional("thousands", &OneOf(&thousands)),
            booleans: fields.with_default("booleans", &List::of(Text), vec![]),
            percent: fields.with_default("percent", &List::of(Text), vec![]),
            units: fields.with_default("units", &Keyed(Text), vec![]),
            categories: fields.with_default("categories", &Keyed(List::of_some(Text)), vec![]),
        };
        if numerals.thousands == Some(numerals.decimal) {
            fields.fault_at("thousands", "must differ from decimal");
        }
        let mut before: Vec<&str> = vec![];
        for (key, name) in numerals.names() {
            if columns.is_some_and(|columns| columns.iter().all(|(ours, _)| ours != name)) {
                fields.fault_at(key, &format!("contains `{name}`, which is not in columns"));
            } else if before.contains(&name) {
                let said = format!("names `{name}`, which already has another kind of cells");
                fields.fault_at(key, &said);
            }
            before.push(name);
        }
        numerals
    }

    /// The columns that the settings name, each with its key.
    pub(super) fn names(&self) -> Vec<(&'static str, &str)> {
        let booleans = self.booleans.iter().map(|name| ("booleans", name.as_str()));
        let percent = self.percent.iter().map(|name| ("percent", name.as_str()));
        let units = self.units.iter().map(|(name, _)| ("units", name.as_str()));
        let categories = self.categories.iter().map(|(name, _)| ("categories", name.as_str()));
        booleans.chain(percent).chain(units).chain(categories).collect()
    }

    /// How the cells of a column are written.
    pub(super) fn of(&self, ours: &str) -> Notation {
        let kind = if self.booleans.iter().any(|name| name == ours) {
            NumberKind::Boolean
        } else if self.percent.iter().any(|name| name == ours) {
            NumberKind::Percent
        } else if let Some((_, unit)) = self.units.iter().find(|(name, _)| name == ours) {
            NumberKind::Unit(unit.clone())
        } else if let Some((_, names)) = self.categories.iter().find(|(name, _)| name == ours) {
            NumberKind::Categories(names.clone())
        } else {
            NumberKind::Plain
        };
        Notation { decimal: self.decimal, thousands: self.thousands, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn numerals(text: &str) -> Result<Numerals, String> {
        let columns = [("tempo".to_owned(), "T".to_owned()), ("key".to_owned(), "K".to_owned())];
        let tree = Tree::parse("x.toml", text).unwrap();
        let read = read(&tree, |fields| Numerals::read(fields, Some(&columns)));
        read.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn every_column_has_one_notation() {
        let all = numerals(
            "decimal = \",\"\nthousands = \".\"\nunits = { tempo = \"BPM\" }\n\
             categories = { key = [\"C\", \"D\"] }\n",
        );
        let all = all.unwrap();
        let unit = NumberKind::Unit("BPM".to_owned());
        let tempo = Notation { decimal: ',', thousands: Some('.'), kind: unit };
        assert_eq!(all.of("tempo"), tempo);
        let names = ["C", "D"].map(str::to_owned).to_vec();
        assert_eq!(all.of("key").kind, NumberKind::Categories(names));
        assert_eq!(all.of("other").kind, NumberKind::Plain);
        assert_eq!(numerals("").unwrap(), Numerals::default());
    }

    #[test]
    fn a_column_that_is_unknown_or_has_two_kinds_is_a_fault() {
        assert_eq!(
            numerals(
                "decimal = \",\"\nthousands = \",\"\nbooleans = [\"kye\"]\npercent = [\"key\"]\n\
                 units = { key = \"x\" }\n"
            )
            .unwrap_err(),
            "x.toml:2: thousands must differ from decimal\n\
             x.toml:3: booleans contains `kye`, which is not in columns\n\
             x.toml:5: units names `key`, which already has another kind of cells"
        );
    }
}
