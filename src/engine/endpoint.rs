//! `Engine` and `Endpoint`: what an author of an engine writes.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::Operation;
use crate::barrier::View;
use crate::error::Result;
use crate::policy::{Access, Existence};
use crate::time::Timestamp;

use super::answer::Reply;
use super::body::Body;
use super::cx::{Caller, Client, Cx, Deps};
use super::identity::{Identity, Terms};
use super::lease::{LeaseData, Renewal};
use super::lockout::Lockouts;
use super::routes::Routes;

/// One mounted engine, of either role.
pub trait Engine: Send + Sync + Sized + 'static {
    /// The word for it: `kv`, `database`, `cert`.
    const KIND: &'static str;

    /// Opens the engine over its part of the barrier. `options` are those of the mount.
    fn open(view: View, options: &Value, deps: Deps) -> impl Future<Output = Result<Self>> + Send;

    /// Its endpoints, in the order of its documentation.
    fn routes() -> Routes<Self>;

    /// Work that no request asks for (rotating what is due). Called every few seconds on one node; doing it twice must be
    /// as good as once.
    fn maintain(&self, _now: Timestamp) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// An engine that hands out things which end.
pub trait SecretsEngine: Engine {
    /// Undoes what the lease stands for. Called until it succeeds, so twice must be as good as once, and undoing what was
    /// never done is a success.
    fn revoke(&self, _lease: &LeaseData) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Whether, and how far, a lease may be renewed to `until`; the engine extends what lies outside of the vault.
    fn renew(&self, _lease: &LeaseData, _until: Timestamp) -> impl Future<Output = Result<Renewal>> + Send {
        async { Ok(Renewal::AsAsked) }
    }
}

/// An engine that turns a proof into an identity. It never sees or makes a token.
pub trait AuthMethod: Engine {
    /// Whether this identity is still good, and what its token is like from now on. Asked when a token is renewed;
    /// nothing refuses the renewal.
    fn renew(&self, identity: &Identity, client: &Client) -> impl Future<Output = Result<Option<Terms>>> + Send;

    /// Whether callers log in with a role.
    const HAS_ROLES: bool = false;

    /// The role that a request below the mount logs in with, as [`Identity::role`] would name it; nothing if it does not log
    /// in, or with none that is known. Nobody has been believed yet: it says which quota the request counts for.
    fn login_role(
        &self,
        _path: &str,
        _body: &Body,
        _client: &Client,
    ) -> impl Future<Output = Result<Option<String>>> + Send {
        async { Ok(None) }
    }

    /// Whom it has locked out after wrong passwords; nothing for a method that checks none.
    fn lockouts(&self) -> Option<&Lockouts> {
        None
    }
}

/// One operation on one path. The type (the body of a write, the query of a read) *is* the endpoint.
pub trait Endpoint: DeserializeOwned + JsonSchema + Send + Sized + 'static {
    /// What it acts on: an engine, or a part of the core.
    type Target: Send + Sync + 'static;
    /// The parameters in its path.
    type Path: DeserializeOwned + JsonSchema + Send;
    /// What it answers.
    type Reply: Reply;

    /// Where it is, and who may call it.
    const ROUTE: Route;

    /// Other names of its fields that are read but not written in its schema.
    const ALIASES: &'static [&'static str] = &[];

    /// Does it. Changes go into `cx.txn()`.
    fn handle(
        self,
        target: &Self::Target,
        path: Self::Path,
        cx: &mut Cx<'_>,
    ) -> impl Future<Output = Result<Self::Reply>> + Send;

    /// For a write: whether its target is there already.
    fn existence(
        _target: &Self::Target,
        _path: Self::Path,
        _caller: Option<&Caller>,
    ) -> impl Future<Output = Result<Existence>> + Send {
        async { Ok(Existence::Unknown) }
    }
}

/// Where an endpoint is, and who may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The operation.
    pub operation: Operation,
    /// The path below the mount; see [`super::Pattern`].
    pub pattern: &'static str,
    /// A sentence for the help text and the OpenAPI document.
    pub summary: &'static str,
    /// What it asks of its caller.
    pub access: Access,
}

impl Route {
    /// `GET`.
    pub const fn read(pattern: &'static str) -> Self {
        Self::new(Operation::Read, pattern)
    }

    /// `POST` and `PUT`.
    pub const fn write(pattern: &'static str) -> Self {
        Self::new(Operation::Write, pattern)
    }

    /// `PATCH`.
    pub const fn patch(pattern: &'static str) -> Self {
        Self::new(Operation::Patch, pattern)
    }

    /// `DELETE`.
    pub const fn delete(pattern: &'static str) -> Self {
        Self::new(Operation::Delete, pattern)
    }

    /// `LIST`.
    pub const fn list(pattern: &'static str) -> Self {
        Self::new(Operation::List, pattern)
    }

    /// `SCAN`.
    pub const fn scan(pattern: &'static str) -> Self {
        Self::new(Operation::Scan, pattern)
    }

    /// The same with a sentence for the help text.
    #[must_use]
    pub const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The same, open to all: no token is asked for.
    #[must_use]
    pub const fn public(mut self) -> Self {
        self.access = Access::Public;
        self
    }

    /// The same, and `sudo` is asked for beside the capability.
    #[must_use]
    pub const fn sudo(mut self) -> Self {
        self.access = Access::Sudo;
        self
    }

    /// The same, open to any valid token.
    #[must_use]
    pub const fn any_token(mut self) -> Self {
        self.access = Access::AnyToken;
        self
    }

    const fn new(operation: Operation, pattern: &'static str) -> Self {
        Self { operation, pattern, summary: "", access: Access::Policy }
    }
}
