//! `arca status`: exit code 0 if unsealed, 2 if sealed, 1 if that cannot be found out.

use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Sheet, key_value};

/// What the server's process gave up, as the table and `sys/health` call it.
const CONFINEMENT: [(&str, &str); 4] = [
    ("Dump Guard", "dumps_kept_out"),
    ("Memory Lock", "memory_locked"),
    ("Landlock", "landlock"),
    ("Seccomp", "seccomp"),
];

/// Says whether the vault is initialised and sealed. The exit code says it too: 0 unsealed, 2 sealed, 1 unknown.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let call = Call::get("sys/seal-status").anonymous().unwrapped();
        let status = client
            .call_json(call)
            .map_err(|error| if error.exit() == Exit::Remote { error.exiting(Exit::Local) } else { error })
            .map_err(|error| error.context("Error checking seal status"))?;
        let sealed = status.is_true_at("sealed");
        output.show(sheet(client, status), self.field.field.as_deref())?;
        if sealed { Err(Error::quiet(Exit::Remote)) } else { Ok(()) }
    }
}

/// The seal's state with what `sys/leader` and `sys/health` add to it, as `status` and `operator unseal` show it.
pub(super) fn sheet(client: &Client, mut status: Json) -> Sheet {
    let leader = client.call_json(Call::get("sys/leader").anonymous().unwrapped()).unwrap_or(Json::Null);
    let health = health(client);
    let rows = rows(&status, &leader, &health);
    for key in ["audit", "confinement"] {
        if let Some(value) = health.some(key) {
            status.set(key, value.copy());
        }
    }
    status.set("ha_enabled", Json::Bool(leader.is_true_at("ha_enabled")));
    if leader.is_true_at("ha_enabled") {
        for key in ["is_self", "active_time", "leader_address", "leader_cluster_address"] {
            if let Some(value) = leader.at(key) {
                status.set(key, value.copy());
            }
        }
    }
    Sheet { value: status, text: key_value(rows) }
}

/// How the audit devices stand, and what the server's process gave up; other servers than Arca do not say.
fn health(client: &Client) -> Json {
    let call = Call::get("sys/health").query("sealedcode", "200").query("uninitcode", "200");
    client.call_json(call.anonymous().unwrapped()).unwrap_or(Json::Null)
}

fn rows(status: &Json, leader: &Json, health: &Json) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: &str| rows.push((name.to_owned(), value.to_owned()));
    let sealed = status.is_true_at("sealed");
    row("Seal Type", status.text_at("type"));
    row("Initialized", &status.is_true_at("initialized").to_string());
    row("Sealed", &sealed.to_string());
    row("Total Shares", &status.integer_at("n").to_string());
    row("Threshold", &status.integer_at("t").to_string());
    if sealed {
        row("Unseal Progress", &format!("{}/{}", status.integer_at("progress"), status.integer_at("t")));
        row("Unseal Nonce", present(status.text_at("nonce")).unwrap_or("n/a"));
    }
    if status.is_true_at("migration") {
        row("Seal Migration in Progress", "true");
    }
    row("Version", status.text_at("version"));
    let built = [("Commit Date", "commit_date"), ("Build Date", "build_date")];
    if let Some((name, date)) = built.into_iter().find_map(|(name, key)| Some((name, present(status.text_at(key))?))) {
        row(name, date);
    }
    row("Storage Type", status.text_at("storage_type"));
    for (name, key) in [("Cluster Name", "cluster_name"), ("Cluster ID", "cluster_id")] {
        if let Some(value) = present(status.text_at(key)) {
            row(name, value);
        }
    }
    if let Some(audit) = health.some("audit") {
        row("Audit", &format!("{} enabled, {} failing", audit.integer_at("enabled"), audit.integer_at("failing")));
    }
    if let Some(confinement) = health.some("confinement") {
        for (name, key) in CONFINEMENT {
            row(name, present(confinement.text_at(key)).unwrap_or("n/a"));
        }
    }
    let clustered = leader.is_true_at("ha_enabled");
    row("HA Enabled", &clustered.to_string());
    if clustered && !sealed {
        row("HA Cluster", present(leader.text_at("leader_cluster_address")).unwrap_or("n/a"));
        if leader.is_true_at("is_self") {
            row("HA Mode", "active");
            row("Active Since", leader.text_at("active_time"));
        } else {
            row("HA Mode", "standby");
            row("Active Node Address", present(leader.text_at("leader_address")).unwrap_or("<none>"));
        }
    }
    rows
}

fn present(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
