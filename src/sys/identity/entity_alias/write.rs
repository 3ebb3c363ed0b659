//! `POST /v1/identity/entity-alias`: makes an alias, or changes the one that is named.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{KeyValues, LooseText};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::identity::{AliasChange, checked_metadata};
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::serving;
use super::named;

/// What an alias is to be like; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct AliasFields {
    /// Its id, to change it rather than make another.
    pub(super) id: Option<LooseText>,
    /// Its name at the mount.
    name: Option<LooseText>,
    /// The accessor of the mount.
    mount_accessor: Option<LooseText>,
    /// The entity that it is to be of; a new one if there is none.
    canonical_id: Option<LooseText>,
    /// The older name of `canonical_id`.
    entity_id: Option<LooseText>,
    /// What is said about it.
    custom_metadata: Option<KeyValues>,
}

/// An alias that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Written {
    id: String,
    canonical_id: String,
}

/// See [`AliasFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteAlias<const NAME: u8>(AliasFields);

impl<const NAME: u8> Endpoint for WriteAlias<NAME> {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Written>;
    const ROUTE: Route = Route::write(named(NAME, ["entity-alias", "alias", "persona"]))
        .summary("Make an alias of an entity, or change the one that is named");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.write(unsealed, cx).await
    }
}

impl AliasFields {
    /// Writes the alias.
    pub(super) async fn write(self, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<Written>> {
        let mut change = AliasChange {
            id: self.id.map(|id| id.0),
            name: self.name.map(|name| name.0),
            entity_id: self.canonical_id.or(self.entity_id).map(|id| id.0),
            custom_metadata: self.custom_metadata.map(|metadata| checked_metadata(metadata.0)).transpose()?,
            ..AliasChange::default()
        };
        if let Some(accessor) = self.mount_accessor.map(|accessor| accessor.0).filter(|text| !text.is_empty()) {
            change.local = serving(&accessor, unsealed, cx).await?.entry.local;
            change.mount_accessor = Some(accessor);
        }
        let (entity, id) = unsealed.identity.write_alias(change, cx.txn()).await?;
        Ok(Data::new(Written { id, canonical_id: entity.id }))
    }
}
