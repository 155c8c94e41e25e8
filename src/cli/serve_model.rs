//! `serve-model`.

use std::io::Write;
use std::time::Duration;

use super::predict::{chosen, heading};
use super::serve_arguments::ServeModel;
use super::{Done, Failure, Project, json, signals};
use crate::experiment::{Predictor, RowPredictor};
use crate::serve::{Limits, Port, ServedModel};

/// The usual port.
const PORT: u16 = 8738;

/// Answers requests for predictions until Ctrl-C.
pub(super) fn serve_model(project: &Project, arguments: &ServeModel) -> Done {
    let run = chosen(project, Some(&arguments.name), arguments.trust)?;
    let catalogue = project.catalogue()?;
    let model = if run.record.spec["features"].get("table").is_some() {
        ServedModel::Rows(RowPredictor::load(&run, &catalogue)?)
    } else {
        ServedModel::Recordings(Predictor::load(&run, &catalogue)?)
    };
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let limits = Limits {
        body_bytes: (arguments.max_body as usize) << 20,
        at_a_time: arguments.jobs.map_or(n_cores, usize::from),
        waiting: arguments.waiting.into(),
        time: Duration::from_secs(arguments.timeout.into()),
    };
    let port = Port::take(arguments.host, arguments.port, PORT)?;
    let url = port.url().split('?').next().unwrap_or_default().to_owned();
    println!("{url}predict");
    println!("{}", heading(&run));
    if let Some(token) = port.token() {
        println!("every request needs the header: Authorization: Bearer {token}");
    }
    std::io::stdout().flush().map_err(|error| Failure::Internal(error.into()))?;
    json::put("url", format!("{url}predict"));
    json::put("run", &run.id);
    port.serve_model(model, &heading(&run), limits, signals::caught())?;
    Ok(())
}
