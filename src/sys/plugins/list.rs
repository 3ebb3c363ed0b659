//! `LIST /v1/sys/plugins/catalog/{type}`: the plugins of a type.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Listing, Route};
use crate::error::{Error, Kind, Result};
use crate::vault::Unsealed;

use super::{PluginType, names};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ListPlugins {}

/// Which type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct TypePath {
    /// `auth`, `database` or `secret`.
    r#type: String,
}

impl Endpoint for ListPlugins {
    type Target = Arc<Unsealed>;
    type Path = TypePath;
    type Reply = Listing;
    const ROUTE: Route = Route::list("plugins/catalog/{type}").sudo().summary("The plugins of a type");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: TypePath, _: &mut Cx<'_>) -> Result<Listing> {
        let of = PluginType::parse(&path.r#type);
        let of =
            of.ok_or_else(|| Error::new(Kind::MethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n"))?;
        Ok(Listing::of(names(unsealed, of).into_iter().map(str::to_owned).collect()))
    }
}
