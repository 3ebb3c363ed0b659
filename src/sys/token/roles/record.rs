//! `TokenRole`: what `auth/token/create/{role_name}` may make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::barrier::{Record, View};
use crate::engine::{TokenType, fits_glob};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

/// The kind of token that a role makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sys::token) enum RoleTokenType {
    /// Service tokens, unless the caller asks for another.
    #[default]
    DefaultService,
    /// Batch tokens, unless the caller asks for another.
    DefaultBatch,
    /// Service tokens.
    Service,
    /// Batch tokens.
    Batch,
}

impl RoleTokenType {
    /// Reads the word for it.
    pub(super) fn parse(word: &str) -> Result<Self> {
        match word {
            "" | "default-service" => Ok(Self::DefaultService),
            "default-batch" => Ok(Self::DefaultBatch),
            "service" => Ok(Self::Service),
            "batch" => Ok(Self::Batch),
            _ => Err(Error::invalid(
                "invalid 'token_type' value; it must be service, batch, default-service or default-batch",
            )),
        }
    }

    /// The kind of a token whose maker asks for `asked`.
    pub(in crate::sys::token) fn of_a_token(self, asked: Option<TokenType>) -> TokenType {
        match self {
            Self::DefaultService => asked.unwrap_or(TokenType::Service),
            Self::DefaultBatch => asked.unwrap_or(TokenType::Batch),
            Self::Service => TokenType::Service,
            Self::Batch => TokenType::Batch,
        }
    }
}

/// What `auth/token/create/{role_name}` may make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sys::token) struct TokenRole {
    pub(in crate::sys::token) name: String,
    pub(in crate::sys::token) allowed_policies: Vec<String>,
    pub(in crate::sys::token) allowed_policies_glob: Vec<String>,
    pub(in crate::sys::token) disallowed_policies: Vec<String>,
    pub(in crate::sys::token) disallowed_policies_glob: Vec<String>,
    pub(in crate::sys::token) allowed_entity_aliases: Vec<String>,
    pub(in crate::sys::token) orphan: bool,
    pub(in crate::sys::token) renewable: bool,
    pub(in crate::sys::token) path_suffix: String,
    pub(in crate::sys::token) bound_cidrs: Vec<String>,
    pub(in crate::sys::token) explicit_max_ttl: Ttl,
    pub(in crate::sys::token) period: Ttl,
    pub(in crate::sys::token) num_uses: u64,
    pub(in crate::sys::token) no_default_policy: bool,
    pub(in crate::sys::token) token_type: RoleTokenType,
}

impl Record for TokenRole {}

impl Default for TokenRole {
    fn default() -> Self {
        Self {
            name: String::new(),
            allowed_policies: Vec::new(),
            allowed_policies_glob: Vec::new(),
            disallowed_policies: Vec::new(),
            disallowed_policies_glob: Vec::new(),
            allowed_entity_aliases: Vec::new(),
            orphan: false,
            renewable: true,
            path_suffix: String::new(),
            bound_cidrs: Vec::new(),
            explicit_max_ttl: Ttl::default(),
            period: Ttl::default(),
            num_uses: 0,
            no_default_policy: false,
            token_type: RoleTokenType::default(),
        }
    }
}

impl TokenRole {
    /// The role `name`, if there is one.
    pub(in crate::sys::token) async fn load(name: &str, unsealed: &Unsealed) -> Result<Option<Self>> {
        roles(unsealed).get(name).await
    }

    /// Whether it says anything about policies, so that the parent's do not count.
    pub(in crate::sys::token) fn restricts_policies(&self) -> bool {
        let Self { disallowed_policies, disallowed_policies_glob, .. } = self;
        self.has_allowed_policies() || !disallowed_policies.is_empty() || !disallowed_policies_glob.is_empty()
    }

    /// Whether it names policies that it allows.
    pub(in crate::sys::token) fn has_allowed_policies(&self) -> bool {
        !self.allowed_policies.is_empty() || !self.allowed_policies_glob.is_empty()
    }

    /// Whether it allows `policy`, as far as it names what it allows.
    pub(in crate::sys::token) fn allows(&self, policy: &str) -> bool {
        named(&self.allowed_policies, &self.allowed_policies_glob, policy)
    }

    /// Whether it forbids `policy`.
    pub(in crate::sys::token) fn disallows(&self, policy: &str) -> bool {
        named(&self.disallowed_policies, &self.disallowed_policies_glob, policy)
    }

    /// Whether a token may be made for the alias, which is in lower case.
    pub(in crate::sys::token) fn allows_alias(&self, alias: &str) -> bool {
        self.allowed_entity_aliases.iter().any(|allowed| fits_glob(allowed, alias))
    }
}

/// The records of the roles.
pub(super) fn roles(unsealed: &Unsealed) -> View {
    unsealed.view("token-role")
}

fn named(names: &[String], globs: &[String], policy: &str) -> bool {
    names.iter().any(|name| name == policy) || globs.iter().any(|glob| fits_glob(glob, policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*", "", true),
            ("*-ro", "team-ro", true),
            ("*-ro", "team-rw", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
        ] {
            assert_eq!(fits_glob(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn a_kind_that_is_no_default_is_forced() {
        assert_eq!(RoleTokenType::Service.of_a_token(Some(TokenType::Batch)), TokenType::Service);
        assert_eq!(RoleTokenType::DefaultService.of_a_token(Some(TokenType::Batch)), TokenType::Batch);
        assert_eq!(RoleTokenType::DefaultBatch.of_a_token(None), TokenType::Batch);
        assert!(RoleTokenType::parse("default").is_err());
    }
}
