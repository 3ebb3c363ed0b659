//! Floods of requests without a token: logins, unsealing, rekeying.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Target, scale};
use crate::support::Client;

/// What somebody else asks for during a flood; the status that is answered.
type Ask<'a> = Box<dyn Fn() -> u16 + Sync + 'a>;

/// Who floods: so many clients at a time, each with one request after the other.
const CLIENTS: usize = 8;

/// What became of what somebody else asked for.
#[derive(Default)]
struct Others {
    what: &'static str,
    /// How often each status was answered.
    statuses: BTreeMap<u16, usize>,
    slowest: Duration,
}

impl Others {
    /// Asks until it is over.
    fn ask(what: &'static str, ask: &Ask<'_>, over: &AtomicBool) -> Self {
        let mut seen = Self { what, ..Self::default() };
        while !over.load(Ordering::SeqCst) {
            let asked = Instant::now();
            *seen.statuses.entry(ask()).or_default() += 1;
            seen.slowest = seen.slowest.max(asked.elapsed());
            thread::park_timeout(Duration::from_millis(20));
        }
        seen
    }

    /// All were answered with one of these, and none waited without an end.
    fn are_served(&self, expected: &[u16]) {
        assert!(self.statuses.keys().all(|status| expected.contains(status)), "{self}");
        assert!(!self.statuses.is_empty() && self.slowest < Duration::from_secs(20), "{self}");
    }
}

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, within {} ms", self.what, counted(&self.statuses), self.slowest.as_millis())
    }
}

/// What came of a flood.
struct Flood {
    /// How often each status was answered.
    statuses: BTreeMap<u16, usize>,
    others: Vec<Others>,
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; others meanwhile", counted(&self.statuses))?;
        self.others.iter().try_for_each(|others| write!(f, ", {others}"))
    }
}

fn counted(statuses: &BTreeMap<u16, usize>) -> String {
    let counted: Vec<String> = statuses.iter().map(|(status, count)| format!("{count} times {status}")).collect();
    counted.join(" and ")
}

impl Flood {
    /// Lets so many clients send `body` to `path` for a while, and lets others ask meanwhile. A `*` in the path is another
    /// number each time.
    fn of(target: &Target, clients: usize, (path, body): (&str, &Value), others: &[(&'static str, Ask<'_>)]) -> Self {
        let time = Duration::from_millis(1500) * u32::try_from(scale()).unwrap();
        let (over, sent) = (&AtomicBool::new(false), AtomicUsize::new(0));
        // Connections of before, as others have.
        for (_, ask) in others {
            ask();
        }
        let send = |client: &Client| {
            let mut statuses = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let path = path.replace('*', &sent.fetch_add(1, Ordering::SeqCst).to_string());
                statuses.push(client.post(&path, body.clone()).status);
            }
            statuses
        };
        thread::scope(|scope| {
            let senders: Vec<_> = (0..clients)
                .map(|_| {
                    let (client, send) = (target.process.anonymous(), &send);
                    scope.spawn(move || send(&client))
                })
                .collect();
            let asking: Vec<_> =
                others.iter().map(|(what, ask)| scope.spawn(move || Others::ask(what, ask, over))).collect();
            let start = Instant::now();
            while start.elapsed() < time {
                thread::park_timeout(time);
            }
            over.store(true, Ordering::SeqCst);
            let mut statuses = BTreeMap::new();
            for status in senders.into_iter().flat_map(|sender| sender.join().unwrap()) {
                *statuses.entry(status).or_default() += 1;
            }
            Self { statuses, others: asking.into_iter().map(|asking| asking.join().unwrap()).collect() }
        })
    }

    /// Nobody was answered with anything else.
    #[track_caller]
    fn is_answered_with(&self, expected: &[u16]) {
        assert!(self.statuses.keys().all(|status| expected.contains(status)), "{self}");
    }
}

/// The state of the server, which takes nothing of what it keeps, and what a token may read.
fn bystanders(target: &Target) -> Vec<(&'static str, Ask<'_>)> {
    let (client, root) = (target.process.anonymous(), target.root.clone());
    root.post("cubbyhole/kept", json!({"a": 1})).ok();
    vec![
        ("sys/health", Box::new(move || client.get("sys/health").status)),
        ("a token's read", Box::new(move || root.get("cubbyhole/kept").status)),
    ]
}

#[test]
fn logins() {
    let target = Target::start();
    let root = &target.root;
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/ann", json!({"password": "wide river"})).ok();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/app", json!({})).ok();
    root.post("sys/auth/jwt", json!({"type": "jwt"})).ok();
    let before = target.process.resident();
    let bodies = [
        ("auth/userpass/login/nobody", json!({"password": "wrong"})),
        ("auth/userpass/login/ann", json!({"password": "wrong"})),
        ("auth/approle/login", json!({"role_id": "made up", "secret_id": "made up"})),
        ("auth/jwt/login", json!({"role": "made up", "jwt": "a.b.c"})),
    ];
    for (path, body) in bodies {
        // Refused, locked out, or told to come back later: too many passwords wait to be checked.
        let flood = Flood::of(&target, CLIENTS, (path, &body), &bystanders(&target));
        println!("logins: {path}: {flood}");
        flood.is_answered_with(&[400, 403, 429, 503]);
        for others in &flood.others {
            others.are_served(&[200]);
        }
    }
    let held = target.process.peak().saturating_sub(before);
    println!("logins: {} MiB more at most", held >> 20);
    // Each password takes 19 MiB to check, and only a few are checked at a time.
    assert!(held < 256 << 20, "{held} bytes");
    assert_eq!(root.list("auth/token/accessors").data()["keys"].as_array().unwrap().len(), 1);
    root.get("sys/mounts").is(200);
}

