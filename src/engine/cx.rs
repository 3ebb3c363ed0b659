//! What a handler gets: who asks, through which mount, and the transaction that its changes go into.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::api::{ApiPath, Ttl};
use crate::barrier::Txn;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::policy::TemplateFacts;
use crate::secret::{ClientToken, SecretJson, SecretText};
use crate::time::{Clock, Timestamp};

use super::identity::TokenType;
use super::lease::Intent;
use super::undo::Undo;

/// Whoever holds the token of a request. Plain facts: the token itself is not among them.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The token's id in the store: its keyed hash. For a batch token, a hash of it.
    pub token_id: String,
    /// Names the token without being it; empty for a batch token.
    pub accessor: String,
    /// The id of the namespace that the token is of.
    pub namespace_id: String,
    /// How the caller is called in lists and logs.
    pub display_name: String,
    /// Whom the token belongs to; empty if unknown.
    pub entity_id: String,
    /// The token's own policies, sorted.
    pub policies: Vec<String>,
    /// Those that come from the identity.
    pub identity_policies: Vec<String>,
    /// What placeholders in policies stand for.
    pub identity: Arc<TemplateFacts>,
    /// What the auth method says about the caller.
    pub metadata: BTreeMap<String, String>,
    /// The path that made the token: `auth/cert/login`.
    pub path: String,
    /// The kind of token.
    pub token_type: TokenType,
    /// When it was made.
    pub issued: Option<Timestamp>,
    /// When it ends; nothing is never.
    pub expires: Option<Timestamp>,
    /// How many requests it is still good for, this one not counted; nothing is any number.
    pub uses_left: Option<u64>,
}

impl Caller {
    /// The token's own policies and those of the identity, sorted, each once.
    pub fn all_policies(&self) -> Vec<String> {
        joined(&self.policies, &self.identity_policies)
    }

    /// Whether this is the all-powerful policy.
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }
}

/// The policies of a token and those of its entity, sorted, each once.
pub fn joined(token: &[String], identity: &[String]) -> Vec<String> {
    let mut names: Vec<String> = token.iter().chain(identity).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address of the peer, or what a trusted proxy says it is.
    pub address: Option<IpAddr>,
    /// Its port.
    pub port: u16,
    /// The client's certificates as DER, the leaf first; none where none was shown. That the client holds the leaf's
    /// key was checked by TLS; whom the chain leads to only where the listener demands it.
    pub certificates: Arc<[Vec<u8>]>,
    /// The headers that a handler may look at.
    pub headers: SeenHeaders,
}

/// The headers of a request that a handler may look at: none that carries a token or a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenHeaders {
    /// `Accept`: the media types that the client wants (RFC 9110, section 12.5.1).
    pub accept: Option<String>,
    /// `traceparent`: the trace that the request belongs to (W3C Trace Context).
    pub traceparent: Option<String>,
}

/// The mount that a request goes through.
#[derive(Clone, Debug, Default)]
pub struct Mount {
    /// Where it is mounted, with a slash at its end: `database/`, `auth/cert/`.
    pub path: String,
    /// What is mounted there: `kv`, `cert`.
    pub kind: String,
    /// Names the mount for good: `kv_1a2b3c4d`.
    pub accessor: String,
    /// The id in its storage keys.
    pub uuid: String,
    /// The id of the namespace that it is in.
    pub namespace_id: String,
    /// How long its leases and tokens last when nothing else is said.
    pub default_ttl: Ttl,
    /// The longest they can last.
    pub max_ttl: Ttl,
}

impl Mount {
    /// Stands for the mount of what is not mounted: the vault itself.
    pub const NONE: Self = Self {
        path: String::new(),
        kind: String::new(),
        accessor: String::new(),
        uuid: String::new(),
        namespace_id: String::new(),
        default_ttl: Ttl::from_seconds(0),
        max_ttl: Ttl::from_seconds(0),
    };

    /// How a caller who logged in here as `name` is called in lists and logs: `cert-web`; the mount alone where there is
    /// no name.
    pub fn display_name(&self, name: &str) -> String {
        let path = self.path.strip_prefix("auth/").unwrap_or(&self.path);
        let text = format!("{path}{name}");
        text.trim_end_matches('/').replace('/', "-")
    }
}

/// What an engine gets when it is opened, and its handlers with each request.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Makes passwords by the policies of `sys/policies/password`.
    pub passwords: Arc<dyn PasswordPolicies>,
}

