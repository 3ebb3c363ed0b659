//! A release build against requests made up from its own OpenAPI document: whatever is sent, the server does not fail.
//!
//! Schemathesis makes the requests, as many for each run and the same ones each time. What would end the run is left out:
//! sealing, stepping down, revoking the token in use, and rate limits.

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::person::{self, Person, text_at};
use crate::port;
use crate::program::Program;
use crate::python::Python;
use crate::say;
use crate::server::{Launch, quoted};
use crate::workspace::{self, Profile};

/// Requests for each operation beside those that cover the schema's bounds.
const EXAMPLES: &str = "4";
/// From what the requests are made up.
const SEED: &str = "1";
/// How long it may take, in seconds.
const MOST_SECONDS: &str = "240";
/// Paths that are left out.
const LEFT_OUT: &str = "^/sys/(seal|step-down|quotas/.*)$|/revoke-self$";
/// What is mounted, so that its endpoints are in the document.
const MOUNTS: [&str; 6] = [
    "secrets enable -path=kv kv",
    "secrets enable -path=kv2 kv-v2",
    "secrets enable database",
    "auth enable userpass",
    "auth enable approle",
    "auth enable cert",
];

/// Runs it; an answer of the 500s that is none of the protocol's (501 to 503) is a failure.
pub(crate) fn run() -> Result<(), Failure> {
    let binaries = workspace::build(Profile::Release)?;
    let requirements = workspace::root().join("tests/clients/schemathesis.txt");
    let python = Python::provide("schemathesis", &requirements)?;
    let folder = Folder::new("arca-schema")?;
    let certificates = Certificates::make(&binaries.arca, folder.private("tls")?, ["operator", "other"])?;
    let launch = launch(&binaries.arcad, &folder, &certificates)?;
    let _server = launch.start()?;
    let address = format!("https://127.0.0.1:{}", launch.port);
    let operator = Person::new(binaries.arca, folder.private("home")?, address.clone(), &certificates, "operator");
    let made = person::json(operator.arca("operator init -key-shares=1 -key-threshold=1"))?;
    operator.arca("operator unseal -").input(text_at(&made, "/unseal_keys_b64/0")?).capture()?;
    let token = text_at(&made, "/root_token")?;
    let root = |words: &str| operator.arca(words).env("ARCA_TOKEN", &token);
    for words in MOUNTS {
        root(words).capture()?;
    }
    let file = folder.path().join("openapi.json");
    folder::write(&file, root("read -format=raw sys/internal/specs/openapi").capture()?)?;
    let client = certificates.client("operator");
    let ended = Program::new(python.program("schemathesis"))
        .arg("run")
        .arg(&file)
        .arg("--url")
        .arg(format!("{address}/v1"))
        .arg("--tls-verify")
        .arg(certificates.authority())
        .arg("--request-cert")
        .arg(client.certificate)
        .arg("--request-cert-key")
        .arg(client.key)
        .arg("-H")
        .arg(format!("X-Vault-Token: {token}"))
        .args(["--exclude-path-regex", LEFT_OUT, "--max-examples", EXAMPLES, "--seed", SEED])
        .args(["--max-time", MOST_SECONDS, "--checks", "not_a_server_error", "--phases", "coverage,fuzzing"])
        .words("--generation-database none --continue-on-failure --no-color --workers 1 --warnings off")
        .folder(folder.path())
        .end()?;
    if ended.code != 0 {
        say::line(&format!("{}{}", ended.out, ended.err));
        return Err(Failure::new("the server failed", "What was sent is above; the server's log says the rest."));
    }
    // It is there, and unsealed.
    operator.arca("status").capture()?;
    let count = ended.out.lines().map(str::trim).find(|line| line.contains(" generated, "));
    say::done(count.unwrap_or("schemathesis counted nothing"));
    Ok(())
}

fn launch(arcad: &std::path::Path, folder: &Folder, certificates: &Certificates) -> Result<Launch, Failure> {
    let (port, server) = (port::free()?, certificates.server());
    let text = format!(
        "storage \"redb\" {{\n  path = {}\n}}\n\
         api_addr = \"https://127.0.0.1:{port}\"\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {}\n  tls_key_file = {}\n  \
         tls_client_ca_file = {}\n}}\n",
        quoted(&folder.path().join("store")),
        quoted(&server.certificate),
        quoted(&server.key),
        quoted(&certificates.authority()),
    );
    let config = folder.path().join("arca.hcl");
    folder::write(&config, text)?;
    let launch = Launch { arcad: arcad.to_owned(), config, log: folder.path().join("arcad.log"), port };
    launch.check()?;
    Ok(launch)
}
