//! Every route of every engine and of the core, against every kind of caller that must not get through. A new endpoint
//! is in here by being registered; one that is public has to be listed below, and the list is there to stay short.

use std::collections::BTreeSet;
use std::time::Duration;

use arca::api::Operation;
use arca::engine::RouteInfo;
use arca::policy::Access;
use serde_json::json;

use crate::openapi::routes;
use crate::support::{Client, Setup, TestVault};

/// What answers without a token: what is needed before there can be one, and nothing that tells a secret.
const PUBLIC: &[&str] = &[
    "auth/<approle>/login write",
    "auth/<cert>/login write",
    "auth/<jwt>/login write",
    "auth/<jwt>/oidc/auth_url write",
    "auth/<jwt>/oidc/callback read",
    "auth/<jwt>/oidc/callback write",
    "auth/<jwt>/oidc/poll write",
    "auth/<oidc>/login write",
    "auth/<oidc>/oidc/auth_url write",
    "auth/<oidc>/oidc/callback read",
    "auth/<oidc>/oidc/callback write",
    "auth/<oidc>/oidc/poll write",
    "auth/<userpass>/login/{username:lower} write",
    "identity/oidc/.well-known/keys read",
    "identity/oidc/.well-known/openid-configuration read",
    "sys/decode-token write",
    "sys/generate-root/attempt delete",
    "sys/generate-root/attempt read",
    "sys/generate-root/attempt write",
    "sys/generate-root/update write",
    "sys/health read",
    "sys/init read",
    "sys/init write",
    "sys/internal/specs/openapi read",
    "sys/internal/specs/openapi write",
    "sys/internal/ui/mounts read",
    "sys/internal/ui/mounts/{path..} read",
    "sys/leader read",
    "sys/rekey/init delete",
    "sys/rekey/init read",
    "sys/rekey/init write",
    "sys/rekey/update write",
    "sys/rekey/verify delete",
    "sys/rekey/verify read",
    "sys/rekey/verify write",
    "sys/seal-status read",
    "sys/unseal write",
    "sys/wrapping/lookup read",
    "sys/wrapping/lookup write",
];

/// What answers to any token: it says nothing but what the token may see anyway.
const ANY_TOKEN: &[&str] = &["sys/internal/ui/namespaces read"];

/// What says in its own words that a token is no good: the one that opens wrappings, as clients know it.
const REFUSED_OTHERWISE: &[(&str, u16)] = &[("sys/wrapping/unwrap write", 400)];

/// What may be asked for without a token only where the configuration says so; otherwise it is as if it were not there.
const OFF: [&str; 2] = ["sys/rekey/", "sys/generate-root/"];

/// Reads that say something else to the right caller too, with something made up in the place of a parameter.
const UNREADABLE: [&str; 2] = ["sys/internal/ui/mounts/{path..} read", "sys/plugins/catalog/{type} list"];

#[test]
fn what_is_off_is_off() {
    let vault = TestVault::new();
    for (mount, info) in routes() {
        if info.route.access == Access::Public && OFF.iter().any(|prefix| named(&mount, &info).starts_with(prefix)) {
            ask(&vault.anonymous(), &mount, &info).refuses(405, "unsupported operation");
            ask(&vault.root(), &mount, &info).refuses(405, "unsupported operation");
        }
    }
}

#[test]
fn a_public_endpoint_that_looks_at_tokens_takes_good_ones_only() {
    let vault = Setup { manual_clock: true, ..Setup::default() }.start();
    let expired = vault.with_token(json!({"policies": ["default"], "ttl": "1s"}));
    expired.get("sys/internal/ui/mounts").is(200);
    vault.advance(Duration::from_secs(2));
    for path in ["sys/internal/ui/mounts", "sys/internal/ui/mounts/cubbyhole", "sys/internal/specs/openapi"] {
        let nobody = vault.anonymous().get(path);
        let late = expired.get(path);
        let same = (nobody.status, &nobody.json()["data"]) == (late.status, &late.json()["data"]);
        assert!(late.status == 403 || same, "{path}: {} {}", late.status, late.text);
    }
}

#[test]
fn what_is_public_is_listed_here() {
    for (list, access) in [(PUBLIC, Access::Public), (ANY_TOKEN, Access::AnyToken)] {
        let is: BTreeSet<String> = routes()
            .iter()
            .filter(|(_, info)| info.route.access == access)
            .map(|(mount, info)| named(mount, info))
            .collect();
        let listed: BTreeSet<String> = list.iter().map(|line| (*line).to_owned()).collect();
        let new: Vec<_> = is.difference(&listed).collect();
        assert!(new.is_empty(), "open to more than before: {new:#?}");
        let gone: Vec<_> = listed.difference(&is).collect();
        assert!(gone.is_empty(), "no longer open; take it off the list: {gone:#?}");
    }
}

