//! `GET /v1/{mount}/static-creds/{name}`: the password of a static role's user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Database, EntryPath};
use super::read::ScheduleInfo;
use super::record::StaticRole;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::{self, SecretText};
use crate::time::Timestamp;

/// Asks for the password.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadStaticCredentials {}

/// A user and its password.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StaticCredentials {
    username: String,
    #[serde(serialize_with = "secret::on_wire")]
    password: SecretText,
    /// How many seconds it lasts.
    ttl: u64,
    last_vault_rotation: Option<Timestamp>,
    #[serde(flatten)]
    schedule: ScheduleInfo,
}

impl Endpoint for ReadStaticCredentials {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Data<StaticCredentials>;

    const ROUTE: Route = Route::read("static-creds/{name}").summary("Read the password of a static role's user");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Data<StaticCredentials>> {
        let name = path.name.as_str();
        let role: Option<StaticRole> = database.view.get(&StaticRole::key(name)).await?;
        let mut role = role.ok_or_else(|| Error::invalid("unknown role; write it to static-roles first"))?;
        database.connections.allowed(&role.db_name, name).await?;
        if role.is_unsettled() || role.password.is_empty() {
            // Nobody knows which password holds until the rotation that was interrupted is done.
            role = database.rotations.rotate(name).await?;
        }
        Ok(Data::new(StaticCredentials {
            ttl: role.next_rotation.since(cx.now()).as_secs(),
            username: role.username,
            password: role.password,
            last_vault_rotation: role.last_rotation,
            schedule: role.schedule.into(),
        }))
    }
}
