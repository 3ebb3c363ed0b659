//! Which mount a path belongs to.

use std::collections::BTreeMap;

use arca::api::Ttl;
use arca::barrier::Scope;
use arca::engine::Role;
use arca::metrics::Metrics;
use arca::mount::{Backend, MountConfig, MountEntry, MountState, MountTable, MountTune};
use arca::time::{Clock, SystemClock};

use super::{Failure, Operation, runtime, unlocked};

/// Finds the mount of a path among so many.
pub(super) fn route(name: &'static str, mounts: usize) -> Result<Operation, Failure> {
    let barrier = unlocked(&runtime()?)?;
    let tune = MountTune { default_ttl: Ttl::from_seconds(2_764_800), max_ttl: Ttl::from_seconds(2_764_800) };
    let table = MountTable::new(barrier.view(Scope::new("root", "mounts")), "root", tune);
    let metrics = Metrics::new(SystemClock.now());
    for number in 0..mounts {
        let entry = entry(number);
        let meter = metrics.mounts.meter("", &entry.path, &entry.kind);
        table.install(entry, Backend::System, meter);
    }
    let path = format!("team{}/secret/data/database/password", mounts / 2);
    let work = Box::new(move || {
        let (point, rest) = table.route(&path).ok_or("the path belongs to no mount")?;
        Ok(point.entry.path.len() + rest.len())
    });
    Ok(Operation { name, work })
}

fn entry(number: usize) -> MountEntry {
    MountEntry {
        uuid: format!("id-{number}"),
        accessor: format!("kv_{number}"),
        path: format!("team{number}/secret/"),
        role: Role::Secret,
        kind: "kv".to_owned(),
        description: String::new(),
        options: BTreeMap::new(),
        config: MountConfig::default(),
        local: false,
        seal_wrap: false,
        state: MountState::Active,
    }
}
