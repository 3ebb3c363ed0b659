//! This checkout: where it is, and the programs that it builds.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::program::Program;

/// How programs are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Optimised, as they are installed.
    Release,
    /// Quickly.
    Debug,
}

/// The programs.
#[derive(Debug)]
pub(crate) struct Binaries {
    /// The server.
    pub(crate) arcad: PathBuf,
    /// The command line.
    pub(crate) arca: PathBuf,
}

/// Builds programs quickly: those of the whole workspace, of what the tests were built of. A choice of packages would ask for
/// other features of what they share, and so would their dependencies without those of tests. It is the word `--examples`
/// that brings the latter in; there are no examples to be built.
const WHOLE: &str = "build --locked --workspace --bins --examples";

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo, at the root of the checkout. It sees nothing of the cargo that runs this: build scripts would take its variables
/// for a change, and be run again, with all that depends on them, each time it is called from here and from elsewhere.
pub(crate) fn cargo(words: &str) -> Program {
    let inherited = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let inherited = inherited.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
    inherited.fold(Program::new("cargo"), |program, name| program.env_remove(&name)).words(words).folder(root())
}

/// Builds the load of `cargo xtask bench`, showing the progress.
pub(crate) fn build_load(profile: Profile) -> Result<PathBuf, Failure> {
    let (words, folder) = match profile {
        Profile::Release => ("build --locked --release --package xtask-load", "release"),
        Profile::Debug => (WHOLE, "debug"),
    };
    cargo(words).advise("The load is a program of this workspace, in xtask/load.").show()?;
    Ok(target().join(folder).join("arca-load"))
}

/// Builds the programs, showing the progress.
pub(crate) fn build(profile: Profile) -> Result<Binaries, Failure> {
    let (words, folder) = match profile {
        Profile::Release => ("build --locked --release --package arca --package arca-cli", "release"),
        Profile::Debug => (WHOLE, "debug"),
    };
    let advice = "Arca needs Rust 1.95 or later and a C compiler. With Debian: apt-get install build-essential; \
                  rustup update stable.";
    cargo(words).advise(advice).show()?;
    let built = target().join(folder);
    Ok(Binaries { arcad: built.join("arcad"), arca: built.join("arca") })
}
