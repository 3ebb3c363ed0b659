//! An operator looked at what the ledger does not account for, and takes it as it is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::ROOT_NAMESPACE;
use crate::barrier::{Barrier, Record, Scope, Txn};
use crate::error::Result;
use crate::secret::RootKey;
use crate::time::Timestamp;

use super::checking::{CheckReport, Fault, Finding};

/// How many acceptances are kept.
const KEPT: usize = 64;
/// How many findings of one are kept.
const FINDINGS: usize = 16;

/// When records that the ledger did not account for were taken as they were, the newest last.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Acceptances {
    pub(super) list: Vec<Acceptance>,
}

/// One time.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Acceptance {
    time: Timestamp,
    /// What had been found.
    findings: Vec<String>,
}

impl Record for Acceptances {}

impl Acceptances {
    /// Their key in the scope `core`.
    const KEY: &'static str = "acceptances";

    /// Those of the store behind `barrier`.
    pub(super) async fn load(barrier: &Arc<Barrier>) -> Result<Self> {
        let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
        Ok(core.get(Self::KEY).await?.unwrap_or_default())
    }
}

impl fmt::Display for Acceptance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counted anew at {} in spite of: {}", self.time, self.findings.join("; "))
    }
}

/// Takes the records of a store that nobody serves as they are, if `report` says that the ledger does not account for all of
/// them: begins a new ledger, and puts on record what the old one did not account for. Gives the number of records;
/// nothing if there was nothing to accept.
///
/// Fails if a record cannot be read.
pub async fn accept(
    barrier: &Arc<Barrier>,
    root: &RootKey,
    report: &CheckReport,
    now: Timestamp,
) -> Result<Option<u64>> {
    let unaccounted = report.findings.iter().filter(|finding| finding.fault == Fault::Unaccounted);
    let told = |Finding { fault: _, key, detail }: &Finding| format!("{key:?}: {detail}");
    let findings: Vec<String> = unaccounted.take(FINDINGS).map(told).collect();
    if findings.is_empty() {
        return Ok(None);
    }
    let core = barrier.view(Scope::new(ROOT_NAMESPACE, "core"));
    let mut txn = Txn::new();
    // One that does not open is replaced: it cannot be mended, and must not be in the way.
    let earlier: Result<Option<Acceptances>> = core.fetch(&mut txn, Acceptances::KEY).await;
    let mut acceptances = earlier.ok().flatten().unwrap_or_default();
    acceptances.list.push(Acceptance { time: now, findings });
    let too_many = acceptances.list.len().saturating_sub(KEPT);
    drop(acceptances.list.drain(..too_many));
    core.put(&mut txn, Acceptances::KEY, &acceptances)?;
    barrier.count_anew(root, now, txn).await.map(Some)
}
