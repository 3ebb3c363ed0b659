//! `POST /v1/sys/mounts/{path}`: mounts a secrets engine.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{KeyValues, LooseBool, LooseText, Ttl};
use crate::engine::{Cx, Done, Endpoint, Role, Route};
use crate::error::{Error, Result};
use crate::mount::{MountConfig, MountEntry, MountState};
use crate::vault::{NewMount, Unsealed};

use super::MountPath;
use super::settings::MountSettings;

/// A mount that is to be enabled.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Mounting {
    /// What: `kv`, `database`, `userpass`.
    #[serde(rename = "type")]
    kind: LooseText,
    /// The same, where `type` is `plugin`.
    plugin_name: LooseText,
    /// What its operator says about it.
    description: LooseText,
    /// How it is tuned.
    config: Option<EnableSettings>,
    /// The options of its engine: `{"version": "2"}`.
    options: KeyValues,
    /// Kept and shown; it changes nothing.
    local: LooseBool,
    /// Kept and shown; it changes nothing.
    seal_wrap: LooseBool,
    /// Kept and shown; it changes nothing: entropy comes from the operating system.
    external_entropy_access: LooseBool,
    /// Taken and not kept: there is one version of each engine.
    plugin_version: LooseText,
}

/// How a new mount is tuned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct EnableSettings {
    #[serde(flatten)]
    shared: MountSettings,
    /// Kept and shown; there is no cache that it would bypass.
    force_no_cache: LooseBool,
    /// The same as `plugin_name` beside the config.
    plugin_name: LooseText,
}

/// See [`Mounting`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct EnableMount(Mounting);

impl Endpoint for EnableMount {
    type Target = Arc<Unsealed>;
    type Path = MountPath;
    type Reply = Done;
    const ROUTE: Route = Route::write("mounts/{path..}").summary("Enables a secrets engine");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: MountPath, _: &mut Cx<'_>) -> Result<Done> {
        self.0.enable(unsealed, Role::Secret, path.path).await
    }
}

impl Mounting {
    /// Enables the mount at `path`.
    pub(in crate::sys) async fn enable(self, unsealed: &Arc<Unsealed>, role: Role, path: String) -> Result<Done> {
        let settings = self.config.unwrap_or_default();
        let kind = kind(&self.kind.0, [&self.plugin_name.0, &settings.plugin_name.0])?;
        if role == Role::Auth && kind == "token" {
            return Err(Error::invalid("token credential backend cannot be instantiated"));
        }
        let mut options = self.options.0;
        let kind = match kind.as_str() {
            "kv-v1" => {
                options.insert("version".to_owned(), "1".to_owned());
                "kv".to_owned()
            }
            _ => kind,
        };
        let mut config = config(role, &kind, &settings, unsealed.mounts.server().max_ttl)?;
        config.external_entropy_access = self.external_entropy_access.0;
        let new = NewMount {
            role,
            path,
            config,
            kind,
            description: self.description.0,
            options,
            local: self.local.0,
            seal_wrap: self.seal_wrap.0,
        };
        unsealed.enable(new).await?;
        Ok(Done)
    }
}

/// What is to be mounted: `type`, or where that is `plugin`, the name that one of the two fields gives.
fn kind(kind: &str, plugin_names: [&str; 2]) -> Result<String> {
    let named = plugin_names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let name = if kind == "plugin" { named } else { kind };
    if name.is_empty() {
        return Err(Error::invalid("backend type must be specified as a string"));
    }
    Ok(name.to_owned())
}

/// The config of a new mount, checked by the rules of a tuning.
fn config(role: Role, kind: &str, asked: &EnableSettings, longest: Ttl) -> Result<MountConfig> {
    let mut draft = MountEntry {
        uuid: String::new(),
        accessor: String::new(),
        path: String::new(),
        role,
        kind: kind.to_owned(),
        description: String::new(),
        options: std::collections::BTreeMap::new(),
        config: MountConfig { force_no_cache: asked.force_no_cache.0, ..MountConfig::default() },
        local: false,
        seal_wrap: false,
        state: MountState::Active,
    };
    // The peer takes a kind of token for a secrets engine too, and does not keep it.
    let shared = &asked.shared;
    if role == Role::Secret && shared.token_type.is_some() {
        let untyped = MountSettings { token_type: None, ..shared.clone() };
        untyped.apply(&mut draft)?;
    } else {
        shared.apply(&mut draft)?;
    }
    let config = draft.config;
    if config.max_lease_ttl.is_zero() && config.default_lease_ttl > longest {
        let seconds = longest.seconds();
        return Err(Error::invalid(format!("given default lease TTL greater than system max lease TTL of {seconds}")));
    }
    if !config.max_lease_ttl.is_zero() && config.default_lease_ttl > config.max_lease_ttl {
        return Err(Error::invalid("given default lease TTL greater than given max lease TTL"));
    }
    Ok(config)
}
