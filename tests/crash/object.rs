//! What a writer makes, changes and removes, one kind per part of the server that writes.

use serde_json::{Value, json};

use super::database::{Database, Lent};
use super::dice;
use crate::support::{Answer, Client};

/// What there is under a name: nothing, or something that holds this number. Numbers that were used once are not used
/// again, so that what comes back is noticed.
pub(super) type State = Option<u64>;

/// The uses of a token whose uses are counted.
pub(super) const USES: u64 = 20;
/// What an incarnation of a counted token or of a mount is multiplied with.
pub(super) const INCARNATION: u64 = 100;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A secret of KV version 2, each write being bound to the version before (`cas`).
    Secret,
    /// A policy.
    Policy,
    /// A secrets engine with a secret in it.
    Mount,
    /// An auth method with a user in it.
    AuthMethod,
    /// A token, renewed now and then.
    Token,
    /// A token of which each use is counted.
    CountedToken,
    /// The token of a login, whose lease is renewed now and then and revoked by its prefix.
    Login,
    /// An entity.
    Entity,
    /// The credentials of a role of a database, renewed now and then and revoked by their lease or by its prefix. The role
    /// has the name of the thing.
    Role,
}

/// All kinds.
pub(super) const KINDS: [Kind; 9] = [
    Kind::Secret,
    Kind::Policy,
    Kind::Mount,
    Kind::AuthMethod,
    Kind::Token,
    Kind::CountedToken,
    Kind::Login,
    Kind::Entity,
    Kind::Role,
];

/// One thing, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// What it is.
    pub(super) kind: Kind,
    /// Its name, which no other thing has.
    pub(super) name: String,
    /// What was acknowledged last.
    pub(super) state: State,
    /// What was being written when the server went, if anything was.
    pub(super) pending: Option<State>,
    /// The highest number that was ever written, acknowledged or not.
    pub(super) highest: u64,
    /// The token of the newest login.
    pub(super) token: Option<String>,
    /// The newest credentials.
    pub(super) lent: Option<Lent>,
    /// Where their users are.
    pub(super) database: Database,
}

impl Object {
    /// Nothing of this name.
    pub(super) fn new(kind: Kind, name: String, database: Database) -> Self {
        Self { kind, name, state: None, pending: None, highest: 0, token: None, lent: None, database }
    }

    /// Changes it, or makes it, or removes it. An error if the server went before it answered.
    pub(super) fn change(&mut self, root: &Client) -> Result<(), ureq::Error> {
        let next = self.next();
        self.highest = self.highest.max(next.unwrap_or(0));
        self.pending = Some(next);
        let answer = self.write(root, next)?.ok();
        match (self.kind, self.state) {
            (Kind::Login, None) => self.token = Some(answer.issued()),
            (Kind::Role, None) => self.lent = Some(Lent::of(&answer)),
            _ => {}
        }
        self.state = next;
        self.pending = None;
        Ok(())
    }

    /// Removes it.
    pub(super) fn remove(&mut self, root: &Client) {
        self.write(root, None).unwrap().ok();
        self.state = None;
    }

