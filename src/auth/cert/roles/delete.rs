//! `DELETE /v1/auth/{mount}/certs/{name}`: removes a role; tokens that it gave live on until they are renewed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::cert::Cert;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;

use super::{RolePath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct DeleteRole {}

impl Endpoint for DeleteRole {
    type Target = Cert;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("certs/{name:name}").summary("Delete a role for certificates.");

    async fn handle(self, cert: &Cert, RolePath { name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        cert.view.delete(cx.txn(), &key(&name))?;
        cert.changed(cx.txn())?;
        Ok(Done)
    }
}
