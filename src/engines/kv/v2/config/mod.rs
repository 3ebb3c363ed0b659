//! The mount's settings, and how they and those of a secret combine.

pub(super) mod read;
pub(super) mod write;

use serde::{Deserialize, Serialize};

use crate::api::LooseInt;
use crate::engine::Record;
use crate::error::{Error, Result};
use crate::time::Timestamp;

use super::delete_after::DeleteAfter;
use super::secret::Secret;

/// Where the settings are stored.
pub(super) const KEY: &str = "config";

/// How many versions are kept where neither the mount nor the secret says.
const DEFAULT_MAX_VERSIONS: u32 = 10;

/// The mount's settings.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Config {
    /// How many versions are kept; 0 is the default.
    pub(super) max_versions: u32,
    /// Whether every write must name the version that it follows.
    pub(super) cas_required: bool,
    /// Whether every change of metadata must name their version.
    pub(super) metadata_cas_required: bool,
    /// After what time new versions delete themselves.
    pub(super) delete_version_after: DeleteAfter,
}

impl Record for Config {}

impl Config {
    /// How many versions of `secret` are kept: the larger of the two numbers.
    pub(super) fn max_versions(&self, secret: &Secret) -> u64 {
        match self.max_versions.max(secret.max_versions) {
            0 => DEFAULT_MAX_VERSIONS.into(),
            most => most.into(),
        }
    }

    /// When a version of `secret` that is written or undeleted now deletes itself: after the shorter of the two times.
    pub(super) fn deletion(&self, secret: &Secret, now: Timestamp) -> Option<Timestamp> {
        if self.delete_version_after == DeleteAfter::Never {
            return None;
        }
        let lengths = [self.delete_version_after.length(), secret.delete_version_after.length()];
        lengths.into_iter().flatten().min().map(|ttl| now.plus(ttl.duration()))
    }

    /// Whether a write of `secret` may follow, of which the caller expects to replace version `cas`.
    pub(super) fn check_cas(&self, secret: &Secret, cas: Option<LooseInt>) -> Result<()> {
        match cas {
            None if self.cas_required || secret.cas_required => {
                Err(Error::invalid("check-and-set parameter required for this call"))
            }
            Some(LooseInt(cas)) if u64::try_from(cas) != Ok(secret.current) => {
                Err(Error::invalid("check-and-set parameter did not match the current version"))
            }
            None | Some(_) => Ok(()),
        }
    }

    /// Whether a change of the metadata of `secret` may follow, of which the caller expects to replace version `cas`.
    pub(super) fn check_metadata_cas(&self, secret: &Secret, cas: Option<LooseInt>) -> Result<()> {
        match cas {
            None if self.metadata_cas_required || secret.metadata_cas_required => {
                Err(Error::invalid("metadata check-and-set parameter required for this call"))
            }
            Some(LooseInt(cas)) if u64::try_from(cas) != Ok(secret.metadata_version) => {
                Err(Error::invalid("metadata check-and-set parameter does not match the current version"))
            }
            None | Some(_) => Ok(()),
        }
    }
}

/// A number of versions as a caller sends it.
pub(super) fn version_limit(LooseInt(number): LooseInt) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::invalid("'max_versions' must be from 0, the default, to 4294967295"))
}
