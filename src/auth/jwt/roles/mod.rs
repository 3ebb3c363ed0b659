//! The roles: which tokens may log in, and what they get.

mod delete;
mod leeway;
mod list;
mod read;
mod write;

pub(super) use delete::DeleteRole;
pub(super) use list::ListRoles;
pub(super) use read::ReadRole;
pub(super) use write::WriteRole;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::Ttl;
use crate::engine::{LegacyNames, Record, TokenSettings, is_name};
use crate::error::{Error, Result};

use super::Jwt;
use super::token::Leeways;

/// Where the records are.
const FOLDER: &str = "role/";

/// The key of a role's record.
fn key(name: &str) -> String {
    format!("{FOLDER}{name}")
}

/// The path of one role.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RolePath {
    /// Its name, in lower case.
    name: String,
}

/// How callers of a role prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleType {
    /// They bring a token.
    Jwt,
    /// They are sent to the provider.
    #[default]
    Oidc,
}

/// How the values of bound claims are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClaimsType {
    /// They are the same.
    #[default]
    String,
    /// They fit a pattern, in which `*` stands for any text.
    Glob,
}

/// Where the provider sends the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CallbackMode {
    /// To the client, which listens on the caller's own machine.
    #[default]
    Client,
    /// To this server; the client asks it until the login is there.
    Direct,
}

/// The most bytes that the name of a role may have.
pub(super) const LONGEST_NAME: usize = 512;

/// A role. A list that was never written is told from an empty one, as clients read it; both demand nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the field is called that on the wire")]
pub(super) struct Role {
    pub(super) role_type: RoleType,
    pub(super) bound_audiences: Option<Vec<String>>,
    pub(super) bound_subject: String,
    pub(super) bound_claims: Option<Map<String, Value>>,
    pub(super) bound_claims_type: ClaimsType,
    pub(super) claim_mappings: Option<BTreeMap<String, String>>,
    pub(super) user_claim: String,
    pub(super) user_claim_json_pointer: bool,
    pub(super) groups_claim: String,
    /// Seconds; 0 is the default, and less than 0 is none. So are the next two.
    clock_skew_leeway: i64,
    expiration_leeway: i64,
    not_before_leeway: i64,
    pub(super) allowed_redirect_uris: Option<Vec<String>>,
    pub(super) oidc_scopes: Option<Vec<String>>,
    pub(super) max_age: Ttl,
    pub(super) callback_mode: CallbackMode,
    /// Seconds between two polls; 0 is the default.
    pub(super) poll_interval: u64,
    pub(super) oidc_disable_confirmation: bool,
    verbose_oidc_logging: bool,
    pub(super) token_policies_template_claims: bool,
    pub(super) token: TokenSettings,
    legacy: LegacyNames,
}

impl Record for Role {}

impl Role {
    /// How far clocks may be apart.
    pub(super) fn leeways(&self) -> Leeways {
        Leeways::of_role(self.clock_skew_leeway, self.expiration_leeway, self.not_before_leeway)
    }

    /// The audiences of which a token must be for one; none where it must be for none.
    pub(super) fn audiences(&self) -> &[String] {
        self.bound_audiences.as_deref().unwrap_or_default()
    }

    /// Whether one of these is an audience of the role. A blank one is nobody's.
    pub(super) fn has_audience(&self, said: &[String]) -> bool {
        said.iter().any(|audience| !audience.is_empty() && self.audiences().contains(audience))
    }
}

impl Jwt {
    /// A role by its name in lower case.
    pub(super) async fn role(&self, name: &str) -> Result<Option<Role>> {
        self.view.get(&key(name)).await
    }

    /// The role that a caller asks for: the one they name, or the mount's default.
    pub(super) async fn asked_role(&self, asked: &str, default: &str) -> Result<(String, Role)> {
        let asked = if asked.is_empty() { default } else { asked };
        let name = asked.to_lowercase();
        if name.is_empty() {
            return Err(Error::invalid("missing role"));
        }
        // A name that is no name of a role is not told from one that nobody has.
        let role = if asked.len() <= LONGEST_NAME && is_name(asked) { self.role(&name).await? } else { None };
        role.map(|role| (name, role)).ok_or_else(|| Error::invalid("role could not be found"))
    }
}
