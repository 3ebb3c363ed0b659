//! From a path to what answers there. «Nothing» is not an answer yet: who may not know gets the same refusal.

use std::sync::{Arc, LazyLock};

use crate::api::{ApiPath, Operation};
use crate::engine::{Caller, Hit, Mount, Mounted, Resolved, Routes};
use crate::error::{Error, Kind, Result};
use crate::mount::{Backend, MountPoint};
use crate::policy::{Access, Existence};
use crate::vault::{Unsealed, Vault};

/// The endpoints of the core, and with the mount table the way to every other one. What requests are routed by is what
/// explanations are routed by.
#[derive(Debug)]
pub(crate) struct Router {
    /// What is below `sys/` whether or not the vault is sealed.
    pub(crate) turning: Routes<Arc<Vault>>,
    /// What is below `sys/` once the vault is unsealed.
    pub(crate) system: Routes<Arc<Unsealed>>,
    /// What is below `auth/token/`.
    pub(crate) token: Routes<Arc<Unsealed>>,
    /// What is below `identity/`.
    pub(crate) identity: Routes<Arc<Unsealed>>,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) target: Option<Routed>,
    pub(crate) resolved: Resolved,
    /// The path that policies decide about.
    pub(crate) canonical: ApiPath,
}

/// Whose endpoint it is.
#[derive(Debug)]
pub(crate) enum Routed {
    /// The vault's, sealed or not.
    Turning,
    /// The core's, below `sys/`.
    System(Arc<MountPoint>),
    /// The core's, below `auth/token/`.
    Token(Arc<MountPoint>),
    /// The core's, below `identity/`.
    Identity(Arc<MountPoint>),
    /// Nobody's: its engine could not be opened.
    Unopened(Arc<MountPoint>),
    /// An engine's.
    Engine(Arc<MountPoint>, Arc<dyn Mounted>),
}

/// A path that leads somewhere.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) target: Routed,
    pub(crate) hit: Hit,
}

impl Routed {
    /// The mount, where there is one.
    pub(crate) fn point(&self) -> Option<&Arc<MountPoint>> {
        match self {
            Self::Turning => None,
            Self::System(point)
            | Self::Token(point)
            | Self::Identity(point)
            | Self::Unopened(point)
            | Self::Engine(point, _) => Some(point),
        }
    }

    /// The mount of an engine, which can be disabled.
    pub(crate) fn engine(&self) -> Option<&Arc<MountPoint>> {
        match self {
            Self::Engine(point, _) => Some(point),
            Self::Turning | Self::System(_) | Self::Token(_) | Self::Identity(_) | Self::Unopened(_) => None,
        }
    }
}

impl Found {
    /// The mount as handlers see it.
    pub(crate) fn mount(&self) -> &Mount {
        static NONE: Mount = Mount::NONE;
        self.target.point().map_or(&NONE, |point| &point.facts)
    }
}

impl Route {
    /// What its endpoint asks of its caller; a path without an endpoint asks for a policy that allows it.
    pub(crate) fn access(&self) -> Access {
        match &self.resolved {
            Resolved::Found(hit) => hit.info.route.access,
            Resolved::OtherOperation | Resolved::Nothing => Access::Policy,
        }
    }

    /// The endpoint, or the error that says why there is none.
    pub(crate) fn found(self) -> Result<Found> {
        let no_handler = || {
            let path = self.canonical.as_str();
            Error::not_found(format!("no handler for route {path:?}. route entry not found."))
        };
        let target = self.target.ok_or_else(no_handler)?;
        if matches!(target, Routed::Unopened(_)) {
            return Err(Error::new(
                Kind::Unavailable,
                "this mount could not be opened; its operator finds why in the log",
            ));
        }
        Ok(Found { target, hit: self.resolved.found()? })
    }
}

