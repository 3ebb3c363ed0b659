//! What is left of a mount that was removed.

use crate::barrier::Txn;
use crate::error::Result;
use crate::storage::Page;

use super::aliases::damaged;
use super::{IdentityStore, Pointer, can_be_id};

impl IdentityStore {
    /// Removes at most `most` of the aliases that are of the mount of `accessor`: nobody comes through it any more. How
    /// many were found; none is the end of it. Twice is as good as once.
    pub async fn forget_mount(&self, accessor: &str, most: usize, txn: &mut Txn) -> Result<usize> {
        if !can_be_id(accessor) {
            return Ok(0);
        }
        let prefix = format!("{accessor}/");
        let names = self.alias_names.list(&prefix, Page::first(most)).await?;
        for name in &names {
            let pointer: Option<Pointer> = self.alias_names.fetch(txn, &format!("{prefix}{name}")).await?;
            if let Some(pointer) = pointer {
                self.delete_alias(&pointer.alias_id, txn).await?;
            }
        }
        if !names.is_empty() {
            return Ok(names.len());
        }
        // One group at a time: whoever is in it leaves it.
        let names = self.group_alias_names.list(&prefix, Page::first(1)).await?;
        for name in &names {
            let pointer: Option<Pointer> = self.group_alias_names.fetch(txn, &format!("{prefix}{name}")).await?;
            let Some(pointer) = pointer else { continue };
            self.keep_out(txn).await;
            let group = self.fetch_group(&pointer.id, txn).await?.ok_or_else(damaged)?;
            self.take_alias(group, txn).await?;
        }
        Ok(names.len())
    }
}
