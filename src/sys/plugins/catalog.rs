//! `GET /v1/sys/plugins/catalog`: every plugin.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::{NoPath, mounts};
use crate::vault::Unsealed;

use super::{PluginType, names};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadCatalog {}

/// Every plugin.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Catalog {
    /// Names of auth methods.
    auth: Vec<&'static str>,
    /// Names of databases that the engine `database` manages.
    database: Vec<&'static str>,
    /// All of them, with what is known of each.
    detailed: Vec<Plugin>,
    /// Names of secrets engines.
    secret: Vec<&'static str>,
}

/// What is known of a plugin.
#[derive(Debug, Serialize, JsonSchema)]
struct Plugin {
    builtin: bool,
    deprecation_status: &'static str,
    name: &'static str,
    r#type: PluginType,
    version: String,
}

impl Endpoint for ReadCatalog {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Catalog>;
    const ROUTE: Route = Route::read("plugins/catalog").summary("Every plugin");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Data<Catalog>> {
        let described = |r#type: PluginType| {
            names(unsealed, r#type).into_iter().map(move |name| Plugin {
                builtin: true,
                deprecation_status: "supported",
                name,
                r#type,
                version: mounts::running_version(),
            })
        };
        Ok(Data::new(Catalog {
            auth: names(unsealed, PluginType::Auth),
            database: names(unsealed, PluginType::Database),
            detailed: PluginType::ALL.into_iter().flat_map(described).collect(),
            secret: names(unsealed, PluginType::Secret),
        }))
    }
}