#[test]
fn nobody_gets_through_who_should_not() {
    let vault = Setup { manual_clock: true, ..Setup::default() }.start();
    mount_everything(&vault);
    let none = vault.with_token(json!({"policies": ["nothing"], "no_default_policy": true}));
    let expired = vault.with_token(json!({"policies": ["root-like"], "no_default_policy": true, "ttl": "1s"}));
    vault.root().post("sys/policies/acl/root-like", json!({"policy": ALL})).ok();
    expired.get("sys/mounts").is(200);
    vault.advance(Duration::from_secs(2));
    let revoked = vault.with_token(json!({"policies": ["root-like"], "no_default_policy": true}));
    revoked.post("auth/token/revoke-self", json!({})).ok();
    let without_sudo = vault.with_token(json!({"policies": ["root-like"], "no_default_policy": true}));
    let mut through = Vec::new();
    let mut checked = 0;
    for (mount, info) in routes() {
        let mut callers = vec![
            ("nobody", vault.anonymous()),
            ("an expired token", expired.clone()),
            ("a revoked token", revoked.clone()),
        ];
        match info.route.access {
            Access::Public => continue,
            Access::AnyToken => {}
            Access::Policy => callers.push(("a token without a policy", none.clone())),
            Access::Sudo => {
                callers.push(("a token without a policy", none.clone()));
                callers.push(("a token without sudo", without_sudo.clone()));
            }
        }
        for (who, client) in callers {
            let answer = ask(&client, &mount, &info);
            checked += 1;
            let otherwise = REFUSED_OTHERWISE.iter().find(|(route, _)| *route == named(&mount, &info));
            if answer.status != 403 && otherwise.is_none_or(|(_, status)| *status != answer.status) {
                through.push(format!("{who}: {} gives {} {}", named(&mount, &info), answer.status, answer.text.trim()));
            }
        }
    }
    assert!(through.is_empty(), "{through:#?}");
    assert!(checked > 300, "only {checked} were tried");
}

#[test]
fn a_policy_for_one_mount_says_nothing_about_another() {
    let vault = TestVault::new();
    mount_everything(&vault);
    for (mount, info) in routes().into_iter().filter(|(mount, _)| mount.starts_with('<')) {
        let policy = format!(
            "path \"other-{}*\" {{ capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"patch\", \"scan\", \"sudo\"] }}",
            place(&mount)
        );
        vault.root().post("sys/policies/acl/other", json!({ "policy": policy })).ok();
        let client = vault.with_token(json!({"policies": ["other"], "no_default_policy": true}));
        ask(&client, &mount, &info).is(403);
    }
}

#[test]
fn the_right_caller_does_get_through() {
    let vault = TestVault::new();
    mount_everything(&vault);
    let mut refused = Vec::new();
    for (mount, info) in routes() {
        // Reading is enough to see that the tests above fail for want of a right, and not of a route.
        let name = named(&mount, &info);
        if OFF.iter().any(|prefix| name.starts_with(prefix)) || UNREADABLE.contains(&name.as_str()) {
            continue;
        }
        if matches!(info.route.operation, Operation::Read | Operation::List | Operation::Scan) {
            let answer = ask(&vault.root(), &mount, &info);
            if matches!(answer.status, 403 | 405 | 503) || answer.text.contains("unsupported path") {
                refused.push(format!("{}: {} {}", named(&mount, &info), answer.status, answer.text.trim()));
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

const ALL: &str =
    "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"patch\", \"scan\"] }";

fn named(mount: &str, info: &RouteInfo) -> String {
    format!("{mount}{} {}", info.route.pattern, info.route.operation.as_str())
}

/// Where a mount of the list is mounted here.
pub(crate) fn place(mount: &str) -> String {
    mount.replace(['<', '>'], "")
}

pub(crate) fn mount_everything(vault: &TestVault) {
    let mounts: BTreeSet<String> =
        routes().into_iter().map(|(mount, _)| mount).filter(|mount| mount.contains('<')).collect();
    for mount in mounts {
        let path = place(&mount);
        let (api, kind) = match path.strip_prefix("auth/") {
            Some(kind) => ("sys/auth", kind.trim_end_matches('/')),
            None => ("sys/mounts", path.trim_end_matches('/')),
        };
        vault.root().post(&format!("{api}/{kind}"), json!({ "type": kind })).ok();
    }
}

/// Sends the operation to its path, with something in the place of each parameter.
fn ask(client: &Client, mount: &str, info: &RouteInfo) -> crate::support::Answer {
    let mut path = place(mount);
    for (index, part) in info.route.pattern.split('/').enumerate() {
        if index > 0 {
            path.push('/');
        }
        path.push_str(if part.starts_with('{') { "something" } else { part });
    }
    let (method, body) = match info.route.operation {
        Operation::Read | Operation::Help => ("GET", None),
        Operation::Write => ("POST", Some(&b"{}"[..])),
        Operation::Patch => ("PATCH", Some(&b"{}"[..])),
        Operation::Delete => ("DELETE", None),
        Operation::List => ("LIST", None),
        Operation::Scan => ("SCAN", None),
    };
    client.send(method, path.trim_end_matches('/'), body)
}
