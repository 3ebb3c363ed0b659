//! `userpass`: a name and a password are the proof.
//!
//! Names do not depend on case. Passwords are kept as Argon2id hashes; checking one costs tens of milliseconds of one
//! core and 19 MiB, so few are checked at a time, and who does not know a password soon has to wait.

mod login;
mod password;
mod users;

use std::sync::Arc;

use serde_json::Value;

use crate::engine::{AuthMethod, Client, Deps, Engine, Identity, Lockouts, Routes, Terms, View};
use crate::error::Result;

use password::Hasher;

/// The `userpass` auth method.
#[derive(Debug)]
pub struct Userpass {
    view: View,
    hasher: Hasher,
    lockouts: Arc<Lockouts>,
}

impl Engine for Userpass {
    const KIND: &'static str = "userpass";

    async fn open(view: View, _options: &Value, _deps: Deps) -> Result<Self> {
        Ok(Self { view, hasher: Hasher::new(), lockouts: Arc::default() })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<users::WriteUser>()
            .endpoint::<users::ReadUser>()
            .endpoint::<users::DeleteUser>()
            .endpoint::<users::ListUsers>()
            .endpoint::<users::ChangePassword>()
            .endpoint::<users::ChangePolicies>()
            .endpoint::<login::LogIn>()
    }
}

impl AuthMethod for Userpass {
    async fn renew(&self, identity: &Identity, _client: &Client) -> Result<Option<Terms>> {
        login::renew(&self.view, identity).await
    }

    fn lockouts(&self) -> Option<&Lockouts> {
        Some(&self.lockouts)
    }
}

#[cfg(test)]
mod tests;
