//! `GET` or `HEAD /v1/sys/health`: how the node stands, in a status that load balancers read.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{Health, LooseBool, LooseText};
use crate::engine::{Cx, Endpoint, Raw, Route, StatusCode};
use crate::error::{Error, Result};
use crate::vault::{Standing, Vault};

use super::NoPath;

/// The statuses that the caller wants in place of the usual ones.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct ReadHealth {
    /// In place of 200, for an active node.
    activecode: Option<LooseText>,
    /// In place of 429, for a standby. There is none, so the number is only checked.
    standbycode: Option<LooseText>,
    /// In place of 503, for a sealed node.
    sealedcode: Option<LooseText>,
    /// In place of 501, for a node that is not initialised.
    uninitcode: Option<LooseText>,
    /// In place of 473, for a performance standby. There is none, and it is not read.
    performancestandbycode: Option<LooseText>,
    /// In place of 472, for a secondary. There is none, and it is not read.
    drsecondarycode: Option<LooseText>,
    /// Whether a standby counts as active; alone it is a yes. There is none, so the word is only checked.
    standbyok: Option<LooseText>,
    /// Whether a performance standby counts as active. There is none, and it is not read.
    perfstandbyok: Option<LooseText>,
}

impl Endpoint for ReadHealth {
    type Target = Arc<Vault>;
    type Path = NoPath;
    type Reply = Raw<Health>;
    const ROUTE: Route = Route::read("health").public().summary("How the node stands");

    async fn handle(self, vault: &Arc<Vault>, _: NoPath, cx: &mut Cx<'_>) -> Result<Raw<Health>> {
        let standing = vault.standing();
        let status = self.status(&standing)?;
        let Standing { initialised, sealed, cluster, .. } = standing;
        let (cluster_name, cluster_id) = cluster.unzip();
        let mode = if sealed { "unknown" } else { "disabled" };
        let health = Health {
            initialized: initialised,
            sealed,
            standby: sealed,
            performance_standby: false,
            replication_performance_mode: mode.to_owned(),
            replication_dr_mode: mode.to_owned(),
            server_time_utc: cx.now().unix_seconds(),
            version: super::VERSION.to_owned(),
            cluster_name,
            cluster_id,
            audit: vault.unsealed().ok().map(|unsealed| unsealed.core.audit.health()),
            confinement: vault.parts().settings.confinement,
        };
        Ok(Raw::new(health).with_status(status))
    }
}

impl ReadHealth {
    fn status(&self, standing: &Standing) -> Result<StatusCode> {
        let Self {
            activecode,
            standbycode,
            sealedcode,
            uninitcode,
            performancestandbycode: _,
            drsecondarycode: _,
            standbyok,
            perfstandbyok: _,
        } = self;
        word(standbyok.as_ref())?;
        code(standbycode.as_ref(), 429)?;
        let (active, sealed, uninitialised) =
            (code(activecode.as_ref(), 200)?, code(sealedcode.as_ref(), 503)?, code(uninitcode.as_ref(), 501)?);
        Ok(match (standing.initialised, standing.sealed) {
            (false, _) => uninitialised,
            (true, true) => sealed,
            (true, false) => active,
        })
    }
}

/// The status that was asked for, or the usual one.
fn code(asked: Option<&LooseText>, usual: u16) -> Result<StatusCode> {
    let Some(LooseText(text)) = asked else { return Ok(StatusCode(usual)) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(code @ 200..=999) if digits => Ok(StatusCode(code)),
        Ok(_) | Err(_) => Err(Error::invalid("a status must be a number from 200 to 999")),
    }
}

/// Checks that it says yes or no.
fn word(asked: Option<&LooseText>) -> Result<()> {
    match asked {
        Some(LooseText(text)) if !text.is_empty() && LooseBool::parse(text).is_none() => {
            Err(Error::invalid("standbyok must be true or false"))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(initialised: bool, sealed: bool) -> Standing {
        Standing { initialised, sealed, threshold: None, progress: 0, nonce: String::new(), cluster: None }
    }

    fn status(query: &str, initialised: bool, sealed: bool) -> Option<u16> {
        let health: ReadHealth = serde_json::from_str(query).unwrap();
        health.status(&standing(initialised, sealed)).ok().map(|status| status.0)
    }

    #[test]
    fn each_standing_has_its_status() {
        assert_eq!(status("{}", false, true), Some(501));
        assert_eq!(status("{}", true, true), Some(503));
        assert_eq!(status("{}", true, false), Some(200));
    }

    #[test]
    fn the_caller_may_choose_another() {
        let query = r#"{"activecode":"299","sealedcode":"297","uninitcode":"298","standbyok":"true"}"#;
        assert_eq!(status(query, true, false), Some(299));
        assert_eq!(status(query, true, true), Some(297));
        assert_eq!(status(query, false, true), Some(298));
    }

    #[test]
    fn what_is_no_status_is_refused_whether_or_not_it_counts() {
        let refused = [
            r#"{"activecode":"abc"}"#,
            r#"{"standbycode":"-1"}"#,
            r#"{"uninitcode":"100"}"#,
            r#"{"sealedcode":""}"#,
            r#"{"activecode":"+201"}"#,
            r#"{"activecode":"1000"}"#,
            r#"{"standbyok":"yes"}"#,
        ];
        for query in refused {
            assert_eq!(status(query, true, false), None, "{query}");
        }
    }

    #[test]
    fn what_no_node_here_can_be_is_not_read() {
        let query = r#"{"performancestandbycode":"x","drsecondarycode":"x","perfstandbyok":"x","standbyok":""}"#;
        assert_eq!(status(query, true, false), Some(200));
        assert_eq!(status(r#"{"activecode":"0999"}"#, true, false), Some(999));
    }
}
