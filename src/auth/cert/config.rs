//! `GET` and `POST /v1/auth/{mount}/config`: settings of the mount.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt};
use crate::engine::{Cx, Data, Done, Endpoint, Record, Route};
use crate::error::{Error, Result};

use super::Cert;

/// The key of the settings.
pub(super) const KEY: &str = "config";

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Settings {
    /// Whether a token can be renewed without its certificate.
    pub(super) disable_binding: bool,
    /// Whether what a token shows of its certificate is also kept with the entity's alias.
    pub(super) enable_identity_alias_metadata: bool,
    /// Kept and shown.
    ocsp_cache_size: i64,
}

impl Record for Settings {}

/// Settings; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct WriteConfig {
    /// Whether a token can be renewed without its certificate.
    disable_binding: Option<LooseBool>,
    /// Whether what a token shows of its certificate is also kept with the entity's alias.
    enable_identity_alias_metadata: Option<LooseBool>,
    /// Kept and shown.
    ocsp_cache_size: Option<LooseInt>,
}

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ReadConfig {}

/// The path has no parameters.
#[derive(Deserialize, JsonSchema)]
pub(super) struct NoPath {}

impl Endpoint for WriteConfig {
    type Target = Cert;
    type Path = NoPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("config").summary("Change the settings.");

    async fn handle(self, cert: &Cert, _: NoPath, cx: &mut Cx<'_>) -> Result<Done> {
        let mut settings: Settings = cert.view.fetch(cx.txn(), KEY).await?.unwrap_or_default();
        settings.disable_binding = self.disable_binding.map_or(settings.disable_binding, |flag| flag.0);
        let flag = self.enable_identity_alias_metadata;
        settings.enable_identity_alias_metadata = flag.map_or(settings.enable_identity_alias_metadata, |flag| flag.0);
        if let Some(LooseInt(size)) = self.ocsp_cache_size {
            if !(2..=100_000).contains(&size) {
                return Err(Error::invalid("invalid cache size, must be >= 2 and <= 100000"));
            }
            settings.ocsp_cache_size = size;
        }
        cert.view.put(cx.txn(), KEY, &settings)?;
        cert.changed(cx.txn())?;
        Ok(Done)
    }
}

impl Endpoint for ReadConfig {
    type Target = Cert;
    type Path = NoPath;
    type Reply = Data<Settings>;

    const ROUTE: Route = Route::read("config").summary("Read the settings.");

    async fn handle(self, cert: &Cert, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Settings>> {
        Ok(Data::new(cert.view.get(KEY).await?.unwrap_or_default()))
    }
}
