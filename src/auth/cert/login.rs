//! `POST /v1/auth/{mount}/login`: logs in with the client certificate of the TLS connection.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Body, Client, Cx, Endpoint, Identity, Login, Route, Terms};
use crate::error::{Error, Result};
use crate::time::Timestamp;

use super::Cert;
use super::config::NoPath;
use super::trust::Trust;
use super::verify::Admission;

/// Logs in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LogIn {
    /// The role to log in to; the first by name that fits where it is left out.
    name: LooseText,
}

impl Endpoint for LogIn {
    type Target = Cert;
    type Path = NoPath;
    type Reply = Login;

    const ROUTE: Route = Route::write("login").summary("Log in with a client certificate.").public();

    async fn handle(self, cert: &Cert, _: NoPath, cx: &mut Cx<'_>) -> Result<Login> {
        let trust = cert.trust().await?;
        let name = self.name.0.to_lowercase();
        let wanted = (!name.is_empty()).then_some(name.as_str());
        let admission = trust.admit(cx.client, wanted, cx.now())?;
        let terms = admission.role.token.terms_from(cx.client.address)?;
        let identity = Identity {
            display_name: cx.mount.display_name(&admission.role.display_name),
            ..identity(admission, trust.settings.enable_identity_alias_metadata)
        };
        Ok(Login { identity, terms })
    }
}

/// The role that a caller means, or that their certificate fits; nothing if it fits none.
pub(super) fn role(trust: &Trust, body: &Body, client: &Client, now: Timestamp) -> Option<String> {
    let asked: LogIn = body.decode().ok()?;
    if !asked.name.0.is_empty() {
        return Some(asked.name.0.to_lowercase());
    }
    trust.admit(client, None, now).ok().map(|admission| admission.name.to_owned())
}

/// Whether `identity` is still good: its role is there and grants the same policies, and the very certificate that it
/// logged in with is shown again and still fits the role, unless the settings ask for neither.
pub(super) fn renew(trust: &Trust, identity: &Identity, client: &Client, now: Timestamp) -> Result<Option<Terms>> {
    let internal = |key: &str| identity.internal.get(key).map(String::as_str).unwrap_or_default();
    let Some(trusted) = trust.roles.get(internal(ROLE)) else { return Ok(None) };
    if internal(POLICIES) != trusted.role.token.granted_policies() {
        return Ok(None);
    }
    if !trust.settings.disable_binding {
        let admission = trust.admit(client, Some(internal(ROLE)), now)?;
        if admission.leaf.fingerprint != internal(CERTIFICATE) {
            return Err(Error::invalid(
                "client identity during renewal not matching client identity used during login; use the same \
                 certificate, or log in again",
            ));
        }
    }
    Ok(Some(trusted.role.token.terms()))
}

const ROLE: &str = "cert_name";
const CERTIFICATE: &str = "certificate_sha256";
const POLICIES: &str = "policies";

fn identity(admission: Admission<'_>, alias_metadata: bool) -> Identity {
    let Admission { name, role, leaf } = admission;
    let mut metadata = BTreeMap::from([
        ("cert_name".to_owned(), name.to_owned()),
        ("common_name".to_owned(), leaf.common_name.clone()),
        ("serial_number".to_owned(), leaf.serial.clone()),
        ("subject_key_id".to_owned(), leaf.subject_key_id.clone()),
        ("authority_key_id".to_owned(), leaf.authority_key_id.clone()),
    ]);
    for oid in role.allowed_metadata_extensions.iter().flatten() {
        if let Some(value) = leaf.extensions.get(oid) {
            metadata.insert(oid.replace('.', "-"), value.text.clone());
        }
    }
    let internal = BTreeMap::from([
        (ROLE.to_owned(), name.to_owned()),
        (CERTIFICATE.to_owned(), leaf.fingerprint),
        (POLICIES.to_owned(), role.token.granted_policies()),
    ]);
    Identity {
        role: name.to_owned(),
        alias: leaf.common_name,
        display_name: String::new(),
        policies: role.token.token_policies.clone(),
        alias_metadata: if alias_metadata { metadata.clone() } else { BTreeMap::new() },
        metadata,
        groups: Vec::new(),
        internal,
    }
}
