//! Where the token of `arca login` is kept: `~/.vault-token`, which Vault's own command reads too, mode 0600.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use arca::secret::ClientToken;
use zeroize::Zeroizing;

use crate::error::{Error, Result, os_message};

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
        // A symbolic link stays one: what it points at is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let written = write_new(&beside, token.expose().as_bytes()).and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| {
            if error.kind() != ErrorKind::AlreadyExists {
                drop(fs::remove_file(&beside));
            }
            failed("storing", &path, &error)
        })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::local(format!("Error {what} the token in {}: {}", path.display(), os_message(error)))
        .advise("Check who owns the file and its folder, or name another file in ARCA_TOKEN_PATH.")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

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
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        symlink(&target, &link).unwrap();
        TokenHelper::at(Some(link.clone())).store(&ClientToken::new("new".to_owned())).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    }

    #[test]
    fn a_failure_names_the_file_and_not_the_token() {
        let helper = TokenHelper::at(Some("/nonexistent/token".into()));
        let error = helper.store(&ClientToken::new("s.secret".to_owned())).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/token") && !error.contains("s.secret"), "{error}");
    }
}
