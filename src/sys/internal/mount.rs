//! `GET /v1/sys/internal/ui/mounts/{path}`: the mount that a path lies in, if the caller may know of it. The path may lead
//! into a namespace, as clients that were told no namespace write it. A mount that is not there and one that is hidden are
//! the same refusal.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Kind, Result};
use crate::sys::mounts::MountInfo;
use crate::vault::Unsealed;

use super::known_caller;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadMount {}

/// Any path.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AnyPath {
    /// The path.
    path: String,
}

/// The mount that a path lies in.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PathMount {
    #[serde(flatten)]
    mount: MountInfo,
    /// Where it is mounted; in another namespace than that of the request, with the whole path of that namespace.
    path: String,
}

impl Endpoint for ReadMount {
    type Target = Arc<Unsealed>;
    type Path = AnyPath;
    type Reply = Data<PathMount>;
    const ROUTE: Route = Route::read("internal/ui/mounts/{path..}").public().summary("The mount that a path lies in");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: AnyPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let caller = known_caller(unsealed, cx).await?.ok_or_else(Error::bad_token)?;
        let refusal = || {
            let reason =
                "preflight capability check returned 403, please ensure client's policies grant access to path";
            Error::new(Kind::Forbidden, format!("{reason} {:?}", format!("{}/", path.path)))
        };
        let (home, rest) = served(unsealed, &path.path).ok_or_else(refusal)?;
        let acl = home.acl(&caller, cx.now()).await?;
        let point = home.mounts.route(rest).map(|(point, _)| point);
        let point = point.filter(|point| acl.reaches(&point.entry.path)).ok_or_else(refusal)?;
        let shown = if home.namespace.id == unsealed.namespace.id {
            point.entry.shown_path().to_owned()
        } else {
            format!("{}{}", home.namespace.path, point.entry.path)
        };
        Ok(Data::new(PathMount { mount: MountInfo::of(&point), path: shown }))
    }
}

/// The namespace that `path` leads into, and what is left of the path; nothing where none of its requests are served.
fn served<'p>(unsealed: &Unsealed, path: &'p str) -> Option<(Arc<Unsealed>, &'p str)> {
    let namespaces = &unsealed.core.namespaces;
    let (home, rest) = namespaces.resolve(&unsealed.namespace.path, path)?;
    namespaces.lock_over(&home.namespace.path).is_none().then_some((home, rest))
}
