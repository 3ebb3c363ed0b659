//! Records intents for handlers, and gives them up when the request fails.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::api::{ApiPath, Ttl};
use crate::engine::{Bounds, Caller, Intent, Intents, Mount, NewLease, TokenType, Txn};
use crate::error::{Error, Result};
use crate::lease::{Grant, LeaseOwner};
use crate::secret::SecretJson;
use crate::vault::Unsealed;

/// The intents of one try of a request.
pub(super) struct Recorder<'a> {
    unsealed: &'a Arc<Unsealed>,
    caller: Option<&'a Caller>,
    recorded: Mutex<Vec<Recorded>>,
}

struct Recorded {
    lease_id: String,
    mount: String,
    data: SecretJson,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(unsealed: &'a Arc<Unsealed>, caller: Option<&'a Caller>) -> Self {
        Self { unsealed, caller, recorded: Mutex::default() }
    }

    /// The request failed: what it may have made is undone in the background, also after a restart. The record is
    /// written anew, since the intent may have run out, and been undone, before the thing was made.
    pub(super) async fn give_up(self) {
        for Recorded { lease_id, mount, data } in self.recorded.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if let Err(error) = self.unsealed.leases.give_up(&lease_id, &mount, data).await {
                tracing::error!(lease = %lease_id, %error, "an intent could not be given up; it runs out by itself");
            }
        }
    }
}

#[async_trait]
impl Intents for Recorder<'_> {
    async fn record(&self, mount: &Mount, path: &ApiPath, data: SecretJson) -> Result<Intent> {
        let copy = data.copy();
        let new = NewLease { ttl: Ttl::default(), max_ttl: Ttl::default(), renewable: false, data, intent: None };
        let grant = Grant {
            path: path.as_str(),
            mount: &mount.uuid,
            bounds: Bounds::default(),
            owner: LeaseOwner { token_id: self.caller.map_or("", |caller| &caller.token_id), ends: None },
        };
        // A mount or a token that ends from here on finds the intent, and has it undone.
        let mut txn = Txn::new();
        require_owners(self.unsealed, &mount.uuid, self.caller, &mut txn).await?;
        let intent = self.unsealed.leases.intend(new, &grant, &mut txn)?;
        self.unsealed.commit(txn).await?;
        let recorded = Recorded { lease_id: intent.lease_id.clone(), mount: mount.uuid.clone(), data: copy };
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        Ok(intent)
    }
}

/// Makes the commit of `txn` fail unless the mount serves and the token of the caller is good at that moment.
pub(super) async fn require_owners(
    unsealed: &Unsealed,
    mount: &str,
    caller: Option<&Caller>,
    txn: &mut Txn,
) -> Result<()> {
    unsealed.mounts.require_serving(mount, txn).await?;
    match caller {
        Some(caller) if caller.token_type == TokenType::Service => {
            unsealed.tokens.require_good(&caller.token_id, txn).await
        }
        Some(_) | None => Ok(()),
    }
}

/// While sealed nothing can be recorded.
pub(super) struct Unrecorded;

#[async_trait]
impl Intents for Unrecorded {
    async fn record(&self, _: &Mount, _: &ApiPath, _: SecretJson) -> Result<Intent> {
        Err(Error::sealed())
    }
}
