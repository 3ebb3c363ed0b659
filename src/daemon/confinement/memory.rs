//! The memory of the process stays with the process: no core dump, no debugger, no swap.

use std::io;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::api::Held;

/// Keeps core dumps from being written, and other processes of the same user from looking into the memory (prctl(2),
/// `PR_SET_DUMPABLE`; proc(5)).
pub(super) fn keep_to_itself() -> io::Result<Held> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(Held::On)
}

/// Keeps all pages, also those that are still to come, out of swap (mlockall(2)). Pages that were never used take no
/// memory by it.
pub(super) fn lock() -> io::Result<Held> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)?;
    Ok(Held::On)
}
