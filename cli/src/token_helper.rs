//! Where the token of `arca login` is kept: `~/.vault-token`, which Vault's own command reads too, mode 0600.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arca::secret::ClientToken;
use zeroize::Zeroizing;

use crate::error::{Error, Result, os_message};
use crate::files;

/// The file with the token; no file if neither a path nor a home is known.
pub(crate) struct TokenHelper(Option<PathBuf>);

impl TokenHelper {
    /// A helper that keeps the token in this file.
    pub(crate) fn at(path: Option<PathBuf>) -> Self {
        Self(path)
    }

    /// The stored token, if there is one.
    pub(crate) fn load(&self) -> Result<Option<ClientToken>> {
        let Some(path) = &self.0 else { return Ok(None) };
        match fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) if text.trim().is_empty() => Ok(None),
            Ok(text) => Ok(Some(ClientToken::new(text.trim().to_owned()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading", path, &error)),
        }
    }

    /// Keeps `token` in place of the one before. A reader sees the old file or the new one, never a part.
    pub(crate) fn store(&self, token: &ClientToken) -> Result<()> {
        let Some(path) = &self.0 else {
            return Err(Error::local("There is no place to keep the token: HOME is not set.")
                .advise("Set HOME or ARCA_TOKEN_PATH, or log in with -no-store."));
        };
        files::replace(path, token.expose().as_bytes(), 0o600).map_err(|error| failed("storing", path, &error))
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::local(format!("Error {what} the token in {}: {}", path.display(), os_message(error)))
        .advise("Check who owns the file and its folder, or name another file in ARCA_TOKEN_PATH.")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_kept_for_its_owner_only_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let helper = TokenHelper::at(Some(path.clone()));
        assert!(helper.load().unwrap().is_none());
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        helper.store(&ClientToken::new("new".to_owned())).unwrap();
        assert_eq!(helper.load().unwrap().unwrap().expose(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_names_the_file_and_not_the_token() {
        let helper = TokenHelper::at(Some("/nonexistent/token".into()));
        let error = helper.store(&ClientToken::new("s.secret".to_owned())).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/token") && !error.contains("s.secret"), "{error}");
    }
}
