//! Real clients of this API against a release build over mTLS: the suites of `tests/clients`.

use std::path::{Path, PathBuf};

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::node;
use crate::port;
use crate::postgres::{ADMIN, Postgres};
use crate::program::Program;
use crate::python::Python;
use crate::say;
use crate::server::{Launch, Server, quoted};
use crate::workspace::{self, Profile};

/// The superuser's password; it goes into a URL as it is.
const PASSWORD: &str = "clients";

/// What makes up a suite.
struct Suite {
    name: &'static str,
    /// Runs it.
    program: Program,
}

/// Runs every suite, each against a new server that it initialises itself; the first that fails ends it.
pub(crate) fn run() -> Result<(), Failure> {
    let binaries = workspace::build(Profile::Release)?;
    let home = workspace::root().join("tests/clients");
    let python = Python::provide("clients", &home.join("requirements.txt"))?;
    let folder = Folder::new("arca-clients")?;
    let postgres = Postgres::start(&folder, PASSWORD)?;
    for Suite { name, program } in suites(&home, &python)? {
        let own = folder.private(name)?;
        let certificates = Certificates::make(&binaries.arca, own.join("tls"), ["operator", "other"])?;
        let (_server, port) = start(&binaries.arcad, &own, &certificates)?;
        let client = certificates.client("operator");
        let ended = program
            .env("ARCA_ADDR", format!("https://127.0.0.1:{port}"))
            .env("ARCA_CACERT", certificates.authority())
            .env("ARCA_CLIENT_CERT", client.certificate)
            .env("ARCA_CLIENT_KEY", client.key)
            .env("ARCA_TEST_POSTGRES", format!("postgresql://{ADMIN}:{PASSWORD}@127.0.0.1:{}/postgres", postgres.port))
            .env("BAO", python.program("bao"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .end()?;
        say::done(&format!("{name}: {}", summary(&ended.out)));
        if ended.code != 0 {
            say::line(&format!("{}{}", ended.out, ended.err));
            return Err(Failure::new(format!("{name} failed"), "What differs from the client's expectation is above."));
        }
    }
    Ok(())
}

/// The suites, with all that they need built and installed.
fn suites(home: &Path, python: &Python) -> Result<Vec<Suite>, Failure> {
    let script = |name: &'static str| {
        let program = Program::new(python.program("python")).arg(home.join(name));
        Suite { name, program }
    };
    let node = node::provide("clients", &home.join("node"))?;
    let node = Program::new("node").words("--test --test-reporter=spec suite.mjs").folder(&node);
    Ok(vec![
        script("bao.py"),
        script("hvac_suite.py"),
        Suite { name: "node-vault", program: node },
        Suite { name: "vaultrs", program: Program::new(vaultrs(home)?) },
    ])
}

/// Builds the suite of the client vaultrs, whose packages are no part of this workspace.
fn vaultrs(home: &Path) -> Result<PathBuf, Failure> {
    let target = workspace::target();
    Program::new("cargo")
        .words("build --locked --quiet")
        .folder(&home.join("vaultrs"))
        .env("CARGO_TARGET_DIR", &target)
        .advise("The client's packages come from crates.io.")
        .show()?;
    Ok(target.join("debug/arca-vaultrs-suite"))
}

/// The lines that count what passed: the last one, or those of Node's test runner.
fn summary(out: &str) -> String {
    let counts = out.lines().filter_map(|line| line.strip_prefix("ℹ "));
    let counts: Vec<&str> =
        counts.filter(|line| ["pass", "fail", "skipped"].iter().any(|word| line.starts_with(word))).collect();
    if counts.is_empty() { out.lines().last().unwrap_or("it wrote nothing").to_owned() } else { counts.join(", ") }
}

/// A new server with its store on disk that demands client certificates.
fn start(arcad: &Path, folder: &Path, certificates: &Certificates) -> Result<(Server, u16), Failure> {
    let (port, server) = (port::free()?, certificates.server());
    let text = format!(
        "storage \"redb\" {{\n  path = {}\n}}\n\
         api_addr = \"https://127.0.0.1:{port}\"\n\
         audit \"file\" \"main\" {{\n  options {{\n    file_path = {}\n  }}\n}}\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {}\n  tls_key_file = {}\n  \
         tls_client_ca_file = {}\n  disable_unauthed_rekey_endpoints = false\n  \
         disable_unauthed_generate_root_endpoints = false\n}}\n",
        quoted(&folder.join("store")),
        quoted(&folder.join("audit.log")),
        quoted(&server.certificate),
        quoted(&server.key),
        quoted(&certificates.authority()),
    );
    let launch =
        Launch { arcad: arcad.to_owned(), config: folder.join("arca.hcl"), log: folder.join("arcad.log"), port };
    folder::write(&launch.config, text)?;
    launch.check()?;
    Ok((launch.start()?, port))
}
