//! `POST /v1/sys/capabilities`: what a token may do.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::StringList;
use crate::engine::{Cx, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::ClientToken;
use crate::sys::NoPath;
use crate::vault::{LookedUp, Unsealed};

use super::{Asked, Capabilities, holder};

/// Which token, which paths.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct TokenCapabilities {
    /// The token.
    token: Option<ClientToken>,
    /// The paths; a path that ends in a slash is asked about as a list.
    paths: Option<StringList>,
    /// The same, under its first name; counts where `paths` is not given.
    path: Option<StringList>,
}

impl Endpoint for TokenCapabilities {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Capabilities;
    const ROUTE: Route = Route::write("capabilities").summary("What a token may do");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, _: &mut Cx<'_>) -> Result<Capabilities> {
        let token = self.token.filter(|token| !token.expose().is_empty());
        let token = token.ok_or_else(|| Error::invalid("1 error occurred:\n\t* no token found\n\n"))?;
        let known = unsealed.look_up(&token).await?;
        let LookedUp { home, id, record } =
            known.ok_or_else(|| Error::invalid("1 error occurred:\n\t* invalid token\n\n"))?;
        let asked = Asked { paths: self.paths, path: self.path };
        asked.answer(unsealed, &holder(&home, id, &record).await?).await
    }
}
