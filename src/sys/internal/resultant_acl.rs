//! `GET /v1/sys/internal/ui/resultant-acl`: all that the caller may do.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::Result;
use crate::sys::NoPath;
use crate::vault::Unsealed;

/// The request has no fields.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ReadResultantAcl {}

/// All that the caller may do.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResultantAcl {
    /// By exact path.
    #[serde(skip_serializing_if = "Option::is_none")]
    exact_paths: Option<BTreeMap<String, Allowed>>,
    /// By what the path begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    glob_paths: Option<BTreeMap<String, Allowed>>,
    /// Whether the caller may do everything; then the paths are left out.
    root: bool,
}

/// What is allowed at a path.
#[derive(Debug, Serialize, JsonSchema)]
struct Allowed {
    capabilities: Vec<&'static str>,
}

impl Endpoint for ReadResultantAcl {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<ResultantAcl>;
    const ROUTE: Route = Route::read("internal/ui/resultant-acl").summary("All that the caller may do");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let acl = unsealed.acl(cx.caller()?, cx.now()).await?;
        if acl.is_root() {
            return Ok(Data::new(ResultantAcl { exact_paths: None, glob_paths: None, root: true }));
        }
        let summary = acl.summary();
        let shown = |rules: BTreeMap<String, Vec<&'static str>>| {
            Some(rules.into_iter().map(|(path, capabilities)| (path, Allowed { capabilities })).collect())
        };
        let (exact_paths, glob_paths) = (shown(summary.exact), shown(summary.prefixes));
        Ok(Data::new(ResultantAcl { exact_paths, glob_paths, root: false }))
    }
}