/// More wrong passwords at a time than may wait to be checked: whoever logs in with a password is told to come back, at
/// worst each time while it lasts; tokens and other logins are served, and passwords are again once it is over.
#[test]
fn logins_during_a_flood_of_wrong_passwords() {
    let target = Target::start();
    let root = &target.root;
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/bob", json!({"password": "far shore"})).ok();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    root.post("auth/approle/role/app", json!({"role_id": "app"})).ok();
    let secret_id = root.post("auth/approle/role/app/secret-id", json!({})).data()["secret_id"].take();
    let client = target.process.anonymous();
    let log_in = || client.post("auth/userpass/login/bob", json!({"password": "far shore"})).status;
    let with_secret_id = || client.post("auth/approle/login", json!({"role_id": "app", "secret_id": secret_id})).status;
    let mut others = bystanders(&target);
    others.push(("a login with a secret id", Box::new(with_secret_id)));
    others.push(("a login with a password", Box::new(log_in)));
    // Who is locked out has no password checked: each of these is of somebody else.
    let wrong = ("auth/userpass/login/nobody-*", &json!({"password": "wrong"}));
    let before = target.process.resident();
    for clients in [CLIENTS, 8 * CLIENTS] {
        let flood = Flood::of(&target, clients, wrong, &others);
        println!("logins_during_a_flood_of_wrong_passwords: {clients} clients: {flood}");
        flood.is_answered_with(&[400, 429]);
        let (with_password, served) = flood.others.split_last().unwrap();
        for others in served {
            others.are_served(&[200]);
        }
        with_password.are_served(if clients == CLIENTS { &[200] } else { &[200, 429] });
    }
    assert_eq!(log_in(), 200, "it is over");
    let held = target.process.peak().saturating_sub(before);
    println!("logins_during_a_flood_of_wrong_passwords: {} MiB more at most", held >> 20);
    // Each password takes 19 MiB to check, and only a few are checked at a time.
    assert!(held < 256 << 20, "{held} bytes");
}

#[test]
fn unsealing() {
    let target = Target::start();
    target.root.post("sys/seal", json!({})).ok();
    let before = target.process.resident();
    let wrong = "ab".repeat(32);
    let bodies = [
        json!({"key": "no share"}),
        json!({ "key": wrong }),
        json!({"key": "00", "reset": false}),
        json!({"reset": true}),
        json!({}),
    ];
    for body in bodies {
        let client = target.process.anonymous();
        let health: [(_, Ask<'_>); 1] = [("sys/health", Box::new(|| client.get("sys/health").status))];
        let flood = Flood::of(&target, CLIENTS, ("sys/unseal", &body), &health);
        println!("unsealing: {flood}");
        flood.is_answered_with(&[200, 400]);
        flood.others[0].are_served(&[503]);
        assert_eq!(target.process.anonymous().get("sys/seal-status").ok().json()["sealed"], true);
    }
    let held = target.process.peak().saturating_sub(before);
    println!("unsealing: {} MiB more at most", held >> 20);
    assert!(held < 64 << 20, "{held} bytes");
    // Whoever has the share unseals all the same.
    target.process.anonymous().post("sys/unseal", json!({"reset": true})).ok();
    target.process.unseal(&target.share);
    target.root.get("sys/mounts").is(200);
}

#[test]
fn rekeying() {
    let target = Target::start();
    let before = target.process.resident();
    // These endpoints are open here, as they are with older clients.
    for (path, body) in [
        ("sys/rekey/init", json!({"secret_shares": 5, "secret_threshold": 3})),
        ("sys/rekey/update", json!({"key": "ab".repeat(32), "nonce": "made up"})),
        ("sys/generate-root/attempt", json!({})),
        ("sys/generate-root/update", json!({"key": "ab".repeat(32), "nonce": "made up"})),
    ] {
        let flood = Flood::of(&target, CLIENTS, (path, &body), &bystanders(&target));
        println!("rekeying: {path}: {flood}");
        flood.is_answered_with(&[200, 400]);
        for others in &flood.others {
            others.are_served(&[200]);
        }
    }
    let held = target.process.peak().saturating_sub(before);
    println!("rekeying: {} MiB more at most", held >> 20);
    assert!(held < 64 << 20, "{held} bytes");
    // An operator with a token cancels what others began, and the shares are what they were.
    target.root.delete("sys/rekey/init").is(204);
    target.root.delete("sys/generate-root/attempt").is(204);
    target.root.post("sys/seal", json!({})).ok();
    target.process.unseal(&target.share);
}
