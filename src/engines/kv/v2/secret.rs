//! A secret as it is stored, and its versions as they are shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::engine::Record;
use crate::secret::SecretJson;
use crate::time::Timestamp;

use super::delete_after::DeleteAfter;

/// A moment as it is stored: nanoseconds since the epoch, which are read faster than a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub(super) struct Moment(pub(super) Timestamp);

impl From<i64> for Moment {
    fn from(nanos: i64) -> Self {
        Self(Timestamp::from_unix_nanos(nanos))
    }
}

impl From<Moment> for i64 {
    fn from(moment: Moment) -> Self {
        moment.0.unix_nanos()
    }
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

/// All of a secret but the payloads of its older versions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    /// How many versions are kept; 0 is the mount's number.
    pub(super) max_versions: u32,
    /// Whether a write must name the version that it follows.
    pub(super) cas_required: bool,
    /// Whether a change of the metadata must name their version.
    pub(super) metadata_cas_required: bool,
    /// After what time new versions delete themselves. Never negative.
    pub(super) delete_version_after: DeleteAfter,
    /// What its owners say about it.
    pub(super) custom_metadata: Option<BTreeMap<String, String>>,
    /// When it was first written.
    pub(super) created: Moment,
    /// When a version or the metadata were last written.
    pub(super) updated: Moment,
    /// How often the metadata were changed.
    pub(super) metadata_version: u64,
    /// The number of the current version; 0 where only metadata were written.
    pub(super) current: u64,
    /// The oldest version that is left; 0 until there have been as many as are kept.
    pub(super) oldest: u64,
    /// The versions from the oldest to the current one, without a gap.
    pub(super) versions: BTreeMap<u64, Version>,
    /// The payload of the current version; nothing where it is `null`, was destroyed, or there is no version.
    pub(super) payload: Option<SecretJson>,
}

impl Record for Secret {}

impl Secret {
    /// A secret without a version.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            max_versions: 0,
            cas_required: false,
            metadata_cas_required: false,
            delete_version_after: DeleteAfter::Unset,
            custom_metadata: None,
            created: now.into(),
            updated: now.into(),
            metadata_version: 0,
            current: 0,
            oldest: 0,
            versions: BTreeMap::new(),
            payload: None,
        }
    }

    /// Deletes a version so that it can be undeleted. Whether that changed anything.
    pub(super) fn delete(&mut self, number: u64, now: Timestamp) -> bool {
        let Some(version) = self.versions.get_mut(&number).filter(|version| version.is_live(now)) else { return false };
        version.deleted = Some(now.into());
        true
    }

    /// Undeletes a version that was not destroyed; from now on it lasts until `deletion`. Whether that changed anything.
    pub(super) fn undelete(&mut self, number: u64, deletion: Option<Timestamp>) -> bool {
        let deletion = deletion.map(Moment);
        match self.versions.get_mut(&number) {
            Some(version) if !version.destroyed && version.deleted != deletion => {
                version.deleted = deletion;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// One version of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// When it was written.
    pub(super) created: Moment,
    /// When it was deleted, or deletes itself.
    pub(super) deleted: Option<Moment>,
    /// Whether its payload is gone for good.
    pub(super) destroyed: bool,
}

impl Version {
    /// A version that is written now.
    pub(super) fn new(now: Timestamp, deletion: Option<Timestamp>) -> Self {
        Self { created: now.into(), deleted: deletion.map(Moment), destroyed: false }
    }

    /// Whether it can be read.
    pub(super) fn is_live(self, now: Timestamp) -> bool {
        !self.destroyed && self.deleted.is_none_or(|deleted| deleted.0 > now)
    }
}

/// The payload of a version that is not the current one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    /// When the version was written: a reader sees by it that this is the version that it means.
    pub(super) created: Moment,
    /// What was written; nothing where it is `null`.
    pub(super) data: Option<SecretJson>,
}

impl Record for Payload {}

/// What is shown of a version beside its payload.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VersionInfo {
    /// When it was written.
    created_time: Timestamp,
    /// What the owners of the secret say about it.
    custom_metadata: Option<BTreeMap<String, String>>,
    /// When it was deleted, or deletes itself; empty if neither.
    deletion_time: DeletionTime,
    /// Whether its payload is gone for good.
    destroyed: bool,
    /// Its number.
    version: u64,
}

impl VersionInfo {
    pub(super) fn new(number: u64, version: Version, custom_metadata: Option<BTreeMap<String, String>>) -> Self {
        let Version { created, deleted, destroyed } = version;
        let deletion_time = DeletionTime::from(deleted);
        Self { created_time: created.0, custom_metadata, deletion_time, destroyed, version: number }
    }
}

/// A moment as it is shown; empty text where there is none.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", inline)]
pub(super) struct DeletionTime(Option<Timestamp>);

impl From<Option<Moment>> for DeletionTime {
    fn from(moment: Option<Moment>) -> Self {
        Self(moment.map(|moment| moment.0))
    }
}

impl Serialize for DeletionTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(moment) => moment.serialize(serializer),
            None => serializer.serialize_str(""),
        }
    }
}
