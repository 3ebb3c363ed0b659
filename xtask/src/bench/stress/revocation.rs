//! Revoking many leases by their prefix.

use serde_json::json;

use crate::bench::contender::Kind;
use crate::bench::ground::Ground;
use crate::bench::growth::{self, Growing};
use crate::bench::load::Run;
use crate::failure::Failure;
use crate::say;

/// All leases of the role.
const PREFIX: &str = "database/creds/load";

/// What revoking them came to.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Revoked {
    pub(in crate::bench) kind: Kind,
    /// How many leases there were.
    pub(in crate::bench) count: u64,
    /// Until the answer that all are revoked, in seconds.
    pub(in crate::bench) seconds: f64,
    /// What the server used of the processor for one, in microseconds.
    pub(in crate::bench) cpu_each: f64,
}

impl Revoked {
    /// Leases revoked in a second.
    #[expect(clippy::cast_precision_loss, reason = "there are not so many leases")]
    pub(in crate::bench) fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// Makes `counts` leases in vaults of these kinds, and revokes all at once.
pub(in crate::bench) fn run(ground: &Ground<'_>, counts: &[(Kind, u64)]) -> Result<Vec<Revoked>, Failure> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(kind, count)| once(ground, *kind, *count)).collect()
}

fn once(ground: &Ground<'_>, kind: Kind, count: u64) -> Result<Revoked, Failure> {
    say::part(&format!("{} revokes {count} leases", kind.name()));
    let loader = ground.loader();
    let vault = growth::empty(ground, &loader, Growing::Leases, kind, "revocation")?;
    growth::make(&loader, &vault, Growing::Leases, 0..count)?;
    // The answer comes when all is done, not when it has been written down.
    let revoke = json!({
        "kind": "each", "method": "PUT", "path": format!("/v1/sys/leases/revoke-prefix/{PREFIX}"),
        "body": {"sync": true}, "from": 0, "to": 1,
    });
    let report = loader.run(&Run {
        port: vault.port,
        server: vault.id(),
        token: vault.root.clone(),
        connections: 1,
        seconds: 3600.0,
        rate: None,
        seed: 0,
        work: revoke,
    })?;
    let left = vault.operator(&format!("list sys/leases/lookup/{PREFIX}"))?.end()?;
    if report.good != 1 || left.code == 0 {
        return Err(Failure::answer(format!("{} did not revoke all of {count} leases: {report:?}", kind.name())));
    }
    #[expect(clippy::cast_precision_loss, reason = "there are not so many leases")]
    let cpu_each = report.server_cpu()? / count as f64 * 1e6;
    let revoked = Revoked { kind, count, seconds: report.seconds, cpu_each };
    say::done(&format!("{:.2} s, {:.0} a second, {cpu_each:.0} µs CPU each", revoked.seconds, revoked.rate()));
    vault.remove()?;
    Ok(revoked)
}
