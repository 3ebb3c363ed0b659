//! The roles: which certificates may log in, and what they get.

mod delete;
mod list;
mod read;
mod write;

pub(super) use delete::DeleteRole;
pub(super) use list::ListRoles;
pub(super) use read::ReadRole;
pub(super) use write::WriteRole;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{LegacyNames, Record, TokenSettings};

/// Where the records are.
pub(super) const FOLDER: &str = "cert/";

/// The most roles of one mount; they are all kept in memory.
const MAX_ROLES: usize = 8192;

/// The key of a role's record.
pub(super) fn key(name: &str) -> String {
    format!("{FOLDER}{name}")
}

/// The path of one role.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RolePath {
    /// Its name.
    name: String,
}

/// A role. A list that was never written is told from an empty one, as clients read it; both demand nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Role {
    /// PEM, as it was sent.
    pub(super) certificate: String,
    pub(super) display_name: String,
    pub(super) allowed_names: Option<Vec<String>>,
    pub(super) allowed_common_names: Option<Vec<String>>,
    pub(super) allowed_dns_sans: Option<Vec<String>>,
    pub(super) allowed_email_sans: Option<Vec<String>>,
    pub(super) allowed_uri_sans: Option<Vec<String>>,
    pub(super) allowed_organizational_units: Option<Vec<String>>,
    pub(super) required_extensions: Option<Vec<String>>,
    pub(super) allowed_metadata_extensions: Option<Vec<String>>,
    ocsp_ca_certificates: String,
    ocsp_servers_override: Option<Vec<String>>,
    ocsp_fail_open: bool,
    ocsp_query_all_servers: bool,
    pub(super) token: TokenSettings,
    legacy: LegacyNames,
}

impl Record for Role {}
