//! `cargo xtask demo`: what Arca is for, from nothing to a proof, on this machine.

mod audit;
mod crash;
mod operator;
mod service;
mod setup;

use crate::debian::{self, Need};
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::postgres::Postgres;
use crate::say;
use crate::workspace::{self, Profile};

use setup::Site;

/// The secret that the service is given. It must not be found in any file of the server.
const SECRET: &str = "sk-demo-9f2c41d7-not-a-real-key";
/// The client certificate with which the operator works.
const OPERATOR: &str = "operator";
/// The service's name in its certificate.
const SERVICE: &str = "billing";

/// Options of the demonstration.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave the servers running and the folder in place, and say how to go on by hand
    #[arg(long)]
    keep: bool,
    /// Build without optimisation, which is quicker
    #[arg(long)]
    debug: bool,
}

/// Runs it all; whatever fails ends it, and what was started is stopped.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    say::part("Build");
    debian::provide(&[Need::Compiler, Need::Postgres])?;
    let binaries = workspace::build(if args.debug { Profile::Debug } else { Profile::Release })?;
    let folder = Folder::new("arca-demo")?;
    let postgres = Postgres::start(&folder, "demo-superuser")?;

    let mut site = setup::start(binaries, &folder)?;
    operator::prepare(&site, &postgres)?;
    let session = service::work(&site, &postgres)?;
    crash::survive(&mut site, &postgres, &session)?;
    audit::prove(&site)?;
    nothing_in_the_clear(&site)?;

    say::part("Done: every step did what it should.");
    if args.keep {
        keep(site, postgres, folder);
    }
    Ok(())
}

/// Looks for the secret in everything that the server keeps.
fn nothing_in_the_clear(site: &Site) -> Result<(), Failure> {
    let needle = SECRET.as_bytes();
    let files = folder::contents(&site.state)?;
    if let Some((path, _)) = files.iter().find(|(_, bytes)| bytes.windows(needle.len()).any(|part| part == needle)) {
        return Err(Failure::new(
            format!("The secret stands in the clear in {}", path.display()),
            "This is a defect of the server: report it.",
        ));
    }
    say::done(&format!("the secret is in none of the server's {} files in the clear (store, audit log)", files.len()));
    Ok(())
}

fn keep(site: Site, postgres: Postgres, mut folder: Folder) {
    folder.keep();
    say::line(&format!(
        "\nStill running: arcad (process {}) and PostgreSQL (process {}, port {}). To go on by hand:\n",
        site.server.id(),
        postgres.id(),
        postgres.port
    ));
    for (name, value) in site.operator.variables() {
        say::line(&format!("export {name}='{value}'"));
    }
    say::line(&format!("PATH=\"{}:$PATH\"", site.binaries.display()));
    say::line(&format!("\nThe unseal shares are in {}.", site.shares_file.display()));
    say::line(&format!(
        "When you have seen enough:\n\nkill {} {}; rm -r {}",
        site.server.id(),
        postgres.id(),
        folder.path().display()
    ));
    site.server.keep();
    postgres.keep();
}
