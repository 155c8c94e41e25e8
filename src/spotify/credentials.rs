//! The app's id and secret: from the environment or a private file, and never shown.

use std::fmt;
use std::path::Path;

use super::SpotifyError;
use super::private::read_private;

const ID: &str = "RSPOTIFY_CLIENT_ID";
const SECRET: &str = "RSPOTIFY_CLIENT_SECRET";

/// Of an app at developer.spotify.com/dashboard.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(super) id: String,
    pub(super) secret: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.secret.as_ref().map(|_| "hidden");
        f.debug_struct("Credentials").field("id", &"hidden").field("secret", &secret).finish()
    }
}

impl Credentials {
    /// Of a file if one is `given`, else of the environment, else of the file at `usual`. A file has lines
    /// `RSPOTIFY_CLIENT_ID=…` and `RSPOTIFY_CLIENT_SECRET=…`, as a shell reads them: `export` before the
    /// name, quotes around the value and `# remarks` are allowed. A login needs the first line only.
    ///
    /// # Errors
    /// Where there are none, or others may read the file, or a line of it is something else.
    pub fn find(
        given: Option<&Path>,
        usual: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SpotifyError> {
        let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        if let (None, Some(id)) = (given, set(ID)) {
            return Ok(Self { id, secret: set(SECRET) });
        }
        if let Some(path) = given.or(usual)
            && let Some(text) = read_private(path)?
        {
            return Self::parse(path, &text);
        }
        let no_file = |path: &Path| format!("; {} not found", path.display());
        let no_file = given.or(usual).map_or(String::new(), no_file);
        Err(SpotifyError::Usage(format!(
            "no credentials of a Spotify app: {ID} and {SECRET} are neither in the environment nor in a file{no_file}\n\
             hint: create an app at developer.spotify.com/dashboard and set both, or write both lines NAME=VALUE \
             into a file of mode 0600 and name it with --credentials"
        )))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SpotifyError> {
        let (mut id, mut secret) = (None, None);
        for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            let value = unquoted(value.trim()).ok_or_else(|| {
                let path = path.display();
                SpotifyError::Usage(format!(
                    "{path}:{}: the quotes around the value do not match",
                    i + 1
                ))
            })?;
            match name.trim() {
                ID if !value.is_empty() => id = Some(value),
                SECRET if !value.is_empty() => secret = Some(value),
                // The line itself may be a secret: it is not quoted.
                _ => {
                    let path = path.display();
                    return Err(SpotifyError::Usage(format!(
                        "{path}:{}: must be {ID}=… or {SECRET}=…",
                        i + 1
                    )));
                }
            }
        }
        let id = id.ok_or_else(|| {
            SpotifyError::Usage(format!("{}: the line {ID}=… is missing", path.display()))
        })?;
        Ok(Self { id, secret })
    }
}

/// A value as a shell reads it: without quotes around it and without a remark behind it. `None` where the
/// quotes do not match.
fn unquoted(value: &str) -> Option<String> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = value.find(" #").unwrap_or(value.len());
        return Some(value[..end].trim_end().to_owned());
    };
    let (inside, behind) = value[1..].split_once(quote)?;
    let behind = behind.trim_start();
    (behind.is_empty() || behind.starts_with('#')).then(|| inside.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Credentials, SpotifyError> {
        Credentials::parse(Path::new("x.env"), text)
    }

    #[test]
    fn files_and_the_environment_say_the_same() {
        let wanted = Credentials { id: "abc".to_owned(), secret: Some("s=t".to_owned()) };
        let text = "# my app\nRSPOTIFY_CLIENT_ID = abc\n\nRSPOTIFY_CLIENT_SECRET=\"s=t\"\n";
        assert_eq!(parse(text).unwrap(), wanted);
        let environment = |name: &str| Some(if name == ID { "abc" } else { "s=t" }.to_owned());
        assert_eq!(Credentials::find(None, None, &environment).unwrap(), wanted);
        assert_eq!(parse("RSPOTIFY_CLIENT_ID=abc").unwrap().secret, None);
    }

    #[test]
    fn files_are_read_as_a_shell_reads_them() {
        let wanted = Credentials { id: "abc".to_owned(), secret: Some("s=t".to_owned()) };
        for text in [
            "export RSPOTIFY_CLIENT_ID='abc'\nexport  RSPOTIFY_CLIENT_SECRET=\"s=t\"\n",
            "\u{feff}RSPOTIFY_CLIENT_ID=abc # mine\r\nRSPOTIFY_CLIENT_SECRET='s=t' # hush\r\n",
        ] {
            assert_eq!(parse(text).unwrap(), wanted, "{text}");
        }
        for text in [
            "RSPOTIFY_CLIENT_ID='abc\n",
            "RSPOTIFY_CLIENT_ID=\"abc'\n",
            "RSPOTIFY_CLIENT_ID='a'b\n",
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert_eq!(said, "x.env:1: the quotes around the value do not match", "{text}");
        }
        assert!(parse("RSPOTIFY_CLIENT_ID=''\n").unwrap_err().to_string().contains("must be"));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let all =
            format!("{:?}", parse("RSPOTIFY_CLIENT_ID=abc\nRSPOTIFY_CLIENT_SECRET=hush").unwrap());
        assert!(!all.contains("hush") && !all.contains("abc"), "{all}");
        let said = parse("RSPOTIFY_CLIENT_ID=abc\nhush").unwrap_err().to_string();
        assert_eq!(said, "x.env:2: must be RSPOTIFY_CLIENT_ID=… or RSPOTIFY_CLIENT_SECRET=…");
        assert!(parse("").unwrap_err().to_string().starts_with("x.env: the line"));
    }

    #[test]
    fn none_anywhere_is_said_with_what_to_do() {
        let usual = Path::new("/nowhere/spotify.env");
        let said = Credentials::find(None, Some(usual), &|_| None).unwrap_err().to_string();
        assert!(said.contains("/nowhere/spotify.env not found\nhint: create an app"), "{said}");
    }
}