    /// Sends what takes it from its state to `next`.
    fn write(&self, root: &Client, next: State) -> Result<Answer, ureq::Error> {
        let name = &self.name;
        let post = |path: &str, body: Value| root.try_send("POST", path, Some(body.to_string().as_bytes()));
        match (self.kind, self.state, next) {
            (Kind::Secret, _, None) => root.try_send("DELETE", &format!("kv/metadata/{name}"), None),
            (Kind::Secret, before, Some(number)) => {
                let data = json!({"n": number, "text": "x".repeat(200)});
                post(&format!("kv/data/{name}"), json!({"data": data, "options": {"cas": before.unwrap_or(0)}}))
            }
            (Kind::Policy, _, None) => root.try_send("DELETE", &format!("sys/policies/acl/{name}"), None),
            (Kind::Policy, _, Some(number)) => {
                post(&format!("sys/policies/acl/{name}"), json!({"policy": rule(number)}))
            }
            (Kind::Mount, _, None) => root.try_send("DELETE", &format!("sys/mounts/{name}"), None),
            (Kind::Mount, None, Some(_)) => post(&format!("sys/mounts/{name}"), json!({"type": "kv"})),
            (Kind::Mount, Some(_), Some(number)) => post(&format!("{name}/value"), json!({"n": number})),
            (Kind::AuthMethod, _, None) => root.try_send("DELETE", &format!("sys/auth/{name}"), None),
            (Kind::AuthMethod, None, Some(_)) => post(&format!("sys/auth/{name}"), json!({"type": "userpass"})),
            (Kind::AuthMethod, Some(_), Some(number)) => post(
                &format!("auth/{name}/users/someone"),
                json!({"password": "not secret", "token_policies": [number.to_string()]}),
            ),
            (Kind::Token, Some(serial), None) => post("auth/token/revoke", json!({"token": self.id(serial)})),
            (Kind::CountedToken, Some(number), None) => {
                post("auth/token/revoke", json!({"token": self.id(number / INCARNATION)}))
            }
            (Kind::Token, None, Some(serial)) => post("auth/token/create", json!({"id": self.id(serial), "ttl": "1h"})),
            (Kind::CountedToken, None, Some(number)) => {
                let id = self.id(number / INCARNATION);
                post("auth/token/create", json!({"id": id, "ttl": "1h", "num_uses": USES}))
            }
            (Kind::Token, Some(serial), Some(_)) => post("auth/token/renew", json!({"token": self.id(serial)})),
            (Kind::CountedToken, Some(number), Some(_)) => {
                root.with_token(&self.id(number / INCARNATION)).try_send("GET", "auth/token/lookup-self", None)
            }
            (Kind::Token | Kind::CountedToken, None, None) => unreachable!("what is not there is made next"),
            (Kind::Login, _, None) => {
                post(&format!("sys/leases/revoke-prefix/auth/userpass/login/{name}"), json!({"sync": true}))
            }
            (Kind::Login, None, Some(_)) => {
                post(&format!("auth/userpass/login/{name}"), json!({"password": "not secret"}))
            }
            (Kind::Login, Some(_), Some(_)) => {
                root.with_token(self.token.as_deref().unwrap()).try_send("POST", "auth/token/renew-self", Some(b"{}"))
            }
            (Kind::Role, None, Some(_)) => root.try_send("GET", &format!("database/creds/{name}"), None),
            (Kind::Role, Some(_), Some(_)) => post("sys/leases/renew", json!({"lease_id": self.lease()})),
            (Kind::Role, Some(serial), None) if serial % 2 == 0 && self.lent.is_some() => {
                post("sys/leases/revoke", json!({"lease_id": self.lease(), "sync": true}))
            }
            (Kind::Role, _, None) => {
                post(&format!("sys/leases/revoke-prefix/database/creds/{name}"), json!({"sync": true}))
            }
            (Kind::Entity, _, None) => root.try_send("DELETE", &format!("identity/entity/name/{name}"), None),
            (Kind::Entity, _, Some(number)) => {
                post(&format!("identity/entity/name/{name}"), json!({"metadata": {"n": number.to_string()}}))
            }
        }
    }

    /// What it will be next.
    fn next(&self) -> State {
        let removed = dice(4) == 0;
        let incarnation = (self.highest / INCARNATION + 1) * INCARNATION;
        match (self.kind, self.state) {
            // Versions begin anew when all of them are gone.
            (Kind::Secret, None) => Some(1),
            (Kind::Secret, Some(version)) => (!removed).then_some(version + 1),
            (Kind::Policy | Kind::Entity | Kind::Token | Kind::Login | Kind::Role, None) => Some(self.highest + 1),
            (Kind::Policy | Kind::Entity, Some(_)) => (!removed).then_some(self.highest + 1),
            (Kind::Token | Kind::Login | Kind::Role, Some(serial)) => (dice(2) == 0).then_some(serial),
            (Kind::Mount | Kind::AuthMethod | Kind::CountedToken, None) => Some(incarnation),
            (Kind::Mount | Kind::AuthMethod, Some(number)) => (!removed).then_some(number + 1),
            (Kind::CountedToken, Some(number)) => (!removed && number % INCARNATION < USES - 2).then_some(number + 1),
        }
    }

    fn lease(&self) -> Option<&str> {
        self.lent.as_ref().map(|lent| lent.lease.as_str())
    }

    /// The id of the token of this number.
    pub(super) fn id(&self, serial: u64) -> String {
        format!("{}-{serial}", self.name)
    }

