//! The envelope that every ordinary answer comes in, as clients read it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::{self, ClientToken};

/// An answer, as a client reads it. (The server writes it piece by piece, so that a payload is not copied.)
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Envelope {
    /// Names this request in the audit log.
    pub request_id: String,
    /// The lease that the data came with; empty if none.
    pub lease_id: String,
    /// Whether that lease can be renewed.
    pub renewable: bool,
    /// How long it lasts, in seconds.
    pub lease_duration: u64,
    /// What was asked for.
    pub data: Option<Value>,
    /// Where the answer is, if it was wrapped.
    pub wrap_info: Option<WrapInfo>,
    /// What the caller should know beside it.
    pub warnings: Option<Vec<String>>,
    /// The token that a login gave.
    pub auth: Option<Auth>,
}

/// The answer to a request that failed.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What went wrong, a sentence each; empty where nothing was found.
    #[serde(default)]
    pub errors: Vec<String>,
    /// What the caller should know beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A token, and what it may do, as a login or `auth/token/create` answers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Auth {
    /// The token.
    #[serde(serialize_with = "secret::on_wire")]
    pub client_token: ClientToken,
    /// Names the token without being it; empty for a batch token.
    pub accessor: String,
    /// All policies that decide for it, sorted.
    pub policies: Vec<String>,
    /// Those of them that are the token's own.
    pub token_policies: Vec<String>,
    /// Those of them that come from the identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identity_policies: Vec<String>,
    /// What the auth method says about the caller.
    pub metadata: Option<BTreeMap<String, String>>,
    /// How long the token lasts, in seconds; 0 is for ever.
    pub lease_duration: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Whom the token belongs to; empty if unknown.
    pub entity_id: String,
    /// `service` or `batch`.
    pub token_type: String,
    /// Whether it has no parent whose end would be its own.
    pub orphan: bool,
    /// A second factor that is still owed; always null here.
    pub mfa_requirement: Option<Value>,
    /// How many more requests it is good for; 0 is any number.
    pub num_uses: u64,
}

/// Where a wrapped answer is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct WrapInfo {
    /// The token that unwraps it, once.
    #[serde(serialize_with = "secret::on_wire")]
    pub token: ClientToken,
    /// Names the wrapping token without being it.
    pub accessor: String,
    /// How long it can be unwrapped, in seconds.
    pub ttl: u64,
    /// When it was wrapped, RFC 3339.
    pub creation_time: String,
    /// The path whose answer is inside.
    pub creation_path: String,
    /// The accessor of the token inside, if there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wrapped_accessor: String,
}