impl Router {
    /// The only one.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Router> = LazyLock::new(|| Router {
            turning: super::vault_routes(),
            system: super::routes(),
            token: super::token_routes(),
            identity: super::identity_routes(),
        });
        &SHARED
    }

    /// The endpoint of the vault itself that a request is for.
    pub(crate) fn turning_hit(&self, operation: Operation, path: &ApiPath) -> Option<Hit> {
        let rest = path.as_str().strip_prefix("sys/")?;
        match self.turning.resolve(operation, rest.trim_end_matches('/')) {
            Resolved::Found(hit) => Some(hit),
            Resolved::OtherOperation | Resolved::Nothing => None,
        }
    }

    /// What the path of a request leads to.
    pub(crate) fn route(&self, unsealed: &Unsealed, operation: Operation, path: &ApiPath) -> Result<Route> {
        if matches!(operation, Operation::Write | Operation::Patch) && path.is_folder() {
            return Err(Error::new(Kind::InvalidRequest, "cannot write to a path ending in '/'"));
        }
        if let Some(hit) = self.turning_hit(operation, path) {
            let resolved = Resolved::Found(hit);
            return Ok(Route { target: Some(Routed::Turning), resolved, canonical: path.clone() });
        }
        let Some((point, rest)) = unsealed.mounts.route(path.as_str()) else {
            return Ok(Route { target: None, resolved: Resolved::Nothing, canonical: path.clone() });
        };
        let rest = rest.trim_end_matches('/');
        let resolved = match &point.backend {
            Backend::System => self.resolve_system(operation, rest),
            Backend::Token => self.token.resolve(operation, rest),
            Backend::Identity => self.identity.resolve(operation, rest),
            Backend::Unopened => Resolved::Nothing,
            Backend::Engine(engine) => engine.resolve(operation, rest),
        };
        let canonical = canonical(path, &point, &resolved)?;
        let target = match point.backend.clone() {
            Backend::System => Routed::System(point),
            Backend::Token => Routed::Token(point),
            Backend::Identity => Routed::Identity(point),
            Backend::Unopened => Routed::Unopened(point),
            Backend::Engine(engine) => Routed::Engine(point, engine),
        };
        Ok(Route { target: Some(target), resolved, canonical })
    }

    /// `path` as policies see it, whatever is asked for there: with the names folded that its endpoints fold.
    pub(crate) fn spelling(&self, unsealed: &Unsealed, path: &str) -> String {
        let resolved = unsealed.core.namespaces.resolve(&unsealed.namespace.path, path);
        let asked = resolved.and_then(|(inner, rest)| Some((inner, rest, ApiPath::parse(rest).ok()?)));
        let Some((inner, rest, asked)) = asked else { return path.to_owned() };
        let routes = Operation::ALL.into_iter().filter_map(|operation| self.route(&inner, operation, &asked).ok());
        let folded = routes.map(|route| route.canonical).find(|canonical| *canonical != asked);
        let before = path.strip_suffix(rest).unwrap_or_default();
        folded.map_or_else(|| path.to_owned(), |canonical| format!("{before}{canonical}"))
    }

    /// Whether the target of a write to `hit` is there already.
    pub(crate) async fn existence(
        &self,
        unsealed: &Arc<Unsealed>,
        target: Option<&Routed>,
        hit: &Hit,
        caller: &Caller,
    ) -> Result<Existence> {
        match target {
            Some(Routed::Engine(_, engine)) => engine.existence(hit, Some(caller)).await,
            Some(Routed::System(_)) => self.system.existence(unsealed, hit, Some(caller)).await,
            Some(Routed::Token(_)) => self.token.existence(unsealed, hit, Some(caller)).await,
            Some(Routed::Identity(_)) => self.identity.existence(unsealed, hit, Some(caller)).await,
            Some(Routed::Turning | Routed::Unopened(_)) | None => Ok(Existence::Unknown),
        }
    }

    /// A path of the vault itself, asked for with another operation, is known too.
    fn resolve_system(&self, operation: Operation, rest: &str) -> Resolved {
        match self.system.resolve(operation, rest) {
            Resolved::Nothing => match self.turning.resolve(operation, rest) {
                Resolved::OtherOperation | Resolved::Found(_) => Resolved::OtherOperation,
                Resolved::Nothing => Resolved::Nothing,
            },
            resolved @ (Resolved::Found(_) | Resolved::OtherOperation) => resolved,
        }
    }
}

/// The path with folded names where the endpoint folds them.
fn canonical(path: &ApiPath, point: &MountPoint, resolved: &Resolved) -> Result<ApiPath> {
    let Resolved::Found(Hit { canonical: Some(rest), .. }) = resolved else { return Ok(path.clone()) };
    let folder = if path.is_folder() { "/" } else { "" };
    ApiPath::parse(&format!("{}{rest}{folder}", point.entry.path)).map_err(|error| Error::invalid(error.to_string()))
}
