//! `POST /v1/identity/persona`: writes an entity, as clients of the first version of these paths know it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

use super::super::IdPath;
use super::super::entity::{EntityFields, NewEntity};

/// See [`EntityFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WritePersona(EntityFields);

impl Endpoint for WritePersona {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<NewEntity>;
    const ROUTE: Route = Route::write("persona").summary("Make an entity; use `identity/entity`");
    const ALIASES: &'static [&'static str] = &["entity_id", "mount_accessor"];

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        self.0.write(unsealed, cx).await
    }
}

/// See [`EntityFields`].
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct UpdatePersona(EntityFields);

impl Endpoint for UpdatePersona {
    type Target = Arc<Unsealed>;
    type Path = IdPath;
    type Reply = Data<NewEntity>;
    const ROUTE: Route = Route::write("persona/id/{id}").summary("Change an entity; use `identity/entity/id/{id}`");
    const ALIASES: &'static [&'static str] = &["entity_id", "mount_accessor"];

    async fn handle(self, unsealed: &Arc<Unsealed>, path: IdPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let mut fields = self.0;
        fields.id = Some(LooseText(path.id));
        fields.write(unsealed, cx).await
    }
}
