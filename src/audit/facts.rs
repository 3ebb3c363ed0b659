//! What the audit log is told about a request. Each struct is taken apart exhaustively where it is written, so that a
//! new field cannot be added without deciding whether it is plain or hashed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::api::ApiPath;
use crate::error::Error;
use crate::secret::ClientToken;
use crate::time::Timestamp;

/// A request as it came in, before anything is known of its caller.
#[derive(Debug)]
pub struct RequestFacts<'a> {
    /// Names the request; plain.
    pub id: &'a str,
    /// `read`, `create`, `update`, `delete`, `list`, `scan`, `patch`, `help`; plain. For a write, `update` until
    /// [`super::Entry::operation`] says otherwise.
    pub operation: &'a str,
    /// The path behind `/v1/`; plain.
    pub path: &'a ApiPath,
    /// The namespace; plain.
    pub namespace: NamespaceFacts<'a>,
    /// The token that came with it; hashed.
    pub client_token: Option<&'a ClientToken>,
    /// The body, or what stands for it; strings hashed.
    pub data: Option<&'a [u8]>,
    /// The address at the other end of the connection; plain.
    pub remote_address: Option<IpAddr>,
    /// The port there; plain.
    pub remote_port: u16,
    /// The serial number of the client certificate; plain.
    pub client_certificate_serial_number: Option<&'a str>,
    /// How long the answer is to be wrapped; plain.
    pub wrap_ttl: Option<Duration>,
    /// Those headers that the operator chose.
    pub headers: &'a [HeaderFacts<'a>],
}

/// A namespace.
#[derive(Clone, Copy, Debug)]
pub struct NamespaceFacts<'a> {
    /// Its id; `root` for the outermost.
    pub id: &'a str,
    /// Its path; empty for the outermost.
    pub path: &'a str,
}

/// A header that the operator chose for the audit log.
#[derive(Clone, Copy, Debug)]
pub struct HeaderFacts<'a> {
    /// Its name in lower case; plain.
    pub name: &'a str,
    /// Its values.
    pub values: &'a [&'a str],
    /// Whether the values are hashed.
    pub hashed: bool,
}

/// Where a request goes; all plain. Made once for each mount.
#[derive(Debug)]
pub struct MountFacts {
    /// The mount's path, with its slash.
    pub point: String,
    /// The engine's kind.
    pub kind: String,
    /// The mount's accessor.
    pub accessor: String,
    /// The engine's version.
    pub running_version: String,
    /// `secret` or `auth`.
    pub class: &'static str,
    /// Names in request bodies whose strings stay plain.
    pub non_hmac_request_keys: Vec<String>,
    /// Names in response bodies whose strings stay plain.
    pub non_hmac_response_keys: Vec<String>,
}

/// A token and what it stands for: the caller's, or one that a login has made.
#[derive(Debug)]
pub struct AuthFacts<'a> {
    /// The token; hashed.
    pub client_token: Option<&'a ClientToken>,
    /// Its accessor; hashed unless the device says otherwise.
    pub accessor: &'a str,
    /// Names a client for counting; plain.
    pub client_id: &'a str,
    /// Whom the auth method says it is; plain.
    pub display_name: &'a str,
    /// All policies; plain.
    pub policies: &'a [String],
    /// The token's own; plain.
    pub token_policies: &'a [String],
    /// Those of the identity; plain.
    pub identity_policies: &'a [String],
    /// What the auth method says about the caller; plain, as in Vault.
    pub metadata: Option<&'a BTreeMap<String, String>>,
    /// The identity; plain.
    pub entity_id: &'a str,
    /// Whether this login made the identity; plain.
    pub entity_created: bool,
    /// `service` or `batch`; plain.
    pub token_type: &'a str,
    /// How long the token was made for; plain.
    pub token_ttl: Option<Duration>,
    /// When it was made; plain.
    pub token_issue_time: Option<Timestamp>,
    /// How many more requests it is good for; plain.
    pub remaining_uses: Option<u64>,
}

/// What a request came to.
#[derive(Debug, Default)]
pub struct ResponseFacts<'a> {
    /// The token that was made.
    pub auth: Option<AuthFacts<'a>>,
    /// The lease that the answer came with; its id is plain, as in Vault.
    pub lease_id: Option<&'a str>,
    /// The data of the answer; strings hashed. Leave it out where the answer is wrapped.
    pub data: Option<&'a [u8]>,
    /// Where the answer is, if it was wrapped.
    pub wrap: Option<WrapFacts<'a>>,
    /// Warnings; hashed, since they may repeat what the caller sent.
    pub warnings: &'a [String],
    /// The failure. Its messages are plain: they never repeat what the caller sent.
    pub error: Option<&'a Error>,
}

/// A wrapped answer.
#[derive(Debug)]
pub struct WrapFacts<'a> {
    /// The wrapping token; hashed.
    pub token: &'a ClientToken,
    /// Its accessor; hashed unless the device says otherwise.
    pub accessor: &'a str,
    /// How long it can be unwrapped; plain.
    pub ttl: Duration,
    /// When it was wrapped; plain.
    pub creation_time: Timestamp,
    /// The path whose answer is inside; plain.
    pub creation_path: &'a str,
    /// The accessor of the token inside, or empty; hashed unless the device says otherwise.
    pub wrapped_accessor: &'a str,
}
