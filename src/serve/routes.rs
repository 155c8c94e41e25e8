//! An address -> what answers it.

use super::answer::{Answer, HTML, Missing, POLICY, Pages, REPORT_POLICY, guarded};
use super::data_pages;
use super::guard::Refusal;
use super::http::{Handler, Head, Method, Reply, ReplyBody, Request, StatusCode};
use super::run_pages;
use super::site::Site;
use crate::report::live::{
    CurvesPage, RunsView, claims_part, compared_page, escape, report_page, runs_part, script,
    searches_part, style,
};
use crate::report::{CompareError, CurveLine, RunCurve, curve_lines};

/// Files beside the report's page, to which it leads.
const REPORT_FILES: [&str; 6] =
    ["README.md", "results.csv", "results.parquet", "epochs.csv", "epochs.parquet", "table.tex"];

impl Handler for Pages {
    fn refuse(&self, head: &Head) -> Option<Reply> {
        let message = match self.0.guard.check(head) {
            Ok(()) => return None,
            Err(Refusal::Foreign) => {
                "this page is for this computer's own browser; requests of other sites are refused"
            }
            Err(Refusal::NoToken) => {
                "open the address that encore printed: it ends with the token that lets you in"
            }
        };
        Some(self.failed(StatusCode::FORBIDDEN, message))
    }

    fn answer(&self, request: Request) -> Reply {
        let reply = match self.route(&request) {
            Ok(reply) => reply,
            Err(Missing::Unknown(what)) => self.message(StatusCode::NOT_FOUND, "Not found", &what),
            Err(Missing::Wrong(what)) => {
                self.message(StatusCode::BAD_REQUEST, "That did not work", &what)
            }
        };
        // Whoever came by the address with the token needs it only once.
        if self.0.guard.is_open() && request.value("token").is_some() {
            reply.with("set-cookie", self.0.guard.cookie())
        } else {
            reply
        }
    }

    fn failed(&self, status: StatusCode, message: &str) -> Reply {
        let text = format!("{message}\n");
        guarded(Reply::new(status, "text/plain; charset=utf-8", text), POLICY)
    }
}

impl Pages {
    fn route(&self, request: &Request) -> Answer {
        let site = &self.0;
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        if request.method == Method::POST {
            return match parts.as_slice() {
                ["run", id, "notes"] => run_pages::write_notes(site, id, request),
                _ => Err(Missing::Unknown("nothing can be changed there".to_owned())),
            };
        }
        if request.method != Method::GET && request.method != Method::HEAD {
            return Err(Missing::Wrong(format!("{} is not answered", request.method)));
        }
        match parts.as_slice() {
            [""] => Ok(self.runs(request)),
            ["style.css"] => Ok(asset("text/css; charset=utf-8", style())),
            ["script.js"] => Ok(asset("text/javascript; charset=utf-8", script())),
            ["events"] => Ok(self.events()),
            ["run", id] => run_pages::run(self, id),
            ["run", id, "wrong"] => run_pages::wrong(self, id),
            // The report's page leads to these.
            ["run" | "runs", id, file] => run_pages::file(site, id, file),
            [name] if REPORT_FILES.contains(name) => report_file(site, name),
            ["curves"] => self.curves(request),
            ["compare"] => self.compare(request),
            ["sweeps"] => self.searches(),
            ["claims"] => self.claims(),
            ["report"] => self.report(),
            ["data"] => data_pages::list(self),
            ["data", name] => data_pages::dataset(self, name, request),
            ["data", name, "sound"] => data_pages::sound(site, name, request),
            ["data", name, "mel"] => data_pages::mel(site, name, request),
            _ => Err(Missing::Unknown(format!("there is no page {}", request.path))),
        }
    }

    fn runs(&self, request: &Request) -> Reply {
        let known = self.0.known();
        let view = RunsView::of(&request.query);
        let mut content = runs_part(&view, &known.table, &known.fields);
        if !known.damaged.is_empty() {
            let lines: String =
                known.damaged.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
            content +=
                &format!("<div class=\"note bad\"><p>Damaged runs:</p><ul>{lines}</ul></div>\n");
        }
        drop(known);
        self.page("Runs", "/", &content)
    }

    fn compare(&self, request: &Request) -> Answer {
        let names: Vec<String> =
            request.values("run").into_iter().map(|name| name.trim().to_owned()).collect();
        let known = self.0.known();
        let form = compare_form(&names, &known.fields_of("experiment"));
        drop(known);
        if names.len() < 2 {
            return Ok(self.page("Compare", "/compare", &form));
        }
        let runs = self.0.runs_named(&names).map_err(Missing::Wrong)?;
        let content = match compared_page(&runs, &names) {
            Ok(compared) => format!("{form}{compared}"),
            Err(CompareError::NoRun(name)) => {
                format!("<p role=\"alert\">No finished run of {}.</p>\n{form}", escape(&name))
            }
            Err(error) => {
                format!("<p role=\"alert\">{}</p>\n{form}", escape(&error.to_string()))
            }
        };
        Ok(self.page("Compare", "/compare", &content))
    }

