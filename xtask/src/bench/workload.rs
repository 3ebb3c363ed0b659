//! What is asked of the servers.

use serde_json::{Value, json};

/// How much one value of the small kind has, in bytes.
pub(super) const SMALL: usize = 300;

/// One kind of load.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) name: String,
    pub(super) connections: usize,
    /// What is asked for, as `xtask/load/src/plan.rs` has it.
    pub(super) work: Value,
    pub(super) token: Token,
    /// Whether the floor can be asked the same.
    pub(super) floor: bool,
    /// How many requests an answer counts for: a wrapping and its unwrapping are one.
    pub(super) requests_each: u32,
}

/// Whose token the requests have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A service's, with one policy.
    Service,
    /// The root token, for what only an operator may do.
    Root,
}

/// All of them.
pub(super) fn all(keys: u64) -> Vec<Workload> {
    let mut all = Vec::new();
    for connections in [1, 16, 64, 256] {
        all.push(Workload { floor: true, ..small("read 300 B", connections, read("secret/data", keys)) });
    }
    all.push(small("read 4 KiB", 64, read("large/data", keys.min(1000))));
    for connections in [1, 16, 64] {
        let work = json!({"kind": "write", "path": "/v1/secret/data", "keys": keys, "bytes": SMALL, "cas": false});
        all.push(small("write 300 B", connections, work));
    }
    let cas = json!({"kind": "write", "path": "/v1/cas/data", "keys": keys, "bytes": SMALL, "cas": true});
    all.push(small("cas write 300 B", 64, cas));
    let mixed = json!({"kind": "mixed", "path": "/v1/secret/data", "keys": keys, "bytes": SMALL});
    all.push(small("90 % read, 10 % write", 64, mixed));
    all.push(small("list all names", 4, same("LIST", "/v1/secret/metadata")));
    all.push(small("token lookup-self", 64, same("GET", "/v1/auth/token/lookup-self")));
    all.push(small("cert login (batch token)", 64, same("POST", "/v1/auth/cert/login")));
    let batch = json!({"type": "batch", "policies": ["load"], "ttl": "1h", "no_default_policy": true});
    let create = json!({"kind": "same", "method": "POST", "path": "/v1/auth/token/create", "body": batch});
    all.push(Workload { token: Token::Root, ..small("create a batch token", 64, create) });
    all.push(Workload { requests_each: 2, ..small("wrap and unwrap", 16, json!({"kind": "wrap"})) });
    all.push(small("database credentials", 8, same("GET", "/v1/database/creds/load")));
    for (name, resumed) in [("new connection, full handshake", false), ("new connection, resumed", true)] {
        let work = json!({"kind": "connect", "path": "/v1/sys/seal-status", "resumed": resumed});
        all.push(small(name, 16, work));
    }
    all
}

fn small(name: &str, connections: usize, work: Value) -> Workload {
    let name = format!("{name}, {connections}");
    Workload { name, connections, work, token: Token::Service, floor: false, requests_each: 1 }
}

fn read(mount: &str, keys: u64) -> Value {
    json!({"kind": "read", "path": format!("/v1/{mount}"), "keys": keys})
}

fn same(method: &str, path: &str) -> Value {
    json!({"kind": "same", "method": method, "path": path})
}
