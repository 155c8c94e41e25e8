//! Requests to an MLflow server and their errors.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::ExportError;

/// The longest wait for a connection, and for the next bytes of a reply.
const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_mins(2);
/// Characters of a reply that an error shows.
const SHOWN: usize = 300;

const NOT_MLFLOW: &str = "is this the address of an MLflow server, such as http://127.0.0.1:5000?";

/// A server.
pub(super) struct Server {
    address: String,
    agent: ureq::Agent,
}

impl Server {
    /// Asks a server whether it is there.
    pub(super) fn connect(address: &str) -> Result<Self, ExportError> {
        let address = address.trim_end_matches('/').to_owned();
        let agent = ureq::AgentBuilder::new().timeout_connect(CONNECT).timeout_read(READ).build();
        let server = Self { address, agent };
        let found = server.post("experiments/search", &json!({ "max_results": 1 }))?;
        // An empty list may be left out.
        let is_list = found.as_object().is_some_and(|it| {
            it.keys().all(|key| key == "experiments" || key == "next_page_token")
        });
        if is_list { Ok(server) } else { Err(server.strange("experiments/search", &found)) }
    }

    /// The id of an experiment, which is made if it is not there.
    pub(super) fn experiment(&self, name: &str) -> Result<String, ExportError> {
        let there = self.agent.get(&self.of("experiments/get-by-name"));
        match there.query("experiment_name", name).call() {
            Ok(reply) => {
                let found = self.parse("experiments/get-by-name", reply)?;
                let experiment = &found["experiment"];
                if experiment["lifecycle_stage"] == "deleted" {
                    let id = json!({ "experiment_id": experiment["experiment_id"] });
                    self.post("experiments/restore", &id)?;
                }
                let id = experiment["experiment_id"].as_str().map(str::to_owned);
                id.ok_or_else(|| self.strange("experiments/get-by-name", &found))
            }
            Err(ureq::Error::Status(404, _)) => {
                let made = self.post("experiments/create", &json!({ "name": name }))?;
                let id = made["experiment_id"].as_str().map(str::to_owned);
                id.ok_or_else(|| self.strange("experiments/create", &made))
            }
            Err(error) => Err(self.failed("experiments/get-by-name", error)),
        }
    }

    /// The runs of the server that are a run of ours, each with its seal if it is complete.
    pub(super) fn runs_of(
        &self,
        experiment: &str,
        id: &str,
    ) -> Result<Vec<(String, Option<String>)>, ExportError> {
        let filter = format!("tags.`encore.run_id` = '{}'", id.replace('\'', ""));
        let found = self.post(
            "runs/search",
            &json!({ "experiment_ids": [experiment], "filter": filter, "max_results": 100 }),
        )?;
        let runs = found["runs"].as_array().cloned().unwrap_or_default();
        let of = |run: &Value| {
            let id = run["info"]["run_id"].as_str()?.to_owned();
            let tags = run["data"]["tags"].as_array();
            let seal = tags.into_iter().flatten().find(|tag| tag["key"] == "encore.seal");
            Some((id, seal.and_then(|tag| tag["value"].as_str()).map(str::to_owned)))
        };
        Ok(runs.iter().filter_map(of).collect())
    }

    /// Sends a request of the API and returns the reply.
    pub(super) fn post(&self, what: &str, body: &Value) -> Result<Value, ExportError> {
        match self.agent.post(&self.of(what)).send_json(body) {
            Ok(reply) => self.parse(what, reply),
            Err(error) => Err(self.failed(what, error)),
        }
    }

    /// Sends a file.
    pub(super) fn put(&self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path =
            path.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
        let what = format!("mlflow-artifacts/artifacts/{path}");
        let there = format!("{}/api/2.0/{what}", self.address);
        let request = self.agent.put(&there).set("content-type", "application/octet-stream");
        request.send_bytes(bytes).map(|_| ()).map_err(|error| self.failed(&what, error))
    }

    fn of(&self, what: &str) -> String {
        format!("{}/api/2.0/mlflow/{what}", self.address)
    }

    fn parse(&self, what: &str, reply: ureq::Response) -> Result<Value, ExportError> {
        let text = reply
            .into_string()
            .map_err(|error| self.error(what, &error.to_string(), NOT_MLFLOW))?;
        serde_json::from_str(&text).map_err(|_| {
            let shown: String = text.chars().take(SHOWN).collect();
            self.error(what, &format!("the reply is not JSON: {shown}"), NOT_MLFLOW)
        })
    }

    /// A reply that lacks what it should have.
    pub(super) fn strange(&self, what: &str, reply: &Value) -> ExportError {
        let shown: String = reply.to_string().chars().take(SHOWN).collect();
        self.error(what, &format!("a reply that MLflow does not give: {shown}"), NOT_MLFLOW)
    }

    fn failed(&self, what: &str, error: ureq::Error) -> ExportError {
        match error {
            ureq::Error::Status(code, reply) => {
                let text = reply.into_string().unwrap_or_default();
                let said: Option<Value> = serde_json::from_str(&text).ok();
                let message = said.as_ref().and_then(|said| said["message"].as_str());
                let shown: String = message.unwrap_or(&text).chars().take(SHOWN).collect();
                let hint = match code {
                    401 | 403 => {
                        "the server wants a user and a password: put them into the address, \
                                  http://USER:PASSWORD@HOST:PORT"
                    }
                    404 if said.is_none() => NOT_MLFLOW,
                    _ => "the same command continues where it stopped",
                };
                self.error(what, &format!("status {code}: {}", shown.trim()), hint)
            }
            ureq::Error::Transport(error) => {
                let hint = "start it with: mlflow server --port 5000; the same command continues where it stopped";
                self.error(what, &error.to_string(), hint)
            }
        }
    }

    fn error(&self, what: &str, message: &str, hint: &'static str) -> ExportError {
        let address = format!("{}/api/2.0/mlflow/{what}", self.address);
        ExportError::Server { address, message: message.to_owned(), hint }
    }
}
