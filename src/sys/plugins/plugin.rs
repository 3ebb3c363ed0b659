//! `GET /v1/sys/plugins/catalog/{type}/{name}`: one plugin.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::sys::mounts;
use crate::vault::Unsealed;

use super::{PluginType, names};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadPlugin {}

/// Which plugin.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PluginPath {
    /// `auth`, `database` or `secret`.
    r#type: String,
    /// Its name.
    name: String,
}

/// What is known of a plugin.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PluginInfo {
    /// Always null: it is no program of its own.
    args: Option<Vec<String>>,
    builtin: bool,
    command: &'static str,
    declarative: bool,
    deprecation_status: &'static str,
    name: &'static str,
    oci: bool,
    sha256: &'static str,
    version: String,
}

impl Endpoint for ReadPlugin {
    type Target = Arc<Unsealed>;
    type Path = PluginPath;
    type Reply = Data<PluginInfo>;
    const ROUTE: Route = Route::read("plugins/catalog/{type}/{name}").sudo().summary("A plugin");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: PluginPath, _: &mut Cx<'_>) -> Result<Data<PluginInfo>> {
        let of = PluginType::parse(&path.r#type).ok_or_else(Error::absent)?;
        let found = names(unsealed, of).into_iter().find(|name| *name == path.name);
        let name = found.ok_or_else(Error::absent)?;
        Ok(Data::new(PluginInfo {
            args: None,
            builtin: true,
            command: "",
            declarative: false,
            deprecation_status: "supported",
            name,
            oci: false,
            sha256: "",
            version: mounts::running_version(),
        }))
    }
}
