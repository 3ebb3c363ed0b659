//! `arca tls bootstrap -out=DIR [-host=NAME]… [-client=NAME]…`

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arca::api::Ttl;
use arca::authority::{Authority, Pair};
use arca::entropy::SystemEntropy;
use arca::time::{Clock, SystemClock};

use crate::error::{Error, Result, os_message};
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Makes a certificate authority, a server certificate and client certificates, and prints what to do with them.
///
/// Whoever has ca-key.pem can make certificates that the server takes: move it off the machine.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder for the files; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A name or an address of the server, besides localhost, 127.0.0.1 and ::1; may be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// A client's name; may be repeated
    #[arg(long, value_name = "NAME", default_value = "operator")]
    client: Vec<String>,
    /// How long the server's and the clients' certificates are good
    #[arg(long, value_name = "DURATION", default_value = "8760h", value_parser = Ttl::parse)]
    ttl: Ttl,
    /// Write over files that are there
    #[arg(long, alias = "f")]
    force: bool,
}

impl Args {
    /// Makes the files.
    pub(crate) fn run(self, output: &mut Output) -> Result<()> {
        for name in self.host.iter().chain(&self.client) {
            check_name(name)?;
        }
        let names = self.names();
        let files: Vec<PathBuf> = names.iter().flat_map(|name| [self.certificate(name), self.key(name)]).collect();
        if let Some(file) = files.iter().find(|file| !self.force && file.symlink_metadata().is_ok()) {
            return Err(Error::local(format!("The file {} is there already; nothing was written.", file.display()))
                .advise("Give another -out, or -force to replace all certificates."));
        }
        fs::create_dir_all(&self.out).map_err(|error| failed(&self.out, &error))?;
        let pairs = self.pairs()?;
        for (name, pair) in names.iter().zip(&pairs) {
            self.write(&self.certificate(name), pair.certificate.as_bytes(), 0o644)?;
            self.write(&self.key(name), pair.key.expose().as_bytes(), 0o600)?;
        }
        let folder = fs::canonicalize(&self.out).map_err(|error| failed(&self.out, &error))?;
        let client = names.get(2).map_or("client", String::as_str);
        let text = instructions(&folder, client).into();
        let files = files.iter().filter_map(|file| Some(folder.join(file.file_name()?).display().to_string()));
        output.show(Sheet { value: Json::map([("files", Json::texts(files))]), text }, None)
    }

    /// The names of the files without their endings: the authority, the server, the clients.
    fn names(&self) -> Vec<String> {
        let mut names = vec!["ca".to_owned(), "server".to_owned()];
        match self.client.as_slice() {
            [_] => names.push("client".to_owned()),
            many => names.extend(many.iter().map(|name| format!("client-{name}"))),
        }
        names
    }

    /// In the same order.
    fn pairs(&self) -> Result<Vec<Pair>> {
        let entropy = SystemEntropy::new();
        let authority = Authority::new(SystemClock.now(), &entropy).map_err(|error| refused(&error))?;
        let lasts: Duration = self.ttl.duration();
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        for host in &self.host {
            if !hosts.contains(host) {
                hosts.push(host.clone());
            }
        }
        let server = authority.server(hosts, lasts).map_err(|error| refused(&error))?;
        let clients = self
            .client
            .iter()
            .map(|name| authority.client(name, lasts))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refused(&error))?;
        let mut pairs = vec![authority.own, server];
        pairs.extend(clients);
        Ok(pairs)
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.out.join(format!("{name}.pem"))
    }

    fn key(&self, name: &str) -> PathBuf {
        self.out.join(format!("{name}-key.pem"))
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).mode(mode);
        if self.force {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        let written = options.open(path).and_then(|mut file| {
            // A file that was there keeps its mode otherwise.
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.write_all(bytes)?;
            file.sync_all()
        });
        written.map_err(|error| failed(path, &error))
    }
}

/// Names become file names and certificate names: what could mean anything else in either is refused.
fn check_name(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-:*@".contains(c);
    if !name.is_empty() && name.len() <= 253 && !name.starts_with(['.', '-']) && name.chars().all(good) {
        return Ok(());
    }
    Err(Error::local("A -host or -client name has a character that it cannot have.")
        .advise("Use letters, digits, dots, dashes and colons."))
}

fn refused(error: &arca::error::Error) -> Error {
    Error::local(format!("Error making a certificate: {error}.")).advise("Check the names and -ttl.")
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::local(format!("Error writing {}: {}", path.display(), os_message(error)))
        .advise("Check the path and who may write there.")
}

fn instructions(folder: &Path, client: &str) -> String {
    let folder = folder.display();
    format!(
        "The certificates are in {folder}.\n\
         Move ca-key.pem off this machine: whoever has it can make certificates that the server takes.\n\n\
         For the server's configuration file:\n\n\
         listener \"tcp\" {{\n  \
           address            = \"127.0.0.1:8200\"\n  \
           tls_cert_file      = \"{folder}/server.pem\"\n  \
           tls_key_file       = \"{folder}/server-key.pem\"\n  \
           tls_client_ca_file = \"{folder}/ca.pem\"\n\
         }}\n\n\
         For the operator's shell:\n\n\
         export ARCA_ADDR='https://127.0.0.1:8200'\n\
         export ARCA_CACERT='{folder}/ca.pem'\n\
         export ARCA_CLIENT_CERT='{folder}/{client}.pem'\n\
         export ARCA_CLIENT_KEY='{folder}/{client}-key.pem'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        for bad in ["", "a/b", "../x", ".hidden", "-x", "a b", "a\nb", "é"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["operator", "vault.example.com", "fe80::1", "*.example.com", "a@b"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
    }
}
