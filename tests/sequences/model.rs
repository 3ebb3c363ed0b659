//! What a vault should do, as plainly as it can be said: a few mounts, tokens with one policy each, leases, wrappings,
//! seals, crashes, and time. Every reply of the whole pipeline is compared with it: nobody reads what their policy does
//! not give them, nothing that was acknowledged is lost, no lease is lost, and what has ended stays ended.

use std::collections::{BTreeMap, BTreeSet};

use arca::api::Operation;
use serde_json::{Value, json};

use super::step::{MOUNTS, Policy, Step, policies};
use super::world::{Ask, Reply, World};

/// Whoever has a token.
struct Holder {
    token: String,
    policy: Policy,
    parent: Option<usize>,
    /// When it ends, in seconds from the start; nothing is never.
    ends: Option<u64>,
    dead: bool,
    kept: BTreeMap<u8, String>,
}

struct Wrapping {
    token: String,
    secret: String,
    ends: u64,
    used: bool,
}

/// A vault, and what it should hold.
pub struct Model {
    world: World,
    mounted: BTreeSet<u8>,
    secrets: BTreeMap<(u8, u8), String>,
    holders: Vec<Holder>,
    wrappings: Vec<Wrapping>,
    sealed: bool,
    now: u64,
    written: u64,
}

const PATHS: u8 = 5;
const MONTH: u64 = 768 * 3600;
/// How long an answer is wrapped for, in seconds.
const WRAPPED: u64 = 300;

/// Does the steps that `bytes` stand for; fails at the first reply that is not what it should be.
pub fn run(bytes: &[u8]) {
    let mut model = Model::new();
    for step in bytes.chunks_exact(3).take(200) {
        let step = Step::of([step[0], step[1], step[2]]);
        model.act(step);
        model.check_world(step);
    }
    model.finish();
}

impl Model {
    fn new() -> Self {
        let world = World::new();
        let root = Holder {
            token: world.root.clone(),
            policy: Policy::Root,
            parent: None,
            ends: None,
            dead: false,
            kept: BTreeMap::new(),
        };
        let mut model = Self {
            world,
            mounted: BTreeSet::new(),
            secrets: BTreeMap::new(),
            holders: vec![root],
            wrappings: Vec::new(),
            sealed: false,
            now: 0,
            written: 0,
        };
        for (name, rules) in policies() {
            model.ask(Operation::Write, &format!("sys/policies/acl/{name}"), 0, json!({ "policy": rules }));
        }
        model.act(Step::Mount(0));
        model.act(Step::Mount(1));
        model
    }

