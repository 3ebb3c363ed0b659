//! What a writer makes, changes and removes, one kind per part of the server that writes.

use serde_json::{Value, json};

use super::dice;
use crate::support::{Answer, Client};

/// What there is under a name: nothing, or something that holds this number. Numbers that were used once are not used
/// again, so that what comes back is noticed.
pub(super) type State = Option<u64>;

/// The versions that a secret keeps.
const VERSIONS: usize = 10;
/// The uses of a token whose uses are counted.
const USES: u64 = 20;
/// What an incarnation of a counted token or of a mount is multiplied with.
const INCARNATION: u64 = 100;

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
}

/// All kinds.
pub(super) const KINDS: [Kind; 8] = [
    Kind::Secret,
    Kind::Policy,
    Kind::Mount,
    Kind::AuthMethod,
    Kind::Token,
    Kind::CountedToken,
    Kind::Login,
    Kind::Entity,
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
    highest: u64,
    /// The token of the newest login.
    token: Option<String>,
}

impl Object {
    /// Nothing of this name.
    pub(super) fn new(kind: Kind, name: String) -> Self {
        Self { kind, name, state: None, pending: None, highest: 0, token: None }
    }

    /// Changes it, or makes it, or removes it. An error if the server went before it answered.
    pub(super) fn change(&mut self, root: &Client) -> Result<(), ureq::Error> {
        let next = self.next();
        self.highest = self.highest.max(next.unwrap_or(0));
        self.pending = Some(next);
        let answer = self.write(root, next)?.ok();
        if self.kind == Kind::Login && self.state.is_none() {
            self.token = Some(answer.issued());
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
            (Kind::Policy | Kind::Entity | Kind::Token | Kind::Login, None) => Some(self.highest + 1),
            (Kind::Policy | Kind::Entity, Some(_)) => (!removed).then_some(self.highest + 1),
            (Kind::Token | Kind::Login, Some(serial)) => (dice(2) == 0).then_some(serial),
            (Kind::Mount | Kind::AuthMethod | Kind::CountedToken, None) => Some(incarnation),
            (Kind::Mount | Kind::AuthMethod, Some(number)) => (!removed).then_some(number + 1),
            (Kind::CountedToken, Some(number)) => (!removed && number % INCARNATION < USES - 2).then_some(number + 1),
        }
    }

