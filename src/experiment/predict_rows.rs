//! Predictions for the rows of a table with the model of a run.

use std::collections::BTreeMap;
use std::path::Path;

use super::command::Trained;
use super::ensemble;
use super::error::RunError;
use super::plan::Plan;
use super::predict::{Answer, PredictError, catalogue_of};
use crate::dataset::Catalogue;
use crate::features::{Features, TableColumns};
use crate::model::{self, OpinionPool, Preprocessor};
use crate::record::Run;
use crate::table::{Csv, Piece, TableError};
use crate::vocab::{Targets, Task};

/// A run's model, with everything that turns a row of a table into an example.
pub struct RowPredictor {
    plan: Plan,
    /// One, or the members of an ensemble.
    models: Vec<RowModel>,
    /// What makes one prediction of those of several members.
    pool: Option<OpinionPool>,
    classes: Vec<String>,
}

/// A model, with what it wants of a row.
struct RowModel {
    shape: Vec<usize>,
    columns: TableColumns,
    preprocessor: Option<Preprocessor>,
    trained: Trained,
    n_outputs: usize,
}

/// A table of new rows, whose columns were found.
pub struct NewRows<'a> {
    predictor: &'a RowPredictor,
    csv: Csv<'a>,
    path: &'a Path,
    absent_ids: Vec<String>,
}

/// A row of a table with its prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedRow {
    /// The line of the file that it begins on; of a Parquet file, the line that it would have in a CSV file.
    pub line: usize,
    /// Its cells in the columns of [`NewRows::id_columns`].
    pub ids: Vec<String>,
    /// What the model says with the probabilities of all classes or tags, or the number; or why the row can't be
    /// used.
    pub outcome: Result<(Answer, Vec<f32>), String>,
}

/// What was found in the rows of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows in the file.
    pub n_rows: usize,
    /// Rows that can't be used.
    pub n_unusable: usize,
    /// Rows whose missing number was imputed, by column.
    pub imputed: BTreeMap<String, usize>,
    /// Rows with a level that no training row has, by column.
    pub unseen: BTreeMap<String, usize>,
}

impl RowPredictor {
    /// Reads a run's spec, manifest, preprocessing and model.
    ///
    /// # Errors
    /// Where the run was not trained on a table, or its files are damaged.
    pub fn load(run: &Run, catalogue: &Catalogue) -> Result<Self, PredictError> {
        let catalogue = catalogue_of(run, catalogue)?;
        let plan = Plan::of_run(run, &catalogue)?;
        if !matches!(plan.spec.features, Features::Table(_)) {
            let kind = plan.spec.dataset.kind().as_str();
            let message = format!("run {} was trained on {kind}, not on a table", run.id);
            return Err(PredictError::Incompatible(message));
        }
        let classes = run.record.data.classes.clone();
        if plan.spec.model.ensemble().is_none() {
            let models = vec![RowModel::load(&plan, run, &catalogue)?];
            return Ok(Self { plan, models, pool: None, classes });
        }
        let model = |run: &Run| RowModel::load(&Plan::of_run(run, &catalogue)?, run, &catalogue);
        let (members, pool) = ensemble::recorded(run)?;
        let models = members.iter().map(model).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { plan, models, pool: Some(pool), classes })
    }

    /// What a reader of all predictions should know.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.models.iter().find_map(|model| model.trained.note())
    }

    /// What the model tells.
    #[must_use]
    pub fn task(&self) -> Task {
        self.plan.spec.target.task()
    }

    /// The classes or tags in the order of the probabilities, or the name of the number.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Finds the columns of a CSV or Parquet file by the manifest that the run recorded. The file needs
    /// the columns that the model uses, and no label. It may lack the id columns.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn open<'a>(&'a self, path: &'a Path) -> Result<NewRows<'a>, PredictError> {
        let dataset = &self.plan.spec.dataset;
        let mut columns: Vec<String> = vec![];
        for column in self.models.iter().flat_map(|model| model.columns.columns()) {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        let mut csv = dataset.new_rows(&columns).ok_or_else(|| {
            PredictError::Incompatible(format!("the dataset {} is not a table", dataset.name))
        })?;
        let mut absent_ids = vec![];
        if !csv.texts.is_empty() {
            let header = csv.header(path)?;
            let absent = csv.texts.iter().filter(|id| !header.iter().any(|name| name == **id));
            absent_ids = absent.map(|id| (*id).to_owned()).collect();
        }
        if !absent_ids.is_empty() {
            csv.texts.clear();
        }
        Ok(NewRows { predictor: self, csv, path, absent_ids })
    }
}

impl RowModel {
    fn load(plan: &Plan, run: &Run, catalogue: &Catalogue) -> Result<Self, PredictError> {
        let Features::Table(columns) = &plan.spec.features else {
            return Err(PredictError::Incompatible("the run has no columns of a table".to_owned()));
        };
        let folder = run.folder.join("model");
        let has_preprocess = plan.spec.preprocess.is_some();
        let preprocessor = has_preprocess.then(|| Preprocessor::load(&folder));
        Ok(Self {
            shape: plan.spec.shape.clone(),
            columns: columns.clone(),
            preprocessor: preprocessor.transpose().map_err(RunError::from)?,
            trained: Trained::load(plan, run, catalogue)?,
            n_outputs: run.record.data.classes.len(),
        })
    }

