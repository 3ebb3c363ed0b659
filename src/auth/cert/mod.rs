//! `cert`: a client certificate, shown during the TLS handshake, is the proof.
//!
//! TLS proves that the client holds the key of its certificate and nothing more. Whom the certificate comes from is
//! decided here, at each login and at each renewal, against the certificates of the roles and the uploaded lists of
//! revoked ones.

mod config;
mod constraints;
mod crls;
mod fuzzing;
mod leaf;
mod login;
mod pem;
mod roles;
mod trust;
mod verify;

#[doc(hidden)]
pub use fuzzing::{fuzz_certificate, fuzz_crl};

use std::sync::Arc;

use serde_json::Value;

use crate::engine::{AuthMethod, Body, Client, Deps, Engine, Identity, Routes, Terms, Txn, View};
use crate::error::Result;

use trust::{Generation, Trust, Trusted};

/// The `cert` auth method.
#[derive(Debug)]
pub struct Cert {
    view: View,
    deps: Deps,
    trusted: Trusted,
}

impl Engine for Cert {
    const KIND: &'static str = "cert";

    async fn open(view: View, _options: &Value, deps: Deps) -> Result<Self> {
        Ok(Self { view, deps, trusted: Trusted::default() })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<roles::WriteRole>()
            .endpoint::<roles::ReadRole>()
            .endpoint::<roles::DeleteRole>()
            .endpoint::<roles::ListRoles>()
            .endpoint::<crls::WriteCrl>()
            .endpoint::<crls::ReadCrl>()
            .endpoint::<crls::DeleteCrl>()
            .endpoint::<crls::ListCrls>()
            .endpoint::<config::WriteConfig>()
            .endpoint::<config::ReadConfig>()
            .endpoint::<login::LogIn>()
    }
}

impl AuthMethod for Cert {
    const HAS_ROLES: bool = true;

    async fn login_role(&self, path: &str, body: &Body, client: &Client) -> Result<Option<String>> {
        if path != "login" {
            return Ok(None);
        }
        Ok(login::role(&*self.trust().await?, body, client, self.deps.clock.now()))
    }

    async fn renew(&self, identity: &Identity, client: &Client) -> Result<Option<Terms>> {
        let trust = self.trust().await?;
        login::renew(&trust, identity, client, self.deps.clock.now())
    }
}

impl Cert {
    /// Roles, lists of revoked certificates and settings as they are now.
    async fn trust(&self) -> Result<Arc<Trust>> {
        self.trusted.current(&self.view).await
    }

    /// Says, in the transaction that changes a role, a list or the settings, that what is cached is out of date.
    fn changed(&self, txn: &mut Txn) -> Result<()> {
        self.view.put(txn, trust::GENERATION, &Generation::new(&*self.deps.entropy)?)
    }
}

#[cfg(test)]
mod tests;
