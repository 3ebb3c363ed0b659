//! `arcad --dev`: a vault in memory, initialised and unsealed, with certificates made for this run.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::api::Confinement;
use crate::authority::{Authority, Pair};
use crate::config::Config;
use crate::engine::Role;
use crate::entropy::{Entropy, SystemEntropy};
use crate::mount::MountConfig;
use crate::seal::Threshold;
use crate::secret::{ClientToken, SecretText};
use crate::time::{Clock, SystemClock};
use crate::vault::{LogControl, NewMount, Vault};

use super::args::DevOptions;
use super::signals::{self, Signals};
use super::{Failure, Running, confinement, logging, runtime};

/// How long the certificates are good.
const LASTS: Duration = Duration::from_hours(365 * 24);

/// Serves until the process is asked to stop, and removes the certificates it made in a folder of its own.
pub(super) fn serve(options: DevOptions) -> Result<(), Failure> {
    let DevOptions { root_token, address, tls_dir } = options;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let (folder, is_ours) = match tls_dir {
        Some(folder) => (folder, false),
        None => (std::env::temp_dir().join(format!("arca-dev-{}", entropy.base62(12)?)), true),
    };
    let files = Certificates::write(&folder, address.ip().to_string(), &*entropy)?;
    let file = folder.join("arca.hcl");
    fs::write(&file, files.configuration(address))?;
    let (config, _) = Config::load(&[file])?;
    let log = logging::start(&config.log)?;
    let confinement = confinement::enter(&config, folder.parent().filter(|_| is_ours));
    runtime()?.block_on(serve_unsealed((&config, confinement), &log, &files, (root_token, address)))?;
    if is_ours {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

async fn serve_unsealed(
    (config, confinement): (&Config, Confinement),
    log: &Arc<LogControl>,
    files: &Certificates,
    (root_token, address): (Option<ClientToken>, SocketAddr),
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let running = Running::start(config, confinement, log).await?;
    let root_token = unseal(running.pipeline.vault(), root_token).await?;
    let address = running.addresses.first().copied().unwrap_or(address);
    print(&format!(
        "Arca is running from memory: all of it is lost when it stops. Never use this for secrets that matter.\n\n\
         Address:             https://{address}\n\
         Root token:          {}\n\
         CA certificate:      {}\n\
         Client certificate:  {}\n\
         Client key:          {}\n\n\
         To use it from another terminal:\n\n\
         export ARCA_ADDR=https://{address}\n\
         export ARCA_TOKEN={}\n\
         export ARCA_CACERT={}\n\
         export ARCA_CLIENT_CERT={}\n\
         export ARCA_CLIENT_KEY={}\n",
        root_token.expose(),
        files.ca.display(),
        files.client.display(),
        files.client_key.display(),
        root_token.expose(),
        files.ca.display(),
        files.client.display(),
        files.client_key.display(),
    ))?;
    signals::ready();
    while signals.reload_or_stop().await == signals::Wish::Reload {
        running.reload();
        log.reset();
    }
    running.stop().await;
    Ok(())
}

/// Initialises and unseals the vault, mounts key-value secrets at `secret/`, and gives the root token.
async fn unseal(vault: &Vault, chosen: Option<ClientToken>) -> Result<ClientToken, Failure> {
    let made = vault.initialise(Threshold::new(1, 1)?, &[], None).await?;
    let share = made.keys.first().map_or("", SecretText::expose).to_owned();
    vault.give_share(&SecretText::new(share)).await?;
    let unsealed = vault.unsealed()?;
    unsealed
        .enable(NewMount {
            role: Role::Secret,
            path: "secret".to_owned(),
            kind: "kv".to_owned(),
            description: "key/value secret storage".to_owned(),
            options: [("version".to_owned(), "2".to_owned())].into(),
            config: MountConfig::default(),
            local: false,
            seal_wrap: false,
        })
        .await?;
    match chosen {
        None => Ok(made.root_token),
        Some(token) => {
            unsealed.adopt_root_token(ClientToken::new(token.expose().to_owned())).await?;
            Ok(token)
        }
    }
}

struct Certificates {
    ca: PathBuf,
    server: PathBuf,
    server_key: PathBuf,
    client: PathBuf,
    client_key: PathBuf,
}

impl Certificates {
    fn write(folder: &Path, host: String, entropy: &dyn Entropy) -> Result<Self, Failure> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let authority = Authority::new(SystemClock.now(), entropy)?;
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        if !hosts.contains(&host) {
            hosts.push(host);
        }
        let server = authority.server(hosts, LASTS)?;
        let client = authority.client("operator", LASTS)?;
        let (ca, _) = written(folder, "ca", &authority.own, false)?;
        let (server, server_key) = written(folder, "server", &server, true)?;
        let (client, client_key) = written(folder, "client", &client, true)?;
        Ok(Self { ca, server, server_key, client, client_key })
    }

    /// Clients are asked for a certificate and need not have one: what is tried out here should not stumble over it.
    fn configuration(&self, address: SocketAddr) -> String {
        format!(
            "storage \"inmem\" {{}}\n\
             listener \"tcp\" {{\n  address = \"{address}\"\n  tls_cert_file = {:?}\n  tls_key_file = {:?}\n  \
             tls_require_and_verify_client_cert = false\n}}\n\
             telemetry {{\n  prometheus_retention_time = \"24h\"\n  disable_hostname = true\n}}\n",
            self.server.display().to_string(),
            self.server_key.display().to_string(),
        )
    }
}

/// The paths of a certificate and of its key, which is written only where someone needs it.
fn written(folder: &Path, name: &str, pair: &Pair, with_key: bool) -> io::Result<(PathBuf, PathBuf)> {
    let certificate = folder.join(format!("{name}.pem"));
    let key = folder.join(format!("{name}-key.pem"));
    let write = |path: &Path, text: &str, mode: u32| {
        let file = OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
    };
    write(&certificate, &pair.certificate, 0o644)?;
    if with_key {
        write(&key, pair.key.expose(), 0o600)?;
    }
    Ok((certificate, key))
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    out.flush()
}
