//! What all answers have in common: their headers, the frame of a page, and why there is none.

use std::sync::Arc;

use super::http::{Reply, StatusCode};
use super::site::Site;
use crate::report::live::{Frame, escape};

pub(super) const HTML: &str = "text/html; charset=utf-8";

/// Nothing is loaded from elsewhere, nothing runs that the program did not write, and no other page can frame ours.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; \
                      media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The report's page has its script and style in itself.
pub(super) const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                             base-uri 'none'; frame-ancestors 'none'";

/// The pages of a project.
pub(super) struct Pages(pub(super) Arc<Site>);

/// Why there is no page.
pub(super) enum Missing {
    /// There is nothing of this name.
    Unknown(String),
    /// The request makes no sense, or what it needs is not there.
    Wrong(String),
}

/// What answers an address.
pub(super) type Answer = Result<Reply, Missing>;

/// A reply with the headers that all pages have.
pub(super) fn guarded(reply: Reply, policy: &str) -> Reply {
    reply
        .with("content-security-policy", policy)
        .with("x-content-type-options", "nosniff")
        .with("referrer-policy", "no-referrer")
        .with("cross-origin-resource-policy", "same-origin")
        .with("cache-control", "no-store")
}

impl Pages {
    /// A page of the project.
    pub(super) fn page(&self, title: &str, here: &str, content: &str) -> Reply {
        self.page_with(StatusCode::OK, title, here, content)
    }

    fn page_with(&self, status: StatusCode, title: &str, here: &str, content: &str) -> Reply {
        let project = self.0.title();
        let frame = Frame { title, project: &project, here, token: self.0.guard.token() };
        guarded(Reply::new(status, HTML, frame.html(content)), POLICY)
    }

    pub(super) fn message(&self, status: StatusCode, title: &str, what: &str) -> Reply {
        let what = format!("<p role=\"alert\">{}</p>\n", escape(what).replace('\n', "<br>"));
        self.page_with(status, title, "", &what)
    }
}
