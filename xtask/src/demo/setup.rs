//! Certificates, configuration, first start, initialisation, unsealing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::person::{self, Person, text_at};
use crate::port;
use crate::say;
use crate::server::{Launch, Server, quoted};
use crate::workspace::Binaries;

use super::{OPERATOR, SERVICE};

/// How many shares unseal.
const THRESHOLD: usize = 3;

/// A vault and those who use it.
pub(super) struct Site {
    pub(super) server: Server,
    pub(super) launch: Launch,
    pub(super) operator: Person,
    pub(super) service: Person,
    /// The authority of the clients' certificates.
    pub(super) authority: PathBuf,
    /// What the server keeps: its store and its audit log.
    pub(super) state: PathBuf,
    pub(super) audit_log: PathBuf,
    /// Where things that are neither are put.
    pub(super) scratch: PathBuf,
    pub(super) shares: Vec<String>,
    pub(super) shares_file: PathBuf,
    /// The folder of the programs.
    pub(super) binaries: PathBuf,
}

/// Brings a vault up.
pub(super) fn start(binaries: Binaries, folder: &Folder) -> Result<Site, Failure> {
    say::part("Certificates and configuration");
    let certificates = Certificates::make(&binaries.arca, folder.private("tls")?, [OPERATOR, SERVICE])?;
    say::done("made an authority, the server's certificate and two clients' (arca tls bootstrap)");
    let (state, scratch) = (folder.private("state")?, folder.private("scratch")?);
    let (port, audit_log) = (port::free()?, state.join("audit.log"));
    let config = folder.path().join("arca.hcl");
    folder::write(&config, configuration(port, &certificates, &state.join("store"), &audit_log))?;
    let launch = Launch { arcad: binaries.arcad, config, log: folder.path().join("arcad.log"), port };
    launch.check()?;
    say::done(&format!("wrote {}, and arcad finds it good:", launch.config.display()));
    say::detail(&folder::read_text(&launch.config)?);

    say::part("First start");
    let server = launch.start()?;
    say::done(&format!("arcad listens on 127.0.0.1:{port} (process {})", server.id()));
    let address = format!("https://127.0.0.1:{port}");
    let person = |name: &str| -> Result<Person, Failure> {
        let home = folder.private(&format!("home-{name}"))?;
        Ok(Person::new(binaries.arca.clone(), home, address.clone(), &certificates, name))
    };
    let (mut operator, service) = (person(OPERATOR)?, person(SERVICE)?);
    refuse_strangers(&operator)?;
    let shares = initialise(&mut operator)?;
    let shares_file = scratch.join("unseal-shares");
    folder::write(&shares_file, shares.join("\n"))?;
    fs::set_permissions(&shares_file, fs::Permissions::from_mode(0o600))
        .map_err(|error| Failure::file(&shares_file, &error))?;
    unseal(&operator, &shares)?;
    let binaries = binaries.arca.parent().unwrap_or(Path::new(".")).to_owned();
    let authority = certificates.authority();
    Ok(Site { server, launch, operator, service, authority, state, audit_log, scratch, shares, shares_file, binaries })
}

fn configuration(port: u16, certificates: &Certificates, store: &Path, audit_log: &Path) -> String {
    let server = certificates.server();
    format!(
        "api_addr = \"https://127.0.0.1:{port}\"\n\n\
         storage \"redb\" {{\n  path = {store}\n}}\n\n\
         listener \"tcp\" {{\n  address            = \"127.0.0.1:{port}\"\n  tls_cert_file      = {certificate}\n  \
         tls_key_file       = {key}\n  tls_client_ca_file = {authority}\n  \
         tls_require_and_verify_client_cert = true\n}}\n\n\
         audit \"file\" \"main\" {{\n  options {{\n    file_path = {audit_log}\n  }}\n}}\n",
        store = quoted(store),
        certificate = quoted(&server.certificate),
        key = quoted(&server.key),
        authority = quoted(&certificates.authority()),
        audit_log = quoted(audit_log),
    )
}

/// Shows that there is no connection without a client certificate.
fn refuse_strangers(operator: &Person) -> Result<(), Failure> {
    let ended = operator.arca_without_certificate("status").end()?;
    if ended.code != 1 {
        return Err(Failure::new(
            format!("A client without a certificate was let in (exit code {})", ended.code),
            "This is a defect of the server: report it.",
        ));
    }
    say::done("a client without a certificate is turned away before it can ask anything");
    Ok(())
}

/// Initialises the vault; the operator holds the root token from then on.
fn initialise(operator: &mut Person) -> Result<Vec<String>, Failure> {
    let made = person::json(operator.arca("operator init -key-shares=5 -key-threshold=3"))?;
    let shares: Vec<String> = made
        .pointer("/unseal_keys_b64")
        .and_then(Value::as_array)
        .map(|shares| shares.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if shares.len() != 5 {
        return Err(Failure::answer(format!("`operator init` gave {} shares and not 5", shares.len())));
    }
    operator.hold(text_at(&made, "/root_token")?);
    say::done("initialised the vault: 5 shares of its key, of which 3 open it, and a root token");
    Ok(shares)
}

/// Gives as many shares as it takes.
pub(super) fn unseal(operator: &Person, shares: &[String]) -> Result<(), Failure> {
    let sealed = operator.arca("status").end()?;
    if sealed.code != 2 {
        return Err(Failure::answer(format!("a sealed vault's `status` ended with {}: {}", sealed.code, sealed.err)));
    }
    for share in shares.iter().take(THRESHOLD) {
        operator.arca("operator unseal -").input(share.as_str()).capture()?;
    }
    operator
        .arca("status")
        .advise("The vault should be unsealed now and is not: see arcad.log in the temporary folder.")
        .capture()?;
    say::done("unsealed it with 3 of the 5 shares, which three people would hold");
    Ok(())
}
