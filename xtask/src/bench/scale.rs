//! How the servers take growth: start, memory, disk and reading with more and more of what they keep.

use std::time::Instant;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::folder::Folder;
use crate::say;

use super::contender::{Contender, Kind};
use super::load::{Loader, Report, Run};
use super::measure::mebibytes;
use super::process::{Usage, disk_bytes};
use super::site::{self, Ground};
use super::workload::SMALL;

/// What grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growing {
    /// Secrets of a KV store.
    Secrets,
    /// Tokens, each with its lease.
    Leases,
    /// Policies.
    Policies,
}

/// A vault of one size.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) kind: Kind,
    pub(super) growing: Growing,
    pub(super) count: u64,
    /// From the start of the process to the first answer of an unsealed vault, in seconds.
    pub(super) start: f64,
    /// What is in memory then, in bytes.
    pub(super) resident: u64,
    /// What the store takes up, in bytes.
    pub(super) disk: u64,
    /// How many of them are written in a second, at this size.
    pub(super) write_rate: f64,
    /// What one read of a secret costs the server, in microseconds of the processor.
    pub(super) read_cpu: f64,
    /// How long it took to revoke all by their prefix, in seconds.
    pub(super) revoked: Option<f64>,
}

impl Growing {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Secrets, Self::Leases, Self::Policies];

    /// The word for them in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Leases => "leases",
            Self::Policies => "policies",
        }
    }

    /// What makes those from one number to another, as `xtask/load/src/plan.rs` has it.
    fn work(self, from: u64, to: u64) -> Value {
        match self {
            Self::Secrets => json!({"kind": "fill", "path": "/v1/secret/data", "from": from, "to": to, "bytes": SMALL}),
            Self::Leases => json!({
                "kind": "each", "method": "POST", "path": "/v1/auth/token/create", "from": from, "to": to,
                "body": {"ttl": "720h", "policies": ["load"], "no_parent": true},
            }),
            Self::Policies => json!({
                "kind": "each", "method": "POST", "path": "/v1/sys/policies/acl/p#", "from": from, "to": to,
                "body": {"policy": "path \"secret/data/team#/*\" { capabilities = [\"read\"] }"},
            }),
        }
    }
}

/// Grows a vault of each kind for each of what grows, up to `scale`, and the peer's up to `peer_scale`.
pub(super) fn run(folder: &Folder, scale: u64, peer_scale: u64) -> Result<Vec<Size>, Failure> {
    let ground = Ground::lay(folder, "tls-scale")?;
    let loader = ground.loader();
    let mut sizes = Vec::new();
    for growing in Growing::ALL {
        for (kind, most) in [(Kind::Peer, peer_scale), (Kind::Arca, scale)] {
            if most > 0 {
                say::part(&format!("{} with more and more {}", kind.name(), growing.name()));
                let mut vault = ground.vault(kind, folder, &format!("{kind:?}-{growing:?}"))?;
                sizes.extend(grow(&loader, &mut vault, growing, most)?);
            }
        }
    }
    Ok(sizes)
}

fn grow(loader: &Loader, vault: &mut Contender, growing: Growing, most: u64) -> Result<Vec<Size>, Failure> {
    vault.operator("secrets enable -path=secret -version=2 kv")?.capture()?;
    vault.operator("policy write load -")?.input("path \"secret/*\" { capabilities = [\"read\"] }").capture()?;
    site::fill(loader, vault, "secret", 0..100, SMALL)?;
    let empty = disk_bytes(&vault.store)?;
    let mut sizes = Vec::new();
    let mut count = 100;
    for next in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|next| *next <= most) {
        let report = make(loader, vault, growing, count, next)?;
        count = next;
        let disk = disk_bytes(&vault.store)?.saturating_sub(empty);
        let size = measured(loader, vault, growing, count, &report)?;
        sizes.push(Size { disk, ..size });
    }
    if growing == Growing::Leases {
        let begin = Instant::now();
        let revoke = vault.operator("lease revoke -prefix auth/token/create")?;
        revoke.env("ARCA_CLIENT_TIMEOUT", "3600").capture()?;
        if let Some(last) = sizes.last_mut() {
            last.revoked = Some(begin.elapsed().as_secs_f64());
        }
    }
    Ok(sizes)
}

fn make(loader: &Loader, vault: &Contender, growing: Growing, from: u64, to: u64) -> Result<Report, Failure> {
    let report = load(loader, vault, growing.work(from, to), 3600.0)?;
    let wanted = to - from;
    if report.good == wanted {
        return Ok(report);
    }
    Err(Failure::answer(format!(
        "{} took {} of {wanted} {}: {report:?}",
        vault.kind.name(),
        report.good,
        growing.name()
    )))
}

fn load(loader: &Loader, vault: &Contender, work: Value, seconds: f64) -> Result<Report, Failure> {
    let token = vault.root.clone();
    loader.run(&Run { port: vault.port, token, connections: 64, seconds, rate: None, seed: 7, work })
}

/// Starts the vault anew and looks at it.
#[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
fn measured(
    loader: &Loader,
    vault: &mut Contender,
    growing: Growing,
    count: u64,
    made: &Report,
) -> Result<Size, Failure> {
    vault.stop();
    let begin = Instant::now();
    vault.start()?;
    vault.unseal()?;
    let start = begin.elapsed().as_secs_f64();
    let before = Usage::of(vault.id())?;
    let keys = if growing == Growing::Secrets { count } else { 100 };
    let reads = load(loader, vault, json!({"kind": "read", "path": "/v1/secret/data", "keys": keys}), 2.0)?;
    let after = Usage::of(vault.id())?;
    let read_cpu = (after.cpu_seconds - before.cpu_seconds) / reads.good.max(1) as f64 * 1e6;
    let write_rate = made.good as f64 / made.seconds;
    say::done(&format!(
        "{count:>9}: unsealed after {start:.2} s, {:.1} MiB, {write_rate:.0} written/s, {read_cpu:.1} µs CPU a read",
        mebibytes(before.resident_bytes),
    ));
    let (kind, resident) = (vault.kind, before.resident_bytes);
    Ok(Size { kind, growing, count, start, resident, disk: 0, write_rate, read_cpu, revoked: None })
}
