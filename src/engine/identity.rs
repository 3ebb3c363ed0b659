//! Who a caller proved to be, and what kind of token that is good for. Auth methods never see or make a token.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::api::{Auth, Ttl};
use crate::error::Result;

use super::answer::{Answer, Content, Reply, StatusCode};

/// Who a caller proved to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The name of the caller at this auth method, by which an entity knows them. Empty for none.
    pub alias: String,
    /// The role that the caller logged in with, by which quotas know it. Empty for a method without roles.
    #[serde(default)]
    pub role: String,
    /// How the caller is called in lists and logs: `cert-web`, `userpass-bob`.
    pub display_name: String,
    /// The policies that the method grants.
    pub policies: Vec<String>,
    /// What is shown with the token.
    pub metadata: BTreeMap<String, String>,
    /// What an entity's alias is said to be, for templates in policies. Empty where the method leaves it out.
    #[serde(default)]
    pub alias_metadata: BTreeMap<String, String>,
    /// Names of groups at the identity provider.
    pub groups: Vec<String>,
    /// What the method needs to know when the token is to be renewed (a role's name, a key's id). Not shown.
    pub internal: BTreeMap<String, String>,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Stored: it can be renewed, revoked, and have children.
    #[default]
    Service,
    /// Not stored: all of it is in the token.
    Batch,
}

impl TokenType {
    /// `service` or `batch`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Batch => "batch",
        }
    }
}

/// What a token is to be like. Zero lengths are the mount's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How long it lasts.
    pub ttl: Ttl,
    /// The longest it can be renewed to.
    pub max_ttl: Ttl,
    /// A bound that no renewal and no period can lift.
    pub explicit_max_ttl: Ttl,
    /// Each renewal makes it last this long again, without end.
    pub period: Ttl,
    /// How many requests it is good for; 0 is any number.
    pub num_uses: u64,
    /// The kind of token; nothing is what the mount gives.
    pub token_type: Option<TokenType>,
    /// Whether the policy `default` is left out.
    pub no_default_policy: bool,
    /// The addresses that it may be used from; none is any.
    pub bound_cidrs: Vec<String>,
}

/// The answer of a login endpoint: the core makes the token.
#[derive(Debug)]
pub struct Login {
    /// Who the caller is.
    pub identity: Identity,
    /// What the token is to be like. A service token can be renewed.
    pub terms: Terms,
}

impl Reply for Login {
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer { status: StatusCode::OK, content: Content::Login(Box::new(self)), warnings: Vec::new() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Auth>())
    }
}
