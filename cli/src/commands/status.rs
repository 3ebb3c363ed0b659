//! `arca status`: exit code 0 if unsealed, 2 if sealed, 1 if that cannot be found out.

use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Sheet, key_value};

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
    let audit = audit(client, &status);
    let rows = rows(&status, &leader, audit.as_ref());
    if let Some(audit) = audit {
        status.set("audit", audit);
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

/// How the audit devices stand; other servers than Arca, and sealed ones, do not say.
fn audit(client: &Client, status: &Json) -> Option<Json> {
    if status.is_true_at("sealed") {
        return None;
    }
    let health = client.call_json(Call::get("sys/health").anonymous().unwrapped()).ok()?;
    health.at("audit").map(Json::copy)
}

fn rows(status: &Json, leader: &Json, audit: Option<&Json>) -> Vec<(String, String)> {
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
    if let Some(audit) = audit {
        row("Audit", &format!("{} enabled, {} failing", audit.integer_at("enabled"), audit.integer_at("failing")));
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
