//! `/v1/sys/internal/specs/openapi`: the OpenAPI document of what the caller may know of.

pub(super) mod read;
pub(super) mod write;

use std::sync::Arc;

use crate::engine::{Cx, Raw, Role};
use crate::error::Result;
use crate::mount::Backend;
use crate::sys::openapi::{Document, Section, document};
use crate::vault::Unsealed;

use super::known_caller;

/// The document; without a token nothing is in it, so that nobody learns which mounts there are.
async fn answer(unsealed: &Arc<Unsealed>, generic_mount_paths: bool, cx: &mut Cx<'_>) -> Result<Raw<Document>> {
    let Some(caller) = known_caller(unsealed, cx).await? else { return Ok(Raw::new(document(&[]))) };
    let acl = unsealed.acl(&caller, cx.now()).await?;
    let points = unsealed.mounts.serving().into_iter().filter(|point| acl.reaches(&point.entry.path));
    let sections: Vec<Section> = points
        .map(|point| {
            let (tag, routes) = match (&point.backend, point.entry.role) {
                (Backend::System, _) => {
                    let of_vault = crate::sys::vault_routes().infos();
                    ("system", crate::sys::routes().infos().into_iter().chain(of_vault).collect())
                }
                (Backend::Token, _) => ("auth", crate::sys::token_routes().infos()),
                (Backend::Identity, _) => ("identity", crate::sys::identity_routes().infos()),
                (Backend::Unopened, _) => ("secrets", Vec::new()),
                (Backend::Engine(engine), Role::Auth) => ("auth", engine.infos()),
                (Backend::Engine(engine), Role::Secret) => ("secrets", engine.infos()),
            };
            let is_generic = generic_mount_paths && tag == "secrets";
            let mount =
                if is_generic { format!("{{{}_mount_path}}/", point.entry.kind) } else { point.entry.path.clone() };
            Section { mount, tag, routes }
        })
        .collect();
    Ok(Raw::new(document(&sections)))
}