    /// Looks at it after a crash, and takes what is there for its state. What is wrong, if something is.
    pub(super) fn settle(&mut self, root: &Client) -> Result<(), String> {
        let found = self.found(root)?;
        if found != self.state && Some(found) != self.pending {
            let Self { kind, name, state, pending, .. } = self;
            return Err(format!(
                "{kind:?} {name}: {state:?} was acknowledged, {pending:?} in flight, {found:?} is there"
            ));
        }
        let has_holder = matches!(self.kind, Kind::Login | Kind::Role);
        let nobody_has_it = has_holder && self.state.is_none() && found.is_some();
        if self.kind == Kind::Secret && self.pending.is_some_and(|next| next.is_some() && next != self.state) {
            self.repeat(root, found)?;
        } else {
            self.state = found;
        }
        self.pending = None;
        if nobody_has_it {
            // What it was given was in the answer that was lost; it is revoked as an operator would do it.
            self.lent = None;
            self.write(root, None).map_err(|error| error.to_string())?.ok();
            self.state = None;
            if let Some(left) = self.found(root)? {
                return Err(format!("{:?} {}: {left} is there although all of it was revoked", self.kind, self.name));
            }
        }
        Ok(())
    }

    /// A write that is bound to a version and whose outcome nobody heard is sent again: it must not happen twice.
    fn repeat(&mut self, root: &Client, found: State) -> Result<(), String> {
        let next = self.pending.flatten();
        let status = self.write(root, next).map_err(|error| error.to_string())?.status;
        let expected = if found == next { 400 } else { 200 };
        self.state = next;
        if status == expected && self.found(root)? == next {
            return Ok(());
        }
        Err(format!("Secret {}: a write bound to its version was answered {status} when it was repeated", self.name))
    }

    /// What is there, looked at from every side. What was begun before the crash may still be going on.
    fn found(&self, root: &Client) -> Result<State, String> {
        let mut last = Ok(None);
        // To look into a database takes a program of its own.
        let (looks, pause) = if self.kind == Kind::Role { (25, 200) } else { (250, 20) };
        for patience in (0..looks).rev() {
            last = self.look(root);
            if last.is_ok() || patience == 0 {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(pause));
        }
        last.map_err(|why| format!("{:?} {}: {why}", self.kind, self.name))
    }
}

/// The text of a policy of this number.
pub(super) fn rule(number: u64) -> String {
    format!("# {number}\npath \"kv/data/{number}\" {{ capabilities = [\"read\"] }}")
}

/// The tokens with a lease are those that `objects` know of, and all of them have the lease that ends them.
pub(super) fn leases_fit<'a>(objects: impl Iterator<Item = &'a Object>, root: &Client) -> Result<(), String> {
    let counts = |kind| matches!(kind, Kind::Token | Kind::CountedToken);
    let (mut tokens, mut logins) = (0, 0);
    for object in objects.filter(|object| object.state.is_some()) {
        tokens += usize::from(counts(object.kind));
        logins += usize::from(object.kind == Kind::Login);
    }
    let count = |path: &str| {
        let answer = root.list(path);
        if answer.status == 404 { 0 } else { answer.data()["keys"].as_array().map_or(0, Vec::len) }
    };
    let mut found = (0, 0);
    for _ in 0..250 {
        // The root token is one of them, and has no lease.
        found = (count("sys/leases/lookup/auth/token/create"), count("auth/token/accessors"));
        if found == (tokens, tokens + logins + 1) {
            return Ok(());
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    Err(format!("{tokens} tokens and {logins} logins live, but there are {} leases and {} accessors", found.0, found.1))
}

/// Whether a check of the whole store finds nothing: every record opens, indexes fit, and the ledger accounts for all of it.
pub(super) fn sound(root: &Client) -> Result<(), String> {
    let report = root.post("sys/storage/check", json!({})).data();
    // A mount that is being removed may be gone with some of its records left, and be found so, until it is all gone.
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let lost: Vec<_> = findings.iter().filter(|finding| finding["fault"] != "orphaned").collect();
    let is_compared = report["ledger_since"].is_string();
    if lost.is_empty() && is_compared { Ok(()) } else { Err(format!("the store is not sound: {report}")) }
}
