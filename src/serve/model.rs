//! A model behind HTTP: recordings or rows in, predictions as JSON out, with the bits of `encore predict`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::guarded;
use super::guard::{Guard, Refusal};
use super::http::{Handler, Head, Method, Reply, Request, StatusCode};
use crate::delimited;
use crate::disk;
use crate::experiment::{
    Item, PredictError, PredictedRow, PredictionLine, Predictor, RowPredictor,
};

const JSON: &str = "application/json";
/// A reply is data: a browser shows it and runs nothing.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Rows that a request may have.
const MAX_ROWS: usize = 100_000;

/// What answers requests.
pub enum ServedModel {
    /// A model of recordings.
    Recordings(Predictor),
    /// A model of rows of a table.
    Rows(RowPredictor),
}

/// The model with what is said of it.
pub(super) struct ModelPages {
    pub(super) guard: Guard,
    pub(super) model: ServedModel,
    /// What the model is, as JSON.
    pub(super) about: Value,
}

/// A failed request: the status, and why.
type Failed = (StatusCode, String);

impl Handler for ModelPages {
    fn refuse(&self, head: &Head) -> Option<Reply> {
        match self.guard.check(head) {
            Ok(()) => None,
            Err(Refusal::Foreign) => {
                Some(self.failed(StatusCode::FORBIDDEN, "requests of other sites are refused"))
            }
            Err(Refusal::NoToken) => {
                let message = "the header `Authorization: Bearer TOKEN` is missing or wrong; encore printed the token";
                Some(self.failed(StatusCode::FORBIDDEN, message))
            }
        }
    }

    fn answer(&self, request: Request) -> Reply {
        let answered = match (request.method == Method::POST, request.path.as_str()) {
            (false, "/") => Ok(self.about.to_string()),
            (false, "/health") => Ok(json!({ "status": "ok" }).to_string()),
            (true, "/" | "/predict") => match &self.model {
                ServedModel::Recordings(predictor) => recording(predictor, &request.body),
                ServedModel::Rows(predictor) => rows(predictor, &request),
            },
            (false, "/predict") => Err((
                StatusCode::METHOD_NOT_ALLOWED,
                "POST a recording or rows to /predict".to_owned(),
            )),
            (_, path) => Err((StatusCode::NOT_FOUND, format!("there is nothing at {path}"))),
        };
        match answered {
            Ok(text) => guarded(Reply::new(StatusCode::OK, JSON, text + "\n"), POLICY),
            Err((status, message)) => self.failed(status, &message),
        }
    }

    fn failed(&self, status: StatusCode, message: &str) -> Reply {
        let text = json!({ "error": message }).to_string() + "\n";
        guarded(Reply::new(status, JSON, text), POLICY)
    }
}

/// Predicts a recording, whose file is the body.
fn recording(predictor: &Predictor, body: &[u8]) -> Result<String, Failed> {
    if body.is_empty() {
        return Err((
            StatusCode::BAD_REQUEST,
            "the body is empty; expected an audio file".to_owned(),
        ));
    }
    let file = TemporaryFile::with(body)?;
    // Errors name the file, whose name means nothing to the client.
    let guess =
        predictor.guess(&file.0).map_err(|error| unusable(&error, &file.0, "the recording"))?;
    let item =
        Item { n_segments: Some(guess.n_segments), warnings: &guess.warnings, ..Item::default() };
    let outcome = Ok((&guess.answer, guess.outputs.as_slice()));
    Ok(text(&PredictionLine { item: &item, names: &[], classes: predictor.classes(), outcome }))
}

fn text(line: &PredictionLine) -> String {
    serde_json::to_string(line).expect("a prediction is plain data")
}