    fn ask(&self, operation: Operation, path: &str, who: usize, body: Value) -> Reply {
        self.world.ask(&Ask { operation, path, token: Some(&self.holders[who].token), body, wrap: 0 })
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Write(who, place) => self.write(who, place),
            Step::Read(who, place) => self.read(who, place),
            Step::Delete(who, place) => self.delete(who, place),
            Step::List(who, mount) => self.list(who, mount),
            Step::Keep(who, path) => self.keep(who, path),
            Step::Recall(who, path) => self.recall(who, path),
            Step::Create(who, what) => self.create(who, what),
            Step::Revoke(who, whom) => self.revoke(who, whom),
            Step::RevokeSelf(who) => self.revoke_self(who),
            Step::RevokeLease(whom) => self.revoke_lease(whom),
            Step::Renew(who, by) => self.renew(who, by),
            Step::Mount(mount) => self.mount(mount),
            Step::Wrap(who, place) => self.wrap(who, place),
            Step::Unwrap(which) => self.unwrap(which),
            Step::Turn(how) => self.turn(how),
            Step::Crash => self.crash(),
            Step::Pass(seconds) => self.pass(seconds),
        }
    }

    fn who(&self, number: u8) -> usize {
        usize::from(number) % self.holders.len()
    }

    /// The mount and the path that a number stands for.
    fn place(number: u8) -> (u8, u8) {
        (number % MOUNTS, number / MOUNTS % PATHS)
    }

    fn is_alive(&self, who: usize) -> bool {
        let holder = &self.holders[who];
        !holder.dead && holder.ends.is_none_or(|ends| ends > self.now)
    }

    /// The status of a request for a secret in `mount`: none if it may be done.
    fn refusal(&self, who: usize, mount: u8, writes: bool) -> Option<u16> {
        if self.sealed {
            return Some(503);
        }
        let allowed = match self.holders[who].policy {
            Policy::Root => true,
            Policy::Reader(own) => own == mount && !writes,
            Policy::Writer(own) => own == mount,
            Policy::Maker => false,
        };
        if !self.is_alive(who) || !allowed {
            return Some(403);
        }
        (!self.mounted.contains(&mount)).then_some(404)
    }

    /// Nothing that is secret is in the reply of a request that was refused.
    fn expect(reply: &Reply, status: u16, what: &str) {
        assert_eq!(reply.status, status, "{what}: {}", reply.text);
        if status >= 400 {
            assert!(!reply.text.contains(SECRET), "{what}: {}", reply.text);
        }
    }

    fn write(&mut self, who: u8, place: u8) {
        let (who, (mount, path)) = (self.who(who), Self::place(place));
        self.written += 1;
        let secret = format!("{SECRET}-{}", self.written);
        let reply = self.ask(Operation::Write, &format!("m{mount}/p{path}"), who, json!({ "value": secret }));
        if let Some(status) = self.refusal(who, mount, true) {
            Self::expect(&reply, status, "write");
        } else {
            Self::expect(&reply, 204, "write");
            self.secrets.insert((mount, path), secret);
        }
    }

    fn read(&mut self, who: u8, place: u8) {
        let (who, (mount, path)) = (self.who(who), Self::place(place));
        let reply = self.ask(Operation::Read, &format!("m{mount}/p{path}"), who, Value::Null);
        match (self.refusal(who, mount, false), self.secrets.get(&(mount, path))) {
            (Some(status), _) => Self::expect(&reply, status, "read"),
            (None, None) => Self::expect(&reply, 404, "read"),
            (None, Some(secret)) => {
                Self::expect(&reply, 200, "read");
                assert_eq!(reply.json()["data"], json!({ "value": secret }));
            }
        }
    }

    fn delete(&mut self, who: u8, place: u8) {
        let (who, (mount, path)) = (self.who(who), Self::place(place));
        let reply = self.ask(Operation::Delete, &format!("m{mount}/p{path}"), who, Value::Null);
        if let Some(status) = self.refusal(who, mount, true) {
            Self::expect(&reply, status, "delete");
        } else {
            Self::expect(&reply, 204, "delete");
            self.secrets.remove(&(mount, path));
        }
    }

    fn list(&mut self, who: u8, mount: u8) {
        let (who, mount) = (self.who(who), mount % MOUNTS);
        let reply = self.ask(Operation::List, &format!("m{mount}/"), who, Value::Null);
        let keys: Vec<String> =
            self.secrets.keys().filter(|(own, _)| *own == mount).map(|(_, path)| format!("p{path}")).collect();
        match self.refusal(who, mount, false) {
            Some(status) => Self::expect(&reply, status, "list"),
            None if keys.is_empty() => Self::expect(&reply, 404, "list"),
            None => {
                Self::expect(&reply, 200, "list");
                assert_eq!(reply.json()["data"]["keys"], json!(keys));
            }
        }
    }

    /// The status of a request that every token may make; none if it may be done.
    fn refusal_of_own(&self, who: usize) -> Option<u16> {
        match (self.sealed, self.is_alive(who)) {
            (true, _) => Some(503),
            (false, false) => Some(403),
            (false, true) => None,
        }
    }

    fn keep(&mut self, who: u8, path: u8) {
        let (who, path) = (self.who(who), path % PATHS);
        self.written += 1;
        let secret = format!("{SECRET}-{}", self.written);
        let reply = self.ask(Operation::Write, &format!("cubbyhole/p{path}"), who, json!({ "value": secret }));
        if let Some(status) = self.refusal_of_own(who) {
            Self::expect(&reply, status, "keep");
        } else {
            Self::expect(&reply, 204, "keep");
            self.holders[who].kept.insert(path, secret);
        }
    }

    fn recall(&mut self, who: u8, path: u8) {
        let (who, path) = (self.who(who), path % PATHS);
        let reply = self.ask(Operation::Read, &format!("cubbyhole/p{path}"), who, Value::Null);
        match (self.refusal_of_own(who), self.holders[who].kept.get(&path)) {
            (Some(status), _) => Self::expect(&reply, status, "recall"),
            (None, None) => Self::expect(&reply, 404, "recall"),
            (None, Some(secret)) => {
                Self::expect(&reply, 200, "recall");
                assert_eq!(reply.json()["data"], json!({ "value": secret }));
            }
        }
    }

    /// A token without an end of its own makes one that may have an end; what has an end makes none.
    fn create(&mut self, who: u8, what: u8) {
        let who = self.who(who);
        let maker = self.holders[who].policy;
        let policy = match (maker, what % 5) {
            (Policy::Maker, _) | (Policy::Root, 0) => Policy::Maker,
            (_, 1) => Policy::Reader(0),
            (_, 2) => Policy::Reader(1),
            (_, 3) => Policy::Writer(0),
            (_, _) => Policy::Writer(1),
        };
        let seconds = if policy == Policy::Maker { MONTH } else { u64::from(what / 5 + 1) * 20 };
        let body = json!({"policies": [policy.name(), "default"], "ttl": format!("{seconds}s")});
        let reply = self.ask(Operation::Write, "auth/token/create", who, body);
        let status = match (self.sealed, self.is_alive(who), maker) {
            (true, _, _) => 503,
            (false, true, Policy::Root | Policy::Maker) => 200,
            (false, _, _) => 403,
        };
        Self::expect(&reply, status, "create");
        if status == 200 {
            let token = reply.json()["auth"]["client_token"].as_str().expect("a token").to_owned();
            let parent = Some(who).filter(|who| *who > 0);
            let ends = Some(self.now + seconds);
            self.holders.push(Holder { token, policy, parent, ends, dead: false, kept: BTreeMap::new() });
        }
    }

    /// The token ends, and those that it made with it.
    fn bury(&mut self, who: usize) {
        self.holders[who].dead = true;
        let children: Vec<usize> =
            (0..self.holders.len()).filter(|child| self.holders[*child].parent == Some(who)).collect();
        for child in children {
            self.bury(child);
        }
        self.world.breathe();
    }

    fn revoke(&mut self, who: u8, whom: u8) {
        let (who, whom) = (self.who(who), self.who(whom));
        // The root token stays: without it nothing could be asked about.
        if whom == 0 {
            return;
        }
        let body = json!({"token": self.holders[whom].token});
        let reply = self.ask(Operation::Write, "auth/token/revoke", who, body);
        match (self.refusal_of_own(who), self.holders[who].policy) {
            (Some(status), _) => Self::expect(&reply, status, "revoke"),
            (None, Policy::Root) if self.is_alive(whom) => {
                Self::expect(&reply, 204, "revoke");
                self.bury(whom);
            }
            (None, Policy::Root) => assert!(reply.status < 500, "{reply:?}"),
            (None, _) => Self::expect(&reply, 403, "revoke"),
        }
    }

    fn revoke_self(&mut self, who: u8) {
        let who = self.who(who);
        if who == 0 {
            return;
        }
        let reply = self.ask(Operation::Write, "auth/token/revoke-self", who, Value::Null);
        if let Some(status) = self.refusal_of_own(who) {
            Self::expect(&reply, status, "revoke-self");
        } else {
            Self::expect(&reply, 204, "revoke-self");
            self.bury(who);
        }
    }

    fn revoke_lease(&mut self, whom: u8) {
        let whom = self.who(whom);
        if self.sealed || whom == 0 || !self.is_alive(whom) {
            return;
        }
        let (lease, _) = self.world.lease_of(&self.holders[whom].token).expect("a token that lives has its lease");
        let body = json!({"lease_id": lease, "sync": true});
        let reply = self.ask(Operation::Write, "sys/leases/revoke", 0, body);
        assert!((200..300).contains(&reply.status), "{reply:?}");
        self.bury(whom);
    }

    fn renew(&mut self, who: u8, by: u8) {
        let who = self.who(who);
        // A token that makes others is to outlive them: when those end whose parent has expired is left open.
        if who == 0 || self.holders[who].policy == Policy::Maker {
            return;
        }
        let seconds = u64::from(by) + 1;
        let reply = self.ask(Operation::Write, "auth/token/renew-self", who, json!({"increment": seconds}));
        if let Some(status) = self.refusal_of_own(who) {
            Self::expect(&reply, status, "renew");
        } else {
            Self::expect(&reply, 200, "renew");
            let granted = reply.json()["auth"]["lease_duration"].as_u64().expect("a length");
            assert!(granted == seconds, "{granted} seconds were granted, {seconds} asked for");
            self.holders[who].ends = Some(self.now + granted);
        }
    }

    fn mount(&mut self, mount: u8) {
        let mount = mount % MOUNTS;
        let path = format!("sys/mounts/m{mount}");
        if self.sealed {
            let reply = self.ask(Operation::Write, &path, 0, json!({"type": "kv"}));
            return Self::expect(&reply, 503, "mount");
        }
        if self.mounted.remove(&mount) {
            self.secrets.retain(|(own, _), _| *own != mount);
            let reply = self.ask(Operation::Delete, &path, 0, Value::Null);
            return Self::expect(&reply, 204, "unmount");
        }
        self.mounted.insert(mount);
        // What was mounted there before may still be on its way out.
        for _ in 0..100 {
            let reply = self.ask(Operation::Write, &path, 0, json!({"type": "kv"}));
            if reply.status == 204 {
                return;
            }
            assert_eq!(reply.status, 400, "{reply:?}");
            self.world.breathe();
        }
        panic!("a mount that was disabled keeps its path");
    }

    fn wrap(&mut self, who: u8, place: u8) {
        let (who, (mount, path)) = (self.who(who), Self::place(place));
        let reply = self.world.ask(&Ask {
            operation: Operation::Read,
            path: &format!("m{mount}/p{path}"),
            token: Some(&self.holders[who].token),
            body: Value::Null,
            wrap: WRAPPED,
        });
        assert!(!reply.text.contains(SECRET), "{}", reply.text);
        match (self.refusal(who, mount, false), self.secrets.get(&(mount, path))) {
            (Some(status), _) => Self::expect(&reply, status, "wrap"),
            (None, None) => Self::expect(&reply, 404, "wrap"),
            (None, Some(secret)) => {
                Self::expect(&reply, 200, "wrap");
                let token = reply.json()["wrap_info"]["token"].as_str().expect("a token").to_owned();
                let (secret, ends) = (secret.clone(), self.now + WRAPPED);
                self.wrappings.push(Wrapping { token, secret, ends, used: false });
            }
        }
    }

    fn unwrap(&mut self, which: u8) {
        if self.wrappings.is_empty() {
            return;
        }
        let which = usize::from(which) % self.wrappings.len();
        let Wrapping { token, secret, ends, used } = &self.wrappings[which];
        let reply = self.world.ask(&Ask {
            operation: Operation::Write,
            path: "sys/wrapping/unwrap",
            token: Some(token),
            body: Value::Null,
            wrap: 0,
        });
        if self.sealed {
            return Self::expect(&reply, 503, "unwrap");
        }
        if *used || *ends <= self.now {
            return Self::expect(&reply, 400, "unwrap");
        }
        Self::expect(&reply, 200, "unwrap");
        assert_eq!(reply.json()["data"], json!({ "value": secret }));
        self.wrappings[which].used = true;
    }

    fn turn(&mut self, who: u8) {
        if self.sealed {
            self.world.unseal();
            self.sealed = false;
            return self.check_secrets();
        }
        let who = self.who(who);
        let reply = self.ask(Operation::Write, "sys/seal", who, Value::Null);
        if self.holders[who].policy == Policy::Root {
            Self::expect(&reply, 204, "seal");
            (0..1000).find(|_| {
                self.world.breathe();
                self.world.is_sealed()
            });
            assert!(self.world.is_sealed(), "it does not seal");
            self.sealed = true;
        } else {
            Self::expect(&reply, 403, "seal");
        }
    }

    fn crash(&mut self) {
        self.world.crash();
        if !self.sealed {
            self.world.unseal();
            self.check_secrets();
        }
    }

    fn pass(&mut self, seconds: u8) {
        self.world.advance(u64::from(seconds));
        self.now += u64::from(seconds);
    }

    /// Every secret that was acknowledged is there, and every one that was deleted is gone.
    fn check_secrets(&self) {
        for mount in 0..MOUNTS {
            for path in 0..PATHS {
                let reply = self.ask(Operation::Read, &format!("m{mount}/p{path}"), 0, Value::Null);
                match self.secrets.get(&(mount, path)) {
                    None => Self::expect(&reply, 404, "a secret that is gone"),
                    Some(secret) => assert_eq!(reply.json()["data"]["value"], json!(secret), "a secret is lost"),
                }
            }
        }
    }

    /// Every token lives that should, with its lease, and no other.
    fn check_world(&self, step: Step) {
        assert_eq!(self.world.is_sealed(), self.sealed, "{step:?}");
        // The one that the step was about is the likeliest to be wrong; all of them are looked at in the end.
        let last = self.holders.len() - 1;
        if !self.sealed {
            self.check_holder(last);
        }
    }

    fn check_holder(&self, who: usize) {
        let reply = self.ask(Operation::Read, "auth/token/lookup-self", who, Value::Null);
        assert_eq!(reply.status, if self.is_alive(who) { 200 } else { 403 }, "token {who}: {}", reply.text);
        if who > 0 && self.is_alive(who) {
            let left = self.holders[who].ends.map(|ends| ends - self.now);
            let (_, remaining) = self.world.lease_of(&self.holders[who].token).expect("its lease is lost");
            assert_eq!(Some(remaining), left, "token {who}");
        }
    }

    fn finish(mut self) {
        if self.sealed {
            self.turn(0);
        }
        self.check_secrets();
        for who in 0..self.holders.len() {
            self.check_holder(who);
        }
        for who in 1..self.holders.len() {
            if self.is_alive(who) {
                self.revoke(0, u8::try_from(who % 256).expect("a byte"));
            }
        }
        let living = (1..self.holders.len()).filter(|who| self.is_alive(*who)).count();
        if living == 0 && self.holders.len() < 256 {
            // Those of wrappings that nobody opened are left, and those whose end has come and nobody has looked yet.
            let open = self.wrappings.iter().filter(|wrapping| !wrapping.used).count();
            let ended = self.holders.iter().filter(|holder| !holder.dead).count();
            assert!(self.world.leases() <= open + ended, "{} leases are left over", self.world.leases());
        }
    }
}

/// What every secret begins with.
const SECRET: &str = "the-secret";
