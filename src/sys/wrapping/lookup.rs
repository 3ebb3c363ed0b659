//! `GET` and `POST /v1/sys/wrapping/lookup`: what is known of a wrapped answer. The token is not spent.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::secret::ClientToken;
use crate::time::Timestamp;
use crate::vault::{Unsealed, Wrapped, invalid_wrapping_token};

use super::super::NoPath;
use super::presented::{Presented, seen};

/// What is known of a wrapped answer.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WrappingInfo {
    /// The path whose answer it is.
    #[serde(rename = "creation_path")]
    path: String,
    /// When it was wrapped.
    #[serde(rename = "creation_time")]
    time: Timestamp,
    /// How long it can be unwrapped from then, in seconds.
    #[serde(rename = "creation_ttl")]
    ttl: Ttl,
}

/// `POST`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct LookUp {
    /// The wrapping token; the one that comes with the request if there is none.
    token: Option<ClientToken>,
}

impl Endpoint for LookUp {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<WrappingInfo>;
    const ROUTE: Route = Route::write("wrapping/lookup").public().summary("What is known of a wrapped answer");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<WrappingInfo>> {
        look_up(self.token, unsealed, cx).await
    }
}

/// `GET`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct GetLookUp {
    /// The wrapping token; the one that comes with the request if there is none.
    token: Option<ClientToken>,
}

impl Endpoint for GetLookUp {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<WrappingInfo>;
    const ROUTE: Route = Route::read("wrapping/lookup").public().summary("What is known of a wrapped answer");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<WrappingInfo>> {
        look_up(self.token, unsealed, cx).await
    }
}

async fn look_up(token: Option<ClientToken>, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Data<WrappingInfo>> {
    let Presented { id, home } = seen(token, unsealed, cx).await?;
    let Wrapped { creation_path, creation_time, creation_ttl, .. } =
        home.wrapped(&id).await?.ok_or_else(invalid_wrapping_token)?;
    Ok(Data::new(WrappingInfo { path: creation_path, time: creation_time, ttl: creation_ttl }))
}
