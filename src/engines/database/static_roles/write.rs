//! `POST /v1/{mount}/static-roles/{name}`: takes over the password of a user, and rotates it at once; or changes how a
//! role that is there rotates it. What is left out stays as it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::roles::{CredentialType, Role};
use super::super::{Database, EntryPath, Statements};
use super::record::StaticRole;
use super::schedule::Schedule;
use crate::api::{KeyValues, Ttl};
use crate::engine::{Caller, Cx, Done, Endpoint, Existence, Route, Txn};
use crate::error::{Error, Kind, Result};
use crate::secret::SecretText;
use crate::time::Timestamp;

/// What an operator says about a static role.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct WriteStaticRole {
    /// The connection that the password is set through.
    db_name: Option<String>,
    /// The user, who must be there. It cannot be changed.
    username: Option<String>,
    /// How often the password is rotated.
    rotation_period: Option<Ttl>,
    /// When the password is rotated, as a cron expression in UTC; in place of `rotation_period`.
    rotation_schedule: Option<String>,
    /// How long after such a moment it may be done.
    rotation_window: Option<Ttl>,
    /// How the password is set, with `{{name}}` and `{{password}}`.
    rotation_statements: Option<Statements>,
    /// `password`.
    credential_type: Option<String>,
    /// `password_policy`: the policy of the passwords.
    credential_config: Option<KeyValues>,
}

impl Endpoint for WriteStaticRole {
    type Target = Database;
    type Path = EntryPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("static-roles/{name}").summary("Write a role that rotates a user's password");

    async fn handle(self, database: &Database, path: EntryPath, cx: &mut Cx<'_>) -> Result<Done> {
        let name = path.name.as_str();
        // Not with the request's transaction: creating commits one of its own, which that one would not expect.
        if !database.view.exists(&StaticRole::key(name)).await? {
            return self.create(name, database, cx.now()).await;
        }
        let before: Option<StaticRole> = database.view.fetch(cx.txn(), &StaticRole::key(name)).await?;
        let before = before.ok_or_else(|| Error::new(Kind::Conflict, "the role was deleted meanwhile; try again"))?;
        self.update(before, name, database, cx).await
    }

    async fn existence(database: &Database, path: EntryPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(database.view.exists(&StaticRole::key(path.name.as_str())).await?.into())
    }
}

impl WriteStaticRole {
    /// Its own transactions: the record must be there before the database hears of the password, and it must not stay
    /// if the database refuses.
    async fn create(self, name: &str, database: &Database, now: Timestamp) -> Result<Done> {
        let schedule = self.schedule(None)?;
        let required = |field: Option<String>, message| {
            field.filter(|text| !text.is_empty()).ok_or_else(|| Error::invalid(message))
        };
        let role = StaticRole {
            username: required(self.username, "username is a required field to create a static account")?,
            db_name: required(self.db_name, "database name is a required field")?,
            next_rotation: now,
            schedule: schedule.ok_or_else(|| {
                Error::invalid("rotation_period is required to create static accounts, or rotation_schedule")
            })?,
            rotation_statements: self.rotation_statements.unwrap_or_default().0,
            credential_type: CredentialType::named(self.credential_type.as_deref().unwrap_or_default())?,
            credential_config: self.credential_config.unwrap_or_default().0,
            password: SecretText::new(String::new()),
            pending_password: SecretText::new(String::new()),
            last_rotation: None,
        };
        // Said before anything is recorded.
        database.connections.open_for(&role.db_name, name).await?;
        let mut txn = Txn::new();
        if database.view.fetch::<Role>(&mut txn, &Role::key(name)).await?.is_some() {
            return Err(Error::invalid("Role and Static Role names must be unique"));
        }
        database.view.insert(&mut txn, &StaticRole::key(name), &role)?;
        database.view.commit(txn).await?;
        match database.rotations.rotate(name).await {
            Ok(_) => {
                database.rotations.reconsider();
                Ok(Done)
            }
            Err(error) => Err(discard(name, database, error).await?),
        }
    }

    async fn update(self, before: StaticRole, name: &str, database: &Database, cx: &mut Cx<'_>) -> Result<Done> {
        let mut role = before;
        if self.username.as_ref().is_some_and(|username| *username != role.username) {
            return Err(Error::invalid("cannot update static account username"));
        }
        if let Some(schedule) = self.schedule(Some(&role.schedule))?.filter(|schedule| *schedule != role.schedule) {
            role.next_rotation = schedule.after(role.last_rotation.unwrap_or_else(|| cx.now()));
            role.schedule = schedule;
        }
        if let Some(db_name) = self.db_name.filter(|db_name| *db_name != role.db_name) {
            database.connections.open_for(&db_name, name).await?;
            role.db_name = db_name;
            // The user of the other database has another password.
            role.next_rotation = cx.now();
        }
        if let Some(credential_type) = self.credential_type {
            role.credential_type = CredentialType::named(&credential_type)?;
        }
        role.rotation_statements = self.rotation_statements.map_or(role.rotation_statements, |list| list.0);
        role.credential_config = self.credential_config.map_or(role.credential_config, |pairs| pairs.0);
        database.view.put(cx.txn(), &StaticRole::key(name), &role)?;
        let rotations = database.rotations.clone();
        cx.txn().on_commit(move || rotations.reconsider());
        Ok(Done)
    }

    /// The schedule that is asked for, if one is.
    fn schedule(&self, before: Option<&Schedule>) -> Result<Option<Schedule>> {
        let expression = self.rotation_schedule.as_deref().filter(|text| !text.is_empty());
        let (expression, window) = match (self.rotation_period, expression, before) {
            (Some(_), Some(_), _) => {
                return Err(Error::invalid("set either rotation_period or rotation_schedule, not both"));
            }
            (Some(period), None, _) => return Schedule::every(period).map(Some).map_err(Error::invalid),
            (None, Some(expression), Some(Schedule::Cron { window, .. })) => (expression, *window),
            (None, Some(expression), _) => (expression, Ttl::default()),
            (None, None, Some(Schedule::Cron { expression, window })) => (expression.as_str(), *window),
            (None, None, _) => return Ok(None),
        };
        Schedule::by_cron(expression, self.rotation_window.unwrap_or(window)).map(Some).map_err(Error::invalid)
    }
}

/// Removes a new role whose first rotation failed, unless it is not known whether it did.
async fn discard(name: &str, database: &Database, error: Error) -> Result<Error> {
    let mut txn = Txn::new();
    let role: Option<StaticRole> = database.view.fetch(&mut txn, &StaticRole::key(name)).await?;
    if role.is_some_and(|role| !role.is_unsettled() && role.last_rotation.is_none()) {
        database.view.delete(&mut txn, &StaticRole::key(name))?;
        database.view.commit(txn).await?;
    }
    Ok(error)
}
