//! `/v1/sys/plugins/catalog`: the engines that can be mounted. All of them are built in.

mod catalog;
mod list;
mod plugin;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{Role, Routes};
use crate::vault::Unsealed;

/// Adds what is below `sys/plugins`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<catalog::ReadCatalog>().endpoint::<list::ListPlugins>().endpoint::<plugin::ReadPlugin>()
}

/// What a plugin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PluginType {
    Auth,
    Database,
    Secret,
}

impl PluginType {
    const ALL: [Self; 3] = [Self::Auth, Self::Database, Self::Secret];

    fn parse(text: &str) -> Option<Self> {
        match text {
            "auth" => Some(Self::Auth),
            "database" => Some(Self::Database),
            "secret" => Some(Self::Secret),
            _ => None,
        }
    }
}

/// The names of the plugins of a type, sorted. What is mounted from the start is not among them.
fn names(unsealed: &Unsealed, of: PluginType) -> Vec<&'static str> {
    let role = match of {
        PluginType::Auth => Role::Auth,
        PluginType::Secret => Role::Secret,
        PluginType::Database => return database(unsealed),
    };
    let kinds = unsealed.core.registry().kinds().iter().filter(|kind| kind.role == role);
    let mut names: Vec<&str> = kinds.map(|kind| kind.name).collect();
    names.retain(|name| !matches!(*name, "kv-v2" | "cubbyhole" | "identity" | "database"));
    names.sort_unstable();
    names
}

/// The databases that the engine `database` can be told to manage.
fn database(unsealed: &Unsealed) -> Vec<&'static str> {
    match unsealed.core.registry().find(Role::Secret, "database", None) {
        Some(_) => vec!["postgresql-database-plugin"],
        None => Vec::new(),
    }
}
