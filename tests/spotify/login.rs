//! Logging in through the browser, and staying logged in.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use encore::spotify::Login;
use serde_json::{Value, json};

use super::*;
use api::json_reply;

fn state_of(url: &str) -> &str {
    url.split(['?', '&']).find_map(|pair| pair.strip_prefix("state=")).unwrap()
}

fn begin(user: &User, api: &Api, port: u16) -> Login {
    Login::begin(&credentials(user.folder.path()), &addresses(api), port).unwrap()
}

/// Acts like a user who pastes the address.
pub fn sign_in(user: &User, api: &Api) {
    let login = begin(user, api, 8888);
    let address = format!("{}?code=the-code&state={}", login.redirect_uri(), state_of(login.url()));
    user.with_patience(|patience| login.finish(&address, &user.token(), patience)).unwrap();
}

fn form(api: &Api, nth: usize) -> String {
    let asked =
        api.asked().into_iter().filter(|asked| api::what(asked) == "token").nth(nth).unwrap();
    String::from_utf8(asked.body).unwrap()
}

fn cache(user: &User) -> Value {
    serde_json::from_str(&fs::read_to_string(user.token()).unwrap()).unwrap()
}

fn token(access: &str, refresh: Option<&str>) -> Reply {
    let mut body = json!({"access_token": access, "token_type": "Bearer", "expires_in": 3600, "scope": "playlist-read-private"});
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    json_reply(200, &body)
}

use crate::common::server::Reply;

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn the_browser_comes_back_to_a_port_of_this_machine() {
    let api = Api::with(small(), |what, _, _| {
        (what == "token").then(|| token("hush-this-is-token-0", Some("hush-refresh")))
    });
    let user = User::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let login = begin(&user, &api, port);
    for part in [
        "/authorize?",
        "client_id=the-id-of-the-app",
        "response_type=code",
        "code_challenge_method=S256",
        "code_challenge=",
        "playlist-read-private",
        "playlist-read-collaborative",
        &format!("redirect_uri=http%3A%2F%2F127.0.0.1%3A{port}%2Fcallback"),
    ] {
        assert!(login.url().contains(part), "{part} is not in {}", login.url());
    }
    assert!(!login.url().contains("hush"));
    let state = state_of(login.url()).to_owned();
    let browser = thread::spawn(move || {
        let icon = get(port, "/favicon.ico");
        let back = get(port, &format!("/callback?code=the-code&state={state}"));
        (icon, back)
    });
    let address = user.with_patience(|patience| login.wait(&listener, patience)).unwrap();
    let (icon, back) = browser.join().unwrap();
    assert!(icon.starts_with("HTTP/1.1 404 ") && back.starts_with("HTTP/1.1 200 "), "{icon}{back}");
    user.with_patience(|patience| login.finish(&address, &user.token(), patience)).unwrap();
    let form = form(&api, 0);
    assert!(form.contains("code=the-code") && form.contains("code_verifier="), "{form}");
    assert!(!form.contains(api::SECRET), "the secret is not needed");
    assert_eq!(cache(&user)["token"]["refresh_token"], "hush-refresh");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(user.token()).unwrap().permissions().mode() & 0o777, 0o600);
    }
    user.expect(&api, From::Spotify);
    assert_eq!(api.n_asked("token"), 1, "the login's token is good for an hour");
}

#[test]
fn what_comes_back_of_another_login_or_without_one_is_refused() {
    let api = Api::new(small());
    let user = User::new();
    let login = begin(&user, &api, 8888);
    let state = state_of(login.url());
    let finish = |query: &str| {
        let address = format!("{}?{query}", login.redirect_uri());
        user.with_patience(|patience| login.finish(&address, &user.token(), patience))
            .unwrap_err()
            .to_string()
    };
    assert!(finish("code=x&state=other").contains("its state differs from the one sent"));
    assert!(finish("code=x").contains("its state differs from the one sent"));
    assert!(
        finish(&format!("error=access_denied&state={state}"))
            .contains("without a login: access_denied")
    );
    assert!(finish(&format!("state={state}")).contains("has no code"));
    assert_eq!((api.asked().len(), user.token().exists()), (0, false));
}

/// Creates a login whose token has expired.
fn expired(user: &User, api: &Api) {
    sign_in(user, api);
    let mut cache = cache(user);
    cache["token"]["expires_at"] = json!("2020-01-01T00:00:00Z");
    api::write_private(&user.token(), &cache.to_string());
}

#[test]
fn a_refresh_token_is_kept_where_none_comes_and_replaced_where_one_does() {
    for (sent, kept) in [(None, "hush-refresh-1"), (Some("hush-refresh-2"), "hush-refresh-2")] {
        let api = Api::with(small(), move |what, nth, _| {
            (what == "token").then(|| match nth {
                0 => token("hush-this-is-token-0", Some("hush-refresh-1")),
                _ => token("hush-this-is-token-0", sent),
            })
        });
        let user = User::new();
        expired(&user, &api);
        user.expect(&api, From::Spotify);
        assert_eq!(api.n_asked("token"), 2);
        let form = form(&api, 1);
        assert!(
            form.contains("grant_type=refresh_token")
                && form.contains("refresh_token=hush-refresh-1"),
            "{form}"
        );
        assert!(form.contains("client_id=the-id-of-the-app"), "{form}");
        assert_eq!(cache(&user)["token"]["refresh_token"], kept);
    }
}

#[test]
fn a_token_that_is_refused_before_its_hour_is_over_is_refreshed_and_kept() {
    let api = Api::with(small(), |what, nth, _| {
        (what == "token" && nth < 2)
            .then(|| token(["old", "hush-this-is-token-0"][nth], Some("hush-refresh")))
    });
    let user = User::new();
    sign_in(&user, &api);
    user.expect(&api, From::Spotify);
    assert_eq!(cache(&user)["token"]["access_token"], "hush-this-is-token-0");
}

#[test]
fn a_login_that_has_run_out_is_said_with_what_to_do() {
    let api = Api::with(small(), |what, nth, _| {
        let gone = json!({"error": "invalid_grant", "error_description": "Refresh token expired"});
        (what == "token")
            .then(|| if nth == 0 { token("a", Some("r")) } else { json_reply(400, &gone) })
    });
    let user = User::new();
    expired(&user, &api);
    let error = user.collect(&api, From::Spotify).unwrap_err();
    assert!(matches!(error, SpotifyError::Usage(_)));
    let said = error.to_string();
    assert!(
        said.contains("status 400 Refresh token expired\nhint: The login has run out"),
        "{said}"
    );
    assert_eq!(api.n_asked("token"), 2, "not tried again");
}

#[test]
fn a_login_of_another_app_is_not_used() {
    let api = Api::new(small());
    let user = User::new();
    sign_in(&user, &api);
    let mut cache = cache(&user);
    cache["client_id"] = json!("another");
    api::write_private(&user.token(), &cache.to_string());
    let said = user.collect(&api, From::Spotify).unwrap_err().to_string();
    assert!(said.contains("is the login of another app"), "{said}");
}
