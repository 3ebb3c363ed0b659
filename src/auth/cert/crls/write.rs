//! `POST /v1/auth/{mount}/crls/{name}`: uploads a list of revoked certificates.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::auth::cert::Cert;
use crate::engine::{Cx, Done, Endpoint, Page, Route};
use crate::error::{Error, Result};

use super::{Crl, CrlPath, FOLDER, MAX_LISTS, key};

/// The list.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::cert) struct WriteCrl {
    /// The list as PEM.
    crl: LooseText,
    /// Where it could be fetched. Not supported.
    url: LooseText,
}

impl Endpoint for WriteCrl {
    type Target = Cert;
    type Path = CrlPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("crls/{name:name}").summary("Upload a list of revoked certificates.");

    async fn handle(self, cert: &Cert, CrlPath { name }: CrlPath, cx: &mut Cx<'_>) -> Result<Done> {
        match (self.crl.0.is_empty(), self.url.0.is_empty()) {
            (true, true) => return Err(Error::invalid("one of 'crl' or 'url' must be provided")),
            (true, false) => {
                return Err(Error::invalid("a CRL is not fetched from a 'url'; send its content as 'crl'"));
            }
            (false, false) => cx.warn("'url' is ignored: a CRL is not fetched, and stays as it was sent"),
            (false, true) => {}
        }
        let crl = Crl::new(&self.crl.0)?;
        if !cert.view.exists(&key(&name)).await? && cert.view.list(FOLDER, Page::all()).await?.len() >= MAX_LISTS {
            return Err(Error::invalid("this mount has 64 CRLs, the most it takes; delete one first"));
        }
        cert.view.put(cx.txn(), &key(&name), &crl)?;
        cert.changed(cx.txn())?;
        Ok(Done)
    }
}
