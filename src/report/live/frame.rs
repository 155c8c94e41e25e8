//! The head, the navigation and the foot of every page; addresses with parameters.

use super::super::words::escaped;

/// What stands around the content of a page.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The title of the page.
    pub title: &'a str,
    /// The title of the project.
    pub project: &'a str,
    /// The path of the navigation's entry that the page belongs to; empty for none.
    pub here: &'a str,
    /// What every change has to come with.
    pub token: &'a str,
}

/// The pages that every page leads to.
const NAVIGATION: [(&str, &str); 7] = [
    ("/", "Runs"),
    ("/curves", "Curves"),
    ("/compare", "Compare"),
    ("/sweeps", "Searches"),
    ("/data", "Data"),
    ("/claims", "Claims"),
    ("/report", "Report"),
];

impl Frame<'_> {
    /// The page with its content, which is markup.
    #[must_use]
    pub fn html(&self, content: &str) -> String {
        let [title, project, token] = [self.title, self.project, self.token].map(escaped);
        let link = |(path, name): (&str, &str)| {
            let current = if path == self.here { " aria-current=\"page\"" } else { "" };
            format!("<a href=\"{path}\"{current}>{name}</a>")
        };
        let links: String = NAVIGATION.into_iter().map(link).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"encore-token\" content=\"{token}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <title>{title} - {project}</title>\n</head>\n<body id=\"top\" class=\"live\">\n\
             <a class=\"skip\" href=\"#main\">Skip to the content</a>\n\
             <header>\n<p class=\"kicker\">{project} <span id=\"connection\" role=\"status\"></span></p>\n\
             <nav aria-label=\"Pages\">{links}</nav>\n</header>\n\
             <main id=\"main\">\n<h1>{title}</h1>\n{content}</main>\n\
             <script src=\"/script.js\" defer></script>\n</body>\n</html>\n"
        )
    }
}

/// Text as markup.
#[must_use]
pub fn escape(text: &str) -> String {
    escaped(text)
}

/// A path with parameters, percent-encoded, as markup for an attribute.
#[must_use]
pub fn address<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let (query, path) = (query.finish(), segments(path));
    let end = if query.is_empty() { String::new() } else { format!("?{query}") };
    escaped(&format!("{path}{end}"))
}

/// A path whose parts are percent-encoded.
fn segments(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_titles_are_escaped() {
        let there = address("/run/a b<", [("where", "x > \"1\" & y"), ("run", "é")]);
        assert_eq!(there, "/run/a%20b%3C?where=x+%3E+%221%22+%26+y&amp;run=%C3%A9");
        let frame = Frame { title: "<b>", project: "a & b", here: "/data", token: "t" };
        let page = frame.html("<p>x</p>");
        assert!(page.contains("<h1>&lt;b&gt;</h1>\n<p>x</p>") && page.contains("a &amp; b"));
        assert!(page.contains("<a href=\"/data\" aria-current=\"page\">Data</a>"));
    }
}
