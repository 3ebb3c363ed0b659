//! The servers under test, set up as the suite's README asks.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::person::{self, Person, text_at};
use crate::port;
use crate::server::{Launch, Server, quoted};
use crate::workspace::Binaries;

/// The server that most scenarios share.
pub(super) struct Site {
    pub(super) address: String,
    pub(super) authority: PathBuf,
    pub(super) token: String,
    pub(super) arcad: PathBuf,
    _server: Server,
}

impl Site {
    /// Starts it, initialised and unsealed.
    pub(super) fn start(binaries: Binaries, folder: &Folder) -> Result<Self, Failure> {
        let certificates = Certificates::make(&binaries.arca, folder.private("tls")?, ["operator", "other"])?;
        let port = port::free()?;
        let config = folder.path().join("arca.hcl");
        folder::write(&config, shared(port, &certificates))?;
        let launch = Launch { arcad: binaries.arcad, config, log: folder.path().join("arcad.log"), port };
        launch.check()?;
        let server = launch.start()?;
        let address = format!("https://127.0.0.1:{port}");
        let operator = Person::new(binaries.arca, folder.private("home")?, address.clone(), &certificates, "operator");
        let made = person::json(operator.arca("operator init -key-shares=1 -key-threshold=1"))?;
        let share = text_at(&made, "/unseal_keys_b64/0")?;
        operator.arca("operator unseal -").input(share).capture()?;
        let token = text_at(&made, "/root_token")?;
        Ok(Self { address, authority: certificates.authority(), token, arcad: launch.arcad, _server: server })
    }
}

/// Runs a new server over plain HTTP in place of this process, on `$CONF_PORT` and with all its data below `$CONF_DIR`:
/// the scenarios about initialisation start, stop and kill it.
pub(crate) fn fresh(arcad: &Path) -> Result<(), Failure> {
    let variable = |name: &str| {
        std::env::var_os(name).ok_or_else(|| Failure::new(format!("{name} is not set"), "The suite sets it."))
    };
    let (port, folder) = (variable("CONF_PORT")?, PathBuf::from(variable("CONF_DIR")?));
    let config = folder.join("arca.hcl");
    folder::write(&config, alone(&port.to_string_lossy(), &folder.join("store")))?;
    let error = Command::new(arcad).arg(format!("--config={}", config.display())).exec();
    Err(Failure::new(format!("{} cannot be run: {error}", arcad.display()), "Build it: cargo build --release."))
}

fn shared(port: u16, certificates: &Certificates) -> String {
    let server = certificates.server();
    format!(
        "storage \"inmem\" {{}}\n\
         api_addr = \"https://127.0.0.1:{port}\"\n\
         unsafe_allow_api_audit_creation = true\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {}\n  tls_key_file = {}\n  \
         tls_require_and_verify_client_cert = false\n}}\n\
         telemetry {{\n  prometheus_retention_time = \"1h\"\n  disable_hostname = true\n}}\n",
        quoted(&server.certificate),
        quoted(&server.key),
    )
}

fn alone(port: &str, store: &Path) -> String {
    format!(
        "storage \"redb\" {{\n  path = {}\n}}\n\
         api_addr = \"http://127.0.0.1:{port}\"\n\
         unsafe_allow_api_audit_creation = true\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_disable = true\n  \
         disable_unauthed_rekey_endpoints = false\n  disable_unauthed_generate_root_endpoints = false\n}}\n\
         telemetry {{\n  prometheus_retention_time = \"1h\"\n  disable_hostname = true\n}}\n",
        quoted(store),
    )
}
