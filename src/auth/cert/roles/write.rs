//! `POST /v1/auth/{mount}/certs/{name}`: makes or changes a role.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{LooseBool, LooseText, StringList, Ttl, given};
use crate::auth::cert::Cert;
use crate::auth::cert::constraints::check_extensions;
use crate::auth::cert::pem::MAX_CERTIFICATES;
use crate::auth::cert::trust::Anchors;
use crate::engine::{Cx, Done, Endpoint, LegacyParams, Mount, Page, Route, TokenParams, TokenSettings};
use crate::error::{Error, Result};

use super::{FOLDER, MAX_ROLES, Role, RolePath, key};

/// A role; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::cert) struct WriteRole {
    /// The certificates to trust, as PEM: authorities, or the very certificates of clients.
    #[serde(deserialize_with = "given")]
    certificate: Option<LooseText>,
    /// How those who log in are called.
    display_name: Option<LooseText>,
    /// Patterns, one of which the common name, a DNS name or an e-mail address must fit.
    #[serde(deserialize_with = "given")]
    allowed_names: Option<StringList>,
    /// Patterns, one of which the common name must fit.
    #[serde(deserialize_with = "given")]
    allowed_common_names: Option<StringList>,
    /// Patterns, one of which a DNS name must fit.
    #[serde(deserialize_with = "given")]
    allowed_dns_sans: Option<StringList>,
    /// Patterns, one of which an e-mail address must fit.
    #[serde(deserialize_with = "given")]
    allowed_email_sans: Option<StringList>,
    /// Patterns, one of which a URI must fit.
    #[serde(deserialize_with = "given")]
    allowed_uri_sans: Option<StringList>,
    /// Patterns, one of which an organisational unit must fit.
    #[serde(deserialize_with = "given")]
    allowed_organizational_units: Option<StringList>,
    /// Extensions that must be there: `oid:pattern` for a text, `hex:oid:pattern` for all bytes of the value.
    #[serde(deserialize_with = "given")]
    required_extensions: Option<StringList>,
    /// The numbers of extensions whose text goes into the token's metadata.
    #[serde(deserialize_with = "given")]
    allowed_metadata_extensions: Option<StringList>,
    /// Whether to ask OCSP servers. Not supported.
    ocsp_enabled: LooseBool,
    /// Kept and shown.
    ocsp_ca_certificates: Option<LooseText>,
    /// Kept and shown.
    #[serde(deserialize_with = "given")]
    ocsp_servers_override: Option<StringList>,
    /// Kept and shown.
    ocsp_fail_open: Option<LooseBool>,
    /// Kept and shown.
    ocsp_query_all_servers: Option<LooseBool>,
    /// What tokens are like.
    #[serde(flatten)]
    token: TokenParams,
    /// Older name of `token_policies`.
    #[serde(deserialize_with = "given")]
    policies: Option<StringList>,
    /// Older name of `token_ttl`.
    lease: Option<Ttl>,
    /// Older name of `token_ttl`.
    ttl: Option<Ttl>,
    /// Older name of `token_max_ttl`.
    max_ttl: Option<Ttl>,
    /// Older name of `token_period`.
    period: Option<Ttl>,
    /// Older name of `token_bound_cidrs`.
    #[serde(deserialize_with = "given")]
    bound_cidrs: Option<StringList>,
}

impl Endpoint for WriteRole {
    type Target = Cert;
    type Path = RolePath;
    type Reply = Done;

    const ROUTE: Route = Route::write("certs/{name:name}").summary("Make or change a role for certificates.");

