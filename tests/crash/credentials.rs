//! Credentials of a real database, made, renewed and revoked as operations that may be interrupted.

use std::time::Duration;

use serde_json::json;

use super::operations::{Operation, State, lease};
use crate::api::database::{CREATE, configure, users};
use crate::support::postgres::Postgres;
use crate::support::{TestVault, eventually};

/// Hands each of these operations to `interrupt`. No user of the database is left without a lease after any of them.
pub(super) fn each(server: &Postgres, interrupt: &mut dyn FnMut(&Operation<'_>)) {
    let prepare = |vault: &TestVault| configure(&vault.root(), server, CREATE);
    let ended = |vault: &TestVault| {
        // What was intended and never happened is undone after a while; no user is there without an owner meanwhile.
        // In this order: a revocation that goes on meanwhile ends the user first, and then the lease.
        let leases = vault.lease_count();
        assert!(users(server) <= leases, "a user without a lease");
        vault.advance(Duration::from_mins(6));
        eventually("users and leases are the same", || (users(server) == vault.lease_count()).then_some(()));
        vault.root().post("sys/leases/revoke-prefix/database/creds", json!({"sync": true}));
        eventually("all leases are gone", || (vault.lease_count() == 0).then_some(()));
        eventually("all users are gone", || (users(server) == 0).then_some(()));
    };
    let counts = |vault: &TestVault| (vault.lease_count(), users(server));
    let make = Operation {
        name: "creds",
        manual_clock: true,
        prepare: &prepare,
        act: &|vault| vault.root().get("database/creds/app"),
        found: &|vault, answer| match (counts(vault), answer.json()["data"]["username"].as_str()) {
            ((1, 1), Some(name)) if server.query("select rolname from pg_roles where rolname like 'v-%'") == name => {
                State::After
            }
            ((0, 0), _) => State::Before,
            _ => State::Between,
        },
        check: &ended,
    };
    let end = Operation {
        name: "creds-revoke",
        prepare: &|vault| {
            prepare(vault);
            vault.root().get("database/creds/app").ok();
        },
        act: &|vault| vault.root().post("sys/leases/revoke-prefix/database/creds", json!({"sync": true})),
        found: &|vault, _| match counts(vault) {
            (1, 1) => State::Before,
            (0, 0) => State::After,
            _ => State::Between,
        },
        ..make
    };
    let renew = Operation {
        name: "creds-renew",
        act: &|vault| vault.root().post("sys/leases/renew", json!({"lease_id": lease(vault), "increment": 1800})),
        found: &|vault, _| {
            let standing = lease(vault).map(|id| vault.root().post("sys/leases/lookup", json!({ "lease_id": id })));
            match standing.and_then(|answer| answer.data()["ttl"].as_u64()) {
                // Some seconds go by until the server is there again.
                Some(601..=1800) => State::After,
                Some(1..=600) => State::Before,
                _ => State::Between,
            }
        },
        ..end
    };
    for operation in [&make, &end, &renew] {
        interrupt(operation);
    }
}
