//! Private files: credentials and the login token.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use rspotify::Token;
use serde::{Deserialize, Serialize};

use super::SpotifyError;
use crate::disk;

/// Reads a file that only its owner may read; `None` if it does not exist.
pub(super) fn read_private(path: &Path) -> Result<Option<String>, SpotifyError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SpotifyError::io(path)(error)),
    };
    check_mode(path, &file)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(SpotifyError::io(path))?;
    Ok(Some(text))
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), SpotifyError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.metadata().map_err(SpotifyError::io(path))?.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    let path = path.display();
    Err(SpotifyError::Usage(format!(
        "{path}: contains secrets and must be readable by its owner only: expected mode 0600, found mode {mode:04o}\n\
         hint: chmod 600 {path}"
    )))
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), SpotifyError> {
    Ok(())
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(path: &Path, text: &str) -> Result<(), SpotifyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| {
            disk::remove_stale(folder);
            disk::write_private(path, text.as_bytes())
        })
        .map_err(SpotifyError::io(path))
}

/// What is kept of a login: for which app, and its tokens.
#[derive(Serialize, Deserialize)]
pub struct Cache {
    pub(super) client_id: String,
    pub(super) token: Token,
}

impl Cache {
    /// Reads the cache of a login, if there is one.
    ///
    /// # Errors
    /// If other users may read the file, or it is not a token cache.
    pub fn read(path: &Path) -> Result<Option<Self>, SpotifyError> {
        let Some(text) = read_private(path)? else { return Ok(None) };
        // The parser's own message might quote what it read.
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let (path, line) = (path.display(), error.line());
            SpotifyError::Usage(format!(
                "{path}:{line}: is not a token file of encore\nhint: remove it and `encore spotify login` again"
            ))
        })
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), SpotifyError> {
        write_private(path, &serde_json::to_string(self).expect("a token is plain data"))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_private_stays_so_and_what_is_not_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/token.json");
        assert!(read_private(&path).unwrap().is_none());
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(&path, "left over, readable").unwrap();
        write_private(&path, "secret").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode, read_private(&path).unwrap().as_deref()), (0o600, Some("secret")));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let said = read_private(&path).unwrap_err().to_string();
        assert!(said.contains("expected mode 0600, found mode 0640\nhint: chmod 600 "), "{said}");
    }

    #[test]
    fn a_damaged_cache_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        write_private(&path, "{\"client_id\": \"x\", \"token\": \"hush-hush\"}").unwrap();
        let said = Cache::read(&path).err().unwrap().to_string();
        assert!(said.contains("is not a token file of encore") && !said.contains("hush"), "{said}");
    }
}
