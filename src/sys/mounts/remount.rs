//! `POST /v1/sys/remount`: moves a mount. Its leases are revoked, since their ids name the old path.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::barrier::{Record, View};
use crate::engine::{Cx, Data, Endpoint, Page, Role, Route, Txn};
use crate::error::{Error, Result};
use crate::sys::NoPath;
use crate::time::Timestamp;
use crate::vault::Unsealed;

use super::named;

/// A mount that is to be moved.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Remount {
    /// Where it is; an auth method's path begins with `auth/`.
    from: String,
    /// Where it is to be.
    to: String,
}

/// A move that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Moved {
    /// Names it for `sys/remount/status`.
    migration_id: String,
}

/// A move, as it is kept for a day.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Migration {
    /// Where the mount was, with a slash at its end.
    pub(super) source: String,
    /// Where it is.
    pub(super) target: String,
    /// When it was moved.
    pub(super) moved: Timestamp,
}

impl Record for Migration {}

/// For how long it can be asked how a move went.
const KEPT: Duration = Duration::from_hours(24);

impl Endpoint for Remount {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Moved>;
    const ROUTE: Route = Route::write("remount").sudo().summary("Moves a mount to another path");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Self::Reply> {
        let (from, to) = (self.from.trim_matches('/'), self.to.trim_matches('/'));
        if from.is_empty() || to.is_empty() {
            return Err(Error::invalid("both 'from' and 'to' path must be specified as a string"));
        }
        let ((role, source), (target_role, target)) = (named(Role::Secret, from), named(Role::Secret, to));
        match (role, target_role) {
            (Role::Auth, Role::Secret) => return Err(Error::invalid("cannot remount auth mount to non-auth mount")),
            (Role::Secret, Role::Auth) => return Err(Error::invalid("cannot remount secrets mount to auth mount")),
            (Role::Secret, Role::Secret) | (Role::Auth, Role::Auth) => {}
        }
        unsealed.move_mount(role, source, target).await?;
        let migration = Migration { source: format!("{from}/"), target: format!("{to}/"), moved: cx.now() };
        let id = cx.entropy().uuid()?;
        let moves = moves(unsealed);
        forget_old(&moves, cx.now(), cx.txn()).await?;
        moves.put(cx.txn(), &id, &migration)?;
        Ok(Data::new(Moved { migration_id: id }).repeated())
    }
}

/// The moves that are remembered.
pub(super) fn moves(unsealed: &Unsealed) -> View {
    unsealed.view("remount")
}

async fn forget_old(moves: &View, now: Timestamp, txn: &mut Txn) -> Result<()> {
    for id in moves.list("", Page::all()).await? {
        let migration: Option<Migration> = moves.get(&id).await?;
        if migration.is_some_and(|migration| now.since(migration.moved) > KEPT) {
            moves.delete(txn, &id)?;
        }
    }
    Ok(())
}
