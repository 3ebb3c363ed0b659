//! `POST /v1/identity/entity`: makes an entity, or changes the one that is named.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{KeyValues, LooseBool, LooseText, StringList};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::identity::{EntityChange, checked_metadata, policy_names};
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// What an entity is to be like; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct EntityFields {
    /// Its id, to change it rather than make another.
    pub(in crate::sys::identity) id: Option<LooseText>,
    /// Its name; made up if there is none.
    pub(in crate::sys::identity) name: Option<LooseText>,
    /// What is said about it.
    metadata: Option<KeyValues>,
    /// The policies that its tokens get beside their own.
    policies: Option<StringList>,
    /// Whether its tokens are refused.
    disabled: Option<LooseBool>,
}

/// A new entity.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NewEntity {
    id: String,
    name: String,
    aliases: Option<Vec<String>>,
}

/// See [`EntityFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WriteEntity(EntityFields);

impl Endpoint for WriteEntity {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<NewEntity>;
    const ROUTE: Route = Route::write("entity").summary("Make an entity, or change the one that is named");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.write(unsealed, cx).await
    }
}

impl EntityFields {
    /// Writes the entity; there is something to say about a new one only.
    pub(in crate::sys::identity) async fn write(self, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<NewEntity>> {
        let change = EntityChange {
            id: self.id.map(|id| id.0),
            name: self.name.map(|name| name.0),
            policies: self.policies.map(|policies| policy_names(policies.as_slice())).transpose()?,
            metadata: self.metadata.map(|metadata| checked_metadata(metadata.0)).transpose()?,
            disabled: self.disabled.map(|flag| flag.0),
        };
        let (entity, is_new) = unsealed.identity.write_entity(change, cx.txn()).await?;
        Ok(Data::or_nothing(is_new.then_some(NewEntity { id: entity.id, name: entity.name, aliases: None })))
    }
}
