//! SIGKILL, and everything is still there.

use serde_json::Value;

use crate::failure::Failure;
use crate::person;
use crate::postgres::Postgres;
use crate::say;

use super::SECRET;
use super::service::DatabaseUser;
use super::setup::{self, Site};

/// Kills the server, starts it again, and looks for all that there was.
pub(super) fn survive(site: &mut Site, postgres: &Postgres, user: &DatabaseUser) -> Result<(), Failure> {
    say::part("The server is killed (SIGKILL) and started again");
    let before = overview(site)?;
    let first = site.server.id();
    site.server.kill();
    site.server = site.launch.start()?;
    say::done(&format!("process {first} is dead, process {} runs", site.server.id()));
    setup::unseal(&site.operator, &site.shares)?;
    if overview(site)? != before {
        return Err(Failure::answer("mounts, auth methods, policy, roles or secrets are not what they were"));
    }
    say::done("mounts, auth methods, policy, roles and secrets are what they were");
    let read = site.service.arca("kv get -mount=secret -field=api_key billing/payments").capture()?;
    if read.trim_end() != SECRET {
        return Err(Failure::answer("the secret is not the one that was stored"));
    }
    say::done("the service's token is still good, and it reads its secret with it");
    site.operator.arca("lease lookup").arg(user.lease()).capture()?;
    user.must_connect(postgres)?;
    site.operator.arca("lease revoke -sync").arg(user.lease()).capture()?;
    say::done("the lease of before the crash is still known: the user worked, and was taken away now");
    Ok(())
}

/// All that must outlive a crash, without the parts of an answer that are another each time.
fn overview(site: &Site) -> Result<Vec<Value>, Failure> {
    [
        "secrets list",
        "auth list",
        "policy read billing",
        "read auth/cert/certs/billing",
        "read database/roles/billing",
        "read database/config/shop",
        "kv get -mount=secret billing/payments",
        "kv get -mount=secret payroll/bank",
    ]
    .map(|words| {
        let answer = person::json(site.operator.arca(words))?;
        Ok(answer.get("data").cloned().unwrap_or(answer))
    })
    .into_iter()
    .collect()
}
