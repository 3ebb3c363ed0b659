//! What the process gives up before it starts to serve: rights that it does not need, and that whoever takes it over
//! should not have. All of it is done while there is one thread, which the others inherit it from, and none of it can be
//! taken back.

mod files;
mod memory;
mod syscalls;

use std::path::Path;

use crate::config::Config;

use files::Reach;

/// Gives up what serving by `config` does not need. What the kernel, or the rights of the user, do not allow is left
/// out and said: a server that does not start would not be safer. `also` may be written to besides.
pub(super) fn enter(config: &Config, also: Option<&Path>) {
    let dumps = told("core dumps and debuggers could not be kept out", memory::keep_to_itself());
    let locked = if config.disable_mlock {
        "off (disable_mlock)"
    } else {
        told("memory could not be locked, and may be swapped out: raise the limit on locked memory", memory::lock())
    };
    let landlock = if config.sandbox.disable_landlock {
        "off (disable_landlock)"
    } else {
        told("the server could not be confined to its files", Reach::of(config, also).enforce())
    };
    let seccomp = if config.sandbox.disable_seccomp {
        "off (disable_seccomp)"
    } else {
        told("the server could not be confined to the system calls that it needs", syscalls::enforce())
    };
    tracing::info!(dumps_kept_out = dumps, memory_locked = locked, landlock, seccomp, "the process is confined");
}

/// How a part went, for the log; why it did not is a line of its own.
fn told<E: std::fmt::Display>(otherwise: &str, outcome: Result<&'static str, E>) -> &'static str {
    outcome.unwrap_or_else(|error| {
        tracing::warn!(%error, "{otherwise}");
        "no"
    })
}
