//! How the servers take growth: start, memory, disk and reading with more and more of what they keep.

mod growing;

pub(super) use growing::Growing;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::say;

use super::contender::{Contender, Kind};
use super::ground::Ground;
use super::load::{Loader, Report, Run};
use super::measure::mebibytes;
use super::process::{disk_bytes, resident_bytes};
use super::site;
use super::workload::SMALL;

/// How many connections make what grows.
const CONNECTIONS: usize = 128;

/// How often a vault is started at each size; the middle one counts.
const STARTS: usize = 3;

/// The secrets that are there to be read when it is something else that grows.
const READ: u64 = 100;

/// How far the vaults grow.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    /// The sizes at which they are looked at, in ascending order.
    pub(super) steps: Vec<u64>,
    /// How many there are at most.
    pub(super) most: u64,
    /// How many there are of the peer at most; 0 if it takes no part.
    pub(super) peer_most: u64,
    /// How long each size is read, in seconds.
    pub(super) seconds: f64,
}

/// A vault of one size.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) kind: Kind,
    pub(super) growing: Growing,
    pub(super) count: u64,
    /// From the start of the process to the first answer of an unsealed vault, in milliseconds.
    pub(super) start: f64,
    /// What is in memory then, in bytes.
    pub(super) resident: u64,
    /// What is in memory after it was read for a while, in bytes.
    pub(super) resident_loaded: u64,
    /// What the store takes up beyond that of the empty vault, in bytes.
    pub(super) disk: u64,
    /// How many of them were made in a second, from the size before to this.
    pub(super) write_rate: f64,
    /// What one read of a secret costs the server, in microseconds of the processor.
    pub(super) read_cpu: f64,
}

impl Reach {
    /// The sizes at which a vault of this kind is looked at.
    pub(super) fn sizes(&self, growing: Growing, kind: Kind) -> Vec<u64> {
        let asked = if kind == Kind::Peer { self.peer_most } else { self.most };
        let most = asked.min(growing.most(kind));
        self.steps.iter().copied().filter(|step| *step <= most).collect()
    }
}

/// Grows a vault of each kind for each of what grows.
pub(super) fn run(ground: &Ground<'_>, reach: &Reach) -> Result<Vec<Size>, Failure> {
    let loader = ground.loader();
    let mut sizes = Vec::new();
    for growing in Growing::ALL {
        for kind in [Kind::Peer, Kind::Arca] {
            let steps = reach.sizes(growing, kind);
            if steps.is_empty() {
                continue;
            }
            say::part(&format!("{} with more and more {}", kind.name(), growing.name()));
            let mut vault = empty(ground, &loader, growing, kind, "growth")?;
            let unfilled = disk_bytes(&vault.store)?;
            let mut before = 0;
            for count in steps {
                let made = make(&loader, &vault, growing, before..count)?;
                before = count;
                let disk = disk_bytes(&vault.store)?.saturating_sub(unfilled);
                sizes.push(look(&loader, &mut vault, &made, reach, Size { disk, ..blank(growing, kind, count) })?);
            }
            vault.remove()?;
        }
    }
    Ok(sizes)
}

/// A vault with some secrets to read, and none yet of what grows.
pub(super) fn empty(
    ground: &Ground<'_>,
    loader: &Loader,
    growing: Growing,
    kind: Kind,
    name: &str,
) -> Result<Contender, Failure> {
    let vault = ground.vault(kind, &format!("{name}-{kind:?}-{growing:?}"))?;
    vault.operator("secrets enable -path=secret -version=2 kv")?.capture()?;
    vault.operator("policy write load -")?.input("path \"secret/*\" { capabilities = [\"read\"] }").capture()?;
    growing.prepare(&vault, ground)?;
    if growing != Growing::Secrets {
        site::fill(loader, &vault, "secret", 0..READ, SMALL)?;
    }
    Ok(vault)
}

/// Makes those with these numbers, and fails unless all are there.
pub(super) fn make(
    loader: &Loader,
    vault: &Contender,
    growing: Growing,
    numbers: std::ops::Range<u64>,
) -> Result<Report, Failure> {
    let (wanted, what) = (numbers.end - numbers.start, format!("{} of {}", growing.name(), vault.kind.name()));
    loader.complete(&load(vault, growing.work(numbers), 3600.0), wanted, &what)
}

fn load(vault: &Contender, work: Value, seconds: f64) -> Run {
    Run {
        port: vault.port,
        server: vault.id(),
        token: vault.root.clone(),
        connections: CONNECTIONS,
        seconds,
        rate: None,
        seed: 7,
        work,
    }
}

const fn blank(growing: Growing, kind: Kind, count: u64) -> Size {
    Size { kind, growing, count, start: 0.0, resident: 0, resident_loaded: 0, disk: 0, write_rate: 0.0, read_cpu: 0.0 }
}

/// Starts the vault anew, several times, and looks at it.
#[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
fn look(loader: &Loader, vault: &mut Contender, made: &Report, reach: &Reach, mut size: Size) -> Result<Size, Failure> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        starts.push(vault.restart(loader)?);
    }
    starts.sort();
    size.start = starts.get(STARTS / 2).map_or(f64::NAN, |middle| middle.as_secs_f64() * 1000.0);
    size.resident = resident_bytes(vault.id())?;
    let keys = if size.growing == Growing::Secrets { size.count } else { READ };
    let read = json!({"kind": "read", "path": "/v1/secret/data", "keys": keys});
    let reads = loader.run(&load(vault, read, reach.seconds))?;
    size.read_cpu = reads.server_cpu()? / reads.good.max(1) as f64 * 1e6;
    size.resident_loaded = resident_bytes(vault.id())?;
    size.write_rate = made.good as f64 / made.seconds;
    say::done(&format!(
        "{:>9}: unsealed after {:.0} ms, {:.1} MiB, {:.1} MiB after reads of {:.1} µs, {:.0} B on the disk each, {:.0} made/s",
        size.count,
        size.start,
        mebibytes(size.resident),
        mebibytes(size.resident_loaded),
        size.read_cpu,
        size.disk_each(),
        size.write_rate,
    ));
    Ok(size)
}

impl Size {
    /// What one takes up on the disk, in bytes.
    #[expect(clippy::cast_precision_loss, reason = "shown without digits behind the point")]
    pub(super) fn disk_each(&self) -> f64 {
        self.disk as f64 / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_grows_beyond_what_was_asked_for_nor_beyond_all_proportion() {
        let steps = vec![1_000, 10_000, 100_000, 1_000_000];
        let reach = Reach { steps, most: 1_000_000, peer_most: 10_000, seconds: 1.0 };
        assert_eq!(reach.sizes(Growing::Leases, Kind::Arca).last(), Some(&1_000_000));
        assert_eq!(reach.sizes(Growing::Tokens, Kind::Arca).last(), Some(&100_000));
        assert_eq!(reach.sizes(Growing::Leases, Kind::Peer), [1_000, 10_000]);
        assert_eq!(reach.sizes(Growing::Mounts, Kind::Peer), [1_000]);
        assert!(Reach { peer_most: 0, ..reach }.sizes(Growing::Secrets, Kind::Peer).is_empty());
    }
}
