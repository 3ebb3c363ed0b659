//! The servers side by side, with the same mounts, policies and secrets.

use std::path::PathBuf;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::person::{self, text_at};
use crate::postgres::{ADMIN, Postgres};
use crate::python::Python;
use crate::say;
use crate::workspace::{self, Binaries};

use super::build;
use super::contender::{Contender, Kind};
use super::load::{Loader, Report, Run};
use super::process::Usage;
use super::workload::SMALL;

/// The superuser's password; it goes into a URL as it is.
const PASSWORD: &str = "bench";

/// What a service may do.
const POLICY: &str = "path \"secret/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"large/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"cas/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"database/creds/*\" { capabilities = [\"read\"] }\n";

/// All servers, and what makes the load.
pub(super) struct Site {
    pub(super) contenders: Vec<Contender>,
    pub(super) loader: Loader,
    postgres: Option<Postgres>,
}

/// The programs, and the certificates that everyone uses.
pub(super) struct Ground {
    pub(super) binaries: Binaries,
    pub(super) load: PathBuf,
    pub(super) certificates: Certificates,
}

impl Ground {
    pub(super) fn lay(folder: &Folder, name: &str) -> Result<Self, Failure> {
        let (binaries, load) = build()?;
        let certificates = Certificates::make(&binaries.arca, folder.private(name)?, ["operator", "load"])?;
        Ok(Self { binaries, load, certificates })
    }

    /// The load program.
    pub(super) fn loader(&self) -> Loader {
        Loader::new(self.load.clone(), &self.certificates, "load")
    }

    /// A vault of this kind in a folder of its own.
    pub(super) fn vault(&self, kind: Kind, folder: &Folder, name: &str) -> Result<Contender, Failure> {
        let own = folder.private(name)?;
        let program = match kind {
            Kind::Peer => peer()?,
            Kind::Arca | Kind::Unaudited | Kind::Floor => self.binaries.arcad.clone(),
        };
        Contender::vault(kind, &program, &self.binaries.arca, &own, &self.certificates)
    }
}

impl Site {
    /// Starts them all, and writes `keys` secrets into each.
    pub(super) fn start(folder: &Folder, keys: u64, alone: bool) -> Result<Self, Failure> {
        say::part("Servers");
        let ground = Ground::lay(folder, "tls")?;
        let loader = ground.loader();
        let postgres = Postgres::start(folder, PASSWORD)?;
        let mut contenders = Vec::new();
        let kinds = [Kind::Peer, Kind::Arca, Kind::Unaudited];
        for kind in kinds.into_iter().filter(|kind| *kind != Kind::Peer || !alone) {
            let mut vault = ground.vault(kind, folder, &format!("{kind:?}"))?;
            say::done(&format!("{} listens on 127.0.0.1:{}", kind.name(), vault.port));
            prepare(&mut vault, &ground.certificates)?;
            connect_database(&vault, &postgres)?;
            contenders.push(vault);
        }
        let mut site = Self { contenders, loader, postgres: Some(postgres) };
        for vault in &site.contenders {
            for (mount, keys, bytes) in [("secret", keys, SMALL), ("large", keys.min(1000), 4096)] {
                fill(&site.loader, vault, mount, 0..keys, bytes)?;
            }
            say::done(&format!("{} has {keys} secrets", vault.kind.name()));
        }
        let answer = folder.path().join("answer.json");
        folder::write(&answer, site.answer()?)?;
        let own = folder.private("floor")?;
        site.contenders.push(Contender::floor(&ground.load, &own, &ground.certificates, keys, &answer)?);
        Ok(site)
    }

    /// Whether there is a database to make users in.
    pub(super) fn database(&self) -> bool {
        self.postgres.is_some()
    }

    /// What each server has in memory before there was any load but the writing of the secrets.
    pub(super) fn idle_memory(&self) -> Result<Vec<(Kind, u64)>, Failure> {
        self.contenders.iter().map(|one| Ok((one.kind, Usage::of(one.id())?.resident_bytes))).collect()
    }

    /// What Arca answers to a read, for the floor to answer the same.
    fn answer(&self) -> Result<String, Failure> {
        let arca = self.contenders.iter().find(|one| one.kind == Kind::Arca);
        let arca = arca.ok_or_else(|| Failure::answer("Arca is not among the servers"))?;
        arca.operator("read -format=json secret/data/k0")?.capture()
    }
}

/// Mounts, a policy, a role for the load's certificate, and a token.
fn prepare(vault: &mut Contender, certificates: &Certificates) -> Result<(), Failure> {
    for mount in ["secret", "large", "cas"] {
        vault.operator(&format!("secrets enable -path={mount} -version=2 kv"))?.capture()?;
        vault.operator(&format!("write {mount}/config max_versions=2"))?.capture()?;
    }
    vault.operator("policy write load -")?.input(POLICY).capture()?;
    vault.operator("auth enable cert")?.capture()?;
    let authority = format!("certificate=@{}", certificates.authority().display());
    vault
        .operator("write auth/cert/certs/load allowed_common_names=load token_policies=load token_type=batch")?
        .arg(authority)
        .capture()?;
    let made = person::json(vault.operator("token create -policy=load -ttl=24h")?)?;
    vault.service = text_at(&made, "/auth/client_token")?;
    Ok(())
}

fn connect_database(vault: &Contender, postgres: &Postgres) -> Result<(), Failure> {
    vault.operator("secrets enable database")?.capture()?;
    let url = format!("postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres", postgres.port);
    vault
        .operator("write database/config/bench plugin_name=postgresql-database-plugin allowed_roles=load")?
        .arg(format!("connection_url={url}?sslmode=disable"))
        .arg(format!("username={ADMIN}"))
        .arg(format!("password={PASSWORD}"))
        .capture()?;
    let creation = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
    vault
        .operator("write database/roles/load db_name=bench default_ttl=1h")?
        .arg(format!("creation_statements={creation}"))
        .capture()?;
    Ok(())
}

/// Writes secrets into a mount, and fails unless all are there.
pub(super) fn fill(
    loader: &Loader,
    vault: &Contender,
    mount: &str,
    keys: std::ops::Range<u64>,
    bytes: usize,
) -> Result<Report, Failure> {
    let wanted = keys.end - keys.start;
    let work = serde_json::json!({
        "kind": "fill", "path": format!("/v1/{mount}/data"), "from": keys.start, "to": keys.end, "bytes": bytes,
    });
    let run = Run {
        port: vault.port,
        token: vault.root.clone(),
        connections: 64,
        seconds: 3600.0,
        rate: None,
        seed: keys.start,
        work,
    };
    let report = loader.run(&run)?;
    if report.good == wanted {
        return Ok(report);
    }
    Err(Failure::answer(format!("{} took {} of {wanted} secrets: {report:?}", vault.kind.name(), report.good)))
}

/// The peer's program, out of the packages that the clients' suites use.
fn peer() -> Result<PathBuf, Failure> {
    let requirements = workspace::root().join("tests/clients/requirements.txt");
    Ok(Python::provide("clients", &requirements)?.program("bao"))
}
