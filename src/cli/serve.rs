//! `serve`.

use std::io::Write;

use super::serve_arguments::Serve;
use super::{Done, Failure, Project, json, signals};
use crate::serve::{Port, ServeError};

/// The usual port.
const PORT: u16 = 8737;

/// Serves the project until Ctrl-C.
pub(super) fn serve(project: &Project, arguments: &Serve) -> Done {
    // Says at once what is wrong with the project, rather than in the browser.
    let (library, _) = (project.library()?, project.catalogue()?);
    project.settings(&library);
    let port = Port::take(arguments.host, arguments.port, PORT)?;
    println!("{}", port.url());
    println!("the page is there until Ctrl-C; runs do not need it");
    // Whoever started it waits for the address.
    std::io::stdout().flush().map_err(|error| Failure::Internal(error.into()))?;
    json::put("url", port.url());
    port.serve_project(&project.root, signals::caught())?;
    Ok(())
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Address { .. } => Self::Usage(error.to_string()),
            ServeError::Store(error) => error.into(),
            ServeError::Io(_) => Self::Internal(error.into()),
        }
    }
}
