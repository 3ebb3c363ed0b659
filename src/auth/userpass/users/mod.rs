//! The users.

mod delete;
mod list;
mod password;
mod policies;
mod read;
mod write;

pub(super) use delete::DeleteUser;
pub(super) use list::ListUsers;
pub(super) use password::ChangePassword;
pub(super) use policies::ChangePolicies;
pub(super) use read::ReadUser;
pub(super) use write::WriteUser;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{LegacyNames, Record, TokenSettings};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::password::{MAX_PASSWORD, PasswordHash};

/// Where the records are.
const FOLDER: &str = "user/";

/// The key of a user's record.
pub(super) fn key(username: &str) -> String {
    format!("{FOLDER}{username}")
}

/// The path of one user.
#[derive(Deserialize, JsonSchema)]
pub(super) struct UserPath {
    /// The user's name, in lower case.
    pub(super) username: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) password: PasswordHash,
    pub(super) token: TokenSettings,
    legacy: LegacyNames,
}

impl Record for User {}

/// The password that is to be set; nothing where none was sent.
fn new_password(password: Option<SecretText>, password_hash: Option<&SecretText>) -> Result<Option<Arc<SecretText>>> {
    if password_hash.is_some() {
        return Err(Error::invalid("'password_hash' is not supported: passwords are hashed here; send 'password'"));
    }
    let password = password.filter(|password| !password.is_empty());
    if password.as_ref().is_some_and(|password| password.expose().len() > MAX_PASSWORD) {
        return Err(Error::invalid("'password' must not be longer than 4096 bytes"));
    }
    Ok(password.map(Arc::new))
}

fn password_is_missing() -> Error {
    Error::invalid("must provide either password or password_hash")
}

fn user_is_missing() -> Error {
    Error::invalid("username does not exist")
}
