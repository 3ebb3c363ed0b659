//! The tests against a real identity provider: `oidc-provider`, for node, as `tests/idp/package-lock.json` names it.

use std::fs;

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::workspace::{self, cargo};

/// Installs the provider into the target folder, and runs the tests that want it.
pub(crate) fn run() -> Result<(), Failure> {
    let (source, place) = (workspace::root().join("tests/idp"), workspace::target().join("idp"));
    fs::create_dir_all(&place).map_err(|error| Failure::file(&place, &error))?;
    for name in ["package.json", "package-lock.json"] {
        folder::write(&place.join(name), folder::read(&source.join(name))?)?;
    }
    Program::new("npm")
        .words("ci --ignore-scripts --no-audit --no-fund --loglevel=error")
        .folder(&place)
        .advise("npm takes the provider from its registry: check the network, and `npm config get registry`.")
        .show()?;
    cargo("test --locked --package arca --test integration oidc_provider -- --ignored")
        .env("ARCA_TEST_OIDC_PROVIDER", place.join("node_modules"))
        .advise("The tests that failed are named above.")
        .show()
}