fn unusable(error: &PredictError, path: &Path, called: &str) -> Failed {
    let message = error.to_string().replace(&path.display().to_string(), called);
    (StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Predicts rows: a JSON list of objects, or a CSV file with a header.
fn rows(predictor: &RowPredictor, request: &Request) -> Result<String, Failed> {
    let body = &request.body;
    let is_json = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let file = match is_json {
        Some(b'[' | b'{') => TemporaryFile::with(csv(body)?.as_bytes())?,
        Some(_) => TemporaryFile::with(body)?,
        None => {
            let expected =
                "the body is empty; expected a JSON list of objects, or CSV with a header";
            return Err((StatusCode::BAD_REQUEST, expected.to_owned()));
        }
    };
    let path = &file.0;
    let said = |error: &PredictError| unusable(error, path, "the rows");
    let table = predictor.open(path).map_err(|error| said(&error))?;
    let names: Vec<String> = table.id_columns().iter().map(|name| (*name).to_owned()).collect();
    let mut lines = vec![];
    let predicted = table.predict(|rows: &[PredictedRow]| {
        for row in rows {
            let item = Item { names: &row.ids, ..Item::default() };
            let outcome = match &row.outcome {
                Ok((answer, outputs)) => Ok((answer, outputs.as_slice())),
                Err(reason) => Err(reason.as_str()),
            };
            let classes = predictor.classes();
            lines.push(text(&PredictionLine { item: &item, names: &names, classes, outcome }));
        }
        Ok::<(), PredictError>(())
    });
    predicted.map_err(|error| said(&error))?;
    Ok(format!("{{\"predictions\":[{}]}}", lines.join(",")))
}

/// Rows as CSV: a list of objects, or `{"rows": [...]}`.
fn csv(body: &[u8]) -> Result<String, Failed> {
    let wrong = |message: String| (StatusCode::BAD_REQUEST, message);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("the body is not JSON: {error}")))?;
    let list = value.get("rows").unwrap_or(&value);
    let objects: Option<Vec<&Map<String, Value>>> =
        list.as_array().and_then(|list| list.iter().map(Value::as_object).collect());
    let Some(objects) = objects.filter(|objects| !objects.is_empty()) else {
        let expected =
            "expected a list of objects with the columns of a row, e.g. [{\"tempo\": 120.5}]";
        return Err(wrong(expected.to_owned()));
    };
    if objects.len() > MAX_ROWS {
        return Err(wrong(format!(
            "at most {MAX_ROWS} rows in a request, found {}",
            objects.len()
        )));
    }
    let mut names: Vec<&str> = vec![];
    for name in objects.iter().flat_map(|object| object.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut rows = delimited::Writer::default();
    rows.row(names.iter().map(|name| (*name).to_owned()));
    for object in objects {
        let cell = |name: &&str| match object.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        rows.row(names.iter().map(cell));
    }
    Ok(rows.text())
}

/// A file of this request alone, which is removed when it is answered.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn with(bytes: &[u8]) -> Result<Self, Failed> {
        let path = std::env::temp_dir().join(format!("encore-{}", disk::unique_name()));
        let file = Self(path);
        std::fs::write(&file.0, bytes).map_err(|error| {
            let message = format!("the request cannot be kept while it is answered: {error}");
            (StatusCode::INSUFFICIENT_STORAGE, message)
        })?;
        Ok(file)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // A file that can't be removed is no reason to withhold the answer.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a server says of its model: where it comes from, what it says, how to ask.
pub(super) fn about(model: &ServedModel, heading: &str, limits: &super::Limits) -> Value {
    let (classes, task, takes) = match model {
        ServedModel::Recordings(it) => (it.classes(), it.task(), "an audio file as the body"),
        ServedModel::Rows(it) => (
            it.classes(),
            it.task(),
            "a JSON list of objects with the columns of a row, or CSV with a header",
        ),
    };
    json!({
        "model": heading, "task": task.as_str(), "classes": classes,
        "post": { "path": "/predict", "body": takes, "max_bytes": limits.body_bytes,
                  "max_seconds": limits.time.as_secs() },
    })
}

impl super::Port {
    /// Answers requests for predictions until `stop` is set. `heading` says what the model is.
    ///
    /// # Errors
    /// If the server can't go on.
    pub fn serve_model(
        self,
        model: ServedModel,
        heading: &str,
        limits: super::Limits,
        stop: &std::sync::atomic::AtomicBool,
    ) -> Result<(), super::ServeError> {
        let about = about(&model, heading, &limits);
        let pages = Arc::new(ModelPages { guard: self.guard, model, about });
        super::http::serve(self.listener, limits, pages, stop)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_table_with_all_their_columns() {
        let csv = |text: &str| csv(text.as_bytes()).map_err(|(_, message)| message);
        let table = csv(r#"[{"a": 1, "b": "x, y"}, {"b": null, "c": true}]"#).unwrap();
        assert_eq!(table, "a,b,c\n1,\"x, y\",\n,,true\n");
        assert_eq!(csv(r#"{"rows": [{"a": 0.1}]}"#).unwrap(), "a\n0.1\n");
        assert!(csv("[1]").unwrap_err().starts_with("expected a list of objects"));
        assert!(csv("[]").unwrap_err().starts_with("expected a list of objects"));
        assert!(csv("[{").unwrap_err().starts_with("the body is not JSON"));
    }
}
