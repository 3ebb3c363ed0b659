//! Roles that make users: `roles/{name}`, `creds/{name}`.

mod creds;
mod delete;
mod list;
mod read;
mod record;
mod write;

pub(crate) use creds::ReadCredentials;
pub(crate) use delete::DeleteRole;
pub(crate) use list::ListRoles;
pub(crate) use read::ReadRole;
pub(crate) use record::{CredentialType, Role, policy_in};
pub(crate) use write::WriteRole;
