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

/// All of a secret but the payloads of its older versions. What nobody has set takes no room.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    /// How many versions are kept; 0 is the mount's number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) max_versions: u32,
    /// Whether a write must name the version that it follows.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) cas_required: bool,
    /// Whether a change of the metadata must name their version.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) metadata_cas_required: bool,
    /// After what time new versions delete themselves. Never negative.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) delete_version_after: DeleteAfter,
    /// What its owners say about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) custom_metadata: Option<BTreeMap<String, String>>,
    /// When it was first written.
    pub(super) created: Moment,
    /// When a version or the metadata were last written.
    pub(super) updated: Moment,
    /// How often the metadata were changed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) metadata_version: u64,
    /// The number of the current version; 0 where only metadata were written.
    pub(super) current: u64,
    /// The oldest version that is left; 0 until there have been as many as are kept.
    #[serde(default, skip_serializing_if = "is_default")]
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
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) deleted: Option<Moment>,
    /// Whether its payload is gone for good.
    #[serde(default, skip_serializing_if = "is_default")]
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_has_set_takes_no_room_and_is_read_where_it_was_written_out() {
        let now = Timestamp::from_unix_seconds(1);
        let mut secret = Secret::new(now);
        secret.versions.insert(1, Version::new(now, None));
        let short = json!({
            "created": 1_000_000_000, "updated": 1_000_000_000, "current": 0, "payload": null,
            "versions": {"1": {"created": 1_000_000_000}},
        });
        assert_eq!(serde_json::to_value(&secret).unwrap(), short);
        let long = json!({
            "max_versions": 0, "cas_required": false, "metadata_cas_required": false, "delete_version_after": 0,
            "custom_metadata": null, "created": 1_000_000_000, "updated": 1_000_000_000, "metadata_version": 0,
            "current": 0, "oldest": 0, "payload": null,
            "versions": {"1": {"created": 1_000_000_000, "deleted": null, "destroyed": false}},
        });
        let read: Secret = serde_json::from_value(long).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), short);
    }
}
