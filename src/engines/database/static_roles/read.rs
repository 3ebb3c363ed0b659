//! `GET /v1/{mount}/static-roles/{name}`: a static role, without its password.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::roles::CredentialType;
use super::super::{Database, EntryPath};
use super::record::StaticRole;
use super::schedule::Schedule;
use crate::api::Ttl;
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// Asks for a static role.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ReadStaticRole {}

/// A static role.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StaticRoleInfo {
    db_name: String,
    username: String,
    #[serde(flatten)]
    schedule: ScheduleInfo,
    rotation_statements: Vec<String>,
    credential_type: CredentialType,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    credential_config: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_vault_rotation: Option<Timestamp>,
}

/// When a password is rotated.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub(super) struct ScheduleInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period: Option<Ttl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_schedule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_window: Option<Ttl>,
}

impl Endpoint for ReadStaticRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Data<StaticRoleInfo>;

    const ROUTE: Route = Route::read("static-roles/{name}").summary("Read a role that rotates a user's password");

    async fn handle(self, database: &Database, path: EntryPath, _: &mut Cx<'_>) -> Result<Data<StaticRoleInfo>> {
        let role: Option<StaticRole> = database.view.get(&StaticRole::key(path.name.as_str())).await?;
        role.map(|role| Data::new(StaticRoleInfo::from(role))).ok_or_else(Error::absent)
    }
}

impl From<StaticRole> for StaticRoleInfo {
    fn from(role: StaticRole) -> Self {
        let StaticRole {
            db_name,
            username,
            schedule,
            rotation_statements,
            credential_type,
            credential_config,
            password: _,
            pending_password: _,
            last_rotation,
            next_rotation: _,
        } = role;
        Self {
            db_name,
            username,
            schedule: schedule.into(),
            rotation_statements,
            credential_type,
            credential_config,
            last_vault_rotation: last_rotation,
        }
    }
}

impl From<Schedule> for ScheduleInfo {
    fn from(schedule: Schedule) -> Self {
        match schedule {
            Schedule::Period(period) => {
                Self { rotation_period: Some(period), rotation_schedule: None, rotation_window: None }
            }
            Schedule::Cron { expression, window } => Self {
                rotation_period: None,
                rotation_schedule: Some(expression),
                rotation_window: (!window.is_zero()).then_some(window),
            },
        }
    }
}
