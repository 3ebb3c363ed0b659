//! `DELETE /v1/auth/{mount}/crls/{name}`: forgets a list of revoked certificates.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::cert::Cert;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::{Error, Result};

use super::{Crl, CrlPath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct DeleteCrl {}

impl Endpoint for DeleteCrl {
    type Target = Cert;
    type Path = CrlPath;
    type Reply = Done;

    const ROUTE: Route = Route::delete("crls/{name:name}").summary("Delete a list of revoked certificates.");

    async fn handle(self, cert: &Cert, CrlPath { name }: CrlPath, cx: &mut Cx<'_>) -> Result<Done> {
        if cert.view.fetch::<Crl>(cx.txn(), &key(&name)).await?.is_none() {
            return Err(Error::invalid("no such CRL"));
        }
        cert.view.delete(cx.txn(), &key(&name))?;
        cert.changed(cx.txn())?;
        Ok(Done)
    }
}
