//! `/v1/{mount}/metadata/{path}`: settings, custom metadata and the table of versions of a secret.

pub(super) mod delete;
pub(super) mod detailed;
pub(super) mod list;
pub(super) mod patch;
pub(super) mod read;
pub(super) mod scan;
pub(super) mod write;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{LooseBool, LooseInt, given};
use crate::engine::{Answer, Data, Done, Reply};
use crate::error::{Error, Result};
use crate::time::Timestamp;

use super::config::{Config, version_limit};
use super::custom_metadata::CustomMetadata;
use super::delete_after::DeleteAfter;
use super::secret::{DeletionTime, Secret, Version};

/// Changes of a secret's settings; what is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Changes {
    /// How many versions are kept; 0 is the mount's number.
    #[serde(deserialize_with = "given")]
    max_versions: Option<LooseInt>,
    /// Whether every write must name the version that it follows.
    #[serde(deserialize_with = "given")]
    cas_required: Option<LooseBool>,
    /// Whether every change of metadata must name their version.
    #[serde(deserialize_with = "given")]
    metadata_cas_required: Option<LooseBool>,
    /// After what time new versions delete themselves; 0 is as the mount says.
    delete_version_after: Option<DeleteAfter>,
    /// A few short texts by name.
    #[serde(deserialize_with = "given")]
    custom_metadata: Option<CustomMetadata>,
    /// The version of the metadata that the caller expects to replace; 0 if there must be none.
    #[serde(deserialize_with = "given")]
    metadata_cas: Option<LooseInt>,
}

/// What is done with custom metadata that are there already.
#[derive(Clone, Copy)]
enum Custom {
    Replace,
    Merge,
}

impl Changes {
    /// Whether nothing is to be changed.
    fn are_none(&self) -> bool {
        let Self { max_versions, cas_required, metadata_cas_required, delete_version_after, custom_metadata, .. } =
            self;
        max_versions.is_none()
            && cas_required.is_none()
            && metadata_cas_required.is_none()
            && delete_version_after.is_none()
            && custom_metadata.is_none()
    }

    /// Makes the changes, and tells what of them has no effect.
    fn apply(self, secret: &mut Secret, config: &Config, custom: Custom, now: Timestamp) -> Result<Vec<&'static str>> {
        config.check_metadata_cas(secret, self.metadata_cas)?;
        let mut warnings = Vec::new();
        if let Some(number) = self.max_versions {
            secret.max_versions = version_limit(number)?;
        }
        if let Some(LooseBool(required)) = self.cas_required {
            secret.cas_required = required;
            if config.cas_required && !required {
                warnings.push(
                    "\"cas_required\" set to false, but is mandated by backend config. This value will be ignored.",
                );
            }
        }
        if let Some(LooseBool(required)) = self.metadata_cas_required {
            secret.metadata_cas_required = required;
            if config.metadata_cas_required && !required {
                warnings.push(
                    "\"metadata_cas_required\" set to false, but is mandated by backend config. \
                     This value will be ignored.",
                );
            }
        }
        secret.delete_version_after = match self.delete_version_after {
            Some(DeleteAfter::Never) => return Err(Error::invalid("'delete_version_after' must not be negative here")),
            Some(after @ (DeleteAfter::Unset | DeleteAfter::After(_))) => after,
            None => secret.delete_version_after,
        };
        if let Some(metadata) = self.custom_metadata {
            secret.custom_metadata = match custom {
                Custom::Replace => metadata.replacing()?,
                Custom::Merge => metadata.merged_into(secret.custom_metadata.take())?,
            };
        }
        secret.metadata_version += 1;
        secret.updated = now.into();
        Ok(warnings)
    }
}

/// 204, or 200 with nothing but warnings.
fn done(warnings: Vec<&'static str>) -> Result<Answer> {
    if warnings.is_empty() {
        return Done.into_answer();
    }
    let warnings = warnings.into_iter().map(Into::into).collect();
    Ok(Answer { warnings, ..Data::new(()).into_answer()? })
}

/// The metadata of a secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Details {
    cas_required: bool,
    created_time: Timestamp,
    /// How often the metadata were changed.
    current_metadata_version: u64,
    /// 0 where only metadata were written.
    current_version: u64,
    custom_metadata: Option<BTreeMap<String, String>>,
    /// Hours, minutes and seconds: `1h30m0s`.
    delete_version_after: String,
    max_versions: u32,
    metadata_cas_required: bool,
    /// 0 until the first version was let go.
    oldest_version: u64,
    /// When a version or the metadata were last written.
    updated_time: Timestamp,
    /// By their number.
    versions: BTreeMap<u64, VersionState>,
}

/// What is shown of a version in the table.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionState {
    created_time: Timestamp,
    /// When it was deleted, or deletes itself; empty if neither.
    deletion_time: DeletionTime,
    destroyed: bool,
}

impl From<Secret> for Details {
    fn from(secret: Secret) -> Self {
        Self {
            cas_required: secret.cas_required,
            created_time: secret.created.0,
            current_metadata_version: secret.metadata_version,
            current_version: secret.current,
            custom_metadata: secret.custom_metadata,
            delete_version_after: secret.delete_version_after.to_string(),
            max_versions: secret.max_versions,
            metadata_cas_required: secret.metadata_cas_required,
            oldest_version: secret.oldest,
            updated_time: secret.updated.0,
            versions: secret.versions.into_iter().map(|(number, version)| (number, version.into())).collect(),
        }
    }
}

impl From<Version> for VersionState {
    fn from(Version { created, deleted, destroyed }: Version) -> Self {
        Self { created_time: created.0, deletion_time: deleted.into(), destroyed }
    }
}
