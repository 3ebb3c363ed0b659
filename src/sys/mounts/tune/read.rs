//! `GET /v1/sys/mounts/{path}/tune`: the settings of a mount as they take effect.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Role, Route};
use crate::error::Result;
use crate::vault::Unsealed;

use super::super::info::{LockoutInfo, SharedInfo};
use super::super::{MountPath, found};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadTuning {}

/// The settings of a mount as they take effect.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TuningInfo {
    /// In seconds.
    default_lease_ttl: Ttl,
    description: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    external_entropy_access: bool,
    force_no_cache: bool,
    /// In seconds.
    max_lease_ttl: Ttl,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, String>,
    #[serde(flatten)]
    shared: SharedInfo,
    #[serde(flatten)]
    lockout: Option<LockoutInfo>,
}

impl Endpoint for ReadTuning {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Data<TuningInfo>;
    const ROUTE: Route = Route::read("mounts/{path..}/tune").summary("The settings of a mount as they take effect");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        tuning(unsealed, Role::Secret, &path.path)
    }
}

/// The settings of the mount at `path`.
pub(in crate::sys) fn tuning(unsealed: &Unsealed, role: Role, path: &str) -> Result<Data<TuningInfo>> {
    let point = found(unsealed, role, path)?;
    let entry = &point.entry;
    let info = TuningInfo {
        default_lease_ttl: point.facts.default_ttl,
        description: entry.description.clone(),
        external_entropy_access: entry.config.external_entropy_access,
        force_no_cache: entry.config.force_no_cache,
        max_lease_ttl: point.facts.max_ttl,
        options: entry.options.clone(),
        shared: SharedInfo::of(entry),
        lockout: LockoutInfo::of(&entry.config),
    };
    Ok(Data::new(info).repeated())
}
