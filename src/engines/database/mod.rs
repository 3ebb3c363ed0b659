//! The secrets engine `database`: users of a database that live as long as their lease, and passwords of existing
//! users that are rotated.

mod connections;
mod entry;
mod grant;
mod plugin;
mod postgresql;
mod roles;
mod statements;
mod static_roles;
#[cfg(test)]
mod tests;
mod username;

#[doc(hidden)]
pub use postgresql::{fuzz_statement, fuzz_url};
#[doc(hidden)]
pub use static_roles::fuzz_cron;
#[doc(hidden)]
pub use username::fuzz as fuzz_username;

use std::sync::Arc;

use serde_json::Value;

use crate::engine::{Deps, Engine, LeaseData, Renewal, Routes, SecretsEngine, View};
use crate::error::Result;
use crate::time::{Clock, Timestamp};

use connections::Connections;
use entry::{EntryPath, NoPath};
use grant::Reservations;
use statements::Statements;
use static_roles::Rotations;

/// One mounted engine.
#[derive(Debug)]
pub struct Database {
    view: View,
    connections: Connections,
    reservations: Reservations,
    rotations: Rotations,
    clock: Arc<dyn Clock>,
}

impl Engine for Database {
    const KIND: &'static str = "database";

    async fn open(view: View, _: &Value, deps: Deps) -> Result<Self> {
        let connections = Connections::new(view.clone(), deps.clone());
        let clock = deps.clock.clone();
        let rotations = Rotations::new(view.clone(), connections.clone(), deps);
        Ok(Self { view, connections, reservations: Reservations::default(), rotations, clock })
    }

    fn routes() -> Routes<Self> {
        Routes::new()
            .endpoint::<connections::WriteConnection>()
            .endpoint::<connections::ReadConnection>()
            .endpoint::<connections::DeleteConnection>()
            .endpoint::<connections::ListConnections>()
            .endpoint::<connections::ResetConnection>()
            .endpoint::<connections::RotateRoot>()
            .endpoint::<roles::WriteRole>()
            .endpoint::<roles::ReadRole>()
            .endpoint::<roles::DeleteRole>()
            .endpoint::<roles::ListRoles>()
            .endpoint::<roles::ReadCredentials>()
            .endpoint::<static_roles::WriteStaticRole>()
            .endpoint::<static_roles::ReadStaticRole>()
            .endpoint::<static_roles::DeleteStaticRole>()
            .endpoint::<static_roles::ListStaticRoles>()
            .endpoint::<static_roles::ReadStaticCredentials>()
            .endpoint::<static_roles::RotateStaticRole>()
    }

    async fn maintain(&self, now: Timestamp) -> Result<()> {
        self.rotations.rotate_due(now).await
    }
}

impl SecretsEngine for Database {
    async fn revoke(&self, lease: &LeaseData) -> Result<()> {
        grant::revoke(self, lease).await
    }

    async fn renew(&self, lease: &LeaseData, until: Timestamp) -> Result<Renewal> {
        grant::renew(self, lease, until).await
    }
}
