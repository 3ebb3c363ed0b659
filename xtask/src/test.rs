//! `cargo xtask test`: everything that must hold before a change is taken.

use std::time::Instant;

use clap::ValueEnum;

use crate::bench;
use crate::clients;
use crate::conformance;
use crate::debian::{self, Need};
use crate::dockerfile;
use crate::elf;
use crate::failure::Failure;
use crate::fuzzing;
use crate::metrics;
use crate::program::{Program, find};
use crate::provider;
use crate::say;
use crate::schema;
use crate::supply;
use crate::unit;
use crate::workspace::cargo;

/// Options of the tests.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only this part, after the set-up; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Leave this part out; may be repeated
    #[arg(long, value_enum)]
    skip: Vec<Part>,
}

/// What is checked, in this order: the quick before the slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The code is formatted
    Format,
    /// Clippy has nothing to say
    Lints,
    /// The tests of the workspace, and every benchmark once
    Tests,
    /// The documentation builds
    Docs,
    /// Licences, sources and banned crates of what is depended upon
    Supply,
    /// The unit file leaves the server little to lose
    Unit,
    /// hadolint has nothing to say of the Dockerfile, and it builds what `cargo xtask image` tries
    Dockerfile,
    /// People log in at a real identity provider
    Provider,
    /// A real Prometheus reads the server, and knows all that the dashboard and the alerts ask for
    Metrics,
    /// The decoders meet arbitrary input
    Fuzz,
    /// A release build answers as recorded
    Conformance,
    /// The programs of a release build are hardened
    Hardening,
    /// A release build serves real clients
    Clients,
    /// A release build survives requests made up from its OpenAPI document
    Schema,
    /// The measurement beside the peer works; its figures mean nothing
    Bench,
}

/// Installs what is missing, then runs every check; the first that fails ends it.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    timed("Set-up", set_up)?;
    for part in Part::value_variants() {
        if args.skip.contains(part) || !(args.only.is_empty() || args.only.contains(part)) {
            say::part(&format!("{}: left out", part.title()));
        } else {
            timed(part.title(), part.work())?;
        }
    }
    say::part(&format!("Everything that was run passed, in {} seconds.", start.elapsed().as_secs()));
    Ok(())
}

impl Part {
    fn title(self) -> &'static str {
        match self {
            Self::Format => "Format",
            Self::Lints => "Lints",
            Self::Tests => "Tests",
            Self::Docs => "Documentation",
            Self::Supply => "Licences and sources",
            Self::Unit => "Unit file",
            Self::Dockerfile => "Dockerfile",
            Self::Provider => "Identity provider",
            Self::Metrics => "Metrics",
            Self::Fuzz => "Decoders against arbitrary input",
            Self::Conformance => "Conformance",
            Self::Hardening => "Hardened programs",
            Self::Clients => "Real clients",
            Self::Schema => "Requests made up from the OpenAPI document",
            Self::Bench => "Measurement beside the peer",
        }
    }

    fn work(self) -> fn() -> Result<(), Failure> {
        match self {
            Self::Format => format,
            Self::Lints => lint,
            Self::Tests => tests,
            Self::Docs => document,
            Self::Supply => supply::run,
            Self::Unit => unit::run,
            Self::Dockerfile => dockerfile::check,
            Self::Provider => provider::run,
            Self::Metrics => metrics::run,
            Self::Fuzz => fuzzing::run,
            Self::Conformance => conformance::run,
            Self::Hardening => elf::run,
            Self::Clients => clients::run,
            Self::Schema => schema::run,
            Self::Bench => bench::quick,
        }
    }
}

fn timed(name: &str, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    say::part(name);
    let start = Instant::now();
    work()?;
    say::done(&format!("{} seconds", start.elapsed().as_secs()));
    Ok(())
}

fn set_up() -> Result<(), Failure> {
    let needs = [
        Need::Compiler,
        Need::CompilerPlus,
        Need::Postgres,
        Need::Rsyslog,
        Need::Python,
        Need::Openssl,
        Need::Node,
        Need::Prometheus,
        Need::Curl,
        Need::Systemd,
    ];
    debian::provide(&needs)?;
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
    let test = if has_nextest() {
        // Many tests wait, for a disk or for time to pass.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        cargo("nextest run --locked --workspace").arg(format!("--test-threads={}", 2 * processors))
    } else {
        cargo("test --locked --workspace")
    };
    // The same inputs in every run, so that what fails is the change and not the dice; `cargo nextest run` throws new ones.
    let test = test.env("PROPTEST_RNG_SEED", "1");
    test.advise("The tests that failed are named above.").show()?;
    let benches = cargo("test --locked --package arca --bench operations");
    benches.advise("A benchmark in tests/benches no longer works.").show()
}

fn document() -> Result<(), Failure> {
    let advice = "Mend the links and the markup that are named above.";
    cargo("doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings").advise(advice).show()
}

fn has_nextest() -> bool {
    find("cargo-nextest").is_some() || Program::new("cargo").words("nextest --version").capture().is_ok()
}