    fn id(&self, serial: u64) -> String {
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
        let nobody_has_it = self.kind == Kind::Login && self.state.is_none() && found.is_some();
        if self.kind == Kind::Secret && self.pending.is_some_and(|next| next.is_some() && next != self.state) {
            self.repeat(root, found)?;
        } else {
            self.state = found;
        }
        self.pending = None;
        if nobody_has_it {
            // The token of this login was in the answer that was lost; it is revoked as an operator would do it.
            self.write(root, None).map_err(|error| error.to_string())?.ok();
            self.state = None;
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
        for patience in (0..250).rev() {
            last = self.look(root);
            if last.is_ok() || patience == 0 {
                break;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        last.map_err(|why| format!("{:?} {}: {why}", self.kind, self.name))
    }

    fn look(&self, root: &Client) -> Result<State, String> {
        match self.kind {
            Kind::Secret => self.look_at_secret(root),
            Kind::Policy => {
                let answer = root.get(&format!("sys/policies/acl/{}", self.name));
                let text = present(answer)?.map(|data| data["policy"].as_str().unwrap_or_default().to_owned());
                let number =
                    |text: &String| text.split_once(' ').and_then(|(_, rest)| rest.lines().next()?.parse().ok());
                match text.as_ref().map(|text| (number(text), text)) {
                    None => Ok(None),
                    Some((Some(number), text)) if *text == rule(number) => Ok(Some(number)),
                    Some(_) => Err("its text was never written".to_owned()),
                }
            }
            Kind::Mount => {
                let listed = root.get("sys/mounts").data().get(format!("{}/", self.name)).is_some();
                let inside = root.get(&format!("{}/value", self.name));
                self.look_inside(listed, inside, |data| data["n"].as_u64())
            }
            Kind::AuthMethod => {
                let listed = root.get("sys/auth").data().get(format!("{}/", self.name)).is_some();
                let inside = root.get(&format!("auth/{}/users/someone", self.name));
                self.look_inside(listed, inside, |data| data["token_policies"][0].as_str()?.parse().ok())
            }
            Kind::Token => self.look_at_token(root),
            Kind::CountedToken => self.look_at_counted_token(root),
            Kind::Login => self.look_at_login(root),
            Kind::Entity => {
                let data = present(root.get(&format!("identity/entity/name/{}", self.name)))?;
                let Some(data) = data else { return Ok(None) };
                let by_id =
                    present(root.get(&format!("identity/entity/id/{}", data["id"].as_str().unwrap_or_default())))?;
                if by_id.as_ref() != Some(&data) {
                    return Err("it is not the same by its name and by its id".to_owned());
                }
                Ok(data["metadata"]["n"].as_str().and_then(|number| number.parse().ok()))
            }
        }
    }

    fn look_at_secret(&self, root: &Client) -> Result<State, String> {
        let read = present(root.get(&format!("kv/data/{}", self.name)))?;
        let metadata = present(root.get(&format!("kv/metadata/{}", self.name)))?;
        let (Some(read), Some(metadata)) = (&read, &metadata) else {
            let half = read.is_some() || metadata.is_some();
            return if half {
                Err("its data is there without its metadata, or the other way round".to_owned())
            } else {
                Ok(None)
            };
        };
        let version = read["metadata"]["version"].as_u64();
        let kept = version.map(|version| usize::try_from(version).unwrap().min(VERSIONS));
        if read["data"]["n"].as_u64() != version
            || metadata["current_version"].as_u64() != version
            || metadata["versions"].as_object().map(serde_json::Map::len) != kept
        {
            return Err(format!("version {version:?} does not fit {} and {metadata}", read["data"]["n"]));
        }
        Ok(version)
    }

    /// A mount is in the table and answers, or neither.
    fn look_inside(&self, listed: bool, inside: Answer, number: fn(&Value) -> Option<u64>) -> Result<State, String> {
        let routed = inside.status != 404 || inside.json()["errors"] == json!([]);
        if listed != routed {
            return Err(format!(
                "in the table: {listed}, but reading in it is answered {}: {}",
                inside.status, inside.text
            ));
        }
        if !listed {
            return Ok(None);
        }
        match present(inside)? {
            Some(data) => number(&data).map(Some).ok_or_else(|| "what is in it was never written".to_owned()),
            // Empty: only the newest incarnation can be.
            None => Ok(Some(self.highest / INCARNATION * INCARNATION)),
        }
    }

    fn look_at_token(&self, root: &Client) -> Result<State, String> {
        let mut found = None;
        for serial in self.highest.saturating_sub(5).max(1)..=self.highest {
            match root.with_token(&self.id(serial)).get("auth/token/lookup-self").status {
                200 => {
                    if found.replace(serial).is_some() {
                        return Err("one that was revoked works".to_owned());
                    }
                    // Its lease is there too.
                    root.post("auth/token/renew", json!({"token": self.id(serial)})).ok();
                }
                403 => {}
                other => return Err(format!("it is answered {other}")),
            }
        }
        Ok(found)
    }

    fn look_at_counted_token(&self, root: &Client) -> Result<State, String> {
        let incarnation = self.highest / INCARNATION;
        let mut found = None;
        for serial in incarnation.saturating_sub(2).max(1)..=incarnation {
            let answer = root.post("auth/token/lookup", json!({"token": self.id(serial)}));
            match (answer.status, found) {
                (200, None) => {
                    let left = answer.data()["num_uses"].as_u64().filter(|left| (1..=USES).contains(left));
                    let left = left.ok_or_else(|| "its uses are not those it was made with".to_owned())?;
                    found = Some(serial * INCARNATION + USES - left);
                }
                (200, Some(_)) => return Err("one that was revoked is there".to_owned()),
                (403, _) => {}
                (other, _) => return Err(format!("it is answered {other}")),
            }
        }
        Ok(found)
    }

    fn look_at_login(&self, root: &Client) -> Result<State, String> {
        let leases = present(root.list(&format!("sys/leases/lookup/auth/userpass/login/{}", self.name)))?;
        let leases = leases.map_or(0, |data| data["keys"].as_array().map_or(0, Vec::len));
        let works = self.token.as_ref().map(|token| root.with_token(token).get("auth/token/lookup-self").status == 200);
        match (leases, works, self.state) {
            (0, None | Some(false), _) => Ok(None),
            (1, Some(true), Some(serial)) => Ok(Some(serial)),
            // A login whose answer was lost: its lease is there, the token of the login before it is not.
            (1, None | Some(false), None) => Ok(self.pending.flatten()),
            _ => Err(format!("{leases} leases; its token works: {works:?}")),
        }
    }
}

/// The data of what is there; nothing if it is not there.
fn present(answer: Answer) -> Result<Option<Value>, String> {
    match answer.status {
        200 => Ok(Some(answer.data())),
        404 => Ok(None),
        other => Err(format!("it is answered {other}: {}", answer.text)),
    }
}

fn rule(number: u64) -> String {
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
