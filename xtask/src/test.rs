//! `cargo xtask test`: everything that must hold before a change is taken.

use std::time::Instant;

use crate::conformance;
use crate::debian::{self, Need};
use crate::failure::Failure;
use crate::fuzzing;
use crate::program::{Program, find};
use crate::say;
use crate::workspace::cargo;

/// Options of the tests.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave out the comparison with recorded answers, which needs a release build
    #[arg(long)]
    no_conformance: bool,
}

/// Installs what is missing, then runs every check; the first that fails ends it.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    part("Set-up", set_up)?;
    part("Format", format)?;
    part("Lints", lint)?;
    part("Tests", tests)?;
    part("Documentation", document)?;
    part("Decoders against arbitrary input", fuzzing::run)?;
    if args.no_conformance {
        say::part("Conformance: skipped (--no-conformance)");
    } else {
        part("Conformance", conformance::run)?;
    }
    say::part(&format!("All checks passed, in {} seconds.", start.elapsed().as_secs()));
    Ok(())
}

fn part(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    say::part(name);
    let start = Instant::now();
    work()?;
    say::done(&format!("{} seconds", start.elapsed().as_secs()));
    Ok(())
}

fn set_up() -> Result<(), Failure> {
    debian::provide(&[Need::Compiler, Need::CompilerPlus, Need::Postgres, Need::Python, Need::Openssl])?;
    if has_nextest() {
        return Ok(());
    }
    say::done("installing cargo-nextest, this once");
    if cargo("install --locked cargo-nextest").show().is_err() {
        say::done("cargo-nextest cannot be had: `cargo test` runs the tests instead");
    }
    Ok(())
}

fn format() -> Result<(), Failure> {
    let advice = "Run `cargo fmt --all` (and the same with --manifest-path fuzz/Cargo.toml). Without the tool: \
                  rustup component add rustfmt clippy.";
    cargo("fmt --all --check").advise(advice).show()?;
    cargo("fmt --manifest-path fuzz/Cargo.toml --check").advise(advice).show()
}

fn lint() -> Result<(), Failure> {
    let advice = "Mend what is named above; where that cannot be, #[expect(lint, reason = \"…\")] says why.";
    cargo("clippy --locked --workspace --all-targets -- -D warnings").advise(advice).show()
}

fn tests() -> Result<(), Failure> {
    let words = if has_nextest() { "nextest run --locked --workspace" } else { "test --locked --workspace" };
    cargo(words).advise("The tests that failed are named above.").show()
}

fn document() -> Result<(), Failure> {
    let advice = "Mend the links and the markup that are named above.";
    cargo("doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").advise(advice).show()
}

fn has_nextest() -> bool {
    find("cargo-nextest").is_some() || Program::new("cargo").words("nextest --version").capture().is_ok()
}
