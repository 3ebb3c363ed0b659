//! A real PostgreSQL behind a server that is killed: its users are compared with the leases that the server has.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::api::database::{CREATE, connect, users};
use crate::support::postgres::Postgres;
use crate::support::{Answer, Client, text_at};

/// The database of all vaults of a run.
#[derive(Clone)]
pub(super) struct Database(Arc<Postgres>);

/// What was acknowledged of some credentials.
#[derive(Clone, Debug)]
pub(super) struct Lent {
    /// The id of their lease.
    pub(super) lease: String,
    user: String,
}

impl Lent {
    /// What the answer to a request for credentials says.
    pub(super) fn of(answer: &Answer) -> Self {
        let answer = answer.json();
        Self { lease: text_at(&answer, "lease_id"), user: text_at(&answer["data"], "username") }
    }
}

impl Database {
    /// Starts one.
    pub(super) fn start() -> Self {
        Self(Arc::new(Postgres::start()))
    }

    /// Lets a new vault make users with these roles.
    pub(super) fn configure<'a>(&self, root: &Client, roles: impl Iterator<Item = &'a str>) {
        connect(root, &self.0, "*");
        for role in roles {
            let lasting = json!({
                "db_name": "pg", "creation_statements": CREATE, "default_ttl": "12h", "max_ttl": "24h",
            });
            root.post(&format!("database/roles/{role}"), lasting).ok();
        }
    }

    /// What there is of the credentials of `role`: whether those that were `lent` last are good, and how many leases there
    /// are, intents among them. An error if leases and users do not fit, which may be so while something is being revoked.
    pub(super) fn look(&self, root: &Client, role: &str, lent: Option<&Lent>) -> Result<(bool, usize), String> {
        let leases = leases(root, role);
        let users = self.users(role);
        let Some(Lent { lease, user }) = lent.filter(|lent| leases.contains(&lent.lease)) else {
            // An intent may have led to a user, or not.
            return if users.len() <= leases.len() {
                Ok((false, leases.len()))
            } else {
                Err(format!("the leases {leases:?} and the users {users:?}"))
            };
        };
        let standing = root.post("sys/leases/lookup", json!({ "lease_id": lease }));
        let lasts = standing.status == 200 && standing.data()["ttl"].as_u64() > Some(0);
        if lasts && leases.len() == 1 && users == [user.as_str()] {
            return Ok((true, 1));
        }
        Err(format!("the lease {lease} of {user} lasts: {lasts}; the leases {leases:?} and the users {users:?}"))
    }

    /// Whether each user has a lease, or an intent that is on record, as it must be at any time.
    pub(super) fn is_accounted_for<'a>(
        &self,
        root: &Client,
        roles: impl Iterator<Item = &'a str>,
    ) -> Result<(), String> {
        // Leases first: users may go meanwhile, and none comes.
        let leases: BTreeMap<&str, Vec<String>> = roles.map(|role| (role, leases(root, role))).collect();
        let all = self.users("");
        for user in &all {
            let of_role = leases.iter().find(|(role, _)| user.contains(&format!("-{role}-")));
            let users = all.iter().filter(|user| of_role.is_some_and(|(role, _)| user.contains(&format!("-{role}-"))));
            if of_role.is_none_or(|(_, leases)| leases.len() < users.count()) {
                return Err(format!("the user {user} of PostgreSQL has no lease: users {all:?}, leases {leases:?}"));
            }
        }
        Ok(())
    }

    /// Revokes all credentials, as at the end of a vault. How many users are there after that.
    pub(super) fn revoke_all(&self, root: &Client) -> usize {
        root.post("sys/leases/revoke-prefix/database/creds", json!({"sync": true})).ok();
        users(&self.0)
    }

    /// Removes a user behind the vault's back, or makes one.
    pub(super) fn tamper(&self, lent: Option<&Lent>) {
        drop(match lent {
            Some(lent) => self.0.query(&format!("drop role \"{}\"", lent.user)),
            None => self.0.query("create role \"v-root-nobody-1\""),
        });
    }

    /// The users of a role; of all roles if it is empty. Their names have its first eight characters.
    fn users(&self, role: &str) -> Vec<String> {
        let wanted = if role.is_empty() { "v-%".to_owned() } else { format!("v-%-{role}-%") };
        let found = self.0.query(&format!("select rolname from pg_roles where rolname like '{wanted}'"));
        found.lines().map(str::to_owned).collect()
    }
}

/// The leases of a role, intents among them.
fn leases(root: &Client, role: &str) -> Vec<String> {
    let answer = root.list(&format!("sys/leases/lookup/database/creds/{role}"));
    if answer.status == 404 {
        return Vec::new();
    }
    let names = answer.data()["keys"].as_array().unwrap().clone();
    names.iter().map(|name| format!("database/creds/{role}/{}", name.as_str().unwrap())).collect()
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}
