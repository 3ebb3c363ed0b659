//! `AuditBroker`: the devices that are enabled.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use crate::api::ApiPath;
use crate::chain::Link;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::secret::AuditKey;

use super::device::{Device, DeviceConfig, Identity};
use super::entry::Entry;
use super::facts::{NamespaceFacts, RequestFacts};

/// Keeps the devices, and opens an entry for each request.
#[derive(Debug)]
pub struct AuditBroker {
    identity: Identity,
    devices: RwLock<Arc<Vec<Arc<Device>>>>,
}

impl AuditBroker {
    /// A broker without devices: it writes nothing.
    pub fn new(identity: Identity) -> Self {
        Self { identity, devices: RwLock::default() }
    }

    /// Opens an entry for a request. Without devices this does no work.
    pub fn open(&self, facts: &RequestFacts<'_>) -> Entry {
        Entry::open(self.snapshot(), Arc::clone(&self.identity.clock), facts)
    }

    /// Enables a device and writes a test entry to it. `recorded` is the last line that is on the vault's own record for
    /// the device. Opens files, so it may wait.
    pub async fn enable(
        &self,
        config: DeviceConfig,
        key: &AuditKey,
        recorded: Option<Link>,
        entropy: &dyn Entropy,
    ) -> Result<()> {
        self.check_path(&config.path)?;
        check_filters(&self.snapshot(), config.is_filtered())?;
        let device = Arc::new(Device::open(config, key, recorded, &self.identity)?);
        self.test(&device, entropy).await?;
        self.add(device).await
    }

    /// Whether the device at `path` may be disabled: not if only devices with a filter would be left.
    pub fn check_disabling(&self, path: &str) -> Result<()> {
        without(&self.snapshot(), path).map(|_| ())
    }

    /// Disables the device at `path`; its log ends in a checkpoint. Whether there was one. Refused as
    /// [`Self::check_disabling`] says.
    pub async fn disable(&self, path: &str) -> Result<bool> {
        let removed = {
            let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
            let removed = devices.iter().find(|device| device.config.path == path).cloned();
            *devices = Arc::new(without(&devices, path)?);
            removed
        };
        let Some(device) = removed else { return Ok(false) };
        device.disabled.store(true, Ordering::SeqCst);
        close(&device).await?;
        Ok(true)
    }

    /// Closes all devices, each with a checkpoint, and leaves none.
    pub async fn close(&self) -> Result<()> {
        let devices = std::mem::take(&mut *self.devices.write().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = Ok(());
        for device in devices.iter() {
            outcome = close(device).await.and(outcome);
        }
        outcome
    }

    /// Opens the logs anew under their names, for after a rotation (`SIGHUP`). All are tried; the first failure is told.
    pub async fn reopen(&self) -> Result<()> {
        let mut outcome = Ok(());
        for device in self.snapshot().iter() {
            let reopened = device.log.reopen().await.map_err(|error| {
                tracing::error!(device = device.config.path, error = &error as &dyn std::error::Error, "reopen");
                Error::internal("an audit device could not be reopened; see the server's log").with_source(error)
            });
            outcome = outcome.and(reopened);
        }
        outcome
    }

    /// The hash that the device at `path` writes for `input`: `sys/audit-hash`.
    pub fn hash(&self, path: &str, input: &str) -> Result<String> {
        let devices = self.snapshot();
        let device = devices.iter().find(|device| device.config.path == path);
        let device = device.ok_or_else(|| Error::invalid("unknown audit backend; list sys/audit for their paths"))?;
        Ok(device.redaction.hasher.hash(input.as_bytes()))
    }

    /// The devices that are enabled.
    pub fn devices(&self) -> Vec<DeviceConfig> {
        self.snapshot().iter().map(|device| device.config.clone()).collect()
    }

    /// The last line of each device, by path, for the vault's own record.
    pub async fn positions(&self) -> Vec<(String, Link)> {
        let devices = self.snapshot();
        let mut positions = Vec::with_capacity(devices.len());
        for device in devices.iter() {
            positions.push((device.config.path.clone(), device.log.last().await));
        }
        positions
    }

    pub(super) fn snapshot(&self) -> Arc<Vec<Arc<Device>>> {
        Arc::clone(&self.devices.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Adds a device, unless another took its path in the meantime.
    pub(super) async fn add(&self, device: Arc<Device>) -> Result<()> {
        let added = self.check_path(&device.config.path).and_then(|()| {
            let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
            if devices.iter().any(|other| clashes(&other.config.path, &device.config.path)) {
                return Err(in_use());
            }
            check_filters(&devices, device.is_filtered())?;
            Arc::make_mut(&mut devices).push(Arc::clone(&device));
            Ok(())
        });
        if added.is_err() {
            close(&device).await?;
        }
        added
    }

    fn check_path(&self, path: &str) -> Result<()> {
        if path.is_empty() || !path.ends_with('/') {
            return Err(Error::invalid("an audit device's path must not be empty"));
        }
        let taken = self.snapshot().iter().any(|device| clashes(&device.config.path, path));
        if taken { Err(in_use()) } else { Ok(()) }
    }

    /// Writes the entry of `sys/audit/test`, as the peer does: a device that cannot take it is not enabled.
    async fn test(&self, device: &Arc<Device>, entropy: &dyn Entropy) -> Result<()> {
        let id = entropy.uuid()?;
        let path = ApiPath::parse("sys/audit/test").map_err(|error| Error::internal(error.to_string()))?;
        let facts = RequestFacts {
            id: &id,
            operation: "update",
            path: &path,
            namespace: NamespaceFacts { id: "root", path: "" },
            client_token: None,
            data: None,
            remote_address: None,
            remote_port: 0,
            client_certificate_serial_number: None,
            wrap_ttl: None,
            headers: &[],
        };
        let devices = Arc::new(vec![Arc::clone(device)]);
        Entry::open(devices, Arc::clone(&self.identity.clock), &facts).write_test().await
    }
}

/// Devices with a filter are for some entries only: there has to be one that takes them all.
fn check_filters(devices: &[Arc<Device>], is_filtered: bool) -> Result<()> {
    if is_filtered && devices.iter().all(|device| device.is_filtered()) {
        return Err(Error::invalid(
            "the first audit device must have no filter, since one has to take every entry; enable one without a filter \
             first",
        ));
    }
    Ok(())
}

/// All devices but the one at `path`; refused if all of those have a filter.
fn without(devices: &[Arc<Device>], path: &str) -> Result<Vec<Arc<Device>>> {
    let rest: Vec<_> = devices.iter().filter(|device| device.config.path != path).cloned().collect();
    if rest.len() < devices.len() && !rest.is_empty() && rest.iter().all(|device| device.is_filtered()) {
        return Err(Error::invalid(
            "cannot disable this audit device: those that are left all have a filter, and one has to take every \
             entry; enable one without a filter first",
        ));
    }
    Ok(rest)
}

/// Whether one path is the other, or lies in it.
fn clashes(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn in_use() -> Error {
    Error::invalid("path already in use")
}

async fn close(device: &Device) -> Result<()> {
    device.log.close().await.map_err(|error| {
        tracing::error!(device = device.config.path, error = &error as &dyn std::error::Error, "close");
        Error::internal("the audit device was closed without a checkpoint; see the server's log").with_source(error)
    })
}

#[cfg(test)]
mod tests;
