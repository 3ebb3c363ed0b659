//! `GET /v1/sys/config/ui/headers/{header}`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseBool;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::{Header, HeaderPath, headers};

/// How to show it.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReadHeader {
    /// Whether to show all values rather than the first.
    multivalue: LooseBool,
}

/// The values of a header.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HeaderValues {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
}

impl Endpoint for ReadHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Data<HeaderValues>;
    const ROUTE: Route = Route::read("config/ui/headers/{header:lower}").sudo().summary("A header of a user interface");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: HeaderPath, _: &mut Cx<'_>) -> Result<Self::Reply> {
        let header: Option<Header> = headers(unsealed).get(&path.header).await?;
        let Header { values, .. } = header.ok_or_else(Error::absent)?;
        Ok(Data::new(if self.multivalue.0 {
            HeaderValues { value: None, values: Some(values) }
        } else {
            HeaderValues { value: values.into_iter().next(), values: None }
        }))
    }
}
