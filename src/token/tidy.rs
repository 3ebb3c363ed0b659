//! Removes pointers to tokens that are gone. A token and its pointers are written and removed together, so there are
//! none unless a store was restored in part or edited by hand.

use crate::error::{Kind, Result};
use crate::storage::Page;

use super::{Pointer, TokenStore, Txn, View};

impl TokenStore {
    /// Removes pointers to tokens that are gone, and says how many there were. Twice is as good as once.
    pub async fn tidy(&self) -> Result<usize> {
        let mut removed = 0;
        for name in self.accessors.list("", Page::all()).await? {
            removed += usize::from(self.remove_dangling(&self.accessors, &name).await?);
        }
        for parent in self.children.list("", Page::all()).await? {
            for child in self.children.list(&parent, Page::all()).await? {
                removed += usize::from(self.remove_dangling(&self.children, &format!("{parent}{child}")).await?);
            }
        }
        Ok(removed)
    }

    /// Removes the pointer at `key` if its token is gone. A pointer that changes meanwhile is left for the next time.
    async fn remove_dangling(&self, pointers: &View, key: &str) -> Result<bool> {
        let mut txn = Txn::new();
        let Some(pointer) = pointers.fetch::<Pointer>(&mut txn, key).await? else { return Ok(false) };
        if self.fetch(&pointer.id, &mut txn).await?.is_some() {
            return Ok(false);
        }
        pointers.delete(&mut txn, key)?;
        match self.barrier.commit(txn).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }
}
