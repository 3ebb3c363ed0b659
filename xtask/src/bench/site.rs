//! The servers side by side, with the same mounts, policies and secrets.

use std::ops::Range;

use serde_json::json;

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder;
use crate::person::{self, text_at};
use crate::postgres::{ADMIN, Postgres};
use crate::say;

use super::contender::{Contender, Kind};
use super::ground::{Ground, PASSWORD};
use super::load::{Loader, Report, Run};
use super::process::resident_bytes;
use super::workload::SMALL;

/// What a service may do.
const POLICY: &str = "path \"secret/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"large/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"cas/*\" { capabilities = [\"create\", \"read\", \"update\", \"list\"] }\n\
                      path \"database/creds/*\" { capabilities = [\"read\"] }\n";

/// How many connections write what there is to be before anything is measured.
const FILLING: usize = 64;

/// All servers, and what makes the load.
pub(super) struct Site {
    pub(super) contenders: Vec<Contender>,
    pub(super) loader: Loader,
    /// What each server has in memory when it was just started and unsealed, with nothing in it, in bytes.
    pub(super) idle: Vec<(Kind, u64)>,
}

impl Site {
    /// Starts them all, and writes `keys` secrets into each.
    pub(super) fn start(ground: &Ground<'_>, keys: u64, alone: bool) -> Result<Self, Failure> {
        say::part("Servers");
        let loader = ground.loader();
        let (mut contenders, mut idle) = (Vec::new(), Vec::new());
        let kinds = [Kind::Peer, Kind::Arca, Kind::Unaudited];
        for kind in kinds.into_iter().filter(|kind| *kind != Kind::Peer || !alone) {
            let mut vault = ground.vault(kind, &format!("{kind:?}"))?;
            // What initialising has left in memory is gone after a start.
            vault.restart(&loader)?;
            idle.push((kind, resident_bytes(vault.id())?));
            prepare(&mut vault, &ground.certificates)?;
            let creation = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
            connect_database(&vault, &ground.postgres, &[], &[&format!("creation_statements={creation}")])?;
            for (mount, keys, bytes) in [("secret", keys, SMALL), ("large", keys.min(1000), 4096)] {
                fill(&loader, &vault, mount, 0..keys, bytes)?;
            }
            say::done(&format!("{} listens on 127.0.0.1:{} and has {keys} secrets", kind.name(), vault.port));
            contenders.push(vault);
        }
        let mut site = Self { contenders, loader, idle };
        let answer = ground.folder.path().join("answer.json");
        folder::write(&answer, site.answer()?)?;
        site.contenders.push(ground.floor(keys, &answer)?);
        Ok(site)
    }

    /// Ends all servers, and removes what they have written: the audit logs alone are gigabytes.
    pub(super) fn remove(self) -> Result<(), Failure> {
        self.contenders.into_iter().try_for_each(Contender::remove)
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

/// Mounts the database engine, the connection with these options, and the role `load` of these statements.
pub(super) fn connect_database(
    vault: &Contender,
    postgres: &Postgres,
    options: &[&str],
    statements: &[&str],
) -> Result<(), Failure> {
    vault.operator("secrets enable database")?.capture()?;
    let url = format!("postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres", postgres.port);
    vault
        .operator("write database/config/bench plugin_name=postgresql-database-plugin allowed_roles=load")?
        .arg(format!("connection_url={url}?sslmode=disable"))
        .arg(format!("username={ADMIN}"))
        .arg(format!("password={PASSWORD}"))
        .args(options)
        .capture()?;
    vault
        .operator("write database/roles/load db_name=bench default_ttl=12h max_ttl=24h")?
        .args(statements)
        .capture()?;
    Ok(())
}

/// Writes secrets into a mount, and fails unless all are there.
pub(super) fn fill(
    loader: &Loader,
    vault: &Contender,
    mount: &str,
    keys: Range<u64>,
    bytes: usize,
) -> Result<Report, Failure> {
    let wanted = keys.end - keys.start;
    let path = format!("/v1/{mount}/data");
    let work = json!({"kind": "fill", "path": path, "from": keys.start, "to": keys.end, "bytes": bytes});
    let run = Run {
        port: vault.port,
        server: vault.id(),
        token: vault.root.clone(),
        connections: FILLING,
        seconds: 3600.0,
        rate: None,
        seed: keys.start,
        work,
    };
    loader.complete(&run, wanted, &format!("secrets of {}", vault.kind.name()))
}