    fn curves(&self, request: &Request) -> Answer {
        let page = CurvesPage::of(&request.query);
        let known = self.0.known().fields_of("experiment");
        let (mut lines, mut missing, mut going_on) = (vec![], vec![], vec![]);
        let wants_finished = page.names.iter().any(|name| !self.0.is_going_on(name));
        let runs = if wants_finished { self.0.runs_named(&page.names) } else { Ok(vec![]) };
        let runs = runs.map_err(Missing::Wrong)?;
        for name in &page.names {
            if self.0.is_going_on(name) {
                let epochs = self.0.store.unfinished_epochs(name);
                let epochs = epochs.map_err(|error| Missing::Wrong(error.to_string()))?;
                going_on.push(name.clone());
                if epochs.is_empty() {
                    missing.push(format!("{name} has no epoch yet."));
                } else {
                    let runs = vec![RunCurve { epochs, steps_per_epoch: None }];
                    lines.push(CurveLine { name: name.clone(), runs });
                }
                continue;
            }
            match curve_lines(&runs, std::slice::from_ref(name)) {
                Ok(found)
                    if found
                        .iter()
                        .all(|line| line.runs.iter().all(|run| run.epochs.is_empty())) =>
                {
                    missing.push(format!(
                        "{name} has no curves: its model is not trained over epochs."
                    ));
                }
                Ok(found) => lines.extend(found),
                Err(CompareError::NoRun(name)) => missing.push(format!("No run of {name}.")),
                Err(error) => missing.push(error.to_string()),
            }
        }
        let html = page.html(&lines, &missing, &known, &going_on);
        Ok(self.page("Curves", "/curves", &html))
    }

    fn searches(&self) -> Answer {
        let made = self.0.made("searches", || Ok(searches_part(&self.0.content()?.options)));
        let content = made.map_err(Missing::Wrong)?;
        let content = format!("<div id=\"searches\" data-live=\"runs\">\n{content}</div>\n");
        Ok(self.page("Searches", "/sweeps", &content))
    }

    fn claims(&self) -> Answer {
        let made = self.0.made("claims", || {
            let content = self.0.content()?;
            claims_part(&content.runs, &content.options).map_err(|error| error.to_string())
        });
        let content = made.map_err(Missing::Wrong)?;
        let content = format!("<div id=\"claims-part\" data-live=\"runs\">\n{content}</div>\n");
        Ok(self.page("Claims", "/claims", &content))
    }

    fn report(&self) -> Answer {
        let made = self.0.made("report", || {
            let content = self.0.content()?;
            let folder = self.0.root.join("reports");
            report_page(&content.runs, &content.options, &folder).map_err(|error| error.to_string())
        });
        let html = made.map_err(Missing::Wrong)?;
        Ok(guarded(Reply::new(StatusCode::OK, HTML, html.as_bytes()), REPORT_POLICY))
    }

    /// What pages are told while they are open, until the connection ends; the page then asks again.
    fn events(&self) -> Reply {
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        let mut told = self.0.listen();
        told.mark_changed();
        tokio::runtime::Handle::current().spawn(async move {
            while told.changed().await.is_ok() {
                let event = format!("retry: 1000\ndata: {}\n\n", *told.borrow_and_update());
                if sender.send(event.into_bytes()).await.is_err() {
                    break;
                }
            }
        });
        let reply = Reply {
            status: StatusCode::OK,
            headers: vec![("content-type", "text/event-stream".to_owned())],
            body: ReplyBody::Pieces(receiver),
        };
        guarded(reply, POLICY)
    }
}

/// A file that `encore report` has written.
fn report_file(site: &Site, name: &str) -> Answer {
    let bytes = std::fs::read(site.root.join("reports").join(name))
        .map_err(|error| Missing::Unknown(format!("{name}: {error}; encore report writes it")))?;
    let is_text = !name.ends_with(".parquet");
    let kind = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    Ok(guarded(Reply::new(StatusCode::OK, kind, bytes), "default-src 'none'"))
}

fn asset(kind: &'static str, text: String) -> Reply {
    guarded(Reply::new(StatusCode::OK, kind, text), POLICY)
}

/// A form for the names to compare: experiments, versions or runs.
fn compare_form(names: &[String], experiments: &[String]) -> String {
    let field = |name: &str| {
        format!(
            "<label class=\"wide-field\">Experiment or run <input name=\"run\" list=\"names\" value=\"{}\"></label>\n",
            escape(name)
        )
    };
    let mut fields: String = names.iter().map(|name| field(name)).collect();
    fields.extend((names.len()..=names.len().max(1)).map(|_| field("")));
    let known: String =
        experiments.iter().map(|name| format!("<option value=\"{}\">", escape(name))).collect();
    format!(
        "<form class=\"query\" method=\"get\" action=\"/compare\">\n{fields}<datalist id=\"names\">{known}</datalist>\n\
         <button>Compare</button>\n</form>\n"
    )
}