/// Makes passwords by the policies of `sys/policies/password`.
#[async_trait]
pub trait PasswordPolicies: Send + Sync + fmt::Debug + 'static {
    /// A password by the policy `name`; an empty name is the built-in policy: 20 characters of each class.
    async fn generate(&self, name: &str) -> Result<SecretText>;
}

/// Records intents: leases that are not granted yet.
#[async_trait]
pub trait Intents: Send + Sync {
    /// Commits a lease of `mount` that will be revoked unless the request that asked for it ends in granting it.
    async fn record(&self, mount: &Mount, path: &ApiPath, data: SecretJson) -> Result<Intent>;
}

/// What belongs to one request while its handler runs.
pub struct Cx<'a> {
    /// Who asks; nothing on a public endpoint.
    pub caller: Option<&'a Caller>,
    /// The token that came with the request, for the endpoints that are about tokens. An engine has no use for it.
    pub token: Option<&'a ClientToken>,
    /// Where from.
    pub client: &'a Client,
    /// Through which mount.
    pub mount: &'a Mount,
    /// The request's path, with that of the mount.
    pub path: &'a ApiPath,
    /// Time, randomness, passwords.
    pub deps: &'a Deps,
    /// For how long the answer is to be wrapped, if at all. An engine has no use for it.
    pub wrap_ttl: Option<Duration>,
    txn: Txn,
    intents: &'a dyn Intents,
    warnings: Vec<Cow<'static, str>>,
    undo: Option<Undo>,
}

/// The parts of a [`Cx`] that the core gives.
#[derive(Clone, Copy)]
pub struct CxParts<'a> {
    /// See [`Cx::caller`].
    pub caller: Option<&'a Caller>,
    /// See [`Cx::token`].
    pub token: Option<&'a ClientToken>,
    /// See [`Cx::client`].
    pub client: &'a Client,
    /// See [`Cx::mount`].
    pub mount: &'a Mount,
    /// See [`Cx::path`].
    pub path: &'a ApiPath,
    /// See [`Cx::deps`].
    pub deps: &'a Deps,
    /// Records intents.
    pub intents: &'a dyn Intents,
}

impl<'a> Cx<'a> {
    /// A context with an empty transaction.
    pub fn new(parts: CxParts<'a>) -> Self {
        let CxParts { caller, token, client, mount, path, deps, intents } = parts;
        let (txn, warnings) = (Txn::new(), Vec::new());
        Self { caller, token, client, mount, path, deps, wrap_ttl: None, txn, intents, warnings, undo: None }
    }

    /// The same for a request whose answer is to be wrapped.
    #[must_use]
    pub fn wrapping(mut self, ttl: Option<Duration>) -> Self {
        self.wrap_ttl = ttl.filter(|ttl| !ttl.is_zero());
        self
    }

    /// The changes of this request. Handlers put into it; the pipeline commits it once.
    pub fn txn(&mut self) -> &mut Txn {
        &mut self.txn
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.deps.clock.now()
    }

    /// Randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.deps.entropy
    }

    /// Who asks; an error on a public endpoint, where nobody is known.
    pub fn caller(&self) -> Result<&'a Caller> {
        self.caller.ok_or_else(Error::bad_token)
    }

    /// Says something beside the answer. Never with a value that the caller sent.
    pub fn warn(&mut self, warning: impl Into<Cow<'static, str>>) {
        self.warnings.push(warning.into());
    }

    /// Records, durably and before it happens, that something is about to be made outside of the vault. Give the intent
    /// to [`super::NewLease::intent`]; if the request does not end in a granted lease, the engine is asked to revoke it.
    pub async fn intend<T: Serialize + Sync>(&mut self, data: &T) -> Result<Intent> {
        let data = SecretJson::of(data).map_err(|_| Error::internal("an intent cannot be written"))?;
        self.intents.record(self.mount, self.path, data).await
    }

    /// How to take back what the handler did beside its transaction, should the answer not get onto record.
    pub fn undo_by(&mut self, undo: Undo) {
        self.undo = Some(undo);
    }

    /// What the handler left: its changes, its warnings, and what takes back the rest.
    pub fn into_parts(self) -> (Txn, Vec<Cow<'static, str>>, Option<Undo>) {
        (self.txn, self.warnings, self.undo)
    }
}

impl fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_named_after_their_mount() {
        let mount = |path: &str| Mount { path: path.to_owned(), ..Mount::default() };
        assert_eq!(mount("auth/cert/").display_name("web"), "cert-web");
        assert_eq!(mount("auth/team/cert/").display_name("web"), "team-cert-web");
        assert_eq!(mount("auth/approle/").display_name(""), "approle");
    }
}
