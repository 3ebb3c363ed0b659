//! Real clients of this API against a release build over mTLS: the suites of `tests/clients`.

use std::path::Path;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::port;
use crate::postgres::{ADMIN, Postgres};
use crate::program::Program;
use crate::python::Python;
use crate::say;
use crate::server::{Launch, Server, quoted};
use crate::workspace::{self, Profile};

/// The suites, each run against a new server that it initialises itself.
const SUITES: [&str; 2] = ["bao.py", "hvac_suite.py"];

/// The superuser's password; it goes into a URL as it is.
const PASSWORD: &str = "clients";

/// Runs every suite; the first that fails ends it.
pub(crate) fn run() -> Result<(), Failure> {
    let binaries = workspace::build(Profile::Release)?;
    let suites = workspace::root().join("tests/clients");
    let python = Python::provide("clients", &suites.join("requirements.txt"))?;
    let folder = Folder::new("arca-clients")?;
    let postgres = Postgres::start(&folder, PASSWORD)?;
    for suite in SUITES {
        let own = folder.private(suite)?;
        let certificates = Certificates::make(&binaries.arca, own.join("tls"), ["operator", "other"])?;
        let (_server, port) = start(&binaries.arcad, &own, &certificates)?;
        let client = certificates.client("operator");
        let ended = Program::new(python.program("python"))
            .arg(suites.join(suite))
            .env("ARCA_ADDR", format!("https://127.0.0.1:{port}"))
            .env("ARCA_CACERT", certificates.authority())
            .env("ARCA_CLIENT_CERT", client.certificate)
            .env("ARCA_CLIENT_KEY", client.key)
            .env("ARCA_TEST_POSTGRES", format!("postgresql://{ADMIN}:{PASSWORD}@127.0.0.1:{}/postgres", postgres.port))
            .env("BAO", python.program("bao"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .end()?;
        say::done(&format!("{suite}: {}", ended.out.lines().last().unwrap_or("it wrote nothing")));
        if ended.code != 0 {
            say::line(&format!("{}{}", ended.out, ended.err));
            return Err(Failure::new(
                format!("{suite} failed"),
                "What differs from the client's expectation is above.",
            ));
        }
    }
    Ok(())
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
