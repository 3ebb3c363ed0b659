//! `POST /v1/sys/mounts/{path}/tune`: changes the settings of a mount.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{KeyValues, LooseText};
use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::{Error, Result};
use crate::mount::{MountEntry, MountPoint};
use crate::vault::Unsealed;

use super::super::settings::{LeaseLength, MountSettings};
use super::super::{MountPath, found, named};

/// Changes to a mount; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Tuning {
    /// What its operator says about it.
    description: Option<LooseText>,
    /// Options of its engine; those that are not named stay, an empty one is removed.
    options: Option<KeyValues>,
    #[serde(flatten)]
    settings: MountSettings,
}

/// See [`Tuning`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Tune(Tuning);

impl Endpoint for Tune {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("mounts/{path..}/tune").summary("Changes the settings of a mount");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, cx: &mut Cx<'_>) -> Result<Done> {
        self.0.tune(unsealed, Role::Secret, &path.path, cx).await
    }
}

impl Tuning {
    /// Changes the settings of the mount at `path`.
    pub(in crate::sys) async fn tune(
        self,
        unsealed: &Arc<Unsealed>,
        role: Role,
        path: &str,
        cx: &mut Cx<'_>,
    ) -> Result<Done> {
        let point = found(unsealed, role, path)?;
        self.check_built_in(&point)?;
        let version = self.options.as_ref().and_then(|options| options.0.get("version"));
        let is_upgrade = version.map_or(Ok(false), |version| upgrades(&point, version))?;
        let longest = unsealed.mounts.server().max_ttl;
        let (role, path) = named(role, path);
        let change = |entry: &mut MountEntry| {
            self.apply(entry)?;
            let config = &entry.config;
            let max = config.max_lease_ttl.or(longest);
            if config.default_lease_ttl > max && self.settings.default_lease_ttl != LeaseLength::Unsaid {
                return Err(Error::invalid(format!(
                    "backend max lease TTL of {} would be less than backend default lease TTL of {}",
                    max.seconds(),
                    config.default_lease_ttl.seconds()
                )));
            }
            Ok(())
        };
        unsealed.tune(role, path, change).await?;
        if is_upgrade {
            cx.warn("the mount was upgraded to version 2: its secrets are now read below data/");
        }
        Ok(Done)
    }

    fn apply(&self, entry: &mut MountEntry) -> Result<()> {
        self.settings.apply(entry)?;
        if let Some(description) = &self.description {
            entry.description.clone_from(&description.0);
        }
        if let Some(options) = &self.options {
            for (name, value) in &options.0 {
                if value.is_empty() {
                    entry.options.remove(name);
                } else {
                    entry.options.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(())
    }

    /// Of what is a part of the vault only the audit settings can be changed.
    fn check_built_in(&self, point: &MountPoint) -> Result<()> {
        let path = point.entry.path.as_str();
        if !matches!(path, "sys/" | "cubbyhole/" | "identity/") {
            return Ok(());
        }
        let settings = &self.settings;
        let fixed = [
            ("default_lease_ttl", settings.default_lease_ttl != LeaseLength::Unsaid),
            ("max_lease_ttl", settings.max_lease_ttl != LeaseLength::Unsaid),
            ("description", self.description.is_some()),
            ("listing_visibility", settings.listing_visibility.is_some()),
            ("passthrough_request_headers", settings.passthrough_request_headers.is_some()),
            ("allowed_response_headers", settings.allowed_response_headers.is_some()),
            ("options", self.options.is_some()),
        ];
        match fixed.into_iter().find(|(_, asked)| *asked) {
            Some((name, _)) => Err(Error::invalid(format!("cannot tune parameter {name} of {path}"))),
            None => Ok(()),
        }
    }
}

/// Whether the change of version is one that a `kv` mount of version 1 makes to become one of version 2; there is no way
/// back.
fn upgrades(point: &MountPoint, asked: &str) -> Result<bool> {
    if point.entry.kind != "kv" {
        return Ok(false);
    }
    match (point.entry.options.get("version").map_or("1", String::as_str), asked) {
        ("2", "1") => Err(Error::invalid("cannot downgrade mount from version 2")),
        ("1", "2") => Ok(true),
        (present, asked) if present == asked => Ok(false),
        (_, _) => Err(Error::invalid("invalid version provided: it must be 1 or 2")),
    }
}
