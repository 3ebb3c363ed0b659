//! `GET /v1/auth/{mount}/certs/{name}`: a role.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::cert::Cert;
use crate::engine::{Cx, Data, Endpoint, LegacySettings, Route, TokenSettings};
use crate::error::{Error, Result};

use super::{Role, RolePath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::cert) struct ReadRole {}

/// A role as it is shown.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::cert) struct Shown {
    certificate: String,
    display_name: String,
    allowed_names: Option<Vec<String>>,
    allowed_common_names: Option<Vec<String>>,
    allowed_dns_sans: Option<Vec<String>>,
    allowed_email_sans: Option<Vec<String>>,
    allowed_uri_sans: Option<Vec<String>>,
    allowed_organizational_units: Option<Vec<String>>,
    required_extensions: Option<Vec<String>>,
    allowed_metadata_extensions: Option<Vec<String>>,
    ocsp_enabled: bool,
    ocsp_ca_certificates: String,
    ocsp_servers_override: Option<Vec<String>>,
    ocsp_fail_open: bool,
    ocsp_query_all_servers: bool,
    #[serde(flatten)]
    token: TokenSettings,
    #[serde(flatten)]
    legacy: LegacySettings,
}

impl Endpoint for ReadRole {
    type Target = Cert;
    type Path = RolePath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("certs/{name:name}").summary("Read a role for certificates.");

    async fn handle(self, cert: &Cert, RolePath { name }: RolePath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let role: Role = cert.view.get(&key(&name)).await?.ok_or_else(Error::absent)?;
        Ok(Data::new(role.into()))
    }
}

impl From<Role> for Shown {
    fn from(role: Role) -> Self {
        let legacy = role.legacy.shown(&role.token);
        Self {
            certificate: role.certificate,
            display_name: role.display_name,
            allowed_names: role.allowed_names,
            allowed_common_names: role.allowed_common_names,
            allowed_dns_sans: role.allowed_dns_sans,
            allowed_email_sans: role.allowed_email_sans,
            allowed_uri_sans: role.allowed_uri_sans,
            allowed_organizational_units: role.allowed_organizational_units,
            required_extensions: role.required_extensions,
            allowed_metadata_extensions: role.allowed_metadata_extensions,
            ocsp_enabled: false,
            ocsp_ca_certificates: role.ocsp_ca_certificates,
            ocsp_servers_override: role.ocsp_servers_override,
            ocsp_fail_open: role.ocsp_fail_open,
            ocsp_query_all_servers: role.ocsp_query_all_servers,
            token: role.token,
            legacy,
        }
    }
}
