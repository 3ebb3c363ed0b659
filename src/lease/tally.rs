//! How many leases there are, counted a window at a time.

use crate::error::Result;
use crate::storage::Page;

use super::manager::LeaseManager;
use super::record::{Due, due_second};

/// Names that are read at a time.
const WINDOW: usize = 1024;
/// A lease that should have ended so many seconds ago is overdue; up to then the sweep may not have come to it.
const GRACE: i64 = 60;

/// How many leases a namespace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseTally {
    /// Leases that end, those of tokens among them.
    pub leases: u64,
    /// Those that should have ended more than a minute ago.
    pub overdue: u64,
}

impl LeaseManager {
    /// Counts the leases by their place in the due index. Reads names only, and no lease.
    pub async fn tally(&self) -> Result<LeaseTally> {
        let (mut tally, mut after) = (LeaseTally::default(), None);
        loop {
            let names = self.due.list("", Page { after, limit: Some(WINDOW) }).await?;
            let late = self.clock.now().unix_seconds() - GRACE;
            tally.leases += u64::try_from(names.len()).unwrap_or_default();
            let overdue = names.iter().filter(|name| due_second(name).is_some_and(|second| second < late)).count();
            tally.overdue += u64::try_from(overdue).unwrap_or_default();
            if names.len() < WINDOW {
                return Ok(tally);
            }
            after = names.into_iter().next_back();
            tokio::task::yield_now().await;
        }
    }

    /// Counts the leases that were tried to be revoked so often that an operator should look. Reads every lease.
    pub async fn count_irrevocable(&self) -> Result<u64> {
        let (mut count, mut after) = (0, None);
        loop {
            let names = self.due.list("", Page { after, limit: Some(WINDOW) }).await?;
            for name in &names {
                let Some(due) = self.due.get::<Due>(name).await? else { continue };
                let lease = self.lease(&due.lease_id).await?;
                count += u64::from(lease.is_some_and(|lease| lease.is_irrevocable()));
            }
            if names.len() < WINDOW {
                return Ok(count);
            }
            after = names.into_iter().next_back();
            tokio::task::yield_now().await;
        }
    }
}
