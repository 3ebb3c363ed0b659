//! What the process gives up before it starts to serve: rights that it does not need, and that whoever takes it over
//! should not have. All of it is done while there is one thread, which the others inherit it from, and none of it can be
//! taken back.

mod files;
mod memory;
mod syscalls;

use std::path::Path;

use crate::api::{Confinement, Held};
use crate::config::Config;

use files::Reach;

/// Gives up what serving by `config` does not need, and says what of it is in force. What the kernel, or the rights of the
/// user, do not allow is left out and said: a server that does not start would not be safer. `also` may be written to
/// besides.
pub(super) fn enter(config: &Config, also: Option<&Path>) -> Confinement {
    let dumps_kept_out = told("core dumps and debuggers could not be kept out", memory::keep_to_itself());
    let memory_locked = if config.disable_mlock {
        Held::Off
    } else {
        told("memory could not be locked, and may be swapped out: raise the limit on locked memory", memory::lock())
    };
    let landlock = if config.sandbox.disable_landlock {
        Held::Off
    } else {
        told("the server could not be confined to its files", Reach::of(config, also).enforce())
    };
    let seccomp = if config.sandbox.disable_seccomp {
        Held::Off
    } else {
        told("the server could not be confined to the system calls that it needs", syscalls::enforce())
    };
    tracing::info!(
        dumps_kept_out = in_words(dumps_kept_out, ""),
        memory_locked = in_words(memory_locked, "off (disable_mlock)"),
        landlock = in_words(landlock, "off (disable_landlock)"),
        seccomp = in_words(seccomp, "off (disable_seccomp)"),
        "the process is confined"
    );
    Confinement { dumps_kept_out, memory_locked, landlock, seccomp }
}

/// How a part went; why it did not is a line of the log.
fn told<E: std::fmt::Display>(otherwise: &str, outcome: Result<Held, E>) -> Held {
    outcome.unwrap_or_else(|error| {
        tracing::warn!(%error, "{otherwise}");
        Held::Unavailable
    })
}

/// The same for the log; `off` names the key that left it out.
fn in_words(held: Held, off: &'static str) -> &'static str {
    match held {
        Held::On => "yes",
        Held::Partial => "in part: a newer kernel can do more",
        Held::Off => off,
        Held::Unavailable => "no",
    }
}
