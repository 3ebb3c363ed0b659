//! From a path to what answers there. «Nothing» is not an answer yet: who may not know gets the same refusal.

use std::sync::Arc;

use crate::api::{ApiPath, Operation};
use crate::engine::{Hit, Mount, Mounted, Resolved};
use crate::error::{Error, Kind, Result};
use crate::mount::{Backend, MountPoint};
use crate::policy::Access;
use crate::vault::Unsealed;

use super::Pipeline;
use super::request::Request;

/// What a path leads to.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) target: Option<Routed>,
    pub(super) resolved: Resolved,
    /// The path that policies decide about.
    pub(super) canonical: ApiPath,
}

/// Whose endpoint it is.
#[derive(Debug)]
pub(super) enum Routed {
    /// The vault's, sealed or not.
    Turning,
    /// The core's, below `sys/`.
    System(Arc<MountPoint>),
    /// The core's, below `auth/token/`.
    Token(Arc<MountPoint>),
    /// The core's, below `identity/`.
    Identity(Arc<MountPoint>),
    /// An engine's.
    Engine(Arc<MountPoint>, Arc<dyn Mounted>),
}

/// A path that leads somewhere.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) target: Routed,
    pub(super) hit: Hit,
}

impl Routed {
    /// The mount, where there is one.
    pub(super) fn point(&self) -> Option<&Arc<MountPoint>> {
        match self {
            Self::Turning => None,
            Self::System(point) | Self::Token(point) | Self::Identity(point) | Self::Engine(point, _) => Some(point),
        }
    }
}

impl Found {
    /// The mount as handlers see it.
    pub(super) fn mount(&self) -> &Mount {
        static NONE: Mount = Mount::NONE;
        self.target.point().map_or(&NONE, |point| &point.facts)
    }
}

impl Route {
    /// What its endpoint asks of its caller; a path without an endpoint asks for a policy that allows it.
    pub(super) fn access(&self) -> Access {
        match &self.resolved {
            Resolved::Found(hit) => hit.info.route.access,
            Resolved::OtherOperation | Resolved::Nothing => Access::Policy,
        }
    }

    /// The endpoint, or the error that says why there is none.
    pub(super) fn found(self) -> Result<Found> {
        let no_handler = || {
            let path = self.canonical.as_str();
            Error::not_found(format!("no handler for route {path:?}. route entry not found."))
        };
        let target = self.target.ok_or_else(no_handler)?;
        Ok(Found { target, hit: self.resolved.found()? })
    }
}

impl Pipeline {
    /// The endpoint of the vault itself that a request is for.
    pub(super) fn turning_hit(&self, request: &Request) -> Option<Hit> {
        let rest = request.path.as_str().strip_prefix("sys/")?;
        match self.turning.resolve(request.operation, rest.trim_end_matches('/')) {
            Resolved::Found(hit) => Some(hit),
            Resolved::OtherOperation | Resolved::Nothing => None,
        }
    }

    /// What the path of a request leads to.
    pub(super) fn route(&self, unsealed: &Unsealed, request: &Request) -> Result<Route> {
        let path = &request.path;
        if matches!(request.operation, Operation::Write | Operation::Patch) && path.is_folder() {
            return Err(Error::new(Kind::InvalidRequest, "cannot write to a path ending in '/'"));
        }
        if let Some(hit) = self.turning_hit(request) {
            let resolved = Resolved::Found(hit);
            return Ok(Route { target: Some(Routed::Turning), resolved, canonical: path.clone() });
        }
        let Some((point, rest)) = unsealed.mounts.route(path.as_str()) else {
            return Ok(Route { target: None, resolved: Resolved::Nothing, canonical: path.clone() });
        };
        let rest = rest.trim_end_matches('/');
        let resolved = match &point.backend {
            Backend::System => self.resolve_system(request.operation, rest),
            Backend::Token => self.token.resolve(request.operation, rest),
            Backend::Identity => self.identity.resolve(request.operation, rest),
            Backend::Engine(engine) => engine.resolve(request.operation, rest),
        };
        let canonical = canonical(path, &point, &resolved)?;
        let target = match point.backend.clone() {
            Backend::System => Routed::System(point),
            Backend::Token => Routed::Token(point),
            Backend::Identity => Routed::Identity(point),
            Backend::Engine(engine) => Routed::Engine(point, engine),
        };
        Ok(Route { target: Some(target), resolved, canonical })
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
