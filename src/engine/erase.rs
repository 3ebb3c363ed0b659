//! Erases the type of an engine once, so that the mount table can hold any.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::api::Operation;
use crate::audit::Admitted;
use crate::barrier::View;
use crate::error::{Error, Result};
use crate::policy::Existence;
use crate::time::Timestamp;

use super::answer::Answer;
use super::body::Body;
use super::cx::{Caller, Client, Cx, Deps};
use super::endpoint::{AuthMethod, Engine, SecretsEngine};
use super::identity::{Identity, Terms};
use super::lease::{LeaseData, Renewal};
use super::lockout::Lockouts;
use super::routes::{Hit, Resolved, RouteInfo, Routes};

/// Which of the two roles an engine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Mounted anywhere but below `auth/`; may grant leases.
    Secret,
    /// Mounted below `auth/`; may log callers in.
    Auth,
}

/// An opened engine of any type.
#[async_trait]
pub trait Mounted: Send + Sync + fmt::Debug + 'static {
    /// The route for an operation on a path below the mount.
    fn resolve(&self, operation: Operation, path: &str) -> Resolved;

    /// Calls the endpoint of `hit`. Only an admitted request gets here.
    async fn call(&self, admitted: &Admitted, hit: &Hit, body: &Body, cx: &mut Cx<'_>) -> Result<Answer>;

    /// Whether the target of a write is there already.
    async fn existence(&self, hit: &Hit, caller: Option<&Caller>) -> Result<Existence>;

    /// Undoes what a lease stands for.
    async fn revoke(&self, lease: &LeaseData) -> Result<()>;

    /// Whether, and how far, a lease may be renewed.
    async fn renew_lease(&self, lease: &LeaseData, until: Timestamp) -> Result<Renewal>;

    /// Whether an identity is still good, and what its token is like from now on.
    async fn renew_token(&self, identity: &Identity, client: &Client) -> Result<Option<Terms>>;

    /// Whether callers log in with a role.
    fn has_roles(&self) -> bool {
        false
    }

    /// The role that a request logs in with; nothing for secrets engines.
    async fn login_role(&self, _path: &str, _body: &Body, _client: &Client) -> Result<Option<String>> {
        Ok(None)
    }

    /// Whom an auth method has locked out after wrong passwords; nothing for a method that checks none, and for secrets
    /// engines.
    fn lockouts(&self) -> Option<&Lockouts> {
        None
    }

    /// Work that no request asks for.
    async fn maintain(&self, now: Timestamp) -> Result<()>;

    /// Every route.
    fn infos(&self) -> Vec<RouteInfo>;
}

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Mounted>>> + Send>>;

/// A kind of engine that can be mounted: one line of a registry.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The word for it.
    pub name: &'static str,
    /// Its role.
    pub role: Role,
    open: fn(View, Value, Deps) -> Opening,
    infos: fn() -> Vec<RouteInfo>,
}

impl Kind {
    /// The line for a secrets engine.
    pub const fn secrets_engine<E: SecretsEngine>() -> Self {
        Self { name: E::KIND, role: Role::Secret, open: open::<E, Secrets<E>>, infos: infos::<E> }
    }

    /// The line for an auth method.
    pub const fn auth_method<E: AuthMethod>() -> Self {
        Self { name: E::KIND, role: Role::Auth, open: open::<E, Auth<E>>, infos: infos::<E> }
    }

    /// The same engine under another word.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Opens an engine of this kind over its part of the barrier.
    pub async fn open(&self, view: View, options: Value, deps: Deps) -> Result<Arc<dyn Mounted>> {
        (self.open)(view, options, deps).await
    }

    /// Every route of an engine of this kind.
    pub fn infos(&self) -> Vec<RouteInfo> {
        (self.infos)()
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

struct Secrets<E> {
    engine: E,
    routes: Routes<E>,
}

struct Auth<E> {
    engine: E,
    routes: Routes<E>,
}

impl<E: Engine> From<E> for Secrets<E> {
    fn from(engine: E) -> Self {
        Self { engine, routes: E::routes() }
    }
}

impl<E: Engine> From<E> for Auth<E> {
    fn from(engine: E) -> Self {
        Self { engine, routes: E::routes() }
    }
}

fn open<E: Engine, M: Mounted + From<E>>(view: View, options: Value, deps: Deps) -> Opening {
    Box::pin(async move { Ok(Arc::new(M::from(E::open(view, &options, deps).await?)) as Arc<dyn Mounted>) })
}

fn infos<E: Engine>() -> Vec<RouteInfo> {
    E::routes().infos()
}

#[async_trait]
impl<E: SecretsEngine> Mounted for Secrets<E> {
    fn resolve(&self, operation: Operation, path: &str) -> Resolved {
        self.routes.resolve(operation, path)
    }

    async fn call(&self, _admitted: &Admitted, hit: &Hit, body: &Body, cx: &mut Cx<'_>) -> Result<Answer> {
        self.routes.call(&self.engine, hit, body, cx).await
    }

    async fn existence(&self, hit: &Hit, caller: Option<&Caller>) -> Result<Existence> {
        self.routes.existence(&self.engine, hit, caller).await
    }

    async fn revoke(&self, lease: &LeaseData) -> Result<()> {
        self.engine.revoke(lease).await
    }

    async fn renew_lease(&self, lease: &LeaseData, until: Timestamp) -> Result<Renewal> {
        self.engine.renew(lease, until).await
    }

    async fn renew_token(&self, _: &Identity, _: &Client) -> Result<Option<Terms>> {
        Err(Error::internal("a secrets engine has no tokens to renew"))
    }

    async fn maintain(&self, now: Timestamp) -> Result<()> {
        self.engine.maintain(now).await
    }

    fn infos(&self) -> Vec<RouteInfo> {
        self.routes.infos()
    }
}

#[async_trait]
impl<E: AuthMethod> Mounted for Auth<E> {
    fn resolve(&self, operation: Operation, path: &str) -> Resolved {
        self.routes.resolve(operation, path)
    }

    async fn call(&self, _admitted: &Admitted, hit: &Hit, body: &Body, cx: &mut Cx<'_>) -> Result<Answer> {
        self.routes.call(&self.engine, hit, body, cx).await
    }

    async fn existence(&self, hit: &Hit, caller: Option<&Caller>) -> Result<Existence> {
        self.routes.existence(&self.engine, hit, caller).await
    }

    async fn revoke(&self, _: &LeaseData) -> Result<()> {
        Err(Error::internal("an auth method has no leases to revoke"))
    }

    async fn renew_lease(&self, _: &LeaseData, _: Timestamp) -> Result<Renewal> {
        Err(Error::internal("an auth method has no leases to renew"))
    }

    async fn renew_token(&self, identity: &Identity, client: &Client) -> Result<Option<Terms>> {
        self.engine.renew(identity, client).await
    }

    fn has_roles(&self) -> bool {
        E::HAS_ROLES
    }

    async fn login_role(&self, path: &str, body: &Body, client: &Client) -> Result<Option<String>> {
        self.engine.login_role(path, body, client).await
    }

    fn lockouts(&self) -> Option<&Lockouts> {
        self.engine.lockouts()
    }

    async fn maintain(&self, now: Timestamp) -> Result<()> {
        self.engine.maintain(now).await
    }

    fn infos(&self) -> Vec<RouteInfo> {
        self.routes.infos()
    }
}

impl<E: Engine> fmt::Debug for Secrets<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::KIND)
    }
}

impl<E: Engine> fmt::Debug for Auth<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(E::KIND)
    }
}