    async fn handle(self, cert: &Cert, RolePath { name }: RolePath, cx: &mut Cx<'_>) -> Result<Done> {
        if self.ocsp_enabled.0 {
            return Err(Error::invalid("OCSP is not supported: upload CRLs to 'crls/' and leave 'ocsp_enabled' off"));
        }
        let role = match cert.view.fetch(cx.txn(), &key(&name)).await? {
            Some(role) => role,
            None if cert.view.list(FOLDER, Page::all()).await?.len() >= MAX_ROLES => {
                return Err(Error::invalid("this mount has 8192 roles, the most it takes; use another mount"));
            }
            None => Role { token: TokenSettings::new(), ..Role::default() },
        };
        let mut role = self.change(role)?;
        if role.display_name.is_empty() {
            role.display_name.clone_from(&name);
        }
        role.lengths_beyond(cx.mount).into_iter().for_each(|warning| cx.warn(warning));
        cert.view.put(cx.txn(), &key(&name), &role)?;
        cert.changed(cx.txn())?;
        Ok(Done)
    }
}

impl Role {
    /// A sentence for each length that the mount cuts short, or that is longer than what it gives by itself.
    fn lengths_beyond(&self, mount: &Mount) -> Vec<String> {
        let (default, max) = (mount.default_ttl, mount.max_ttl);
        let TokenSettings { token_ttl, token_max_ttl, token_period, .. } = &self.token;
        let of_mount = |what: &str, length: Ttl, bound: Ttl| {
            let (length, bound) = (length.seconds(), bound.seconds());
            format!("Given {what} of {length} seconds is greater than current mount/system default of {bound} seconds")
        };
        let period = || {
            let (length, max) = (token_period.seconds(), max.seconds());
            format!("Given period of {length} seconds is greater than the backend's maximum TTL of {max} seconds")
        };
        let said = [
            (*token_ttl > default).then(|| of_mount("ttl", *token_ttl, default)),
            (*token_max_ttl > max).then(|| of_mount("max_ttl", *token_max_ttl, max)),
            (*token_period > max).then(period),
        ];
        said.into_iter().flatten().collect()
    }
}

impl WriteRole {
    fn change(self, mut role: Role) -> Result<Role> {
        if let Some(LooseText(certificate)) = self.certificate {
            role.certificate = certificate;
        }
        if role.certificate.len() > MAX_CERTIFICATES {
            return Err(Error::invalid("'certificate' must not be longer than 64 KiB"));
        }
        Anchors::parse(&role.certificate).map_err(Error::invalid)?;
        if let Some(demands) = &self.required_extensions {
            check_extensions(demands.as_slice())?;
        }
        if let Some(LooseText(name)) = self.display_name {
            role.display_name = name;
        }
        replace(&mut role.allowed_names, self.allowed_names);
        replace(&mut role.allowed_common_names, self.allowed_common_names);
        replace(&mut role.allowed_dns_sans, self.allowed_dns_sans);
        replace(&mut role.allowed_email_sans, self.allowed_email_sans);
        replace(&mut role.allowed_uri_sans, self.allowed_uri_sans);
        replace(&mut role.allowed_organizational_units, self.allowed_organizational_units);
        replace(&mut role.required_extensions, self.required_extensions);
        if let Some(numbers) = self.allowed_metadata_extensions {
            role.allowed_metadata_extensions = Some(numbers.filled());
        }
        if let Some(servers) = self.ocsp_servers_override {
            role.ocsp_servers_override = Some(servers.filled());
        }
        role.ocsp_ca_certificates = self.ocsp_ca_certificates.map_or(role.ocsp_ca_certificates, |text| text.0);
        role.ocsp_fail_open = self.ocsp_fail_open.map_or(role.ocsp_fail_open, |flag| flag.0);
        role.ocsp_query_all_servers = self.ocsp_query_all_servers.map_or(role.ocsp_query_all_servers, |flag| flag.0);
        let legacy = LegacyParams {
            policies: self.policies,
            ttl: self.ttl.or(self.lease),
            max_ttl: self.max_ttl,
            period: self.period,
            bound_cidrs: self.bound_cidrs,
            ..LegacyParams::default()
        };
        let mut token = self.token;
        legacy.merge(&mut token, &mut role.legacy);
        role.token = role.token.changed(&token)?;
        Ok(role)
    }
}

/// A blank item stays: it fits nothing, where no item fits anything.
fn replace(list: &mut Option<Vec<String>>, asked: Option<StringList>) {
    if let Some(texts) = asked {
        *list = Some(texts.all());
    }
}
