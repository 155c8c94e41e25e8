//! Who may ask: only this host's own pages, and from elsewhere only those who know the token.

use std::net::SocketAddr;

use super::http::{Head, Method};

/// The name of the cookie that holds the token.
const COOKIE: &str = "encore";

/// What a server lets in.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    address: SocketAddr,
    token: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another site's page asks, or a name that is not this host's leads here.
    Foreign,
    /// The token is missing or wrong.
    NoToken,
}

impl Guard {
    pub(super) fn new(address: SocketAddr, token: String) -> Self {
        Self { address, token }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether every request needs the token: other hosts can reach the address.
    pub(super) fn is_open(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Checks the head of a request.
    pub(super) fn check(&self, head: &Head) -> Result<(), Refusal> {
        let header = |name: &str| head.headers.get(name).map(String::as_str);
        let Some(host) = header("host") else { return Err(Refusal::Foreign) };
        // A name of another site that leads here (DNS rebinding) is not among these.
        if !self.is_open() && !self.is_own(host) {
            return Err(Refusal::Foreign);
        }
        if header("origin").is_some_and(|origin| origin != format!("http://{host}")) {
            return Err(Refusal::Foreign);
        }
        let is_navigation =
            header("sec-fetch-mode") == Some("navigate") && *head.method == Method::GET;
        if header("sec-fetch-site") == Some("cross-site") && !is_navigation {
            return Err(Refusal::Foreign);
        }
        if self.is_open() {
            let in_cookie = header("cookie").is_some_and(|cookies| {
                let mut pairs = cookies.split(';').filter_map(|it| it.trim().split_once('='));
                pairs.any(|(name, value)| name == COOKIE && self.is_token(value))
            });
            let in_header = header("authorization")
                .and_then(|it| it.strip_prefix("Bearer "))
                .is_some_and(|token| self.is_token(token.trim()));
            let in_address =
                head.query.iter().any(|(name, value)| name == "token" && self.is_token(value));
            if !in_cookie && !in_header && !in_address {
                return Err(Refusal::NoToken);
            }
        }
        Ok(())
    }

    /// Whether a text is the token. Takes as long for every text of its length.
    pub(super) fn is_token(&self, text: &str) -> bool {
        let (a, b) = (text.as_bytes(), self.token.as_bytes());
        a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }

    /// The header that makes a browser remember the token.
    pub(super) fn cookie(&self) -> String {
        format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/", self.token)
    }

    fn is_own(&self, host: &str) -> bool {
        let port = self.address.port();
        let own = [
            format!("127.0.0.1:{port}"),
            format!("localhost:{port}"),
            format!("[::1]:{port}"),
            self.address.to_string(),
        ];
        own.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn check(guard: &Guard, method: &Method, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        guard.check(&Head { headers: &headers, method, query: &[] })
    }

    #[test]
    fn only_this_host_s_own_pages_are_let_in() {
        let guard = Guard::new("127.0.0.1:8765".parse().unwrap(), "secret".to_owned());
        let get = |headers: &[(&str, &str)]| check(&guard, &Method::GET, headers);
        let own = ("host", "localhost:8765");
        assert_eq!(get(&[own]), Ok(()));
        assert_eq!(get(&[own, ("origin", "http://localhost:8765")]), Ok(()));
        assert_eq!(get(&[("host", "evil.example:8765")]), Err(Refusal::Foreign));
        assert_eq!(get(&[("host", "127.0.0.1:80")]), Err(Refusal::Foreign));
        assert_eq!(get(&[]), Err(Refusal::Foreign));
        assert_eq!(get(&[own, ("origin", "http://evil.example")]), Err(Refusal::Foreign));
        assert_eq!(get(&[own, ("origin", "null")]), Err(Refusal::Foreign));
        let cross = ("sec-fetch-site", "cross-site");
        assert_eq!(get(&[own, cross]), Err(Refusal::Foreign));
        assert_eq!(get(&[own, cross, ("sec-fetch-mode", "navigate")]), Ok(()), "a link leads here");
        let posted = check(&guard, &Method::POST, &[own, cross, ("sec-fetch-mode", "navigate")]);
        assert_eq!(posted, Err(Refusal::Foreign));
    }

    #[test]
    fn from_elsewhere_the_token_is_needed() {
        let guard = Guard::new("0.0.0.0:8765".parse().unwrap(), "secret".to_owned());
        let get = |headers: &[(&str, &str)]| check(&guard, &Method::GET, headers);
        let host = ("host", "lab.example:8765");
        assert_eq!(get(&[host]), Err(Refusal::NoToken));
        assert_eq!(get(&[host, ("cookie", "a=b; encore=secret")]), Ok(()));
        assert_eq!(get(&[host, ("cookie", "encore=secreT")]), Err(Refusal::NoToken));
        let query = [("token".to_owned(), "secret".to_owned())];
        let headers = BTreeMap::from([("host".to_owned(), "lab.example:8765".to_owned())]);
        let head = Head { headers: &headers, method: &Method::GET, query: &query };
        assert_eq!(guard.check(&head), Ok(()));
    }
}
