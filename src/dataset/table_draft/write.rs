//! The manifest and the spec that are proposed for a table.

use std::fmt::Write;
use std::path::Path;

use super::super::recipe::MAX_NUMBERS;
use super::MINIMUM_ROWS;
use super::guess::{doubt, missing_labels};
use super::roles::Roles;
use crate::table::{Cells, ColumnSurvey, Survey, key, list, quoted};

impl Roles<'_> {
    pub(super) fn manifest(&self, name: &str, survey: &Survey, path: &Path) -> String {
        let mut text = format!(
            "title = {}\nlicence = \"not stated\"\ncitation = \"not stated\"\nhow_to_get = {}\n\n[table]\n",
            quoted(name),
            quoted(&format!("the table was {}", path.display()))
        );
        let mut line = |key: &str, value: String| {
            writeln!(text, "{key} = {value}").expect("a text can be written to");
        };
        if self.is_folder {
            line("files", list(&self.patterns));
        }
        if let Some(column) = self.file_column {
            line("file_column", quoted(column));
        }
        if let Some(id) = self.id {
            line("id", list([id]));
        }
        if survey.delimiter != ',' {
            line("delimiter", quoted(&survey.delimiter.to_string()));
        }
        if survey.decimal != '.' {
            line("decimal", quoted(&survey.decimal.to_string()));
        }
        if let Some(thousands) = survey.thousands {
            line("thousands", quoted(&thousands.to_string()));
        }
        let of = |wanted: &dyn Fn(&Cells) -> bool| -> Vec<&str> {
            let columns = self.columns.iter().filter(|(_, column)| wanted(&column.cells));
            columns.map(|(ours, _)| ours.as_str()).collect()
        };
        for (key, columns) in [
            ("booleans", of(&|cells| *cells == Cells::Booleans)),
            ("percent", of(&|cells| *cells == Cells::Percent)),
        ] {
            if !columns.is_empty() {
                line(key, list(columns));
            }
        }
        let units = self.columns.iter().filter_map(|(ours, column)| match &column.cells {
            Cells::Unit(unit) => Some(format!("{} = {}", key(ours), quoted(unit))),
            _ => None,
        });
        let units = units.collect::<Vec<_>>().join(", ");
        if !units.is_empty() {
            line("units", format!("{{ {units} }}"));
        }
        let markers = self.columns.iter().filter(|(_, column)| !column.markers.is_empty());
        let markers: Vec<String> = markers
            .map(|(ours, column)| format!("{} = {}", key(ours), list(&column.markers)))
            .collect();
        if !markers.is_empty() {
            line("missing", format!("{{ {} }}", markers.join(", ")));
        }
        let split = (self.file_column == Some("split")).then_some(("split", "split"));
        let track_columns: Vec<_> = self.track_columns.iter().copied().chain(split).collect();
        if !track_columns.is_empty() {
            text += "\n[table.track_columns]\n";
            for (ours, theirs) in track_columns {
                writeln!(text, "{ours} = {}", quoted(theirs)).expect("a text can be written to");
            }
        }
        text += "\n[table.label]\n";
        let mut line = |key: &str, value: String| {
            writeln!(text, "{key} = {value}").expect("a text can be written to");
        };
        line("column", quoted(&self.label));
        if let Some(separator) = &self.separator {
            line("first_of_list", separator.clone());
        }
        if self.numbers > MAX_NUMBERS {
            line("many_numbers", "true".to_owned());
        }
        let label = survey.columns.iter().find(|column| column.name == self.label);
        let missing = label.map(missing_labels).unwrap_or_default();
        if !missing.is_empty() {
            line("drop", list(missing));
        }
        text += "\n[table.columns]\n";
        for (ours, column) in &self.columns {
            let doubt = doubt(column, label).map(|doubt| format!(" # {doubt}"));
            writeln!(text, "{} = {}{}", key(ours), quoted(&column.name), doubt.unwrap_or_default())
                .expect("a text can be written to");
        }
        text
    }

    pub(super) fn spec(&self, name: &str, survey: &Survey) -> String {
        let columns = list(self.columns.iter().map(|(ours, _)| ours));
        let is_missing = |(_, column): &(String, &ColumnSurvey)| {
            column.n_filled < survey.n_rows || !column.markers.is_empty()
        };
        let impute = if self.columns.iter().any(is_missing) { "impute = \"median\"\n" } else { "" };
        let classes = if self.small_classes {
            format!("[classes]\nminimum_rows = {MINIMUM_ROWS}\n\n")
        } else {
            String::new()
        };
        let split = self.split(survey);
        format!(
            "title    = {}\nquestion = \"How far does a linear model get?\"\ndataset  = {}\nseeds    = [1, 2, 3]\n\n\
             [features.table]\ncolumns = {columns}\n\n{classes}[preprocess]            # fitted on the training rows only\n\
             {impute}standardize = true\n\n{split}\n\
             [model.logistic]\npenalty = \"l2\"\nmax_iterations = 1000\n",
            quoted(&format!("Logistic regression on {name}")),
            quoted(name)
        )
    }

    fn split(&self, survey: &Survey) -> String {
        let published = |column: &str, sets: &[(&str, String)]| {
            let mut text = format!("[split.listed]\ncolumn = {}\n", quoted(column));
            for (set, file) in sets.iter().filter(|(set, file)| set != file) {
                writeln!(text, "{set} = {}", quoted(file)).expect("a text can be written to");
            }
            text
        };
        if let Some(sets) = &self.sets {
            return published("split", sets);
        }
        let counts = |theirs: &str| {
            let column = survey.columns.iter().find(|column| column.name == theirs)?;
            column.counts.as_ref().map(|counts| counts.keys().cloned().collect::<Vec<_>>())
        };
        let of = |wanted: &str| {
            let column = self.track_columns.iter().find(|(ours, _)| *ours == wanted);
            column.map(|(_, theirs)| counts(theirs))
        };
        if let Some(Some(sets)) = of("split")
            && ["train", "test"].iter().all(|set| sets.iter().any(|known| known == set))
        {
            return published("split", &[]);
        }
        let is_many = |sets: Option<Vec<String>>| sets.is_none_or(|sets| sets.len() >= 20);
        let group = of("artist").is_some_and(is_many);
        let by = if group { "by = \"group\"\ngroup = \"artist\"" } else { "by = \"track\"" };
        format!("[split.random]\n{by}\nstratify = true\ntest = 0.25\nvalid = 0.0\n")
    }
}
