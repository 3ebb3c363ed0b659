//! `GET /v1/auth/{mount}/crls/{name}`: the serial numbers in a list of revoked certificates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::auth::cert::Cert;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};

use super::{Crl, CrlPath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct ReadCrl {}

/// What is in the list.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::cert) struct Shown {
    /// The serial numbers in decimal, each with an empty object.
    serials: Map<String, Value>,
}

impl Endpoint for ReadCrl {
    type Target = Cert;
    type Path = CrlPath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("crls/{name:name}").summary("Read a list of revoked certificates.");

    async fn handle(self, cert: &Cert, CrlPath { name }: CrlPath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let crl: Crl = cert.view.get(&key(&name)).await?.ok_or_else(|| Error::invalid("no such CRL"))?;
        let serials = crl.parse()?.numbers().map(|number| (number, Value::Object(Map::new()))).collect();
        Ok(Data::new(Shown { serials }))
    }
}
