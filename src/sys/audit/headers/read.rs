//! `GET /v1/sys/config/auditing/request-headers/{header}`: how a header is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::vault::Unsealed;

use super::{HeaderPath, HeaderRule};

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadHeader {}

impl Endpoint for ReadHeader {
    type Target = Arc<Unsealed>;
    type Path = HeaderPath;
    type Reply = Data<BTreeMap<String, HeaderRule>>;
    const ROUTE: Route = Route::read("config/auditing/request-headers/{header:lower}")
        .sudo()
        .summary("How a header goes to the audit log");

    async fn handle(
        self,
        unsealed: &Arc<Unsealed>,
        path: HeaderPath,
        cx: &mut Cx<'_>,
    ) -> Result<Data<BTreeMap<String, HeaderRule>>> {
        let hmac = unsealed.core.audited_headers.rules().get(&path.header).copied();
        let hmac = hmac.ok_or_else(|| Error::invalid("Could not find header in config"))?;
        // Clients look the answer up by the name that they asked for, in whatever case.
        let asked = cx.path.as_str().rsplit('/').next().unwrap_or(&path.header).to_owned();
        Ok(Data::new(BTreeMap::from([(asked, HeaderRule { hmac })])).repeated())
    }
}