    /// Probabilities, `[n_rows, n_classes]`, of rows of `width` numbers that are not preprocessed yet.
    fn probabilities(
        &self,
        mut matrix: Vec<f32>,
        counts: &mut RowCounts,
    ) -> Result<Vec<f32>, PredictError> {
        let width = self.columns.width();
        let n_rows = matrix.len() / width;
        if n_rows == 0 {
            return Ok(vec![]);
        }
        if let Some(preprocessor) = &self.preprocessor {
            for row in matrix.chunks_exact(width) {
                let imputed = preprocessor.imputed(row);
                imputed.for_each(|name| *counts.imputed.entry(name.to_owned()).or_default() += 1);
                let unseen = preprocessor.unseen(row);
                unseen.for_each(|name| *counts.unseen.entry(name.to_owned()).or_default() += 1);
            }
        }
        if let Trained::Program(program) = &self.trained
            && program.wants_table()
        {
            return Ok(program.rows(&self.columns.names(), &matrix)?);
        }
        if let Some(preprocessor) = &self.preprocessor {
            matrix = preprocessor.apply(&matrix).map_err(RunError::from)?;
        }
        let rows: Vec<usize> = (0..n_rows).collect();
        let examples = model::Examples {
            shape: &self.shape,
            matrix: &matrix,
            targets: &Targets::Classes(vec![]),
            rows: &rows,
            n_outputs: self.n_outputs,
        };
        match &self.trained {
            Trained::Own(model) => Ok(model.predict(&examples).map_err(RunError::from)?),
            Trained::Program(program) => Ok(program.examples(&examples, None)?),
        }
    }
}

impl NewRows<'_> {
    /// The columns that name a row. There are none if the manifest declares none, or if the file lacks one.
    #[must_use]
    pub fn id_columns(&self) -> &[&str] {
        &self.csv.texts
    }

    /// Id columns of the manifest that the file lacks.
    #[must_use]
    pub fn absent_ids(&self) -> &[String] {
        &self.absent_ids
    }

    /// Predicts every row, in the order of the file. `receive` gets some thousand rows at a time, so the
    /// memory does not grow with the file.
    ///
    /// # Errors
    /// Where the file can't be read as a table, a column is missing, or `receive` fails.
    pub fn predict<E: From<PredictError>>(
        &self,
        mut receive: impl FnMut(&[PredictedRow]) -> Result<(), E>,
    ) -> Result<RowCounts, E> {
        let mut counts = RowCounts::default();
        let done = self.csv.in_pieces(self.path, |piece| {
            let rows = self.rows(piece, &mut counts)?;
            receive(&rows).map_err(Stop::Receiver)
        });
        match done {
            Ok(()) => Ok(counts),
            Err(Stop::Predict(error)) => Err(error.into()),
            Err(Stop::Receiver(error)) => Err(error),
        }
    }

    fn rows(
        &self,
        Piece { table, mut faults }: Piece,
        counts: &mut RowCounts,
    ) -> Result<Vec<PredictedRow>, PredictError> {
        let n_rows = table.lines.len();
        let models = &self.predictor.models;
        // The numbers of the rows in use, and what each model makes of these rows.
        let mut rows_of: Vec<(Vec<usize>, Vec<f32>)> = vec![];
        for model in models {
            let columns: Vec<&Vec<f64>> =
                model.columns.columns().iter().map(|name| &table.numbers[name]).collect();
            let (mut rows, mut matrix) = (vec![], vec![]);
            for row in 0..n_rows {
                if faults.contains_key(&row) {
                    continue;
                }
                let values: Vec<f64> = columns.iter().map(|column| column[row]).collect();
                match model.columns.push_example(&values, &mut matrix) {
                    Ok(()) => rows.push(row),
                    Err(reason) => drop(faults.insert(row, reason)),
                }
            }
            rows_of.push((rows, matrix));
        }
        counts.n_rows += n_rows;
        counts.n_unusable += faults.len();
        let n_classes = self.predictor.classes.len();
        let mut said = vec![];
        for (model, (rows, mut matrix)) in models.iter().zip(rows_of) {
            // A row that one member can't use has no prediction.
            if rows.len() + faults.len() > n_rows {
                let of_row = matrix.chunks_exact(model.columns.width()).zip(rows);
                let usable = of_row.filter(|(_, row)| !faults.contains_key(row));
                matrix = usable.flat_map(|(example, _)| example.to_vec()).collect();
            }
            said.push(model.probabilities(matrix, counts)?);
        }
        let probabilities = match &self.predictor.pool {
            Some(pool) => pool.predict(&said),
            None => said.swap_remove(0),
        };
        let task = self.predictor.task();
        let mut predicted = probabilities.chunks_exact(n_classes);
        let row = |row: usize| PredictedRow {
            line: table.lines[row],
            ids: self.csv.texts.iter().map(|id| table.texts[*id][row].to_owned()).collect(),
            outcome: match faults.remove(&row) {
                Some(reason) => Err(reason),
                None => {
                    let outputs = predicted.next().expect("a usable row has a prediction");
                    Ok((Answer::of(outputs, task), outputs.to_vec()))
                }
            },
        };
        Ok((0..n_rows).map(row).collect())
    }
}

/// Why the work stopped.
enum Stop<E> {
    Predict(PredictError),
    Receiver(E),
}

impl<E> From<PredictError> for Stop<E> {
    fn from(error: PredictError) -> Self {
        Self::Predict(error)
    }
}

impl<E> From<TableError> for Stop<E> {
    fn from(error: TableError) -> Self {
        Self::Predict(error.into())
    }
}
