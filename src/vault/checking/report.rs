//! What a check of a store found.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How many findings are listed; more are counted.
pub(super) const LISTED: usize = 1000;

/// What a check found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CheckReport {
    /// When it began; nothing if the store could not be opened.
    pub time: Option<Timestamp>,
    /// Which store it is.
    pub lineage: String,
    /// How many transactions it has had.
    pub generation: u64,
    /// How many records were looked at.
    pub records: u64,
    /// The bytes of their keys and values.
    pub bytes: u64,
    /// Whether the records were opened, or only their form was looked at.
    pub opened: bool,
    /// Whether nothing was found.
    pub sound: bool,
    /// When it was restored from which backup: an older state that someone wanted.
    pub restored: Vec<String>,
    /// Since when the ledger accounts for every change; nothing if the records were not compared with it.
    pub ledger_since: Option<Timestamp>,
    /// When somebody took records as they were that the ledger did not account for.
    pub accepted: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How much more is wrong than is listed.
    pub more: u64,
}

/// Something that is wrong.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// What kind of thing.
    pub fault: Fault,
    /// The key of the record, or the one behind which the damage begins.
    pub key: String,
    /// A sentence about it.
    pub detail: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The database cannot give it.
    Unreadable,
    /// It is no ciphertext, or does not open: damaged, altered, or moved from another key.
    Unauthentic,
    /// It opens, and is no record.
    Undecodable,
    /// Something that must be there is not.
    Missing,
    /// It points at a record that is not there.
    Dangling,
    /// It is not in the index that it must be in.
    Unindexed,
    /// It belongs to a mount that is not there.
    Orphaned,
    /// The store is not what the checkpoint says.
    RolledBack,
    /// It is not what the vault left: an older copy was put back, or it was removed or brought back.
    Unaccounted,
}

impl Fault {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Unauthentic => "unauthentic",
            Self::Undecodable => "undecodable",
            Self::Missing => "missing",
            Self::Dangling => "dangling",
            Self::Unindexed => "unindexed",
            Self::Orphaned => "orphaned",
            Self::RolledBack => "rolled-back",
            Self::Unaccounted => "unaccounted",
        }
    }
}

impl CheckReport {
    /// How much is wrong.
    pub fn faults(&self) -> u64 {
        self.more.saturating_add(self.findings.len() as u64)
    }

    pub(super) fn find(&mut self, fault: Fault, key: String, detail: impl Into<String>) {
        if self.findings.len() < LISTED {
            self.findings.push(Finding { fault, key, detail: detail.into() });
        } else {
            self.more += 1;
        }
    }
}
