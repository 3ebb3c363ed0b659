//! `POST /v1/sys/wrapping/unwrap`: the wrapped answer, once, as it would have been sent.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::Ttl;
use crate::engine::{Answer, Content, Cx, Endpoint, Payload, Route, StatusCode};
use crate::error::Result;
use crate::secret::{ClientToken, SecretBytes};
use crate::vault::{Unsealed, Unwrapped, Wrapping};

use super::super::NoPath;
use super::presented::{Presented, spent};

/// What is to be unwrapped.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Unwrap {
    /// The wrapping token; the caller's own if there is none.
    token: Option<ClientToken>,
}

impl Endpoint for Unwrap {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Answer;
    const ROUTE: Route = Route::write("wrapping/unwrap").summary("The wrapped answer, once");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let Presented { id, home } = spent(self.token, unsealed, cx).await?;
        let Unwrapped { body, status } = home.unwrap(&id, cx.txn()).await?;
        let answer = |status, content| Answer { status, content, warnings: Vec::new() };
        if let Some(ttl) = cx.wrap_ttl {
            let wrapping = Wrapping {
                body,
                status,
                ttl: Ttl::from_seconds(ttl.as_secs()),
                creation_path: cx.path.as_str().to_owned(),
                wrapped_accessor: String::new(),
            };
            let info = unsealed.wrap(wrapping, cx.txn())?;
            return Ok(answer(StatusCode::OK, Content::Wrapped(Box::new(info))));
        }
        let payload = Payload::verbatim(SecretBytes::new(body.expose().as_bytes().to_vec()));
        Ok(answer(status, Content::Raw { media_type: "application/json", payload }))
    }
}
