//! Floods of requests without a token: logins, unsealing, rekeying.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Served, Target, scale};
use crate::support::Client;

/// Lets eight clients send `body` to `path` for a while, and asks for something else meanwhile; the statuses that were not
/// expected, how many requests were answered, and what others saw.
fn flood(target: &Target, path: &str, body: &Value, expected: &[u16]) -> (Vec<u16>, usize, Served) {
    let time = Duration::from_millis(1500) * u32::try_from(scale()).unwrap();
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut served, client) = (Served::default(), target.process.anonymous());
    client.get("sys/health");
    let unexpected = thread::scope(|scope| {
        let senders: Vec<_> = (0..8)
            .map(|_| {
                let client: Client = target.process.anonymous();
                let (over, answered) = (&over, &answered);
                scope.spawn(move || {
                    let mut unexpected = Vec::new();
                    while !over.load(Ordering::SeqCst) {
                        let status = client.post(path, body.clone()).status;
                        answered.fetch_add(1, Ordering::SeqCst);
                        if !expected.contains(&status) {
                            unexpected.push(status);
                        }
                    }
                    unexpected
                })
            })
            .collect();
        let start = Instant::now();
        while start.elapsed() < time {
            let asked = Instant::now();
            assert!(matches!(client.get("sys/health").status, 200 | 503));
            served.slowest = served.slowest.max(asked.elapsed());
            served.count += 1;
            thread::park_timeout(Duration::from_millis(20));
        }
        over.store(true, Ordering::SeqCst);
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    (unexpected, answered.into_inner(), served)
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
        let (unexpected, answered, served) = flood(&target, path, &body, &[400, 403, 429, 503]);
        println!("logins: {path}: {answered} refused, {served:?}");
        assert!(unexpected.is_empty(), "{path}: {unexpected:?}");
        assert!(served.count >= 5 && served.slowest < Duration::from_secs(5), "{path}: {served:?}");
    }
    let held = target.process.peak().saturating_sub(before);
    println!("logins: {} MiB more at most", held >> 20);
    // Each password takes 19 MiB to check, and only a few are checked at a time.
    assert!(held < 256 << 20, "{held} bytes");
    assert_eq!(root.list("auth/token/accessors").data()["keys"].as_array().unwrap().len(), 1);
    root.get("sys/mounts").is(200);
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
        let (unexpected, answered, served) = flood(&target, "sys/unseal", &body, &[200, 400]);
        println!("unsealing: {answered} answered, {served:?}");
        assert!(unexpected.is_empty(), "{unexpected:?}");
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
        let (unexpected, answered, served) = flood(&target, path, &body, &[200, 400]);
        println!("rekeying: {path}: {answered} answered, {served:?}");
        assert!(unexpected.is_empty(), "{path}: {unexpected:?}");
        assert!(served.count >= 5 && served.slowest < Duration::from_secs(5), "{path}: {served:?}");
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
