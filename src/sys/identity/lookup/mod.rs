//! `/v1/identity/lookup`: entities and groups by whatever is known of them.

mod entity;
mod group;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::Routes;
use crate::error::{Error, Result};
use crate::vault::Unsealed;

/// Adds what is below `identity/lookup`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes.endpoint::<entity::LookUpEntity>().endpoint::<group::LookUpGroup>()
}

/// What is known of an entity or a group: one of these, or the last two together.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Known {
    /// Its name.
    name: Option<LooseText>,
    /// Its id.
    id: Option<LooseText>,
    /// The id of an alias of it.
    alias_id: Option<LooseText>,
    /// The name of an alias of it.
    alias_name: Option<LooseText>,
    /// The accessor of the mount that this alias is at.
    alias_mount_accessor: Option<LooseText>,
}

/// By what it is looked up.
enum Key {
    Name(String),
    Id(String),
    AliasId(String),
    Alias { accessor: String, name: String },
}

impl Known {
    fn key(self) -> Result<Key> {
        let text = |field: Option<LooseText>| field.map(|text| text.0).filter(|text| !text.is_empty());
        let (name, id, alias_id) = (text(self.name), text(self.id), text(self.alias_id));
        let alias = (text(self.alias_name), text(self.alias_mount_accessor));
        match (name, id, alias_id, alias) {
            (None, None, None, (None, None)) => Err(Error::invalid("query parameter not supplied")),
            (Some(name), None, None, (None, None)) => Ok(Key::Name(name)),
            (None, Some(id), None, (None, None)) => Ok(Key::Id(id)),
            (None, None, Some(id), (None, None)) => Ok(Key::AliasId(id)),
            (None, None, None, (Some(name), Some(accessor))) => Ok(Key::Alias { accessor, name }),
            (None, None, None, (Some(_), None) | (None, Some(_))) => {
                Err(Error::invalid("both 'alias_name' and 'alias_mount_accessor' needs to be set"))
            }
            (..) => Err(Error::invalid("query parameter conflict; please supply distinct set of query parameters")),
        }
    }
}
