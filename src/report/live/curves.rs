//! Curves of any runs in one figure, with the choices of how they are drawn.

use super::super::html::scrolling;
use super::super::overlay::{
    CURVE_METRICS, CurveBy, CurveLine, CurveView, MAX_LINES, overlaid, overlaid_svg,
};
use super::super::words::escaped;

/// What the page of curves shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CurvesPage {
    /// Experiments or runs.
    pub names: Vec<String>,
    /// How they are drawn.
    pub view: CurveView,
}

impl CurvesPage {
    /// Reads the parameters of an address.
    #[must_use]
    pub fn of(parameters: &[(String, String)]) -> Self {
        let mut page = Self::default();
        for (name, value) in parameters.iter().filter(|(_, value)| !value.trim().is_empty()) {
            let value = value.trim();
            match name.as_str() {
                "run" if !page.names.iter().any(|known| known == value) => {
                    page.names.push(value.to_owned());
                }
                "metric" => value.clone_into(&mut page.view.metric),
                "by" => {
                    let by = CurveBy::ALL.into_iter().find(|by| by.as_str() == value);
                    page.view.by = by.unwrap_or_default();
                }
                "scale" => page.view.is_log = value == "log",
                "smooth" => page.view.smooth = value.parse().unwrap_or(0.0),
                _ => {}
            }
        }
        page
    }

    /// The form and the figure. `lines` are those of the names that have curves, `missing` says of the others why not;
    /// `known` are names of experiments, and `is_going_on` tells whether a line can still grow.
    #[must_use]
    pub fn html(
        &self,
        lines: &[CurveLine],
        missing: &[String],
        known: &[String],
        going_on: &[String],
    ) -> String {
        let form = self.form(known);
        let said: String = missing
            .iter()
            .map(|line| format!("<p role=\"alert\">{}</p>\n", escaped(line)))
            .collect();
        let figure = match overlaid(lines, &self.view) {
            _ if lines.is_empty() && self.names.is_empty() => {
                format!(
                    "<p>Name up to {MAX_LINES} experiments or runs, or mark runs in the table of runs.</p>\n"
                )
            }
            _ if lines.is_empty() => String::new(),
            Ok(drawn) => {
                let figure = scrolling("Curves", &overlaid_svg(&drawn, &self.view));
                format!("<section>{figure}</section>\n")
            }
            Err(message) => format!("<p role=\"alert\">{}</p>\n", escaped(&message)),
        };
        // Runs that go on are drawn again with each of their epochs.
        let live: Vec<String> = going_on.iter().map(|id| format!("run:{id}")).collect();
        let live = if live.is_empty() { "runs".to_owned() } else { live.join(" ") };
        format!("{form}{said}<div id=\"figure\" data-live=\"{}\">{figure}</div>\n", escaped(&live))
    }

    fn form(&self, known: &[String]) -> String {
        let field = |name: &str| {
            format!(
                "<label class=\"wide-field\">Experiment or run <input name=\"run\" list=\"names\" value=\"{}\"></label>\n",
                escaped(name)
            )
        };
        let mut fields: String = self.names.iter().map(|name| field(name)).collect();
        if self.names.len() < MAX_LINES {
            fields += &field("");
        }
        let option = |value: &str, words: &str, is_chosen: bool| {
            let selected = if is_chosen { " selected" } else { "" };
            format!("<option value=\"{value}\"{selected}>{words}</option>")
        };
        let metrics: String = CURVE_METRICS
            .iter()
            .map(|name| option(name, &name.replace('_', " "), *name == self.view.metric))
            .collect();
        let bys: String = CurveBy::ALL
            .iter()
            .map(|by| option(by.as_str(), by.as_str(), *by == self.view.by))
            .collect();
        let scales = option("linear", "linear", !self.view.is_log)
            + &option("log", "logarithmic", self.view.is_log);
        let names: String =
            known.iter().map(|name| format!("<option value=\"{}\">", escaped(name))).collect();
        format!(
            "<form class=\"query\" method=\"get\" action=\"/curves\" data-now>\n{fields}\
             <datalist id=\"names\">{names}</datalist>\n\
             <label>What <select name=\"metric\">{metrics}</select></label>\n\
             <label>By <select name=\"by\">{bys}</select></label>\n\
             <label>Scale <select name=\"scale\">{scales}</select></label>\n\
             <label>Smoothing, 0 to 0.99 <input name=\"smooth\" type=\"number\" min=\"0\" max=\"0.99\" step=\"0.01\" \
             value=\"{}\"></label>\n<button>Draw</button>\n</form>\n",
            self.view.smooth
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choices_of_an_address_come_back_in_the_form() {
        let query = "run=a&run=b%3C&run=a&metric=train_loss&by=seconds&scale=log&smooth=0.6";
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let page = CurvesPage::of(&parameters);
        assert_eq!(page.names, ["a", "b<"]);
        let view = CurveView {
            metric: "train_loss".to_owned(),
            by: CurveBy::Seconds,
            is_log: true,
            smooth: 0.6,
        };
        assert_eq!(page.view, view);
        let html = page.html(&[], &["no run of a".to_owned()], &[], &["x".to_owned()]);
        assert!(html.contains("value=\"b&lt;\"") && html.contains("value=\"0.6\""));
        assert!(
            html.contains("<option value=\"seconds\" selected>") && html.contains("no run of a")
        );
        assert!(html.contains("data-live=\"run:x\""));
    }
}
