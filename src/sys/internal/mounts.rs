//! `GET /v1/sys/internal/ui/mounts`: the mounts that the caller may know of; without a token those that are listed for
//! all.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::mount::{MountPoint, Visibility};
use crate::sys::NoPath;
use crate::sys::mounts::MountInfo;
use crate::vault::Unsealed;

use super::known_caller;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadMounts {}

/// Mounts by path.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct VisibleMounts {
    /// Auth methods.
    auth: BTreeMap<String, VisibleMount>,
    /// Secrets engines.
    secret: BTreeMap<String, VisibleMount>,
}

/// A mount: all of it, or what a caller without a token sees.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum VisibleMount {
    Whole(Box<MountInfo>),
    Listed { description: String, options: BTreeMap<String, String>, r#type: String },
}

impl Endpoint for ReadMounts {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<VisibleMounts>;
    const ROUTE: Route = Route::read("internal/ui/mounts").public().summary("The mounts that the caller may know of");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let acl = match known_caller(unsealed, cx).await? {
            Some(caller) => Some(unsealed.acl(&caller, cx.now()).await?),
            None => None,
        };
        let mut shown = VisibleMounts { auth: BTreeMap::new(), secret: BTreeMap::new() };
        for point in unsealed.mounts.serving() {
            let mount = match &acl {
                Some(acl) if acl.reaches(&point.entry.path) => VisibleMount::Whole(Box::new(MountInfo::of(&point))),
                Some(_) | None if point.entry.config.listing_visibility == Visibility::Unauth => listed(&point),
                Some(_) | None => continue,
            };
            let table = match point.entry.role {
                Role::Auth => &mut shown.auth,
                Role::Secret => &mut shown.secret,
            };
            table.insert(point.entry.shown_path().to_owned(), mount);
        }
        Ok(Data::new(shown))
    }
}

fn listed(point: &MountPoint) -> VisibleMount {
    VisibleMount::Listed {
        description: point.entry.description.clone(),
        options: point.entry.options.clone(),
        r#type: point.entry.kind.clone(),
    }
}
